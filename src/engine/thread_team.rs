//! Threads that help the engine's own thread with one loop after another, some hundred a token.
//!
//! Spawning threads for each loop would cost more than the loop. A helper spins for a moment after
//! each job, because the next one is near, then sleeps. On a machine with more to do than cores, a
//! helper may not get to run: the caller therefore never waits for a helper that has not begun;
//! it does the work itself. Used by the language model alone.

use std::any::Any;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, available_parallelism};

use parking_lot::{Condvar, Mutex};

/// More threads than this share one memory bus to no gain.
const MAX_THREADS: usize = 16;
/// Some 0.1 ms: longer than what lies between two jobs of a step, far shorter than a time slice.
const SPINS: u32 = 4000;

type Job<'a> = dyn Fn() + Sync + 'a;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// How many jobs were ever offered, to be looked at without the lock.
    offered: AtomicU64,
    /// How many helpers are within a job; changed under the lock, looked at without.
    running: AtomicUsize,
    offer: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    job: Option<&'static Job<'static>>,
    panic: Option<Box<dyn Any + Send>>,
    stop: bool,
}

/// The caller's helpers. They end with it.
pub(super) struct ThreadTeam {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

impl ThreadTeam {
    /// A helper for each core but the caller's; fewer where the system gives no more threads.
    pub(super) fn new() -> Self {
        let threads = available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        Self::with_helpers(threads - 1)
    }

    fn with_helpers(count: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let helpers = (0..count)
            .filter_map(|i| {
                let shared = shared.clone();
                Builder::new().name(format!("engine-{i}")).spawn(move || help(&shared)).ok()
            })
            .collect();
        Self { shared, helpers }
    }

    /// How many threads work on a job, the caller's included.
    pub(super) fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `work` with each chunk of `out` and its index, in no certain order, on all threads.
    pub(super) fn for_each_chunk(
        &mut self,
        out: &mut [f32],
        chunk: usize,
        work: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        let one = out.len() <= chunk;
        let chunks = Mutex::new(out.chunks_mut(chunk.max(1)).enumerate());
        let job = || {
            loop {
                let next = chunks.lock().next();
                let Some((index, chunk)) = next else { break };
                work(index, chunk);
            }
        };
        if one { job() } else { self.run(&job) }
    }

    /// Runs `job` on this thread and on all helpers that come in time. Returns when all that began
    /// have ended.
    fn run(&mut self, job: &Job<'_>) {
        // SAFETY: only the lifetime changes. Helpers take the reference from `state.job` and count
        // themselves into `running` under the same lock; `Offer` takes it back under that lock and
        // waits until none runs, before this call ends, by return or by panic.
        #[expect(unsafe_code, reason = "threads that live on cannot borrow from one call")]
        let offered = unsafe { std::mem::transmute::<&Job<'_>, &'static Job<'static>>(job) };
        let offer = Offer { shared: &self.shared };
        {
            // Under the lock, so that no helper goes to sleep between the two.
            let mut state = self.shared.state.lock();
            state.job = Some(offered);
            state.panic = None;
            self.shared.offered.fetch_add(1, Ordering::Release);
        }
        self.shared.offer.notify_all();
        job();
        drop(offer);
        let panic = self.shared.state.lock().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for ThreadTeam {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.offer.notify_all();
        self.shared.offered.fetch_add(1, Ordering::Release);
        for helper in self.helpers.drain(..) {
            // A helper catches what its jobs throw.
            let _ = helper.join();
        }
    }
}

/// A job that helpers may take; its end withdraws it and waits for those within.
struct Offer<'a> {
    shared: &'a Shared,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        self.shared.state.lock().job = None;
        let idle = || self.shared.running.load(Ordering::Acquire) == 0;
        if !spin_until(idle) {
            let mut state = self.shared.state.lock();
            while !idle() {
                self.shared.done.wait(&mut state);
            }
        }
    }
}

fn help(shared: &Shared) {
    let mut seen = 0;
    loop {
        spin_until(|| shared.offered.load(Ordering::Acquire) != seen);
        let mut state = shared.state.lock();
        while !state.stop && shared.offered.load(Ordering::Acquire) == seen {
            shared.offer.wait(&mut state);
        }
        if state.stop {
            return;
        }
        seen = shared.offered.load(Ordering::Acquire);
        let Some(job) = state.job else { continue };
        shared.running.fetch_add(1, Ordering::AcqRel);
        drop(state);
        let outcome = catch_unwind(AssertUnwindSafe(job));
        let mut state = shared.state.lock();
        if let Err(panic) = outcome {
            state.panic = Some(panic);
        }
        if shared.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            shared.done.notify_all();
        }
    }
}

/// Whether `ready` came true within a short while.
fn spin_until(ready: impl Fn() -> bool) -> bool {
    for _ in 0..SPINS {
        if ready() {
            return true;
        }
        spin_loop();
    }
    ready()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_worked_on_once() {
        let mut team = ThreadTeam::with_helpers(3);
        let mut out = vec![0.0; 1001];
        for round in 1..=500 {
            team.for_each_chunk(&mut out, 10, |index, chunk| {
                assert_eq!(chunk.len(), if index == 100 { 1 } else { 10 });
                chunk.iter_mut().for_each(|x| *x += 1.0);
            });
            assert!(out.iter().all(|&x| x == round as f32));
        }
    }

    #[test]
    fn works_without_helpers_and_without_chunks() {
        let mut team = ThreadTeam::with_helpers(0);
        let mut out = vec![0.0; 5];
        team.for_each_chunk(&mut out, 2, |index, chunk| chunk.fill(index as f32));
        assert_eq!(out, [0.0, 0.0, 1.0, 1.0, 2.0]);
        team.for_each_chunk(&mut [], 2, |_, _| panic!("there is no chunk"));
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_works_on() {
        let mut team = ThreadTeam::with_helpers(2);
        let mut out = vec![0.0; 64];
        for _ in 0..20 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                team.for_each_chunk(&mut out, 1, |index, _| assert_ne!(index, 40));
            }));
            assert!(outcome.is_err());
        }
        team.for_each_chunk(&mut out, 1, |_, chunk| chunk.fill(7.0));
        assert_eq!(out, [7.0; 64]);
    }
}
