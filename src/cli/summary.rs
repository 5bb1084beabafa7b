//! What a run came to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sn1_actors::domain::{Hotkey, Uid};
use sn1_actors::model_worker::meter::{ModelMeter, ModelStats};
use sn1_actors::ports::ScoreBook;
use sn1_actors::runtime::{Overseer, Topology};
use sn1_actors::wiring::Validator;

use super::output;
use crate::exit::{Ended, Exit};
use crate::tap::Tap;

/// The figures of a run, as `--summary` writes them.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Scored steps: turns of conversations.
    pub(super) steps: u64,
    /// Conversations that came to their end.
    conversations: u64,
    wall_s: f64,
    peak_in_flight: usize,
    conversations_failed: u64,
    model: ModelFigures,
    /// Restarts by actor; those without are left out.
    restarts: BTreeMap<String, u64>,
    /// At the end: what serves as long as the program runs, and whatever is left over.
    tasks_running: usize,
    tasks_panicked: u64,
    viewers_missed: u64,
    /// The most slots in use, by port.
    mailbox_peak: BTreeMap<String, usize>,
    miners: Vec<MinerLine>,
}

/// What the model did in the run. Rates are over the whole wall time, waiting included, but for
/// those whose names say otherwise.
#[derive(Debug, Serialize)]
struct ModelFigures {
    /// Tokens of all prompts.
    prompt_tokens: u64,
    /// Of these, those that the prefix cache had.
    cached_tokens: u64,
    /// That part of them.
    cached_share: f64,
    /// Of the prompts' tokens, those that were read.
    prefilled_tokens: u64,
    prefill_tokens_per_s: f64,
    /// New tokens.
    decoded_tokens: u64,
    decode_tokens_per_s: f64,
    /// Read a second of the device's time for prompt rows.
    prefill_tokens_per_s_of_reading: f64,
    /// Written a second of the device's time for rows of sequences that write.
    decode_tokens_per_s_of_writing: f64,
    /// Steps of the device.
    device_steps: u64,
    /// The part of the time in which the device worked.
    busy_share: f64,
    embedded_texts: u64,
}

#[derive(Debug, Serialize)]
struct MinerLine {
    kind: String,
    uid: Uid,
    hotkey: Hotkey,
    score: f64,
    /// Its share of the weights on chain.
    weight: f64,
    answered: u64,
}

/// What was run.
pub(super) struct Ran<'a> {
    pub(super) validator: &'a Validator,
    pub(super) topology: &'a Topology,
    pub(super) model: &'a ModelMeter,
    /// Those who were asked or might have been: what they are, and who.
    pub(super) miners: Vec<(String, Uid, Hotkey)>,
    /// The share of each in the weights on chain.
    pub(super) weights: BTreeMap<Uid, f64>,
}

impl Summary {
    pub(super) fn of(
        ran: Ran<'_>,
        overseer: &Overseer,
        tap: &Tap,
        book: &ScoreBook,
        wall: Duration,
    ) -> Self {
        let metagraph = Arc::clone(&ran.validator.metagraph.borrow());
        let asked = tap.board().read(|standing| standing.current(&metagraph).asked);
        let miners = ran.miners.into_iter().map(|(kind, uid, hotkey)| MinerLine {
            kind,
            uid,
            score: book.scores.get(&hotkey).map_or(0.0, |score| score.get()),
            hotkey,
            weight: ran.weights.get(&uid).copied().unwrap_or(0.0),
            answered: asked.get(&uid).map_or(0, |of| of.answered),
        });
        let roster = overseer.roster().all().into_iter();
        let tally = *ran.validator.log.tally().borrow();
        Self {
            steps: tally.steps,
            conversations: tally.completed,
            wall_s: wall.as_secs_f64(),
            peak_in_flight: ran.validator.credits.peak(),
            conversations_failed: tally.failed,
            model: ModelFigures::of(&ran.model.snapshot(), wall),
            restarts: roster.filter(|a| a.restarts > 0).map(|a| (a.name, a.restarts)).collect(),
            tasks_running: overseer.tasks().running(),
            tasks_panicked: overseer.tasks().panicked(),
            viewers_missed: tap.missed(),
            mailbox_peak: ran.topology.peaks(),
            miners: miners.collect(),
        }
    }

    /// The weights per miner, the largest first.
    fn print(&self) -> anyhow::Result<()> {
        output::line("")?;
        let per_minute = 60.0 * self.steps as f64 / self.wall_s.max(1e-9);
        output::line(&format!(
            "{} steps in {:.0} s ({per_minute:.1} a minute), at most {} conversations at once",
            self.steps, self.wall_s, self.peak_in_flight
        ))?;
        output::line(&self.model.line())?;
        output::line("miner    uid  weight   score  answered  hotkey")?;
        let mut miners: Vec<&MinerLine> = self.miners.iter().collect();
        miners.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.uid.cmp(&b.uid)));
        for miner in miners {
            output::line(&format!(
                "{:<8} {:>3}  {:>5.1} %  {:.4}  {:>8}  {}",
                miner.kind,
                miner.uid,
                100.0 * miner.weight,
                miner.score,
                miner.answered,
                miner.hotkey
            ))?;
        }
        Ok(())
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").map_err(|error| unwritable(path, &error))?;
        Ok(())
    }
}

/// Prints the figures, where there was time to ask for them, and what is where; and writes them to a
/// file if one is wanted. An end in order does not hang on it: whoever calls it first ends what runs,
/// and then looks at this.
///
/// # Errors
/// If one of the two is not possible; the file is tried all the same.
pub(super) fn tell(
    summary: Option<Summary>,
    places: &str,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let Some(summary) = summary else {
        tracing::warn!("there is no time for a summary at the end; the scores are kept");
        return Ok(output::line(places)?);
    };
    let printed = summary.print().and_then(|()| Ok(output::line(places)?));
    file.map_or(Ok(()), |path| summary.write(path)).and(printed)
}

fn rate(tokens: u64, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64().max(1e-9)
}

impl ModelFigures {
    fn of(stats: &ModelStats, wall: Duration) -> Self {
        let wall = wall.as_secs_f64().max(1e-9);
        Self {
            prompt_tokens: stats.prompt_tokens,
            cached_tokens: stats.cached_tokens,
            cached_share: stats.hit_ratio(),
            prefilled_tokens: stats.prefilled_tokens,
            prefill_tokens_per_s: stats.prefilled_tokens as f64 / wall,
            decoded_tokens: stats.decoded_tokens,
            decode_tokens_per_s: stats.decoded_tokens as f64 / wall,
            prefill_tokens_per_s_of_reading: rate(stats.prefilled_tokens, stats.reading),
            decode_tokens_per_s_of_writing: rate(stats.decoded_tokens, stats.writing),
            device_steps: stats.steps,
            busy_share: stats.busy.as_secs_f64() / wall,
            embedded_texts: stats.embedded_texts,
        }
    }

    fn line(&self) -> String {
        format!(
            "model: {:.1} tokens/s written, {:.1} read; of {} prompt tokens {:.1} % from the prefix \
             cache; busy {:.0} % of the time",
            self.decode_tokens_per_s,
            self.prefill_tokens_per_s,
            self.prompt_tokens,
            100.0 * self.cached_share,
            100.0 * self.busy_share,
        )
    }
}

/// Finds out before a long run, and not after it, that its summary cannot be written. Leaves what
/// is there as it is.
pub(super) fn check_writable(path: &Path) -> anyhow::Result<()> {
    let existed = path.exists();
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| unwritable(path, &error))?;
    if !existed {
        std::fs::remove_file(path).map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Ended {
    Ended::new(Exit::File, format!("the summary {} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_the_wall_time_and_never_divide_by_nothing() {
        let stats = ModelStats {
            prompt_tokens: 400,
            cached_tokens: 100,
            prefilled_tokens: 300,
            decoded_tokens: 50,
            busy: Duration::from_secs(5),
            ..ModelStats::default()
        };
        let figures = ModelFigures::of(&stats, Duration::from_secs(10));
        assert_eq!((figures.prefill_tokens_per_s, figures.decode_tokens_per_s), (30.0, 5.0));
        assert_eq!((figures.cached_share, figures.busy_share), (0.25, 0.5));
        let line = figures.line();
        assert!(line.contains("5.0 tokens/s written") && line.contains("25.0 %"), "{line}");
        let nothing = ModelFigures::of(&ModelStats::default(), Duration::ZERO);
        assert!(nothing.line().contains("0.0 tokens/s"), "{}", nothing.line());
    }
}
