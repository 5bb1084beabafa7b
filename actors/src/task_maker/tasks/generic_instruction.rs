//! `generic_instruction`: something to be written, explained, listed or compared about a subject.
//!
//! In the original it could not be made at all. The instruction is put together here, so that a
//! weak model cannot spoil it; the model writes only what it asks for.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, Section, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{Weighted, relevance::RELEVANCE, rouge::ROUGE_1};
use crate::task_maker::passage::{first_words, sections, word_count};

/// As much of a section as a short text can be made of.
const PASSAGE_WORDS: usize = 140;
/// Of less nothing can be made.
const MIN_WORDS: usize = 15;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "generic_instruction",
    about: "a text about a subject, for somebody",
    desc: "get something written",
    goal: "have this done",
    sources: &[SourceKind::Article],
    rewards: &[Weighted { kind: ROUGE_1, weight: 0.5 }, Weighted { kind: RELEVANCE, weight: 0.5 }],
    penalties: &[Weighted { kind: ROUGE_1, weight: 1.0 }],
    plan,
});

/// What is to be done; the subject follows, and then for whom.
const DEEDS: [&str; 6] = [
    "Explain",
    "Write a short paragraph on",
    "List the main facts about",
    "Compare what came first and what came later in",
    "Write a short speech about",
    "Tell in three sentences what matters about",
];
const AUDIENCES: [&str; 6] = [
    "a child of ten",
    "a tourist",
    "a newspaper's readers",
    "a class of students",
    "somebody who has never heard of it",
    "a busy manager",
];

const DO: &str = "Task: {query}\nDo it in a few plain sentences, with facts from the text alone. \
                  Do not mention the text.";

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let long: Vec<(&Section, String)> = sections(context)
        .into_iter()
        .map(|section| (section, first_words(&section.text, PASSAGE_WORDS)))
        .filter(|(_, passage)| word_count(passage) >= MIN_WORDS)
        .collect();
    let (section, passage) = long
        .choose(random)
        .ok_or_else(|| Unfit::new(context, "it has no section of any length"))?;
    let subject = match &section.heading {
        Some(heading) => format!("{heading} in the subject of {}", context.title),
        None => context.title.clone(),
    };
    let (Some(deed), Some(audience)) = (DEEDS.choose(random), AUDIENCES.choose(random)) else {
        return Err(Unfit::new(context, "there is nothing to be done with it"));
    };
    Ok(TaskPlan {
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Fixed(format!("{deed} {subject}, for {audience}.")),
        reference: ReferencePlan::Generated {
            material: format!("Text about {}:\n{passage}", context.title),
            instructions: &[DO],
        },
        form: ChallengeForm::Phrased,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testkit::{article, planned, shown, stub};
    use super::*;

    #[test]
    fn what_is_to_be_done_and_for_whom_is_drawn_and_done_from_the_section() {
        let plan = planned(TASK, &article(), 1).unwrap();
        let Text::Fixed(query) = &plan.query else { panic!("it is put together") };
        assert_eq!(
            shown(&plan, query),
            "# query\n\
             List the main facts about Cultivation in the subject of Tea, for a busy manager.\n\
             # reference\n\
             system: You do exactly what the last line asks for, and write nothing else.\n\
             user: Text about Tea:\n\
             In India Robert Bruce found wild tea plants in Assam in 1823. The first gardens of \
             Darjeeling were laid out in 1841 by Archibald Campbell.\n\
             \n\
             Task: List the main facts about Cultivation in the subject of Tea, for a busy \
             manager.\n\
             Do it in a few plain sentences, with facts from the text alone. Do not mention the \
             text.\n"
        );
        let drawn: BTreeSet<String> =
            (0..60).map(|seed| shown(&planned(TASK, &article(), seed).unwrap(), "")).collect();
        assert!(drawn.len() > 30, "{}", drawn.len());
    }

    #[test]
    fn an_article_without_text_is_refused() {
        let cause = planned(TASK, &stub(), 1).unwrap_err().cause;
        assert_eq!(cause, "it has no section of any length");
    }
}
