//! `summarization`: a summary of what is known about a topic.

use rand_chacha::ChaCha8Rng;

use super::{
    ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit, first_words,
};
use crate::domain::{Context, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{
    Weighted,
    relevance::RELEVANCE,
    rouge::{ROUGE_1, ROUGE_L},
};

/// What the reference is drawn from: the lead and as much after it as fits.
const MATERIAL_WORDS: usize = 160;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "summarization",
    about: "a summary of an article",
    desc: "get help with summarization",
    goal: "get a summary of this topic",
    source: SourceKind::Article,
    rewards: &[
        Weighted { kind: ROUGE_L, weight: 0.5 },
        Weighted { kind: RELEVANCE, weight: 0.5 },
    ],
    // The original's weight: at less, whoever repeats the challenge earns by it.
    penalties: &[Weighted { kind: ROUGE_1, weight: 1.0 }],
    plan,
});

const SUMMARISE: &str = "You summarise the given context in one short paragraph of plain, neutral \
                         sentences. State facts; do not mention the context.";

fn plan(context: &Context, _: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    Ok(TaskPlan {
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Fixed(context.title.clone()),
        reference: ReferencePlan::Generated {
            frame: SUMMARISE,
            material: first_words(&context.text(), MATERIAL_WORDS),
        },
        form: ChallengeForm::Phrased,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    })
}
