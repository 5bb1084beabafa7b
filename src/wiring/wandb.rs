//! Runs for Weights & Biases, as configured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use sn1_actors::domain::{Hotkey, Netuid};
use sn1_actors::ports::Journal;

use super::unix_time;
use crate::config::{Loaded, Origin, Settings};
use crate::exit::{Ended, Exit};
use crate::journal::JournalFile;
use crate::wandb::{About, Wandb};

/// The sections that a run's configuration has, and of them not where things are on this machine.
const SECTIONS: [&str; 6] = ["netuid", "neuron", "persona", "rewards", "tasks", "wandb"];
const OWN_MATTER: &str = "wandb.dir";

/// What the runs are about.
pub struct Subject<'a> {
    /// The run's name in the journal.
    pub run_id: &'a str,
    /// The subnet.
    pub netuid: Netuid,
    /// Who validates; none in a network that lasts as long as its run.
    pub hotkey: Option<&'a Hotkey>,
    /// Where the journal is.
    pub journal: &'a Path,
}

/// Begins to write runs, if they are wanted.
///
/// # Errors
/// If the machine has no thread for it.
pub fn open(loaded: &Loaded, subject: &Subject<'_>) -> Result<Option<Wandb>, Ended> {
    let settings = &loaded.settings;
    if !settings.wandb.is_wanted() {
        return Ok(None);
    }
    let (folder, max_bytes) = (folder(settings, subject.journal), settings.wandb.max_bytes);
    let opened = Wandb::open(folder, about(loaded, subject), max_bytes, unix_time);
    let failed = |error| Ended::new(Exit::Failed, format!("no thread for wandb runs: {error}"));
    opened.map(Some).map_err(failed)
}

/// The journal, with its events in the runs too, where there are any.
#[must_use]
pub fn beside(wandb: Option<&Wandb>, journal: &JournalFile) -> Arc<dyn Journal> {
    let journal = Arc::new(journal.clone());
    match wandb {
        Some(wandb) => wandb.beside(journal),
        None => journal,
    }
}

/// The folder of the runs.
#[must_use]
pub fn folder(settings: &Settings, journal: &Path) -> PathBuf {
    let beside = || journal.parent().unwrap_or(Path::new("")).join("wandb");
    settings.wandb.dir.clone().unwrap_or_else(beside)
}

fn about(loaded: &Loaded, subject: &Subject<'_>) -> About {
    let settings = &loaded.settings;
    About {
        entity: settings.wandb.entity.clone().unwrap_or_default(),
        project: settings.wandb.project_name.clone(),
        notes: settings.wandb.notes.clone().unwrap_or_default(),
        tags: tags(settings, subject),
        config: config(&loaded.origins.0),
        group: subject.run_id.to_owned(),
    }
}

/// The original's tags (original-system.md §1.13).
fn tags(settings: &Settings, subject: &Subject<'_>) -> Vec<String> {
    let hotkey = subject.hotkey.map(|hotkey| hotkey.as_str().to_owned());
    let mut tags: Vec<String> = hotkey.into_iter().collect();
    tags.push(env!("CARGO_PKG_VERSION").to_owned());
    tags.push(settings.weights.spec_version.to_string());
    tags.push(format!("netuid_{}", subject.netuid));
    tags.extend(settings.neuron.task_mix.iter().map(|share| share.kind.name().to_owned()));
    if settings.neuron.disable_set_weights {
        tags.push("disable_set_weights".to_owned());
    }
    tags
}

/// Values by section and name; secrets have come as stars.
fn config(origins: &[Origin]) -> Map<String, Value> {
    let mut config = Map::new();
    for Origin { name, value, .. } in origins {
        let (section, rest) = name.split_once('.').unwrap_or((name, ""));
        if !SECTIONS.contains(&section) || name == OWN_MATTER {
            continue;
        }
        if rest.is_empty() {
            config.insert(name.clone(), value.clone());
            continue;
        }
        let section = config.entry(section).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(fields) = section {
            fields.insert(rest.to_owned(), value.clone());
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{FlagValue, Inputs, Role};

    #[test]
    fn a_run_has_the_original_s_tags_and_sections() {
        let flag = |key: &str, value: &str| FlagValue {
            key: key.to_owned(),
            values: vec![value.to_owned()],
        };
        let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        inputs.flags.values = vec![
            flag("neuron.disable_set_weights", "true"),
            flag("neuron.tasks", "qa"),
            flag("neuron.task_p", "1"),
            flag("wandb.entity", "me"),
            flag("wandb.dir", "/home/u/runs"),
        ];
        let loaded = Settings::load(Role::Validator, &inputs).unwrap();
        let hotkey = sn1_actors::testkit::hotkey(1);
        let subject = Subject {
            run_id: "17",
            netuid: Netuid(61),
            hotkey: Some(&hotkey),
            journal: Path::new("/state/journal.jsonl"),
        };
        let about = about(&loaded, &subject);
        let version = env!("CARGO_PKG_VERSION");
        let tags = [hotkey.as_str(), version, "30000", "netuid_61", "qa", "disable_set_weights"];
        assert_eq!(about.tags, tags);
        assert_eq!((about.entity.as_str(), about.group.as_str()), ("me", "17"));
        assert_eq!(about.config["neuron"]["tasks"], json!(["qa"]));
        assert_eq!(about.config["wandb"].get("dir"), None);
        assert!(!about.config.contains_key("wallet"), "{:?}", about.config.keys());
        assert_eq!(folder(&loaded.settings, subject.journal), Path::new("/home/u/runs"));
        inputs.flags.values.clear();
        let plain = Settings::load(Role::Validator, &inputs).unwrap();
        assert_eq!(folder(&plain.settings, subject.journal), Path::new("/state/wandb"));
        assert!(open(&plain, &subject).unwrap().is_none());
    }
}
