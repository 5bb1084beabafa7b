//! `wandb.*`: runs for Weights & Biases.

use std::path::PathBuf;

use serde::Deserialize;

/// Whether runs are written, where, and what they are called.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wandb {
    /// Write none, whatever `offline` says.
    pub off: bool,
    /// Write runs to be sent later.
    pub offline: bool,
    /// The project.
    pub project_name: String,
    /// Whose project it is; `None` is whoever sends the runs.
    pub entity: Option<String>,
    /// Anything that is to be remembered.
    pub notes: Option<String>,
    /// The folder of the runs; `None` is `wandb` beside the journal.
    pub dir: Option<PathBuf>,
    /// The most bytes that the runs of the folder may have.
    pub max_bytes: u64,
}

impl Wandb {
    /// Whether runs are to be written.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.offline && !self.off
    }
}
