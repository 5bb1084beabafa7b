//! A conversation: a value that travels in the messages from actor to actor.
//!
//! No actor keeps a table of conversations. Whoever holds one either passes it on or ends it; if it
//! is dropped on the way (a crash, a stop), its drop gives the credit back and says so in the
//! journal. It never just vanishes.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{Span, debug_span, field};

use crate::domain::{ConversationId, Moment, Turn};
use crate::ports::{Clock, Event, Journal, Stopped};
use crate::runtime::Credit;
use crate::spans::TARGET;

/// How the conversations of a run ended so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Turns that were scored, each a step.
    pub steps: u64,
    /// The run ends after so many steps; `None` is endless.
    pub wanted: Option<u64>,
    /// Conversations that began.
    pub begun: u64,
    /// Conversations whose turns were all asked and scored.
    pub completed: u64,
    /// Ended otherwise.
    pub failed: u64,
    /// Failures since the last completion.
    pub failed_in_row: u32,
}

impl Tally {
    /// Conversations that have not ended.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.begun - (self.completed + self.failed).min(self.begun)
    }

    /// Whether another conversation would be one too many: each that is under way may still score
    /// a step.
    #[must_use]
    pub fn is_enough_under_way(&self) -> bool {
        self.wanted.is_some_and(|wanted| self.steps + self.under_way() >= wanted)
    }
}

/// What all conversations of a run share.
#[derive(Clone)]
pub struct ConversationLog {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    tally: Arc<watch::Sender<Tally>>,
    no_context: Arc<Mutex<Option<String>>>,
}

impl ConversationLog {
    /// A log without entries.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Self {
        let tally = Arc::new(watch::channel(Tally::default()).0);
        Self { journal, clock, tally, no_context: Arc::default() }
    }

    /// What the sources had to say if the last conversation to end had no context.
    #[must_use]
    pub fn no_context(&self) -> Option<String> {
        self.no_context.lock().clone()
    }

    /// Follows how conversations end.
    #[must_use]
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Ends the run after so many steps; none begins a turn that would be one too many. `Some(0)`
    /// lets the turns under way be the last.
    pub fn want(&self, steps: Option<u64>) {
        self.tally.send_modify(|tally| tally.wanted = steps);
    }

    /// Begins a conversation with the credit it needs.
    #[must_use]
    pub fn begin(&self, id: ConversationId, credit: Credit) -> Conversation {
        self.tally.send_modify(|tally| tally.begun += 1);
        let (task, ended) = (field::Empty, field::Empty);
        let span = debug_span!(target: TARGET, parent: None, "conversation", id = id.0 as i64, task, ended);
        Conversation {
            id,
            span,
            turn: Turn(0),
            began: self.clock.now(),
            log: self.clone(),
            credit: Some(credit),
        }
    }
}

/// One conversation under way.
pub struct Conversation {
    /// Which one.
    pub id: ConversationId,
    /// Its current turn.
    pub turn: Turn,
    /// When it began.
    pub began: Moment,
    /// The root of its trace, which each stage's span is a child of.
    pub span: Span,
    log: ConversationLog,
    credit: Option<Credit>,
}

impl Conversation {
    /// Counts the turn as scored.
    pub fn count_step(&self) {
        self.log.tally.send_modify(|tally| tally.steps += 1);
    }

    /// Whether another turn of it is wanted: those that are under way, this conversation's next
    /// one among them, are not too many for the run.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        let tally = self.log.tally.borrow();
        tally.wanted.is_none_or(|wanted| tally.steps + tally.under_way() <= wanted)
    }

    /// Whether any more steps of the run are wanted.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let tally = self.log.tally.borrow();
        tally.wanted.is_none_or(|wanted| tally.steps < wanted)
    }

    /// Ends it for a reason.
    pub fn end(mut self, stopped: Stopped) {
        self.close(stopped);
    }

    fn close(&mut self, stopped: Stopped) {
        let Some(credit) = self.credit.take() else { return };
        let completed = stopped == Stopped::Completed;
        self.span.record("ended", stopped.name());
        *self.log.no_context.lock() = match &stopped {
            Stopped::NoContext(cause) => Some(cause.clone()),
            _ => None,
        };
        self.log.journal.record(Event::ConversationEnded {
            conversation: self.id,
            seconds: self.log.clock.now().since(self.began).as_secs_f64(),
            stopped,
        });
        drop(credit);
        self.log.tally.send_modify(|tally| {
            if completed {
                tally.completed += 1;
                tally.failed_in_row = 0;
            } else {
                tally.failed += 1;
                tally.failed_in_row = tally.failed_in_row.saturating_add(1);
            }
        });
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.close(Stopped::Dropped);
    }
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").field("id", &self.id).field("turn", &self.turn).finish()
    }
}
