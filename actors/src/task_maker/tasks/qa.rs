//! `qa`: a question about a passage of an article.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, ReferencePlan, TaskPlan, Text, excerpt};
use crate::domain::{ChatMessage, Context, RewardKind, Weighted};
use crate::persona_agent::cleaners::Cleaner;

/// A passage of this length is enough for a question and short enough to be read quickly.
const PASSAGE_WORDS: usize = 120;

pub(super) const REWARDS: &[Weighted] = &[
    Weighted { kind: RewardKind::Rouge1, weight: 0.5 },
    Weighted { kind: RewardKind::Relevance, weight: 0.5 },
];
/// The original's weight: at less, whoever repeats the challenge earns by it.
pub(super) const PENALTIES: &[Weighted] = &[Weighted { kind: RewardKind::Rouge1, weight: 1.0 }];

const ASK: &str = "You write quiz questions. Read the text and write one clear question that the \
                   text answers. Write only the question, in one sentence.";
const ANSWER: &str = "You answer questions from the given context, in two or three plain and \
                      complete sentences. State facts; do not mention the context.";

pub(super) fn plan(context: &Context, random: &mut ChaCha8Rng) -> TaskPlan {
    let passage = excerpt(context, PASSAGE_WORDS, random);
    let about = format!("Text about {}:\n{passage}\n\nWrite the question.", context.title);
    TaskPlan {
        desc: "get help on answering a question",
        goal: "get the answer to this question",
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Generated(vec![ChatMessage::system(ASK), ChatMessage::user(about)]),
        reference: ReferencePlan::Generated { frame: ANSWER, material: passage },
        form: ChallengeForm::Phrased,
        rewards: REWARDS,
        penalties: PENALTIES,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    }
}
