//! Sends a signed transaction and waits until a final block has it.

use std::convert::Infallible;
use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Netuid};
use sn1_actors::ports::{ChainError, Inclusion, SignedCall};
use subxt::rpcs::methods::legacy::TransactionStatus;
use subxt::utils::{AccountId32, H256};

use super::calls::Payload;
use super::failure::Failure;
use super::pool::{self, PoolVerdict};
use super::receipt::{self, Ending};
use super::refusal::Refusal;
use super::search;
use super::session::{At, Session, shown};
use super::signer::{account, sign};
use crate::wire::Keypair;

/// Who sends, and by which node.
pub struct Sender<'a> {
    /// The connection.
    pub session: &'a Session,
    /// Who signs.
    pub key: &'a Keypair,
    /// Which subnet the calls are about: how long to wait for a call that comes too soon hangs on it.
    pub netuid: Netuid,
    /// How long the final block of a transaction is waited for.
    pub deadline: Duration,
}

impl Sender<'_> {
    /// Signs a call as of a block and sends it; resolves with the final block in which it took effect.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn sign_and_send(&self, at: &At, call: &Payload) -> Result<BlockNumber, ChainError> {
        let signed = sign(self.session, at, self.key, call, None).await?;
        self.send(at, &signed).await
    }

    /// Sends what was signed; resolves with the final block in which it took effect. `at` is a block
    /// of now, whose runtime says what a refusal of the node's means.
    ///
    /// # Errors
    /// [`ChainError`]; of these [`ChainError::Unreachable`] and [`ChainError::Outdated`] leave open
    /// whether it will be in a block yet.
    pub async fn send(&self, at: &At, signed: &SignedCall) -> Result<BlockNumber, ChainError> {
        let sending = Sending {
            session: self.session,
            spec: at.spec_version(),
            signed,
            account: account(self.key),
        };
        let sent = tokio::time::timeout(self.deadline, Box::pin(sending.send())).await;
        match sent.unwrap_or(Err(Trouble::Failure(Failure::Late { what: WAITING }))) {
            Ok(block) => Ok(block),
            Err(Trouble::Failure(failure)) => Err(failure.into()),
            Err(Trouble::Outdated(why)) => Err(ChainError::Outdated(why)),
            Err(Trouble::Refused(refusal)) => {
                let at = self.session.now().await?;
                Err(refusal.explain(self.session, &at, self.key, self.netuid).await)
            }
        }
    }
}

const WAITING: &str = "waiting for the transaction's final block";

/// Why a transaction did not take effect.
enum Trouble {
    /// It is not known whether it will: the connection failed, or the time is up.
    Failure(Failure),
    /// As it was signed it cannot get into a block any more; whether it is in one shows by looking.
    Outdated(String),
    /// The chain refused it, in the pool or in a block.
    Refused(Refusal),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

struct Sending<'a> {
    session: &'a Session,
    spec: u32,
    signed: &'a SignedCall,
    account: AccountId32,
}

impl Sending<'_> {
    async fn send(self) -> Result<BlockNumber, Trouble> {
        let Some(bytes) = search::bytes(&self.signed.extrinsic) else {
            return Err(Trouble::Outdated("its bytes are damaged".into()));
        };
        let rpc = self.session.rpc();
        let accepted =
            async { Ok::<_, Infallible>(rpc.author_submit_and_watch_extrinsic(&bytes).await) };
        let mut progress = match self.session.bounded("sending a transaction", accepted).await? {
            Ok(progress) => progress,
            Err(error) => match pool::verdict(&error, self.spec) {
                PoolVerdict::Known => return self.look_until_final().await,
                PoolVerdict::Outdated(why) => return Err(Trouble::Outdated(why)),
                PoolVerdict::Refused(refusal) => return Err(Trouble::Refused(refusal)),
                PoolVerdict::Failed(failure) => return Err(failure.into()),
            },
        };
        while let Some(status) = progress.next().await {
            let status = status.map_err(|error| lost(&error.to_string()))?;
            match status {
                TransactionStatus::Finalized(block) => return self.settled(block, &bytes).await,
                TransactionStatus::Usurped(_) => {
                    let why = "another transaction with its nonce replaced it";
                    return Err(Trouble::Outdated(why.into()));
                }
                TransactionStatus::Invalid => {
                    let why = "it is not valid any more, as after its last block";
                    return Err(Trouble::Outdated(why.into()));
                }
                TransactionStatus::Dropped => return Err(lost("the node's pool is full").into()),
                TransactionStatus::FinalityTimeout(_) => return self.look_until_final().await,
                TransactionStatus::Future
                | TransactionStatus::Ready
                | TransactionStatus::Broadcast(_)
                | TransactionStatus::InBlock(_)
                | TransactionStatus::Retracted(_) => {}
            }
        }
        Err(lost("the node stopped telling").into())
    }

    async fn settled(&self, block: H256, bytes: &[u8]) -> Result<BlockNumber, Trouble> {
        let rpc = self.session.rpc();
        let header = rpc.chain_get_header(Some(block));
        let header = self.session.bounded("a block's header", header).await?;
        let Some(header) = header else { return Err(lost("the final block is not there").into()) };
        match receipt::ending(self.session, block, bytes).await? {
            Some(Ending::Done) => Ok(BlockNumber(header.number)),
            Some(Ending::Refused(refusal)) => Err(Trouble::Refused(refusal)),
            None => Err(lost("the final block does not have it").into()),
        }
    }

    /// An earlier copy is on its way: looks after each final block until the outcome is known.
    async fn look_until_final(&self) -> Result<BlockNumber, Trouble> {
        let mut heads = self.session.heads().await?;
        loop {
            let found = search::look_for(self.session, self.signed, &self.account).await?;
            match (found.sighting.inclusion, found.refusal) {
                (Inclusion::Included(block), _) => return Ok(block),
                (Inclusion::Failed, Some(refusal)) => return Err(Trouble::Refused(refusal)),
                (Inclusion::NotYet, _) if found.sighting.as_of < self.signed.death => {}
                (Inclusion::NotYet, _) => {
                    return Err(Trouble::Outdated("its last block has passed".into()));
                }
                (Inclusion::Overtaken, _) => {
                    let why = "another transaction has its nonce";
                    return Err(Trouble::Outdated(why.into()));
                }
                (Inclusion::Failed | Inclusion::Unknown, _) => {
                    return Err(lost("the node no longer has the blocks in question").into());
                }
            }
            match heads.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(&error.to_string()).into()),
                None => return Err(lost("the node stopped telling").into()),
            }
        }
    }
}

fn lost(cause: &str) -> Failure {
    Failure::Transport { what: WAITING, cause: shown(cause) }
}
