//! `qa`: a question about a passage of an article.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit, excerpt};
use crate::domain::{ChatMessage, Context, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{Weighted, relevance::RELEVANCE, rouge::ROUGE_1};

/// A passage of this length is enough for a question and short enough to be read quickly.
const PASSAGE_WORDS: usize = 120;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "qa",
    about: "a question about a passage of an article",
    desc: "get help on answering a question",
    goal: "get the answer to this question",
    source: SourceKind::Article,
    rewards: &[
        Weighted { kind: ROUGE_1, weight: 0.5 },
        Weighted { kind: RELEVANCE, weight: 0.5 },
    ],
    // The original's weight: at less, whoever repeats the challenge earns by it.
    penalties: &[Weighted { kind: ROUGE_1, weight: 1.0 }],
    plan,
});

const ASK: &str = "You write quiz questions. Read the text and write one clear question that the \
                   text answers. Write only the question, in one sentence.";
const ANSWER: &str = "You answer questions from the given context, in two or three plain and \
                      complete sentences. State facts; do not mention the context.";

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let passage = excerpt(context, PASSAGE_WORDS, random);
    let about = format!("Text about {}:\n{passage}\n\nWrite the question.", context.title);
    Ok(TaskPlan {
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Generated(vec![ChatMessage::system(ASK), ChatMessage::user(about)]),
        reference: ReferencePlan::Generated { frame: ANSWER, material: passage },
        form: ChallengeForm::Phrased,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    })
}
