//! Work that is nobody's handler: it outlives the restart of whoever began it.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tracing::Instrument;

use super::kill_switch::KillSwitch;

/// Starts tasks on this thread and watches them: a panic is logged and counted, the kill switch
/// ends them. Clones count together.
#[derive(Clone)]
pub struct Tasks {
    kill: KillSwitch,
    counts: Rc<Counts>,
    computing: Arc<Semaphore>,
}

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    panicked: AtomicU64,
}

struct Running(Rc<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tasks {
    /// Tasks that end with `kill`.
    #[must_use]
    pub fn new(kill: KillSwitch) -> Self {
        Self { kill, counts: Rc::default(), computing: Arc::new(Semaphore::new(processors())) }
    }

    /// Starts a task in the current tracing span.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + 'static) {
        self.counts.running.fetch_add(1, Ordering::Relaxed);
        let running = Running(Rc::clone(&self.counts));
        let kill = self.kill.clone();
        let counts = Rc::clone(&self.counts);
        let watched = async move {
            let _running = running;
            tokio::select! {
                biased;
                () = kill.dead() => {}
                ended = AssertUnwindSafe(work).catch_unwind() => if let Err(panic) = ended {
                    counts.panicked.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(task = name, cause = %panic_text(panic.as_ref()), "task panicked");
                },
            }
        };
        tokio::task::spawn_local(watched.in_current_span());
    }

    /// Computes something on another thread, since whatever takes this one's time holds up all
    /// actors. None if it panics, which is logged and counted. What has begun runs to its end even
    /// if nobody waits any more, so it has to be bounded.
    pub async fn compute<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.computing).acquire_owned().await.ok()?;
        let computing = move || {
            let _turn = turn;
            work()
        };
        let done = tokio::task::spawn_blocking(computing).await;
        let panic = done.map_err(JoinError::try_into_panic);
        match panic {
            Ok(value) => Some(value),
            // The runtime is going down.
            Err(Err(_)) => None,
            Err(Ok(panic)) => {
                self.counts.panicked.fetch_add(1, Ordering::Relaxed);
                tracing::error!(task = name, cause = %panic_text(panic.as_ref()), "task panicked");
                None
            }
        }
    }

    /// How many are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.counts.running.load(Ordering::Relaxed)
    }

    /// How many have panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.counts.panicked.load(Ordering::Relaxed)
    }
}

/// How many computations run at a time: more than there are processors only wait for each other.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What a panic said, as far as it can be known.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a message".to_owned(),
    }
}
