//! `sn1 miner`: an axon with an assistant behind it, on a chain or, for tries, on none.

mod check;
mod live;
mod on_chain;
mod report;
mod tally;

use std::future::pending;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use futures_util::future::LocalBoxFuture;
use sn1_actors::axon::Admit;
use sn1_actors::domain::{Metagraph, Netuid};
use sn1_actors::ports::{Journal, in_time};
use sn1_actors::runtime::{Failpoints, Overseer, Port, Topology};
use sn1_actors::wiring::{ChainParts, ChainSeen, start_chain_watch};
use tokio::sync::watch;

use super::notify::Notify;
use super::reload::{Hangups, Reload};
use super::signals::Signals;
use super::{development_key_flag, loaded, neuron, output, signing_key, steps};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::ledger::lock::InstanceLock;
use crate::tap::Tap;
use crate::telemetry::{Logs, Verbosity};
use crate::wire::Keypair;
use crate::wiring::console::{Console, Shown, Work};
use crate::wiring::joining::{self, Joining};
use crate::wiring::last_seen::LastSeen;
use crate::wiring::publish::Whereabouts;
use crate::wiring::{miner, state_folder, system_clock, tools, unix_time};
use live::Live;
use on_chain::OnChain;

/// The subnet in the folder's name where no chain says which it is.
const NO_CHAIN: Netuid = Netuid(1);
/// Who names an address.
const ON_CHAIN: &str = "on the chain";
/// A miner that knows the subnet from before waits so long for the chain before it serves.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long requests that are broken off may take to say so, and between two looks whether they have.
const BREAKING_OFF: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

pub(super) fn command() -> Command {
    let command = Command::new("miner")
        .about("Run a miner: answer validators; see why it is served or not")
        .after_help(
            "Examples:\n  sn1 miner --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey miner1\n  sn1 miner --netuid 1 --subtensor.network local --uri //Alice \
             --miner.kind echo\n  sn1 miner --miner.kind echo --uri //Alice --axon.port 8091 \
             --blacklist.allow_non_registered\n  sn1 miner check --uri //Alice --axon.port 8091\n  \
             sn1 miner report --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey miner1\n\nThe third is on no chain: it knows nobody, and serves whoever \
             asks. There is no default network; `sn1 register` gives the hotkey a slot.",
        )
        .args_conflicts_with_subcommands(true)
        .subcommand(check::command())
        .subcommand(report::command())
        .arg(development_key_flag());
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches, logs: &Logs) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("check", matches)) => Box::pin(check::run(matches)).await,
        Some(("report", matches)) => Box::pin(report::run(matches)).await,
        _ => Box::pin(serve(matches, logs)).await,
    }
}

async fn serve(matches: &ArgMatches, logs: &Logs) -> anyhow::Result<Exit> {
    let hangups = Hangups::watch()?;
    let loaded = loaded(Role::Miner, matches)?;
    let settings = &loaded.settings;
    let joining = checked(settings)?;
    let keypair = Arc::new(signing_key(matches, &loaded).await?);
    let hotkey = keypair.hotkey();
    let netuid = joining.as_ref().map_or(NO_CHAIN, |joining| joining.netuid);
    // Two that publish their address for one hotkey would undo each other's; on no chain there is
    // nothing to undo.
    let lock = joining.as_ref().map(|joining| {
        InstanceLock::of_hotkey(&settings.logging.logging_dir, &hotkey, joining.netuid)
    });
    let _lock = lock.transpose().map_err(Ended::from)?;
    let (journal, _) = neuron::journal(settings, netuid, &hotkey)?;
    let tap = Tap::on(Arc::new(journal.clone()), unix_time);
    let live = std::io::stderr().is_terminal().then(|| (Live::open(), tap.window()));
    let overseer = Overseer::new(system_clock(), Arc::new(tap.clone()));
    let mut signals = Signals::watch()?;
    let console = Console::open_without_page(settings, &overseer)?;
    if let Some(console) = &console {
        output::line(&format!("metrics http://{}/metrics", console.address()))?;
    }
    let reload = Reload::new(hangups, Role::Miner, matches, &loaded, Verbosity::Info, logs);
    let notify = Notify::from_process();
    let started = start(&overseer, settings, joining, netuid, keypair, &tap);
    let Started { serving, chain, rest } = tokio::select! {
        started = Box::pin(started) => started?,
        stop = signals.next() => return Ok(stop.before_work()),
        () = overseer.kill().dead() => return steps::ended(&overseer),
    };
    output::line(&format!("serving {hotkey} on {}", serving.address))?;
    if let Some(console) = &console {
        let shown = Shown {
            run_id: journal.run_id().to_owned(),
            role: "miner",
            netuid,
            hotkey,
            topology: &serving.topology,
            model: &serving.model,
            work: Work::Answers {
                chain,
                model_id: miner::model_id(settings).map(ToOwned::to_owned),
            },
        };
        console.show(&overseer, settings, &tap, shown);
    }
    notify.ready(&overseer);
    let admission = serving.admission.clone();
    reload.follow(&overseer, move |settings| {
        admission.send_replace(Arc::new(miner::admission(settings)));
    });
    let table = live.map(|(table, window)| {
        let following = table.clone().follow(window, serving.admit.clone(), overseer.clock());
        overseer.tasks().spawn("live", following);
        table
    });
    let refused = tokio::select! {
        error = rest => Some(error),
        _ = signals.next() => {
            tracing::info!("stopping; a second signal ends at once");
            None
        }
        () = overseer.kill().dead() => None,
    };
    notify.stopping();
    let interrupted = tokio::select! {
        // The server itself bounds how long requests under way may take.
        () = serving.stopper.stop() => false,
        _ = signals.next() => true,
    };
    broken_off(&overseer, &serving.admit).await;
    if let Some(table) = table {
        table.close();
    }
    if let Some(console) = console {
        console.close(&overseer).await;
    }
    overseer.kill().stop();
    journal.flush().map_err(|error| Ended::new(Exit::File, error))?;
    if let Some(error) = refused {
        return Err(error);
    }
    match steps::ended(&overseer)? {
        Exit::Done if interrupted => Ok(Exit::Interrupted),
        end => Ok(end),
    }
}

/// Waits until the requests that the server broke off are in the journal.
async fn broken_off(overseer: &Overseer, admit: &Port<Admit>) {
    let clock = overseer.clock();
    let noted = async {
        while admit.in_use() > 0 {
            clock.sleep(LOOK).await;
        }
    };
    if in_time(&*clock, BREAKING_OFF, noted).await.is_none() {
        tracing::warn!("the journal does not have the end of some requests");
    }
}

/// The chain to join, if one is to be, unless a miner must not work as the settings say.
pub(super) fn checked(settings: &Settings) -> Result<Option<Joining>, Ended> {
    miner::works_alone(settings.miner.kind)?;
    tools::check_sources(&settings.tools)?;
    joining::of_miner(settings)
}

/// A miner that serves.
struct Started {
    serving: miner::Serving,
    /// The chain that it is on, if it is on one.
    chain: Option<ChainSeen>,
    /// What the chain has to be there for; resolves only if the miner must end.
    rest: LocalBoxFuture<'static, anyhow::Error>,
}

/// Starts to serve, and tells the chain where: as soon as the chain knows the hotkey, or, where the
/// subnet is known from before, without it.
async fn start(
    overseer: &Overseer,
    settings: &Settings,
    joining: Option<Joining>,
    netuid: Netuid,
    keypair: Arc<Keypair>,
    tap: &Tap,
) -> anyhow::Result<Started> {
    let journal: Arc<dyn Journal> = Arc::new(tap.clone());
    let Some(joining) = joining else {
        // Nobody sends to it: without a chain the subnet stays empty.
        let (_, metagraph) = watch::channel(Arc::new(Metagraph::empty(netuid)));
        let serving = miner::start(overseer, settings, netuid, keypair, metagraph, journal).await?;
        return Ok(Started { serving, chain: None, rest: Box::pin(pending()) });
    };
    let kind = settings.miner.kind.as_str();
    output::line(&format!("miner of {joining}, answers by {kind}"))?;
    let chain = joining.join(overseer, Arc::clone(&keypair));
    let parts = ChainParts {
        config: joining::WATCH,
        chain: Arc::clone(&chain),
        netuid,
        weight_setter: None,
        failpoints: Failpoints::default(),
    };
    // A miner's watch of the chain sends nothing to anybody.
    let ChainSeen { metagraph: seen, head } =
        start_chain_watch(overseer, parts, &mut Topology::default());
    let hotkey = keypair.hotkey();
    let folder = state_folder(settings, netuid, &hotkey);
    let last_seen = LastSeen::of(&folder, joining.endpoints.network(), netuid);
    let kept = last_seen.read().filter(|(metagraph, _)| metagraph.by_hotkey(&hotkey).is_some());
    let known = kept.as_ref().map_or_else(|| Metagraph::empty(netuid), |(known, _)| known.clone());
    let (sender, metagraph) = watch::channel(Arc::new(known));
    last_seen.keep(overseer, seen.clone(), sender);

    let whereabouts = Whereabouts::of(settings, &joining.endpoints);
    let self_weights = settings.miner.self_weights;
    let on_chain = OnChain { chain, seen, hotkey, whereabouts, self_weights };
    let mut joined = on_chain.joined(overseer.clock());
    let address = match kept {
        None => Some(joined.as_mut().await?),
        Some((_, age)) => {
            let joined =
                in_time(&*overseer.clock(), PATIENCE, joined.as_mut()).await.transpose()?;
            if joined.is_none() {
                tracing::warn!(
                    "the chain is away: serving by the metagraph of {} minutes ago until it is back",
                    age.as_secs() / 60
                );
            }
            joined
        }
    };
    let chain = Some(ChainSeen { metagraph: metagraph.clone(), head });
    let serving = miner::start(overseer, settings, netuid, keypair, metagraph, journal).await?;
    let rest = Box::pin(on_chain.rest(overseer.clone(), address, joined));
    Ok(Started { serving, chain, rest })
}
