//! What fails under ModelWorker: the device, its engine, its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, poll_fn};
use sn1_actors::domain::{ChatMessage, Lane, Sampling};
use sn1_actors::model_worker::device_thread::DeviceThread;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{StandInCodec, StandInEngine};
use sn1_actors::model_worker::{Generate, ModelError, TextSource, generate};
use sn1_actors::ports::{EngineError, Placement, Row, SequenceId, StepEngine, TokioClock, Tool};
use sn1_actors::runtime::{Failpoints, FaultKind, Overseer};
use sn1_actors::testkit::{FakeTools, MemoryJournal, Stage};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{ModelParts, Shared, ToolParts, start_shared};

use super::bench::{Bench, PATIENCE, ask, prompt};

fn out_of_memory() -> EngineError {
    EngineError::Recoverable("out of memory".into())
}

#[test]
fn texts_go_on_where_they_were_when_the_engine_is_built_anew() {
    let run = |works: &[u64]| {
        let mut texts = Vec::new();
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, SchedulerConfig::default());
            for works in works {
                bench.device.fail_after(*works, out_of_memory());
            }
            let prompts: Vec<String> = (0..6).map(prompt).collect();
            texts = join_all(prompts.iter().map(|prompt| bench.generate(ask(prompt)))).await;
            assert_eq!(bench.stats().rebuilds, works.len() as u64);
            bench.assert_nothing_is_left(&stage).await;
        });
        texts.into_iter().map(|made| made.map(|made| made.text)).collect::<Vec<_>>()
    };
    let whole = run(&[]);
    assert!(whole.iter().all(Result::is_ok));
    assert_eq!(run(&[60]), whole, "nobody had just begun: all go on");
    assert_eq!(run(&[60, 30]), whole);
    let failed = run(&[1]);
    let lost = failed.iter().filter(|made| made.is_err()).count();
    assert!((1..6).contains(&lost), "whoever had just begun ends, the others go on: {failed:?}");
    for (made, expected) in failed.iter().zip(&whole) {
        assert!(made.is_err() || made == expected, "{made:?} {expected:?}");
    }
}

#[test]
fn one_that_fails_every_time_ends_after_some_tries() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, SchedulerConfig::default());
        for works in [50, 20, 20] {
            bench.device.fail_after(works, out_of_memory());
        }
        let made = bench.generate(ask(&prompt(0))).await;
        assert_eq!(made, Err(ModelError::Failed("out of memory".into())));
        assert_eq!(stage.overseer.kill().fault(), None);
        bench.text(&prompt(1)).await;
    });
}

#[test]
fn a_device_that_is_lost_ends_the_process_with_that_cause() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, SchedulerConfig::default());
        bench.device.fail_after(30, EngineError::Poisoned("an illegal address".into()));
        let made = bench.generate(ask(&prompt(0))).await;
        assert_eq!(made, Err(ModelError::Failed("an illegal address".into())));
        let fault = stage.overseer.kill().fault().expect("the switch was tripped");
        assert_eq!(fault.kind, FaultKind::DeviceLost);
    });
}

/// The stand-in with faults: it panics at a token `!`, and is out of memory at a `#`.
struct Faulty(StandInEngine);

impl StepEngine for Faulty {
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        for row in rows {
            assert_ne!(row.token, u32::from(b'!'), "as told");
            if row.token == u32::from(b'#') {
                return Err(out_of_memory());
            }
        }
        self.0.step(rows)
    }
    fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        self.0.place(placement)
    }
    fn release(&mut self, sequence: SequenceId) {
        self.0.release(sequence);
    }
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.0.embed(texts)
    }
}

/// Plays on real time, since a real thread does not know of virtual time.
fn on_a_real_thread(test: impl AsyncFnOnce(Overseer, Shared, Arc<AtomicU32>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without input and output can always be built");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let overseer = Overseer::new(clock, Arc::new(MemoryJournal::default()));
        let builds = Arc::new(AtomicU32::new(0));
        let built = Arc::clone(&builds);
        let config = SchedulerConfig::default();
        let build = Box::new(move || {
            built.fetch_add(1, Ordering::SeqCst);
            let engine = StandInEngine::of_blocks(config.kv_blocks);
            Ok::<_, String>(Box::new(Faulty(engine)) as Box<dyn StepEngine>)
        });
        let device = Arc::new(DeviceThread::start("test", build).await.expect("it starts"));
        let text = TextSource::Local(Arc::new(StandInCodec));
        let model = ModelParts { text, device, scheduler: config };
        let tools: Arc<[Arc<dyn Tool>]> = Arc::new([Arc::new(FakeTools) as Arc<dyn Tool>]);
        let tools = ToolParts { tools, patience: PATIENCE, prefetch: Prefetch::NONE };
        let shared = start_shared(&overseer, model, tools, 64, &Failpoints::default());
        test(overseer.clone(), shared, builds).await;
        overseer.kill().stop();
        poll_fn(|cx| {
            if overseer.roster().alive().is_empty() {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    });
}

async fn text(shared: &Shared, prompt: &str) -> Result<String, ModelError> {
    let messages = vec![ChatMessage::user(prompt)];
    let request = Generate::new(messages, Sampling::greedy(90), Lane::Miner);
    let made = generate(&shared.generate, request, Duration::from_secs(60)).await;
    made.map(|made| made.text)
}

#[test]
fn a_panic_and_an_engine_out_of_memory_fail_their_request_and_the_others_go_on() {
    on_a_real_thread(async |overseer, shared, builds| {
        let prompts: Vec<String> = (0..20).map(prompt).collect();
        let whole = join_all(prompts.iter().map(|prompt| text(&shared, prompt))).await;
        assert!(whole.iter().all(Result::is_ok), "{whole:?}");
        for (fault, cause) in [("boom!", "it panicked"), ("too # large", "out of memory")] {
            let good = join_all(prompts.iter().map(|prompt| text(&shared, prompt)));
            let (bad, good) = futures_util::future::join(text(&shared, fault), good).await;
            assert_eq!(bad, Err(ModelError::Failed(cause.into())));
            assert_eq!(good, whole, "beside {fault}");
        }
        let builds = builds.load(Ordering::SeqCst);
        assert!((3..=5).contains(&builds), "one or two for each, to find out who it was: {builds}");
        assert_eq!(overseer.kill().fault(), None);
    });
}

#[test]
fn an_engine_that_must_be_built_anew_too_often_is_a_lost_device() {
    on_a_real_thread(async |overseer, shared, builds| {
        for _ in 0..20 {
            assert!(text(&shared, "boom!").await.is_err());
            if overseer.kill().is_dead() {
                break;
            }
        }
        let fault = overseer.kill().fault().expect("the budget is spent");
        assert_eq!(fault.kind, FaultKind::DeviceLost);
        assert!(builds.load(Ordering::SeqCst) < 10);
    });
}
