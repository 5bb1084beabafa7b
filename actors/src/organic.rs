//! Organic: API users' queries. It takes them on the same way as the validator's own challenges, so
//! that no miner can tell them apart, and answers with the first good answer or the best.
//!
//! The gateway asks it `AskMiners`; it pushes `Challenge` to Dendrite, and hears the answers of the
//! round while RewardScorer scores it, afterwards, against a reference of the validator's own.

use std::time::Duration;

use actix::Message;
use tokio::sync::{mpsc, oneshot};

use crate::domain::{Answer, Hotkey, Query, Uid};
use crate::persona_agent::BestAnswer;

/// Have miners answer a user's query.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<OrganicAnswer, OrganicError>")]
pub struct AskMiners {
    /// The whole chat, the user's last message at its end.
    pub query: Query,
}

/// A miner's answer for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganicAnswer {
    /// What it wrote; not empty.
    pub text: String,
    /// The slot that answered.
    pub uid: Uid,
    /// Who held it.
    pub hotkey: Hotkey,
    /// How long the miner took.
    pub elapsed: Duration,
}

/// A user gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganicError {
    /// As many queries are under way as there may be.
    #[error("too many queries are under way; try again in a moment")]
    Overloaded,
    /// There is nobody to ask.
    #[error("no miner serves this subnet at the moment")]
    NoMiners,
    /// Everybody who was asked failed.
    #[error("none of {asked} miners answered: {cause}")]
    AllFailed {
        /// How many were asked.
        asked: usize,
        /// What one of them came to.
        cause: String,
    },
}

/// A user who hears the answers of a round, and how the round is scored.
#[derive(Debug)]
pub struct Listener {
    /// Each answer, as it arrives.
    pub answers: mpsc::Sender<Answer>,
    /// Whether the round is scored; if not, its answers only pass.
    pub scored: bool,
    /// Hears the best answer when the round is closed.
    pub best: Option<oneshot::Sender<Option<BestAnswer>>>,
    /// Whether the texts of the round are written into the journal.
    pub log_texts: bool,
}

/// On whose behalf miners are asked. They cannot tell: only the way back of the answers differs.
#[derive(Debug)]
pub enum Asker {
    /// A person that PersonaAgent plays.
    Persona,
    /// An API user.
    User(Listener),
}
