//! How near the sentiment that an answer states is to the right one.

use std::borrow::Cow;

use super::own_words::own_words;
use super::stated_labels::{StatedLabels, bare};
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Nearness of sentiments.
pub const ORDINAL: RewardKind = RewardKind(&Reward {
    name: "ordinal",
    about: "nearness of the one sentiment that the answer states to the reference's, from negative \
            over neutral to positive",
    measure: Measure::WithChallenge(nearness_of_sentiments),
});

/// What a review can be, from one end to the other.
pub const SENTIMENTS: [&str; 3] = ["negative", "neutral", "positive"];

/// Lines of a challenge that are looked for as questions: the order, and what it leads to.
const MOST_QUESTIONS: usize = 4;

/// `1 - |i - j| / 2` for the places of the reference's and the answer's sentiment in [`SENTIMENTS`],
/// as the original scores since 2.2; 0 if the answer states none or several, or the reference is
/// none.
///
/// A sentiment that is announced (`the review is positive`) counts before those that are only
/// mentioned, and what is quoted from the challenge, as its review, counts for nothing.
#[must_use]
pub fn nearness_of_sentiments(
    reference: &str,
    challenge: &str,
    answer: &str,
    effort: &Effort,
) -> Score {
    let given = stated_sentiment(challenge, answer, effort);
    let (Some(right), Some(given)) = (place(reference), given) else { return Score::ZERO };
    let ends_apart = (SENTIMENTS.len() - 1) as f64;
    Score::new(1.0 - right.abs_diff(given) as f64 / ends_apart)
}

/// The place in [`SENTIMENTS`] of the one that an answer states in its own words.
///
/// The challenge asks `whether this review is positive, negative or neutral`, so that who answers
/// `This review is positive.` seems to quote it. Therefore a line of the challenge that names several
/// sentiments is quoted as a whole only, sign for sign; any other part of it is the answer's own.
pub(super) fn stated_sentiment(challenge: &str, answer: &str, effort: &Effort) -> Option<usize> {
    effort.spend(challenge.len());
    let (questions, material): (Vec<&str>, Vec<&str>) =
        challenge.lines().partition(|line| names_several(line));
    let mut answer = Cow::Borrowed(answer);
    for question in questions.into_iter().take(MOST_QUESTIONS) {
        effort.spend(answer.len());
        answer = Cow::Owned(answer.replace(question, "\n"));
    }
    let own = own_words(&material.join("\n"), &answer, effort);
    StatedLabels::read(&own, |word| place(word.text), effort).only()
}

fn names_several(line: &str) -> bool {
    let mut named = line.split(|c: char| !c.is_alphanumeric()).filter_map(place);
    named.next().is_some_and(|first| named.any(|other| other != first))
}

/// Where the sentiment that a word is stands among all.
pub(super) fn place(word: &str) -> Option<usize> {
    let word = bare(word);
    SENTIMENTS.iter().position(|sentiment| *sentiment == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "Is this review of Tea positive, negative or neutral?\n\nI loved it from \
                            the first sip. Its taste is positive.";

    fn score(reference: &str, answer: &str) -> f64 {
        nearness_of_sentiments(reference, QUESTION, answer, &Effort::default()).get()
    }

    #[test]
    fn a_sentiment_earns_by_its_distance() {
        for (reference, answer, expected) in [
            ("positive", "positive", 1.0),
            ("positive", "neutral", 0.5),
            ("positive", "negative", 0.0),
            ("neutral", "Positive.", 0.5),
            ("neutral", "NEGATIVE", 0.5),
            ("negative", "It is neutral.", 0.5),
            ("negative", "positive", 0.0),
            ("Negative", "negative", 1.0),
            ("glad", "positive", 0.0),
        ] {
            assert_eq!(score(reference, answer), expected, "{answer} for {reference}");
        }
    }

    #[test]
    fn a_sentiment_is_stated_once_and_without_a_not() {
        for answer in [
            "Positive.",
            "The review is positive.",
            "It sounds quite positive to me.",
            "This review of Tea is positive.",
            "Sentiment: positive. The writer says nothing negative.",
        ] {
            assert_eq!(score("positive", answer), 1.0, "{answer}");
        }
        for answer in [
            "positive negative neutral",
            "positive, negative or neutral?",
            "The review is positive. The review is negative.",
            "positive or neutral",
            "It is not positive.",
            "positively",
            "I cannot say.",
            "",
        ] {
            assert_eq!(score("positive", answer), 0.0, "{answer}");
        }
    }

    #[test]
    fn the_words_of_the_question_may_be_the_answer() {
        let review = "I loved it from the first sip, and I am positive that you will.";
        let asked = format!(
            "Can you say whether this review is positive, negative or neutral?\n\nIs this review of \
             Tea positive, negative or neutral?\n\n{review}"
        );
        let score = |reference, answer: &str| {
            nearness_of_sentiments(reference, &asked, answer, &Effort::default()).get()
        };
        for sentiment in SENTIMENTS {
            for answer in [
                format!("This review is {sentiment}."),
                format!("I say that this review is {sentiment}"),
                format!("Is this review of Tea positive, negative or neutral? {sentiment}"),
            ] {
                assert_eq!(score(sentiment, &answer), 1.0, "{answer}");
            }
            for echo in [asked.as_str(), asked.lines().next().unwrap(), review] {
                assert_eq!(score(sentiment, echo), 0.0, "{echo}");
                assert_eq!(score(sentiment, &echo.to_uppercase()), 0.0, "{echo}");
            }
            assert_eq!(score(sentiment, "This review is positive or neutral."), 0.0);
        }
    }

    #[test]
    fn a_review_sent_back_earns_nothing_though_it_says_what_it_is() {
        let review = QUESTION.lines().last().unwrap();
        for echo in [QUESTION, review, &format!("You asked: {QUESTION}"), &QUESTION.to_uppercase()]
        {
            assert_eq!(score("positive", echo), 0.0, "{echo}");
        }
        assert_eq!(score("positive", &format!("{QUESTION} Positive.")), 1.0);
    }
}
