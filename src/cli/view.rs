//! What a run shows while it goes on: a row a step, and on a terminal a line that moves.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use sn1_actors::ports::{Clock, Event};
use tokio::sync::mpsc;

use super::output::{line, shown};
use crate::config::Settings;
use crate::console::board::is_users;

/// The view of one run. Clones are the same view.
#[derive(Clone)]
pub(super) struct View {
    bar: ProgressBar,
    timeout: Duration,
}

impl View {
    /// Begins to show a run of `command` that is starting.
    pub(super) fn open(command: &str, seed: u64, settings: &Settings) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(settings.run.steps, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} steps  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let model = &settings.neuron.model_id;
        bar.set_message(format!("loading {model}"));
        let view = Self { bar, timeout: settings.neuron.timeout };
        let in_flight = settings.neuron.num_concurrent_forwards;
        view.print(&format!("{command}: seed {seed}, model {model}, {in_flight} in flight"));
        view
    }

    /// The network is up; `miners` says who is in it.
    pub(super) fn ready(&self, miners: &str) {
        self.print(&format!("miners: {miners}"));
        let wait = self.timeout.as_secs();
        self.bar.set_message(format!("the first step may take {wait} s: miners have that long"));
        self.print("step task           secs  best  rewards by uid | challenge -> best answer");
    }

    /// Shows every step until no more come.
    pub(super) async fn follow(
        self,
        mut events: mpsc::Receiver<Arc<Event>>,
        steps: Option<u64>,
        clock: Arc<dyn Clock>,
    ) {
        let began = clock.now();
        let mut seen = 0_u64;
        while let Some(event) = events.recv().await {
            let Event::Step(step) = &*event else { continue };
            if is_users(step) {
                self.print(&row("user", step));
                continue;
            }
            seen += 1;
            self.print(&row(&seen.to_string(), step));
            self.bar.set_position(seen);
            let elapsed = clock.now().since(began);
            self.bar.set_message(eta(seen, steps, elapsed));
            if seen == 1 {
                self.say(&eta(seen, steps, elapsed));
            }
        }
    }

    /// Says something that is no data.
    pub(super) fn say(&self, text: &str) {
        self.bar.set_message(text.to_owned());
        tracing::info!("{text}");
        if self.bar.is_hidden() {
            self.print(&format!("# {text}"));
        }
    }

    /// Takes the moving line away.
    pub(super) fn close(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints a line of data.
    pub(super) fn print(&self, text: &str) {
        // A terminal that cannot be written to is no reason to stop earning.
        let _ = self.bar.suspend(|| line(text));
    }
}

fn eta(seen: u64, steps: Option<u64>, elapsed: Duration) -> String {
    let per_step = elapsed.as_secs_f64() / seen.max(1) as f64;
    match steps {
        Some(steps) if steps > seen => {
            let left = per_step * (steps - seen) as f64;
            format!("{per_step:.0} s a step so far; at most {left:.0} s left")
        }
        Some(_) => "setting weights".to_owned(),
        None => format!("{per_step:.0} s a step so far; Ctrl-C ends the run"),
    }
}

fn row(number: &str, step: &Map<String, Value>) -> String {
    let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
    let seconds = step.get("step_time").and_then(Value::as_f64).unwrap_or_default();
    let best = step.get("best_uid").and_then(Value::as_u64);
    let best = best.map_or("-".to_owned(), |uid| uid.to_string());
    format!(
        "{number:>4} {:<13} {seconds:>5.1} {best:>5}  {} | {} -> {}",
        text("task"),
        rewards(step),
        shown(text("challenge"), 60),
        shown(text("best"), 60)
    )
}

/// `uid:reward` in order of uid.
fn rewards(step: &Map<String, Value>) -> String {
    let list = |key: &str| step.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all: Vec<(u64, f64)> = list("uids")
        .iter()
        .zip(&list("rewards"))
        .filter_map(|(uid, reward)| Some((uid.as_u64()?, reward.as_f64()?)))
        .collect();
    all.sort_by_key(|(uid, _)| *uid);
    all.iter().map(|(uid, reward)| format!("{uid}:{reward:.2}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_shows_rewards_by_uid_and_no_control_characters() {
        let step = json!({
            "task": "qa", "step_time": 12.34, "best_uid": 2, "uids": [3, 2], "rewards": [0.1, 0.5],
            "challenge": "What?\n\u{1b}[2J", "best": "That.",
        });
        let row = row("7", step.as_object().unwrap());
        assert!(row.contains("2:0.50 3:0.10"), "{row}");
        assert!(row.contains("What? [2J -> That.") && !row.contains('\u{1b}'), "{row}");
    }

    #[test]
    fn the_time_left_is_told_from_the_first_step_on() {
        let told = eta(1, Some(11), Duration::from_secs(30));
        assert!(told.contains("300 s left"), "{told}");
    }
}
