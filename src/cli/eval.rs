//! `sn1 eval`: how good what the validator makes is, measured.

mod challenges;
mod documents;

use clap::{ArgMatches, Command};

use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    Command::new("eval")
        .about("Measure how good the validator's challenges are")
        .after_help("Example:\n  sn1 eval challenges --n 20 --seed 7")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(challenges::command())
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("challenges", matches)) => Box::pin(challenges::run(matches)).await,
        _ => Err(Ended::new(Exit::Usage, "see `sn1 eval --help`").into()),
    }
}
