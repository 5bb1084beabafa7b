//! What a run came to.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use sn1_actors::domain::{Hotkey, Uid};
use sn1_actors::ports::ScoreBook;
use sn1_actors::runtime::Overseer;

use super::output;
use crate::exit::{Ended, Exit};
use crate::tap::Tap;
use crate::wiring::localnet::Localnet;

/// The figures of a run, as `--summary` writes them.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Scored steps.
    pub(super) steps: u64,
    wall_s: f64,
    peak_in_flight: usize,
    conversations_failed: u64,
    /// Restarts by actor; those without are left out.
    restarts: BTreeMap<String, u64>,
    tasks_panicked: u64,
    view_missed: u64,
    /// The most slots in use, by port.
    mailbox_peak: BTreeMap<String, usize>,
    miners: Vec<MinerLine>,
}

#[derive(Debug, Serialize)]
struct MinerLine {
    kind: &'static str,
    uid: Uid,
    hotkey: Hotkey,
    score: f64,
    /// Its share of the weights on chain.
    weight: f64,
    answered: u64,
}

impl Summary {
    pub(super) fn of(
        net: &Localnet,
        overseer: &Overseer,
        tap: &Tap,
        book: &ScoreBook,
        wall: Duration,
    ) -> Self {
        let (weights, answered) = (net.weights(), tap.answered());
        let miners = net.miners.iter().map(|miner| MinerLine {
            kind: miner.kind.as_str(),
            uid: miner.uid,
            hotkey: miner.hotkey.clone(),
            score: book.scores.get(&miner.hotkey).map_or(0.0, |score| score.get()),
            weight: weights.get(&miner.uid).copied().unwrap_or(0.0),
            answered: answered.get(&miner.uid).copied().unwrap_or(0),
        });
        let roster = overseer.roster().all().into_iter();
        Self {
            steps: book.steps,
            wall_s: wall.as_secs_f64(),
            peak_in_flight: net.validator.credits.peak(),
            conversations_failed: net.validator.log.tally().borrow().failed,
            restarts: roster.filter(|a| a.restarts > 0).map(|a| (a.name, a.restarts)).collect(),
            tasks_panicked: overseer.tasks().panicked(),
            view_missed: tap.missed(),
            mailbox_peak: net.topology.peaks(),
            miners: miners.collect(),
        }
    }

    /// The weights per miner, the largest first.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        output::line("")?;
        let per_minute = 60.0 * self.steps as f64 / self.wall_s.max(1e-9);
        output::line(&format!(
            "{} steps in {:.0} s ({per_minute:.1} a minute), at most {} conversations at once",
            self.steps, self.wall_s, self.peak_in_flight
        ))?;
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

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").map_err(|error| unwritable(path, &error))?;
        Ok(())
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
