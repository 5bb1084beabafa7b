//! When the next weight setting is due, and the next try to reveal a commit.

use crate::domain::BlockNumber;
use crate::ports::ChainError;

use super::{SetError, WeightsOnChain};

/// A node that tells of a longer wait is asked again after so many blocks: it may be wrong, and the
/// chain's rules may have changed.
const LONGEST_WAIT: u64 = 100;

/// How long to wait if the node tells to wait so many blocks.
fn told(wait: u64) -> u64 {
    wait.clamp(1, LONGEST_WAIT)
}

/// The block of the next try after an outcome seen at block `now`, with a setting every
/// `epoch_blocks`; none where the outcome changes nothing.
pub(super) fn due_after(
    outcome: &Result<WeightsOnChain, SetError>,
    now: BlockNumber,
    epoch_blocks: u64,
) -> Option<BlockNumber> {
    let epoch_blocks = epoch_blocks.max(1);
    let (from, wait) = match outcome {
        Ok(set) => (set.block, epoch_blocks),
        // Looked at again well before an epoch has passed, but not in every block.
        Err(SetError::NothingEarned | SetError::TooEarly(_)) => (now, epoch_blocks.div_ceil(10)),
        Err(SetError::Skipped(_)) => return None,
        Err(SetError::NotKept(_)) => (now, 1),
        Err(SetError::Chain(error)) => match error {
            ChainError::TooSoon { wait } => (now, told(*wait)),
            ChainError::Unreachable(_) | ChainError::Outdated(_) => (now, 1),
            ChainError::NotRegistered(_)
            | ChainError::NoPermit(_)
            | ChainError::TooLate(_)
            | ChainError::Refused(_) => (now, epoch_blocks),
        },
    };
    Some(BlockNumber(from.0.saturating_add(wait)))
}

/// The block of the next try to reveal a commit after an outcome seen at block `now`; none where
/// the commit is done with. Only the chain can say that: its window ends the tries, with
/// [`ChainError::TooLate`].
pub(super) fn reveal_after(
    outcome: &Result<BlockNumber, ChainError>,
    now: BlockNumber,
    epoch_blocks: u64,
) -> Option<BlockNumber> {
    let wait = match outcome {
        Ok(_) | Err(ChainError::TooLate(_) | ChainError::NotRegistered(_)) => return None,
        Err(ChainError::TooSoon { wait }) => told(*wait),
        Err(ChainError::Unreachable(_) | ChainError::Outdated(_)) => 1,
        // Stake or a runtime upgrade may mend it while the window is open.
        Err(ChainError::NoPermit(_) | ChainError::Refused(_)) => epoch_blocks.max(1).div_ceil(10),
    };
    Some(BlockNumber(now.0.saturating_add(wait)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_wait() {
        let set = WeightsOnChain { block: BlockNumber(98), uids: Vec::new(), values: Vec::new() };
        let chain = |error| Err(SetError::Chain(error));
        for (outcome, due) in [
            (Ok(set), Some(198)),
            (Err(SetError::NothingEarned), Some(110)),
            (Err(SetError::Skipped("tried")), None),
            (chain(ChainError::TooSoon { wait: 7 }), Some(107)),
            (chain(ChainError::TooSoon { wait: 0 }), Some(101)),
            (chain(ChainError::TooSoon { wait: u64::MAX }), Some(200)),
            (chain(ChainError::Unreachable("down".into())), Some(101)),
            (chain(ChainError::Outdated("era".into())), Some(101)),
            (chain(ChainError::Refused("rule".into())), Some(200)),
        ] {
            let found = due_after(&outcome, BlockNumber(100), 100);
            assert_eq!(found, due.map(BlockNumber), "{outcome:?}");
        }
    }

    #[test]
    fn a_reveal_is_tried_until_the_chain_says_that_it_is_over() {
        let key = crate::testkit::hotkey(1);
        for (outcome, due) in [
            (Ok(BlockNumber(99)), None),
            (Err(ChainError::TooLate("over".into())), None),
            (Err(ChainError::NotRegistered(key.clone())), None),
            (Err(ChainError::NoPermit(key)), Some(120)),
            (Err(ChainError::Refused("rule".into())), Some(120)),
            (Err(ChainError::TooSoon { wait: 7 }), Some(107)),
            (Err(ChainError::TooSoon { wait: 0 }), Some(101)),
            (Err(ChainError::TooSoon { wait: u64::MAX }), Some(200)),
            (Err(ChainError::Unreachable("down".into())), Some(101)),
            (Err(ChainError::Outdated("era".into())), Some(101)),
        ] {
            let found = reveal_after(&outcome, BlockNumber(100), 200);
            assert_eq!(found, due.map(BlockNumber), "{outcome:?}");
        }
    }
}
