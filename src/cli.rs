//! The command line: one file a subcommand.
//!
//! Every subcommand that runs an actor runs it on the code path of the whole system. Data goes to
//! standard output, logs to standard error.

mod bench;
mod benches;
mod chain;
mod completions;
mod config;
mod consent;
mod doctor;
mod eval;
mod export;
mod fetch;
mod gateway;
mod generate;
mod health;
mod lines;
mod localnet;
mod metagraph;
mod miner;
mod models;
mod neuron;
mod notify;
mod one_actor;
mod output;
mod progress;
mod query;
mod register;
mod reload;
mod replay;
mod score;
mod signals;
mod state;
mod steps;
mod summary;
mod task;
mod upgrade_check;
mod validator;
mod view;
mod wallet;
mod weights;

use std::io::IsTerminal;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::config::settings::Logging;
use crate::config::{Inputs, Loaded, LogFormat, Role, Settings, collect_flags};
use crate::exit::{Ended, Exit};
use crate::telemetry::{LogOptions, Logs, Verbosity};
use crate::wire::Keypair;

/// The whole command line.
#[must_use]
pub fn command() -> Command {
    Command::new("sn1")
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(upgrade_check::long_version())
        .about("Bittensor Subnet 1: a validator that plays humans, and miners that answer them")
        .after_help(
            "Examples:\n  sn1 localnet --steps 20 --seed 7      the whole incentive loop on this machine\n  \
             sn1 generate --prompt 'Why is the sky blue?'\n  \
             sn1 config show --role localnet        every setting and where it comes from",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .subcommands([
            localnet::command(),
            validator::command(),
            miner::command(),
            wallet::command(),
            models::command(),
            chain::command(),
            metagraph::command(),
            config::command(),
            doctor::command(),
            fetch::command(),
            task::task_command(),
            task::challenge_command(),
            generate::command(),
            query::command(),
            score::command(),
            replay::command(),
            export::command(),
            register::command(),
            weights::command(),
            state::command(),
            gateway::command(),
            health::command(),
            bench::command(),
            eval::command(),
            completions::command(),
            upgrade_check::command(),
        ])
}

/// Runs the subcommand that was chosen. Must be called within an actix `System`.
///
/// # Errors
/// Why it could not do what was asked; an [`Ended`] within says how the program ends.
pub async fn run(matches: &ArgMatches, logs: &Logs) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("localnet", matches)) => Box::pin(localnet::run(matches, logs)).await,
        Some(("validator", matches)) => Box::pin(validator::run(matches, logs)).await,
        Some(("miner", matches)) => Box::pin(miner::run(matches, logs)).await,
        Some(("wallet", matches)) => Box::pin(wallet::run(matches)).await,
        Some(("models", matches)) => models::run(matches).await,
        Some(("chain", matches)) => Box::pin(chain::run(matches)).await,
        Some(("metagraph", matches)) => Box::pin(metagraph::run(matches)).await,
        Some(("config", matches)) => config::run(matches),
        Some(("doctor", matches)) => Box::pin(doctor::run(matches)).await,
        Some(("fetch", matches)) => Box::pin(fetch::run(matches)).await,
        Some(("task", matches)) => Box::pin(task::task(matches)).await,
        Some(("challenge", matches)) => Box::pin(task::challenge(matches)).await,
        Some(("generate", matches)) => Box::pin(generate::run(matches)).await,
        Some(("query", matches)) => query::run(matches).await,
        Some(("score", matches)) => Box::pin(score::run(matches)).await,
        Some(("replay", matches)) => Box::pin(replay::run(matches)).await,
        Some(("export", matches)) => Box::pin(export::run(matches)).await,
        Some(("register", matches)) => Box::pin(register::run(matches)).await,
        Some(("weights", matches)) => Box::pin(weights::run(matches)).await,
        Some(("state", matches)) => Box::pin(state::run(matches)).await,
        Some(("gateway", matches)) => Box::pin(gateway::run(matches)).await,
        Some(("health", matches)) => Box::pin(health::run(matches)).await,
        Some(("upgrade-check", matches)) => Box::pin(upgrade_check::run(matches)).await,
        Some(("completions", matches)) => completions::run(matches),
        Some(("bench", matches)) => Box::pin(bench::run(matches)).await,
        Some(("eval", matches)) => Box::pin(eval::run(matches)).await,
        _ => Err(Ended::new(Exit::Usage, "no such subcommand; see `sn1 --help`").into()),
    }
}

/// How a subcommand logs: those that print data keep quiet, and on standard error.
#[must_use]
pub fn log_options(matches: &ArgMatches) -> LogOptions {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let format = LogFormat::Text;
    let plain = LogOptions { verbosity: Verbosity::Quiet, format, color, file: None };
    let Some((name, mut matches)) = matches.subcommand() else { return plain };
    let is_verb = matches.subcommand_name().is_none();
    while let Some((_, deeper)) = matches.subcommand() {
        matches = deeper;
    }
    let (role, usual, lasts) = match name {
        "validator" => (Role::Validator, Verbosity::Info, true),
        "miner" => (Role::Miner, Verbosity::Info, is_verb),
        // Its only event is why the next seconds pass in silence.
        "wallet" => (Role::Validator, Verbosity::Info, false),
        "localnet" => (Role::Localnet, Verbosity::Quiet, true),
        _ => (Role::Localnet, Verbosity::Quiet, false),
    };
    // What is wrong with the configuration is reported when the command itself reads it.
    match Settings::load(role, &Inputs::from_process(collect_flags(matches))) {
        Err(_) => LogOptions { verbosity: usual, ..plain },
        Ok(Loaded { settings: Settings { logging, .. }, .. }) => {
            let verbosity = verbosity(&logging, usual);
            let file = logging.file.map(|path| (path, logging.max_bytes));
            match lasts {
                true => LogOptions { verbosity, format: logging.format, file, ..plain },
                false => LogOptions { verbosity, ..plain },
            }
        }
    }
}

/// How much these settings have a command log that logs so much as a rule.
fn verbosity(logging: &Logging, usual: Verbosity) -> Verbosity {
    match logging {
        Logging { trace: true, .. } => Verbosity::Trace,
        Logging { debug: true, .. } => Verbosity::Debug,
        Logging { .. } => usual,
    }
}

/// Reads the settings of a role; its warnings are logged.
fn settings(role: Role, matches: &ArgMatches) -> anyhow::Result<Settings> {
    Ok(loaded(role, matches)?.settings)
}

/// As [`settings`], with where each came from.
fn loaded(role: Role, matches: &ArgMatches) -> anyhow::Result<Loaded> {
    let inputs = Inputs::from_process(collect_flags(matches));
    let loaded =
        Settings::load(role, &inputs).map_err(|errors| Ended::new(usage(&errors), errors))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded)
}

/// A configuration whose only fault is to ask for a coming part is not wrong, only early.
fn usage(errors: &crate::config::ConfigErrors) -> Exit {
    let early = |problem: &crate::config::Problem| {
        matches!(problem.kind, crate::config::ProblemKind::Later { .. })
    };
    if errors.0.iter().all(early) { Exit::NotBuilt } else { Exit::Usage }
}

/// `--NAME VALUE`.
fn flag(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value)
}

/// `--NAME SECONDS`.
fn seconds(name: &'static str, help: &'static str) -> Arg {
    flag(name, "SECONDS").value_parser(value_parser!(f64)).help(help)
}

/// `--NAME`, which is given or not.
fn switch(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

fn json_flag() -> Arg {
    switch("json").help("print JSON")
}

/// `--role ROLE`, for commands about the settings of a neuron that they do not start.
fn role_flag() -> Arg {
    flag("role", "ROLE")
        .default_value("validator")
        .value_parser(Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>())
        .help("whose configuration")
}

/// The role that [`role_flag`] names.
fn role(matches: &ArgMatches) -> Role {
    let named = matches.get_one::<String>("role").map(String::as_str);
    let role = Role::ALL.iter().find(|role| Some(role.as_str()) == named);
    *role.unwrap_or(&Role::Validator)
}

/// Another key than the wallet's hotkey; the wallet's name stays that of the state's folder.
fn development_key_flag() -> Arg {
    flag("uri", "URI")
        .help("sign with a development key, for example //Alice, instead of the wallet's hotkey")
}

/// As [`development_key_flag`], for commands that use a wallet for nothing but its hotkey.
fn development_key_or_wallet_flag() -> Arg {
    development_key_flag().conflicts_with_all([
        "wallet.name",
        "wallet.hotkey",
        "wallet.path",
        "wallet.password_file",
    ])
}

/// The key that signs: the one of `--uri`, or the wallet's hotkey, whose password may be asked for.
async fn signing_key(matches: &ArgMatches, loaded: &Loaded) -> Result<Keypair, Ended> {
    let uri = matches.get_one::<String>("uri").map(String::as_str);
    crate::wallet::signing_key(loaded, uri).await.map_err(Ended::from)
}

#[cfg(test)]
mod tests;
