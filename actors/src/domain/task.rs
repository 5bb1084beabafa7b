//! What a conversation can be about, and what an answer earns by.

use serde::{Deserialize, Serialize};

/// A kind of task. The names are those of `neuron.tasks` everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A question about an article.
    Qa,
    /// A summary of an article.
    Summarization,
    /// A problem with one number for an answer.
    Math,
}

impl TaskKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[Self::Qa, Self::Summarization, Self::Math];

    /// The name in configuration and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qa => "qa",
            Self::Summarization => "summarization",
            Self::Math => "math",
        }
    }
}

/// One way to measure an answer; each gives a [`super::Score`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardKind {
    /// ROUGE-1 F.
    #[serde(rename = "rouge_1")]
    Rouge1,
    /// ROUGE-2 F.
    #[serde(rename = "rouge_2")]
    Rouge2,
    /// ROUGE-L F.
    #[serde(rename = "rouge_l")]
    RougeL,
    /// Cosine of the embeddings over the cosine of an empty answer.
    Relevance,
    /// One less the relative difference of two numbers.
    #[serde(rename = "float_diff")]
    NumericDifference,
}

impl RewardKind {
    /// The name in the journal's keys; the original's where it had one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rouge1 => "rouge_1",
            Self::Rouge2 => "rouge_2",
            Self::RougeL => "rouge_l",
            Self::Relevance => "relevance",
            Self::NumericDifference => "float_diff",
        }
    }
}

/// A measure and how much it counts, in `0.0..=1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    /// The measure.
    pub kind: RewardKind,
    /// Its weight; the rewards of a task sum to 1, penalties need not.
    pub weight: f64,
}
