//! A miner's actors.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::assistant::board::AnswerBoard;
use crate::assistant::{Assistant, AssistantConfig, AssistantDeps};
use crate::axon::{Admit, Axon, AxonConfig, AxonDeps, Knock};
use crate::domain::Metagraph;
use crate::ports::{CallerCheck, Journal};
use crate::runtime::{Failpoints, Inbox, Overseer, Port, RestartPolicy, Topology};

use super::shared::Shared;

/// How a miner works.
#[derive(Clone, Debug)]
pub struct MinerConfig {
    /// Tells the actors of several miners in one process apart; empty for one alone.
    pub suffix: String,
    /// Whom it serves.
    pub axon: AxonConfig,
    /// What it answers.
    pub assistant: AssistantConfig,
}

/// What a miner is connected to.
pub struct MinerParts {
    /// Verifies callers.
    pub check: Arc<Mutex<dyn CallerCheck>>,
    /// Who is on the subnet.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// Where miners of one process see each other's answers.
    pub board: Option<AnswerBoard>,
    /// What happens.
    pub journal: Arc<dyn Journal>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// A running miner.
pub struct Miner {
    /// Where its HTTP server asks whether a caller may enter.
    pub knock: Port<Knock>,
    /// Where it hands requests in.
    pub admit: Port<Admit>,
}

/// Starts a miner's actors on top of the shared ones.
#[must_use]
pub fn start_miner(
    overseer: &Overseer,
    config: MinerConfig,
    parts: MinerParts,
    shared: &Shared,
    topology: &mut Topology,
) -> Miner {
    let MinerParts { check, metagraph, board, journal, failpoints } = parts;
    let axon_name = format!("axon{}", config.suffix);
    let assistant_name = format!("assistant{}", config.suffix);
    let axon = Inbox::<Axon>::open(&*axon_name, overseer.clock());
    let assistant = Inbox::<Assistant>::open(&*assistant_name, overseer.clock());
    let AxonConfig { in_flight, waiting, .. } = config.axon;

    let deps = AssistantDeps {
        config: config.assistant,
        model_worker: topology.ask(&assistant_name, &shared.generate),
        tool_fetcher: topology.ask(&assistant_name, &shared.fetch),
        board,
        clock: overseer.clock(),
        tasks: overseer.tasks().clone(),
        failpoints: failpoints.clone(),
    };
    let respond = topology.ask(&axon_name, &assistant.port(in_flight));
    overseer.supervise(assistant, RestartPolicy::PATIENT, Assistant::new(deps));

    let http = format!("http{}", config.suffix);
    let knock = topology.ask(&http, &axon.port(in_flight + waiting));
    // A large stake comes in although all places are taken, and takes one.
    let admit = topology.ask(&http, &axon.port(in_flight + 2 * waiting));
    let deps = AxonDeps {
        config: config.axon,
        check,
        metagraph,
        assistant: respond,
        clock: overseer.clock(),
        journal,
        tasks: overseer.tasks().clone(),
        failpoints,
    };
    overseer.supervise(axon, RestartPolicy::PATIENT, Axon::new(deps));
    Miner { knock, admit }
}
