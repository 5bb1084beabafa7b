//! Where actors are tested: one thread, virtual time, nothing left behind.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::LocalSet;

use crate::ports::{Clock, TokioClock};
use crate::runtime::{Failpoints, Overseer};

use super::fakes::MemoryJournal;

/// A stage for one test. Clones are the same stage.
#[derive(Clone)]
pub struct Stage {
    /// Starts actors.
    pub overseer: Overseer,
    /// Virtual time: it jumps to the next timer when nobody has anything to do.
    pub clock: Arc<dyn Clock>,
    /// What happened.
    pub journal: Arc<MemoryJournal>,
    /// Where to crash.
    pub failpoints: Failpoints,
}

impl Stage {
    /// Plays a test and looks after it: everyone is stopped, nobody may be left.
    ///
    /// # Panics
    /// If an actor or a task is still there after the kill switch, or a credit is out.
    pub fn play<F, T>(test: F)
    where
        F: FnOnce(Self) -> T,
        T: Future<Output = ()>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without input and output can always be built");
        LocalSet::new().block_on(&runtime, async {
            let stage = Self::new();
            test(stage.clone()).await;
            stage.overseer.kill().stop();
            stage.clock.sleep(Duration::from_millis(1)).await;
            let alive = stage.overseer.roster().alive();
            assert!(alive.is_empty(), "still running after the kill switch: {alive:?}");
            let tasks = stage.overseer.tasks().running();
            assert_eq!(tasks, 0, "tasks were left after the kill switch");
            let credits = stage.overseer.credits_out();
            assert_eq!(credits, 0, "credits were out after the kill switch");
        });
    }

    fn new() -> Self {
        // Wall time begins at some day in 2024 and passes with virtual time.
        let clock: Arc<dyn Clock> =
            Arc::new(TokioClock::starting_now(|| Duration::from_secs(1_706_000_000)));
        let journal = Arc::new(MemoryJournal::default());
        let overseer = Overseer::new(Arc::clone(&clock), Arc::clone(&journal) as _);
        Self { overseer, clock, journal, failpoints: Failpoints::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "credits were out")]
    fn a_test_that_leaks_a_credit_fails() {
        Stage::play(async |stage: Stage| {
            std::mem::forget(stage.overseer.credits(1).take().await);
        });
    }
}
