//! Where each value came from, for messages and for `sn1 config show`.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;

use figment::{Figment, Metadata, Source};
use serde_json::{Value, json};

use super::keys::{KEYS, Key, Role};
use super::settings::TaskMeasures;

/// A place where configuration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An embedded file of `config/`.
    Default,
    /// A file on disk.
    File {
        /// Its path as it was searched or given.
        path: PathBuf,
        /// The line, from 1, where one is known.
        line: Option<usize>,
    },
    /// An environment variable.
    Environment(String),
    /// A flag, with its `--`.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "built-in default"),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

const ENVIRONMENT: &str = "environment";
const FLAG: &str = "flag";

impl Place {
    /// The place as figment carries it along with a value.
    pub(super) fn to_metadata(&self) -> Metadata {
        match self {
            Self::Default => Metadata::named("default"),
            Self::File { path, .. } => Metadata::from("file", path.as_path()),
            Self::Environment(name) => Metadata::from(ENVIRONMENT, name.clone()),
            Self::Flag(flag) => Metadata::from(FLAG, flag.clone()),
        }
    }

    /// The reverse of [`Self::to_metadata`]; the line is lost on the way.
    fn from_metadata(metadata: &Metadata) -> Self {
        match (&metadata.source, metadata.name.as_ref()) {
            (Some(Source::File(path)), _) => Self::File { path: path.clone(), line: None },
            (Some(Source::Custom(name)), ENVIRONMENT) => Self::Environment(name.clone()),
            (Some(Source::Custom(flag)), FLAG) => Self::Flag(flag.clone()),
            _ => Self::Default,
        }
    }

    /// Where the value in effect of a key came from.
    pub(super) fn of(figment: &Figment, key: &str) -> Self {
        figment.find_metadata(key).map_or(Self::Default, Self::from_metadata)
    }
}

/// A key's value in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The key's dotted name.
    pub name: String,
    /// The value: durations in seconds, null for an optional key that is not set, stars for a
    /// secret.
    pub value: Value,
    /// Where it came from; a file without line.
    pub place: Place,
}

/// Every key that the role uses, in the order of the table, and the lists of the section `tasks`.
#[derive(Clone, Debug, PartialEq)]
pub struct Origins(pub Vec<Origin>);

impl Origins {
    pub(super) fn of(figment: &Figment, role: Role, lists: &TaskMeasures) -> Self {
        let origin = |key: &'static Key| {
            let found = figment.find_value(key.name).ok();
            let metadata = found.as_ref().and_then(|value| figment.get_metadata(value.tag()));
            let place = metadata.map_or(Place::Default, Place::from_metadata);
            let value = found.and_then(|value| serde_json::to_value(value).ok());
            let value = match value.unwrap_or_default() {
                Value::Null => Value::Null,
                _ if key.is_secret() => json!("***"),
                value => value,
            };
            Origin { name: key.name.to_owned(), value, place }
        };
        let keys = KEYS.iter().filter(|key| key.used_by(role)).map(origin);
        let lists = (role != Role::Miner).then(|| lists.origins()).into_iter().flatten();
        Self(keys.chain(lists).collect())
    }

    /// The origin of one key, if the role uses it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Origin> {
        self.0.iter().find(|origin| origin.name == name)
    }

    /// A table for people: key, value, origin; one line a key, with a line end each.
    #[must_use]
    pub fn to_table(&self) -> String {
        let rows: Vec<(&str, String, String)> = self.0.iter().map(Origin::row).collect();
        let keys = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
        // One long text must not push every origin off the screen.
        let values = rows.iter().map(|row| row.1.chars().count()).max().unwrap_or(0).min(40);
        rows.iter().fold(String::new(), |mut table, (key, value, place)| {
            // Writing to a string does not fail.
            let _ = writeln!(table, "{key:keys$}  {value:values$}  {place}");
            table
        })
    }

    /// For machines: an object from key to `value`, `layer` (`default`, `file`, `environment` or
    /// `flag`) and `source` (the file, the variable, the flag, or null).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let entry = |origin: &Origin| {
            let (layer, source) = match &origin.place {
                Place::Default => ("default", Value::Null),
                Place::File { path, .. } => ("file", json!(path.display().to_string())),
                Place::Environment(name) => (ENVIRONMENT, json!(name)),
                Place::Flag(flag) => (FLAG, json!(flag)),
            };
            let entry = json!({ "value": origin.value, "layer": layer, "source": source });
            (origin.name.clone(), entry)
        };
        Value::Object(self.0.iter().map(entry).collect())
    }
}

impl Origin {
    fn row(&self) -> (&str, String, String) {
        let value = if self.value.is_null() { "-".to_owned() } else { self.value.to_string() };
        (&self.name, value, self.place.to_string())
    }
}
