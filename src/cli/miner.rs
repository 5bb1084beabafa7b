//! `sn1 miner`: an axon with an assistant behind it, on a chain or, for tries, on none.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use sn1_actors::domain::{Metagraph, Netuid};
use sn1_actors::ports::Journal;
use sn1_actors::runtime::{Failpoints, Overseer, Topology};
use sn1_actors::wiring::{ChainParts, start_chain_watch};
use tokio::sync::watch;

use super::signals::Signals;
use super::{development_key_flag, loaded, neuron, output, signing_key, steps};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::ledger::lock::InstanceLock;
use crate::wire::Keypair;
use crate::wiring::joining::{self, Joining};
use crate::wiring::{miner, publish, system_clock};

/// The subnet in the folder's name where no chain says which it is.
const NO_CHAIN: Netuid = Netuid(1);

pub(super) fn command() -> Command {
    let command = Command::new("miner")
        .about("Run a miner: answer validators")
        .after_help(
            "Examples:\n  sn1 miner --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey miner1\n  sn1 miner --netuid 1 --subtensor.network local --uri //Alice \
             --miner.kind echo\n  sn1 miner --miner.kind echo --uri //Alice --axon.port 8091 \
             --blacklist.allow_non_registered\n\nThe last is on no chain: it knows nobody, and serves \
             whoever asks. There is no default network; `sn1 register` gives the hotkey a slot.",
        )
        .arg(development_key_flag());
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Miner, matches)?;
    let settings = &loaded.settings;
    let joining = joining(settings)?;
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
    let journal = Arc::new(journal);
    let overseer = Overseer::new(system_clock(), Arc::clone(&journal) as Arc<dyn Journal>);
    let mut signals = Signals::watch()?;
    let started = start(&overseer, settings, joining, netuid, keypair, Arc::clone(&journal) as _);
    let serving = tokio::select! {
        serving = Box::pin(started) => serving?,
        () = signals.next() => return Ok(Exit::Interrupted),
        () = overseer.kill().dead() => return steps::ended(&overseer),
    };
    output::line(&format!("serving {hotkey} on {}", serving.address))?;
    tokio::select! {
        () = signals.next() => tracing::info!("stopping; Ctrl-C again ends at once"),
        () = overseer.kill().dead() => {}
    }
    let interrupted = tokio::select! {
        () = serving.stopper.stop() => false,
        () = signals.next() => true,
    };
    overseer.kill().stop();
    journal.flush().map_err(|error| Ended::new(Exit::File, error))?;
    match steps::ended(&overseer)? {
        Exit::Done if interrupted => Ok(Exit::Interrupted),
        end => Ok(end),
    }
}

/// The chain to join; none where none is named and strangers are welcome.
fn joining(settings: &Settings) -> Result<Option<Joining>, Ended> {
    let named =
        settings.subtensor.network.is_some() || !settings.subtensor.chain_endpoint.is_empty();
    if !named && settings.blacklist.allow_non_registered {
        return Ok(None);
    }
    Joining::of(settings, "miner").map(Some)
}

/// Starts to serve, and tells the chain where.
async fn start(
    overseer: &Overseer,
    settings: &Settings,
    joining: Option<Joining>,
    netuid: Netuid,
    keypair: Arc<Keypair>,
    journal: Arc<dyn Journal>,
) -> anyhow::Result<miner::Serving> {
    let Some(joining) = joining else {
        // Nobody sends to it: without a chain the subnet stays empty.
        let (_, metagraph) = watch::channel(Arc::new(Metagraph::empty(netuid)));
        return miner::start(overseer, settings, netuid, keypair, metagraph, journal).await;
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
    let metagraph = start_chain_watch(overseer, parts, &mut Topology::default());
    let (clock, hotkey) = (overseer.clock(), keypair.hotkey());
    let seen = metagraph.clone();
    let own = joining::own_neuron(chain.as_ref(), clock.as_ref(), seen, &hotkey).await?;
    let address = publish::address(settings, &joining.endpoints).await?;
    let serving = miner::start(overseer, settings, netuid, keypair, metagraph, journal).await?;
    neuron::publish_axon(overseer, chain, &own, address)?;
    Ok(serving)
}
