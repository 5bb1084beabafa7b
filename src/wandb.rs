//! Runs for Weights & Biases, written on disk in that service's own format: `wandb sync DIR` sends
//! them. Nothing here sends anything.
//!
//! A run is a folder `offline-run-YYYYMMDD_HHMMSS-ID` with a log of every scored step, under the
//! field names of the original (original-system.md §1.13). What API users and miners wrote to each
//! other is never in it. A process writes one run after the other, as long runs are hard to look at
//! and are sent only when they have ended; they share wandb's group.
//!
//! [`Wandb`] writes beside the journal while the validator runs, on a thread of its own: what cannot
//! be written is missing there, and nothing waits for it. `sn1 export --wandb` writes the runs of a
//! journal that is there already.

mod entry;
mod log;
mod record;
mod rolling;
mod run;
mod series;
mod viewer;

use serde_json::{Map, Value};

pub use entry::Entry;
pub use rolling::Rolling;
pub use viewer::Wandb;

/// What all runs of a process have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Whose project it is; empty is whoever sends the runs.
    pub entity: String,
    /// The project.
    pub project: String,
    /// Anything that is to be remembered; may be empty.
    pub notes: String,
    /// What runs are looked for by.
    pub tags: Vec<String>,
    /// The settings of the process.
    pub config: Map<String, Value>,
    /// What names the process among all others of the project.
    pub group: String,
}
