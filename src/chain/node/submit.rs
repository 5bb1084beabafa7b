//! Sends a signed transaction and waits until a final block has it.

use std::convert::Infallible;
use std::time::Duration;

use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::{ChainError, Inclusion, SignedCall};
use subxt::rpcs::methods::legacy::TransactionStatus;
use subxt::utils::{AccountId32, H256};

use super::failure::Failure;
use super::pool::{self, PoolVerdict};
use super::receipt::{self, Ending};
use super::refusal::Refusal;
use super::search;
use super::session::{At, Session, shown};

/// Why a transaction did not take effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It is not known whether it will: the connection failed, or the time is up.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// As it was signed it cannot get into a block any more; whether it is in one shows by looking.
    #[error("the transaction is outdated: {0}")]
    Outdated(String),
    /// The chain refused it, in the pool or in a block.
    #[error("the chain refused the call: {0}")]
    Refused(Refusal),
}

/// Sends a transaction; resolves with the final block in which it took effect. Waits no longer than
/// `deadline` for that block.
///
/// # Errors
/// [`SubmitError`].
pub async fn submit(
    session: &Session,
    at: &At,
    signed: &SignedCall,
    account: &AccountId32,
    deadline: Duration,
) -> Result<BlockNumber, SubmitError> {
    let what = "the final block of the transaction";
    let sending = Sending { session, at, signed, account };
    let sent = tokio::time::timeout(deadline, Box::pin(sending.send()));
    sent.await.unwrap_or(Err(Failure::Late { what }.into()))
}

struct Sending<'a> {
    session: &'a Session,
    at: &'a At,
    signed: &'a SignedCall,
    account: &'a AccountId32,
}

impl Sending<'_> {
    async fn send(self) -> Result<BlockNumber, SubmitError> {
        let Some(bytes) = search::bytes(&self.signed.extrinsic) else {
            return Err(SubmitError::Outdated("its bytes are damaged".into()));
        };
        let rpc = self.session.rpc();
        let accepted =
            async { Ok::<_, Infallible>(rpc.author_submit_and_watch_extrinsic(&bytes).await) };
        let mut progress = match self.session.bounded("sending a transaction", accepted).await? {
            Ok(progress) => progress,
            Err(error) => match pool::verdict(&error, self.at.spec_version()) {
                PoolVerdict::Known => return self.look_until_final().await,
                PoolVerdict::Outdated(why) => return Err(SubmitError::Outdated(why)),
                PoolVerdict::Refused(refusal) => return Err(SubmitError::Refused(refusal)),
                PoolVerdict::Failed(failure) => return Err(failure.into()),
            },
        };
        while let Some(status) = progress.next().await {
            let status = status.map_err(|error| lost(&error.to_string()))?;
            match status {
                TransactionStatus::Finalized(block) => return self.settled(block, &bytes).await,
                TransactionStatus::Usurped(_) => {
                    let why = "another transaction with its nonce replaced it";
                    return Err(SubmitError::Outdated(why.into()));
                }
                TransactionStatus::Invalid => {
                    let why = "it is not valid any more, as after its last block";
                    return Err(SubmitError::Outdated(why.into()));
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

    async fn settled(&self, block: H256, bytes: &[u8]) -> Result<BlockNumber, SubmitError> {
        let rpc = self.session.rpc();
        let header = rpc.chain_get_header(Some(block));
        let header = self.session.bounded("a block's header", header).await?;
        let Some(header) = header else { return Err(lost("the final block is not there").into()) };
        match receipt::ending(self.session, self.at, block, bytes).await? {
            Some(Ending::Done) => Ok(BlockNumber(header.number)),
            Some(Ending::Refused(refusal)) => Err(SubmitError::Refused(refusal)),
            None => Err(lost("the final block does not have it").into()),
        }
    }

    /// An earlier copy is on its way: looks after each final block until the outcome is known.
    async fn look_until_final(&self) -> Result<BlockNumber, SubmitError> {
        let rpc = self.session.rpc();
        let heads = rpc.chain_subscribe_finalized_heads();
        let mut heads = self.session.bounded("the final blocks", heads).await?;
        loop {
            let found = search::look_for(self.session, self.signed, self.account).await?;
            match (found.sighting.inclusion, found.refusal) {
                (Inclusion::Included(block), _) => return Ok(block),
                (Inclusion::Failed, Some(refusal)) => return Err(SubmitError::Refused(refusal)),
                (Inclusion::NotYet, _) if found.sighting.as_of < self.signed.death => {}
                (Inclusion::NotYet, _) => {
                    return Err(SubmitError::Outdated("its last block has passed".into()));
                }
                (Inclusion::Overtaken, _) => {
                    let why = "another transaction has its nonce";
                    return Err(SubmitError::Outdated(why.into()));
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

impl SubmitError {
    /// The error in the port's terms, of a hotkey's call.
    pub async fn explain(
        self,
        session: &Session,
        key: &crate::wire::Keypair,
        netuid: sn1_actors::domain::Netuid,
    ) -> ChainError {
        match self {
            Self::Failure(failure) => failure.into(),
            Self::Outdated(why) => ChainError::Outdated(why),
            Self::Refused(refusal) => match session.now().await {
                Ok(at) => refusal.explain(session, &at, key, netuid).await,
                Err(failure) => failure.into(),
            },
        }
    }
}

fn lost(cause: &str) -> Failure {
    Failure::Transport { what: "waiting for the transaction's block", cause: shown(cause) }
}
