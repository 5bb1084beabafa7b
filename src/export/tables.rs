//! The tables of a journal as Parquet files, for DuckDB, ClickHouse and others.
//!
//! `run_id` and `seq` say of every row which line of the journal it is from; a step and its answers
//! have the same. Columns have the names of the journal's fields, times are seconds, moments are
//! seconds since the Unix epoch, and what a line does not have is null. What is no single value, such
//! as what was said before, is JSON.
//!
//! The measures of answers differ from task to task. A journal is therefore read twice: first for
//! their names ([`Tables::learn`]), then for the rows ([`Tables::take`]). Rows are written a group at
//! a time; no more than a few groups are in memory.

mod columns;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parquet::errors::ParquetError;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::{ExportError, NewFolder};
use columns::{ANSWERS, CONVERSATIONS, CRASHES, OF_EACH_ANSWER, STEPS, WEIGHTS, is_measure};
use table::{Kind, Table};

/// A journal with more measures than this was not written by this program.
const MOST_MEASURES: usize = 1_024;
static NULL: Value = Value::Null;

/// The tables of a journal on their way into a new folder.
#[derive(Debug)]
pub struct Tables {
    folder: NewFolder,
    measures: BTreeSet<String>,
    open: Option<Open>,
}

/// The files, once their columns are known.
#[derive(Debug)]
struct Open {
    steps: Table,
    answers: Table,
    conversations: Table,
    weights: Table,
    crashes: Table,
}

impl Tables {
    /// Begins a folder; see [`NewFolder::begin`].
    ///
    /// # Errors
    /// If there is a folder already, or none can be made.
    pub fn begin(target: &Path, force: bool) -> Result<Self, ExportError> {
        let folder = NewFolder::begin(target, force)?;
        Ok(Self { folder, measures: BTreeSet::new(), open: None })
    }

    /// Learns the names of the measures in a line of the journal that is a step's.
    pub fn learn(&mut self, line: &[u8]) {
        let Ok(keys) = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(line) else { return };
        for key in keys.into_keys().filter(|key| is_measure(key)) {
            if self.measures.len() < MOST_MEASURES {
                self.measures.insert(key);
            }
        }
    }

    /// Takes a line of the journal. Everything is learnt by then: a measure with a new name is left
    /// out.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn take(&mut self, line: &Map<String, Value>) -> Result<(), ExportError> {
        let open = self.open()?;
        let taken = match line.get("event").and_then(Value::as_str) {
            Some("step") => open.step(line),
            Some("conversation_ended") => open.conversations.row(&fields(line, CONVERSATIONS)),
            Some("weights_set") => open.weights_set(line),
            Some("actor_crashed") => open.actor_crashed(line),
            _ => Ok(()),
        };
        taken.map_err(|error| self.failure(&error))
    }

    /// Completes the files and gives the folder its name; the rows of each table.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn keep(mut self) -> Result<BTreeMap<&'static str, u64>, ExportError> {
        self.open()?;
        let closed = self.open.take().map(Open::close).transpose();
        let rows = closed.map_err(|error| self.failure(&error))?;
        self.folder.keep()?;
        Ok(rows.unwrap_or_default())
    }

    fn open(&mut self) -> Result<&mut Open, ExportError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let opened = Open::create(self.folder.path(), &self.measures);
                opened.map_err(|error| self.failure(&error))?
            }
        };
        Ok(self.open.insert(open))
    }

    fn failure(&self, error: &ParquetError) -> ExportError {
        let place = self.folder.path().display().to_string();
        ExportError::Folder { place, cause: error.to_string() }
    }
}

impl Open {
    fn create(folder: &Path, measures: &BTreeSet<String>) -> Result<Self, ParquetError> {
        let table = |name: &str, columns: &[(&str, Kind)]| {
            Table::create(&folder.join(format!("{name}.parquet")), name, columns)
        };
        let of_answers: Vec<(&str, Kind)> = ANSWERS
            .iter()
            .copied()
            .chain(OF_EACH_ANSWER.iter().map(|(name, _, kind)| (*name, *kind)))
            .chain(measures.iter().map(|name| (name.as_str(), Kind::Double)))
            .collect();
        Ok(Self {
            steps: table("steps", STEPS)?,
            answers: table("answers", &of_answers)?.with_measures(measures),
            conversations: table("conversations", CONVERSATIONS)?,
            weights: table("weights", WEIGHTS)?,
            crashes: table("crashes", CRASHES)?,
        })
    }

    fn step(&mut self, line: &Map<String, Value>) -> Result<(), ParquetError> {
        let asked = list(line, "uids").len();
        let mut step = line.clone();
        step.insert("asked".to_owned(), json!(asked));
        step.entry("organic").or_insert(Value::Bool(false));
        self.steps.row(&fields(&step, STEPS))?;
        // What is said of a piece of an answer is told by how many there were.
        let chunks = list(line, "all_chunks_timings").iter();
        let chunks = chunks.map(|pieces| json!(pieces.as_array().map_or(0, Vec::len)));
        step.insert("chunks".to_owned(), chunks.collect());
        let measures = self.answers.measures.clone();
        for at in 0..asked {
            let mut row = fields(&step, ANSWERS);
            row.extend(OF_EACH_ANSWER.iter().map(|(_, key, _)| each(&step, key, at)));
            row.extend(measures.iter().map(|key| each(&step, key, at)));
            self.answers.row(&row)?;
        }
        Ok(())
    }

    /// A row for each uid; one without a uid where nothing was sent.
    fn weights_set(&mut self, line: &Map<String, Value>) -> Result<(), ParquetError> {
        let (uids, weights) = (list(line, "uids"), list(line, "weights"));
        let sum: f64 = weights.iter().filter_map(Value::as_f64).sum();
        let mut row = line.clone();
        for at in 0..uids.len().max(1) {
            let weight = weights.get(at).unwrap_or(&NULL);
            let share = weight.as_f64().filter(|_| sum > 0.0).map(|weight| weight / sum);
            row.insert("uid".to_owned(), uids.get(at).unwrap_or(&NULL).clone());
            row.insert("weight".to_owned(), weight.clone());
            row.insert("share".to_owned(), json!(share));
            self.weights.row(&fields(&row, WEIGHTS))?;
        }
        Ok(())
    }

    fn actor_crashed(&mut self, line: &Map<String, Value>) -> Result<(), ParquetError> {
        let mut row = line.clone();
        let pause = line.get("restarting_in").filter(|pause| pause.is_object()).map(|pause| {
            let part = |key: &str| pause.get(key).and_then(Value::as_f64).unwrap_or_default();
            part("secs") + part("nanos") / 1e9
        });
        row.insert("restarting_in".to_owned(), json!(pause));
        self.crashes.row(&fields(&row, CRASHES))
    }

    fn close(self) -> Result<BTreeMap<&'static str, u64>, ParquetError> {
        Ok([
            ("steps", self.steps.close()?),
            ("answers", self.answers.close()?),
            ("conversations", self.conversations.close()?),
            ("weights", self.weights.close()?),
            ("crashes", self.crashes.close()?),
        ]
        .into())
    }
}

/// The values of some columns.
fn fields<'a>(line: &'a Map<String, Value>, columns: &[(&str, Kind)]) -> Vec<&'a Value> {
    columns.iter().map(|(key, _)| line.get(*key).unwrap_or(&NULL)).collect()
}

fn list<'a>(line: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    line.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a list over the answers has for one of them.
fn each<'a>(line: &'a Map<String, Value>, key: &str, at: usize) -> &'a Value {
    list(line, key).get(at).unwrap_or(&NULL)
}

#[cfg(test)]
mod tests;
