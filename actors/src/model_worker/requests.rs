//! What ModelWorker is asked and how it says no.

use std::time::Duration;

use actix::Message;
use tokio::sync::mpsc;
use tracing::{Instrument as _, debug_span};

use crate::domain::{ChatMessage, Generation, Lane, Moment, Sampling};
use crate::ports::Piece;
use crate::runtime::{AskError, Port};
use crate::spans::{TARGET, part};

use super::scheduler::Refusal;

const MOST_TEXTS: usize = 4_096;
const MOST_BYTES: usize = 16 << 20;

/// Write a text.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Generation, ModelError>")]
pub struct Generate {
    /// The chat that the text continues.
    pub messages: Vec<ChatMessage>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// On whose behalf.
    pub lane: Lane,
    /// The text ends before the first of these; at most 16 of 1 to 256 bytes.
    pub stop: Vec<String>,
    /// Ends with [`ModelError::Deadline`] from then on. Without one, the asker's patience alone
    /// decides.
    pub deadline: Option<Moment>,
    /// Where the text goes piece by piece while it is written. A reader that is slow gets fewer and
    /// longer pieces (one place of the channel is kept for the last, so it needs two to see any
    /// before the end); one that is gone ends the request. All pieces together are the answer's
    /// text, and come before it.
    pub pieces: Option<mpsc::Sender<Piece>>,
}

impl Generate {
    /// A text in one piece, without stop strings and deadline.
    #[must_use]
    pub fn new(messages: Vec<ChatMessage>, sampling: Sampling, lane: Lane) -> Self {
        Self { messages, sampling, lane, stop: Vec::new(), deadline: None, pieces: None }
    }
}

/// Turn texts into unit vectors.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Vec<f32>>, ModelError>")]
pub struct Embed {
    /// The texts; one vector comes back for each.
    pub texts: Vec<String>,
}

/// Why there is no text and no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The request is at fault; asking again changes nothing.
    #[error("the model cannot take this request: {0}")]
    Request(String),
    /// It was not taken; with [`Refusal::QueueFull`], asking later may succeed.
    #[error("the model does not take this request: {0}")]
    Refused(Refusal),
    /// The device or the backend failed; asking again may succeed.
    #[error("the model failed: {0}")]
    Failed(String),
    /// A remote text broke off after some of it had been streamed.
    #[error("the text broke off: {0}")]
    BrokeOff(String),
    /// [`Generate::deadline`] passed.
    #[error("the text was not ready by its deadline")]
    Deadline,
    /// Whoever read the pieces is gone.
    #[error("nobody reads the text any more")]
    Cancelled,
    /// No answer in time, or the actor is gone.
    #[error("the model did not answer: {0}")]
    NoAnswer(AskError),
}

/// Asks for a text with `patience`, again if the actor is restarted meanwhile; a streamed text is
/// asked for once, since its pieces cannot be taken back.
///
/// # Errors
/// [`ModelError`] by what the asker can do about it.
pub async fn generate(
    port: &Port<Generate>,
    request: Generate,
    patience: Duration,
) -> Result<Generation, ModelError> {
    let deadline = port.within(patience);
    let asking = async {
        if request.pieces.is_some() {
            port.ask(request, deadline).await
        } else {
            port.ask_again(request, deadline).await
        }
    };
    let asked = asking.instrument(part(|| debug_span!(target: TARGET, "generate"))).await;
    asked.map_err(ModelError::NoAnswer)?
}

/// Why a text is not to be written any further, if so: nobody reads it, or it is too late.
pub(super) fn early_end(unread: bool, deadline: Option<Moment>, now: Moment) -> Option<ModelError> {
    if unread {
        return Some(ModelError::Cancelled);
    }
    deadline.filter(|deadline| now >= *deadline).map(|_| ModelError::Deadline)
}

/// Whether these texts can be embedded when so many requests wait.
pub(super) fn check_texts(texts: &[String], waiting: usize, queue: usize) -> Result<(), Refusal> {
    let bytes: usize = texts.iter().map(String::len).sum();
    if texts.is_empty() {
        Err(Refusal::Empty)
    } else if texts.len() > MOST_TEXTS {
        Err(Refusal::TooManyTexts { texts: texts.len(), most: MOST_TEXTS })
    } else if bytes > MOST_BYTES {
        Err(Refusal::TooManyBytes { bytes, most: MOST_BYTES })
    } else if waiting >= queue {
        Err(Refusal::QueueFull(waiting))
    } else {
        Ok(())
    }
}
