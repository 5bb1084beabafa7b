//! Joins the chain that the settings name.

use std::fmt;
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
        let netuid = settings.netuid.map(Netuid);
        let netuid = netuid.ok_or_else(|| unnamed(SUBNET, command, SUBNET_AND_NETWORK))?;
        let endpoints = Endpoints::of(&settings.subtensor);
        let endpoints = endpoints.ok_or_else(|| unnamed(NETWORK, command, SUBNET_AND_NETWORK))?;
        Ok(Self { netuid, endpoints })
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

impl fmt::Display for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (network, urls) = (self.endpoints.network(), self.endpoints.urls().join(", "));
        // Without a name the network is called by its first address.
        if urls == network {
            return write!(f, "subnet {} on {network}", self.netuid);
        }
        write!(f, "subnet {} on {network} ({urls})", self.netuid)
    }
}

/// Whether the settings name a chain.
#[must_use]
pub fn chain_is_named(settings: &Settings) -> bool {
    settings.subtensor.network.is_some() || !settings.subtensor.chain_endpoint.is_empty()
}

/// What a miner joins; nothing where no chain is named and strangers are welcome.
///
/// # Errors
/// As [`Joining::of`].
pub fn of_miner(settings: &Settings) -> Result<Option<Joining>, Ended> {
    if !chain_is_named(settings) && settings.blacklist.allow_non_registered {
        return Ok(None);
    }
    Joining::of(settings, "miner").map(Some)
}

/// The subnet that the settings name, for a `command` that asks no chain.
///
/// # Errors
/// If they name none.
pub fn netuid(settings: &Settings, command: &str) -> Result<Netuid, Ended> {
    let netuid = settings.netuid.map(Netuid);
    netuid.ok_or_else(|| unnamed(SUBNET, command, ["--netuid 61", "--netuid 1"]))
}

/// The network that the settings name, for a `command` that is about no subnet.
///
/// # Errors
/// If they name none.
pub fn endpoints(settings: &Settings, command: &str) -> Result<Endpoints, Ended> {
    let examples = ["--subtensor.network test", "--subtensor.network finney"];
    Endpoints::of(&settings.subtensor).ok_or_else(|| unnamed(NETWORK, command, examples))
}

const SUBNET: &str = "subnet (netuid)";
const NETWORK: &str = "network (subtensor.network)";
const SUBNET_AND_NETWORK: [&str; 2] =
    ["--netuid 61 --subtensor.network test", "--netuid 1 --subtensor.network finney"];

/// The flags of the examples are those that the command has.
fn unnamed(what: &str, command: &str, [test, main]: [&str; 2]) -> Ended {
    let message = format!(
        "no {what} is named, and there is no default: `sn1 {command} {test}` is for the test \
         network, `{main}` for the main one"
    );
    Ended::new(Exit::Usage, message)
}

/// How a real chain is followed.
pub const WATCH: ChainWatchConfig =
    ChainWatchConfig { resync_blocks: 5, patience: Duration::from_secs(60) };

/// Between two looks whether there is such a subnet.
const LOOK: Duration = Duration::from_secs(10);

/// Waits until the subnet is known, as long as the chain cannot be asked, and finds the neuron of a
/// hotkey on it.
///
/// # Errors
/// If the chain has no such subnet, the hotkey has no neuron there, or nobody follows the chain any
/// more.
pub async fn own_neuron(
    chain: &dyn Chain,
    clock: &dyn Clock,
    mut metagraph: watch::Receiver<Arc<Metagraph>>,
    hotkey: &Hotkey,
) -> anyhow::Result<Neuron> {
    tokio::select! {
        seen = metagraph.wait_for(|metagraph| !metagraph.neurons.is_empty()) => {
            let metagraph = Arc::clone(&*seen.context("the chain watch is gone")?);
            Ok(registered(&metagraph, hotkey)?.clone())
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
