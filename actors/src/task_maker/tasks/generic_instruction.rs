//! `generic_instruction`: something to be written, explained, listed or compared about a subject.
//!
//! In the original it could not be made at all. The instruction is put together here, so that a
//! weak model cannot spoil it; the model writes only what it asks for.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, OF_PROSE, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, Section, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, relevance::RELEVANCE, rouge::ROUGE_1};
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
    penalties: OF_PROSE,
    references: OfReferences::Best,
    copies: true,
    plan,
});

/// What is to be done with a subject, and for whom it can be: the subject stands between them.
const DEEDS: [(&str, [&str; 4]); 6] = [
    (
        "Explain",
        [
            "to a child of ten",
            "to a class of students",
            "to somebody who has never heard of it",
            "to a friend over dinner",
        ],
    ),
    (
        "Write a short paragraph about",
        ["for a school book", "for a travel guide", "for the readers of a newspaper", "for a blog"],
    ),
    (
        "List the main facts about",
        [
            "for a busy manager",
            "for a quiz team",
            "for a student before an exam",
            "for a tour guide",
        ],
    ),
    (
        "Compare two facts about",
        [
            "for a class of students",
            "for the readers of a newspaper",
            "for somebody new to it",
            "for a podcast",
        ],
    ),
    (
        "Write a short speech about",
        [
            "for a school assembly",
            "for the opening of an exhibition",
            "for a club's yearly dinner",
            "for the visitors of a museum",
        ],
    ),
    (
        "Sum up in three sentences what matters about",
        ["for a busy manager", "for a tourist", "for a child of ten", "for a newsletter"],
    ),
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
    let subject = subject(&context.title, section.heading.as_deref());
    let (deed, audiences) = DEEDS[random.random_range(0..DEEDS.len())];
    let audience = audiences[random.random_range(0..audiences.len())];
    Ok(TaskPlan {
        query: Text::Fixed(format!("{deed} {subject} {audience}.")),
        reference: ReferencePlan::Generated {
            material: format!("Text about {}:\n{passage}", context.title),
            instructions: &[DO],
        },
        form: ChallengeForm::Phrased,
    })
}

/// `Cultivation` of `Tea`; a heading that names the title needs no more.
fn subject(title: &str, heading: Option<&str>) -> String {
    match heading {
        Some(heading) if heading.to_lowercase().contains(&title.to_lowercase()) => heading.into(),
        Some(heading) => format!("{heading} of {title}"),
        None => title.into(),
    }
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
             List the main facts about Cultivation of Tea for a tour guide.\n\
             # reference\n\
             Text about Tea:\n\
             In India Robert Bruce found wild tea plants in Assam in 1823. The first gardens of \
             Darjeeling were laid out in 1841 by Archibald Campbell.\n\
             \n\
             Task: List the main facts about Cultivation of Tea for a tour guide.\n\
             Do it in a few plain sentences, with facts from the text alone. Do not mention the \
             text.\n"
        );
        let drawn: BTreeSet<String> =
            (0..60).map(|seed| shown(&planned(TASK, &article(), seed).unwrap(), "")).collect();
        assert!(drawn.len() > 30, "{}", drawn.len());
    }

    #[test]
    fn a_heading_that_names_the_title_stands_alone() {
        assert_eq!(subject("Tea", Some("Trade")), "Trade of Tea");
        assert_eq!(subject("Tea", Some("History of tea")), "History of tea");
        assert_eq!(subject("Tea", None), "Tea");
    }

    #[test]
    fn an_article_without_text_is_refused() {
        let cause = planned(TASK, &stub(), 1).unwrap_err().cause;
        assert_eq!(cause, "it has no section of any length");
    }
}
