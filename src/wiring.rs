//! Connects the actors with the world: which adapter stands behind which port.
//!
//! The graph itself is `sn1_actors::wiring`; here are the program's choices for it.

pub mod console;
pub mod gateway;
pub mod joining;
pub mod last_seen;
pub mod local_axon;
pub mod localnet;
pub mod miner;
pub mod model;
pub mod openai;
pub mod publish;
pub mod remote;
pub mod safety;
pub mod self_weights;
pub mod tools;
pub mod validator;
pub mod wandb;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{Hotkey, Netuid, Sampling};
use sn1_actors::ports::{Clock, TokioClock};

use crate::config::Settings;
use crate::wire::AxonOptions;

/// The clock of the real world.
#[must_use]
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::starting_now(unix_time))
}

/// The time since the Unix epoch by the machine's clock.
#[must_use]
pub fn unix_time() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// A name for a run that no other has; those of later runs come later in order.
#[must_use]
pub fn fresh_run_id() -> String {
    format!("{}-{:08x}", unix_time().as_secs(), rand::random::<u32>())
}

/// A seed from the machine's entropy: too many to be tried, and no more than a TOML file can say.
#[must_use]
pub fn fresh_seed() -> u64 {
    rand::random::<u64>() >> 1
}

/// How texts are sampled, as configured; the seed is set for each.
#[must_use]
pub fn sampling(settings: &Settings) -> Sampling {
    #[expect(clippy::cast_possible_truncation, reason = "probabilities and temperatures are small")]
    let (temperature, top_p) = (settings.neuron.temperature as f32, settings.neuron.top_p as f32);
    Sampling {
        temperature,
        top_k: settings.neuron.top_k,
        top_p,
        max_new_tokens: settings.neuron.max_tokens,
        ..Sampling::ORIGINAL
    }
}

/// The folder of all that a neuron keeps.
#[must_use]
pub fn state_folder(settings: &Settings, netuid: Netuid, hotkey: &Hotkey) -> PathBuf {
    settings
        .logging
        .logging_dir
        .join(&settings.wallet.name)
        .join(hotkey.as_str())
        .join(format!("netuid{netuid}"))
        .join(&settings.neuron.name)
}

/// Where a neuron's journal is: in its state folder unless the settings name a file.
#[must_use]
pub fn journal_path(settings: &Settings, netuid: Netuid, hotkey: &Hotkey) -> PathBuf {
    let path = settings.journal.file.clone();
    path.unwrap_or_else(|| state_folder(settings, netuid, hotkey).join("journal.jsonl"))
}

/// The bounds of a neuron's axon, as configured.
#[must_use]
pub fn axon_options(settings: &Settings) -> AxonOptions {
    AxonOptions {
        max_connections: settings.axon.max_connections,
        max_connections_per_address: settings.axon.max_connections_per_address,
        ..AxonOptions::default()
    }
}

/// A validator's settings with some flags, for tests.
#[cfg(test)]
fn validator_settings(flags: &[(&str, &str)]) -> Settings {
    use crate::config::{FlagValue, Inputs, Role};

    let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
    let flag = |(key, value): &(&str, &str)| FlagValue {
        key: (*key).into(),
        values: vec![(*value).into()],
    };
    inputs.flags.values = flags.iter().map(flag).collect();
    Settings::load(Role::Validator, &inputs).unwrap().settings
}
