//! `sn1 gateway keys`: who may use a validator's gateway, and how much.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::state::wallets_hotkey;
use super::{development_key_flag, flag, json_flag, loaded, output, switch};
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::gateway::keys::{
    self, KeyEditError, KeyEntry, KeyFileError, KeyLimits, Used, list, new_key, revoke,
};
use crate::wallet::development_key;
use crate::wiring::{gateway, joining, system_clock};

/// The settings that say whose gateway is meant.
const WHOSE: &[&str] = &["", "wallet", "logging"];
const REQUESTS: &str = "requests-per-minute";
const CONCURRENT: &str = "concurrent";
const TOKENS: &str = "tokens-per-day";
const DAY_SECS: u64 = 24 * 60 * 60;

pub(super) fn command() -> Command {
    let name = flag("name", "NAME").required(true).help("what to call the key, for you alone");
    let requests = flag(REQUESTS, "N")
        .default_value("60")
        .value_parser(value_parser!(u32).range(1..))
        .help("requests a minute");
    let concurrent = flag(CONCURRENT, "N")
        .default_value("8")
        .value_parser(value_parser!(u32).range(1..))
        .help("requests at a time");
    let tokens = flag(TOKENS, "N")
        .default_value("1000000")
        .value_parser(value_parser!(u64).range(1..))
        .help("tokens a day (UTC), of questions and answers together");
    let quiet = switch("quiet").conflicts_with("json").help("print the key and nothing else");
    let new = of_a_validator(Command::new("new"))
        .about("Make a key and print it, once")
        .after_help(
            "Examples:\n  sn1 gateway keys new --name alice --netuid 61 --wallet.name owner\n  \
             sn1 gateway keys new --name ci --tokens-per-day 50000 --netuid 61 --quiet\n\nOnly a hash \
             of the key is kept: a lost key is revoked and replaced.",
        )
        .args([name, requests, concurrent, tokens, quiet, json_flag()]);
    let list = of_a_validator(Command::new("list"))
        .about("Print the keys, their limits and what was used today")
        .after_help("Example:\n  sn1 gateway keys list --netuid 61 --wallet.name owner")
        .arg(json_flag());
    let which = Arg::new("key").value_name("ID|NAME").required(true).help("which key");
    let revoke = of_a_validator(Command::new("revoke"))
        .about("End the use of a key for good")
        .after_help(
            "Example:\n  sn1 gateway keys revoke alice --netuid 61 --wallet.name owner\n\nWhat is \
             under way with the key is still answered.",
        )
        .args([which, json_flag()]);
    let keys = Command::new("keys")
        .about("Keys of API users: make, list and revoke them")
        .after_help(
            "Examples:\n  sn1 gateway keys new --name alice --netuid 61 --wallet.name owner\n  \
             sn1 gateway keys list --netuid 1 --uri //Alice\n  \
             sn1 gateway keys revoke alice --netuid 61 --wallet.name owner\n\nThe flags are those that \
             the validator is started with; --folder takes the folder that it prints instead. A \
             running validator needs no restart.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([new, list, revoke]);
    Command::new("gateway")
        .about("The door for API users of a validator with gateway.enabled")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(keys)
}

fn of_a_validator(command: Command) -> Command {
    let folder = flag("folder", "FOLDER")
        .value_parser(value_parser!(PathBuf))
        .conflicts_with("uri")
        .help("the folder of the gateway's keys; that of the wallet's hotkey when left out");
    add_flags_of(command.arg(folder).arg(development_key_flag()), WHOSE)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let unnamed = || Ended::new(Exit::Usage, "see `sn1 gateway keys --help`");
    let Some(("keys", matches)) = matches.subcommand() else { return Err(unnamed().into()) };
    let Some((verb, matches)) = matches.subcommand() else { return Err(unnamed().into()) };
    let folder = folder(matches, verb)?;
    match verb {
        "new" => make(matches, folder).await,
        "list" => show(matches, folder),
        _ => end(matches, folder).await,
    }
}

/// Where the keys are. The validator's own key is not opened.
fn folder(matches: &ArgMatches, verb: &str) -> anyhow::Result<PathBuf> {
    if let Some(folder) = matches.get_one::<PathBuf>("folder") {
        return Ok(folder.clone());
    }
    let loaded = loaded(Role::Validator, matches)?;
    let settings = &loaded.settings;
    let netuid = joining::netuid(settings, &format!("gateway keys {verb}"))?;
    let hotkey = match matches.get_one::<String>("uri") {
        Some(uri) => development_key(&loaded, uri).map_err(Ended::from)?.hotkey(),
        None => wallets_hotkey(settings)?,
    };
    Ok(gateway::folder(settings, netuid, &hotkey))
}

async fn make(matches: &ArgMatches, folder: PathBuf) -> anyhow::Result<Exit> {
    let number = |name: &str| matches.get_one::<u32>(name).copied().unwrap_or(1);
    let limits = KeyLimits {
        requests_per_minute: number(REQUESTS),
        concurrent: number(CONCURRENT),
        tokens_per_day: matches.get_one::<u64>(TOKENS).copied().unwrap_or(1),
    };
    let name = matches.get_one::<String>("name").map_or("", String::as_str);
    let (key, entry) =
        new_key(&folder, &*system_clock(), name, limits).await.map_err(|error| ended(&error))?;
    // Nobody can ask for it a second time.
    if matches.get_flag("json") {
        let mut told = described(&entry);
        told["key"] = key.expose().into();
        told["folder"] = json!(folder);
        output::delivered(&serde_json::to_string_pretty(&told)?)?;
    } else if matches.get_flag("quiet") {
        output::delivered(key.expose())?;
    } else {
        output::delivered(&format!(
            "key     {}\nid      {}\nname    {}\nlimits  {}\nfolder  {}\nThe key is not shown again.",
            key.expose(),
            entry.id,
            entry.name,
            in_words(limits),
            folder.display()
        ))?;
    }
    Ok(Exit::Done)
}

fn show(matches: &ArgMatches, folder: PathBuf) -> anyhow::Result<Exit> {
    let unusable = |error: KeyFileError| Ended::new(Exit::File, error);
    let keys = list(&folder).map_err(unusable)?;
    let now = system_clock().unix();
    let mut used = keys::used(&folder, now).map_err(unusable)?;
    let mut used_with = |key: &KeyEntry| used.remove(&key.id).unwrap_or_default();
    if matches.get_flag("json") {
        let rows = keys.iter().map(|key| {
            let mut told = described(key);
            told["used"] = json!(used_with(key));
            told
        });
        let rows: Vec<Value> = rows.collect();
        output::json(&json!({ "folder": folder, "keys": rows }))?;
        return Ok(Exit::Done);
    }
    if keys.is_empty() {
        output::line(&format!(
            "no keys in {}; `sn1 gateway keys new` makes one",
            folder.display()
        ))?;
        return Ok(Exit::Done);
    }
    let width = keys.iter().map(|key| key.name.chars().count()).max().unwrap_or(0).max(4);
    output::line(&format!(
        "id       key          {:<width$}  made          a minute  at a time  tokens today",
        "name"
    ))?;
    for key in &keys {
        output::line(&row(key, used_with(key), width, now.as_secs()))?;
    }
    Ok(Exit::Done)
}

async fn end(matches: &ArgMatches, folder: PathBuf) -> anyhow::Result<Exit> {
    let which = matches.get_one::<String>("key").map_or("", String::as_str);
    let revoked = revoke(&folder, &*system_clock(), which).await;
    let (key, was_in_use) = revoked.map_err(|error| ended(&error))?;
    if matches.get_flag("json") {
        output::json(&described(&key))?;
        return Ok(Exit::Done);
    }
    let when = if was_in_use { "is revoked" } else { "was revoked already" };
    output::line(&format!("{} ({}, {}…) {when}", key.name, key.id, key.shown))?;
    Ok(Exit::Done)
}

fn ended(error: &KeyEditError) -> Ended {
    let exit = match error {
        KeyEditError::Name
        | KeyEditError::Taken(_)
        | KeyEditError::TooMany
        | KeyEditError::Unknown(_)
        | KeyEditError::Ambiguous(_) => Exit::Usage,
        KeyEditError::File(_) => Exit::File,
        KeyEditError::Entropy(_) => Exit::Failed,
    };
    Ended::new(exit, error)
}

/// All that may be known of a key.
fn described(key: &KeyEntry) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.shown,
        "created": key.created,
        "revoked": key.revoked,
        "limits": key.limits,
    })
}

fn in_words(limits: KeyLimits) -> String {
    let KeyLimits { requests_per_minute, concurrent, tokens_per_day } = limits;
    format!(
        "{requests_per_minute} requests a minute, {concurrent} at a time, {tokens_per_day} tokens a day"
    )
}

fn row(key: &KeyEntry, used: Used, width: usize, now: u64) -> String {
    let made = match now.saturating_sub(key.created) / DAY_SECS {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    };
    // The file is a text that anybody could have edited.
    let (id, start) = (output::shown(&key.id, 8), output::shown(&key.shown, 11));
    let known = format!("{id:<8} {start}… {:<width$}  {made:<12}", output::shown(&key.name, width));
    if key.revoked.is_some() {
        return format!("{known}  revoked");
    }
    let KeyLimits { requests_per_minute, concurrent, tokens_per_day } = key.limits;
    let tokens = used.tokens_today;
    format!("{known}  {requests_per_minute:<8}  {concurrent:<9}  {tokens} of {tokens_per_day}")
}
