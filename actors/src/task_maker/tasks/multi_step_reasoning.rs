//! `multi_step_reasoning`: a question that takes two facts from different places of an article.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, OF_PROSE, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, Section, SourceKind};
use crate::reward_scorer::rewards::{
    OfReferences, Weighted,
    relevance::RELEVANCE,
    rouge::{ROUGE_2, ROUGE_L},
};
use crate::task_maker::passage::{sections, sentences_of};

/// Words of a sentence that states a fact.
const WORDS: std::ops::RangeInclusive<usize> = 6..=45;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "multi_step_reasoning",
    about: "a question that takes two facts to answer",
    desc: "get help with thinking something through step by step",
    goal: "get the answer to this question",
    sources: &[SourceKind::Article],
    // Few words lead from one fact to the other. By single words and by meaning alone, six that stand in
    // the short reference were worth as much as a sentence.
    rewards: &[
        Weighted { kind: ROUGE_2, weight: 0.5 },
        Weighted { kind: ROUGE_L, weight: 0.25 },
        Weighted { kind: RELEVANCE, weight: 0.25 },
    ],
    penalties: OF_PROSE,
    references: OfReferences::Best,
    copies: true,
    plan,
});

const ASK: &str = "Write one question that can only be answered by somebody who knows both facts. \
                   It must be understood without them. Write only the question, in one sentence.";
/// An answer with its steps and one without are both good answers.
const ANSWERS: &[&str] = &[
    "Question: {query}\nAnswer it step by step from the facts, in three or four short sentences. \
     The last sentence states the answer.",
    "Question: {query}\nAnswer it from the facts in one plain and complete sentence.",
];

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let with_facts: Vec<(&Section, Vec<&str>)> = sections(context)
        .into_iter()
        .map(|section| (section, sentences_of(&section.text, WORDS)))
        .filter(|(_, facts)| !facts.is_empty())
        .collect();
    let mut drawn = with_facts.choose_multiple(random, 2).collect::<Vec<_>>().into_iter();
    let mut fact = || drawn.next().and_then(|(_, facts)| facts.choose(random).copied());
    let (Some(one), Some(other)) = (fact(), fact()) else {
        return Err(Unfit::new(context, "it has no two sections with a fact each"));
    };
    let otherwise =
        format!("Which two facts about {} go together, and what follows from them?", context.title);
    let material = format!("Two facts about {}:\n1. {one}\n2. {other}", context.title);
    Ok(TaskPlan {
        query: Text::Question { material: material.clone(), instruction: ASK, otherwise },
        reference: ReferencePlan::Generated { material, instructions: ANSWERS },
        form: ChallengeForm::Phrased,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{article, planned, shown, stub};
    use super::*;

    #[test]
    fn two_facts_of_different_sections_make_a_question_and_two_answers() {
        let plan = planned(TASK, &article(), 1).unwrap();
        assert_eq!(
            shown(&plan, "Who came first?"),
            "# query\n\
             Two facts about Tea:\n\
             1. In 1908 Thomas Sullivan sent out his samples in small bags of silk.\n\
             2. In India Robert Bruce found wild tea plants in Assam in 1823.\n\
             \n\
             Write one question that can only be answered by somebody who knows both facts. It \
             must be understood without them. Write only the question, in one sentence.\n\
             or: Which two facts about Tea go together, and what follows from them?\n\
             # reference\n\
             …\n\
             \n\
             Question: Who came first?\n\
             Answer it step by step from the facts, in three or four short sentences. The last \
             sentence states the answer.\n\
             # reference\n\
             …\n\
             \n\
             Question: Who came first?\n\
             Answer it from the facts in one plain and complete sentence.\n"
        );
    }

    #[test]
    fn an_article_of_one_section_is_refused() {
        let cause = planned(TASK, &stub(), 1).unwrap_err().cause;
        assert_eq!(cause, "it has no two sections with a fact each");
    }
}
