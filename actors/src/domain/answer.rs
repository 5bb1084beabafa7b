//! What a miner is asked and what it says.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChatMessage, Hotkey, Role, Uid};

/// A query as it stands on the wire: parallel lists of roles and messages, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Who said each message.
    pub roles: Vec<Role>,
    /// The messages, oldest first.
    pub messages: Vec<String>,
}

impl Query {
    /// A query of one user message, the only shape that the original sends.
    #[must_use]
    pub fn from_user(message: impl Into<String>) -> Self {
        Self { roles: vec![Role::User], messages: vec![message.into()] }
    }

    /// Its messages, each with who said it.
    #[must_use]
    pub fn into_messages(self) -> Vec<ChatMessage> {
        let said = self.roles.into_iter().zip(self.messages);
        said.map(|(role, content)| ChatMessage { role, content }).collect()
    }
}

/// An HTTP-like status as the SDK's dendrite reports it (wire.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// The miner answered.
    pub const OK: Self = Self(200);
    /// The deadline passed.
    pub const TIMEOUT: Self = Self(408);
    /// What came back was no synapse.
    pub const MALFORMED: Self = Self(422);
    /// Nobody there, or it hung up.
    pub const UNAVAILABLE: Self = Self(503);
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one request to one miner came to; silence and failure are replies too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinerReply {
    /// The answer; empty unless the status is 200.
    pub completion: String,
    /// How it ended.
    pub status: StatusCode,
    /// In words.
    pub message: String,
    /// By our clock, from the first byte sent to the last received.
    pub elapsed: Duration,
    /// How the completion arrived, if it was streamed; empty if it came as a whole.
    #[serde(default)]
    pub pieces: Vec<PieceArrival>,
}

/// A piece of a streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceArrival {
    /// By our clock, since the first byte was sent.
    pub at: Duration,
    /// Characters in it.
    pub chars: usize,
}

impl MinerReply {
    /// An answer that came as a whole, at once.
    #[must_use]
    pub fn success(completion: impl Into<String>) -> Self {
        let completion = completion.into();
        Self { completion, ..Self::failure(StatusCode::OK, "Success") }
    }

    /// No answer.
    #[must_use]
    pub fn failure(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            completion: String::new(),
            status,
            message: message.into(),
            elapsed: Duration::ZERO,
            pieces: Vec::new(),
        }
    }
}

/// A reply with who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The slot that was asked.
    pub uid: Uid,
    /// Who held it when it was asked.
    pub hotkey: Hotkey,
    /// What came back.
    pub reply: MinerReply,
    /// When it was there, since the round was opened.
    pub arrived: Duration,
}
