//! On whose behalf miners are asked.
//!
//! It travels with the challenge and its round, beside what miners are sent, and never into it.
//! Dendrite and RewardScorer look at it, for the way back of the answers alone.

use tokio::sync::{mpsc, oneshot};

use crate::domain::{Answer, Uid};
use crate::runtime::Credit;

use super::OrganicError;

/// On whose behalf miners are asked. They cannot tell: only the way back of the answers differs.
#[derive(Debug)]
pub enum Asker {
    /// A person that PersonaAgent plays.
    Persona,
    /// An API user.
    User(Listener),
}

/// A user who hears the answers of a round, and how the round is scored.
#[derive(Debug)]
pub struct Listener {
    /// Hears how many are asked, as soon as they are chosen, or why nobody will be.
    pub asked: Option<oneshot::Sender<Result<usize, OrganicError>>>,
    /// Each answer, as it arrives; it has a place for everybody who may be asked. Dendrite takes it,
    /// so that it ends with the last answer and not with the round.
    pub answers: Option<mpsc::Sender<Answer>>,
    /// The round is scored, which it has this for; without it its answers only pass.
    pub scored: Option<Credit>,
    /// Hears whose answer was the best when the round is closed, if anybody's.
    pub best: Option<oneshot::Sender<Uid>>,
    /// Whether the texts of the round are written into the journal.
    pub log_texts: bool,
}

impl Asker {
    /// Whether it is an API user.
    #[must_use]
    pub fn is_user(&self) -> bool {
        match self {
            Self::Persona => false,
            Self::User(_) => true,
        }
    }

    /// Whether the round's texts are a user's, who gave no leave to write them down.
    #[must_use]
    pub fn withholds_texts(&self) -> bool {
        match self {
            Self::Persona => false,
            Self::User(listener) => !listener.log_texts,
        }
    }

    /// Whether the round is scored.
    #[must_use]
    pub fn is_scored(&self) -> bool {
        match self {
            Self::Persona => true,
            Self::User(listener) => listener.scored.is_some(),
        }
    }

    /// Whether a user is there to hear answers.
    #[must_use]
    pub fn listens(&self) -> bool {
        match self {
            Self::Persona => false,
            Self::User(listener) => listener.answers.as_ref().is_some_and(|to| !to.is_closed()),
        }
    }

    /// Lets a user hear how many are asked, or why nobody is.
    pub fn tell_asked(&mut self, number: Result<usize, OrganicError>) {
        let asked = match self {
            Self::Persona => None,
            Self::User(listener) => listener.asked.take(),
        };
        if let Some(asked) = asked {
            // A user who is gone hears nothing.
            let _ = asked.send(number);
        }
    }

    /// Where else the answers go.
    pub fn take_listener(&mut self) -> Option<mpsc::Sender<Answer>> {
        match self {
            Self::Persona => None,
            Self::User(listener) => listener.answers.take(),
        }
    }
}
