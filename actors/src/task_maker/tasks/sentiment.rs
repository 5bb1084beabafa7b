//! `sentiment`: what a review thinks of its subject.
//!
//! A weak model asked for a bad review may write a good one. So the review begins with a sentence
//! that is known to be good, bad or neither, and the model goes on from there. These sentences are
//! put together from thousands of combinations, so that no short table of them wins.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, label::LABEL, ordinal::SENTIMENTS};
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
    // By nearness, as the original scores since 2.2, whoever always says `neutral` earns two thirds.
    rewards: &[Weighted { kind: LABEL, weight: 1.0 }],
    // What is quoted of the review earns nothing by the measure itself.
    penalties: &[],
    references: OfReferences::Best,
    copies: false,
    plan,
});

/// Who thinks otherwise.
const OTHERS: [&str; 8] = [
    "a friend of mine",
    "my neighbour",
    "a well-known critic",
    "everybody at work",
    "my sister",
    "a teacher of mine",
    "half of my family",
    "a stranger on the train",
];
const GOOD: [&str; 12] = [
    "delightful",
    "charming",
    "excellent",
    "splendid",
    "wonderful",
    "impressive",
    "superb",
    "marvellous",
    "brilliant",
    "enjoyable",
    "lovely",
    "outstanding",
];
const BAD: [&str; 12] = [
    "dreadful",
    "tiresome",
    "disappointing",
    "awful",
    "tedious",
    "dismal",
    "annoying",
    "terrible",
    "unpleasant",
    "frustrating",
    "miserable",
    "pitiful",
];

/// How a review begins that is good or bad: the writer's word in the place of `{mine}`, its opposite
/// in that of `{theirs}`. The writer's comes first in some and last in others.
const DECIDED: [&str; 4] = [
    "Whoever asks {others} will hear that it is {theirs}, and yet I found it {mine}.",
    "To me it was {mine}, whatever {others} may say about it being {theirs}.",
    "Having heard from {others} how {theirs} it was, I was surprised to find it {mine}.",
    "I call it {mine}, and I do not understand how {others} can call it {theirs}.",
];
/// How one begins that is neither.
const UNDECIDED: [&str; 4] = [
    "Whoever asks {others} will hear that it is {theirs} or even {mine}, and yet I found it neither.",
    "To me it was not {mine}, whatever {others} may say, and not {theirs} either.",
    "Having heard from {others} how {theirs} or {mine} it was, I was surprised to find it plain.",
    "I call it neither {mine} nor {theirs}, and I do not understand how {others} can.",
];

/// How the model is told to go on after each.
const GO_ON: [&str; 3] = [
    "Go on with the review in two angry sentences that complain about details of the text. Write \
     only these sentences.",
    "Go on with the review in two dry sentences that state details of the text without any \
     opinion. Write only these sentences.",
    "Go on with the review in two happy sentences that praise details of the text. Write only \
     these sentences.",
];

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let passage = first_words(&context.text(), PASSAGE_WORDS);
    if word_count(&passage) < MIN_WORDS {
        return Err(Unfit::new(context, "it has hardly any text"));
    }
    let title = &context.title;
    let at = random.random_range(0..SENTIMENTS.len());
    let (sentiment, go_on) = (SENTIMENTS[at], GO_ON[at]);
    let opening = opening(sentiment, random);
    let material = format!("Text about {title}:\n{passage}\n\nReview of {title}:\n{opening}");
    Ok(TaskPlan {
        query: Text::Generated(prompt(&material, go_on)),
        reference: ReferencePlan::Fixed(vec![sentiment.to_owned()]),
        form: ChallengeForm::LeadingTo {
            order: "Say whether this review is positive, negative or neutral".to_owned(),
            text: format!(
                "Is this review of {title} positive, negative or neutral?\n\n{opening} {QUERY}"
            ),
        },
    })
}

/// How a review of a sentiment begins. Good and bad words stand in each, so that it takes reading to
/// tell which of them are the writer's.
fn opening(sentiment: &str, random: &mut ChaCha8Rng) -> String {
    let word = |words: &[&'static str], random: &mut ChaCha8Rng| {
        words.choose(random).copied().unwrap_or_default()
    };
    let (good, bad) = (word(&GOOD, random), word(&BAD, random));
    let (frames, mine, theirs) = match sentiment {
        "positive" => (&DECIDED, good, bad),
        "negative" => (&DECIDED, bad, good),
        _ if random.random_bool(0.5) => (&UNDECIDED, good, bad),
        _ => (&UNDECIDED, bad, good),
    };
    let (frame, others) = (word(frames, random), word(&OTHERS, random));
    frame.replace("{mine}", mine).replace("{theirs}", theirs).replace("{others}", others)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testkit::{article, earns, planned, shown, stub};
    use super::*;

    /// The sentiment and the opening that a seed draws.
    fn drawn(seed: u64) -> (String, String) {
        let plan = shown(&planned(TASK, &article(), seed).unwrap(), "");
        let after = |mark: &str| plan.lines().skip_while(|line| *line != mark).nth(1).unwrap();
        (after("# reference").to_owned(), after("Review of Tea:").to_owned())
    }

    #[test]
    fn a_review_is_begun_in_the_sentiment_that_is_the_reference() {
        let plan = planned(TASK, &article(), 1).unwrap();
        let (sentiment, opening) = drawn(1);
        let at = SENTIMENTS.iter().position(|known| *known == sentiment).unwrap();
        assert_eq!(
            shown(&plan, ""),
            format!(
                "# query\n\
                 Text about Tea:\n\
                 Tea is a drink made of leaves. It has been traded by sea since 1610. The Dutch \
                 brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold it \
                 from 1657 on in his coffee house. In India Robert Bruce found wild tea plants in \
                 Assam in 1823.\n\
                 \n\
                 Review of Tea:\n\
                 {opening}\n\
                 \n\
                 {}\n\
                 # reference\n\
                 {sentiment}\n\
                 # pasted\n\
                 Is this review of Tea positive, negative or neutral?\n\
                 \n\
                 {opening} {{query}}\n",
                GO_ON[at]
            )
        );
    }

    #[test]
    fn openings_hardly_ever_repeat_and_have_good_and_bad_words_whatever_they_say() {
        let all: Vec<(String, String)> = (0..400).map(drawn).collect();
        let distinct: BTreeSet<&String> = all.iter().map(|(_, opening)| opening).collect();
        assert!(distinct.len() > 370, "{}", distinct.len());
        for (sentiment, opening) in &all {
            let place = |words: &[&str]| words.iter().find_map(|word| opening.find(word)).unwrap();
            let (good, bad) = (place(&GOOD), place(&BAD));
            let mine_first = opening.starts_with("To me") || opening.starts_with("I call");
            match sentiment.as_str() {
                "positive" => assert_eq!(good < bad, mine_first, "{opening}"),
                "negative" => assert_eq!(bad < good, mine_first, "{opening}"),
                _ => assert!(!opening.contains('{'), "{opening}"),
            }
        }
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
        assert_eq!(earns(TASK, "positive", review, review), 0.0);
        assert_eq!(earns(TASK, "positive", review, "I loved this. Its taste is positive."), 0.0);
        assert_eq!(earns(TASK, "positive", review, "positive negative neutral"), 0.0);
        assert_eq!(earns(TASK, "positive", review, "Positive."), 1.0);
        assert_eq!(earns(TASK, "positive", review, "The writer's sentiment is positive."), 1.0);
        assert_eq!(earns(TASK, "positive", review, "neutral"), 0.0);
    }

    #[test]
    fn whoever_always_says_the_same_earns_a_third() {
        for constant in SENTIMENTS {
            let earned: f64 = SENTIMENTS.iter().map(|right| earns(TASK, right, "", constant)).sum();
            assert_eq!(earned, 1.0, "{constant}");
        }
    }

    #[test]
    fn an_article_without_text_is_refused() {
        assert_eq!(planned(TASK, &stub(), 1).unwrap_err().cause, "it has hardly any text");
    }
}
