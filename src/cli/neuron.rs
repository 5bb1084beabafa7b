//! What `sn1 validator` and `sn1 miner` do alike.

use std::io;
use std::path::PathBuf;

use sn1_actors::domain::{Hotkey, Netuid};
use sn1_actors::runtime::Overseer;

use super::output;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::journal::JournalFile;
use crate::wiring::publish::{self, Published};
use crate::wiring::{journal_path, unix_time};

/// The journal, and where it is.
pub(super) fn journal(
    settings: &Settings,
    netuid: Netuid,
    hotkey: &Hotkey,
    run_id: &str,
) -> Result<(JournalFile, PathBuf), Ended> {
    let path = journal_path(settings, netuid, hotkey);
    let journal = JournalFile::open(&path, run_id, settings.journal.max_bytes, unix_time);
    Ok((journal.map_err(|error| Ended::new(Exit::File, error))?, path))
}

/// Shows where others are told to reach the axon, and keeps it on the chain.
pub(super) fn publish_axon(overseer: &Overseer, axon: Published) -> io::Result<()> {
    output::line(&format!("axon      {} (to be published)", axon.address))?;
    publish::publish(overseer, axon);
    Ok(())
}
