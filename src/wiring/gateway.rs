//! The gateway of a validator: its keys.

use std::path::PathBuf;

use sn1_actors::domain::{Hotkey, Netuid};

use super::state_folder;
use crate::config::Settings;

/// Where the gateway of a validator keeps its keys.
#[must_use]
pub fn folder(settings: &Settings, netuid: Netuid, hotkey: &Hotkey) -> PathBuf {
    state_folder(settings, netuid, hotkey).join("gateway")
}
