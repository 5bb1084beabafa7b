//! `sn1 bench`: how fast and how exact the engine is on this machine, and how fast the wire and the
//! measures of texts.
//!
//! It drives the engine directly, without ModelWorker: what is measured is the engine alone.
//! `scripts/bench/engine.sh` compares it with llama.cpp.

mod agreement;
mod cpu;
mod embed;
mod engine;
mod memory;
mod prompts;
mod rewards;
mod rig;
mod wire;

use clap::{ArgMatches, Command};

use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    Command::new("bench")
        .about("Measure the engine, the wire and the rewards on this machine")
        .after_help(
            "Examples:\n  sn1 bench engine --threads 2 --batch 1,8,16\n  \
             sn1 bench agreement --count 50",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            engine::command(),
            agreement::command(),
            embed::command(),
            rewards::command(),
            wire::command(),
        ])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("engine", matches)) => engine::run(matches).await,
        Some(("embed", matches)) => Box::pin(embed::run(matches)).await,
        Some(("rewards", matches)) => rewards::run(matches).await,
        Some(("agreement", matches)) => agreement::run(matches).await,
        Some(("wire", matches)) => wire::run(matches).await,
        _ => Err(Ended::new(Exit::Usage, "see `sn1 bench --help`").into()),
    }
}
