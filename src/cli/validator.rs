//! `sn1 validator`: the incentive loop on a chain.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{ArgMatches, Command};
use sn1_actors::domain::{Hotkey, Metagraph, Neuron, Uid};
use sn1_actors::ports::{Event, Journal, ScoreBook};
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::Validator;

use super::notify::Notify;
use super::reload::{Hangups, Reload};
use super::signals::{AFTERWARDS, AtOnce, LAST_LOOK, Signals};
use super::steps::End;
use super::summary::{self, Ran, Summary};
use super::view::View;
use super::{development_key_flag, loaded, neuron, output, signing_key, steps};
use crate::config::{Loaded, Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::journal::JournalFile;
use crate::ledger::LedgerFile;
use crate::ledger::lock::InstanceLock;
use crate::running_server::ServerStopper;
use crate::tap::Tap;
use crate::telemetry::{Logs, Verbosity};
use crate::wandb::Wandb;
use crate::wire::Keypair;
use crate::wiring::console::{Console, Shown, Work};
use crate::wiring::gateway::{self, Gateway};
use crate::wiring::joining::{self, Joining};
use crate::wiring::publish::{Published, Whereabouts};
use crate::wiring::validator::{self, Outside, Running};
use crate::wiring::wandb::Subject;
use crate::wiring::{
    axon_options, fresh_seed, local_axon, safety, state_folder, system_clock, tools, unix_time,
    wandb,
};

pub(super) fn command() -> Command {
    let command = Command::new("validator")
        .about("Run a validator: ask miners, score them, set weights")
        .after_help(
            "Examples:\n  sn1 validator --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey validator1 --model zephyr-7b-beta --tools.contact ops@example.org\n  \
             sn1 validator --netuid 1 --subtensor.network local --uri //Alice --steps 10 \
             --tools.sources builtin,maths\n\nThere is \
             no default network: what costs or earns must be asked for. Weights are set unless \
             --neuron.disable_set_weights; `sn1 register` gives the hotkey a slot.",
        )
        .arg(development_key_flag());
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches, logs: &Logs) -> anyhow::Result<Exit> {
    let hangups = Hangups::watch()?;
    let loaded = loaded(Role::Validator, matches)?;
    let settings = &loaded.settings;
    let joining = checked(settings)?;
    if let Some(path) = &settings.run.summary {
        summary::check_writable(path)?;
    }
    let keypair = signing_key(matches, &loaded).await?;
    let kept = Kept::open(settings, &joining, &keypair)?;
    let seed = settings.run.seed.unwrap_or_else(fresh_seed);
    banner(settings, &joining, &kept)?;

    let wandb = open_wandb(&loaded, &joining, &kept)?;
    let tap = Tap::on(wandb::beside(wandb.as_ref(), &kept.journal), unix_time);
    let overseer = Overseer::new(system_clock(), Arc::new(tap.clone()));
    tap.record(Event::RunStarted { version: env!("CARGO_PKG_VERSION").into(), seed });
    let mut signals = Signals::watch()?;
    let reload = Reload::new(hangups, Role::Validator, matches, &loaded, Verbosity::Info, logs);
    reload.follow(&overseer, |_| {});
    let gateway = open_gateway(settings, &joining, &kept, &overseer)?;
    let console = Console::open(settings, &overseer, &tap)?;
    if let Some(console) = &console {
        output::line(&format!("console   http://{}/", console.address()))?;
    }
    let view = View::open("validator", seed, settings);
    let notify = Notify::from_process();
    let keypair = Arc::new(keypair);
    let started = start(&overseer, settings, &joining, keypair, seed, &kept, &tap, gateway);
    let (running, door) = tokio::select! {
        started = Box::pin(started) => started?,
        stop = signals.next() => return Ok(stop.before_work()),
        () = overseer.kill().dead() => return steps::ended(&overseer),
    };
    let asked = asked(&running.validator.metagraph.borrow(), &kept.hotkey);
    view.ready(&asked);
    if let Some(console) = &console {
        let shown = Shown {
            run_id: kept.journal.run_id().to_owned(),
            role: "validator",
            netuid: joining.netuid,
            hotkey: kept.hotkey.clone(),
            topology: &running.topology,
            model: &running.model,
            work: Work::Asks { validator: &running.validator, kinds: BTreeMap::new() },
        };
        console.show(&overseer, settings, &tap, shown);
    }
    let following = view.clone().follow(tap.window(), settings.run.steps, overseer.clock());
    overseer.tasks().spawn("view", following);

    notify.ready(&overseer);
    let began = overseer.clock().now();
    let (validator, door) = (&running.validator, door.as_ref());
    let end = steps::run(&overseer, validator, settings, &mut signals, &view, door).await?;
    notify.stopping();
    let End::InOrder(mut hurry) = end else { return Ok(Exit::Interrupted) };
    let clock = overseer.clock();
    let wall = clock.now().since(began);
    let weights = last_weights(&overseer, validator, settings);
    let first = |stop| view.say(&steps::stopping(stop, "the weights", AFTERWARDS));
    match hurry.heeding(&mut signals, AFTERWARDS, &*clock, first, weights).await {
        Err(AtOnce) => return Ok(Exit::Interrupted),
        Ok(Some(set)) => set?,
        Ok(None) => {
            tracing::warn!("there is no time to set weights at the end; the scores are kept");
        }
    }
    let book = hurry.within(LAST_LOOK, &*clock, validator::standings(validator)).await;
    view.close();
    let summary = book.transpose()?.map(|book| {
        warn_of_commits(&book);
        let metagraph = Arc::clone(&running.validator.metagraph.borrow());
        let ran = Ran {
            validator,
            topology: &running.topology,
            model: &running.model,
            miners: scored(&metagraph, &book),
            weights: tap.board().read(|standing| standing.current(&metagraph).weights),
        };
        Summary::of(ran, &overseer, &tap, &book, wall)
    });
    let places =
        format!("journal {}\nscores  {}", kept.journal_path.display(), kept.book.display());
    let told = summary::tell(summary, &places, settings.run.summary.as_deref());
    if let Some(console) = console {
        let _ = hurry.within(AFTERWARDS, &*clock, console.close(&overseer)).await;
    }
    steps::stop_actors(&overseer, validator).await;
    tap.record(Event::RunFinished { steps: validator.log.tally().borrow().steps });
    kept.journal.flush().map_err(|error| Ended::new(Exit::File, error))?;
    told?;
    Ok(Exit::Done)
}

/// Which subnet these settings join, unless a validator must not work as they say.
pub(super) fn checked(settings: &Settings) -> Result<Joining, Ended> {
    let joining = Joining::of(settings, "validator")?;
    if joining.endpoints.is_public() {
        safety::check(settings, joining.endpoints.network())?;
    }
    tools::check(settings)?;
    Ok(joining)
}

/// What is kept on disk, held by this process alone.
struct Kept {
    hotkey: Hotkey,
    journal: JournalFile,
    journal_path: PathBuf,
    ledger: Arc<LedgerFile>,
    book: PathBuf,
    _lock: InstanceLock,
}

impl Kept {
    fn open(settings: &Settings, joining: &Joining, keypair: &Keypair) -> Result<Self, Ended> {
        let hotkey = keypair.hotkey();
        let netuid = joining.netuid;
        let lock = InstanceLock::of_hotkey(&settings.logging.logging_dir, &hotkey, netuid)?;
        let book = state_folder(settings, netuid, &hotkey).join("scores.json");
        let ledger = LedgerFile::open(book.clone())?;
        let (journal, journal_path) = neuron::journal(settings, netuid, &hotkey)?;
        Ok(Self { hotkey, journal, journal_path, ledger: Arc::new(ledger), book, _lock: lock })
    }
}

/// Names what an operator must not be wrong about.
fn banner(settings: &Settings, joining: &Joining, kept: &Kept) -> anyhow::Result<()> {
    let weights = if settings.neuron.disable_set_weights { "OFF" } else { "ON" };
    output::line(&format!(
        "validator of {joining}\nhotkey    {}\nmodel     {}\nweights   {weights}\nscores    {}",
        kept.hotkey,
        settings.neuron.model_id,
        kept.book.display(),
    ))?;
    Ok(())
}

/// Begins to write runs for wandb, if they are wanted, and says where.
fn open_wandb(loaded: &Loaded, joining: &Joining, kept: &Kept) -> anyhow::Result<Option<Wandb>> {
    let opened = wandb::open(
        loaded,
        &Subject {
            run_id: kept.journal.run_id(),
            netuid: joining.netuid,
            hotkey: Some(&kept.hotkey),
            journal: &kept.journal_path,
        },
    )?;
    if opened.is_some() {
        let folder = wandb::folder(&loaded.settings, &kept.journal_path);
        output::line(&format!("wandb     {} (`wandb sync` sends it)", folder.display()))?;
    }
    Ok(opened)
}

/// Takes the gateway's port and reads its keys, and says what its operator has to know.
fn open_gateway(
    settings: &Settings,
    joining: &Joining,
    kept: &Kept,
    overseer: &Overseer,
) -> anyhow::Result<Option<Gateway>> {
    let folder = gateway::folder(settings, joining.netuid, &kept.hotkey);
    let Some(gateway) = Gateway::open(settings, &folder, overseer.clock())? else {
        return Ok(None);
    };
    let (keys, folder) = (gateway.keys_in_use(), folder.display());
    output::line(&format!("gateway   {}\nkeys      {folder} ({keys} in use)", gateway.base_url()))?;
    if keys == 0 {
        tracing::warn!(
            "the gateway has no key yet and lets nobody in; `sn1 gateway keys new --name NAME \
             --folder {folder}` makes one, and no restart is needed"
        );
    }
    if joining.endpoints.is_public() && !gateway.address().ip().is_loopback() {
        tracing::warn!(
            "the gateway is open to other machines on {} and has no TLS: keys and texts can be read \
             on their way, unless a proxy in front of it encrypts them",
            gateway.address()
        );
    }
    Ok(Some(gateway))
}

/// Says why miners may refuse what the gateway's users ask.
fn warn_of_refusals(own: &Neuron, settings: &Settings) {
    let least = settings.neuron.vpermit_tao_limit as f64;
    if !own.validator_permit {
        tracing::warn!(
            "miners may refuse the gateway's users, as uid {} has no validator permit",
            own.uid
        );
    } else if own.stake.0 < least {
        tracing::warn!(
            "miners may refuse the gateway's users, as uid {} has a stake of {} TAO, below {least}",
            own.uid,
            own.stake.0
        );
    }
}

/// Joins the chain and starts the actors; returns when the subnet is known.
#[expect(clippy::too_many_arguments, reason = "they are all that a validator is started with")]
async fn start(
    overseer: &Overseer,
    settings: &Settings,
    joining: &Joining,
    keypair: Arc<Keypair>,
    seed: u64,
    kept: &Kept,
    tap: &Tap,
    gateway: Option<Gateway>,
) -> anyhow::Result<(Running, Option<ServerStopper>)> {
    let chain = joining.join(overseer, Arc::clone(&keypair));
    let outside = Outside {
        keypair: Arc::clone(&keypair),
        netuid: joining.netuid,
        chain: Arc::clone(&chain),
        allow_local: !joining.endpoints.is_public(),
        journal: Arc::new(tap.clone()),
        ledger: Arc::clone(&kept.ledger) as _,
    };
    let running = validator::start(overseer, settings, seed, outside).await?;
    let clock = overseer.clock();
    let seen = running.validator.metagraph.clone();
    let own = joining::own_neuron(chain.as_ref(), clock.as_ref(), seen, &kept.hotkey).await?;
    if !own.validator_permit {
        tracing::warn!(
            "uid {} has no validator permit: the chain takes no weights from it, and miners may \
             refuse it; it needs more stake",
            own.uid
        );
    }
    if !settings.neuron.axon_off {
        let whereabouts = Whereabouts::of(settings, &joining.endpoints);
        let address = whereabouts.settled(clock.as_ref()).await?;
        let door = local_axon::closed("This neuron is a validator: it answers no queries.");
        let options = axon_options(settings);
        let listen = SocketAddr::from((settings.axon.ip, settings.axon.port));
        local_axon::serve(overseer, listen, keypair, options, door)?;
        let (metagraph, hotkey) = (running.validator.metagraph.clone(), kept.hotkey.clone());
        neuron::publish_axon(
            overseer,
            Published { chain, metagraph, hotkey, address, whereabouts },
        )?;
    }
    let mut door = None;
    if let Some(gateway) = gateway {
        warn_of_refusals(&own, settings);
        let organic = running.validator.ask_miners.clone();
        let organic = organic.context("the validator takes no queries")?;
        let reader = running.reader.clone();
        door = Some(gateway.serve(overseer, settings, joining.netuid, organic, reader)?);
    }
    Ok((running, door))
}

/// Sets the weights at the end of a run of so many steps; an endless one ends because somebody
/// wants it to.
async fn last_weights(
    overseer: &Overseer,
    validator: &Validator,
    settings: &Settings,
) -> anyhow::Result<()> {
    if settings.run.steps.is_none() || settings.neuron.disable_set_weights {
        return Ok(());
    }
    if let Err(error) = validator::set_weights_last(overseer, validator).await? {
        tracing::warn!("no weights are set at the end: {error}");
    }
    Ok(())
}

/// Warns of commits that this process will not reveal.
fn warn_of_commits(book: &ScoreBook) {
    for pending in &book.reveals {
        tracing::warn!(
            committed = %pending.committed,
            "a commit of weights is not revealed yet: it expires unless this validator is started \
             again before the epoch of its reveal is over"
        );
    }
}

/// Who can be asked, for the view.
fn asked(metagraph: &Metagraph, own: &Hotkey) -> String {
    let serving = metagraph.neurons.iter().filter(|neuron| neuron.axon.is_some());
    let serving = serving.filter(|neuron| neuron.hotkey != *own).count();
    format!("{serving} of {} neurons serve an axon", metagraph.neurons.len())
}

/// Everybody with a score, by uid; who left the subnet is left out.
fn scored(metagraph: &Metagraph, book: &ScoreBook) -> Vec<(String, Uid, Hotkey)> {
    let neurons = metagraph.neurons.iter();
    let scored = neurons.filter(|neuron| book.scores.contains_key(&neuron.hotkey));
    scored.map(|neuron| ("miner".to_owned(), neuron.uid, neuron.hotkey.clone())).collect()
}
