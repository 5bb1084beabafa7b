//! A validator: its actors on a chain, its own or the real one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sn1_actors::chain_watch::ChainWatchConfig;
use sn1_actors::dendrite::DendriteConfig;
use sn1_actors::domain::{Hotkey, Netuid, RunSeed, Tao};
use sn1_actors::model_worker::meter::ModelMeter;
use sn1_actors::organic::{OrganicConfig, SLACK};
use sn1_actors::persona_agent::PersonaAgentConfig;
use sn1_actors::ports::{Chain, ChainError, Clock, Journal, Ledger, ScoreBook, in_time};
use sn1_actors::runtime::{Failpoints, Overseer, Topology};
use sn1_actors::task_maker::TaskMakerConfig;
use sn1_actors::task_maker::tasks::TaskKind;
use sn1_actors::weight_setter::{
    ColdStart, SetError, SetWeights, Standings, WeightSetterConfig, WeightsOnChain,
};
use sn1_actors::wiring::{
    ScoringConfig, Validator, ValidatorConfig, ValidatorParts, start_shared, start_validator,
};

use super::joining::WATCH;
use super::{gateway, model, sampling, tools};
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::gateway::ModelReader;
use crate::wire::{HttpTransport, Keypair, TransportOptions, UuidSource};

/// How long a text of the validator's may take: a model on a CPU has long queues.
const TEXT_PATIENCE: Duration = Duration::from_secs(600);
/// How long any answer of the chain may take; what is sent must be final by then, or is looked for
/// at the next block.
const CHAIN_PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries to set the last weights while something else is under way.
const AGAIN: Duration = Duration::from_secs(3);

/// How a validator with these settings works. Weights are due `epoch_blocks` after the last.
#[must_use]
pub fn config(
    settings: &Settings,
    netuid: Netuid,
    seed: u64,
    own: Hotkey,
    chain_watch: ChainWatchConfig,
    epoch_blocks: u64,
) -> ValidatorConfig {
    let sampling = sampling(settings);
    ValidatorConfig {
        seed: RunSeed(seed),
        in_flight: settings.neuron.num_concurrent_forwards,
        tasks: TaskMakerConfig {
            kinds: settings.neuron.task_mix.clone(),
            sampling,
            context_patience: Duration::from_secs(30),
            text_patience: TEXT_PATIENCE,
        },
        persona: PersonaAgentConfig {
            cast: settings.persona.cast(),
            goal: settings.persona.goal(),
            max_turns: settings.persona.max_turns,
            sampling,
            patience: TEXT_PATIENCE,
        },
        dendrite: DendriteConfig {
            sample_size: settings.neuron.sample_size,
            timeout: settings.neuron.timeout,
            vpermit_tao_limit: Tao(settings.neuron.vpermit_tao_limit as f64),
            unique_coldkeys: settings.neuron.query_unique_coldkeys,
            unique_ips: settings.neuron.query_unique_ips,
            own,
            rhythm: rhythm(settings),
        },
        scoring: ScoringConfig {
            closing: settings.closing(),
            embedder: model::embedder(settings).to_owned(),
            embed_patience: TEXT_PATIENCE,
        },
        weights: WeightSetterConfig {
            netuid,
            alpha: settings.neuron.moving_average_alpha,
            version_key: settings.weights.spec_version,
            disabled: settings.neuron.disable_set_weights,
            epoch_blocks,
            cold_start: ColdStart {
                min_steps: settings.weights.min_steps,
                min_scored_fraction: settings.weights.min_scored_fraction,
            },
            patience: CHAIN_PATIENCE,
        },
        chain_watch,
        organic: organic(settings),
    }
}

/// The time from one round to the next: without users there is nobody to hide.
fn rhythm(settings: &Settings) -> Duration {
    let gateway = &settings.gateway;
    if gateway.enabled { gateway.rhythm } else { Duration::ZERO }
}

/// How API users' queries are taken, if they are.
fn organic(settings: &Settings) -> Option<OrganicConfig> {
    let gateway = &settings.gateway;
    let kind = TaskKind::named("generic_instruction")?;
    gateway.enabled.then(|| OrganicConfig {
        in_flight: gateway.in_flight,
        rounds: gateway.rounds,
        scored: gateway.scored,
        choose: gateway.choose,
        log_texts: gateway.log_texts,
        kind,
        measures: settings.tasks.measures(kind),
    })
}

/// What a validator on a real chain works with.
pub struct Outside {
    /// Who it is.
    pub keypair: Arc<Keypair>,
    /// Which subnet it is on.
    pub netuid: Netuid,
    /// The chain, on its behalf.
    pub chain: Arc<dyn Chain>,
    /// Whether miners may be at addresses of this machine and its network: not on a public one.
    pub allow_local: bool,
    /// What happens.
    pub journal: Arc<dyn Journal>,
    /// Keeps the scores.
    pub ledger: Arc<dyn Ledger>,
}

/// A validator on a real chain.
pub struct Running {
    /// Its actors.
    pub validator: Validator,
    /// Who sends what to whom.
    pub topology: Arc<Topology>,
    /// What the model did.
    pub model: Arc<ModelMeter>,
    /// What the model makes of API users' texts.
    pub reader: ModelReader,
}

/// Starts a validator, which does nothing before its pacer runs.
///
/// # Errors
/// If its model cannot be had or its scores cannot be read.
pub async fn start(
    overseer: &Overseer,
    settings: &Settings,
    seed: u64,
    outside: Outside,
) -> anyhow::Result<Running> {
    let Outside { keypair, netuid, chain, allow_local, journal, ledger } = outside;
    let in_flight = settings.neuron.num_concurrent_forwards;
    let tools = tools::open_for_tasks(settings, &overseer.clock(), seed).await?;
    let model = model::open(settings, overseer).await?;
    let reader = gateway::model_reader(&model, settings);
    let own = keypair.hotkey();
    let config = config(settings, netuid, seed, own, WATCH, settings.neuron.epoch_length);
    let under_way = config.under_way();
    let failpoints = Failpoints::default();
    let shared = start_shared(overseer, model, tools, in_flight + under_way, &failpoints);
    let streaming = settings.neuron.streaming;
    let options = TransportOptions { allow_local, streaming, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(keypair, overseer.clock(), uuids, options);
    let parts =
        ValidatorParts { transport: Arc::new(transport), chain, ledger, journal, failpoints };
    let mut topology = Topology::default();
    let validator = start_validator(overseer, config, parts, &shared, &mut topology)
        .map_err(|error| Ended::new(Exit::File, error))?;
    topology.check(under_way)?;
    let topology = Arc::new(topology);
    Ok(Running { validator, topology, model: Arc::clone(&shared.meter), reader })
}

/// Waits until no conversation is under way.
pub async fn drained(validator: &Validator) {
    let mut tally = validator.log.tally();
    while validator.credits.out() > 0 {
        let _ = tally.changed().await;
    }
}

/// Takes no more users' queries, and waits until those under way are answered and scored, for as
/// long as their miners may take. Gives whether they all are.
pub async fn users_drained(clock: &dyn Clock, validator: &Validator, timeout: Duration) -> bool {
    validator.organic_log.want(Some(0));
    let mut tally = validator.organic_log.tally();
    let ended = tally.wait_for(|tally| tally.under_way() == 0);
    in_time(clock, timeout.saturating_add(SLACK), ended).await.is_some()
}

/// How everyone stands.
///
/// # Errors
/// If the weight setter is gone.
pub async fn standings(validator: &Validator) -> anyhow::Result<ScoreBook> {
    let port = &validator.standings;
    let standings = port.ask_again(Standings, port.within(Duration::from_secs(30))).await;
    standings.context("the weight setter does not say how everyone stands")
}

/// Sets the weights now, whether they are due or not.
///
/// # Errors
/// Why there are none.
pub async fn set_weights_once(validator: &Validator) -> Result<WeightsOnChain, SetError> {
    let port = &validator.set_weights;
    let asked = port.ask_again(SetWeights, port.within(2 * CHAIN_PATIENCE)).await;
    asked.unwrap_or_else(|error| Err(ChainError::Unreachable(error.to_string()).into()))
}

/// Sets the weights once more before the end. A reveal that is under way is waited for; a setting
/// that is under way and gets on chain is the last one.
///
/// # Errors
/// If the weight setter is gone. Why there are no weights is in the result.
pub async fn set_weights_last(
    overseer: &Overseer,
    validator: &Validator,
) -> anyhow::Result<Result<(), SetError>> {
    let clock = overseer.clock();
    let began = clock.now();
    let before = standings(validator).await?.weights_set;
    loop {
        let skipped = match set_weights_once(validator).await {
            Ok(set) => {
                tracing::info!(block = %set.block, "weights set at the end");
                return Ok(Ok(()));
            }
            Err(error @ SetError::Skipped(_)) => error,
            Err(error) => return Ok(Err(error)),
        };
        settled(overseer, validator).await?;
        if standings(validator).await?.weights_set != before {
            return Ok(Ok(()));
        }
        if clock.now().since(began) >= CHAIN_PATIENCE {
            return Ok(Err(skipped));
        }
        clock.sleep(AGAIN).await;
    }
}

/// Waits until no weight setting is under way, or for long enough.
async fn settled(overseer: &Overseer, validator: &Validator) -> anyhow::Result<()> {
    let clock = overseer.clock();
    let began = clock.now();
    while standings(validator).await?.intent.is_some() && clock.now().since(began) < CHAIN_PATIENCE
    {
        clock.sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FlagValue, FlagValues, Inputs, Role};

    #[test]
    fn rounds_go_out_in_a_rhythm_where_there_are_users_to_hide() {
        let rhythm_of = |enabled: &str| {
            let flag = FlagValue { key: "gateway.enabled".into(), values: vec![enabled.into()] };
            let flags = FlagValues { overlays: Vec::new(), values: vec![flag] };
            let inputs = Inputs { flags, home: Some("/home/u".into()), ..Inputs::default() };
            rhythm(&Settings::load(Role::Validator, &inputs).unwrap().settings)
        };
        assert_eq!(rhythm_of("true"), Duration::from_secs(1));
        assert_eq!(rhythm_of("false"), Duration::ZERO);
    }
}
