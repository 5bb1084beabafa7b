//! What a run came to so far, folded from its events: who was asked and answered, scores and weights
//! over time, what is failing. Bounded whatever happens.
//!
//! Left out: texts, which only the feed has. The tap writes; the console, the metrics, health
//! and the summary read.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};
use sn1_actors::domain::{BlockNumber, ConversationId, Hotkey, Score, StatusCode, Turn, Uid};
use sn1_actors::ports::{Event, Stopped};

use super::history::History;

/// Steps whose averages are still to come; they come at once, so that more are none.
const OPEN_STEPS: usize = 64;
/// No subnet has more uids that fail or are asked.
const MOST_SOURCES: usize = 64;

/// Whether a step is an API user's.
pub(crate) fn is_users(step: &Map<String, Value>) -> bool {
    step.get("organic").and_then(Value::as_bool) == Some(true)
}

/// How often a miner was asked in the validator's own steps, and how often it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Times asked.
    pub asked: u64,
    /// Times answered.
    pub answered: u64,
}

/// Everyone's averages after a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScorePoint {
    /// Steps so far, those of earlier runs included.
    pub step: u64,
    /// Seconds since the Unix epoch.
    pub time: f64,
    /// By uid.
    pub scores: BTreeMap<Uid, f64>,
}

/// Weights that the chain took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightPoint {
    /// The block they are in.
    pub block: BlockNumber,
    /// Seconds since the Unix epoch.
    pub time: f64,
    /// Shares by uid; they sum to 1.
    pub weights: BTreeMap<Uid, f64>,
}

/// Why the last conversations had no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Textless {
    /// How many in a row.
    pub in_row: u32,
    /// What the last of them said.
    pub cause: String,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Each miner's part in the validator's own steps.
    pub asked: BTreeMap<Uid, Asked>,
    /// The averages that earlier runs left.
    pub earlier: BTreeMap<Hotkey, Score>,
    /// Steps, those of earlier runs included.
    pub steps: u64,
    /// Everyone's average as it was moved last in this run.
    pub scores: BTreeMap<Uid, f64>,
    /// Each uid's share of the weights that the chain took last.
    pub weights: BTreeMap<Uid, f64>,
    /// The block of these weights.
    pub weights_set: Option<BlockNumber>,
    /// Why the last setting came to nothing, if it did.
    pub weights_error: Option<String>,
    /// Whether the model writes.
    pub textless: Textless,
    /// The sources that fail now, and how.
    pub failing: BTreeMap<String, String>,
    /// Scores over time.
    pub score_history: History<ScorePoint>,
    /// Weights over time.
    pub weight_history: History<WeightPoint>,
    open: VecDeque<(ConversationId, Turn, Vec<Uid>)>,
}

/// The board that events are folded into.
pub struct Board {
    standing: Mutex<Standing>,
    unix: fn() -> Duration,
}

impl Board {
    /// An empty one. `unix` is the time since the Unix epoch.
    #[must_use]
    pub fn new(unix: fn() -> Duration) -> Self {
        Self { standing: Mutex::default(), unix }
    }

    /// What it shows, as `read` wants it. Events wait meanwhile: it must be short.
    pub fn read<T>(&self, read: impl FnOnce(&Standing) -> T) -> T {
        read(&self.standing.lock())
    }

    /// Folds an event in.
    pub fn observe(&self, event: &Event) {
        let mut standing = self.standing.lock();
        match event {
            Event::ScoringBegan { steps, averages, .. } => {
                (standing.steps, standing.earlier) = (*steps, averages.clone());
            }
            Event::Step(step) => standing.step(step),
            Event::AveragesMoved { conversation, turn, steps, averages } => {
                let averages = averages.iter().map(|average| average.get());
                standing.averages((*conversation, *turn), *steps, averages, (self.unix)());
            }
            Event::WeightsSet { block, uids, weights, error } => {
                standing.weights_error.clone_from(error);
                if let Some(block) = block {
                    standing.weights(*block, uids, weights, (self.unix)());
                }
            }
            Event::ConversationEnded { stopped, .. } => standing.ended(stopped),
            Event::SourceFailed { source, cause, .. } => {
                if standing.failing.len() < MOST_SOURCES {
                    standing.failing.insert(source.clone(), cause.clone());
                }
            }
            Event::SourceBack { source, .. } => {
                standing.failing.remove(source);
            }
            Event::RunStarted { .. }
            | Event::TaskMade { .. }
            | Event::TaskPassedOver { .. }
            | Event::Challenged { .. }
            | Event::OrganicAnswered { .. }
            | Event::AnswerScored { .. }
            | Event::WeightsPlanned { .. }
            | Event::ActorCrashed { .. }
            | Event::Served { .. }
            | Event::RunFinished { .. }
            | Event::EventsMissing { .. } => {}
        }
    }
}

impl Standing {
    fn step(&mut self, step: &Map<String, Value>) {
        let uids = uids(step);
        if !is_users(step) {
            let statuses = step.get("status_codes").and_then(Value::as_array);
            for (uid, status) in uids.iter().zip(statuses.into_iter().flatten()) {
                let miner = self.asked.entry(*uid).or_default();
                miner.asked += 1;
                miner.answered += u64::from(status.as_u64() == Some(StatusCode::OK.0.into()));
            }
        }
        if let Some(of) = conversation(step) {
            if self.open.len() >= OPEN_STEPS {
                self.open.pop_front();
            }
            self.open.push_back((of.0, of.1, uids));
        }
    }

    fn averages(
        &mut self,
        of: (ConversationId, Turn),
        step: u64,
        averages: impl Iterator<Item = f64>,
        now: Duration,
    ) {
        self.steps = step;
        let found = self.open.iter().position(|(id, turn, _)| (*id, *turn) == of);
        let Some((.., uids)) = found.and_then(|at| self.open.remove(at)) else { return };
        self.scores.extend(uids.into_iter().zip(averages));
        let scores = &self.scores;
        let point = || ScorePoint { step, time: now.as_secs_f64(), scores: scores.clone() };
        self.score_history.push(point);
    }

    fn weights(&mut self, block: BlockNumber, uids: &[Uid], weights: &[u16], now: Duration) {
        let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        let shares = weights.iter().map(|weight| f64::from(*weight) / sum);
        self.weights = uids.iter().copied().zip(shares).collect();
        self.weights_set = Some(block);
        let weights = &self.weights;
        let point = || WeightPoint { block, time: now.as_secs_f64(), weights: weights.clone() };
        self.weight_history.push(point);
    }

    fn ended(&mut self, stopped: &Stopped) {
        match stopped {
            Stopped::NoText(cause) => {
                self.textless.in_row = self.textless.in_row.saturating_add(1);
                self.textless.cause.clone_from(cause);
            }
            Stopped::Completed => self.textless = Textless::default(),
            // These say nothing of the model.
            Stopped::NoContext(_) | Stopped::NoMiners | Stopped::Dropped | Stopped::CutShort => {}
        }
    }
}

fn uids(step: &Map<String, Value>) -> Vec<Uid> {
    let all = step.get("uids").and_then(Value::as_array);
    let uid = |value: &Value| u16::try_from(value.as_u64()?).ok().map(Uid);
    all.into_iter().flatten().filter_map(uid).collect()
}

fn conversation(step: &Map<String, Value>) -> Option<(ConversationId, Turn)> {
    let id = step.get("conversation")?.as_u64()?;
    let turn = u8::try_from(step.get("turn")?.as_u64()?).ok()?;
    Some((ConversationId(id), Turn(turn)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn board() -> Board {
        Board::new(|| Duration::from_secs(9))
    }

    fn step(conversation: u64, organic: bool) -> Event {
        let step = json!({
            "conversation": conversation, "turn": 0, "organic": organic,
            "uids": [3, 1], "status_codes": [200, 408],
        });
        Event::Step(step.as_object().unwrap().clone())
    }

    fn moved(conversation: u64, steps: u64, averages: [f64; 2]) -> Event {
        let averages = averages.map(Score::new).to_vec();
        let (conversation, turn) = (ConversationId(conversation), Turn(0));
        Event::AveragesMoved { conversation, turn, steps, averages }
    }

    fn ended(stopped: Stopped) -> Event {
        Event::ConversationEnded { conversation: ConversationId(0), seconds: 1.0, stopped }
    }

    #[test]
    fn averages_belong_to_the_uids_of_their_step() {
        let board = board();
        for event in
            [step(0, false), step(1, true), moved(1, 1, [0.5, 0.25]), moved(0, 2, [0.75, 0.0])]
        {
            board.observe(&event);
        }
        board.observe(&moved(9, 3, [1.0, 1.0]));
        board.read(|standing| {
            assert_eq!(standing.scores, BTreeMap::from([(Uid(3), 0.75), (Uid(1), 0.0)]));
            let steps: Vec<u64> = standing.score_history.iter().map(|point| point.step).collect();
            assert_eq!(steps, [1, 2]);
            let own = |uid| standing.asked[&Uid(uid)];
            assert_eq!(own(3), Asked { asked: 1, answered: 1 });
            assert_eq!(own(1), Asked { asked: 1, answered: 0 });
        });
    }

    #[test]
    fn weights_are_shares_and_a_refusal_leaves_the_last() {
        let board = board();
        let (uids, weights) = (vec![Uid(1), Uid(2)], vec![30_000, 10_000]);
        let block = Some(BlockNumber(7));
        board.observe(&Event::WeightsSet { block, uids, weights, error: None });
        let error = Some("too soon".to_owned());
        board.observe(&Event::WeightsSet { block: None, uids: vec![], weights: vec![], error });
        board.read(|standing| {
            assert_eq!(standing.weights, BTreeMap::from([(Uid(1), 0.75), (Uid(2), 0.25)]));
            assert_eq!(standing.weights_set, Some(BlockNumber(7)));
            assert_eq!(standing.weights_error.as_deref(), Some("too soon"));
            assert_eq!(standing.weight_history.iter().count(), 1);
        });
    }

    #[test]
    fn a_model_that_writes_again_is_no_longer_counted_as_silent() {
        let board = board();
        let in_row = || board.read(|standing| standing.textless.in_row);
        for _ in 0..3 {
            board.observe(&ended(Stopped::NoText("gone".into())));
        }
        board.observe(&ended(Stopped::NoMiners));
        assert_eq!(in_row(), 3);
        board.observe(&ended(Stopped::Completed));
        assert_eq!(in_row(), 0);
    }
}
