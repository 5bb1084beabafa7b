//! Begins conversations: as many at once as there are credits, as many in all as are wanted.
//!
//! Back-pressure reaches the validator here and only here: a free credit and a journal that has
//! caught up are what a new conversation waits for. It is a task, not an actor: nobody sends to it.

use std::sync::Arc;
use std::time::Duration;

use crate::conversation::ConversationLog;
use crate::domain::ConversationId;
use crate::ports::{Clock, Journal, JournalError};
use crate::runtime::{Credits, Port};
use crate::task_maker::Tick;

/// What the pacer works with.
#[derive(Clone)]
pub struct Pacer {
    /// How many conversations may be under way.
    pub credits: Credits,
    /// How they ended.
    pub log: ConversationLog,
    /// It is waited for before each conversation.
    pub journal: Arc<dyn Journal>,
    /// Spaces failures out.
    pub clock: Arc<dyn Clock>,
    /// Where conversations begin.
    pub task_maker: Port<Tick>,
    /// Ends after so many steps: scored turns. `None` goes on until the kill switch.
    pub steps: Option<u64>,
}

impl Pacer {
    /// Runs until the wanted number of steps are scored and their conversations have ended.
    ///
    /// # Errors
    /// [`JournalError`] if nobody writes down what happens any more.
    pub async fn run(self) -> Result<(), JournalError> {
        self.log.want(self.steps);
        let mut tally = self.log.tally();
        let mut next = 0;
        let mut notice = Notice::default();
        loop {
            let credit = self.credits.take().await;
            self.journal.ready().await?;
            let seen = *tally.borrow_and_update();
            let pause = pause_after(seen.failed_in_row);
            match notice.about(seen.failed_in_row, pause, self.log.no_context()) {
                Some(Said::Paused(why)) => tracing::warn!("{why}"),
                Some(Said::Resumed) => tracing::info!("the sources bring contexts again"),
                None => {}
            }
            if let Some(pause) = pause {
                self.clock.sleep(pause).await;
            }
            // Turns go on being scored during a pause.
            let seen = *tally.borrow_and_update();
            if seen.is_enough_under_way() {
                drop(credit);
                if seen.under_way() == 0 {
                    return Ok(());
                }
                // One that is under way may still fail; only its end tells whether to begin another.
                let _ = tally.changed().await;
                continue;
            }
            let conversation = self.log.begin(ConversationId(next), credit);
            next += 1;
            self.task_maker.push(Tick { conversation }).await;
        }
    }
}

/// What is to be said about pauses for want of contexts: one thing when they begin, one when they
/// are over.
#[derive(Debug, Default)]
struct Notice {
    paused: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Paused(String),
    Resumed,
}

impl Notice {
    fn about(
        &mut self,
        failed_in_row: u32,
        pause: Option<Duration>,
        no_context: Option<String>,
    ) -> Option<Said> {
        match (self.paused, pause, no_context) {
            (false, Some(pause), Some(cause)) => {
                self.paused = true;
                let next = pause.as_secs();
                Some(Said::Paused(format!("paused: {cause}; next try in {next} s")))
            }
            (true, _, _) if failed_in_row == 0 => {
                self.paused = false;
                Some(Said::Resumed)
            }
            _ => None,
        }
    }
}

/// A failure that repeats is not met with haste: from the third in a row, 1 s doubling up to 60 s.
fn pause_after(failed_in_row: u32) -> Option<Duration> {
    let beyond = failed_in_row.checked_sub(3)?;
    Some(Duration::from_secs(1 << beyond.min(6)).min(Duration::from_secs(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_failures_in_a_row_and_are_bounded() {
        let seconds = |failed| pause_after(failed).map(|pause| pause.as_secs());
        assert_eq!(seconds(2), None);
        assert_eq!(seconds(3), Some(1));
        assert_eq!(seconds(5), Some(4));
        assert_eq!(seconds(1_000), Some(60));
    }

    #[test]
    fn a_pause_for_want_of_contexts_is_told_once_with_its_cause_and_so_is_its_end() {
        let mut notice = Notice::default();
        let mut about = |failed: u32, cause: Option<&str>| {
            notice.about(failed, pause_after(failed), cause.map(ToOwned::to_owned))
        };
        let down = Some("wikipedia: HTTP 503");
        assert_eq!(about(2, down), None, "it goes on still");
        assert_eq!(about(3, None), None, "it has another cause");
        let told = "paused: wikipedia: HTTP 503; next try in 2 s".to_owned();
        assert_eq!(about(4, down), Some(Said::Paused(told)));
        assert_eq!(about(5, down), None);
        assert_eq!(about(6, None), None);
        assert_eq!(about(0, None), Some(Said::Resumed));
        assert_eq!(about(0, None), None);
        assert!(matches!(about(3, down), Some(Said::Paused(_))));
    }
}
