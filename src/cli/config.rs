//! `sn1 config show`.

use clap::{ArgMatches, Command};

use super::{flag, json_flag, loaded, output};
use crate::config::{Role, add_config_flags};
use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    let role = flag("role", "ROLE")
        .default_value("validator")
        .value_parser(Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>())
        .help("whose configuration");
    let show = Command::new("show")
        .about("Print every setting and where it comes from")
        .after_help("Example:\n  SN1_NEURON__TIMEOUT=5 sn1 config show --role validator")
        .arg(role)
        .arg(json_flag());
    Command::new("config")
        .about("Look at the configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(add_config_flags(show))
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some(("show", matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 config --help`").into());
    };
    let named = matches.get_one::<String>("role").map(String::as_str);
    let role = Role::ALL.iter().find(|role| Some(role.as_str()) == named);
    let role = *role.unwrap_or(&Role::Validator);
    let loaded = loaded(role, matches)?;
    if matches.get_flag("json") {
        output::json(&loaded.origins.to_json())?;
    } else {
        output::line(loaded.origins.to_table().trim_end())?;
    }
    Ok(Exit::Done)
}
