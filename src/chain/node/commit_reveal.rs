//! Commit-reveal: how a subnet takes weights, and when a commit is to be revealed (chain.md §2).

use std::time::Duration;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use sn1_actors::domain::{BlockNumber, Netuid};
use sn1_actors::ports::{ChainError, WeightsCall};
use subxt::dynamic::Value;
use subxt::ext::codec::Encode;
use subxt::utils::H256;

use super::block_time::block_time;
use super::epoch::Schedule;
use super::failure::Failure;
use super::session::{At, Session};
use super::storage;
use super::timelock::{self, Head};

pub(super) const COMMITS: &str = "WeightCommits";
/// The chain's time, an item of another pallet.
pub(super) const NOW: (&str, &str) = ("Timestamp", "Now");

/// What a commit says: the hash of the hotkey, the call and a salt (version 2).
#[must_use]
pub fn commit_hash(hotkey: [u8; 32], call: &WeightsCall, salt: &[u16]) -> [u8; 32] {
    let uids: Vec<u16> = call.uids.iter().map(|uid| uid.0).collect();
    let preimage = (hotkey, call.netuid.0, uids, &call.values, salt, call.version_key).encode();
    Blake2b::<U32>::digest(preimage).into()
}

/// When a commit can be revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// From the next block on.
    Open,
    /// After so many more blocks.
    Opens(u64),
    /// Never again.
    Closed,
}

/// The window of a commit of an epoch, as of a block: the next block is the first that can have the
/// reveal.
#[must_use]
pub fn window(schedule: &Schedule, epoch: u64, period: u64, head: BlockNumber) -> Window {
    let next = BlockNumber(head.0.saturating_add(1));
    let (now, then) = (schedule.epoch(next), epoch.saturating_add(period));
    match now.cmp(&then) {
        std::cmp::Ordering::Less => {
            Window::Opens(schedule.start(then).0.saturating_sub(next.0).max(1))
        }
        std::cmp::Ordering::Equal => Window::Open,
        std::cmp::Ordering::Greater => Window::Closed,
    }
}

/// The epoch of a commit that waits on chain to be revealed; none where it does not.
///
/// # Errors
/// [`Failure`].
pub async fn committed_epoch(
    session: &Session,
    at: &At,
    schedule: &Schedule,
    hotkey: [u8; 32],
    netuid: Netuid,
    hash: [u8; 32],
) -> Result<Option<u64>, Failure> {
    let keys = vec![storage::number(netuid.0), Value::from_bytes(hotkey)];
    // An entry is a hash, its block or (where epochs are counted) its epoch, and two more numbers.
    let commits: Option<Vec<(H256, u64, u64, u64)>> =
        storage::value(session, at, COMMITS, keys).await?;
    let ours = commits.unwrap_or_default().into_iter().find(|(other, ..)| other.0 == hash);
    Ok(ours.map(|(_, when, ..)| match schedule {
        Schedule::Fixed { .. } => schedule.epoch(BlockNumber(when)),
        Schedule::Counted { .. } => when,
    }))
}

/// The round of drand for which weights are encrypted whose commit is in the next block. Time is the
/// chain's own, not this machine's.
///
/// # Errors
/// [`ChainError::Refused`] where they would never be revealed, and those of the connection.
pub async fn reveal_round(
    session: &Session,
    at: &At,
    schedule: &Schedule,
    period: u64,
) -> Result<u64, ChainError> {
    let now: Option<u64> = storage::elsewhere(session, at, NOW, vec![]).await?;
    let Some(now) = now.filter(|now| *now > 0) else {
        let cause = "the chain does not say what time it is".into();
        return Err(Failure::Garbled { what: format!("{}.{}", NOW.0, NOW.1), cause }.into());
    };
    let head = Head { block: BlockNumber(at.block_number()), made_at: Duration::from_millis(now) };
    timelock::reveal_round(schedule, head, period, block_time(at))
        .map_err(|error| ChainError::Refused(error.to_string()))
}

#[cfg(test)]
mod tests;
