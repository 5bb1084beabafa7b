//! For which round of drand weights are encrypted: the last one that is out three blocks into the
//! epoch in which the chain reveals them.
//!
//! Earlier, and others could read and copy the weights before they count; later, and the chain would
//! miss the epoch, after which it drops them. It tries in every block of that epoch, so a few blocks
//! too late are no harm. The figures are those of the Python package `bittensor-drand`.

use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Netuid};

use super::TimelockError;

/// When quicknet's round 0 would have been, in seconds since 1970: round 1 was one period later.
const QUICKNET_GENESIS: u64 = 1_692_803_367;
/// A round of quicknet every so many seconds.
const QUICKNET_PERIOD: u64 = 3;
/// Blocks into the epoch until the round is out: the chain has to fetch its signature first.
const MARGIN: u64 = 3;
/// Nothing is revealed later than this, in blocks: a hundred periods, the most that the chain allows
/// (`MAX_COMMIT_REVEAL_PEROIDS`), of the longest epoch that a tempo can say.
const FURTHEST: u64 = 100 * 65_536;

/// When a subnet has its epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochSchedule {
    /// They follow from the block numbers: an epoch begins at each block for which
    /// (block + netuid + 1) is a multiple of (tempo + 1). Until spec 422.
    Fixed {
        /// The subnet.
        netuid: Netuid,
        /// Blocks in an epoch, less one.
        tempo: u16,
    },
    /// The chain keeps account of them. From spec 424; the metadata then has
    /// `SubnetInfoRuntimeApi.get_next_epoch_start_block`.
    Kept {
        /// What that says: `LastEpochBlock` and the tempo added, or `PendingEpochAt` where that is
        /// set and sooner. A block that has passed means that the epoch is overdue.
        next_epoch: BlockNumber,
        /// Blocks in an epoch.
        tempo: u16,
    },
}

/// A block, and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number: the newest one there is.
    pub block: BlockNumber,
    /// The time in it (`Timestamp.Now`), since 1970. Where it is not known, the time now, which makes
    /// the round later by the age of the block.
    pub made_at: Duration,
}

/// The round of drand quicknet for weights whose commit is in the block after `head`.
///
/// `reveal_period` is the subnet's `RevealPeriodEpochs`, and `block_time` what a block takes (12 s on
/// the main network). A commit that is included later, in another epoch than the block after `head`,
/// is revealed an epoch later than the round expects: it can be read for that long.
///
/// # Errors
/// [`TimelockError::NoEpochs`] where the tempo is 0, [`TimelockError::TooFar`] where the chain cannot
/// mean what the node says.
pub fn reveal_round(
    head: Head,
    schedule: EpochSchedule,
    reveal_period: u64,
    block_time: Duration,
) -> Result<u64, TimelockError> {
    let block = head.block.0;
    let reveal = first_reveal_block(block, schedule, reveal_period)?;
    let blocks = reveal.saturating_add(MARGIN).saturating_sub(block);
    let wait = block_time.saturating_mul(u32::try_from(blocks).unwrap_or(u32::MAX));
    let target = head.made_at.saturating_add(wait);
    Ok((target.as_secs().saturating_sub(QUICKNET_GENESIS) / QUICKNET_PERIOD).max(1))
}

/// The first block of the epoch in which the chain reveals a commit of the block after `block`.
fn first_reveal_block(
    block: u64,
    schedule: EpochSchedule,
    reveal_period: u64,
) -> Result<u64, TimelockError> {
    let included = block.saturating_add(1);
    let (next_epoch, length) = match schedule {
        EpochSchedule::Fixed { tempo: 0, .. } | EpochSchedule::Kept { tempo: 0, .. } => {
            return Err(TimelockError::NoEpochs);
        }
        EpochSchedule::Fixed { netuid, tempo } => {
            let length = u64::from(tempo) + 1;
            let into = included.saturating_add(u64::from(netuid.0) + 1) % length;
            (included.saturating_add(length).saturating_sub(into), length)
        }
        EpochSchedule::Kept { next_epoch, tempo } => {
            let length = u64::from(tempo);
            match next_epoch.0 {
                // The epoch begins with the block that includes the commit, before it is looked at.
                due if due <= included => (included.saturating_add(length), length),
                later => (later, length),
            }
        }
    };
    let further = reveal_period.saturating_sub(1).saturating_mul(length);
    let reveal = next_epoch.saturating_add(further);
    if reveal.saturating_sub(block) > FURTHEST {
        return Err(TimelockError::TooFar { block, reveal });
    }
    Ok(reveal)
}
