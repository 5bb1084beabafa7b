//! A journal with windows: events go on to the journal, lossless; they are counted for the metrics
//! and the board; and they go to viewers, lossy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sn1_actors::ports::{Event, Journal, JournalError, Unwritten};
use tokio::sync::mpsc;

use crate::console::board::Board;
use crate::console::metrics::Metrics;

/// So many events wait for a viewer that is slow; further ones it misses.
const WINDOW: usize = 1_024;

/// A journal that others can look at. Clones are the same tap.
#[derive(Clone)]
pub struct Tap {
    journal: Arc<dyn Journal>,
    viewers: Arc<Mutex<Vec<mpsc::Sender<Arc<Event>>>>>,
    missed: Arc<AtomicU64>,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
}

impl Tap {
    /// A tap on a journal. `unix` is the time since the Unix epoch.
    #[must_use]
    pub fn on(journal: Arc<dyn Journal>, unix: fn() -> Duration) -> Self {
        let (viewers, missed) = (Arc::default(), Arc::default());
        let (board, metrics) = (Arc::new(Board::new(unix)), Arc::default());
        Self { journal, viewers, missed, board, metrics }
    }

    /// What a viewer sees from now on.
    #[must_use]
    pub fn window(&self) -> mpsc::Receiver<Arc<Event>> {
        let (viewer, window) = mpsc::channel(WINDOW);
        self.viewers.lock().push(viewer);
        window
    }

    /// How many events the viewers missed, all together.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Counts events that a viewer missed.
    pub fn miss(&self, events: u64) {
        self.missed.fetch_add(events, Ordering::Relaxed);
    }

    /// What the run came to so far.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What was counted so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Hands an event to whoever looks; one who went away is forgotten.
    fn show(&self, event: &Event) {
        let mut viewers = self.viewers.lock();
        if viewers.is_empty() {
            return;
        }
        let event = Arc::new(event.clone());
        viewers.retain(|viewer| match viewer.try_send(Arc::clone(&event)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.miss(1);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        });
    }
}

impl Journal for Tap {
    fn record(&self, event: Event) {
        self.board.observe(&event);
        self.metrics.observe(&event);
        self.show(&event);
        self.journal.record(event);
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        self.journal.ready()
    }

    fn unwritten(&self) -> Unwritten {
        self.journal.unwritten()
    }
}
