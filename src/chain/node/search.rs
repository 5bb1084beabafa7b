//! Looks where a transaction is, by its account's nonce.
//!
//! An account's nonce only grows, by one with each of its transactions, so the block in which it
//! passed the transaction's own is the only one that can hold the transaction.

use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::{Inclusion, Sighting, SignedCall};
use subxt::rpcs::Error;
use subxt::utils::{AccountId32, H256};

use super::failure::Failure;
use super::receipt::{self, Ending};
use super::refusal::Refusal;
use super::session::Session;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where the transaction is.
    pub sighting: Sighting,
    /// What the chain had against it, where it is in a block and failed.
    pub refusal: Option<Refusal>,
}

/// Looks for an account's transaction in the final blocks.
///
/// # Errors
/// [`Failure`] where nothing was found out. A node that no longer has the blocks in question is
/// [`Inclusion::Unknown`].
pub async fn look_for(
    session: &Session,
    signed: &SignedCall,
    account: &AccountId32,
) -> Result<Found, Failure> {
    let at = session.now().await?;
    let head = BlockNumber(at.block_number());
    let found =
        |inclusion, refusal| Ok(Found { sighting: Sighting { as_of: head, inclusion }, refusal });
    let Some(bytes) = bytes(&signed.extrinsic) else { return found(Inclusion::Unknown, None) };
    let search = Search { session, account, nonce: signed.nonce };
    match search.passed_at(at.block_hash()).await? {
        None => return found(Inclusion::Unknown, None),
        Some(false) => return found(Inclusion::NotYet, None),
        Some(true) => {}
    }
    let last = head.0.min(signed.death.0.saturating_sub(1));
    // Had the nonce passed before the transaction was signed, or after its death, it was by another.
    let block = match search.first_passed(signed.birth.0, last).await? {
        Place::In(block) => block,
        Place::Elsewhere => return found(Inclusion::Overtaken, None),
        Place::Unreadable => return found(Inclusion::Unknown, None),
    };
    let block = BlockNumber(block);
    let Some(hash) = session.block_hash(block).await? else {
        return found(Inclusion::Unknown, None);
    };
    match receipt::ending(session, hash, &bytes).await? {
        Some(Ending::Done) => found(Inclusion::Included(block), None),
        Some(Ending::Refused(refusal)) => found(Inclusion::Failed, Some(refusal)),
        None => found(Inclusion::Overtaken, None),
    }
}

/// The bytes of `0x…`.
#[must_use]
pub fn bytes(extrinsic: &str) -> Option<Vec<u8>> {
    hex::decode(extrinsic.strip_prefix("0x")?).ok()
}

/// In which block a nonce was passed.
enum Place {
    In(u64),
    Elsewhere,
    Unreadable,
}

/// The runtime's call that tells an account's next nonce.
pub(super) const NONCE: (&str, &str) = ("AccountNonceApi", "account_nonce");

struct Search<'a> {
    session: &'a Session,
    account: &'a AccountId32,
    nonce: u64,
}

impl Search<'_> {
    /// The first of some blocks after which the nonce was used up.
    async fn first_passed(&self, from: u64, to: u64) -> Result<Place, Failure> {
        let (mut low, mut high) = (from, to);
        match self.passed(high).await? {
            None => return Ok(Place::Unreadable),
            Some(false) => return Ok(Place::Elsewhere),
            Some(true) => {}
        }
        // Both ends are looked at: the search goes on between one before and one after.
        match self.passed(low.saturating_sub(1)).await? {
            None => return Ok(Place::Unreadable),
            Some(true) => return Ok(Place::Elsewhere),
            Some(false) => {}
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.passed(middle).await? {
                None => return Ok(Place::Unreadable),
                Some(true) => high = middle,
                Some(false) => low = middle + 1,
            }
        }
        Ok(Place::In(high))
    }

    async fn passed(&self, block: u64) -> Result<Option<bool>, Failure> {
        match self.session.block_hash(BlockNumber(block)).await? {
            Some(hash) => self.passed_at(hash).await,
            None => Ok(None),
        }
    }

    /// Whether the nonce was used up after a block; none where the node no longer knows.
    async fn passed_at(&self, block: H256) -> Result<Option<bool>, Failure> {
        let rpc = self.session.rpc();
        let call = format!("{}_{}", NONCE.0, NONCE.1);
        let asked = rpc.state_call(&call, Some(&self.account.0), Some(block));
        let answer = async {
            match asked.await {
                Ok(nonce) => Ok(Some(nonce)),
                Err(Error::User(answer)) if is_forgotten(&answer.message) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let answer = self.session.bounded("an account's nonce", answer).await?;
        answer.map(|nonce| little_endian(&nonce).map(|nonce| nonce > self.nonce)).transpose()
    }
}

/// What a node says of a block whose state it has thrown away, or that it never had. Anything else
/// that it, or somebody before it, says instead of a nonce tells nothing about the block.
const FORGOTTEN: &[&str] = &["state already discarded", "unknownblock", "unknown block"];

fn is_forgotten(message: &str) -> bool {
    let message = message.to_lowercase();
    FORGOTTEN.iter().any(|words| message.contains(words))
}

/// A nonce of 4 or 8 bytes, as runtimes encode it.
fn little_endian(nonce: &[u8]) -> Result<u64, Failure> {
    match (<[u8; 4]>::try_from(nonce), <[u8; 8]>::try_from(nonce)) {
        (Ok(nonce), _) => Ok(u32::from_le_bytes(nonce).into()),
        (_, Ok(nonce)) => Ok(u64::from_le_bytes(nonce)),
        _ => Err(Failure::Garbled {
            what: "an account's nonce".into(),
            cause: format!("{} bytes", nonce.len()),
        }),
    }
}
