//! The time from block to block: by it blocks are late, and the time of a block to come is told.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::session::At;

/// Where the runtime does not say it.
const USUAL: Duration = Duration::from_secs(12);
/// A runtime that says something else than this is not believed.
const BELIEVED: RangeInclusive<Duration> = SHORTEST..=Duration::from_secs(60);
/// No chain makes blocks faster.
pub(super) const SHORTEST: Duration = Duration::from_millis(250);

/// The constant of the runtime that says it.
pub(super) const CONSTANT: (&str, &str) = ("Timestamp", "MinimumPeriod");

/// The time from block to block: twice what the runtime's clock must advance in a block (Aura).
#[must_use]
pub fn block_time(at: &At) -> Duration {
    let (pallet, name) = CONSTANT;
    let period = at.constants().entry(subxt::constants::dynamic::<u64>(pallet, name)).ok();
    believed(period)
}

fn believed(period_millis: Option<u64>) -> Duration {
    let told = period_millis.map(|period| Duration::from_millis(period.saturating_mul(2)));
    told.filter(|told| BELIEVED.contains(told)).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::node::testkit::{FakeNode, mainnet};

    #[tokio::test]
    async fn the_runtime_says_how_long_a_block_takes() {
        let Some(metadata) = mainnet() else { return };
        let session = FakeNode::new(metadata).session().await;
        assert_eq!(block_time(&session.now().await.unwrap()), Duration::from_secs(12));
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        assert_eq!(believed(Some(500)), Duration::from_secs(1));
        for period in [None, Some(0), Some(124), Some(30_001), Some(u64::MAX)] {
            assert_eq!(believed(period), USUAL, "{period:?}");
        }
    }
}
