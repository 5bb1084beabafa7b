//! The gateway: a door for API users, who speak the OpenAI protocol.
//!
//! It checks keys and limits, turns requests into queries and answers into replies. Whom to ask and
//! which answer to take is the matter of whoever stands behind the [`Door`]. A miner's answer comes
//! as a whole; a user who wants a stream gets it in slices. Texts and keys are never logged here.

mod completion;
mod error;
pub mod keys;
mod messages;
mod openapi;
mod reply;
mod request;
pub mod server;
mod sse;
mod users;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sn1_actors::domain::Query;
use sn1_actors::organic::{OrganicAnswer, OrganicError};
use sn1_actors::ports::Clock;

use crate::wire::UuidSource;

pub use server::{GatewayError, GatewayOptions, GatewayServer};

/// Has a user's query answered. Called from the server's thread; dropping the future gives up the
/// answer, not the round.
pub type Door =
    Arc<dyn Fn(Query) -> BoxFuture<'static, Result<OrganicAnswer, OrganicError>> + Send + Sync>;

/// How many tokens a text has. Called from several threads.
pub type TokenCounter = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// How many tokens a whole chat has, if the model can read it. Called from several threads.
pub type ChatReader = Arc<dyn Fn(&Query) -> Result<usize, Unreadable> + Send + Sync>;

/// What the validator's own model, which answers are scored with, makes of texts.
#[derive(Clone)]
pub struct ModelReader {
    /// How many tokens a text has.
    pub count: TokenCounter,
    /// How many tokens a whole chat has, if the model can read it.
    pub read: ChatReader,
}

/// Why the model cannot read a chat, whose answers could then never be scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is too long. The words are those that clients look for.
    #[error(
        "This model's maximum context length is {most} tokens, and the messages have {tokens}; \
         shorten them"
    )]
    TooLong {
        /// What it has.
        tokens: usize,
        /// What it may have.
        most: usize,
    },
    /// It is not of the form that the model's chats have, for this reason.
    #[error("the model takes no such chat: {0}")]
    Unfit(String),
}

/// What the gateway works with.
#[derive(Clone)]
pub struct GatewayParts {
    /// Where users' queries go.
    pub door: Door,
    /// Who may ask, and how much.
    pub keys: keys::KeyRing,
    /// What the subnet is called as a model, beside [`ALIAS`].
    pub model: String,
    /// For the usage that is told and charged, for `max_tokens`, and for what is too long.
    pub reader: ModelReader,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For the identifiers of completions.
    pub uuids: Arc<UuidSource>,
}

/// A name that asks for whatever model this subnet is.
pub const ALIAS: &str = "sn1";

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_streaming;
