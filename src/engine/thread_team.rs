//! Threads that help the engine's own thread with one loop after another, some hundred a token.
//!
//! Spawning threads for each loop would cost more than the loop. A helper spins for a moment after
//! each job, because the next one is near, then sleeps. On a machine with more to do than cores, a
//! helper may not get to run: the caller therefore never waits for a helper that has not begun;
//! it does the work itself. Used by the models on the processor.

use std::any::Any;
use std::hint::spin_loop;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle, available_parallelism, yield_now};

use parking_lot::{Condvar, Mutex};

/// More threads than this share one memory bus to no gain.
const MAX_THREADS: usize = 16;
/// Some 0.1 ms: longer than what lies between two jobs of a step, far shorter than a time slice.
const SPINS: u32 = 4000;

/// In [`Shared::gate`]: whether helpers may begin. Below it the count of those within, above it
/// the number of the round.
const OPEN: u64 = 1 << 31;
const ROUND: u64 = 1 << 32;

/// What all threads do in a round.
struct Job<'a> {
    work: &'a (dyn Fn() + Sync),
}

#[derive(Default)]
struct Shared {
    /// Round, [`OPEN`] and count in one word, so that a helper enters an open round or none.
    gate: AtomicU64,
    /// The round's job, for those who have entered it.
    job: AtomicPtr<Job<'static>>,
    stop: AtomicBool,
    /// Helpers that must be woken.
    sleepers: AtomicUsize,
    asleep: Mutex<()>,
    wake: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// The caller's helpers. They end with it.
pub(super) struct ThreadTeam {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

impl ThreadTeam {
    /// So many threads with the caller's, or one for each core; fewer where the system gives no
    /// more.
    pub(super) fn with_threads(threads: Option<usize>) -> Self {
        let cores = || available_parallelism().map_or(1, usize::from);
        Self::with_helpers(threads.unwrap_or_else(cores).clamp(1, MAX_THREADS) - 1)
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

    /// Calls `work` with each number below `count`, in no certain order, on all threads.
    pub(super) fn for_each(&mut self, count: usize, work: impl Fn(usize) + Sync) {
        if count <= 1 || self.helpers.is_empty() {
            return (0..count).for_each(work);
        }
        let next = AtomicUsize::new(0);
        self.run(&|| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                work(index);
            }
        });
    }

    /// Calls `work` with each item and its index, in no certain order, on all threads.
    pub(super) fn for_each_item<T: Send>(
        &mut self,
        items: &mut [T],
        work: impl Fn(usize, &mut T) + Sync,
    ) {
        let start = Start(items.as_mut_ptr());
        self.for_each(items.len(), |index| {
            // SAFETY: `index` is below the length, and `for_each` gives it to one thread, once.
            #[expect(unsafe_code, reason = "threads get items of one slice")]
            let item = unsafe { &mut *start.get().add(index) };
            work(index, item);
        });
    }

    /// Calls `work` with each chunk of `out` and its index, in no certain order, on all threads.
    pub(super) fn for_each_chunk(
        &mut self,
        out: &mut [f32],
        chunk: usize,
        work: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        let chunk = chunk.max(1);
        let length = out.len();
        self.for_each_panel(out, length.max(1), chunk, |index, mut panel| {
            work(index, panel.row(0));
        });
    }

    /// Cuts a matrix with rows of `stride` floats into panels of `width` columns, the last one
    /// perhaps narrower, and calls `work` with each and its index, in no certain order, on all
    /// threads.
    pub(super) fn for_each_panel(
        &mut self,
        out: &mut [f32],
        stride: usize,
        width: usize,
        work: impl Fn(usize, Panel<'_>) + Sync,
    ) {
        let rows = out.len() / stride;
        let start = Start(out.as_mut_ptr());
        let count = if rows == 0 { 0 } else { stride.div_ceil(width) };
        self.for_each(count, |index| {
            let first = index * width;
            let width = width.min(stride - first);
            // SAFETY: `first` is below `stride`, and there is a row.
            #[expect(unsafe_code, reason = "threads get columns, and slices hold rows")]
            let start = unsafe { start.get().add(first) };
            work(index, Panel { start, rows, stride, width, matrix: PhantomData });
        });
    }

    /// Runs `work` on this thread and on all helpers that come in time. Returns when all that began
    /// have ended.
    fn run(&mut self, work: &(dyn Fn() + Sync)) {
        let shared = &*self.shared;
        let job = Job { work };
        shared.job.store((&raw const job).cast_mut().cast(), Ordering::Relaxed);
        // Nobody is within: the round before has ended.
        let round = shared.gate.load(Ordering::Relaxed) / ROUND;
        let offer = Offer { shared };
        shared.gate.store(round.wrapping_add(1).wrapping_mul(ROUND) | OPEN, Ordering::SeqCst);
        shared.wake_sleepers();
        work();
        drop(offer);
        let panic = shared.panic.lock().take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for ThreadTeam {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.gate.fetch_add(ROUND, Ordering::SeqCst);
        self.shared.wake_sleepers();
        for helper in self.helpers.drain(..) {
            // A helper catches what its jobs throw.
            let _ = helper.join();
        }
    }
}

/// Some columns of a matrix, which one thread has to itself.
pub(super) struct Panel<'a> {
    start: *mut f32,
    rows: usize,
    stride: usize,
    width: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

impl<'a> Panel<'a> {
    /// All columns of a matrix with rows of `stride` floats.
    pub(super) fn whole(matrix: &'a mut [f32], stride: usize) -> Self {
        let rows = matrix.len() / stride;
        Self { start: matrix.as_mut_ptr(), rows, stride, width: stride, matrix: PhantomData }
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The panel's part of a row.
    pub(super) fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        // SAFETY: rows lie within the matrix, which is borrowed mutably for as long as panels are
        // at large; panels share no column, and `&mut self` lets one row out at a time.
        #[expect(unsafe_code, reason = "columns of a matrix are no slice")]
        unsafe {
            std::slice::from_raw_parts_mut(self.start.add(row * self.stride), self.width)
        }
    }
}

/// Where a slice begins whose parts are dealt out.
struct Start<T>(*mut T);

// SAFETY: only disjoint parts are reached through it, each by one thread.
#[expect(unsafe_code, reason = "threads get parts of what one slice holds")]
unsafe impl<T: Send> Sync for Start<T> {}

impl<T> Start<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// An open round; its end closes it and waits for those within.
struct Offer<'a> {
    shared: &'a Shared,
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        let gate = &self.shared.gate;
        gate.fetch_and(!OPEN, Ordering::AcqRel);
        let is_empty = || gate.load(Ordering::Acquire) & (OPEN - 1) == 0;
        while !spin_until(is_empty) {
            yield_now();
        }
    }
}

impl Shared {
    fn wake_sleepers(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            // Whoever counted itself holds the lock until it sleeps.
            let _awake = self.asleep.lock();
            self.wake.notify_all();
        }
    }

    /// Waits for another round than `seen`; spins, then sleeps.
    fn wait_for_round(&self, seen: u64) -> u64 {
        let round = || self.gate.load(Ordering::SeqCst) / ROUND;
        if !spin_until(|| round() != seen) {
            let mut asleep = self.asleep.lock();
            self.sleepers.fetch_add(1, Ordering::SeqCst);
            while round() == seen {
                self.wake.wait(&mut asleep);
            }
            self.sleepers.fetch_sub(1, Ordering::SeqCst);
        }
        round()
    }

    /// Whether this thread is within the round now; it must leave it again.
    fn enter(&self, round: u64) -> bool {
        let mut gate = self.gate.load(Ordering::Acquire);
        while gate / ROUND == round && gate & OPEN != 0 {
            let entered = self.gate.compare_exchange_weak(
                gate,
                gate + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match entered {
                Ok(_) => return true,
                Err(now) => gate = now,
            }
        }
        false
    }
}

fn help(shared: &Shared) {
    let mut round = 0;
    loop {
        round = shared.wait_for_round(round);
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        if !shared.enter(round) {
            continue;
        }
        // SAFETY: the job is on the stack of `run`, whose `Offer` does not let it end, by return or
        // by panic, while anybody is within the round.
        #[expect(unsafe_code, reason = "threads that live on cannot borrow from one call")]
        let job = unsafe { &*shared.job.load(Ordering::Acquire) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(job.work)) {
            *shared.panic.lock() = Some(panic);
        }
        shared.gate.fetch_sub(1, Ordering::Release);
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
    fn every_column_belongs_to_one_panel() {
        let mut team = ThreadTeam::with_helpers(3);
        let mut out = vec![0.0; 5 * 23];
        for _ in 0..100 {
            team.for_each_panel(&mut out, 23, 4, |index, mut panel| {
                assert_eq!(panel.width(), if index == 5 { 3 } else { 4 });
                for row in 0..5 {
                    panel.row(row).iter_mut().for_each(|x| *x += (row * 6 + index) as f32);
                }
            });
        }
        for (place, x) in out.iter().enumerate() {
            assert_eq!(*x, 100.0 * (place / 23 * 6 + place % 23 / 4) as f32);
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

    #[test]
    fn a_helper_that_slept_is_woken() {
        let mut team = ThreadTeam::with_helpers(1);
        let mut out = vec![0.0; 8];
        for round in 1..=20 {
            // Until the helper has slept: it counts itself.
            while team.shared.sleepers.load(Ordering::SeqCst) == 0 {
                yield_now();
            }
            team.for_each_chunk(&mut out, 1, |_, chunk| chunk[0] += 1.0);
            assert_eq!(out, [round as f32; 8]);
        }
    }
}
