//! What `sn1 validator` and `sn1 miner` do alike.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sn1_actors::domain::{Hotkey, Netuid, Neuron};
use sn1_actors::ports::Chain;
use sn1_actors::runtime::Overseer;

use super::output;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::journal::JournalFile;
use crate::wiring::{publish, state_folder, unix_time};

/// The journal, and where it is: in the neuron's state folder unless the settings name a file.
pub(super) fn journal(
    settings: &Settings,
    netuid: Netuid,
    hotkey: &Hotkey,
) -> Result<(JournalFile, PathBuf), Ended> {
    let path = settings.journal.file.clone();
    let path = path.unwrap_or_else(|| state_folder(settings, netuid, hotkey).join("journal.jsonl"));
    let run_id = unix_time().as_secs().to_string();
    let journal = JournalFile::open(&path, &run_id, settings.journal.max_bytes, unix_time);
    Ok((journal.map_err(|error| Ended::new(Exit::File, error))?, path))
}

/// Shows where others are told to reach the axon, and puts it on the chain.
pub(super) fn publish_axon(
    overseer: &Overseer,
    chain: Arc<dyn Chain>,
    own: &Neuron,
    address: SocketAddr,
) -> io::Result<()> {
    output::line(&format!("axon      {address} (to be published)"))?;
    publish::publish(overseer, chain, own, address);
    Ok(())
}
