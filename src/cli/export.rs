//! `sn1 export`: a journal in the files that other tools read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use indicatif::ProgressBar;
use serde::Serialize;

use super::signals::Signals;
use super::{json_flag, loaded, output, progress, switch};
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::export::{self, ExportError, Exported, Runs, Tables};
use crate::journal::read::{JournalLine, JournalReader};
use crate::journal::recorded::Recorded;
use crate::wandb::About;

pub(super) fn command() -> Command {
    let folder = |name: &'static str| {
        Arg::new(name).long(name).value_name("DIR").value_parser(value_parser!(PathBuf))
    };
    let command = Command::new("export")
        .about("A journal in the files that other tools read")
        .after_help(
            "DIR is a new folder, which is there when it is complete. The files that the journal was \
             rotated into are read too. What API users wrote is in no wandb run; of the settings for \
             those, wandb.project_name, entity and notes are used.\n\n\
             Code 4 where the journal cannot be read or the folder cannot be written.\n\n\
             Examples:\n  sn1 export journal.jsonl --wandb runs\n  \
             sn1 export journal.jsonl --parquet tables --force",
        )
        .arg(
            Arg::new("journal")
                .value_name("JOURNAL")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("a journal's file"),
        )
        .arg(folder("wandb").help("runs that `wandb sync` takes"))
        .arg(folder("parquet").help("tables for DuckDB, ClickHouse and others"))
        .group(ArgGroup::new("for").args(["wandb", "parquet"]).required(true).multiple(true))
        .arg(switch("force").help("replace what an earlier export left in DIR"))
        .arg(json_flag());
    add_flags_of(command, &["wandb"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Validator, matches)?;
    let wandb = &loaded.settings.wandb;
    let about = About {
        entity: wandb.entity.clone().unwrap_or_default(),
        project: wandb.project_name.clone(),
        notes: wandb.notes.clone().unwrap_or_default(),
        tags: vec![env!("CARGO_PKG_VERSION").to_owned()],
        ..About::default()
    };
    let mut signals = Signals::watch()?;
    let exported = tokio::select! {
        exported = export(matches, about) => exported?,
        _ = signals.next() => return Ok(Exit::Interrupted),
    };
    if exported.skipped > 0 {
        let lines = exported.skipped;
        tracing::warn!(lines, "the journal has lines that cannot be read: they are left out");
    }
    if matches.get_flag("json") {
        output::json(&exported)?;
    } else {
        exported.print(matches)?;
    }
    Ok(Exit::Done)
}

/// What was exported.
#[derive(Debug, Default, Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    wandb: Option<Exported>,
    /// The rows of each table.
    #[serde(skip_serializing_if = "Option::is_none")]
    parquet: Option<BTreeMap<&'static str, u64>>,
    /// Lines that cannot be read.
    skipped: u64,
}

impl Report {
    fn print(&self, matches: &ArgMatches) -> std::io::Result<()> {
        let folder = |name: &str| {
            let folder = matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
            folder.display().to_string()
        };
        if let Some(Exported { runs, steps }) = self.wandb {
            let folder = folder("wandb");
            output::line(&format!(
                "{runs} runs with {steps} steps in {folder} (`wandb sync {folder}` sends them)"
            ))?;
        }
        for (table, rows) in self.parquet.iter().flatten() {
            output::line(&format!("{rows:>9} {table} in {}/{table}.parquet", folder("parquet")))?;
        }
        Ok(())
    }
}

async fn export(matches: &ArgMatches, about: About) -> anyhow::Result<Report> {
    let journal = matches.get_one::<PathBuf>("journal").cloned().unwrap_or_default();
    let folder = |name: &str| matches.get_one::<PathBuf>(name);
    let absolute = |name: &str| std::path::absolute(folder(name)?).ok();
    if absolute("wandb").is_some_and(|wandb| absolute("parquet") == Some(wandb)) {
        let message = "--wandb and --parquet name the same folder: give each its own";
        return Err(Ended::new(Exit::Usage, message).into());
    }
    let force = matches.get_flag("force");
    let mut reader = JournalReader::open(&journal).map_err(failed)?;
    let tables = folder("parquet").map(|folder| Tables::begin(folder, force));
    let mut tables = tables.transpose().map_err(failed)?;
    let runs = folder("wandb").map(|folder| Runs::begin(folder, force, about));
    let mut runs = runs.transpose().map_err(failed)?;

    let bar = progress::of_bytes(reader.bytes(), "exported");
    if let Some(tables) = &mut tables {
        learn(&mut reader, tables, &bar).await?;
        reader = JournalReader::open(&journal).map_err(failed)?;
        bar.set_length(reader.bytes());
    }
    bar.set_message("exported");
    let mut report = Report::default();
    while let Some(line) = reader.next_line().map_err(failed)? {
        bar.set_position(reader.bytes_read());
        // A signal has to get a word in.
        tokio::task::yield_now().await;
        let fields = match line {
            JournalLine::Event { .. } | JournalLine::Malformed { .. } => {
                export::fields(reader.line())
            }
            JournalLine::Unreadable { torn: true, .. } => continue,
            JournalLine::Unreadable { torn: false, .. } => None,
        };
        let Some(fields) = fields else {
            report.skipped += 1;
            continue;
        };
        if let Some(tables) = &mut tables {
            tables.take(&fields).map_err(failed)?;
        }
        if let Some(runs) = &mut runs {
            runs.take(&fields).map_err(failed)?;
        }
    }
    bar.finish_and_clear();
    report.parquet = tables.map(Tables::keep).transpose().map_err(failed)?;
    report.wandb = runs.map(Runs::keep).transpose().map_err(failed)?;
    Ok(report)
}

/// Goes through the journal for what the tables have to know before their first row.
async fn learn(
    reader: &mut JournalReader,
    tables: &mut Tables,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    bar.set_message("looked through");
    while let Some(line) = reader.next_line().map_err(failed)? {
        if is_step(&line) {
            tables.learn(reader.line());
        }
        bar.set_position(reader.bytes_read());
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Also one that cannot be replayed, because a version of the program wrote it that is no more.
fn is_step(line: &JournalLine) -> bool {
    match line {
        JournalLine::Event { event, .. } => matches!(event, Recorded::Step(_)),
        JournalLine::Malformed { event, .. } => event == "step",
        JournalLine::Unreadable { .. } => false,
    }
}

fn failed(error: impl Into<ExportError>) -> Ended {
    let error = error.into();
    let exit = match error {
        ExportError::NotBuilt => Exit::NotBuilt,
        ExportError::Journal(_) | ExportError::Folder { .. } => Exit::File,
    };
    Ended::new(exit, error)
}
