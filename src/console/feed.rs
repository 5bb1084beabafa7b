//! Events for the console's viewers: each as JSON, with texts cut to what a page can show, kept for
//! those who come later, and lossy for those who are slow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use sn1_actors::ports::Event;
use sn1_actors::runtime::Tasks;
use tokio::sync::{broadcast, mpsc};

/// Events that a new viewer is told of, at most, and their size in bytes.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 8 << 20;
/// Events that wait for a slow viewer; further ones it misses.
const WINDOW: usize = 256;
/// So many characters of a text are shown (KEPT in page/foreign.js).
const TEXT: usize = 16_384;

/// A message to a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An event of the journal, numbered in order.
    Journal { id: u64, data: Arc<str> },
    /// The program ends, and why.
    Bye(&'static str),
}

#[derive(Default)]
struct Kept {
    frames: VecDeque<Frame>,
    bytes: usize,
    next: u64,
}

/// The feed. Clones are the same feed.
#[derive(Clone)]
pub struct Feed {
    kept: Arc<Mutex<Kept>>,
    live: broadcast::Sender<Frame>,
    unix: fn() -> Duration,
}

impl Feed {
    /// An empty one. `unix` is the time since the Unix epoch.
    #[must_use]
    pub fn new(unix: fn() -> Duration) -> Self {
        Self { kept: Arc::default(), live: broadcast::channel(WINDOW).0, unix }
    }

    /// Tells of every event until no more come.
    pub async fn follow(self, tasks: Tasks, mut events: mpsc::Receiver<Arc<Event>>) {
        while let Some(event) = events.recv().await {
            if matches!(*event, Event::Step(_)) {
                let feed = self.clone();
                // All that miners sent may be megabytes. Awaited, so that order stays.
                tasks.compute("console_feed", move || feed.tell(&event)).await;
            } else {
                self.tell(&event);
            }
        }
    }

    /// Tells every viewer that the program ends.
    pub fn end(&self, why: &'static str) {
        // Nobody may be looking.
        let _ = self.live.send(Frame::Bye(why));
    }

    /// The last events, oldest first, and those that follow them.
    pub(super) fn join(&self) -> (Vec<Frame>, broadcast::Receiver<Frame>) {
        let kept = self.kept.lock();
        (kept.frames.iter().cloned().collect(), self.live.subscribe())
    }

    fn tell(&self, event: &Event) {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(event) else { return };
        // As many numbers as a miner likes to send pieces, and by what it would know what is asked
        // next; no viewer shows them.
        for key in ["all_chunks_timings", "all_chars_per_chunk", "seed"] {
            fields.remove(key);
        }
        fields.insert("time".to_owned(), (self.unix)().as_secs_f64().into());
        let mut event = Value::Object(fields);
        cut(&mut event);
        let data: Arc<str> = event.to_string().into();
        let mut kept = self.kept.lock();
        let frame = Frame::Journal { id: kept.next, data };
        kept.next += 1;
        kept.keep(frame.clone());
        // Sent under the lock, so that whoever joins misses none and gets none twice.
        let _ = self.live.send(frame);
    }
}

impl Kept {
    fn keep(&mut self, frame: Frame) {
        self.bytes += frame.bytes();
        self.frames.push_back(frame);
        while self.frames.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }
}

impl Frame {
    fn bytes(&self) -> usize {
        match self {
            Self::Journal { data, .. } => data.len(),
            Self::Bye(_) => 0,
        }
    }
}

/// Cuts every text in it.
fn cut(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((at, _)) = text.char_indices().nth(TEXT) {
                let more = text[at..].chars().count();
                text.truncate(at);
                text.push_str(&format!("… ({more} characters more)"));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cut),
        Value::Object(fields) => fields.values_mut().for_each(cut),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::{ConversationId, Turn};

    use super::*;

    fn feed() -> Feed {
        Feed::new(|| Duration::from_secs(5))
    }

    fn challenged(challenge: String) -> Event {
        let (conversation, turn) = (ConversationId(1), Turn(0));
        Event::Challenged { conversation, turn, challenge, uids: vec![], organic: false }
    }

    fn ids(frames: &[Frame]) -> Vec<u64> {
        let id = |frame: &Frame| match frame {
            Frame::Journal { id, .. } => Some(*id),
            Frame::Bye(_) => None,
        };
        frames.iter().filter_map(id).collect()
    }

    #[test]
    fn who_comes_later_is_told_the_last_events_and_then_the_next() {
        let feed = feed();
        for n in 0..300 {
            feed.tell(&challenged(n.to_string()));
        }
        let (kept, mut live) = feed.join();
        assert_eq!(ids(&kept), (44..300).collect::<Vec<_>>());
        feed.tell(&challenged("next".into()));
        assert_eq!(ids(&[live.try_recv().unwrap()]), [300]);
        feed.end("done");
        assert_eq!(live.try_recv().unwrap(), Frame::Bye("done"));
    }

    #[test]
    fn of_a_run_s_seed_a_viewer_is_told_nothing() {
        let feed = feed();
        feed.tell(&Event::RunStarted { version: "1".into(), seed: 7 });
        let (kept, _) = feed.join();
        let Some(Frame::Journal { data, .. }) = kept.last() else { panic!("nothing is kept") };
        assert!(data.contains("run_started") && !data.contains("seed"), "{data}");
    }

    #[test]
    fn long_texts_are_cut_and_what_is_kept_is_bounded() {
        let feed = feed();
        for _ in 0..200 {
            feed.tell(&challenged("é".repeat(1 << 20)));
        }
        let (kept, _) = feed.join();
        let Some(Frame::Journal { data, .. }) = kept.last() else { panic!("nothing is kept") };
        let event: Value = serde_json::from_str(data).unwrap();
        let challenge = event["challenge"].as_str().unwrap();
        assert!(challenge.ends_with("é… (1032192 characters more)"), "{}", challenge.len());
        assert!(kept.iter().map(Frame::bytes).sum::<usize>() <= KEPT_BYTES);
        assert!(
            (event["time"].as_f64(), event["event"].as_str()) == (Some(5.0), Some("challenged"))
        );
    }
}
