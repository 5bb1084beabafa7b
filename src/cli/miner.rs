//! `sn1 miner`: an axon with an assistant behind it; in this version without a chain.

use std::sync::Arc;

use clap::{Arg, ArgMatches, Command};
use sn1_actors::domain::Hotkey;
use sn1_actors::ports::Journal;
use sn1_actors::runtime::Overseer;

use super::signals::Signals;
use super::{loaded, output};
use crate::chain::NetworkNotBuilt;
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::journal::JournalFile;
use crate::wallet;
use crate::wiring::{miner, system_clock, unix_time};

pub(super) fn command() -> Command {
    let uri = Arg::new("uri")
        .long("uri")
        .value_name("URI")
        .help("sign with a development key, for example //Alice, instead of the wallet's hotkey");
    let command = Command::new("miner")
        .about("Run a miner; without a chain in this version, for tries and for other SDKs")
        .after_help(
            "Example:\n  sn1 miner --miner.kind echo --uri //Alice --axon.port 8091 \
             --blacklist.allow_non_registered\n  sn1 miner --wallet.name alice --wallet.hotkey miner1 \
             --blacklist.allow_non_registered",
        )
        .arg(uri);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Miner, matches)?;
    let settings = &loaded.settings;
    if !settings.blacklist.allow_non_registered {
        // Without a chain nobody is registered, so this miner would serve nobody.
        let network = settings.subtensor.network.clone();
        let refusal = NetworkNotBuilt { network };
        let message =
            format!("{refusal}; a miner without a chain needs --blacklist.allow_non_registered");
        return Err(Ended::new(Exit::NotBuilt, message).into());
    }
    let uri = matches.get_one::<String>("uri").map(String::as_str);
    let keypair = wallet::signing_key(&loaded, uri).await.map_err(Ended::from)?;
    let hotkey = keypair.hotkey();
    let journal = journal(settings, &hotkey)?;
    let overseer = Overseer::new(system_clock(), Arc::clone(&journal) as Arc<dyn Journal>);
    let mut signals = Signals::watch()?;
    let serving = miner::start(&overseer, settings, keypair, Arc::clone(&journal) as _).await?;
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
    match overseer.kill().fault() {
        Some(fault) => Err(Ended::new(fault.kind.into(), fault.cause).into()),
        None if interrupted => Ok(Exit::Interrupted),
        None => Ok(Exit::Done),
    }
}

/// The journal in this neuron's state folder.
fn journal(settings: &Settings, hotkey: &Hotkey) -> anyhow::Result<Arc<JournalFile>> {
    let file = settings.journal.file.clone();
    let file = file.unwrap_or_else(|| miner::state_folder(settings, hotkey).join("journal.jsonl"));
    let run_id = format!("{}", unix_time().as_secs());
    let journal = JournalFile::open(&file, &run_id, settings.journal.max_bytes, unix_time);
    Ok(Arc::new(journal.map_err(|error| Ended::new(Exit::File, error))?))
}
