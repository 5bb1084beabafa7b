//! What a miner on a terminal shows while it serves: who asks, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sn1_actors::axon::Admit;
use sn1_actors::ports::{Clock, Event};
use sn1_actors::runtime::Port;
use tokio::sync::mpsc;

use super::tally::Tally;
use crate::journal::served::Served;
use crate::wiring::unix_time;

/// Between two pictures.
const BEAT: Duration = Duration::from_secs(1);
/// Callers that are shown, those who asked last.
const ROWS: usize = 8;

/// The table. Clones are the same one.
#[derive(Clone)]
pub(super) struct Live(ProgressBar);

impl Live {
    pub(super) fn open() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows what happens until nothing more does.
    pub(super) async fn follow(
        self,
        mut events: mpsc::Receiver<Arc<Event>>,
        admit: Port<Admit>,
        clock: Arc<dyn Clock>,
    ) {
        let mut tally = Tally::default();
        let mut next = clock.now();
        loop {
            let wait = next.since(clock.now());
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => take(&mut tally, &event),
                    None => return,
                },
                () = clock.sleep(wait) => {
                    next = clock.now().after(BEAT);
                    let now = unix_time().as_secs_f64();
                    self.0.set_message(picture(&tally, admit.in_use(), now));
                    self.0.tick();
                }
            }
        }
    }

    /// Takes the table away.
    pub(super) fn close(&self) {
        self.0.finish_and_clear();
    }
}

fn take(tally: &mut Tally, event: &Event) {
    if let Event::Served { hotkey, status, message, seconds, .. } = event {
        let time = unix_time().as_secs_f64();
        let (hotkey, message) = (hotkey.clone(), message.clone());
        tally.take(&Served { time, hotkey, status: *status, message, seconds: *seconds });
    }
}

fn picture(tally: &Tally, in_flight: usize, now: f64) -> String {
    let (answered, refused) = tally.totals();
    let callers = tally.callers.len();
    let mut text =
        format!("{callers} callers, {answered} answered, {refused} refused, {in_flight} in flight");
    let mut last: Vec<_> = tally.callers.iter().collect();
    let asked = |last: Option<f64>| last.unwrap_or_default();
    last.sort_by(|(_, one), (_, other)| asked(other.last).total_cmp(&asked(one.last)));
    if !last.is_empty() {
        text +=
            "\ncaller                                            answered refused  median  last";
    }
    for (hotkey, caller) in last.into_iter().take(ROWS) {
        let median = caller.median().map_or("-".to_owned(), |median| format!("{median:.2} s"));
        let ago = (now - asked(caller.last)).max(0.0);
        let (answered, refused) = (caller.answered, caller.refusals());
        text += &format!("\n{hotkey:<49} {answered:>8} {refused:>7} {median:>7}  {ago:.0} s ago");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_who_asked_last_first_and_at_most_eight() {
        let mut tally = Tally::default();
        for n in 0..20_u32 {
            let hotkey = format!("5{}", format!("{n:047}").replace('0', "A"));
            let (status, message) = if n == 19 { (403, "no") } else { (200, "Success") };
            let (time, message) = (f64::from(n), message.to_owned());
            tally.take(&Served { time, hotkey, status, message, seconds: 0.25 });
        }
        let text = picture(&tally, 3, 25.0);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "20 callers, 19 answered, 1 refused, 3 in flight");
        assert_eq!(lines.len(), 2 + ROWS);
        assert!(lines[2].contains("19 ") && lines[2].ends_with("0       1       -  6 s ago"));
        assert!(lines[3].ends_with("1       0  0.25 s  7 s ago"), "{text}");
    }
}
