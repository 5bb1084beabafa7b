//! For which round of drand weights are encrypted: one that is out three blocks into the epoch in
//! which the chain reveals them.
//!
//! Earlier, and others could read and copy the weights before they count; later, and the chain would
//! miss the epoch, after which it drops them. It tries in every block of that epoch, so that a few
//! blocks too late are no harm. The figures are those of the Python package `bittensor-drand`.

use std::time::Duration;

use sn1_actors::domain::BlockNumber;

use super::TimelockError;
use crate::chain::node::epoch::Schedule;

/// When quicknet's round 1 came out, in seconds since 1970.
const QUICKNET_GENESIS: u64 = 1_692_803_367;
/// A round of quicknet every so many seconds.
const QUICKNET_PERIOD: u64 = 3;
/// Blocks into the epoch of the reveal at which the round is out: the chain has to fetch it.
const MARGIN: u64 = 3;
/// Nothing is revealed later than this, in blocks: a hundred periods, the most that the chain allows
/// (`MAX_COMMIT_REVEAL_PEROIDS`), of the longest epoch that a tempo can say.
const FURTHEST: u64 = 100 * 65_536;

/// A block, and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub block: BlockNumber,
    /// The time that it says (`Timestamp.Now`), since 1970.
    pub made_at: Duration,
}

/// The round of drand quicknet for weights whose commit is in the block after `head`.
///
/// `period` is the subnet's `RevealPeriodEpochs`, and `block_time` what a block takes (12 s on the
/// main network). A commit that is included in a later epoch than that block's is revealed later than
/// the round expects, and can be read for so long.
///
/// # Errors
/// [`TimelockError::NoEpochs`] where the tempo is 0, [`TimelockError::TooFar`] where the chain cannot
/// mean what the node says.
pub fn reveal_round(
    schedule: &Schedule,
    head: Head,
    period: u64,
    block_time: Duration,
) -> Result<u64, TimelockError> {
    match schedule {
        Schedule::Counted { next: None, .. }
        | Schedule::Counted { tempo: 0, .. }
        | Schedule::Fixed { tempo: 0, .. } => return Err(TimelockError::NoEpochs),
        Schedule::Counted { .. } | Schedule::Fixed { .. } => {}
    }
    let block = head.block.0;
    let included = BlockNumber(block.saturating_add(1));
    let reveal = schedule.start(schedule.epoch(included).saturating_add(period)).0;
    let blocks = reveal.saturating_sub(block);
    if blocks > FURTHEST {
        return Err(TimelockError::TooFar { block, reveal });
    }
    let wait = u32::try_from(blocks + MARGIN).map(|blocks| block_time.saturating_mul(blocks));
    let target = head.made_at.saturating_add(wait.unwrap_or(Duration::MAX));
    // The last round but one, for round 1 came out at the genesis: a period in reserve.
    Ok((target.as_secs().saturating_sub(QUICKNET_GENESIS) / QUICKNET_PERIOD).max(1))
}
