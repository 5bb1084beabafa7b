//! The newest block, final or not, and when its maker says that it was made: what this machine's clock
//! can be compared with.

use std::time::Duration;

use sn1_actors::domain::BlockNumber;
use subxt::config::substrate::H256;

use super::commit_reveal::NOW;
use super::failure::Failure;
use super::session::Session;
use super::storage;

/// The hash of the node's newest block.
///
/// # Errors
/// [`Failure`] of the connection, or where the node has none.
pub async fn newest(session: &Session) -> Result<H256, Failure> {
    let rpc = session.rpc();
    let hash = session.bounded("the newest block", rpc.chain_get_block_hash(None)).await?;
    hash.ok_or_else(|| Failure::Garbled {
        what: "the newest block".to_owned(),
        cause: "the node has none".to_owned(),
    })
}

/// The number of a block, and the time in it (`Timestamp.Now`, since the Unix epoch): what its maker's
/// clock said when it began.
///
/// # Errors
/// [`Failure`] of the connection, or where the block does not say.
pub async fn made_at(session: &Session, hash: H256) -> Result<(BlockNumber, Duration), Failure> {
    let at = session.at(hash).await?;
    let millis: Option<u64> = storage::elsewhere(session, &at, NOW, vec![]).await?;
    let millis = millis.filter(|millis| *millis > 0).ok_or_else(|| Failure::Garbled {
        what: format!("{}.{}", NOW.0, NOW.1),
        cause: "there is no time in the block".to_owned(),
    })?;
    Ok((BlockNumber(at.block_number()), Duration::from_millis(millis)))
}
