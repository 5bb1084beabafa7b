//! `sn1 replay`: scores the runs of a journal again, by their own rules or by others.

mod print;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, value_parser};
use futures_util::{Stream, StreamExt, stream};
use indicatif::ProgressBar;
use sn1_actors::domain::Score;
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::reward_scorer::rewards::Measures;
use sn1_actors::reward_scorer::rules::ScoringRules;

use super::benches::Benches;
use super::signals::Signals;
use super::{json_flag, loaded, progress};
use crate::config::{Role, add_flags_of, collect_flags};
use crate::exit::{Ended, Exit};
use crate::journal::read::{JournalLine, JournalReader, ReadError};
use crate::journal::recorded::Recorded;
use crate::replay::{Changes, Replay, Report, totals};

/// Lines that are measured at a time, so that steps are embedded together.
const AT_A_TIME: usize = 8;

pub(super) fn command() -> Command {
    let journal = Arg::new("journal")
        .value_name("JOURNAL")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("a journal's file; one that begins in the middle of a run is read from JOURNAL.1 on");
    let command = Command::new("replay")
        .about("Score a journal's runs again: as they were, or as they would have been")
        .after_help(
            "Without --config the rules are those of each run, and every reward, average and weight \
             has to come out as it was, to the last bit: code 0 if so, 8 if not, with the first \
             that differs. Embeddings are the same to the last bit on the same kind of processor.\n\n\
             With --config, what the file says of rewards.*, tasks.*, neuron.moving_average_alpha, \
             neuron.embedder_id and neuron.timeout is put in the place of what was recorded, and all \
             else stays as it was recorded. Code 0, whatever comes of it.\n\n\
             Answers to API users whose texts are not in the journal (gateway.log_texts) cannot be \
             measured again: their rewards are taken as they are, and such steps are counted.\n\n\
             Code 4 where the journal cannot be read or no run of it can be replayed.\n\n\
             Examples:\n  sn1 replay journal.jsonl\n  \
             sn1 replay journal.jsonl --config without-copies.toml --json",
        )
        .args([journal, json_flag()]);
    add_flags_of(command, &["models", "engine"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Validator, matches)?;
    let files = collect_flags(matches).overlays;
    let changes = (!files.is_empty()).then(|| Changes::of(&loaded, &files));
    let path = matches.get_one::<PathBuf>("journal").cloned().unwrap_or_default();
    let reader = JournalReader::open(&path).map_err(unreadable)?;
    let bar = progress::of_bytes(reader.bytes(), "replayed");
    let feed = Feed {
        reader,
        changes: changes.clone(),
        rules: BTreeMap::new(),
        benches: Benches::new(loaded.settings),
        bar: bar.clone(),
    };
    let mut signals = Signals::watch()?;
    let replayed = Box::pin(replay(feed, changes.is_some()));
    let report = tokio::select! {
        report = replayed => Some(report),
        _ = signals.next() => None,
    };
    bar.finish_and_clear();
    let Some(report) = report.transpose()? else { return Ok(Exit::Interrupted) };
    let changed: Option<Vec<&str>> = changes.as_ref().map(|changes| changes.names().collect());
    print::print(&report, changed.as_deref(), matches.get_flag("json"))?;
    end(&report, changes.is_some(), &path.display().to_string())
}

/// How the program ends.
fn end(report: &Report, changed: bool, journal: &str) -> anyhow::Result<Exit> {
    if !report.is_replayed() {
        let message = format!("no run of the journal `{journal}` can be replayed");
        return Err(Ended::new(Exit::File, message).into());
    }
    if report.equal || changed {
        return Ok(Exit::Done);
    }
    let first = report.first_difference();
    let first = first.map(|(run, difference)| format!(": in run {run}, {difference}"));
    let first = first.unwrap_or_else(|| ": some of the journal is missing or damaged".to_owned());
    let message = format!("the replay differs{first}");
    Err(Ended::new(Exit::Differs, message).into())
}

fn unreadable(error: ReadError) -> Ended {
    Ended::new(Exit::File, error)
}

async fn replay(feed: Feed, changed: bool) -> anyhow::Result<Report> {
    let mut replay = Replay::new(changed);
    let mut lines = std::pin::pin!(feed.measured());
    while let Some(measured) = lines.next().await {
        let Measured { line, rules, totals } = measured?;
        replay.take(line, rules.as_ref(), totals.as_deref());
    }
    Ok(replay.report())
}

/// A line of the journal, and what it takes to measure its answers.
struct Work {
    line: JournalLine,
    rules: Option<Arc<ScoringRules>>,
    /// Only for a step whose measures are known.
    measuring: Option<(Bench, Arc<Measures>)>,
}

/// A line of the journal that is ready to be replayed.
struct Measured {
    line: JournalLine,
    rules: Option<Arc<ScoringRules>>,
    totals: Option<Vec<Score>>,
}

impl Work {
    async fn measure(work: anyhow::Result<Self>) -> anyhow::Result<Measured> {
        let Self { line, rules, measuring } = work?;
        let totals = match (&line, measuring) {
            (JournalLine::Event { event: Recorded::Step(step), .. }, Some((bench, measures))) => {
                Some(totals(&bench, &measures, step).await?)
            }
            _ => None,
        };
        Ok(Measured { line, rules, totals })
    }
}

/// Where the lines come from, in order.
struct Feed {
    reader: JournalReader,
    changes: Option<Changes>,
    /// By run.
    rules: BTreeMap<String, Arc<ScoringRules>>,
    benches: Benches,
    bar: ProgressBar,
}

impl Feed {
    /// Every line in its order, several being measured at a time.
    fn measured(self) -> impl Stream<Item = anyhow::Result<Measured>> {
        let next = async |mut feed: Self| {
            let work = feed.next().await.transpose()?;
            Some((work, feed))
        };
        stream::unfold(self, next).map(Work::measure).buffered(AT_A_TIME)
    }

    async fn next(&mut self) -> anyhow::Result<Option<Work>> {
        // Most lines need no measuring; a signal has to get a word in between them, too.
        tokio::task::yield_now().await;
        let Some(line) = self.reader.next_line().map_err(unreadable)? else { return Ok(None) };
        self.bar.set_position(self.reader.bytes_read());
        let (mut rules, mut measuring) = (None, None);
        if let JournalLine::Event { run_id, event, .. } = &line {
            if let Recorded::ScoringBegan(began) = event {
                let changed = self.changes.as_ref().map(|changes| changes.over(&began.rules));
                let rules = Arc::new(changed.unwrap_or_else(|| began.rules.clone()));
                self.rules.insert(run_id.clone(), rules);
            }
            rules = self.rules.get(run_id).cloned();
            if let (Recorded::Step(step), Some(rules)) = (event, &rules)
                && !step.texts_withheld
                && let Some(measures) = rules.tasks.get(&step.task)
            {
                let bench = self.benches.bench(measures, &rules.embedder).await?;
                measuring = Some((bench, Arc::clone(measures)));
            }
        }
        Ok(Some(Work { line, rules, measuring }))
    }
}
