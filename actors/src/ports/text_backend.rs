//! Language models that run elsewhere and take whole chats: servers that speak the OpenAI protocol.

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::domain::{ChatMessage, Generation, Sampling};

/// A chat to be continued.
#[derive(Clone, Debug, PartialEq)]
pub struct TextRequest {
    /// The chat.
    pub messages: Vec<ChatMessage>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// The text ends before the first of these.
    pub stop: Vec<String>,
}

/// Some new text of a generation that is still under way.
pub type Piece = String;

/// Why a backend gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The request is at fault; no backend will take it.
    #[error("the request cannot be run: {0}")]
    Request(String),
    /// No backend could be asked at all; asking again later may succeed.
    #[error("no model server can be asked: {0}")]
    NotSent(String),
    /// No backend answered, though one may have begun to; asking again later may succeed.
    #[error("no model server answered: {0}")]
    Unavailable(String),
    /// The text broke off after some of it had been streamed; it cannot go on elsewhere.
    #[error("the model server broke off: {0}")]
    Interrupted(String),
}

/// Where whole chats are continued.
pub trait TextBackend: Send + Sync {
    /// Continues a chat; sends the text piece by piece to `pieces` if wanted. Dropping the future
    /// cancels the request.
    ///
    /// # Errors
    /// [`TextError`] by what to do about it.
    fn generate(
        &self,
        request: TextRequest,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>>;

    /// How many requests it takes at once.
    fn capacity(&self) -> usize;
}
