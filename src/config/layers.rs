//! The layers, read one after the other: every value that is understood becomes an [`Entry`],
//! everything else a problem or a warning with its place.
//!
//! figment only merges the entries. It would blame the last layer for a mistake in any of them, so
//! each value is checked here, where its place is still known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::keys::{KEYS, Key, Meaning, Role};
use super::origin::Place;
use super::problem::{Problem, ProblemKind, Warning, shortened};
use super::settings::{Inputs, TaskMeasures};
use super::toml_file::Leaf;
use super::value::{self, Given};
use super::{suggest, toml_file};

/// One value of one layer. It is a figment layer by itself, so that figment knows the variable or
/// the flag that each value in effect came from.
pub(super) struct Entry {
    key: &'static Key,
    value: Value,
    place: Place,
}

impl Provider for Entry {
    fn metadata(&self) -> Metadata {
        self.place.to_metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.key.name, self.value.clone());
        let dict = nested.into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// All layers of a role.
pub(super) struct Layers<'a> {
    role: Role,
    home: Option<&'a Path>,
    /// Values of keys in use, first layer first.
    pub(super) entries: Vec<Entry>,
    /// What is wrong, first layer first.
    pub(super) problems: Vec<Problem>,
    /// What has no effect; one for each key.
    pub(super) warnings: Vec<Warning>,
    /// The lists of the section `tasks`, the last layer's of each.
    pub(super) task_measures: TaskMeasures,
    /// Keys that were warned about.
    warned: Vec<&'static str>,
    /// The last value of each key that belongs to a later part.
    later: BTreeMap<&'static str, (ProblemKind, Value, Place)>,
}

impl<'a> Layers<'a> {
    /// Reads all layers.
    pub(super) fn read(role: Role, inputs: &'a Inputs) -> Self {
        let mut layers = Self {
            role,
            home: inputs.home.as_deref(),
            entries: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            task_measures: TaskMeasures::default(),
            warned: Vec::new(),
            later: BTreeMap::new(),
        };
        // Keys that the role does not use still have a field in the settings: they take the
        // default of a role that does.
        for other in Role::ALL.iter().filter(|other| **other != role) {
            layers.give_text(other.defaults(), None);
        }
        // What the role does use is as its own file says, and nothing where that says nothing.
        layers.entries.retain(|entry| !entry.key.used_by(role));
        layers.give_text(role.defaults(), None);
        layers.give_found(&inputs.search);
        for path in &inputs.flags.overlays {
            layers.give_file(path, true);
        }
        layers.give_environment(&inputs.environment);
        for flag in &inputs.flags.values {
            let place = Place::Flag(format!("--{}", flag.key));
            layers.give(&flag.key, Given::Text(&flag.values.join(",")), place);
        }
        layers.refuse_later();
        layers
    }

    /// The file of the role in the first folder that has one.
    fn give_found(&mut self, search: &[PathBuf]) {
        let name = format!("{}.toml", self.role.as_str());
        for folder in search {
            if self.give_file(&folder.join(&name), false) {
                return;
            }
        }
    }

    /// Whether there was such a file, readable or not.
    fn give_file(&mut self, path: &Path, required: bool) -> bool {
        match toml_file::read(path) {
            Ok(Some(text)) => self.give_text(&text, Some(path)),
            Ok(None) if required => {
                let kind = ProblemKind::Unreadable("there is no such file".to_owned());
                self.problem(Place::File { path: path.to_owned(), line: None }, kind);
            }
            Ok(None) => return false,
            Err(problem) => self.problems.push(problem),
        }
        true
    }

    fn give_text(&mut self, text: &str, path: Option<&Path>) {
        let place = |line| match path {
            Some(path) => Place::File { path: path.to_owned(), line },
            None => Place::Default,
        };
        match toml_file::leaves(text) {
            Ok(leaves) => {
                for leaf in leaves {
                    if TaskMeasures::holds(&leaf.key) {
                        self.give_task_measure(&leaf, place);
                    } else {
                        self.give(&leaf.key, Given::Toml(&leaf.value), place(leaf.line));
                    }
                }
            }
            Err((message, line)) => self.problem(place(line), ProblemKind::NotToml(message)),
        }
    }

    fn give_environment(&mut self, environment: &[(String, String)]) {
        let mut ours: Vec<&(String, String)> =
            environment.iter().filter(|(name, _)| name.starts_with("SN1_")).collect();
        ours.sort();
        for (name, text) in ours {
            let place = Place::Environment(name.clone());
            if let Some(key) = KEYS.iter().find(|key| key.environment() == *name) {
                self.give(key.name, Given::Text(text), place);
            } else if TaskMeasures::holds(&dotted(name).replace("__", ".")) {
                self.give(&dotted(name).replace("__", "."), Given::Text(text), place);
            } else if name.contains("__") {
                self.unknown(name, &dotted(name), place);
            } else if let Some(meant) =
                KEYS.iter().map(Key::environment).find(|meant| meant.replace("__", "_") == *name)
            {
                let message = format!("without `__` this is not read; `{meant}` is");
                self.warnings.push(Warning { place, message });
            }
        }
    }

    fn give_task_measure(&mut self, leaf: &Leaf, place: impl Fn(Option<usize>) -> Place) {
        if self.role == Role::Miner {
            let message = format!("`{}` has no effect in `sn1 miner`", shortened(&leaf.key));
            self.warnings.push(Warning { place: place(leaf.line), message });
        }
        for (line, kind) in self.task_measures.take(leaf, &place) {
            self.problem(place(line), kind);
        }
    }

    fn give(&mut self, name: &str, given: Given<'_>, place: Place) {
        if TaskMeasures::holds(name) {
            return self.problem(place, TaskMeasures::in_files_only(name));
        }
        let Some(key) = Key::find(name) else {
            if !name.is_empty() && KEYS.iter().any(|key| key.section() == name) {
                let expected = format!("a section, [{name}]");
                let (key, found) = (name.to_owned(), given.shown());
                self.problem(place, ProblemKind::BadValue { key, expected, found });
            } else {
                self.unknown(name, name, place);
            }
            return;
        };
        let value = match value::read(key, given, self.home) {
            Ok(value) => value,
            Err(kind) => return self.problem(place, kind),
        };
        match key.meaning {
            Meaning::Used if key.used_by(self.role) || place == Place::Default => {
                self.entries.push(Entry { key, value, place });
            }
            Meaning::Used => {
                self.warn(key, place, &format!(" in `sn1 {}`", self.role.as_str()));
            }
            Meaning::Ignored { why } => self.warn(key, place, &format!(": {why}")),
            Meaning::Later { what, .. } => {
                let kind = ProblemKind::Later {
                    key: key.name.to_owned(),
                    value: given.shown(),
                    what: what.to_owned(),
                };
                self.later.insert(key.name, (kind, value, place));
            }
        }
    }

    /// Refuses the keys of later parts that do not end at their default.
    fn refuse_later(&mut self) {
        for (name, (kind, value, place)) in std::mem::take(&mut self.later) {
            let default = Key::find(name).and_then(|key| match key.meaning {
                Meaning::Later { default, .. } => value::read(key, Given::Text(default), None).ok(),
                Meaning::Used | Meaning::Ignored { .. } => None,
            });
            if default != Some(value) {
                self.problem(place, kind);
            }
        }
    }

    fn unknown(&mut self, written: &str, dotted: &str, place: Place) {
        let suggestion = suggest::nearest(dotted).map(|key| match place {
            Place::Environment(_) => key.environment(),
            Place::Flag(_) => key.flag(),
            Place::Default | Place::File { .. } => key.name.to_owned(),
        });
        let kind = ProblemKind::UnknownKey { key: shortened(written), suggestion };
        self.problem(place, kind);
    }

    fn problem(&mut self, place: Place, kind: ProblemKind) {
        self.problems.push(Problem { place, kind });
    }

    fn warn(&mut self, key: &'static Key, place: Place, why: &str) {
        if !self.warned.contains(&key.name) {
            self.warned.push(key.name);
            let message = format!("`{}` has no effect{why}", key.name);
            self.warnings.push(Warning { place, message });
        }
    }
}

/// The key that a variable with `__` names: `SN1_A__B` is `a.b`, and `SN1__A` is `a`.
fn dotted(variable: &str) -> String {
    let name = variable.to_lowercase();
    match name.strip_prefix("sn1__") {
        Some(name) => name.to_owned(),
        None => name.strip_prefix("sn1_").unwrap_or(&name).replacen("__", ".", 1),
    }
}
