//! `definition`: what an article's subject is, in a sentence.
//!
//! Not a part of the program: `scripts/test-extend.sh` adds it to a copy, to see that a kind of task
//! takes one file and one line.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, length::LENGTH_RATIO, rouge::ROUGE_L};
use crate::task_maker::passage::first_words;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "definition",
    about: "what an article's subject is, in a sentence",
    desc: "get a term explained",
    goal: "learn in one sentence what this is",
    sources: &[SourceKind::Article],
    rewards: &[
        Weighted { kind: LENGTH_RATIO, weight: 0.25 },
        Weighted { kind: ROUGE_L, weight: 0.75 },
    ],
    penalties: &[],
    references: OfReferences::Best,
    copies: true,
    plan,
});

fn plan(context: &Context, _: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let lead = first_words(&context.text(), 40);
    if lead.is_empty() {
        return Err(Unfit::new(context, "it has no lead"));
    }
    Ok(TaskPlan {
        query: Text::Fixed(format!("What is meant by {}?", context.title)),
        reference: ReferencePlan::Fixed(vec![lead]),
        form: ChallengeForm::Phrased,
    })
}
