//! Texts that a backend elsewhere writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, join, join_all, pending};
use sn1_actors::domain::{ChatMessage, FinishReason, Generation, Lane, Sampling};
use sn1_actors::model_worker::scheduler::{Refusal, SchedulerConfig};
use sn1_actors::model_worker::stand_in::StandInDevice;
use sn1_actors::model_worker::{Embed, Generate, ModelError, TextSource, generate};
use sn1_actors::ports::{Clock, Piece, TextBackend, TextError, TextRequest};
use sn1_actors::runtime::AskError;
use sn1_actors::testkit::Stage;
use sn1_actors::wiring::Shared;
use tokio::sync::mpsc;

use super::bench::{self, PATIENCE, RATE};

const TAKES: Duration = Duration::from_secs(1);
const CAPACITY: usize = 3;

/// Does what the last message says; a text takes a second.
struct FakeBackend {
    clock: Arc<dyn Clock>,
    under_way: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl TextBackend for FakeBackend {
    fn generate(
        &self,
        request: TextRequest,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        let (guard, clock) = (UnderWay(Arc::clone(&self.under_way)), Arc::clone(&self.clock));
        let order = request.messages.last().map_or("", |last| last.content.as_str()).to_owned();
        Box::pin(async move {
            let _guard = guard;
            if let Some(pieces) = pieces {
                let _ = pieces.send("half ".into()).await;
                clock.sleep(TAKES / 2).await;
                let _ = pieces.send("done".into()).await;
            }
            clock.sleep(TAKES).await;
            match order.as_str() {
                "break" => Err(TextError::Interrupted("reset by peer".into())),
                "dead" => Err(TextError::Unavailable("connection refused".into())),
                "bad" => Err(TextError::Request("no such model".into())),
                "panic" => panic!("as told"),
                "hang" => pending().await,
                _ => Ok(Generation {
                    text: "half done".into(),
                    prompt_ids: vec![1; 7],
                    generated_ids: vec![2; 5],
                    billed_tokens: None,
                    finish_reason: FinishReason::Stop,
                    queued: Duration::ZERO,
                    prefill: Duration::ZERO,
                    decode: TAKES,
                }),
            }
        })
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

struct Remote {
    shared: Shared,
    under_way: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Remote {
    fn start(stage: &Stage, queue: usize) -> Self {
        let (under_way, peak) = (Arc::default(), Arc::default());
        let backend = FakeBackend {
            clock: Arc::clone(&stage.clock),
            under_way: Arc::clone(&under_way),
            peak: Arc::clone(&peak),
        };
        let device = Arc::new(StandInDevice::new(Arc::clone(&stage.clock), RATE));
        let config = SchedulerConfig { queue, ..SchedulerConfig::default() };
        let shared = bench::start(stage, TextSource::Remote(Arc::new(backend)), device, config);
        Self { shared, under_way, peak }
    }

    async fn text(&self, request: Generate) -> Result<String, ModelError> {
        let made = generate(&self.shared.generate, request, PATIENCE).await;
        made.map(|made| made.text)
    }
}

fn order(order: &str) -> Generate {
    let lane = if order.len().is_multiple_of(2) { Lane::Validator } else { Lane::Miner };
    Generate::new(vec![ChatMessage::user(order)], Sampling::ORIGINAL, lane)
}

#[test]
fn each_failure_has_its_word_and_the_others_go_on() {
    Stage::play(async |stage: Stage| {
        let remote = Remote::start(&stage, 64);
        let orders = ["fine", "break", "dead", "bad", "panic", "fine", "fine"];
        let made = join_all(orders.map(|text| remote.text(order(text)))).await;
        let fine = Ok("half done".to_owned());
        assert_eq!(made[0], fine);
        assert_eq!(made[1], Err(ModelError::BrokeOff("reset by peer".into())));
        assert_eq!(made[2], Err(ModelError::Failed("connection refused".into())));
        assert_eq!(made[3], Err(ModelError::Request("no such model".into())));
        assert!(matches!(made[4], Err(ModelError::Failed(_))), "{:?}", made[4]);
        assert_eq!((&made[5], &made[6]), (&fine, &fine));
        assert_eq!(remote.peak.load(Ordering::SeqCst), CAPACITY, "no more at once than it takes");
        assert_eq!(remote.under_way.load(Ordering::SeqCst), 0);
        assert_eq!(remote.shared.meter.snapshot().decoded_tokens, 15);
        assert_eq!(remote.shared.generate.in_use(), 0);
    });
}

#[test]
fn pieces_are_passed_on_and_a_break_in_the_middle_is_told_apart() {
    Stage::play(async |stage: Stage| {
        let remote = Remote::start(&stage, 64);
        for (text, made) in [
            ("fine", Ok("half done".to_owned())),
            ("break", Err(ModelError::BrokeOff("reset by peer".into()))),
        ] {
            let (sender, mut reader) = mpsc::channel(4);
            let request = Generate { pieces: Some(sender), ..order(text) };
            let read = async {
                let mut shown = String::new();
                while let Some(piece) = reader.recv().await {
                    shown += &piece;
                }
                shown
            };
            assert_eq!(join(remote.text(request), read).await, (made, "half done".to_owned()));
        }
    });
}

#[test]
fn whoever_leaves_or_is_late_frees_the_backend_at_once() {
    Stage::play(async |stage: Stage| {
        let remote = Remote::start(&stage, 64);
        let port = &remote.shared.generate;
        let hang = || generate(port, order("hang"), 2 * TAKES);
        let late = Generate { deadline: Some(stage.clock.now().after(3 * TAKES)), ..order("hang") };
        let (sender, reader) = mpsc::channel(9);
        let unread = Generate { pieces: Some(sender), ..order("hang") };
        let leave = async {
            stage.clock.sleep(TAKES / 4).await;
            drop(reader);
        };
        let next = async {
            stage.clock.sleep(TAKES / 10).await;
            let made = remote.text(order("fine")).await;
            (made, stage.clock.now())
        };
        let under_way = join_all([hang(), generate(port, late, PATIENCE)]);
        let (ended, ((unread, ()), (next, at))) =
            join(under_way, join(join(remote.text(unread), leave), next)).await;
        assert_eq!(ended[0], Err(ModelError::NoAnswer(AskError::Deadline)));
        assert_eq!(ended[1], Err(ModelError::Deadline));
        assert_eq!(unread, Err(ModelError::Cancelled));
        assert!(next.is_ok() && at.0 < 2 * TAKES, "it took the first place that was free: {at:?}");
        assert_eq!(remote.under_way.load(Ordering::SeqCst), 0);
        let stats = remote.shared.meter.snapshot();
        assert_eq!((stats.cancelled, stats.expired), (2, 1));
    });
}

#[test]
fn the_queue_is_bounded_and_embeddings_stay_here() {
    Stage::play(async |stage: Stage| {
        let remote = Remote::start(&stage, 2);
        let made = join_all((0..7).map(|_| remote.text(order("fine")))).await;
        let full = Err(ModelError::Refused(Refusal::QueueFull(2)));
        let refused = made.iter().filter(|made| **made == full).count();
        assert_eq!((refused, made.len()), (2, 7), "three under way, two wait: {made:?}");
        let empty = remote.text(Generate::new(Vec::new(), Sampling::ORIGINAL, Lane::Miner)).await;
        assert_eq!(empty, Err(ModelError::Refused(Refusal::Empty)));
        let port = &remote.shared.embed;
        let embedded = port.ask(Embed { texts: vec!["tea".into()] }, port.within(PATIENCE)).await;
        assert_eq!(embedded.unwrap().unwrap().len(), 1);
    });
}
