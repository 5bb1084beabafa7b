//! When a subnet's epochs begin, and how the chain numbers them (chain.md §2, "Epoch schedule").

use sn1_actors::domain::{BlockNumber, Netuid};

use super::failure::Failure;
use super::session::{At, Session};
use super::storage;

pub(super) const API: &str = "SubnetInfoRuntimeApi";
pub(super) const NEXT_START: &str = "get_next_epoch_start_block";
pub(super) const TEMPO: &str = "Tempo";
pub(super) const INDEX: &str = "SubnetEpochIndex";

/// A subnet's schedule as of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// An epoch begins at every block of which `(block + netuid + 1)` is a multiple of `tempo + 1`,
    /// and that quotient is its number.
    Fixed {
        /// Which subnet: their epochs begin at different blocks.
        netuid: Netuid,
        /// Blocks in an epoch, less one.
        tempo: u64,
    },
    /// The chain counts epochs as they begin: every `tempo` blocks, unless the subnet's owner
    /// triggers one or too many fall due in one block.
    Counted {
        /// The number of the epoch under way.
        epoch: u64,
        /// Where the next one is to begin; none where the subnet has no epochs.
        next: Option<BlockNumber>,
        /// Blocks in an epoch.
        tempo: u64,
    },
}

impl Schedule {
    /// The schedule as of a block.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn read(session: &Session, at: &At, netuid: Netuid) -> Result<Self, Failure> {
        let key = || vec![storage::number(netuid.0)];
        let tempo: u64 = storage::needed(session, at, TEMPO, key()).await?;
        let api = at.metadata_ref().runtime_api_trait_by_name(API);
        if api.is_none_or(|api| api.method_by_name(NEXT_START).is_none()) {
            return Ok(Self::Fixed { netuid, tempo });
        }
        let call = subxt::dynamic::runtime_api_call::<_, Option<u64>>(API, NEXT_START, key());
        let next = session.bounded("the next epoch", at.runtime_apis().call(call)).await?;
        // One that is overdue begins with the next block at the earliest.
        let earliest = at.block_number().saturating_add(1);
        let epoch = storage::needed(session, at, INDEX, key()).await?;
        let next = next.map(|next| BlockNumber(next.max(earliest)));
        Ok(Self::Counted { epoch, next, tempo })
    }

    /// The first block of the first epoch that begins after this block.
    #[must_use]
    pub fn next_after(&self, block: BlockNumber) -> BlockNumber {
        match self {
            // A subnet without epochs: there is nothing to wait for.
            Self::Counted { next: None, .. } => BlockNumber(block.0.saturating_add(1)),
            Self::Fixed { .. } | Self::Counted { .. } => {
                self.start(self.epoch(block).saturating_add(1))
            }
        }
    }

    /// The number of the epoch that a block belongs to. Where epochs are counted, right for the
    /// blocks from the one on as of which the schedule was read.
    #[must_use]
    pub fn epoch(&self, block: BlockNumber) -> u64 {
        match self {
            Self::Fixed { netuid, tempo } => {
                let shifted = block.0.saturating_add(u64::from(netuid.0)).saturating_add(1);
                shifted / tempo.saturating_add(1)
            }
            Self::Counted { epoch, next: Some(next), tempo } if block >= *next => {
                let since = block.0.saturating_sub(next.0) / (*tempo).max(1);
                epoch.saturating_add(1).saturating_add(since)
            }
            Self::Counted { epoch, .. } => *epoch,
        }
    }

    /// The first block of an epoch; where epochs are counted, of one that is yet to begin.
    #[must_use]
    pub fn start(&self, number: u64) -> BlockNumber {
        match self {
            Self::Fixed { netuid, tempo } => {
                let shifted = number.saturating_mul(tempo.saturating_add(1));
                BlockNumber(shifted.saturating_sub(u64::from(netuid.0)).saturating_sub(1))
            }
            Self::Counted { epoch, next: Some(next), tempo } => {
                let further = number.saturating_sub(*epoch).saturating_sub(1);
                BlockNumber(next.0.saturating_add(further.saturating_mul(*tempo)))
            }
            Self::Counted { next: None, .. } => BlockNumber(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: Schedule = Schedule::Fixed { netuid: Netuid(1), tempo: 10 };
    const COUNTED: Schedule =
        Schedule::Counted { epoch: 40, next: Some(BlockNumber(1_000)), tempo: 360 };

    #[test]
    fn a_fixed_epoch_begins_where_block_netuid_and_one_are_a_multiple_of_tempo_and_one() {
        let starts =
            (0..60).map(BlockNumber).filter(|block| FIXED.start(FIXED.epoch(*block)) == *block);
        let starts: Vec<u64> = starts.map(|block| block.0).collect();
        assert_eq!(starts, [0, 9, 20, 31, 42, 53]);
        for (block, next) in [(8, 9), (9, 20), (19, 20), (20, 31)] {
            assert_eq!(FIXED.next_after(BlockNumber(block)), BlockNumber(next), "{block}");
        }
    }

    #[test]
    fn counted_epochs_go_on_from_the_one_under_way() {
        for (block, epoch, next) in [
            (990, 40, 1_000),
            (999, 40, 1_000),
            (1_000, 41, 1_360),
            (1_359, 41, 1_360),
            (1_360, 42, 1_720),
        ] {
            assert_eq!(COUNTED.epoch(BlockNumber(block)), epoch, "{block}");
            assert_eq!(COUNTED.next_after(BlockNumber(block)), BlockNumber(next), "{block}");
        }
        assert_eq!(COUNTED.start(43), BlockNumber(1_720));
    }

    #[test]
    fn a_subnet_without_epochs_makes_nobody_wait() {
        let idle = Schedule::Counted { epoch: 7, next: None, tempo: 0 };
        assert_eq!(idle.next_after(BlockNumber(99)), BlockNumber(100));
        assert_eq!(idle.epoch(BlockNumber(5_000)), 7);
    }
}
