//! Who may use the gateway, and how much.

use std::time::Duration;

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No key was presented.
    #[error("no API key was given: send it as `Authorization: Bearer KEY`")]
    Missing,
    /// No such key, or one that was revoked.
    #[error("the API key is not known, or was revoked")]
    Unknown,
    /// The key's requests of this minute are used up.
    #[error("more than {most} requests a minute with this key")]
    TooManyRequests {
        /// How many there may be.
        most: u32,
        /// When to ask again.
        retry_after: Duration,
    },
    /// As many of the key's requests are under way as there may be.
    #[error("more than {most} requests at a time with this key")]
    TooManyAtOnce {
        /// How many there may be.
        most: u32,
    },
    /// The key's tokens of this day are used up.
    #[error("the {most} tokens a day of this key are used up")]
    TokensUsedUp {
        /// How many there are.
        most: u64,
        /// When there are some again.
        retry_after: Duration,
    },
}
