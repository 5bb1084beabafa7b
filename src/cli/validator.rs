//! `sn1 validator`: waits for the chain client; until then it says so and changes nothing.

use clap::{ArgMatches, Command};

use super::settings;
use crate::chain::NetworkNotBuilt;
use crate::config::{Role, add_config_flags};
use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    let command = Command::new("validator")
        .about("Run a validator (not built yet: see `sn1 localnet`)")
        .after_help("Example:\n  sn1 validator --subtensor.network test --wallet.name alice");
    add_config_flags(command)
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Validator, matches)?;
    let network = settings.subtensor.network;
    Err(Ended::new(Exit::NotBuilt, NetworkNotBuilt { network }).into())
}
