//! `summarization`: a summary of what is known about a topic.

use super::{ChallengeForm, ReferencePlan, TaskPlan, Text, first_words};
use crate::domain::{Context, RewardKind, Weighted};
use crate::persona_agent::cleaners::Cleaner;

/// What the reference is drawn from: the lead and as much after it as fits.
const MATERIAL_WORDS: usize = 160;

pub(super) const REWARDS: &[Weighted] = &[
    Weighted { kind: RewardKind::RougeL, weight: 0.5 },
    Weighted { kind: RewardKind::Relevance, weight: 0.5 },
];
/// The original's weight: at less, whoever repeats the challenge earns by it.
pub(super) const PENALTIES: &[Weighted] = &[Weighted { kind: RewardKind::Rouge1, weight: 1.0 }];

const SUMMARISE: &str = "You summarise the given context in one short paragraph of plain, neutral \
                         sentences. State facts; do not mention the context.";

pub(super) fn plan(context: &Context) -> TaskPlan {
    TaskPlan {
        desc: "get help with summarization",
        goal: "get a summary of this topic",
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Fixed(context.title.clone()),
        reference: ReferencePlan::Generated {
            frame: SUMMARISE,
            material: first_words(&context.text(), MATERIAL_WORDS),
        },
        form: ChallengeForm::Phrased,
        rewards: REWARDS,
        penalties: PENALTIES,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    }
}
