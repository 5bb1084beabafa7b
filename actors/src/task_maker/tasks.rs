//! What each kind of task is: where its context comes from, what is asked, what a good answer is
//! and how it is measured.
//!
//! To add a kind, add its file, which exports a [`TaskKind`] as `TASK`, and its line in the table
//! below; configuration, commands and journal take it from there. Everything is pure: a plan is a
//! function of the context and of a random stream.

use std::cmp::Ordering;

use rand_chacha::ChaCha8Rng;

use crate::by_name::by_name;
use crate::domain::{ChatMessage, Context, SourceKind};
use crate::reward_scorer::rewards::{
    Measures, OfReferences, Weighted, overlap::OVERLAP, repetition::REPETITION,
    streaming::STREAMING, too_long::TOO_LONG,
};
use crate::text::shown::shown;

/// Declares the files and collects what they export, so that a kind takes one line.
macro_rules! table {
    ($($kind:ident)+) => {
        $(mod $kind;)+

        /// Every kind there is.
        pub const ALL: &[TaskKind] = &[$($kind::TASK),+];
    };
}

table! {
    qa
    summarization
    debugging
    math
    date_qa
    generic_instruction
    translation
    sentiment
    multi_choice
    multi_step_reasoning
}

/// What a kind of task is.
pub struct Definition {
    /// The name in configuration, on the command line and in the journal.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// What the person uses the assistant for: "… to {desc}".
    pub desc: &'static str,
    /// What the person is after: "… to {goal}: {query}".
    pub goal: &'static str,
    /// What can ground it, any of them; at least one.
    pub sources: &'static [SourceKind],
    /// How answers are measured unless configured otherwise; the weights sum to 1.
    pub rewards: &'static [Weighted],
    /// What takes from an answer's reward unless configured otherwise.
    pub penalties: &'static [Weighted],
    /// What counts where there are several references, unless configured otherwise.
    pub references: OfReferences,
    /// Whether copies are looked for among the answers, unless configured otherwise: they are free
    /// text, so that two that are alike were not written independently. Not where the right answer
    /// is the same for all: a number, a date, a label, sound code, a sentence's translation.
    pub copies: bool,
    /// Plans one task; the random stream decides what the kind leaves open. A context that no task
    /// of the kind can be made of is refused.
    pub plan: fn(&Context, &mut ChaCha8Rng) -> Result<TaskPlan, Unfit>,
}

/// What takes from an answer in prose: words of what was said before, more words than it takes, the
/// same words again and again, and lumps in its stream. The overlap counts for half, as the original
/// has it from 1.1.1 on: honest answers share words with their question.
const OF_PROSE: &[Weighted] = &[
    Weighted { kind: OVERLAP, weight: 0.5 },
    Weighted { kind: TOO_LONG, weight: 1.0 },
    Weighted { kind: REPETITION, weight: 1.0 },
    Weighted { kind: STREAMING, weight: 0.2 },
];

/// A context that no task of the kind can be made of, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no task can be made of `{title}`: {cause}")]
pub struct Unfit {
    /// The context's title, or the beginning of it.
    pub title: String,
    /// What it lacks.
    pub cause: &'static str,
}

impl Unfit {
    /// A context that lacks something.
    #[must_use]
    pub fn new(context: &Context, cause: &'static str) -> Self {
        Self { title: shown(&context.title), cause }
    }
}

/// A kind of task: a row of the table. Two are equal if their names are.
#[derive(Clone, Copy)]
pub struct TaskKind(&'static Definition);

impl TaskKind {
    /// All that it is.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0
    }

    /// How its answers are measured unless configured otherwise.
    #[must_use]
    pub fn default_measures(self) -> Measures {
        let Definition { rewards, penalties, references, copies, .. } = self.0;
        Measures {
            rewards: rewards.to_vec(),
            penalties: penalties.to_vec(),
            references: *references,
            copies: *copies,
        }
    }
}

by_name!(TaskKind, "task");

impl PartialOrd for TaskKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TaskKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

/// A text that is known, or that the model writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// It is known.
    Fixed(String),
    /// The model writes it, given these messages.
    Generated(Vec<ChatMessage>),
    /// The model asks it.
    Question {
        /// What it is to be about.
        material: String,
        /// What is asked for on top of the material.
        instruction: &'static str,
        /// What is asked if the model asks nothing that can be understood.
        otherwise: String,
    },
}

/// How the reference answers come about.
#[derive(Clone, Debug, PartialEq)]
pub enum ReferencePlan {
    /// They are known; at least one.
    Fixed(Vec<String>),
    /// The model writes one for each instruction, once the query is known.
    Generated {
        /// What they are to be drawn from: how the query's prompt begins, if the model writes that.
        material: String,
        /// What is asked for on top of the material; [`passage::QUERY`](super::passage::QUERY)
        /// stands for the query.
        instructions: &'static [&'static str],
    },
}

impl ReferencePlan {
    /// Whether the references are the same in every turn.
    #[must_use]
    pub fn is_static(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}

/// How a query becomes a challenge.
#[derive(Clone, Debug, PartialEq)]
pub enum ChallengeForm {
    /// The person's words are all of it.
    Phrased,
    /// The person's words lead up to a text that must not be altered: code, options, a sentence to
    /// translate.
    LeadingTo {
        /// What is asked for, without the text: an order, as `Solve this problem`.
        order: String,
        /// What stands unaltered below the words. In a plan whose query the model writes,
        /// [`passage::QUERY`](super::passage::QUERY) stands for it; in the plan of a finished task
        /// it never does.
        text: String,
    },
}

/// What a kind of task decides about one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPlan {
    /// What is asked.
    pub query: Text,
    /// What a good answer is.
    pub reference: ReferencePlan,
    /// How the challenge is formed.
    pub form: ChallengeForm,
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
