//! `sn1 models`: what there is, where it is, and getting it.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::{flag, json_flag, output, settings};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::models::{FileState, Progress, PullOptions, Store};
use crate::wiring::model::{ended, store};

pub(super) fn command() -> Command {
    let name = Arg::new("name")
        .value_name("NAME")
        .help("one model; those that the settings name when left out");
    let from = flag("from", "FOLDER")
        .value_parser(value_parser!(PathBuf))
        .help("a folder that holds the files already");
    Command::new("models")
        .about("Model files: list, pull and verify them")
        .after_help("Examples:\n  sn1 models list\n  sn1 models pull\n  sn1 models verify smollm2")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(add_config_flags(
            Command::new("list")
                .about("What there is, and which files are here")
                .after_help("Example:\n  sn1 models list --json")
                .arg(json_flag()),
        ))
        .subcommand(add_config_flags(
            Command::new("pull")
                .about("Get what is missing")
                .after_help("Example:\n  sn1 models pull zephyr-7b-beta --models.dir ~/models")
                .arg(name.clone())
                .arg(from),
        ))
        .subcommand(add_config_flags(
            Command::new("verify")
                .about("Hash every file again")
                .after_help("Example:\n  sn1 models verify smollm2-135m-instruct")
                .arg(name)
                .arg(json_flag()),
        ))
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 models --help`").into());
    };
    let settings = settings(Role::Localnet, matches)?;
    let store = store(&settings)?;
    let all = || store.catalogue().models().iter().map(|model| model.name.clone()).collect();
    let names = if verb == "list" { all() } else { names(&store, &settings, matches) };
    match verb {
        "pull" => pull(&store, &names, matches).await,
        "verify" => list(&store, &names, matches, true).await,
        _ => list(&store, &names, matches, false).await,
    }
}

/// The model that is asked for, or else those that the settings name and the catalogue has: some
/// of the others are too large to be pulled unasked.
fn names(store: &Store, settings: &Settings, matches: &ArgMatches) -> Vec<String> {
    match matches.get_one::<String>("name") {
        Some(name) => vec![name.clone()],
        None => [&settings.neuron.model_id, &settings.neuron.embedder_id]
            .into_iter()
            .filter_map(|name| Some(store.catalogue().find(name)?.name.clone()))
            .collect(),
    }
}

async fn pull(store: &Store, names: &[String], matches: &ArgMatches) -> anyhow::Result<Exit> {
    let options = PullOptions {
        progress: Progress::detect(),
        local: matches.get_one::<PathBuf>("from").cloned(),
        ..PullOptions::default()
    };
    for name in names {
        let folder = store.ensure(name, &options).await.map_err(ended)?;
        output::line(&format!("{name}: {}", folder.display()))?;
    }
    Ok(Exit::Done)
}

async fn list(
    store: &Store,
    names: &[String],
    matches: &ArgMatches,
    verify: bool,
) -> anyhow::Result<Exit> {
    let mut all = Vec::new();
    let mut sound = true;
    for name in names {
        let files = if verify { store.verify(name).await } else { store.status(name) };
        for file in files.map_err(ended)? {
            let state = match &file.state {
                FileState::Missing => "missing",
                FileState::Present => "present, not verified",
                FileState::Verified => "verified",
                FileState::Wrong { .. } => "wrong",
            };
            sound &= file.state == FileState::Verified;
            all.push((name.clone(), file.name, state, file.bytes, file.path));
        }
    }
    if matches.get_flag("json") {
        let rows = all.iter().map(|(model, file, state, bytes, path)| {
            json!({"model": model, "file": file, "state": state, "bytes": bytes, "path": path})
        });
        output::json(&rows.collect::<Vec<_>>())?;
    } else {
        for (model, file, state, bytes, path) in &all {
            let size = bytes.map_or("?".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
            output::line(&format!("{model}  {file}  {size}  {state}  {}", path.display()))?;
        }
    }
    Ok(if verify && !sound { Exit::Model } else { Exit::Done })
}
