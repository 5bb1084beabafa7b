//! The validator's actors.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::watch;

use crate::chain_watch::{ChainWatchConfig, Head};
use crate::conversation::{ConversationLog, Tally};
use crate::dendrite::{Challenge, Dendrite, DendriteConfig, DendriteDeps};
use crate::domain::{Metagraph, RunSeed};
use crate::organic::{self, AskMiners, Organic, OrganicConfig, OrganicDeps};
use crate::pacer::Pacer;
use crate::persona_agent::shaping::{ShapeBook, Wardrobe};
use crate::persona_agent::{PersonaAgent, PersonaAgentConfig, PersonaAgentDeps, Phraser};
use crate::ports::{Chain, Event, Journal, Ledger, LedgerError, MinerTransport};
use crate::reward_scorer::closing::ClosingRules;
use crate::reward_scorer::judge::Bench;
use crate::reward_scorer::rules::ScoringRules;
use crate::reward_scorer::{RewardScorer, RewardScorerDeps};
use crate::runtime::{Credits, Failpoints, Inbox, Overseer, Port, RestartPolicy, Topology};
use crate::task_maker::references::ReferenceMaker;
use crate::task_maker::{TaskMaker, TaskMakerConfig, TaskMakerDeps, Workshop};
use crate::weight_setter::{
    SetWeights, Standings, WeightSetter, WeightSetterConfig, WeightSetterDeps,
};

use super::chain::{ChainParts, start_chain_watch};
use super::shared::Shared;

/// How a validator works.
#[derive(Clone, Debug)]
pub struct ValidatorConfig {
    /// Decides every draw.
    pub seed: RunSeed,
    /// Conversations under way at once.
    pub in_flight: usize,
    /// How tasks are made.
    pub tasks: TaskMakerConfig,
    /// How humans are played.
    pub persona: PersonaAgentConfig,
    /// Who is asked.
    pub dendrite: DendriteConfig,
    /// How answers are scored.
    pub scoring: ScoringConfig,
    /// How scores become weights.
    pub weights: WeightSetterConfig,
    /// How the chain is followed.
    pub chain_watch: ChainWatchConfig,
    /// How API users' queries are taken, if they are.
    pub organic: Option<OrganicConfig>,
}

/// How answers are scored.
#[derive(Clone, Debug)]
pub struct ScoringConfig {
    /// How steps are closed.
    pub closing: ClosingRules,
    /// The embedding model's name, for the journal.
    pub embedder: String,
    /// How long an embedding may take.
    pub embed_patience: Duration,
}

impl ValidatorConfig {
    /// All that decides what answers earn.
    fn rules(&self) -> ScoringRules {
        let organic = self.organic.iter().map(|organic| (organic.kind, &organic.measures));
        let tasks = self.tasks.kinds.iter().map(|share| (share.kind, &share.measures));
        ScoringRules {
            tasks: organic.chain(tasks).map(|(kind, of)| (kind, Arc::clone(of))).collect(),
            closing: self.scoring.closing,
            moving_average_alpha: self.weights.alpha,
            embedder: self.scoring.embedder.clone(),
        }
    }

    /// Users' conversations that may be under way: one a round.
    fn organics(&self) -> usize {
        self.organic.as_ref().map_or(0, |organic| organic.rounds)
    }

    /// Conversations that may be under way at once: what
    /// [`Topology::check`](crate::runtime::Topology::check) is to be called with.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.in_flight + self.organics()
    }
}

/// What a validator is connected to.
pub struct ValidatorParts {
    /// Reaches miners.
    pub transport: Arc<dyn MinerTransport>,
    /// The chain, on behalf of this validator.
    pub chain: Arc<dyn Chain>,
    /// Keeps the scores.
    pub ledger: Arc<dyn Ledger>,
    /// What happens.
    pub journal: Arc<dyn Journal>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// A running validator.
pub struct Validator {
    /// Begins its conversations.
    pub pacer: Pacer,
    /// How they end.
    pub log: ConversationLog,
    /// How many may be under way.
    pub credits: Credits,
    /// Who is on the subnet.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// The newest block; none before the first.
    pub head: watch::Receiver<Option<Head>>,
    /// How everyone stands.
    pub standings: Port<Standings>,
    /// Sets weights out of turn.
    pub set_weights: Port<SetWeights>,
    /// Has miners answer API users, if that is wanted.
    pub ask_miners: Option<Port<AskMiners>>,
    /// How users' conversations end; nothing where none are taken.
    pub organic_log: ConversationLog,
}

/// Starts a validator's actors on top of the shared ones. It does nothing before its pacer runs.
///
/// # Errors
/// [`LedgerError`] if the scores of an earlier run are there but cannot be read.
pub fn start_validator(
    overseer: &Overseer,
    config: ValidatorConfig,
    parts: ValidatorParts,
    shared: &Shared,
    topology: &mut Topology,
) -> Result<Validator, LedgerError> {
    let ValidatorParts { transport, chain, ledger, journal, failpoints } = parts;
    let book = ledger.load()?;
    let (rules, averages) = (config.rules(), book.scores.clone());
    journal.record(Event::ScoringBegan { rules, steps: book.steps, averages });
    let (clock, tasks) = (overseer.clock(), overseer.tasks().clone());
    let task_maker = Inbox::<TaskMaker>::open("task_maker", overseer.clock());
    let persona_agent = Inbox::<PersonaAgent>::open("persona_agent", overseer.clock());
    let dendrite = Inbox::<Dendrite>::open("dendrite", overseer.clock());
    let reward_scorer = Inbox::<RewardScorer>::open("reward_scorer", overseer.clock());
    let weight_setter = Inbox::<WeightSetter>::open("weight_setter", overseer.clock());

    let chain_parts = ChainParts {
        config: config.chain_watch,
        chain: Arc::clone(&chain),
        netuid: config.weights.netuid,
        weight_setter: Some(weight_setter.port(1)),
        failpoints: failpoints.clone(),
    };
    let chain_seen = start_chain_watch(overseer, chain_parts, topology);
    let log = ConversationLog::new(Arc::clone(&journal), overseer.clock());
    let credits = overseer.credits(config.in_flight);
    // One slot for each conversation: no push on their circle ever waits.
    let each = credits.total();
    let all = each + config.organics();
    let challenges = dendrite.port(all);

    let pacer = Pacer {
        credits: credits.clone(),
        log: log.clone(),
        journal: Arc::clone(&journal),
        clock: Arc::clone(&clock),
        task_maker: topology.push("pacer", &task_maker.port(each)),
        steps: None,
    };
    let workshop = Workshop {
        config: config.tasks,
        tool_fetcher: topology.ask("task_maker", &shared.fetch),
        model_worker: topology.ask("task_maker", &shared.generate),
        seed: config.seed,
        clock: Arc::clone(&clock),
        tasks: tasks.clone(),
    };
    let ask_model = topology.ask("persona_agent", &shared.generate);
    let references = ReferenceMaker { model_worker: ask_model.clone(), ..workshop.references() };
    let organic_log = ConversationLog::new(Arc::clone(&journal), overseer.clock());
    let wardrobe = config.organic.is_some().then(Wardrobe::default);
    let ask_miners = config.organic.zip(wardrobe.as_ref()).map(|(organic, wardrobe)| {
        let users = Users {
            config: organic,
            timeout: config.dendrite.timeout,
            sample_size: config.dendrite.sample_size,
            log: organic_log.clone(),
            own: log.tally(),
            shapes: wardrobe.shapes.clone(),
            references: ReferenceMaker {
                model_worker: topology.ask("organic", &shared.generate),
                ..workshop.references()
            },
            dendrite: topology.push("organic", &challenges),
            journal: Arc::clone(&journal),
            failpoints: failpoints.clone(),
        };
        topology.ask("program", &start_organic(overseer, users))
    });
    let deps = TaskMakerDeps {
        workshop,
        persona_agent: topology.push("task_maker", &persona_agent.port(each)),
        journal: Arc::clone(&journal),
        failpoints: failpoints.clone(),
    };
    overseer.supervise(task_maker, RestartPolicy::LIGHT, TaskMaker::new(deps));

    let turn_scored = persona_agent.port(all);
    let deps = PersonaAgentDeps {
        phraser: Phraser {
            config: config.persona,
            model_worker: ask_model,
            seed: config.seed,
            clock: Arc::clone(&clock),
        },
        references,
        wardrobe,
        dendrite: topology.push("persona_agent", &challenges),
        tasks: tasks.clone(),
        failpoints: failpoints.clone(),
    };
    overseer.supervise(persona_agent, RestartPolicy::LIGHT, PersonaAgent::new(deps));

    let deps = DendriteDeps {
        config: config.dendrite,
        transport,
        metagraph: chain_seen.metagraph.clone(),
        reward_scorer: topology.push("dendrite", &reward_scorer.port(all)),
        seed: config.seed,
        clock: Arc::clone(&clock),
        journal: Arc::clone(&journal),
        tasks: tasks.clone(),
        failpoints: failpoints.clone(),
    };
    overseer.supervise(dendrite, RestartPolicy::PATIENT, Dendrite::new(deps));

    let standings = topology.ask("program", &weight_setter.port(each));
    let set_weights = topology.ask("program", &weight_setter.port(1));
    let deps = RewardScorerDeps {
        bench: Bench {
            model_worker: topology.ask("reward_scorer", &shared.embed),
            patience: config.scoring.embed_patience,
            clock: Arc::clone(&clock),
            tasks: tasks.clone(),
        },
        closing: config.scoring.closing,
        weight_setter: topology.push("reward_scorer", &weight_setter.port(all)),
        persona_agent: topology.push("reward_scorer", &turn_scored),
        journal: Arc::clone(&journal),
        tasks,
        failpoints: failpoints.clone(),
    };
    overseer.supervise(reward_scorer, RestartPolicy::LIGHT, RewardScorer::new(deps));

    let deps =
        WeightSetterDeps { config: config.weights, chain, ledger, clock, journal, failpoints };
    overseer.supervise(weight_setter, RestartPolicy::LIGHT, WeightSetter::new(deps, book));
    Ok(Validator {
        pacer,
        log,
        credits,
        metagraph: chain_seen.metagraph,
        head: chain_seen.head,
        standings,
        set_weights,
        ask_miners,
        organic_log,
    })
}

/// What Organic is connected to.
struct Users {
    config: OrganicConfig,
    timeout: Duration,
    sample_size: usize,
    log: ConversationLog,
    own: watch::Receiver<Tally>,
    shapes: ShapeBook,
    references: ReferenceMaker,
    dendrite: Port<Challenge>,
    journal: Arc<dyn Journal>,
    failpoints: Failpoints,
}

/// Starts Organic, and gives the door to it. It has more slots than there are places, so that one
/// query too many is refused at once.
fn start_organic(overseer: &Overseer, users: Users) -> Port<AskMiners> {
    let Users {
        config,
        timeout,
        sample_size,
        log,
        own,
        shapes,
        references,
        dendrite,
        journal,
        failpoints,
    } = users;
    let inbox = Inbox::<Organic>::open("organic", overseer.clock());
    let ask_miners = inbox.port(2 * config.in_flight);
    let deps = OrganicDeps {
        timeout,
        sample_size,
        places: overseer.credits(config.in_flight),
        credits: overseer.credits(config.rounds),
        scored: overseer.credits(config.scored),
        config,
        log,
        own,
        shapes,
        next_id: Arc::new(AtomicU64::new(organic::FIRST_ID)),
        references,
        dendrite,
        clock: overseer.clock(),
        journal,
        tasks: overseer.tasks().clone(),
        failpoints,
    };
    overseer.supervise(inbox, RestartPolicy::LIGHT, Organic::new(deps));
    ask_miners
}
