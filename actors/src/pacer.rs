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
    /// [`JournalError`] if what happens can no longer be written down.
    pub async fn run(self) -> Result<(), JournalError> {
        self.log.want(self.steps);
        let mut tally = self.log.tally();
        let mut next = 0;
        loop {
            let credit = self.credits.take().await;
            self.journal.ready().await?;
            let seen = *tally.borrow_and_update();
            if let Some(pause) = pause_after(seen.failed_in_row) {
                self.clock.sleep(pause).await;
            }
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
}
