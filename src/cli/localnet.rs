//! `sn1 localnet`: the whole incentive loop on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use sn1_actors::ports::{Event, Journal};
use sn1_actors::runtime::Overseer;

use super::notify::Notify;
use super::reload::{Hangups, Reload};
use super::signals::{AFTERWARDS, LAST_LOOK, Signals};
use super::steps::End;
use super::summary::{self, Ran, Summary};
use super::view::View;
use super::{loaded, steps};
use crate::config::{Role, Settings, Subtensor, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::gateway::keys::{KeyLimits, new_key};
use crate::journal::JournalFile;
use crate::ledger::LedgerFile;
use crate::running_server::ServerStopper;
use crate::tap::Tap;
use crate::telemetry::{Logs, Verbosity};
use crate::wiring::console::{Console, Shown, Work};
use crate::wiring::gateway::Gateway;
use crate::wiring::localnet::{LocalMiner, Localnet};
use crate::wiring::wandb::Subject;
use crate::wiring::{
    fresh_run_id, fresh_seed, localnet, system_clock, unix_time, validator, wandb,
};

/// The key that a run prints is for whatever its user tries.
const ANY_USE: KeyLimits =
    KeyLimits { requests_per_minute: 1_000_000, concurrent: 10_000, tokens_per_day: 1 << 40 };
/// The folders of so many earlier runs are kept.
const KEPT_RUNS: usize = 20;

pub(super) fn command() -> Command {
    let command = Command::new("localnet")
        .about("Run a validator, miners and a chain on this machine")
        .after_help(
            "Examples:\n  sn1 localnet --steps 20 --seed 7\n  \
             sn1 localnet --in-flight 8 --summary summary.json --journal journal.jsonl\n  \
             sn1 localnet --localnet.miners agent,echo,dead\n  \
             sn1 localnet --gateway 8080\n  \
             sn1 localnet --external-miner 127.0.0.1:9000=5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        )
        .arg(gateway_flag());
    add_config_flags(command)
}

fn gateway_flag() -> Arg {
    Arg::new("gateway")
        .long("gateway")
        .value_name("PORT")
        .num_args(0..=1)
        .default_missing_value("0")
        .value_parser(value_parser!(u16))
        .conflicts_with("gateway.port")
        .help(
            "take API users' queries too, and print the base URL and a key; a free port when left \
             out",
        )
}

pub(super) async fn run(matches: &ArgMatches, logs: &Logs) -> anyhow::Result<Exit> {
    let hangups = Hangups::watch()?;
    let loaded = loaded(Role::Localnet, matches)?;
    let mut settings = loaded.settings.clone();
    if let Some(port) = matches.get_one::<u16>("gateway") {
        (settings.gateway.enabled, settings.gateway.port) = (true, *port);
    }
    refuse_other_chains(&settings)?;
    let seed = settings.run.seed.unwrap_or_else(fresh_seed);
    let run_id = fresh_run_id();
    let folder = run_folder(&run_id);
    let journal_path =
        settings.journal.file.clone().unwrap_or_else(|| folder.join("journal.jsonl"));
    if let Some(path) = &settings.run.summary {
        summary::check_writable(path)?;
    }
    let journal = JournalFile::open(&journal_path, &run_id, settings.journal.max_bytes, unix_time);
    let journal = journal.map_err(|error| Ended::new(Exit::File, error))?;
    let netuid = localnet::netuid(&settings);
    let subject = Subject { run_id: &run_id, netuid, hotkey: None, journal: &journal_path };
    let wandb = wandb::open(&loaded, &subject)?;
    let tap = Tap::on(wandb::beside(wandb.as_ref(), &journal), unix_time);
    let overseer = Overseer::new(system_clock(), Arc::new(tap.clone()));
    tap.record(Event::RunStarted { version: env!("CARGO_PKG_VERSION").into(), seed });

    let mut signals = Signals::watch()?;
    let reload = Reload::new(hangups, Role::Localnet, matches, &loaded, Verbosity::Quiet, logs);
    reload.follow(&overseer, |_| {});
    let book = folder.join("scores.json");
    let ledger = LedgerFile::open(book.clone()).map_err(Ended::from)?;
    let ledger = Arc::new(ledger);
    let keys = folder.join("gateway");
    let gateway = Gateway::open(&settings, &keys, overseer.clock())?;
    let console = Console::open(&settings, &overseer, &tap)?;
    let view = View::open("localnet", seed, &settings);
    let notify = Notify::from_process();
    let shared_tap = Arc::new(tap.clone());
    let started = localnet::start(&overseer, &settings, seed, shared_tap, ledger);
    let net = tokio::select! {
        net = Box::pin(started) => net?,
        stop = signals.next() => return Ok(stop.before_work()),
    };
    let miners = net.miners.iter().map(|miner| format!("{}:{}", miner.uid, miner.kind.as_str()));
    view.ready(&miners.collect::<Vec<_>>().join(" "));
    if let Some(console) = &console {
        view.print(&format!("console http://{}/", console.address()));
        console.show(&overseer, &settings, &tap, shown(run_id, &settings, &net));
    }
    let door = gateway.map(|gateway| let_users_in(gateway, &overseer, &settings, &net));
    let door = door.transpose()?;
    if let Some(door) = &door {
        let (key, _) = new_key(&keys, &*overseer.clock(), "localnet", ANY_USE).await?;
        view.print(&format!(
            "gateway {}\nkeys {}\nkey {}",
            door.base_url,
            keys.display(),
            key.expose()
        ));
    }
    overseer
        .tasks()
        .spawn("view", view.clone().follow(tap.window(), settings.run.steps, overseer.clock()));

    notify.ready(&overseer);
    let began = overseer.clock().now();
    let stopper = door.as_ref().map(|door| &door.stopper);
    let end =
        steps::run(&overseer, &net.validator, &settings, &mut signals, &view, stopper).await?;
    notify.stopping();
    let End::InOrder(mut hurry) = end else { return Ok(Exit::Interrupted) };
    let clock = overseer.clock();
    let wall = clock.now().since(began);
    let first = |stop| view.say(&steps::stopping(stop, "the weights", AFTERWARDS));
    let weights = hurry.heeding(&mut signals, AFTERWARDS, &*clock, first, net.set_weights()).await;
    let Ok(weights) = weights else { return Ok(Exit::Interrupted) };
    let standings = validator::standings(&net.validator);
    let standings = hurry.within(LAST_LOOK, &*clock, standings).await.transpose()?;
    view.close();
    if let Err(error) = weights.unwrap_or_else(|| Err(anyhow::anyhow!("there is no time left"))) {
        tracing::warn!("weights could not be set: {error:#}");
    }
    let mut places = format!("journal {}\nscores  {}", journal_path.display(), book.display());
    if wandb.is_some() {
        let folder = wandb::folder(&settings, &journal_path);
        places += &format!("\nwandb   {} (`wandb sync` sends it)", folder.display());
    }
    let summary = standings.map(|book| Summary::of(ran(&net), &overseer, &tap, &book, wall));
    let told = summary::tell(summary, &places, settings.run.summary.as_deref());
    if let Some(console) = console {
        let _ = hurry.within(AFTERWARDS, &*clock, console.close(&overseer)).await;
    }
    // A miner that is still to answer is not waited for where there is no time.
    let _ = hurry.within(AFTERWARDS, &*clock, net.stop()).await;
    steps::stop_actors(&overseer, &net.validator).await;
    tap.record(Event::RunFinished { steps: net.validator.log.tally().borrow().steps });
    journal.flush().map_err(|error| Ended::new(Exit::File, error))?;
    told?;
    Ok(Exit::Done)
}

/// What the summary is about.
fn ran(net: &Localnet) -> Ran<'_> {
    let kind =
        |miner: &LocalMiner| (miner.kind.as_str().to_owned(), miner.uid, miner.hotkey.clone());
    Ran {
        validator: &net.validator,
        topology: &net.topology,
        model: &net.model,
        miners: net.miners.iter().map(kind).collect(),
        weights: net.weights(),
    }
}

/// What the console shows.
fn shown<'a>(run_id: String, settings: &Settings, net: &'a Localnet) -> Shown<'a> {
    let kind = |miner: &LocalMiner| (miner.uid, miner.kind.as_str().to_owned());
    Shown {
        run_id,
        role: "localnet",
        netuid: localnet::netuid(settings),
        hotkey: net.hotkey.clone(),
        topology: &net.topology,
        model: &net.model,
        work: Work::Asks {
            validator: &net.validator,
            kinds: net.miners.iter().map(kind).collect(),
        },
    }
}

/// A gateway that lets users in.
struct OpenGateway {
    base_url: String,
    stopper: ServerStopper,
}

fn let_users_in(
    gateway: Gateway,
    overseer: &Overseer,
    settings: &Settings,
    net: &Localnet,
) -> anyhow::Result<OpenGateway> {
    let organic = net.validator.ask_miners.clone().context("the validator takes no queries")?;
    let base_url = gateway.base_url();
    let (netuid, reader) = (localnet::netuid(settings), net.reader.clone());
    let stopper = gateway.serve(overseer, settings, netuid, organic, reader)?;
    Ok(OpenGateway { base_url, stopper })
}

/// The chain of a local network is its own: a run that asked for another must not get this one.
pub(super) fn refuse_other_chains(settings: &Settings) -> Result<(), Ended> {
    let Subtensor { network, chain_endpoint } = &settings.subtensor;
    match chain_endpoint.first().or(network.as_ref()) {
        Some(other) if other != "local" => {
            let message = format!(
                "localnet has a chain of its own and joins no other, not `{other}`: see `sn1 \
                 validator --help` and `sn1 miner --help`"
            );
            Err(Ended::new(Exit::Usage, message))
        }
        _ => Ok(()),
    }
}

/// A new folder for a run under the user's state folder; the oldest of many runs are removed.
fn run_folder(run_id: &str) -> PathBuf {
    let runs = localnet::runs_folder();
    prune(&runs);
    runs.join(run_id)
}

fn prune(runs: &Path) {
    let Ok(entries) = std::fs::read_dir(runs) else { return };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    // Names begin with the time of the run.
    folders.sort();
    let old = folders.len().saturating_sub(KEPT_RUNS);
    for folder in folders.into_iter().take(old) {
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "an old run cannot be removed");
        }
    }
}
