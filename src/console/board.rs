//! What a run came to so far, folded from its events: who was asked and answered, scores and weights
//! over time, whether the model writes. Bounded whatever happens.
//!
//! Left out: texts, which only the feed has. The tap writes; the console, the metrics, health
//! and the summary read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value};
use sn1_actors::domain::{
    BlockNumber, ConversationId, Hotkey, Metagraph, Score, StatusCode, Turn, Uid,
};
use sn1_actors::ports::{Event, Stopped};

use super::history::History;

/// Steps whose averages are still to come; they come at once, so that more are none.
const OPEN_STEPS: usize = 64;

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

/// Why the last conversations, or requests, had no text.
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
    /// Whether the model writes for conversations.
    pub textless: Textless,
    /// Whether it writes for those who ask a miner of this process.
    pub unserved: Textless,
    /// Why committed weights were lost, unless later ones were revealed or needed no reveal.
    pub reveal_lost: Option<String>,
    /// Scores over time.
    pub score_history: History<Arc<ScorePoint>>,
    /// Weights over time.
    pub weight_history: History<Arc<WeightPoint>>,
    /// Who was in each slot when it was asked last.
    holders: BTreeMap<Uid, String>,
    open: VecDeque<(ConversationId, Turn, Vec<Uid>)>,
}

/// What a run came to for those who hold the slots now.
#[derive(Debug)]
pub(crate) struct Current {
    /// As in [`Standing::scores`].
    pub(crate) scores: BTreeMap<Uid, f64>,
    /// As in [`Standing::weights`].
    pub(crate) weights: BTreeMap<Uid, f64>,
    /// As in [`Standing::asked`].
    pub(crate) asked: BTreeMap<Uid, Asked>,
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
            Event::WeightsSet { block, uids, weights, error, committed, .. } => {
                standing.weights_error.clone_from(error);
                if let Some(block) = block {
                    standing.weights(*block, uids, weights, (self.unix)());
                    // What needs no reveal pays at once; what was lost before is over.
                    if !committed {
                        standing.reveal_lost = None;
                    }
                }
            }
            Event::ConversationEnded { stopped, .. } => standing.ended(stopped),
            Event::Served { status, message, .. } => standing.served(*status, message),
            Event::WeightsRevealed { error, lost, .. } => {
                if *lost {
                    standing.reveal_lost.clone_from(error);
                } else if error.is_none() {
                    standing.reveal_lost = None;
                }
            }
            Event::RunStarted { .. }
            | Event::TaskMade { .. }
            | Event::TaskPassedOver { .. }
            | Event::Challenged { .. }
            | Event::OrganicAnswered { .. }
            | Event::OrganicShed
            | Event::AnswerScored { .. }
            | Event::WeightsPlanned { .. }
            | Event::ActorCrashed { .. }
            | Event::SourceFailed { .. }
            | Event::SourceBack { .. }
            | Event::RunFinished { .. }
            | Event::EventsMissing { .. } => {}
        }
    }
}

impl Standing {
    /// Without what is of those who have lost their slots since.
    pub(crate) fn current(&self, metagraph: &Metagraph) -> Current {
        let (scores, weights) = (self.scores.clone(), self.weights.clone());
        let mut current = Current { scores, weights, asked: self.asked.clone() };
        for neuron in &metagraph.neurons {
            if !self.is_of(neuron.uid, &neuron.hotkey) {
                current.scores.remove(&neuron.uid);
                current.weights.remove(&neuron.uid);
                current.asked.remove(&neuron.uid);
            }
        }
        current
    }

    /// Whether what it has of a slot is of this hotkey; not if somebody else was asked there last.
    fn is_of(&self, uid: Uid, hotkey: &Hotkey) -> bool {
        self.holders.get(&uid).is_none_or(|held| held == hotkey.as_str())
    }

    fn step(&mut self, step: &Map<String, Value>) {
        let uids = uids(step);
        // Without the model there is no step, but a conversation may end well.
        self.textless = Textless::default();
        self.hold(&uids, step);
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

    /// Whoever is new in a slot has nothing of what the last one had.
    fn hold(&mut self, uids: &[Uid], step: &Map<String, Value>) {
        let hotkeys = step.get("hotkeys").and_then(Value::as_array).into_iter().flatten();
        for (uid, hotkey) in uids.iter().zip(hotkeys.filter_map(Value::as_str)) {
            if self.holders.get(uid).is_some_and(|held| held == hotkey) {
                continue;
            }
            if self.holders.insert(*uid, hotkey.to_owned()).is_some() {
                self.asked.remove(uid);
                self.scores.remove(uid);
                self.weights.remove(uid);
            }
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
        let point =
            || Arc::new(ScorePoint { step, time: now.as_secs_f64(), scores: scores.clone() });
        self.score_history.push(point);
    }

    fn weights(&mut self, block: BlockNumber, uids: &[Uid], weights: &[u16], now: Duration) {
        let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        let shares = weights.iter().map(|weight| f64::from(*weight) / sum);
        self.weights = uids.iter().copied().zip(shares).collect();
        self.weights_set = Some(block);
        let weights = &self.weights;
        let point =
            || Arc::new(WeightPoint { block, time: now.as_secs_f64(), weights: weights.clone() });
        self.weight_history.push(point);
    }

    fn ended(&mut self, stopped: &Stopped) {
        match stopped {
            Stopped::NoText(cause) => {
                self.textless.one_more(cause);
            }
            // These say nothing of the model: users' conversations complete without it.
            Stopped::Completed
            | Stopped::NoContext(_)
            | Stopped::NoMiners
            | Stopped::Dropped
            | Stopped::CutShort => {}
        }
    }

    fn served(&mut self, status: u16, message: &String) {
        match status {
            200 => self.unserved = Textless::default(),
            500 => self.unserved.one_more(message),
            // Callers who are refused, or too late, say nothing of the model.
            _ => {}
        }
    }
}

impl Textless {
    fn one_more(&mut self, cause: &String) {
        self.in_row = self.in_row.saturating_add(1);
        self.cause.clone_from(cause);
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
    use sn1_actors::testkit::hotkey;

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
        let set = |block, uids, weights, error: Option<&str>| {
            let error = error.map(str::to_owned);
            let (untaken, committed) = (None, false);
            board.observe(&Event::WeightsSet { block, uids, weights, error, untaken, committed });
        };
        set(block, uids, weights, None);
        set(None, vec![], vec![], Some("too soon"));
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
        // Users' conversations end well without it.
        board.observe(&ended(Stopped::NoMiners));
        board.observe(&ended(Stopped::Completed));
        assert_eq!(in_row(), 3);
        board.observe(&step(0, false));
        assert_eq!(in_row(), 0);
    }

    #[test]
    fn who_is_new_in_a_slot_has_nothing_of_the_last() {
        let board = board();
        let asked = |conversation: u64, holder: &str| {
            let step = json!({
                "conversation": conversation, "turn": 0, "uids": [3], "hotkeys": [holder],
                "status_codes": [200],
            });
            board.observe(&Event::Step(step.as_object().unwrap().clone()));
        };
        asked(0, "old");
        board.observe(&moved(0, 1, [0.5, 0.5]));
        asked(1, "old");
        board.read(|standing| assert_eq!(standing.asked[&Uid(3)].asked, 2));
        asked(2, "new");
        board.read(|standing| {
            assert_eq!(standing.asked[&Uid(3)].asked, 1);
            assert!(standing.scores.is_empty());
        });
    }

    #[test]
    fn nobody_is_shown_with_what_the_last_one_in_their_slot_had() {
        let board = board();
        let step = json!({
            "conversation": 0, "turn": 0, "uids": [0, 1], "hotkeys": [hotkey(1), hotkey(2)],
            "status_codes": [200, 200],
        });
        board.observe(&Event::Step(step.as_object().unwrap().clone()));
        board.observe(&moved(0, 1, [0.75, 0.25]));
        let (uids, weights, block) = (vec![Uid(0), Uid(1)], vec![3, 1], Some(BlockNumber(7)));
        let (error, untaken, committed) = (None, None, false);
        board.observe(&Event::WeightsSet { block, uids, weights, error, untaken, committed });
        let neuron = |uid: u16, n: u16| {
            json!({
                "uid": uid, "hotkey": hotkey(n), "coldkey": hotkey(n), "stake": 0.0, "axon": null,
                "validator_permit": false, "last_update": 0, "incentive": 0.0,
            })
        };
        // Who took over slot 1 has not been asked yet.
        let neurons = [neuron(0, 1), neuron(1, 9)];
        let metagraph = json!({"netuid": 1, "block": 9, "neurons": neurons});
        let metagraph: Metagraph = serde_json::from_value(metagraph).unwrap();
        let current = board.read(|standing| standing.current(&metagraph));
        let only_first = BTreeMap::from([(Uid(0), 0.75)]);
        assert_eq!((&current.scores, &current.weights), (&only_first, &only_first));
        assert_eq!(current.asked.into_keys().collect::<Vec<_>>(), [Uid(0)]);
    }

    #[test]
    fn lost_weights_are_told_until_others_are_revealed() {
        let board = board();
        let revealed = |block: Option<u64>, lost| {
            let (committed, block) = (BlockNumber(1), block.map(BlockNumber));
            let error = block.is_none().then(|| "expired".to_owned());
            board.observe(&Event::WeightsRevealed { committed, block, error, lost });
            board.read(|standing| standing.reveal_lost.clone())
        };
        assert_eq!(revealed(None, false), None);
        assert_eq!(revealed(None, true).as_deref(), Some("expired"));
        assert_eq!(revealed(Some(9), false), None);
    }

    #[test]
    fn lost_weights_are_over_when_others_need_no_reveal() {
        let board = board();
        let (committed, error) = (BlockNumber(1), Some("expired".to_owned()));
        board.observe(&Event::WeightsRevealed { committed, block: None, error, lost: true });
        let lost_after = |committed| {
            let (uids, weights) = (vec![Uid(1)], vec![1]);
            let (block, error, untaken) = (Some(BlockNumber(7)), None, None);
            board.observe(&Event::WeightsSet { block, uids, weights, error, untaken, committed });
            board.read(|standing| standing.reveal_lost.is_some())
        };
        assert_eq!([true, false].map(lost_after), [true, false]);
    }

    #[test]
    fn only_requests_that_failed_here_count_against_a_miners_model() {
        let board = board();
        let served = |status| {
            let (hotkey, message) = (String::new(), "gone".to_owned());
            let (prompt, completion) = (String::new(), String::new());
            board.observe(&Event::Served {
                hotkey,
                status,
                message,
                prompt,
                completion,
                seconds: 1.0,
            });
            board.read(|standing| standing.unserved.in_row)
        };
        assert_eq!([500, 401, 408, 500, 200].map(served), [1, 1, 1, 2, 0]);
    }
}
