//! `sentiment`: what a review thinks of its subject.
//!
//! A weak model asked for a bad review may write a good one. So the review begins with a sentence
//! that is known to be good, bad or neither, and the model goes on from there.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{
    Weighted,
    label::{EXACT, SENTIMENTS},
    rouge::ROUGE_1,
};
use crate::task_maker::passage::{QUERY, first_words, prompt, word_count};

/// What the review is about, in so many words.
const PASSAGE_WORDS: usize = 50;
/// Of less nobody can have an opinion.
const MIN_WORDS: usize = 10;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "sentiment",
    about: "whether a review is positive, negative or neutral",
    desc: "get a review judged",
    goal: "find out whether this review is positive, negative or neutral",
    sources: &[SourceKind::Article],
    rewards: &[Weighted { kind: EXACT, weight: 1.0 }],
    // A review may say by itself that something is positive, so its echo must not earn.
    penalties: &[Weighted { kind: ROUGE_1, weight: 1.0 }],
    plan,
});

/// How reviews of each of [`SENTIMENTS`] begin.
const OPENINGS: [[&str; 3]; 3] = [
    [
        "I loved this and would come back to it any day.",
        "What a delight this was, far better than I had hoped.",
        "Rarely have I been so pleased with anything.",
    ],
    [
        "I regret every minute that I spent on this.",
        "What a letdown this was, far worse than I had feared.",
        "Rarely have I been so annoyed by anything.",
    ],
    [
        "It is what it is: I have nothing to praise and nothing to complain about.",
        "This was about what anybody would expect, no more and no less.",
        "I can take it or leave it, and so will most people.",
    ],
];

/// How the model is told to go on after each.
const GO_ON: [&str; 3] = [
    "Go on with the review in two happy sentences that praise details of the text. Write only \
     these sentences.",
    "Go on with the review in two angry sentences that complain about details of the text. Write \
     only these sentences.",
    "Go on with the review in two dry sentences that state details of the text without any \
     opinion. Write only these sentences.",
];

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let passage = first_words(&context.text(), PASSAGE_WORDS);
    if word_count(&passage) < MIN_WORDS {
        return Err(Unfit::new(context, "it has hardly any text"));
    }
    let (title, kinds) = (&context.title, SENTIMENTS.iter().zip(OPENINGS).zip(GO_ON));
    let kinds: Vec<_> = kinds.collect();
    let Some(((sentiment, openings), go_on)) = kinds.choose(random) else {
        return Err(Unfit::new(context, "nobody thinks anything of it"));
    };
    let opening = openings.choose(random).copied().unwrap_or_default();
    let material = format!("Text about {title}:\n{passage}\n\nReview of {title}:\n{opening}");
    Ok(TaskPlan {
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Generated(prompt(&material, go_on)),
        reference: ReferencePlan::Fixed(vec![(**sentiment).to_owned()]),
        form: ChallengeForm::LeadingTo(format!(
            "Is this review of {title} positive, negative or neutral?\n\n{opening} {QUERY}"
        )),
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testkit::{article, earns, planned, shown, stub};
    use super::*;

    #[test]
    fn a_review_is_begun_in_the_sentiment_that_is_the_reference() {
        let plan = planned(TASK, &article(), 1).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             system: You do exactly what the last line asks for, and write nothing else.\n\
             user: Text about Tea:\n\
             Tea is a drink made of leaves. It has been traded by sea since 1610. The Dutch \
             brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold it from \
             1657 on in his coffee house. In India Robert Bruce found wild tea plants in Assam in \
             1823.\n\
             \n\
             Review of Tea:\n\
             What a letdown this was, far worse than I had feared.\n\
             \n\
             Go on with the review in two angry sentences that complain about details of the \
             text. Write only these sentences.\n\
             # reference\n\
             negative\n\
             # pasted\n\
             Is this review of Tea positive, negative or neutral?\n\
             \n\
             What a letdown this was, far worse than I had feared. {query}\n"
        );
    }

    #[test]
    fn every_sentiment_is_drawn() {
        let drawn = (0..40).map(|seed| planned(TASK, &article(), seed).unwrap().reference);
        let drawn: BTreeSet<String> = drawn.map(|reference| format!("{reference:?}")).collect();
        assert_eq!(drawn.len(), SENTIMENTS.len(), "{drawn:?}");
    }

    #[test]
    fn the_review_sent_back_and_all_sentiments_at_once_earn_nothing() {
        let review = "Is this review of Tea positive, negative or neutral?\n\nI loved this. Its \
                      taste is positive.";
        assert!(earns(TASK, "positive", review, review) < 1e-6);
        assert_eq!(earns(TASK, "positive", review, "positive negative neutral"), 0.0);
        assert!(earns(TASK, "positive", review, "Positive.") > 0.9);
        assert!(earns(TASK, "positive", review, "The writer's sentiment is positive.") > 0.6);
    }

    #[test]
    fn an_article_without_text_is_refused() {
        assert_eq!(planned(TASK, &stub(), 1).unwrap_err().cause, "it has hardly any text");
    }
}
