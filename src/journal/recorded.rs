//! The events of a journal that decide what everyone earned, as they are read back.
//!
//! `sn1 replay` reads them; `sn1 export` only asks which are steps. Events and fields that are not
//! needed are passed over, so that a journal of another version can be read as far as what is
//! needed has not changed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use sn1_actors::domain::{
    BlockNumber, ChatMessage, ConversationId, Hotkey, Hyperparameters, Metagraph, MinerReply,
    PieceArrival, Score, StatusCode, Turn, Uid,
};
use sn1_actors::reward_scorer::rules::ScoringRules;
use sn1_actors::task_maker::tasks::TaskKind;

/// An event of a journal.
#[derive(Debug)]
pub enum Recorded {
    /// A validator was ready to score.
    ScoringBegan(Box<ScoringBegan>),
    /// A turn was scored.
    Step(Box<Step>),
    /// A scored turn was taken into the averages.
    AveragesMoved(AveragesMoved),
    /// Weights were about to be sent.
    WeightsPlanned(Box<WeightsPlanned>),
    /// Weights were set, or could not be.
    WeightsSet(WeightsSet),
    /// An actor crashed.
    ActorCrashed(ActorCrashed),
    /// The journal could not be written for a while.
    EventsMissing(EventsMissing),
    /// Anything else.
    Other,
}

impl Recorded {
    /// Reads a line whose event has that name.
    pub(super) fn read(name: &str, line: &[u8]) -> serde_json::Result<Self> {
        Ok(match name {
            "scoring_began" => Self::ScoringBegan(serde_json::from_slice(line)?),
            "step" => Self::Step(serde_json::from_slice(line)?),
            "averages_moved" => Self::AveragesMoved(serde_json::from_slice(line)?),
            "weights_planned" => Self::WeightsPlanned(serde_json::from_slice(line)?),
            "weights_set" => Self::WeightsSet(serde_json::from_slice(line)?),
            "actor_crashed" => Self::ActorCrashed(serde_json::from_slice(line)?),
            "events_missing" => Self::EventsMissing(serde_json::from_slice(line)?),
            _ => Self::Other,
        })
    }
}

/// By which rules a run scores, and where it starts from.
#[derive(Clone, Debug, Deserialize)]
pub struct ScoringBegan {
    /// The rules.
    pub rules: ScoringRules,
    /// Steps of earlier runs.
    pub steps: u64,
    /// The averages that they left.
    pub averages: BTreeMap<Hotkey, Score>,
}

/// A scored turn; times are seconds, lists are in the order of `uids`.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which turn of it.
    pub turn: Turn,
    /// The kind of its task.
    pub task: TaskKind,
    reference: Option<String>,
    /// All of them, where there are several.
    #[serde(default)]
    references: Vec<String>,
    /// Whether the reference is the same in every turn.
    pub static_reference: bool,
    /// What was asked.
    pub challenge: String,
    /// What was said before.
    #[serde(default)]
    pub history: Vec<ChatMessage>,
    /// An API user asked and gave no leave to write texts down: none are there.
    #[serde(default)]
    pub texts_withheld: bool,
    uids: Vec<Uid>,
    hotkeys: Vec<Hotkey>,
    completions: Vec<String>,
    timings: Vec<f64>,
    status_codes: Vec<StatusCode>,
    #[serde(default)]
    status_messages: Vec<String>,
    arrivals: Vec<f64>,
    rewards: Vec<f64>,
    /// Where answers were streamed: when each piece was there, and how many characters it had.
    #[serde(default)]
    all_chunks_timings: Vec<Vec<f64>>,
    #[serde(default)]
    all_chars_per_chunk: Vec<Vec<usize>>,
}

/// So many events before it were never written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EventsMissing {
    /// How many.
    pub missing: u64,
    /// Why.
    pub cause: String,
}

/// One miner's part in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The slot that was asked.
    pub uid: Uid,
    /// Who held it.
    pub hotkey: Hotkey,
    /// What came back.
    pub reply: MinerReply,
    /// When it was there, since the round was opened.
    pub arrived: Duration,
    /// What it earned, to the last bit.
    pub reward: f64,
}

impl Step {
    /// What good answers say.
    #[must_use]
    pub fn references(&self) -> Vec<String> {
        if self.references.is_empty() {
            self.reference.iter().cloned().collect()
        } else {
            self.references.clone()
        }
    }

    /// Everyone who was asked, in the order of the step; none if its lists are not equally long or
    /// a time in them is none.
    #[must_use]
    pub fn answers(&self) -> Option<Vec<Answered>> {
        let count = self.uids.len();
        let lengths = [
            self.hotkeys.len(),
            self.completions.len(),
            self.timings.len(),
            self.status_codes.len(),
            self.arrivals.len(),
            self.rewards.len(),
        ];
        if lengths.iter().any(|length| *length != count) {
            return None;
        }
        (0..count).map(|at| self.answer(at)).collect()
    }

    fn answer(&self, at: usize) -> Option<Answered> {
        let time = |times: &[f64]| Duration::try_from_secs_f64(*times.get(at)?).ok();
        let reply = MinerReply {
            completion: self.completions.get(at)?.clone(),
            status: *self.status_codes.get(at)?,
            message: self.status_messages.get(at).cloned().unwrap_or_default(),
            elapsed: time(&self.timings)?,
            pieces: self.pieces(at)?,
        };
        Some(Answered {
            uid: *self.uids.get(at)?,
            hotkey: self.hotkeys.get(at)?.clone(),
            reply,
            arrived: time(&self.arrivals)?,
            reward: *self.rewards.get(at)?,
        })
    }

    /// How an answer arrived, if the journal says so.
    fn pieces(&self, at: usize) -> Option<Vec<PieceArrival>> {
        let times = self.all_chunks_timings.get(at).into_iter().flatten();
        let chars = self.all_chars_per_chunk.get(at).into_iter().flatten();
        let piece = |(at, chars): (&f64, &usize)| {
            Some(PieceArrival { at: Duration::try_from_secs_f64(*at).ok()?, chars: *chars })
        };
        times.zip(chars).map(piece).collect()
    }
}

/// A scored turn was taken into the averages.
#[derive(Clone, Debug, Deserialize)]
pub struct AveragesMoved {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which turn.
    pub turn: Turn,
    /// Steps so far, this one included.
    pub steps: u64,
    /// The averages of everyone who was asked, in the order of the step, to the last bit.
    pub averages: Vec<f64>,
}

/// Weights were about to be sent.
#[derive(Clone, Debug, Deserialize)]
pub struct WeightsPlanned {
    /// Everyone on the subnet.
    pub metagraph: Metagraph,
    /// The chain's rules.
    pub rules: Hyperparameters,
    /// Whom they are for.
    pub uids: Vec<Uid>,
    /// The values.
    pub weights: Vec<u16>,
}

/// Weights were set, or could not be.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct WeightsSet {
    /// The block they are in, if they are.
    pub block: Option<BlockNumber>,
}

/// An actor crashed.
#[derive(Clone, Debug, Deserialize)]
pub struct ActorCrashed {
    /// Which one.
    pub actor: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn step(with: Value) -> Step {
        let mut fields = json!({
            "conversation": 3, "turn": 1, "task": "qa", "reference": "r", "static_reference": true,
            "challenge": "c", "uids": [7, 9], "completions": ["a", ""],
            "hotkeys": ["5".repeat(48), "6".repeat(48)], "timings": [0.1, 2.000_000_003],
            "arrivals": [0.3, 4.0], "status_codes": [200, 408], "status_messages": ["ok", "late"],
            "rewards": [0.25, 0.0],
        });
        fields.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let line = fields.to_string();
        match Recorded::read("step", line.as_bytes()).unwrap() {
            Recorded::Step(step) => *step,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everyone_who_was_asked_has_their_answer_to_the_nanosecond() {
        let step = step(json!({"event_of_tomorrow": 1}));
        let answers = step.answers().unwrap();
        assert_eq!((answers[0].uid, answers[1].uid), (Uid(7), Uid(9)));
        assert_eq!(answers[0].reply.completion, "a");
        assert_eq!(answers[1].reply.elapsed, Duration::new(2, 3));
        assert_eq!(answers[1].reply.status, StatusCode::TIMEOUT);
        assert_eq!((answers[0].arrived, answers[0].reward), (Duration::from_millis(300), 0.25));
        assert_eq!(step.references(), ["r"]);
    }

    #[test]
    fn what_is_there_in_some_steps_only_is_read_where_it_is() {
        let plain = step(json!({}));
        assert!(plain.history.is_empty() && plain.answers().unwrap()[0].reply.pieces.is_empty());
        let more = step(json!({
            "references": ["r", "s"], "history": [{"role": "user", "content": "before"}],
            "all_chunks_timings": [[0.1, 0.25], []], "all_chars_per_chunk": [[3, 4], []],
        }));
        assert_eq!(more.references(), ["r", "s"]);
        assert_eq!(more.history, [ChatMessage::user("before")]);
        let answers = more.answers().unwrap();
        let second = PieceArrival { at: Duration::from_millis(250), chars: 4 };
        assert_eq!((answers[0].reply.pieces.len(), answers[0].reply.pieces[1]), (2, second));
        assert!(answers[1].reply.pieces.is_empty());
    }

    #[test]
    fn a_step_whose_lists_do_not_fit_or_whose_times_are_none_has_no_answers() {
        for with in [json!({"rewards": [0.25]}), json!({"timings": [-1.0, 0.0]})] {
            assert_eq!(step(with).answers(), None);
        }
    }
}
