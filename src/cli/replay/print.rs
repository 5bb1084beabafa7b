//! A replay's report, as text or as JSON.

use serde::Serialize;

use crate::cli::output::{self, line};
use crate::journal::read::LinePlace;
use crate::replay::{Beside, Compared, MinerReport, Report, RunReport, RunState};

/// Miners that are shown of each run; JSON has all.
const MOST_SHOWN: usize = 20;

#[derive(Serialize)]
struct Json<'a> {
    /// The keys that are not as recorded; none without `--config`.
    changed: Option<&'a [&'a str]>,
    #[serde(flatten)]
    report: &'a Report,
}

/// Prints a report; `changed` are the keys that are not as recorded, if any were to be changed.
pub(super) fn print(report: &Report, changed: Option<&[&str]>, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(&Json { changed, report });
    }
    match changed {
        Some([]) => line("changed  nothing: the file says nothing about scoring")?,
        Some(keys) => line(&format!("changed  {}", keys.join(", ")))?,
        None => {}
    }
    for run in &report.runs {
        print_run(run, changed.is_some())?;
    }
    if let Some(LinePlace { file, number }) = &report.first_unreadable {
        line(&format!(
            "{} lines are none of a journal and are left out, the first of them line {number} of {}",
            report.unreadable_lines,
            file.display()
        ))?;
    }
    if report.torn {
        line("the last line breaks off and is left out: its writer was killed, or writes it now")?;
    }
    Ok(())
}

fn print_run(run: &RunReport, changed: bool) -> anyhow::Result<()> {
    let id = output::shown(&run.run_id, 60);
    match &run.state {
        RunState::Replayed => {}
        RunState::NothingScored => return Ok(line(&format!("run {id}: nothing was scored"))?),
        RunState::RulesMissing => {
            return Ok(line(&format!(
                "run {id}: {} steps, not replayed: its beginning, with its rules and averages, is in \
                 a file that is gone; a larger journal.max_bytes keeps more",
                run.steps
            ))?);
        }
        RunState::RulesUnknown(cause) => {
            return Ok(line(&format!(
                "run {id}: {} steps, not replayed: this version of sn1 does not know its rules: {}",
                run.steps,
                output::shown(cause, 200)
            ))?);
        }
    }
    line(&format!("run {id}: {} steps, {} answers", run.steps, run.answers))?;
    if run.withheld > 0 {
        line(&format!(
            "  {} of the steps are users', without texts: their rewards are taken as recorded",
            run.withheld
        ))?;
    }
    if let Some(before) = &run.continues {
        line(&format!("  goes on from what run {} would have left", output::shown(before, 60)))?;
    }
    if run.missing_lines > 0 {
        line(&format!("  {} of its lines are missing", run.missing_lines))?;
    }
    if let Some(cause) = &run.unwritten_cause {
        line(&format!(
            "  {} of its events were never written ({cause}); what they did is taken as the lines \
             after them tell",
            run.unwritten
        ))?;
    }
    if run.not_compared > 0 {
        line(&format!(
            "  {} averages or weights hang on those and are not compared",
            run.not_compared
        ))?;
    }
    let largest = if run.rewards.differ > 0 {
        format!(", by {} at most", run.largest_difference)
    } else {
        String::new()
    };
    line(&format!("  rewards   {}{largest}", told(run.rewards)))?;
    line(&format!("  averages  {}", told(run.averages)))?;
    line(&format!("  weights   {}", told(run.weights)))?;
    if let Some(first) = &run.first_difference {
        line(&format!("  first     {first}"))?;
    }
    if let Some(Beside { recorded, replayed }) = run.mean_reward.filter(|_| changed) {
        line(&format!("  mean reward {recorded:.4} recorded, {replayed:.4} replayed"))?;
    }
    if changed {
        print_miners(&run.miners)?;
    }
    Ok(())
}

fn told(compared: Compared) -> String {
    match compared {
        Compared { compared: 0, .. } => "none".to_owned(),
        Compared { compared, differ: 0 } => format!("{compared}, all equal"),
        Compared { compared, differ } => format!("{compared}, {differ} differ"),
    }
}

fn print_miners(miners: &[MinerReport]) -> anyhow::Result<()> {
    line("  recorded -> replayed, the largest change first")?;
    line("   uid  mean reward         average             weight              hotkey")?;
    for miner in miners.iter().take(MOST_SHOWN) {
        let number = |number: Option<f64>| number.map_or("-".to_owned(), |n| format!("{n:.4}"));
        let average = &miner.average;
        let weight = miner.weight.map_or("-".to_owned(), |weight| {
            format!("{:5.1} % -> {:5.1} %", 100.0 * weight.recorded, 100.0 * weight.replayed)
        });
        let Beside { recorded, replayed } = miner.mean_reward;
        line(&format!(
            "  {:>4}  {recorded:.4} -> {replayed:.4}    {:>6} -> {:>6}    {weight:<18}  {}",
            miner.uid,
            number(average.recorded),
            number(average.replayed),
            miner.hotkey
        ))?;
    }
    if let Some(more) = miners.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        line(&format!("  and {more} more; --json has all"))?;
    }
    Ok(())
}
