//! What can be wrong with a configuration, each with the place where it stands.

use std::fmt;

use super::origin::Place;

/// Text from outside is shown no longer than this.
const SHOWN: usize = 60;

/// Everything that is wrong, in the order of the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} problem{plural} in the configuration:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// There is no such key.
    #[error(
        "unknown key `{key}`{}",
        .suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
    )]
    UnknownKey {
        /// The name, as the layer writes it.
        key: String,
        /// A known name that is near, written the same way.
        suggestion: Option<String>,
    },
    /// The value has the wrong type or is out of range.
    #[error("`{key}` must be {expected}, not {found}")]
    BadValue {
        /// The dotted name.
        key: String,
        /// What the key takes.
        expected: String,
        /// What stands there, shortened.
        found: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Inconsistent(String),
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    /// The file is no TOML; the place has the line.
    #[error("not valid TOML: {0}")]
    NotToml(String),
    /// The value belongs to a part that this build lacks.
    #[error("`{key}` = {value} needs {what}, which this build does not have yet; leave it out")]
    Later {
        /// The dotted name.
        key: String,
        /// The value, shortened.
        value: String,
        /// The missing part.
        what: String,
    },
    /// A CUDA device is asked for.
    #[error(
        "`neuron.device` = {device}, but this build has no CUDA; use `cpu`, or build with \
         `cargo build --release --features cuda`"
    )]
    NoCuda {
        /// The device that was asked for.
        device: String,
    },
}

impl ProblemKind {
    /// The dotted key that the problem is about, if it is about one known key.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::BadValue { key, .. } | Self::Later { key, .. } => Some(key),
            Self::NoCuda { .. } => Some("neuron.device"),
            Self::UnknownKey { .. }
            | Self::Inconsistent(_)
            | Self::Unreadable(_)
            | Self::NotToml(_) => None,
        }
    }
}

/// Something that works, but not as its writer may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// What to know about it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Foreign text for a message: quoted, one line, shortened.
pub(super) fn shown(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// The beginning of a text that may be long; control characters, which could draw on a terminal,
/// are replaced.
pub(super) fn shortened(text: &str) -> String {
    let harmless = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let mut short: String = text.chars().take(SHOWN).map(harmless).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
