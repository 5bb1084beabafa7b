//! What is logged, how and where to: `logging.*`.

use std::path::PathBuf;

use serde::Deserialize;

/// `logging.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// Log more.
    pub debug: bool,
    /// Log everything.
    pub trace: bool,
    /// The file; `None` is standard error.
    pub file: Option<PathBuf>,
    /// How a line looks.
    pub format: LogFormat,
    /// Size in bytes at which a new file begins.
    pub max_bytes: u64,
    /// Folder under which each neuron has its state.
    pub logging_dir: PathBuf,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object.
    Json,
}

impl LogFormat {
    /// Every format.
    pub const ALL: &[Self] = &[Self::Text, Self::Json];

    /// The name in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
