//! The keys as flags of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::keys::{KEYS, Key, Kind, Meaning};
use super::settings::TaskMeasures;

const CONFIG: &str = "config";

/// What the flags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagValues {
    /// The files of `--config`, in order.
    pub overlays: Vec<PathBuf>,
    /// The keys that are set.
    pub values: Vec<FlagValue>,
}

/// One key that is set by a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// The dotted name of the key, also where an alias was written.
    pub key: String,
    /// What follows the flag: one text, or several for a list.
    pub values: Vec<String>,
}

/// Adds `--config` and a flag for every key, under its aliases too. Values are taken as text:
/// [`super::Settings::load`] reports all that is wrong with them together with the other layers.
#[must_use]
pub fn add_config_flags(command: Command) -> Command {
    // Lists of tables are no flags, but whoever tries is told where they belong.
    let lists = TaskMeasures::names().map(|name| {
        Arg::new(name.clone()).long(name).num_args(0..).action(ArgAction::Append).hide(true)
    });
    command.arg(config()).args(KEYS.iter().map(flag)).args(lists)
}

/// As [`add_config_flags`], only with the keys of some sections: for commands that use no others.
#[must_use]
pub fn add_flags_of(command: Command, sections: &[&str]) -> Command {
    let keys = KEYS.iter().filter(|key| sections.contains(&key.section()));
    command.arg(config()).args(keys.map(flag))
}

fn config() -> Arg {
    Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .action(ArgAction::Append)
        .help("TOML file over the one that was found; may be repeated")
        .help_heading("Configuration")
}

/// The flags of [`add_config_flags`] that were given.
#[must_use]
pub fn collect_flags(matches: &ArgMatches) -> FlagValues {
    // A command that was built without the flags has none of them set.
    let overlays = matches.try_get_many::<PathBuf>(CONFIG).ok().flatten();
    let overlays = overlays.into_iter().flatten().cloned().collect();
    let names = KEYS.iter().map(|key| key.name.to_owned()).chain(TaskMeasures::names());
    let values = names.filter_map(|key| {
        let given = matches.try_get_many::<String>(&key).ok().flatten()?;
        Some(FlagValue { values: given.cloned().collect(), key })
    });
    FlagValues { overlays, values: values.collect() }
}

fn flag(key: &Key) -> Arg {
    let value = match key.kind {
        Kind::Bool => "BOOL",
        Kind::Integer { .. } | Kind::Float(_) => "N",
        Kind::Seconds(_) => "SECONDS",
        Kind::Text | Kind::Repeated => "TEXT",
        Kind::Ip => "IP",
        Kind::Listen => "IP:PORT",
        Kind::Path => "PATH",
        Kind::PathList => "PATHS",
        Kind::TextList => "NAMES",
        Kind::FloatList(_) => "NUMBERS",
    };
    let (heading, help) = match key.meaning {
        Meaning::Used => (heading(key.section()), key.help.to_owned()),
        Meaning::Ignored { .. } => ("Accepted, without effect", key.help.to_owned()),
        Meaning::Later { what, .. } => ("Not in this build yet", format!("needs {what}")),
    };
    let arg = Arg::new(key.name)
        .long(key.name)
        .visible_aliases(key.aliases())
        .value_name(value)
        .help(help)
        .help_heading(heading)
        .hide_short_help(key.meaning != Meaning::Used)
        .allow_negative_numbers(true);
    if key.kind == Kind::Repeated {
        return arg.action(ArgAction::Append);
    }
    // As in the original, the last of several wins.
    let arg = arg.overrides_with(key.name);
    match key.kind {
        Kind::Bool => arg.num_args(0..=1).default_missing_value("true"),
        Kind::TextList | Kind::FloatList(_) | Kind::PathList => arg.num_args(1..),
        Kind::Integer { .. }
        | Kind::Float(_)
        | Kind::Seconds(_)
        | Kind::Text
        | Kind::Ip
        | Kind::Listen
        | Kind::Path
        | Kind::Repeated => arg,
    }
}

fn heading(section: &str) -> &'static str {
    match section {
        "run" | "journal" | "logging" => "Run, journal and logs",
        "neuron" | "persona" | "weights" | "models" | "engine" => "Validation and models",
        "tools" => "Sources of contexts",
        "miner" | "blacklist" => "Miner",
        "console" | "health" => "Console, metrics and health",
        "localnet" => "Local network",
        "wallet" | "subtensor" | "axon" => "Chain and network",
        _ => "Configuration",
    }
}
