//! ModelWorker alone, with the stand-in model.

use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{ChatMessage, Generation, Lane, Sampling};
use sn1_actors::model_worker::meter::ModelStats;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::model_worker::{Embed, Generate, ModelError, TextSource, generate};
use sn1_actors::ports::{Device, Tool};
use sn1_actors::testkit::{FakeTools, Stage};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{ModelParts, Shared, ToolParts, start_shared};

pub(crate) const STEP: Duration = Duration::from_millis(10);
/// Each row takes a hundredth of a step.
pub(crate) const RATE: ServiceRate =
    ServiceRate { per_step: STEP, per_row: Duration::from_micros(100) };
pub(crate) const PATIENCE: Duration = Duration::from_secs(3_600);

/// The actor and its device.
pub(crate) struct Bench {
    pub(crate) shared: Shared,
    pub(crate) device: Arc<StandInDevice>,
    pub(crate) config: SchedulerConfig,
}

impl Bench {
    pub(crate) fn start(stage: &Stage, config: SchedulerConfig) -> Self {
        let clock = Arc::clone(&stage.clock);
        let device = Arc::new(StandInDevice::of_blocks(clock, RATE, config.kv_blocks));
        let text = TextSource::Local(Arc::new(StandInCodec));
        let shared = start(stage, text, Arc::clone(&device) as _, config);
        Self { shared, device, config }
    }

    pub(crate) async fn generate(&self, request: Generate) -> Result<Generation, ModelError> {
        generate(&self.shared.generate, request, PATIENCE).await
    }

    pub(crate) async fn text(&self, prompt: &str) -> String {
        self.generate(ask(prompt)).await.expect("nothing is wrong").text
    }

    pub(crate) async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let port = &self.shared.embed;
        port.ask(Embed { texts }, port.within(PATIENCE)).await.map_err(ModelError::NoAnswer)?
    }

    pub(crate) fn stats(&self) -> ModelStats {
        self.shared.meter.snapshot()
    }

    /// Nobody is left on the device, and everything on it can be had: a request that needs every
    /// block runs.
    pub(crate) async fn assert_nothing_is_left(&self, stage: &Stage) {
        stage.clock.sleep(10 * STEP).await;
        assert_eq!(self.device.sequences(), 0, "sequences were left");
        assert_eq!((self.shared.generate.in_use(), self.shared.embed.in_use()), (0, 0));
        let positions = self.config.kv_blocks as usize * 32;
        let all = Generate::new(
            vec![ChatMessage::user("all")],
            Sampling::greedy(positions - 3),
            Lane::Validator,
        );
        self.generate(all).await.expect("every block is there");
        stage.clock.sleep(10 * STEP).await;
        assert_eq!(self.device.sequences(), 0);
    }
}

pub(crate) fn start(
    stage: &Stage,
    text: TextSource,
    device: Arc<dyn Device>,
    scheduler: SchedulerConfig,
) -> Shared {
    let tools: Arc<[Arc<dyn Tool>]> = Arc::new([Arc::new(FakeTools) as Arc<dyn Tool>]);
    let tools = ToolParts { tools, patience: PATIENCE, prefetch: Prefetch::NONE };
    let model = ModelParts { text, device, scheduler };
    start_shared(&stage.overseer, model, tools, 64, &stage.failpoints)
}

pub(crate) fn ask(prompt: &str) -> Generate {
    Generate::new(vec![ChatMessage::user(prompt)], Sampling::greedy(200), Lane::Validator)
}

/// A prompt of some length that differs from those of other numbers in its last words.
pub(crate) fn prompt(n: usize) -> String {
    let common = "Read this with care before you say anything at all about green or black tea. ";
    format!(
        "{} Question {n}: how is tea number {n} picked, dried, sold and drunk?",
        common.repeat(3)
    )
}
