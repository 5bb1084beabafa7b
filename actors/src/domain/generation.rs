//! What is asked of a language model and what comes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the next token is chosen. Defaults are the original's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Divides the logits; 0 means greedy.
    pub temperature: f32,
    /// Only so many of the most likely tokens are drawn from; 0 means all.
    pub top_k: usize,
    /// Only the smallest set of tokens whose probability reaches this is drawn from.
    pub top_p: f32,
    /// Makes tokens that the prompt or the text has already less likely: their positive logits are
    /// divided by it, negative ones multiplied. 1 changes nothing; it must be above 0.
    pub repetition_penalty: f32,
    /// Generation ends after so many tokens.
    pub max_new_tokens: usize,
    /// Seeds the draws: the same request gives the same tokens.
    pub seed: u64,
}

impl Sampling {
    /// The original's defaults: temperature 0.7, top-k 50, top-p 0.95, 256 new tokens.
    pub const ORIGINAL: Self = Self {
        temperature: 0.7,
        top_k: 50,
        top_p: 0.95,
        repetition_penalty: 1.0,
        max_new_tokens: 256,
        seed: 0,
    };

    /// Always the most likely token.
    #[must_use]
    pub fn greedy(max_new_tokens: usize) -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, max_new_tokens, ..Self::ORIGINAL }
    }
}

/// On whose behalf a request is made; each lane has a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Queries and challenges: a conversation waits for them.
    Validator,
    /// References: made while miners think, so they give way to what is waited for.
    Reference,
    /// A miner's answers.
    Miner,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model said that it was done, or wrote one of the request's stop strings.
    Stop,
    /// [`Sampling::max_new_tokens`] was reached, or the model's context was full.
    Length,
}

/// A finished generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// The new text, trimmed, without the stop string that ended it.
    pub text: String,
    /// The prompt as tokens.
    pub prompt_ids: Vec<u32>,
    /// The new tokens, the stop token included.
    pub generated_ids: Vec<u32>,
    /// Tokens of prompt and text together, as whoever wrote it elsewhere counts them; `None` where
    /// it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_tokens: Option<u64>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Time in the queue.
    pub queued: Duration,
    /// Time from leaving the queue to the first new token.
    pub prefill: Duration,
    /// Time from the first new token to the last.
    pub decode: Duration,
}
