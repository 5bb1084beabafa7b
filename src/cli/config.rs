//! `sn1 config show`.

use clap::{ArgMatches, Command};

use super::{json_flag, loaded, output, role, role_flag};
use crate::config::add_config_flags;
use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    let show = Command::new("show")
        .about("Print every setting and where it comes from")
        .after_help("Example:\n  SN1_NEURON__TIMEOUT=5 sn1 config show --role validator")
        .arg(role_flag())
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
    let loaded = loaded(role(matches), matches)?;
    if matches.get_flag("json") {
        output::json(&loaded.origins.to_json())?;
    } else {
        output::line(loaded.origins.to_table().trim_end())?;
    }
    Ok(Exit::Done)
}
