//! What happened, in order: the lossless log.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{
    BlockNumber, ConversationId, Hotkey, Hyperparameters, Metagraph, Score, SourceKind, Turn, Uid,
};
use crate::reward_scorer::rules::ScoringRules;
use crate::task_maker::tasks::TaskKind;

/// Why a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", content = "cause", rename_all = "snake_case")]
pub enum Stopped {
    /// Its turns were asked and scored.
    Completed,
    /// No tool had a context for it.
    NoContext(String),
    /// The model did not make its query, challenge or reference.
    NoText(String),
    /// There was nobody to ask.
    NoMiners,
    /// Whoever held it crashed, or the process is stopping.
    Dropped,
    /// The process ended without ending it; the next one says so when it opens the journal.
    CutShort,
}

impl Stopped {
    /// The reason's name, as the journal has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NoContext(_) => "no_context",
            Self::NoText(_) => "no_text",
            Self::NoMiners => "no_miners",
            Self::Dropped => "dropped",
            Self::CutShort => "cut_short",
        }
    }
}

/// What an API user got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganicOutcome {
    /// A miner's answer.
    Answered,
    /// Nothing: the user had gone by then.
    Gone,
    /// Nothing: nobody was asked.
    NoMiners,
    /// Nothing: everybody who was asked failed.
    AllFailed,
    /// Nothing: as many were under way as there may be.
    Overloaded,
    /// Nothing: something on the validator's side broke off.
    Interrupted,
}

/// Why the chain did not take weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Untaken {
    /// It is too soon after the last.
    TooSoon,
    /// The chain said no.
    Refused,
    /// The chain could not be asked, or its answer is not known yet.
    Unreachable,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line of a run.
    RunStarted {
        /// The program's version.
        version: String,
        /// The run's seed.
        seed: u64,
    },
    /// A validator is ready to score; before its first step.
    ScoringBegan {
        /// By which rules.
        rules: ScoringRules,
        /// Steps of earlier runs.
        steps: u64,
        /// The moving averages that they left.
        averages: BTreeMap<Hotkey, Score>,
    },
    /// A task was made.
    TaskMade {
        /// Of which conversation.
        conversation: ConversationId,
        /// Its kind.
        task: TaskKind,
        /// Where its context came from.
        source: String,
        /// What it is about.
        topic: String,
        /// The query.
        query: String,
    },
    /// A kind of task was drawn but could not be made; another context or kind is tried.
    TaskPassedOver {
        /// Of which conversation.
        conversation: ConversationId,
        /// The kind that was drawn.
        task: TaskKind,
        /// What its source or its context lacked.
        cause: String,
    },
    /// A challenge left for the miners.
    Challenged {
        /// Of which conversation.
        conversation: ConversationId,
        /// In which turn.
        turn: Turn,
        /// What was asked.
        challenge: String,
        /// Who was asked.
        uids: Vec<Uid>,
        /// An API user asked it; without their leave their words are not in it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        organic: bool,
    },
    /// An API user's query came to something. It has no text of theirs, and may come after the end
    /// of the conversation, which is that of the miners' answers.
    OrganicAnswered {
        /// Of which conversation.
        conversation: ConversationId,
        /// What the user got.
        outcome: OrganicOutcome,
        /// Whose answer it was, if there was one.
        uid: Option<Uid>,
        /// Seconds since the query came.
        seconds: f64,
        /// Whether the answers are scored.
        scored: bool,
    },
    /// An API user was turned away before there was a conversation: as many queries were under way
    /// as there may be, or the journal was behind.
    OrganicShed,
    /// One answer was scored.
    AnswerScored {
        /// Of which conversation.
        conversation: ConversationId,
        /// In which turn.
        turn: Turn,
        /// Who answered.
        uid: Uid,
        /// Who held the slot.
        hotkey: Hotkey,
        /// What it is worth by itself, before its step is closed.
        reward: Score,
    },
    /// A turn was scored; the keys are the original's (original-system.md §1.13).
    Step(Map<String, Value>),
    /// A conversation ended.
    ConversationEnded {
        /// Which one.
        conversation: ConversationId,
        /// Seconds since it began.
        seconds: f64,
        /// Why.
        #[serde(flatten)]
        stopped: Stopped,
    },
    /// A scored turn was taken into the moving averages.
    AveragesMoved {
        /// Of which conversation.
        conversation: ConversationId,
        /// Which turn.
        turn: Turn,
        /// Steps so far, this one included.
        steps: u64,
        /// The averages of everyone who was asked, in the order of the step's `uids`.
        averages: Vec<Score>,
    },
    /// Weights were worked out from the averages as they are now, and are about to be sent.
    WeightsPlanned {
        /// Everyone on the subnet, and as of which block.
        metagraph: Metagraph,
        /// The chain's rules for weights.
        rules: Hyperparameters,
        /// Whom they are for.
        uids: Vec<Uid>,
        /// The values.
        weights: Vec<u16>,
    },
    /// Weights were set, or could not be.
    WeightsSet {
        /// The block they are in, if they are.
        block: Option<BlockNumber>,
        /// Whom they are for.
        uids: Vec<Uid>,
        /// The values sent.
        weights: Vec<u16>,
        /// Why they could not be set.
        error: Option<String>,
        /// What kind of failure that was.
        #[serde(skip_serializing_if = "Option::is_none")]
        untaken: Option<Untaken>,
        /// They go as a commit, which is to be revealed.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        committed: bool,
    },
    /// Committed weights were revealed, or could not be.
    WeightsRevealed {
        /// The block of the commit.
        committed: BlockNumber,
        /// The block that they were revealed in, if they were.
        block: Option<BlockNumber>,
        /// Why they could not be revealed.
        error: Option<String>,
        /// It will not be tried again: the weights are lost.
        lost: bool,
    },
    /// An actor crashed and was restarted, or was given up.
    ActorCrashed {
        /// Which one.
        actor: String,
        /// What it said.
        cause: String,
        /// The pause before its restart; `None` if it was given up.
        restarting_in: Option<Duration>,
    },
    /// A source of contexts began to fail; as long as it goes on nothing more is said.
    SourceFailed {
        /// Which one.
        source: String,
        /// For which kind of context; none if something was looked up in it.
        kind: Option<SourceKind>,
        /// In what way.
        cause: String,
        /// When it is asked again, which it is not before.
        retry_in: Duration,
    },
    /// A source that had failed brought a context again.
    SourceBack {
        /// Which one.
        source: String,
        /// Of which kind; none if it was looked up.
        kind: Option<SourceKind>,
    },
    /// A miner dealt with a request.
    Served {
        /// Who asked.
        hotkey: String,
        /// How it ended.
        status: u16,
        /// In words.
        message: String,
        /// What was asked; empty where the request was refused before it was read.
        prompt: String,
        /// What was answered.
        completion: String,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The last line of a run that ended in order.
    RunFinished {
        /// Scored steps.
        steps: u64,
    },
    /// The journal could not be written for a while; only the journal itself says so. The numbers
    /// of the events before it are missing.
    EventsMissing {
        /// How many events are not there.
        missing: u64,
        /// How long it lasted, in seconds.
        seconds: f64,
        /// Why.
        cause: String,
    },
}

/// The journal cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal `{place}` cannot be written: {cause}")]
pub struct JournalError {
    /// Where it is.
    pub place: String,
    /// What went wrong.
    pub cause: String,
}

/// What a journal could not write down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// Events of this run that are missing in it.
    pub events: u64,
    /// Why it cannot be written now; none while it can.
    pub error: Option<JournalError>,
}

/// Takes events. Writing happens elsewhere: recording never waits.
pub trait Journal: Send + Sync {
    /// Appends an event. The number of events between two calls of `ready` is bounded by the
    /// conversations in flight.
    fn record(&self, event: Event);

    /// Resolves when the writer has caught up enough for another conversation to begin. One that
    /// cannot write at the moment passes events over, and so catches up too.
    ///
    /// # Errors
    /// If there is no writer any more.
    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>>;

    /// What is missing in it.
    fn unwritten(&self) -> Unwritten {
        Unwritten::default()
    }
}
