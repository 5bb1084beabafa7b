//! The runs of a journal as runs for Weights & Biases.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{ExportError, NewFolder};
use crate::wandb::{About, Entry, Rolling};

/// A run of the journal.
#[derive(Debug)]
struct OneRun {
    rolling: Rolling,
    /// The time of its last entry, since the Unix epoch.
    last: Duration,
}

/// Writes runs into a new folder.
#[derive(Debug)]
pub struct Runs {
    folder: NewFolder,
    about: About,
    runs: BTreeMap<String, OneRun>,
    steps: u64,
}

impl Runs {
    /// Begins a folder; each run of the journal is a group of its own. See [`NewFolder::begin`].
    ///
    /// # Errors
    /// If there is a folder already, or none can be made.
    pub fn begin(target: &Path, force: bool, about: About) -> Result<Self, ExportError> {
        let folder = NewFolder::begin(target, force)?;
        Ok(Self { folder, about, runs: BTreeMap::new(), steps: 0 })
    }

    /// Takes a line of the journal.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn take(&mut self, line: &Map<String, Value>) -> Result<(), ExportError> {
        let run_id = line.get("run_id").and_then(Value::as_str).unwrap_or_default();
        let time = line.get("time").and_then(Value::as_f64).unwrap_or_default();
        let time = Duration::try_from_secs_f64(time).unwrap_or_default();
        let Some(entry) = Entry::of_line(line.clone()) else { return Ok(()) };
        if !self.runs.contains_key(run_id) {
            // A run is over when another begins: its log is not kept open.
            self.close_all()?;
            let about = About { group: run_id.to_owned(), ..self.about.clone() };
            let rolling = Rolling::new(self.folder.path().to_owned(), about);
            self.runs.insert(run_id.to_owned(), OneRun { rolling, last: time });
        }
        let Some(run) = self.runs.get_mut(run_id) else { return Ok(()) };
        self.steps += u64::from(matches!(entry, Entry::Step(_)));
        run.last = time;
        let taken = run.rolling.take(&entry, time);
        taken.map_err(|error| self.failure(&error))
    }

    /// Ends all runs and gives the folder its name.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn keep(mut self) -> Result<Exported, ExportError> {
        self.close_all()?;
        let runs = self.runs.values().map(|run| u64::from(run.rolling.parts())).sum();
        self.folder.keep()?;
        Ok(Exported { runs, steps: self.steps })
    }

    fn close_all(&mut self) -> Result<(), ExportError> {
        let close = |run: &mut OneRun| run.rolling.close(run.last);
        let closed = self.runs.values_mut().try_for_each(close);
        closed.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &std::io::Error) -> ExportError {
        let place = self.folder.path().display().to_string();
        ExportError::Folder { place, cause: error.to_string() }
    }
}

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// Runs of wandb; a run of the journal may be several.
    pub runs: u64,
    /// Scored steps in them.
    pub steps: u64,
}
