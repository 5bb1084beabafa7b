//! What a miner answers with, and whom: `miner.*`, `openai.*`, `blacklist.*`.

use std::time::Duration;

use serde::Deserialize;

use super::{none_is_empty, seconds};

/// `miner.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miner {
    /// What answers.
    pub kind: MinerKind,
    /// How long a mock miner takes, on average.
    #[serde(deserialize_with = "seconds")]
    pub mock_delay: Duration,
    /// The part of the questions that a mock miner does not answer, from 0 to 1.
    pub mock_failures: f64,
    /// Set a weight on itself.
    pub self_weights: bool,
}

/// `openai.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAi {
    /// The model.
    pub model_name: String,
    /// Address of the server, without `/v1`.
    pub base_url: String,
    /// Name of the environment variable that holds the key; never the key itself.
    pub key_env: String,
    /// Tokens a day; 0 is no limit.
    pub daily_tokens: u64,
}

/// What a miner answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MinerKind {
    /// The language model.
    Model,
    /// The language model, with tools to look things up.
    Agent,
    /// The question itself.
    Echo,
    /// A fixed phrase.
    Phrase,
    /// The language model, but late.
    Slow,
    /// Another miner's answer.
    Copier,
    /// Any server that speaks the OpenAI protocol.
    OpenAi,
    /// The question, with delays and failures as configured.
    Mock,
    /// Nothing: it is registered, but nobody listens at its address. For a local network only.
    Dead,
}

impl MinerKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[
        Self::Model,
        Self::Agent,
        Self::OpenAi,
        Self::Echo,
        Self::Phrase,
        Self::Mock,
        Self::Slow,
        Self::Copier,
        Self::Dead,
    ];

    /// The name in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Agent => "agent",
            Self::Echo => "echo",
            Self::Phrase => "phrase",
            Self::Slow => "slow",
            Self::Copier => "copier",
            Self::OpenAi => "openai",
            Self::Mock => "mock",
            Self::Dead => "dead",
        }
    }
}

/// `blacklist.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blacklist {
    /// Refuse callers without a validator permit.
    pub force_validator_permit: bool,
    /// Answer callers that are not registered.
    pub allow_non_registered: bool,
    /// Refuse callers with less stake, in TAO.
    pub min_stake: u64,
    /// Refuse these hotkeys.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub hotkeys: Vec<String>,
    /// Answer these hotkeys, whatever else is said of them.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub allow_hotkeys: Vec<String>,
}
