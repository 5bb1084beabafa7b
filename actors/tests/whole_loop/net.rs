//! A validator and its miners in one process, without sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use sn1_actors::assistant::board::AnswerBoard;
use sn1_actors::assistant::{AssistantConfig, Kind};
use sn1_actors::axon::{Admit, AxonConfig, Knock};
use sn1_actors::chain_watch::ChainWatchConfig;
use sn1_actors::conversation::Tally;
use sn1_actors::dendrite::DendriteConfig;
use sn1_actors::domain::{
    Cast, ChatMessage, FinishReason, Generation, MinerReply, Netuid, Query, RunSeed, Sampling,
    Score, StatusCode, Tao, Uid,
};
use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::organic::{AskMiners, Choose, OrganicConfig};
use sn1_actors::persona_agent::{Goal, PersonaAgentConfig};
use sn1_actors::ports::{
    AxonTarget, Clock, Device, DeviceDone, DeviceWork, EngineError, Event, MinerTransport, Piece,
    ScoreBook, SignedHead, TextBackend, TextError, TextRequest, Tool,
};
use sn1_actors::reward_scorer::closing::ClosingRules;
use sn1_actors::runtime::{AskError, Port, Topology};
use sn1_actors::task_maker::tasks::TaskKind;
use sn1_actors::task_maker::{TaskMakerConfig, TaskShare};
use sn1_actors::testkit::{FakeChain, FakeTools, MemoryLedger, Stage, TrustingCheck, hotkey};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::weight_setter::{
    ColdStart, SetError, SetWeights, Standings, WeightSetterConfig, WeightsOnChain,
};
use sn1_actors::wiring::{
    Miner, MinerConfig, MinerParts, ModelParts, ScoringConfig, Shared, ToolParts, Validator,
    ValidatorConfig, ValidatorParts, start_miner, start_shared, start_validator,
};
use tokio::sync::mpsc;

use crate::code::OneFile;

/// Miners with uids 1 to this; the last of them is dead.
pub(crate) const MINERS: u16 = 6;
pub(crate) const DEAD: u16 = MINERS;
/// What the miners' model is told.
pub(crate) const SYSTEM_PROMPT: &str = "You are helpful.";
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
const COPYING: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) in_flight: usize,
    pub(crate) sample_size: usize,
    pub(crate) rate: ServiceRate,
    pub(crate) thinking: Duration,
    pub(crate) goal: Goal,
    pub(crate) max_turns: u8,
    /// Names of kinds of tasks, and how often they come.
    pub(crate) kinds: &'static [(&'static str, f64)],
    /// How steps are closed.
    pub(crate) closing: ClosingRules,
    /// What the miners are that answer, by uid.
    pub(crate) miners: fn() -> [Kind; DEAD as usize - 1],
    /// How users' queries are taken, if they are.
    pub(crate) organic: Option<Organics>,
    /// Time from one round to the next.
    pub(crate) rhythm: Duration,
    /// Who writes in the model's place; none is the stand-in.
    pub(crate) writer: Option<fn(&[ChatMessage]) -> String>,
    /// How long the device takes for embeddings, more than for anything else.
    pub(crate) embedding: Duration,
    /// Requests of a kind that the model takes at once; as many as there may be without one.
    pub(crate) askers: Option<usize>,
    /// The model's server takes nothing, and says what it was asked.
    pub(crate) quoting: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let rate =
            ServiceRate { per_step: Duration::from_millis(1), per_row: Duration::from_micros(20) };
        Self {
            seed: 7,
            steps: 4,
            in_flight: 4,
            sample_size: 10,
            rate,
            thinking: Duration::ZERO,
            goal: Goal::Reward(Score::ONE),
            max_turns: 1,
            kinds: &[("qa", 0.4), ("summarization", 0.4), ("math", 0.2)],
            closing: ClosingRules::default(),
            miners: || {
                let phrase = Kind::Phrase("I do not know.".into());
                [Kind::Agent, Kind::Model, Kind::Copier, Kind::Echo, phrase]
            },
            organic: None,
            rhythm: Duration::ZERO,
            writer: None,
            embedding: Duration::ZERO,
            askers: None,
            quoting: false,
        }
    }
}

/// How users' queries are taken.
#[derive(Clone, Copy)]
pub(crate) struct Organics {
    pub(crate) in_flight: usize,
    pub(crate) rounds: usize,
    pub(crate) scored: usize,
    pub(crate) choose: Choose,
    pub(crate) log_texts: bool,
}

fn organic_config(organics: Organics) -> OrganicConfig {
    let Organics { in_flight, rounds, scored, choose, log_texts } = organics;
    let kind = TaskKind::named("generic_instruction").expect("there is such a kind");
    let measures = Arc::new(kind.default_measures());
    OrganicConfig { in_flight, rounds, scored, choose, log_texts, kind, measures }
}

pub(crate) struct Net {
    pub(crate) validator: Validator,
    pub(crate) topology: Topology,
    pub(crate) chain: Arc<FakeChain>,
    transport: Arc<Doors>,
    clock: Arc<dyn Clock>,
    steps: u64,
}

pub(crate) struct Outcome {
    pub(crate) tally: Tally,
}

impl Net {
    pub(crate) fn start(stage: &Stage, plan: Plan) -> Self {
        let chain = Arc::new(FakeChain::new(Arc::clone(&stage.clock), MINERS));
        let mut topology = Topology::default();
        let askers = plan.askers.unwrap_or(plan.in_flight * usize::from(MINERS + 2));
        let model = ModelParts {
            text: match plan.writer {
                _ if plan.quoting => TextSource::Remote(Arc::new(Writer(None))),
                Some(writer) => TextSource::Remote(Arc::new(Writer(Some(writer)))),
                None => TextSource::Local(Arc::new(StandInCodec)),
            },
            device: Arc::new(SlowEmbedder {
                device: StandInDevice::new(Arc::clone(&stage.clock), plan.rate),
                clock: Arc::clone(&stage.clock),
                embedding: plan.embedding,
            }),
            scheduler: SchedulerConfig {
                max_sequences: 8,
                miner_share: 3,
                prefill_rows: 256,
                sip_rows: 256,
                queue: 256,
                ..SchedulerConfig::default()
            },
        };
        let tools: Arc<[Arc<dyn Tool>]> = Arc::new([Arc::new(FakeTools), Arc::new(OneFile)]);
        let tools = ToolParts { tools, patience: Duration::from_secs(5), prefetch: Prefetch::NONE };
        let shared = start_shared(&stage.overseer, model, tools, askers, &stage.failpoints);
        let mut doors = BTreeMap::new();
        let transport = Arc::new(Doors::new(Arc::clone(&stage.clock)));
        let parts = ValidatorParts {
            transport: Arc::clone(&transport) as _,
            chain: Arc::clone(&chain) as _,
            ledger: Arc::new(MemoryLedger::default()),
            journal: Arc::clone(&stage.journal) as _,
            failpoints: stage.failpoints.clone(),
        };
        let config = validator_config(plan);
        let validator = start_validator(&stage.overseer, config, parts, &shared, &mut topology)
            .expect("the ledger is empty");
        let board = AnswerBoard::default();
        for uid in 1..DEAD {
            let miner = miner(stage, uid, plan, &validator, &board, &shared, &mut topology);
            doors.insert(Uid(uid), miner);
        }
        *transport.doors.lock() = doors;
        Self {
            validator,
            topology,
            chain,
            transport,
            clock: Arc::clone(&stage.clock),
            steps: plan.steps,
        }
    }

    /// Runs the steps of the plan.
    pub(crate) async fn run(&self) -> Outcome {
        let pacer = &self.validator.pacer;
        let pacer = sn1_actors::pacer::Pacer { steps: Some(self.steps), ..pacer.clone() };
        pacer.run().await.expect("the journal is in memory");
        Outcome { tally: *self.validator.log.tally().borrow() }
    }

    /// What was sent to miners, in order.
    pub(crate) fn asked(&self) -> Vec<(Uid, Query)> {
        self.requests().into_iter().map(|request| (request.target.uid, request.query)).collect()
    }

    /// All of it that a miner could see.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.transport.asked.lock().clone()
    }

    /// Where users come in.
    pub(crate) fn door(&self) -> &Port<AskMiners> {
        self.validator.ask_miners.as_ref().expect("users are taken")
    }

    /// Waits until it is known who is on the subnet.
    pub(crate) async fn awake(&self) {
        let mut metagraph = self.validator.metagraph.clone();
        let seen = metagraph.wait_for(|metagraph| !metagraph.neurons.is_empty()).await;
        drop(seen.expect("the chain is watched"));
    }

    /// Makes miners take every query and never answer.
    pub(crate) fn mute(&self, uids: &[u16]) {
        self.transport.muted.lock().extend(uids.iter().copied().map(Uid));
    }

    /// How many requests to such miners were waited on until their time was up.
    pub(crate) fn waited_out(&self) -> usize {
        self.transport.waited_out.load(Ordering::Relaxed)
    }

    /// Takes all miners away.
    pub(crate) fn silence(&self) {
        self.transport.doors.lock().clear();
    }

    pub(crate) async fn standings(&self) -> ScoreBook {
        let port = &self.validator.standings;
        let asked = port.ask_again(Standings, port.within(Duration::from_secs(60))).await;
        asked.expect("the weight setter is running")
    }

    /// Sets weights as soon as there is a block that had no try yet.
    pub(crate) async fn set_weights(&self) -> Result<WeightsOnChain, SetError> {
        let port = &self.validator.set_weights;
        for _ in 0..3 {
            match port.ask_again(SetWeights, port.within(Duration::from_secs(60))).await {
                Ok(Err(SetError::Skipped(_))) => self.clock.sleep(Duration::from_secs(12)).await,
                Ok(outcome) => return outcome,
                Err(AskError::Interrupted | AskError::Deadline | AskError::Gone) => break,
            }
        }
        Err(SetError::Skipped("interrupted"))
    }
}

pub(crate) fn steps(stage: &Stage) -> Vec<Map<String, Value>> {
    let step = |event| match event {
        Event::Step(fields) => Some(fields),
        _ => None,
    };
    stage.journal.events().into_iter().filter_map(step).collect()
}

fn share((name, probability): (&str, f64)) -> TaskShare {
    let kind = TaskKind::named(name).expect("there is such a kind");
    TaskShare { kind, probability, measures: Arc::new(kind.default_measures()) }
}

fn validator_config(plan: Plan) -> ValidatorConfig {
    let sampling = Sampling { max_new_tokens: 96, ..Sampling::ORIGINAL };
    let patience = Duration::from_secs(600);
    ValidatorConfig {
        seed: RunSeed(plan.seed),
        in_flight: plan.in_flight,
        tasks: TaskMakerConfig {
            kinds: plan.kinds.iter().copied().map(share).collect(),
            sampling,
            context_patience: Duration::from_secs(10),
            text_patience: patience,
        },
        persona: PersonaAgentConfig {
            cast: Cast::default(),
            goal: plan.goal,
            max_turns: plan.max_turns,
            sampling,
            patience,
        },
        dendrite: DendriteConfig {
            sample_size: plan.sample_size,
            timeout: TIMEOUT,
            vpermit_tao_limit: Tao(4_096.0),
            unique_coldkeys: false,
            unique_ips: false,
            own: hotkey(0),
            rhythm: plan.rhythm,
        },
        scoring: ScoringConfig {
            closing: plan.closing,
            embedder: "stand-in".into(),
            embed_patience: patience,
        },
        weights: WeightSetterConfig {
            netuid: Netuid(1),
            alpha: 0.05,
            version_key: 1,
            disabled: false,
            cold_start: ColdStart::OFF,
            epoch_blocks: 10,
            patience: Duration::from_secs(60),
        },
        chain_watch: ChainWatchConfig { resync_blocks: 10, patience: Duration::from_secs(60) },
        organic: plan.organic.map(organic_config),
    }
}

fn miner(
    stage: &Stage,
    uid: u16,
    plan: Plan,
    validator: &Validator,
    board: &AnswerBoard,
    shared: &Shared,
    topology: &mut Topology,
) -> Miner {
    let kind = (plan.miners)()[usize::from(uid - 1)].clone();
    // Nobody copies faster than there is something to copy.
    let copying = if kind == Kind::Copier { COPYING } else { Duration::ZERO };
    let (_, admission) = tokio::sync::watch::channel(Arc::default());
    let config = MinerConfig {
        suffix: format!(":{uid}"),
        axon: AxonConfig { admission, in_flight: 8, waiting: 16 },
        assistant: AssistantConfig {
            kind,
            system_prompt: SYSTEM_PROMPT.into(),
            sampling: Sampling { max_new_tokens: 96, ..Sampling::ORIGINAL },
            delay: plan.thinking + copying,
        },
    };
    let parts = MinerParts {
        check: Arc::new(Mutex::new(TrustingCheck)),
        metagraph: validator.metagraph.clone(),
        board: Some(board.clone()),
        journal: Arc::clone(&stage.journal) as _,
        failpoints: stage.failpoints.clone(),
    };
    start_miner(&stage.overseer, config, parts, shared, topology)
}

/// A device that takes its time for embeddings.
struct SlowEmbedder {
    device: StandInDevice,
    clock: Arc<dyn Clock>,
    embedding: Duration,
}

impl Device for SlowEmbedder {
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>> {
        let slow = matches!(work, DeviceWork::Embed { .. }) && !self.embedding.is_zero();
        let (sleep, run) = (self.clock.sleep(self.embedding), self.device.run(work));
        if !slow {
            return run;
        }
        Box::pin(async move {
            sleep.await;
            run.await
        })
    }
}

/// Answers each chat by a function of it; without one it refuses each with its own words.
struct Writer(Option<fn(&[ChatMessage]) -> String>);

impl TextBackend for Writer {
    fn generate(
        &self,
        request: TextRequest,
        _: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let generation = |text| Generation {
            text,
            prompt_ids: Vec::new(),
            generated_ids: Vec::new(),
            billed_tokens: None,
            finish_reason: FinishReason::Stop,
            queued: Duration::ZERO,
            prefill: Duration::ZERO,
            decode: Duration::ZERO,
        };
        let last = || request.messages.last().map(|last| last.content.clone());
        let written = match self.0 {
            Some(write) => Ok(generation(write(&request.messages))),
            None => Err(TextError::Request(last().unwrap_or_default())),
        };
        Box::pin(std::future::ready(written))
    }

    fn capacity(&self) -> usize {
        64
    }
}

/// One request to one miner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) target: AxonTarget,
    pub(crate) query: Query,
    pub(crate) timeout: Duration,
}

/// Reaches axons through their ports; whoever has none is dead.
struct Doors {
    doors: Mutex<BTreeMap<Uid, Miner>>,
    /// Who takes queries and never answers.
    muted: Mutex<BTreeSet<Uid>>,
    /// How many of their requests were not given up.
    waited_out: Arc<AtomicUsize>,
    /// What each miner was asked, the dead one too.
    asked: Mutex<Vec<Request>>,
    clock: Arc<dyn Clock>,
}

impl Doors {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let (doors, muted, asked) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { doors, muted, waited_out: Arc::default(), asked, clock }
    }
}

impl MinerTransport for Doors {
    fn ask(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
    ) -> BoxFuture<'static, MinerReply> {
        let request = Request { target: target.clone(), query: Query::clone(&query), timeout };
        self.asked.lock().push(request);
        if self.muted.lock().contains(&target.uid) {
            let (late, waited_out) = (self.clock.sleep(timeout), Arc::clone(&self.waited_out));
            return Box::pin(async move {
                late.await;
                waited_out.fetch_add(1, Ordering::Relaxed);
                MinerReply::failure(StatusCode::TIMEOUT, "no answer")
            });
        }
        let door =
            self.doors.lock().get(&target.uid).map(|door| (door.knock.clone(), door.admit.clone()));
        let reply = |completion: String, status, message: &str| MinerReply {
            completion,
            ..MinerReply::failure(status, message)
        };
        Box::pin(async move {
            let Some((knock, admit)) = door else {
                return reply(String::new(), StatusCode::UNAVAILABLE, "nobody there");
            };
            let head = SignedHead {
                hotkey: Some(hotkey(0).as_str().into()),
                nonce: Some(1),
                uuid: Some("test".into()),
                signature: Some("0x".into()),
                body_hash: None,
                version: None,
                timeout,
            };
            let deadline = admit.within(timeout);
            let answer = match knock.ask(Knock { head, ping: false }, deadline).await {
                Ok(Ok(pass)) => {
                    let query = Query::clone(&query);
                    admit.ask(Admit { pass, query, pieces: None }, deadline).await
                }
                Ok(Err(refusal)) => Ok(Err(refusal)),
                Err(error) => Err(error),
            };
            match answer {
                Ok(Ok(completion)) => reply(completion, StatusCode::OK, "Success"),
                Ok(Err(refusal)) => {
                    reply(String::new(), StatusCode(refusal.status), &refusal.message)
                }
                Err(error) => reply(String::new(), StatusCode::TIMEOUT, &error.to_string()),
            }
        })
    }
}
