//! A thread of its own for an engine: it blocks while it computes, and a CUDA context belongs to
//! the thread that made it.
//!
//! The engine is built on that thread, and built anew there after a panic or a recoverable error,
//! within a budget: one that needs it more often is as good as lost. ModelWorker sends it one piece
//! of work at a time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::ports::{Device, DeviceDone, DeviceWork, EngineError, Step, StepEngine};

/// The engine is built anew so often at most within [`REBUILD_WINDOW`].
const REBUILDS: usize = 6;

/// The window, in pieces of work: time says nothing of an engine that had nothing to do.
const REBUILD_WINDOW: u64 = 2_000;

type Build = Box<dyn FnMut() -> Result<Box<dyn StepEngine>, String> + Send>;

struct Command {
    work: DeviceWork,
    done: oneshot::Sender<Result<DeviceDone, EngineError>>,
}

/// The handle of a device thread; the thread ends when the handle is dropped.
pub struct DeviceThread {
    commands: mpsc::Sender<Command>,
}

/// The thread or its engine could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine on thread `{thread}` did not start: {cause}")]
pub struct StartError {
    /// The thread's name.
    pub thread: String,
    /// What went wrong.
    pub cause: String,
}

impl DeviceThread {
    /// Starts a thread of that name and builds the engine on it; resolves when it is built.
    ///
    /// # Errors
    /// [`StartError`] with what the engine said.
    pub async fn start(name: &str, build: Build) -> Result<Self, StartError> {
        let failed = |cause: String| StartError { thread: name.to_owned(), cause };
        let (commands, inbox) = mpsc::channel();
        let (ready, built) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread
            .spawn(move || Worker::new(build).serve(&inbox, ready))
            .map_err(|cause| failed(cause.to_string()))?;
        match built.await {
            Ok(Ok(())) => Ok(Self { commands }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(failed("the thread ended".into())),
        }
    }
}

impl Device for DeviceThread {
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>> {
        let (done, result) = oneshot::channel();
        let sent = self.commands.send(Command { work, done });
        Box::pin(async move {
            let lost = || EngineError::Poisoned("the device thread is gone".into());
            sent.map_err(|_| lost())?;
            result.await.map_err(|_| lost())?
        })
    }
}

struct Worker {
    build: Build,
    engine: Option<Box<dyn StepEngine>>,
    /// Pieces of work so far.
    works: u64,
    /// At which of them the engine was built anew, within the window.
    rebuilds: VecDeque<u64>,
}

impl Worker {
    fn new(build: Build) -> Self {
        Self { build, engine: None, works: 0, rebuilds: VecDeque::new() }
    }

    fn serve(
        mut self,
        inbox: &mpsc::Receiver<Command>,
        ready: oneshot::Sender<Result<(), String>>,
    ) {
        let built = self.build();
        let failed = built.is_err();
        let _ = ready.send(built);
        if failed {
            return;
        }
        while let Ok(Command { work, done }) = inbox.recv() {
            // Work that nobody waits for is not begun; forgetting sequences is always due.
            let wanted = !done.is_closed() || matches!(work, DeviceWork::Step(_));
            if wanted {
                let _ = done.send(self.run(work));
            }
        }
    }

    fn rebuild(&mut self) -> Result<(), String> {
        let begin = self.works.saturating_sub(REBUILD_WINDOW);
        self.rebuilds.retain(|at| *at >= begin);
        if self.rebuilds.len() >= REBUILDS {
            return Err(format!("it failed {} times in a short while", REBUILDS + 1));
        }
        self.rebuilds.push_back(self.works);
        self.build()
    }

    fn build(&mut self) -> Result<(), String> {
        self.engine = None;
        let built = catch_unwind(AssertUnwindSafe(|| (self.build)()));
        self.engine = Some(built.map_err(|_| "it panicked while it was built".to_owned())??);
        Ok(())
    }

    fn run(&mut self, work: DeviceWork) -> Result<DeviceDone, EngineError> {
        self.works += 1;
        if self.engine.is_none() {
            self.rebuild().map_err(EngineError::Poisoned)?;
        }
        let Some(engine) = self.engine.as_mut() else {
            return Err(EngineError::Poisoned("there is no engine".into()));
        };
        let ran = catch_unwind(AssertUnwindSafe(|| run_on(engine.as_mut(), work)));
        let ran = ran.unwrap_or_else(|_| Err(EngineError::Recoverable("it panicked".into())));
        if matches!(ran, Err(EngineError::Recoverable(_))) {
            self.engine = None;
        }
        ran
    }
}

/// Has an engine do one unit of work.
pub(super) fn run_on(
    engine: &mut dyn StepEngine,
    work: DeviceWork,
) -> Result<DeviceDone, EngineError> {
    match work {
        DeviceWork::Step(Step { released, placed, rows }) => {
            released.into_iter().for_each(|sequence| engine.release(sequence));
            for placement in placed {
                engine.place(placement)?;
            }
            engine.step(&rows).map(DeviceDone::Logits)
        }
        DeviceWork::Embed { texts } => engine.embed(&texts).map(DeviceDone::Embeddings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Placement, Row, SequenceId};

    /// Fails as its first token says: 1 panics, 2 recovers, 3 is the request's fault.
    struct Faulty {
        steps: f32,
    }

    impl StepEngine for Faulty {
        fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
            self.steps += 1.0;
            match rows[0].token {
                1 => panic!("as told"),
                2 => Err(EngineError::Recoverable("as told".into())),
                3 => Err(EngineError::Request("as told".into())),
                _ => Ok(vec![vec![self.steps]]),
            }
        }
        fn place(&mut self, _: Placement) -> Result<(), EngineError> {
            Ok(())
        }
        fn release(&mut self, _: SequenceId) {}
        fn embed(&mut self, _: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
            Ok(Vec::new())
        }
    }

    fn work(token: u32) -> DeviceWork {
        let row = Row { sequence: SequenceId(0), position: 0, token, wants_logits: true };
        DeviceWork::Step(Step { rows: vec![row], ..Step::default() })
    }

    #[tokio::test]
    async fn builds_its_engine_anew_after_a_panic_and_after_a_recoverable_error_only() {
        let build: Build = Box::new(|| Ok(Box::new(Faulty { steps: 0.0 })));
        let device = DeviceThread::start("test", build).await.unwrap();
        let steps = |done| match done {
            Ok(DeviceDone::Logits(logits)) => logits[0][0],
            other => panic!("{other:?}"),
        };
        assert_eq!(steps(device.run(work(0)).await), 1.0);
        for (fault, next) in [(3, 3.0), (1, 1.0), (2, 1.0)] {
            assert!(device.run(work(fault)).await.is_err());
            assert_eq!(steps(device.run(work(0)).await), next, "after fault {fault}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_fails_too_often_is_lost_and_one_that_fails_now_and_then_is_not() {
        let build = || -> Build { Box::new(|| Ok(Box::new(Faulty { steps: 0.0 }))) };
        let device = DeviceThread::start("test", build()).await.unwrap();
        for fault in 0..=REBUILDS {
            let failed = device.run(work(2)).await;
            assert!(matches!(failed, Err(EngineError::Recoverable(_))), "{fault}: {failed:?}");
        }
        let lost = device.run(work(0)).await;
        assert!(matches!(lost, Err(EngineError::Poisoned(_))), "{lost:?}");

        let device = DeviceThread::start("test", build()).await.unwrap();
        for _ in 0..2 * REBUILDS {
            device.run(work(1)).await.unwrap_err();
            for _ in 0..REBUILD_WINDOW / REBUILDS as u64 {
                device.run(work(0)).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn says_why_its_engine_could_not_be_built() {
        let build: Build = Box::new(|| Err("no such file".into()));
        let error = DeviceThread::start("test", build).await.err().unwrap();
        assert!(error.to_string().contains("no such file"), "{error}");
        let build: Build = Box::new(|| panic!("broken"));
        assert!(DeviceThread::start("test", build).await.is_err());
    }
}
