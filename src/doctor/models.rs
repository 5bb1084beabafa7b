//! The models: their files, hashed anew, or the servers that stand in their place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Case, Finding, disk, off_thread, size};
use crate::config::{MinerKind, Role, Settings};
use crate::engine::{LocalModelFiles, RemoteEngine, footprint};
use crate::models::{FileState, FileStatus, ModelError, Store};
use crate::wiring::model::{self, FAKE, engine_options, store};
use crate::wiring::remote::{openai, remote};

const MODEL: &str = "model";
const SERVER: &str = "model_server";
/// Larger models take longer to hash than anybody wants to wait here.
const HASHING: Duration = Duration::from_secs(10);

/// The models that run on this machine, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) embedder: Option<&'a str>,
}

impl Needs<'_> {
    /// Where a model lies, or would.
    pub(super) fn place(self, case: &Case, name: &str) -> Option<PathBuf> {
        model::place(&store(&case.settings).ok()?, name)
    }
}

pub(super) fn needs(case: &Case) -> Needs<'_> {
    const NOTHING: Needs<'_> = Needs { text: None, embedder: None };
    let Settings { neuron, engine, miner, .. } = &case.settings;
    let writes = match (case.role, miner.kind) {
        (Role::Validator | Role::Localnet, _) => true,
        (Role::Miner, MinerKind::Model | MinerKind::Agent | MinerKind::Slow) => true,
        (
            Role::Miner,
            MinerKind::OpenAi
            | MinerKind::Echo
            | MinerKind::Phrase
            | MinerKind::Mock
            | MinerKind::Copier
            | MinerKind::Dead,
        ) => false,
    };
    if !writes || neuron.model_id == FAKE {
        return NOTHING;
    }
    let text = engine.servers.is_empty().then_some(neuron.model_id.as_str());
    Needs { text, embedder: Some(&neuron.embedder_id) }
}

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    let needs = needs(case);
    let names = [(needs.text, "neuron.model_id"), (needs.embedder, "neuron.embedder_id")];
    for (name, key) in names {
        if let Some(name) = name {
            findings.extend(of_model(case, name, key).await);
        }
    }
    if !case.offline {
        findings.extend(servers(case).await);
    }
    findings
}

async fn of_model(case: &Case, name: &str, key: &'static str) -> Vec<Finding> {
    let store = match store(&case.settings) {
        Ok(store) => store,
        Err(error) => return vec![Finding::of_error(MODEL, &error, "set models.dir")],
    };
    if store.catalogue().find(name).is_none() {
        return vec![match model::place(&store, name) {
            Some(path) => of_path(case, path, key).await,
            None => {
                let seen = format!("no model is called {name:?} ({key})");
                Finding::failing(MODEL, seen, format!("`sn1 models list` has the names; set {key}"))
            }
        }];
    }
    let hashed = case.bounded(MODEL, HASHING, store.inspect(name)).await;
    let (store, files) = match hashed {
        Ok(files) => (store, files),
        // Too large to be hashed in that time, or on a disk that does not answer.
        Err(_) => {
            let name = name.to_owned();
            let looked = off_thread(move || {
                let files = store.status(&name);
                (store, files)
            });
            match case.soon(MODEL, looked).await {
                Ok(found) => found,
                Err(late) => return vec![late],
            }
        }
    };
    match files {
        Ok(files) => of_files(case, &store, name, &files).await,
        Err(error) => vec![unusable(&error)],
    }
}

fn unusable(error: &ModelError) -> Finding {
    Finding::of_error(MODEL, error, "look at the folder models.dir names")
}

async fn of_files(case: &Case, store: &Store, name: &str, files: &[FileStatus]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().filter_map(|file| wrong(name, file)).collect();
    let missing: Vec<&FileStatus> =
        files.iter().filter(|file| file.state == FileState::Missing).collect();
    if !missing.is_empty() {
        let bytes = missing.iter().filter_map(|file| file.bytes).sum();
        let names: Vec<&str> = missing.iter().map(|file| file.name.as_str()).collect();
        let at = store.dir().join(name);
        let seen = format!(
            "{name}: {} of {} files are not in {} ({}); the start pulls them, {}",
            missing.len(),
            files.len(),
            at.display(),
            names.join(", "),
            size(bytes)
        );
        findings.push(Finding::warning(
            MODEL,
            seen,
            format!("`sn1 models pull {name}` does so now"),
        ));
        let cure = "free some, or set models.dir to a folder on another disk";
        findings.push(disk::room(case, &at, bytes, "the model takes", cure).await);
    }
    if findings.is_empty() {
        findings.push(all_there(name, files));
    }
    findings
}

fn wrong(name: &str, file: &FileStatus) -> Option<Finding> {
    let FileState::Wrong { actual, expected } = &file.state else { return None };
    let path = file.path.display();
    let seen = format!("{path} is not the file that it should be: it has {actual}, not {expected}");
    Some(Finding::failing(MODEL, seen, format!("rm {path} && sn1 models pull {name}")))
}

fn all_there(name: &str, files: &[FileStatus]) -> Finding {
    let bytes = size(files.iter().filter_map(|file| file.bytes).sum());
    if files.iter().all(|file| file.state == FileState::Verified) {
        return Finding::ok(
            MODEL,
            format!("{name}: {} files, {bytes}, all as pinned", files.len()),
        );
    }
    let seen = format!(
        "{name}: {} files, {bytes}; their hashes are not known or not looked at",
        files.len()
    );
    Finding::warning(MODEL, seen, format!("`sn1 models verify {name}` hashes them all"))
}

/// A model that is named by where it lies.
async fn of_path(case: &Case, path: PathBuf, key: &'static str) -> Finding {
    let options = engine_options(&case.settings);
    let (shown, is_text) = (path.display().to_string(), key == "neuron.model_id");
    let looked = off_thread(move || {
        if !path.exists() {
            return Err("there is no such file or folder".to_owned());
        }
        if is_text {
            let files = LocalModelFiles { text: path, embedder: None };
            return footprint(&files, options).map(drop).map_err(|error| error.problem.to_string());
        }
        lacks(&path).map_or(Ok(()), |file| Err(format!("it lacks {file}")))
    });
    match case.soon(MODEL, looked).await {
        Ok(Ok(())) => Finding::ok(MODEL, format!("{shown} ({key})")),
        Ok(Err(problem)) => {
            let seen = format!("{shown} ({key}): {problem}");
            Finding::failing(
                MODEL,
                seen,
                format!("set {key} to a model, or to a name of `sn1 models list`"),
            )
        }
        Err(late) => late,
    }
}

/// What is not in the folder of an embedding model.
fn lacks(folder: &Path) -> Option<&'static str> {
    let files = ["config.json", "tokenizer.json", "model.safetensors"];
    files.into_iter().find(|file| !folder.join(file).is_file())
}

/// The servers that write in the text model's place, each asked for its models.
async fn servers(case: &Case) -> Vec<Finding> {
    let (settings, clock) = (&case.settings, &case.clock);
    let asks = case.role == Role::Miner && settings.miner.kind == MinerKind::OpenAi;
    let named = if asks {
        let engine = openai(settings, clock.clone()).map(|engine| engine.as_ref().clone());
        vec![(settings.openai.base_url.clone(), engine)]
    } else if needs(case).embedder.is_some() {
        let one = |server: &String| {
            let mut settings = settings.clone();
            settings.engine.servers = vec![server.clone()];
            remote(&settings, clock.clone())
                .transpose()
                .map(|engine| (server.clone(), engine.map(|engine| engine.as_ref().clone())))
        };
        settings.engine.servers.iter().filter_map(one).collect()
    } else {
        Vec::new()
    };
    let alone = named.len() == 1;
    let asked = named.into_iter().map(|(server, engine)| of_server(case, server, engine));
    let mut findings = join_all(asked).await;
    let dead = findings.iter().all(|finding| finding.cure.is_some());
    if !alone && !dead {
        // The others write in its place.
        findings = findings.into_iter().map(Finding::or_warning).collect();
    }
    findings
}

async fn of_server(case: &Case, server: String, engine: anyhow::Result<RemoteEngine>) -> Finding {
    let cure = "start it, or set engine.servers (openai.base_url of a miner) and its key";
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => return Finding::of_error(SERVER, &error, cure),
    };
    match case.bounded(SERVER, HASHING, engine.check()).await {
        Ok(Ok(())) => Finding::ok(SERVER, format!("{server} has the model")),
        Ok(Err(error)) => Finding::failing(SERVER, error.to_string(), cure),
        Err(late) => Finding { seen: format!("{server}: {}", late.seen), ..late },
    }
}
