//! The settings as the wiring uses them: one field a key in use, typed, and known to be valid.
//!
//! Every role has every field, so that code shared by roles takes the part it needs; a field that
//! the role does not use holds the default of a role that does.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use figment::Figment;
use serde::{Deserialize, Deserializer};
use sn1_actors::task_maker::TaskShare;

use super::flags::FlagValues;
use super::keys::Role;
use super::layers::Layers;
use super::origin::{Origins, Place};
use super::problem::{ConfigErrors, Problem, ProblemKind, Warning};
use crate::engine::{Dtype, Precision};

mod check;
mod console;
mod external_miner;
mod gateway;
mod logging;
mod miner;
mod persona;
mod rewards;
mod subtensor;
mod tasks;
mod tools;
mod wandb;

pub use check::is_file_name;
pub use console::{Console, Health};
pub use external_miner::ExternalMiner;
pub use gateway::Gateway;
pub use logging::{LogFormat, Logging};
pub use miner::{Blacklist, Miner, MinerKind, OpenAi};
pub use persona::Persona;
pub use rewards::Rewards;
pub use subtensor::{NETWORKS, Subtensor};
pub use tasks::TaskMeasures;
pub use tools::{SourceName, Tools};
pub use wandb::Wandb;

/// What the configuration is read from, besides the files.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The environment; names other than `SN1_…` are skipped.
    pub environment: Vec<(String, String)>,
    /// Folders that are searched for `<role>.toml`; the first that has it is taken.
    pub search: Vec<PathBuf>,
    /// What `~/` stands for.
    pub home: Option<PathBuf>,
    /// The flags, with the files of `--config`.
    pub flags: FlagValues,
}

impl Inputs {
    /// The environment of this process, and `./config`, `~/.config/sn1` and `/etc/sn1`. To be
    /// called once, by `main`.
    #[must_use]
    pub fn from_process(flags: FlagValues) -> Self {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut search = vec![PathBuf::from("config")];
        search.extend(home.iter().map(|home| home.join(".config/sn1")));
        search.push(PathBuf::from("/etc/sn1"));
        let environment =
            std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { environment, search, home, flags }
    }
}

/// Settings, and how they came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    /// Where each came from.
    pub origins: Origins,
    /// What has no effect; to be logged once.
    pub warnings: Vec<Warning>,
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Number of the subnet; `None` is none yet.
    #[serde(default)]
    pub netuid: Option<u16>,
    /// Seed, length and summary of the run.
    #[serde(default)]
    pub run: Run,
    /// The event log.
    pub journal: Journal,
    /// Model files.
    #[serde(default)]
    pub models: Models,
    /// The validator's and the models' settings.
    pub neuron: Neuron,
    /// Who asks, and how long.
    pub persona: Persona,
    /// What a step's answers earn beside each other.
    pub rewards: Rewards,
    /// From when on weights are set.
    pub weights: Weights,
    /// What is allowed on a public network although it is no good there.
    pub public: Public,
    /// How the answers to each kind of task are measured.
    #[serde(skip)]
    pub tasks: TaskMeasures,
    /// Where and how the models run.
    pub engine: Engine,
    /// Where contexts come from.
    pub tools: Tools,
    /// What `sn1 miner` answers with.
    pub miner: Miner,
    /// What an `openai` miner asks.
    pub openai: OpenAi,
    /// Whom a miner refuses.
    pub blacklist: Blacklist,
    /// The door for API users.
    pub gateway: Gateway,
    /// Where a run can be looked at.
    pub console: Console,
    /// When it is not ready.
    pub health: Health,
    /// Runs for Weights & Biases.
    pub wandb: Wandb,
    /// The local network.
    pub localnet: Localnet,
    /// Which keys to sign with.
    pub wallet: Wallet,
    /// Which chain to join.
    #[serde(default)]
    pub subtensor: Subtensor,
    /// Where to listen.
    pub axon: AxonSettings,
    /// Logs and state folder.
    pub logging: Logging,
}

/// `run.*`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Seed of every random draw; `None` is to be drawn from entropy.
    pub seed: Option<u64>,
    /// Steps after which to stop, from 1; `None` is endless.
    pub steps: Option<u64>,
    /// File for a JSON summary.
    pub summary: Option<PathBuf>,
}

/// `journal.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The JSONL file; `None` writes none.
    pub file: Option<PathBuf>,
    /// Size in bytes at which a new file begins.
    pub max_bytes: u64,
}

/// `models.*`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    /// Folder of model files; `None` is the cache's usual place.
    pub dir: Option<PathBuf>,
}

/// `neuron.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neuron {
    /// Last part of the state folder.
    pub name: String,
    tasks: Vec<String>,
    task_p: Vec<f64>,
    /// The task kinds that are asked, each once, with probabilities above 0 that sum to 1: what
    /// `neuron.tasks` and `neuron.task_p` come to.
    #[serde(skip)]
    pub task_mix: Vec<TaskShare>,
    /// How long a miner has to answer; above 0.
    #[serde(deserialize_with = "seconds")]
    pub timeout: Duration,
    /// Conversations in flight at a time, from 1.
    pub num_concurrent_forwards: usize,
    /// Miners asked in one step, from 1.
    pub sample_size: usize,
    /// Weight of a new score in the moving average, above 0 to 1.
    pub moving_average_alpha: f64,
    /// Blocks between two settings of weights, from 1.
    pub epoch_length: u64,
    /// Score, but set no weights; commits that were made before are still revealed.
    pub disable_set_weights: bool,
    /// Do not publish an axon on chain.
    pub axon_off: bool,
    /// Stake in TAO above which a neuron with a validator permit is not asked.
    pub vpermit_tao_limit: u64,
    /// Ask one hotkey a coldkey in one step.
    pub query_unique_coldkeys: bool,
    /// Ask one hotkey an IP address in one step.
    pub query_unique_ips: bool,
    /// Ask miners by the streaming synapse.
    pub streaming: bool,
    /// Name of the text model.
    pub model_id: String,
    /// Name of the embedding model.
    pub embedder_id: String,
    /// Where models run.
    #[serde(deserialize_with = "device")]
    pub device: Device,
    /// Most tokens in one generated text, from 1.
    pub max_tokens: usize,
    /// Sampling temperature; 0 takes the likeliest token.
    pub temperature: f64,
    /// Sample among this many likeliest tokens; 0 is all.
    pub top_k: usize,
    /// Sample among the likeliest tokens up to this probability, above 0 to 1.
    pub top_p: f64,
    /// System prompt of a miner's model.
    pub system_prompt: String,
    /// What a phrase miner says.
    pub phrase: String,
}

/// Where models run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// On the processor.
    Cpu,
    /// On the CUDA device of that number.
    Cuda(usize),
}

impl Device {
    /// Whether this build can compute on a CUDA device.
    pub const HAS_CUDA: bool = cfg!(feature = "cuda");

    /// `cpu`, `cuda` (the first device) or `cuda:N`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            // Only digits: `parse` alone would take a sign too.
            _ => text
                .strip_prefix("cuda:")
                .filter(|number| number.bytes().all(|letter| letter.is_ascii_digit()))
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda),
        }
    }
}

/// `weights.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Scored steps before the first weights after a start from nothing.
    pub min_steps: u64,
    /// The part of the miners that must have a score before, from 0 to 1.
    pub min_scored_fraction: f64,
    /// The version that weights are set as.
    pub spec_version: u64,
}

/// `public.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// A validator with a model too weak to judge by.
    pub allow_small_model: bool,
    /// A validator whose contexts miners can learn by heart.
    pub allow_embedded_corpus: bool,
    /// A key that everybody knows.
    pub allow_development_keys: bool,
}

/// `engine.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// How exactly the text model computes on the processor.
    #[serde(deserialize_with = "precision")]
    pub precision: Precision,
    /// Threads on the processor, from 1; `None` is one for each core.
    pub threads: Option<usize>,
    /// Positions in the KV cache, all sequences together; at least one block.
    pub kv_tokens: u32,
    /// Whether prompts that begin with the same tokens share keys and values.
    pub prefix_cache: bool,
    /// Texts written at a time, from 1.
    pub max_sequences: u32,
    /// Prompt tokens read in one step, from 1.
    pub prefill_tokens: usize,
    /// The numbers that the text model computes with on a CUDA device.
    #[serde(deserialize_with = "dtype")]
    pub dtype: Dtype,
    /// Base addresses of model servers, each `http://` or `https://`; without any, the text model
    /// runs on this machine.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub servers: Vec<String>,
    /// Name of the text model on the servers; `None` is the only one that they have.
    pub server_model: Option<String>,
    /// Requests at a time to one server, from 1.
    pub server_in_flight: usize,
    /// Name of the environment variable that holds the servers' key; never the key itself.
    pub server_key_env: Option<String>,
}

/// The names in configuration of how exactly a model computes.
pub const PRECISIONS: &[(&str, Precision)] =
    &[("faithful", Precision::Faithful), ("fast", Precision::Fast), ("f32", Precision::F32)];

/// The names in configuration of the numbers that a model computes with on a CUDA device.
pub const DTYPES: &[(&str, Dtype)] =
    &[("auto", Dtype::Auto), ("f32", Dtype::F32), ("bf16", Dtype::Bf16), ("f16", Dtype::F16)];

/// `localnet.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localnet {
    /// One miner for each; at least one.
    pub miners: Vec<MinerKind>,
    /// Miners of other processes that are admitted; no hotkey twice.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub external_miners: Vec<ExternalMiner>,
    /// How long each miner waits before it answers.
    #[serde(deserialize_with = "seconds")]
    pub miner_delay: Duration,
    /// Time from block to block; above 0.
    #[serde(deserialize_with = "seconds")]
    pub block_time: Duration,
    /// Blocks between two settings of weights, from 1.
    pub tempo: u16,
    /// How often an actor is made to crash, on average; never where it is zero.
    #[serde(deserialize_with = "seconds")]
    pub crash_every: Duration,
    /// How long the chain is away in each outage; there are none where it is zero.
    #[serde(deserialize_with = "seconds")]
    pub outage: Duration,
    /// How long the chain is there before each outage.
    #[serde(deserialize_with = "seconds")]
    pub outage_every: Duration,
}

/// `wallet.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// Name of the coldkey.
    pub name: String,
    /// Name of the hotkey.
    pub hotkey: String,
    /// Folder of the wallets.
    pub path: PathBuf,
    /// File with the password of an encrypted key; `None` takes the SDK's variable or asks.
    pub password_file: Option<PathBuf>,
}

/// `axon.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxonSettings {
    /// Address to listen on.
    pub ip: IpAddr,
    /// Port to listen on, from 1.
    pub port: u16,
    /// Address to publish; `None` is to be found out.
    pub external_ip: Option<IpAddr>,
    /// Port to publish, from 1; `None` is `port`.
    pub external_port: Option<u16>,
    /// Requests answered at a time, from 1.
    pub max_workers: usize,
    /// Serve callers whose SDK is older than 7.2.
    pub legacy_nonce: bool,
    /// Connections at a time, from 1.
    pub max_connections: usize,
    /// Connections of one address at a time, from 1.
    pub max_connections_per_address: usize,
    /// Requests a second of one registered hotkey; 0 is no limit.
    pub requests_per_second: u32,
}

impl Settings {
    /// Reads every layer for a role.
    ///
    /// # Errors
    /// Every problem of every layer, in the order of the layers, and then what does not go
    /// together in the result.
    pub fn load(role: Role, inputs: &Inputs) -> Result<Loaded, ConfigErrors> {
        let Layers { entries, mut problems, warnings, task_measures, .. } =
            Layers::read(role, inputs);
        let figment = entries.iter().fold(Figment::new(), Figment::merge);
        let task_mix = check::all(&figment, role, &task_measures, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigErrors(problems));
        }
        // The checks leave nothing for this to refuse; if one was forgotten, it still has to say
        // what and where.
        let mut settings: Self = figment.extract().map_err(|errors| {
            ConfigErrors(errors.into_iter().map(|error| refused(&figment, &error)).collect())
        })?;
        let origins = Origins::of(&figment, role, &task_measures);
        settings.neuron.task_mix = task_mix;
        settings.tasks = task_measures;
        Ok(Loaded { settings, origins, warnings })
    }
}

fn refused(figment: &Figment, error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    let kind = ProblemKind::Inconsistent(format!("`{key}`: {}", error.kind));
    Problem { place: Place::of(figment, &key), kind }
}

fn device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Device, D::Error> {
    let name = String::deserialize(deserializer)?;
    Device::parse(&name).ok_or_else(|| serde::de::Error::custom("no such device"))
}

fn precision<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Precision, D::Error> {
    named(PRECISIONS, &String::deserialize(deserializer)?)
}

fn dtype<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Dtype, D::Error> {
    named(DTYPES, &String::deserialize(deserializer)?)
}

fn named<T: Copy, E: serde::de::Error>(known: &[(&str, T)], name: &str) -> Result<T, E> {
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| E::custom("no such name"))
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

fn none_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
