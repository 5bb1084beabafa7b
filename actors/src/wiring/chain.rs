//! Who follows the chain.

use std::sync::Arc;

use tokio::sync::watch;

use crate::chain_watch::{ChainWatch, ChainWatchConfig, ChainWatchDeps, Head};
use crate::domain::{Metagraph, Netuid};
use crate::ports::Chain;
use crate::runtime::{Failpoints, Inbox, Overseer, Port, RestartPolicy, Topology};
use crate::weight_setter::BlockArrived;

/// What the chain is followed with.
pub struct ChainParts {
    /// How.
    pub config: ChainWatchConfig,
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// Which subnet.
    pub netuid: Netuid,
    /// Who is told of blocks; a miner has none.
    pub weight_setter: Option<Port<BlockArrived>>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The chain as it was seen last.
#[derive(Clone)]
pub struct ChainSeen {
    /// The subnet; at first an empty one.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// The newest block; at first none.
    pub head: watch::Receiver<Option<Head>>,
}

/// Starts to follow the chain.
#[must_use]
pub fn start_chain_watch(
    overseer: &Overseer,
    parts: ChainParts,
    topology: &mut Topology,
) -> ChainSeen {
    let ChainParts { config, chain, netuid, weight_setter, failpoints } = parts;
    let (metagraph, metagraph_seen) = watch::channel(Arc::new(Metagraph::empty(netuid)));
    let (head, head_seen) = watch::channel(None);
    let inbox = Inbox::<ChainWatch>::open("chain_watch", overseer.clock());
    let deps = ChainWatchDeps {
        config,
        chain,
        metagraph: Arc::new(metagraph),
        head: Arc::new(head),
        weight_setter: weight_setter.map(|port| topology.push("chain_watch", &port)),
        clock: overseer.clock(),
        failpoints,
    };
    overseer.supervise(inbox, RestartPolicy::PATIENT, ChainWatch::new(deps));
    ChainSeen { metagraph: metagraph_seen, head: head_seen }
}
