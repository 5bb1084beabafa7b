//! All that decides what answers earn, as the journal has it at the start of a run, so that
//! `sn1 replay` can score the run again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::closing::ClosingRules;
use super::rewards::Measures;
use crate::task_maker::tasks::TaskKind;

/// The rules of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringRules {
    /// How the answers to each kind of task are measured.
    pub tasks: BTreeMap<TaskKind, Arc<Measures>>,
    /// How a step is closed.
    pub closing: ClosingRules,
    /// How much a new score counts in the moving average.
    pub moving_average_alpha: f64,
    /// The embedding model's name.
    pub embedder: String,
}
