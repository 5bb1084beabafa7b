//! What a replay came to, for people and machines.

use std::fmt;

use serde::Serialize;
use sn1_actors::domain::{BlockNumber, ConversationId, Hotkey, Turn, Uid};

use crate::journal::read::LinePlace;

/// What came of a journal.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether all that was replayed is as it was recorded, to the last bit.
    pub equal: bool,
    /// Lines that are none of a journal.
    pub unreadable_lines: u64,
    /// Where the first of them stands.
    pub first_unreadable: Option<LinePlace>,
    /// Whether the last line breaks off.
    pub torn: bool,
    /// Its runs, in the order in which they began.
    pub runs: Vec<RunReport>,
}

impl Report {
    /// Whether there is a run that could be replayed.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.runs.iter().any(|run| run.state == RunState::Replayed)
    }

    /// The first thing that is not as it was recorded, and the run that it is in.
    #[must_use]
    pub fn first_difference(&self) -> Option<(&str, &Difference)> {
        self.runs.iter().find_map(|run| Some((&*run.run_id, run.first_difference.as_ref()?)))
    }
}

/// Whether a run could be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "cause", rename_all = "snake_case")]
pub enum RunState {
    /// It was.
    Replayed,
    /// Nothing was scored: a miner's run, or one that ended early.
    NothingScored,
    /// The line with its rules is not there any more: it was in a file that is gone.
    RulesMissing,
    /// This program does not know its rules.
    RulesUnknown(String),
}

/// What came of one run.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// Which run.
    pub run_id: String,
    /// Whether it could be replayed.
    #[serde(flatten)]
    pub state: RunState,
    /// The run whose averages it took up, by rules that were changed in both.
    pub continues: Option<String>,
    /// Scored turns.
    pub steps: u64,
    /// Of those, API users' whose texts are not in the journal: their rewards are as recorded.
    pub withheld: u64,
    /// Answers in them, silent miners included.
    pub answers: u64,
    /// Lines that are not there, by their numbers, and of which the journal says nothing.
    pub missing_lines: u64,
    /// Events that the journal says it could not write.
    pub unwritten: u64,
    /// Why it could not, the last time.
    pub unwritten_cause: Option<String>,
    /// Moves of averages and settings of weights that hang on those, and are not compared.
    pub not_compared: u64,
    /// Rewards.
    pub rewards: Compared,
    /// The largest difference between two rewards.
    pub largest_difference: f64,
    /// Moves of the averages.
    pub averages: Compared,
    /// Settings of weights.
    pub weights: Compared,
    /// The mean of all rewards; none without any.
    pub mean_reward: Option<Beside<f64>>,
    /// What differs first.
    pub first_difference: Option<Difference>,
    /// Everyone who was asked, those first whose weight, average or reward changed the most.
    pub miners: Vec<MinerReport>,
}

/// How many of some things differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// How many were compared.
    pub compared: u64,
    /// How many of them differ.
    pub differ: u64,
}

impl Compared {
    pub(super) fn add(&mut self, differs: bool) {
        self.compared += 1;
        self.differ += u64::from(differs);
    }
}

/// What was recorded beside what the replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Beside<T> {
    /// In the journal.
    pub recorded: T,
    /// By the replay.
    pub replayed: T,
}

impl Beside<f64> {
    /// How far they are from each other.
    #[must_use]
    pub fn distance(&self) -> f64 {
        (self.replayed - self.recorded).abs()
    }
}

/// What one miner came to.
#[derive(Debug, Serialize)]
pub struct MinerReport {
    /// Its slot, when it was asked last.
    pub uid: Uid,
    /// Who it is.
    pub hotkey: Hotkey,
    /// How often it was asked.
    pub asked: u64,
    /// Its mean reward.
    pub mean_reward: Beside<f64>,
    /// Its moving average at the end; none if it was forgotten.
    pub average: Beside<Option<f64>>,
    /// Its share of the last weights, from 0 to 1; none if there are none.
    pub weight: Option<Beside<f64>>,
}

impl MinerReport {
    /// How much changed: the weight before the average before the mean reward.
    pub(super) fn change(&self) -> [f64; 3] {
        let Beside { recorded, replayed } = self.average;
        let average =
            Beside { recorded: recorded.unwrap_or(0.0), replayed: replayed.unwrap_or(0.0) };
        let weight = self.weight.map_or(0.0, |weight| weight.distance());
        [weight, average.distance(), self.mean_reward.distance()]
    }
}

/// Something that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Difference {
    /// What an answer earned.
    Reward {
        /// In which conversation.
        conversation: ConversationId,
        /// In which turn.
        turn: Turn,
        /// Whose.
        uid: Uid,
        /// What it earned.
        #[serde(flatten)]
        reward: Beside<f64>,
    },
    /// What an answer did to a moving average.
    Average {
        /// In which conversation.
        conversation: ConversationId,
        /// In which turn.
        turn: Turn,
        /// Whose.
        uid: Uid,
        /// The average.
        #[serde(flatten)]
        average: Beside<f64>,
    },
    /// A weight.
    Weight {
        /// As of which block.
        block: BlockNumber,
        /// Whose.
        uid: Uid,
        /// The weight.
        #[serde(flatten)]
        weight: Beside<u16>,
    },
    /// A turn whose answers cannot be scored, or whose scores went nowhere.
    Step {
        /// In which conversation; none if that cannot be read.
        conversation: Option<ConversationId>,
        /// In which turn.
        turn: Option<Turn>,
        /// Why.
        cause: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reward { conversation, turn, uid, reward: Beside { recorded, replayed } } => {
                write!(
                    f,
                    "the reward of uid {uid} in turn {turn} of conversation {conversation}: recorded \
                 {recorded}, replayed {replayed}"
                )
            }
            Self::Average { conversation, turn, uid, average: Beside { recorded, replayed } } => {
                write!(
                    f,
                    "the average of uid {uid} after turn {turn} of conversation {conversation}: \
                     recorded {recorded}, replayed {replayed}"
                )
            }
            Self::Weight { block, uid, weight: Beside { recorded, replayed } } => write!(
                f,
                "the weight of uid {uid} as of block {block}: recorded {recorded}, replayed \
                 {replayed}"
            ),
            Self::Step { conversation: Some(conversation), turn: Some(turn), cause } => {
                write!(f, "turn {turn} of conversation {conversation}: {cause}")
            }
            Self::Step { cause, .. } => f.write_str(cause),
        }
    }
}
