//! When the next weight setting is due.

use crate::domain::BlockNumber;
use crate::ports::ChainError;

use super::{SetError, WeightsOnChain};

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
            ChainError::TooSoon { wait } => (now, (*wait).max(1)),
            ChainError::Unreachable(_) | ChainError::Outdated(_) => (now, 1),
            ChainError::NotRegistered(_)
            | ChainError::NoPermit(_)
            | ChainError::TooLate(_)
            | ChainError::Refused(_) => (now, epoch_blocks),
        },
    };
    Some(BlockNumber(from.0.saturating_add(wait)))
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
            (chain(ChainError::Unreachable("down".into())), Some(101)),
            (chain(ChainError::Outdated("era".into())), Some(101)),
            (chain(ChainError::Refused("rule".into())), Some(200)),
        ] {
            let found = due_after(&outcome, BlockNumber(100), 100);
            assert_eq!(found, due.map(BlockNumber), "{outcome:?}");
        }
    }
}
