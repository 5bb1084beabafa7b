//! `sn1 bench wire`: how fast our dendrite asks and axons answer.
//!
//! Each part can also stand against the Python SDK's: `stub` against its dendrite, `load` against
//! its axon. `scripts/bench/wire.sh` compares the two that way.

mod dendrite;
mod load;
mod message;
mod stub;

use std::ops::RangeInclusive;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::cli::flag;
use crate::exit::{Ended, Exit};

/// The axons of a bench hold this key.
const AXON: &str = "//Alice";
/// The dendrites of a bench hold this key.
const DENDRITE: &str = "//Bob";

pub(super) fn command() -> Command {
    Command::new("wire")
        .about("Measure a dendrite and an axon; each needs another process at its other end")
        .after_help(
            "Examples:\n  sn1 bench wire stub --ports 1000 --delay 2\n  \
             sn1 bench wire dendrite --ports 1000 --timeout 10\n  \
             sn1 miner --miner.kind echo --uri //Alice --blacklist.allow_non_registered\n  \
             sn1 bench wire load --port 8091 --requests 20000",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([stub::command(), dendrite::command(), load::command()])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("stub", matches)) => stub::run(matches).await,
        Some(("dendrite", matches)) => dendrite::run(matches).await,
        Some(("load", matches)) => load::run(matches).await,
        _ => Err(Ended::new(Exit::Usage, "see `sn1 bench wire --help`").into()),
    }
}

/// The arguments `--base` and `--ports`: a row of ports on loopback.
fn ports() -> [Arg; 2] {
    let base = flag("base", "PORT")
        .default_value("21000")
        .value_parser(value_parser!(u16).range(1_024..=60_000))
        .help("the first port on loopback");
    [base, number("ports", "1000", 1..=5_000, "so many ports from there on")]
}

fn ports_of(matches: &ArgMatches) -> impl Iterator<Item = u16> {
    let base = matches.get_one::<u16>("base").copied().unwrap_or_default();
    let count = number_of(matches, "ports");
    (base..).take(usize::try_from(count).unwrap_or_default())
}

fn number(
    name: &'static str,
    default: &'static str,
    range: RangeInclusive<i64>,
    help: &'static str,
) -> Arg {
    flag(name, "N").default_value(default).value_parser(value_parser!(u32).range(range)).help(help)
}

fn number_of(matches: &ArgMatches, name: &str) -> u32 {
    matches.get_one::<u32>(name).copied().unwrap_or_default()
}
