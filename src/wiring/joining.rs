//! Joins the chain that the settings name.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::chain_watch::ChainWatchConfig;
use sn1_actors::domain::{Hotkey, Metagraph, Netuid, Neuron};
use sn1_actors::ports::{Chain, ChainError, Clock};
use sn1_actors::runtime::Overseer;
use tokio::sync::watch;

use crate::chain::node::endpoint::Endpoints;
use crate::chain::node::keeper::{Keeper, KeeperConfig};
use crate::chain::node::subtensor::Subtensor;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::wire::Keypair;

/// Which subnet of which chain.
#[derive(Clone, Debug)]
pub struct Joining {
    /// The subnet.
    pub netuid: Netuid,
    /// The chain's nodes.
    pub endpoints: Endpoints,
}

impl Joining {
    /// What the settings name. `command` is for the examples in the error.
    ///
    /// # Errors
    /// If subnet or network are not named: neither has a default, so that nobody stakes a hotkey's
    /// name on a network by mistake.
    pub fn of(settings: &Settings, command: &str) -> Result<Self, Ended> {
        let netuid = netuid(settings, command)?;
        Ok(Self { netuid, endpoints: endpoints(settings, command)? })
    }

    /// Connects on behalf of a key, and stays connected.
    #[must_use]
    pub fn join(&self, overseer: &Overseer, keypair: Arc<Keypair>) -> Arc<dyn Chain> {
        let random = ChaCha8Rng::seed_from_u64(rand::random());
        let config = KeeperConfig::default();
        let (keeper, work) = Keeper::new(&self.endpoints, config, random, overseer.clock());
        overseer.tasks().spawn("chain", work);
        Arc::new(Subtensor::new(keeper, keypair, self.netuid))
    }
}

/// The subnet that the settings name.
///
/// # Errors
/// If they name none.
pub fn netuid(settings: &Settings, command: &str) -> Result<Netuid, Ended> {
    settings.netuid.map(Netuid).ok_or_else(|| unnamed("subnet (netuid)", command))
}

/// The network that the settings name.
///
/// # Errors
/// If they name none.
pub fn endpoints(settings: &Settings, command: &str) -> Result<Endpoints, Ended> {
    let endpoints = Endpoints::of(&settings.subtensor);
    endpoints.ok_or_else(|| unnamed("network (subtensor.network)", command))
}

fn unnamed(what: &str, command: &str) -> Ended {
    let message = format!(
        "no {what} is named, and there is no default: `sn1 {command} --netuid 61 \
         --subtensor.network test` is on the test network, `--netuid 1 --subtensor.network finney` \
         on the main one"
    );
    Ended::new(Exit::Usage, message)
}

/// How a real chain is followed.
pub const WATCH: ChainWatchConfig =
    ChainWatchConfig { resync_blocks: 5, patience: Duration::from_secs(60) };

/// Between two looks whether there is such a subnet.
const LOOK: Duration = Duration::from_secs(10);

/// Waits until the subnet is known, as long as the chain cannot be asked.
///
/// # Errors
/// If the chain has no such subnet, or nobody follows the chain any more.
pub async fn subnet(
    chain: &dyn Chain,
    clock: &dyn Clock,
    mut metagraph: watch::Receiver<Arc<Metagraph>>,
) -> anyhow::Result<Arc<Metagraph>> {
    tokio::select! {
        seen = metagraph.wait_for(|metagraph| !metagraph.neurons.is_empty()) => {
            Ok(Arc::clone(&*seen.context("the chain watch is gone")?))
        }
        why = refusal(chain, clock) => {
            let message = format!("the chain does not show the subnet: {why}; check --netuid");
            Err(Ended::new(Exit::Usage, message).into())
        }
    }
}

/// Resolves if the chain refuses to show the subnet, which does not pass as an outage does. Whoever
/// follows the chain tries again after any error.
async fn refusal(chain: &dyn Chain, clock: &dyn Clock) -> String {
    loop {
        if let Err(ChainError::Refused(why)) = chain.metagraph().await {
            return why;
        }
        clock.sleep(LOOK).await;
    }
}

/// A hotkey's neuron.
///
/// # Errors
/// If it has none.
pub fn registered<'a>(metagraph: &'a Metagraph, hotkey: &Hotkey) -> Result<&'a Neuron, Ended> {
    metagraph.by_hotkey(hotkey).ok_or_else(|| {
        let netuid = metagraph.netuid;
        let message = format!(
            "hotkey {hotkey} is not registered on subnet {netuid}: `sn1 register` gives it a slot, \
             for a fee"
        );
        Ended::new(Exit::Usage, message)
    })
}
