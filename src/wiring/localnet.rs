//! A validator, miners and a chain in one process, over real sockets on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use parking_lot::Mutex;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::assistant::board::AnswerBoard;
use sn1_actors::axon::Admission;
use sn1_actors::chain_watch::ChainWatchConfig;
use sn1_actors::domain::{Coldkey, Hotkey, Hyperparameters, Netuid, Tao, Uid};
use sn1_actors::model_worker::meter::ModelMeter;
use sn1_actors::ports::{Chain, ChainError, Journal, Ledger};
use sn1_actors::runtime::{Failpoints, Overseer, Topology};
use sn1_actors::weight_setter::{SetError, WeightsOnChain};
use sn1_actors::wiring::{
    MinerParts, Shared, Validator, ValidatorParts, start_miner, start_shared, start_validator,
};
use tokio::sync::watch;

use super::joining::WATCH;
use super::{gateway, local_axon, miner, model, tools, validator};
use crate::chain::flapping::{Flapping, Outages};
use crate::chain::local::{LocalChain, LocalChainConfig};
use crate::config::{ExternalMiner, MinerKind, Settings};
use crate::exit::{Ended, Exit};
use crate::gateway::ModelReader;
use crate::running_server::ServerStopper;
use crate::wire::{
    AxonOptions, HttpTransport, Keypair, NonceBook, TransportOptions, UuidSource, Verifier, resolve,
};

/// Nothing listens here: where a dead miner says that it answers.
const DEAD: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
/// The validator's stake; miners have none.
const STAKE: Tao = Tao(10_000.0);

/// The folder with a folder for each run of a local network.
#[must_use]
pub fn runs_folder() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME");
    let state = state.or_else(|| Some(variable("HOME")?.join(".local/state")));
    state.unwrap_or_else(std::env::temp_dir).join("sn1/localnet")
}

/// Where a miner of the local network runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// In this process, and what it answers with.
    Inside(MinerKind),
    /// In another process.
    External,
}

impl LocalKind {
    /// The name in tables and summaries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inside(kind) => kind.as_str(),
            Self::External => "external",
        }
    }
}

/// A miner of the local network.
#[derive(Clone, Debug)]
pub struct LocalMiner {
    /// What it is.
    pub kind: LocalKind,
    /// Its slot.
    pub uid: Uid,
    /// Its key.
    pub hotkey: Hotkey,
}

/// A local network, running but for its pacer.
pub struct Localnet {
    /// The validator.
    pub validator: Validator,
    /// Its miners, in order of uid.
    pub miners: Vec<LocalMiner>,
    /// Who the validator is.
    pub hotkey: Hotkey,
    /// Who sends what to whom.
    pub topology: Arc<Topology>,
    /// What the model did.
    pub model: Arc<ModelMeter>,
    /// What the model makes of API users' texts.
    pub reader: ModelReader,
    chain: LocalChain,
    validator_uid: Uid,
    block_time: Duration,
    overseer: Overseer,
    stoppers: Vec<ServerStopper>,
}

/// What the miners of this process have in common.
struct Host<'a> {
    settings: &'a Settings,
    in_flight: usize,
    shared: &'a Shared,
    board: AnswerBoard,
    journal: Arc<dyn Journal>,
    failpoints: Failpoints,
}

/// Starts a local network. `seed` decides keys and all draws.
///
/// # Errors
/// If a model cannot be had, a port cannot be listened on or the ledger cannot be read.
pub async fn start(
    overseer: &Overseer,
    settings: &Settings,
    seed: u64,
    journal: Arc<dyn Journal>,
    ledger: Arc<dyn Ledger>,
) -> anyhow::Result<Localnet> {
    let external = resolved(&settings.localnet.external_miners).await?;
    let tools = tools::open_for_tasks(settings, &overseer.clock(), seed).await?;
    let model = model::open(settings, overseer).await?;
    let reader = gateway::model_reader(&model, settings);
    let own = key(seed, "validator")?;
    let own_hotkey = own.hotkey();
    let epoch_blocks = u64::from(settings.localnet.tempo) + 1;
    let watch = ChainWatchConfig { resync_blocks: 1, ..WATCH };
    let config = validator::config(
        settings,
        netuid(settings),
        seed,
        own_hotkey.clone(),
        watch,
        epoch_blocks,
    );
    // The validator's requests and every miner's can be under way at once.
    let in_flight = config.under_way();
    let askers = in_flight * (settings.localnet.miners.len() + 2);
    let failpoints = crashes(overseer, settings, seed);
    let shared = start_shared(overseer, model, tools, askers, &failpoints);

    let chain = LocalChain::new(chain_config(settings), overseer.clock())?;
    let coldkey = Coldkey::parse(key(seed, "owner")?.hotkey().as_str())?;
    let validator_uid = chain.register(own.hotkey(), coldkey.clone(), STAKE)?;
    let own_chain = with_outages(chain.handle(own.hotkey()), overseer, settings);
    let streaming = settings.neuron.streaming;
    let options = TransportOptions { allow_local: true, streaming, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(Arc::new(own), overseer.clock(), uuids, options);
    let parts = ValidatorParts {
        transport: Arc::new(transport),
        chain: own_chain,
        ledger,
        journal: Arc::clone(&journal),
        failpoints: failpoints.clone(),
    };
    let mut registered = Vec::new();
    for (n, kind) in settings.localnet.miners.iter().enumerate() {
        let keypair = key(seed, &format!("miner//{n}"))?;
        let uid = chain.register(keypair.hotkey(), coldkey.clone(), Tao(0.0))?;
        registered.push((*kind, uid, Arc::new(keypair)));
    }
    let mut admitted = Vec::new();
    for (hotkey, address) in external {
        let uid = chain.register(hotkey.clone(), coldkey.clone(), Tao(0.0)).map_err(|error| {
            Ended::new(Exit::Usage, format!("localnet.external_miners: {error}"))
        })?;
        admitted.push((hotkey, uid, address));
    }
    let mut topology = Topology::default();
    let validator = start_validator(overseer, config, parts, &shared, &mut topology)
        .map_err(|error| Ended::new(Exit::File, error))?;
    let mut net = Localnet {
        validator,
        miners: Vec::new(),
        hotkey: own_hotkey,
        topology: Arc::default(),
        model: Arc::clone(&shared.meter),
        reader,
        chain,
        validator_uid,
        block_time: settings.localnet.block_time,
        overseer: overseer.clone(),
        stoppers: Vec::new(),
    };
    let board = AnswerBoard::default();
    let host = Host { settings, in_flight, shared: &shared, board, journal, failpoints };
    for (kind, uid, keypair) in registered {
        net.add_miner(kind, uid, keypair, &host, &mut topology)?;
    }
    for (hotkey, uid, address) in admitted {
        net.publish(LocalMiner { kind: LocalKind::External, uid, hotkey }, address);
    }
    topology.check(in_flight)?;
    net.topology = Arc::new(topology);
    net.wait_for_miners().await?;
    Ok(net)
}

impl Localnet {
    fn add_miner(
        &mut self,
        kind: MinerKind,
        uid: Uid,
        keypair: Arc<Keypair>,
        host: &Host<'_>,
        topology: &mut Topology,
    ) -> anyhow::Result<()> {
        let settings = host.settings;
        let hotkey = keypair.hotkey();
        let address = if kind == MinerKind::Dead {
            DEAD
        } else {
            if kind == MinerKind::OpenAi {
                let message = "localnet.miners: `openai` is not for a local network, whose miners \
                               share one model; start it as `sn1 miner --miner.kind openai` and \
                               name it in localnet.external_miners";
                return Err(Ended::new(Exit::Usage, message).into());
            }
            let answers = miner::kind(kind, settings)?;
            let delay = settings.localnet.miner_delay;
            // Its one caller is the validator, with all of its users' rounds.
            let admission = Admission { requests_per_second: 0, ..miner::admission(settings) };
            let (_, admission) = watch::channel(Arc::new(admission));
            let mut config = miner::config(answers, delay, host.in_flight, settings, admission);
            config.suffix = format!(":{uid}");
            let started = self.overseer.clock().unix();
            let book = NonceBook::new(started, settings.axon.legacy_nonce);
            let parts = MinerParts {
                check: Arc::new(Mutex::new(Verifier::new(hotkey.clone(), book, None))),
                metagraph: self.validator.metagraph.clone(),
                board: Some(host.board.clone()),
                journal: Arc::clone(&host.journal),
                failpoints: host.failpoints.clone(),
            };
            let running = start_miner(&self.overseer, config, parts, host.shared, topology);
            let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            // Nobody but the validator asks, and all its users' rounds come from one address.
            let options = AxonOptions::default();
            let max_connections_per_address = options.max_connections;
            let options = AxonOptions { max_connections_per_address, ..options };
            let (address, stopper) = local_axon::serve(
                &self.overseer,
                free,
                keypair,
                options,
                local_axon::door(running),
            )?;
            self.stoppers.push(stopper);
            address
        };
        self.publish(LocalMiner { kind: LocalKind::Inside(kind), uid, hotkey }, address);
        Ok(())
    }

    /// Has a registered miner's address written on the chain.
    fn publish(&mut self, miner: LocalMiner, address: SocketAddr) {
        let chain = self.chain.handle(miner.hotkey.clone());
        self.overseer.tasks().spawn("serve_axon", async move {
            if let Err(error) = chain.serve_axon(address).await {
                tracing::error!(%error, "an axon's address is not on the chain");
            }
        });
        self.miners.push(miner);
    }

    /// Waits until the validator sees every miner's address on the chain.
    async fn wait_for_miners(&self) -> anyhow::Result<()> {
        let mut metagraph = self.validator.metagraph.clone();
        let wanted = self.miners.len();
        let seen = metagraph.wait_for(|metagraph| {
            metagraph.neurons.iter().filter(|neuron| neuron.axon.is_some()).count() >= wanted
        });
        let patience = self.block_time.saturating_mul(10).max(Duration::from_secs(10));
        tokio::select! {
            seen = seen => seen.map(|_| ()).context("the chain watch is gone"),
            () = self.overseer.clock().sleep(patience) => {
                anyhow::bail!("the miners' addresses were not on the chain within {patience:?}")
            }
        }
    }

    /// Sets the weights for the end of a run, waiting for the chain's rate limit if it must.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn set_weights(&self) -> anyhow::Result<WeightsOnChain> {
        for _ in 0..3 {
            let wait = match validator::set_weights_once(&self.validator).await {
                Err(SetError::Chain(ChainError::TooSoon { wait })) => wait,
                Err(SetError::Skipped(_)) => 1,
                outcome => return Ok(outcome?),
            };
            let blocks = u32::try_from(wait).unwrap_or(u32::MAX);
            self.overseer.clock().sleep(self.block_time.saturating_mul(blocks)).await;
        }
        anyhow::bail!("the chain's rate limit did not let the weights through")
    }

    /// The share of each miner in the weights on chain.
    #[must_use]
    pub fn weights(&self) -> BTreeMap<Uid, f64> {
        let set = self.chain.weights_of(self.validator_uid);
        let sum: f64 = set.iter().map(|(_, value)| f64::from(*value)).sum();
        set.into_iter().map(|(uid, value)| (uid, f64::from(value) / sum)).collect()
    }

    /// Stops the miners' servers in good order.
    pub async fn stop(&self) {
        join_all(self.stoppers.iter().map(ServerStopper::stop)).await;
    }
}

/// Where external miners are.
async fn resolved(miners: &[ExternalMiner]) -> Result<Vec<(Hotkey, SocketAddr)>, Ended> {
    let mut all = Vec::with_capacity(miners.len());
    for miner in miners {
        let address = resolve(&miner.place).await.map_err(|error| {
            let message = format!(
                "localnet.external_miners: {} cannot be resolved: {error}; an IP address needs no \
                 resolving",
                miner.place
            );
            Ended::new(Exit::Usage, message)
        })?;
        all.push((miner.hotkey.clone(), address));
    }
    Ok(all)
}

/// Actors crash as often as the settings want.
fn crashes(overseer: &Overseer, settings: &Settings, seed: u64) -> Failpoints {
    let every = settings.localnet.crash_every;
    if every.is_zero() {
        return Failpoints::default();
    }
    Failpoints::crashing(every, overseer.clock(), ChaCha8Rng::seed_from_u64(seed))
}

/// The validator's chain is away as often as the settings want.
fn with_outages(chain: Arc<dyn Chain>, overseer: &Overseer, settings: &Settings) -> Arc<dyn Chain> {
    let localnet = &settings.localnet;
    let outages = Outages { between: localnet.outage_every, lasting: localnet.outage };
    if outages.lasting.is_zero() {
        return chain;
    }
    Arc::new(Flapping::new(chain, outages, overseer.clock()))
}

fn key(seed: u64, name: &str) -> anyhow::Result<Keypair> {
    Keypair::from_dev_uri(&format!("//localnet//{seed}//{name}")).context("a key for the local net")
}

/// The subnet's number, which means nothing to anybody else.
#[must_use]
pub fn netuid(settings: &Settings) -> Netuid {
    Netuid(settings.netuid.unwrap_or(1))
}

fn chain_config(settings: &Settings) -> LocalChainConfig {
    LocalChainConfig {
        netuid: netuid(settings),
        block_time: settings.localnet.block_time,
        hyperparameters: Hyperparameters {
            tempo: settings.localnet.tempo,
            weights_rate_limit: 5,
            min_allowed_weights: 1,
            max_weight_limit: u16::MAX,
            weights_version: 0,
        },
        ..LocalChainConfig::default()
    }
}
