//! What may be asked of the scheduler, and what it says no to.

use crate::domain::{Lane, Sampling};

use super::blocks_of;

/// How requests are batched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// Sequences that run at once, at most.
    pub max_sequences: u32,
    /// Of these, so many may be miners' while validator's requests wait, and the other way round
    /// the rest.
    pub miner_share: u32,
    /// Prompt rows in one step, at most.
    pub prefill_rows: usize,
    /// Of these, so many for others than the validator's lane while that is under way.
    pub sip_rows: usize,
    /// Requests that wait, at most, in each lane.
    pub queue: usize,
    /// Blocks of the engine's KV cache, of [`crate::ports::BLOCK_TOKENS`] positions each.
    pub kv_blocks: u32,
    /// Whether sequences that begin with the same tokens share blocks.
    pub prefix_cache: bool,
    /// Texts that are embedded between two steps, at most.
    pub embed_texts: usize,
    /// About so many tokens of them, at most; a longer text goes alone.
    pub embed_tokens: usize,
}

impl Default for SchedulerConfig {
    /// For a small model on a processor.
    fn default() -> Self {
        Self {
            max_sequences: 8,
            miner_share: 3,
            prefill_rows: 32,
            sip_rows: 8,
            queue: 1_024,
            kv_blocks: 2_048,
            prefix_cache: true,
            embed_texts: 32,
            embed_tokens: 1_024,
        }
    }
}

impl SchedulerConfig {
    /// Whether a miner's request has the next turn, when so many of miners and of others run.
    #[must_use]
    pub fn miners_first(&self, miners: usize, others: usize) -> bool {
        let rest = self.max_sequences.saturating_sub(self.miner_share);
        miners < self.miner_share as usize && others >= rest as usize
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The prompt; not empty.
    pub prompt_ids: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// On whose behalf.
    pub lane: Lane,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing to continue, or nothing to embed.
    #[error("the request is empty")]
    Empty,
    /// No room for a single new token.
    #[error("the prompt has {prompt} tokens, the model's context holds {context}")]
    TooLong {
        /// Its tokens.
        prompt: usize,
        /// The model's limit.
        context: usize,
    },
    /// It would not fit even if nothing else ran.
    #[error("prompt and answer need {needed} blocks of the KV cache, which has {total}")]
    TooLarge {
        /// Blocks it would need.
        needed: usize,
        /// Blocks there are.
        total: usize,
    },
    /// No token is wanted.
    #[error("no new tokens are wanted")]
    NoTokens,
    /// A penalty must be a number above 0.
    #[error("the repetition penalty must be above 0")]
    Penalty,
    /// Too many stop strings, an empty one, or one that is too long.
    #[error("at most {count} stop strings of 1 to {length} bytes can be watched for")]
    StopStrings {
        /// So many at most.
        count: usize,
        /// So long at most.
        length: usize,
    },
    /// Too much text at once.
    #[error("the request has {bytes} bytes, at most {most} are taken at once")]
    TooManyBytes {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Too many texts at once.
    #[error("the request has {texts} texts, at most {most} are taken at once")]
    TooManyTexts {
        /// Its texts.
        texts: usize,
        /// The limit.
        most: usize,
    },
    /// Too many wait already; later there may be room.
    #[error("{0} requests wait already")]
    QueueFull(usize),
}

/// Checks what is asked whatever model answers.
///
/// # Errors
/// [`Refusal`].
pub(crate) fn check_sampling(sampling: &Sampling) -> Result<(), Refusal> {
    let penalty = sampling.repetition_penalty;
    if sampling.max_new_tokens == 0 {
        Err(Refusal::NoTokens)
    } else if !(penalty.is_finite() && penalty > 0.0) {
        Err(Refusal::Penalty)
    } else {
        Ok(())
    }
}

impl Request {
    /// How many new tokens it can have.
    pub(super) fn check(
        &self,
        context: usize,
        config: &SchedulerConfig,
        waiting: usize,
    ) -> Result<usize, Refusal> {
        let prompt = self.prompt_ids.len();
        if prompt == 0 {
            return Err(Refusal::Empty);
        }
        check_sampling(&self.sampling)?;
        let limit = self.sampling.max_new_tokens.min(context.saturating_sub(prompt));
        if limit == 0 {
            return Err(Refusal::TooLong { prompt, context });
        }
        let (needed, total) = (blocks_of(prompt + limit - 1), config.kv_blocks as usize);
        if needed > total {
            return Err(Refusal::TooLarge { needed, total });
        }
        if waiting >= config.queue {
            return Err(Refusal::QueueFull(waiting));
        }
        Ok(limit)
    }
}
