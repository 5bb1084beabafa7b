//! Who follows the chain.

use std::sync::Arc;

use tokio::sync::watch;

use crate::chain_watch::{ChainWatch, ChainWatchConfig, ChainWatchDeps};
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

/// Starts to follow the chain; gives the subnet as it was seen last, at first an empty one.
#[must_use]
pub fn start_chain_watch(
    overseer: &Overseer,
    parts: ChainParts,
    topology: &mut Topology,
) -> watch::Receiver<Arc<Metagraph>> {
    let ChainParts { config, chain, netuid, weight_setter, failpoints } = parts;
    let (metagraph, seen) = watch::channel(Arc::new(Metagraph::empty(netuid)));
    let inbox = Inbox::<ChainWatch>::open("chain_watch", overseer.clock());
    let deps = ChainWatchDeps {
        config,
        chain,
        metagraph: Arc::new(metagraph),
        weight_setter: weight_setter.map(|port| topology.push("chain_watch", &port)),
        clock: overseer.clock(),
        failpoints,
    };
    overseer.supervise(inbox, RestartPolicy::PATIENT, ChainWatch::new(deps));
    seen
}
