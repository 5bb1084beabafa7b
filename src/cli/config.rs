//! `sn1 config show` and `sn1 config check`.

use clap::{ArgMatches, Command};

use super::{json_flag, loaded, localnet, miner, output, role, role_flag, validator};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::wiring::tools;

pub(super) fn command() -> Command {
    let show = Command::new("show")
        .about("Print every setting and where it comes from")
        .after_help("Example:\n  SN1_NEURON__TIMEOUT=5 sn1 config show --role validator")
        .arg(role_flag())
        .arg(json_flag());
    let check = Command::new("check")
        .about("Say whether the role would start with these settings; starts and opens nothing")
        .after_help(
            "Examples:\n  sn1 config check --config config/deploy/validator-test.toml\n  \
             sn1 config check --role miner --config config/deploy/miner-test.toml\n\nWallets, models, \
             ports and chains are not looked at. Exit code 0 is yes, 2 or another one of `sn1 ROLE` \
             is no.",
        )
        .arg(role_flag());
    Command::new("config")
        .about("Look at the configuration")
        .after_help("Example:\n  sn1 config show --role miner")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([add_config_flags(show), add_config_flags(check)])
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 config --help`").into());
    };
    let role = role(matches);
    let loaded = loaded(role, matches)?;
    if verb == "check" {
        suffices(role, &loaded.settings)?;
        output::line(&format!("a {} starts with these settings", role.as_str()))?;
    } else if matches.get_flag("json") {
        output::json(&loaded.origins.to_json())?;
    } else {
        output::line(loaded.origins.to_table().trim_end())?;
    }
    Ok(Exit::Done)
}

/// What a role refuses of settings that are right by themselves.
fn suffices(role: Role, settings: &Settings) -> Result<(), Ended> {
    match role {
        Role::Validator => validator::checked(settings).map(|_| ()),
        Role::Miner => miner::checked(settings).map(|_| ()),
        Role::Localnet => {
            localnet::refuse_other_chains(settings).and_then(|()| tools::check(settings))
        }
    }
}
