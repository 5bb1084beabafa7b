//! A miner on its own: an axon with an assistant behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::assistant::{AssistantConfig, Kind};
use sn1_actors::axon::{Admission, Admit, AxonConfig, Blacklist};
use sn1_actors::domain::{Hotkey, Metagraph, Netuid, Tao};
use sn1_actors::model_worker::meter::ModelMeter;
use sn1_actors::ports::Journal;
use sn1_actors::runtime::{Failpoints, Overseer, Port, Topology};
use sn1_actors::wiring::{MinerConfig, MinerParts, ModelParts, start_miner, start_shared};
use tokio::sync::watch;

use super::{axon_options, local_axon, model, openai, sampling, state_folder, tools};
use crate::config::{MinerKind, Settings, settings};
use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::wire::{Keypair, MarksFile, NonceBook, Verifier, ss58};

/// What an assistant answers with.
///
/// # Errors
/// If the kind answers nothing: only a local network has dead miners.
pub fn kind(kind: MinerKind, settings: &Settings) -> Result<Kind, Ended> {
    Ok(match kind {
        MinerKind::Model => Kind::Model,
        MinerKind::Agent => Kind::Agent,
        MinerKind::Slow => Kind::Slow,
        MinerKind::Copier => Kind::Copier,
        MinerKind::Echo => Kind::Echo,
        MinerKind::Phrase => Kind::Phrase(settings.neuron.phrase.clone()),
        // What differs is where its texts are written.
        MinerKind::OpenAi => Kind::Model,
        MinerKind::Mock => {
            Kind::Mock { delay: settings.miner.mock_delay, failures: settings.miner.mock_failures }
        }
        MinerKind::Dead => {
            let message = "miner.kind = `dead` answers nothing: it is for localnet.miners only";
            return Err(Ended::new(Exit::Usage, message));
        }
    })
}

/// Refuses the kinds that only a local network has.
///
/// # Errors
/// If a miner on its own would answer nothing by that kind.
pub fn works_alone(kind: MinerKind) -> Result<(), Ended> {
    let cause = match kind {
        MinerKind::Copier => "copies the other miners of its process, and here are none",
        MinerKind::Dead => "answers nothing",
        MinerKind::Model
        | MinerKind::Agent
        | MinerKind::OpenAi
        | MinerKind::Echo
        | MinerKind::Phrase
        | MinerKind::Mock
        | MinerKind::Slow => return Ok(()),
    };
    let kind = kind.as_str();
    let message = format!(
        "miner.kind = `{kind}` {cause}: it is for localnet.miners only; take another kind, as `agent`"
    );
    Err(Ended::new(Exit::Usage, message))
}

/// How one miner works, as configured. Whom it lets in may change later.
#[must_use]
pub fn config(
    kind: Kind,
    delay: Duration,
    in_flight: usize,
    settings: &Settings,
    admission: watch::Receiver<Arc<Admission>>,
) -> MinerConfig {
    MinerConfig {
        suffix: String::new(),
        axon: AxonConfig { admission, in_flight, waiting: 256 },
        assistant: AssistantConfig {
            kind,
            system_prompt: settings.neuron.system_prompt.clone(),
            sampling: sampling(settings),
            delay,
        },
    }
}

/// Whom a miner lets in, as configured.
#[must_use]
pub fn admission(settings: &Settings) -> Admission {
    Admission {
        blacklist: blacklist(&settings.blacklist),
        requests_per_second: settings.axon.requests_per_second,
    }
}

/// Whom it does not serve, as configured.
fn blacklist(keys: &settings::Blacklist) -> Blacklist {
    // The configuration was refused if one of them were no hotkey.
    // Callers spell them in one way, whatever was written there.
    let hotkey = |text: &String| Hotkey::parse(&ss58::encode(&ss58::decode(text).ok()?)).ok();
    let hotkeys = |texts: &[String]| texts.iter().filter_map(hotkey).collect();
    #[expect(clippy::cast_precision_loss, reason = "no limit comes near 2^53 TAO")]
    let min_stake = Tao(keys.min_stake as f64);
    Blacklist {
        allow_non_registered: keys.allow_non_registered,
        force_validator_permit: keys.force_validator_permit,
        min_stake,
        hotkeys: hotkeys(&keys.hotkeys),
        allow_hotkeys: hotkeys(&keys.allow_hotkeys),
    }
}

/// A miner that serves.
pub struct Serving {
    /// Where.
    pub address: SocketAddr,
    /// What stops it.
    pub stopper: ServerStopper,
    /// Where requests go in; those in it wait for their answers.
    pub admit: Port<Admit>,
    /// Whom it lets in from now on, where its operator thinks better of it.
    pub admission: watch::Sender<Arc<Admission>>,
    /// Who sends what to whom.
    pub topology: Arc<Topology>,
    /// What the model did.
    pub model: Arc<ModelMeter>,
}

/// The name of the model that writes a miner's answers; none where nothing needs to.
#[must_use]
pub fn model_id(settings: &Settings) -> Option<&str> {
    match settings.miner.kind {
        MinerKind::Model | MinerKind::Agent | MinerKind::Slow => Some(&settings.neuron.model_id),
        MinerKind::OpenAi => Some(&settings.openai.model_name),
        MinerKind::Echo
        | MinerKind::Phrase
        | MinerKind::Mock
        | MinerKind::Copier
        | MinerKind::Dead => None,
    }
}

/// Starts a miner on a subnet as `metagraph` shows it; without a chain that stays empty.
///
/// # Errors
/// If its model cannot be had, its replay marks cannot be kept or its address cannot be listened on.
pub async fn start(
    overseer: &Overseer,
    settings: &Settings,
    netuid: Netuid,
    keypair: Arc<Keypair>,
    metagraph: watch::Receiver<Arc<Metagraph>>,
    journal: Arc<dyn Journal>,
) -> anyhow::Result<Serving> {
    let in_flight = settings.axon.max_workers;
    let folder = state_folder(settings, netuid, &keypair.hotkey());
    let tools = tools::open(settings, &overseer.clock()).await?;
    let parts = text_source(settings, &folder, overseer).await?;
    let kind = kind(settings.miner.kind, settings)?;
    let failpoints = Failpoints::default();
    let shared = start_shared(overseer, parts, tools, in_flight, &failpoints);
    let started = overseer.clock().unix();
    let mut book = NonceBook::new(started, settings.axon.legacy_nonce);
    let marks = folder.join("nonces.jsonl");
    let marks = MarksFile::open(&marks, &mut book, started)
        .map_err(|error| Ended::new(Exit::File, error))?;
    let verifier = Verifier::new(keypair.hotkey(), book, Some(marks));
    let parts = MinerParts {
        check: Arc::new(Mutex::new(verifier)),
        metagraph,
        board: None,
        journal,
        failpoints,
    };
    let (admission, admitted) = watch::channel(Arc::new(admission(settings)));
    let config = config(kind, Duration::ZERO, in_flight, settings, admitted);
    let mut topology = Topology::default();
    let miner = start_miner(overseer, config, parts, &shared, &mut topology);
    let address = SocketAddr::from((settings.axon.ip, settings.axon.port));
    let options = axon_options(settings);
    let admit = miner.admit.clone();
    let door = local_axon::door(miner);
    let (address, stopper) = local_axon::serve(overseer, address, keypair, options, door)?;
    let (topology, model) = (Arc::new(topology), shared.meter);
    Ok(Serving { address, stopper, admit, admission, topology, model })
}

/// What writes the answers of the configured kind; the stand-in for those that need nobody to.
async fn text_source(
    settings: &Settings,
    folder: &Path,
    overseer: &Overseer,
) -> anyhow::Result<ModelParts> {
    match settings.miner.kind {
        MinerKind::Model | MinerKind::Agent | MinerKind::Slow => {
            model::open(settings, overseer).await
        }
        MinerKind::OpenAi => openai::open(settings, folder, overseer).await,
        MinerKind::Echo
        | MinerKind::Phrase
        | MinerKind::Mock
        | MinerKind::Copier
        | MinerKind::Dead => {
            let mut settings = settings.clone();
            model::FAKE.clone_into(&mut settings.neuron.model_id);
            model::open(&settings, overseer).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miner_on_its_own_is_of_no_kind_that_needs_a_local_network() {
        for kind in MinerKind::ALL {
            let told = works_alone(*kind).err().map(|ended| ended.message);
            match kind {
                MinerKind::Copier | MinerKind::Dead => {
                    let told = told.unwrap();
                    assert!(told.contains(kind.as_str()) && told.contains("localnet"), "{told}");
                }
                _ => assert_eq!(told, None),
            }
        }
    }
}
