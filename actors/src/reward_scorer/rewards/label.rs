//! Whether an answer states the right one of a few labels: the letter of an option, a sentiment.
//!
//! An answer commits itself: one that states several labels has stated none, whatever the order.

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;

/// The right label and no other.
pub const EXACT: RewardKind = RewardKind(&Reward {
    name: "exact",
    about: "1 if the answer states the reference's label (a letter, a sentiment, or all of a text) \
            and no other, else 0",
    measure: Measure::Text(|reference, completion, _| states_label(reference, completion)),
});

/// What a review can be.
pub const SENTIMENTS: [&str; 3] = ["positive", "negative", "neutral"];

/// Words after which an answer says what it is: `the answer is B`, `Sentiment: positive`.
const ANNOUNCE: [&str; 7] = ["is", "be", "answer", "choose", "pick", "sentiment", "label"];
const DENY: [&str; 5] = ["not", "isn't", "never", "neither", "nor"];

/// 1 if `answer` states the label that `reference` is and none of its rivals, else 0.
///
/// Labels that are announced (`the answer is B`, `Sentiment: positive`) count before those that are
/// only mentioned. The rivals of a capital letter are all other capital letters that stand alone;
/// those of a sentiment are the other [`SENTIMENTS`]. Any other reference has to be the whole
/// answer, but for capitals and the signs around it.
#[must_use]
pub fn states_label(reference: &str, answer: &str) -> Score {
    let (reference, answer) = (reference.trim(), answer.trim());
    if !reference.is_empty() && bare(reference) == bare(answer) {
        return Score::ONE;
    }
    let label: fn(&Word<'_>) -> Option<String> = match letter(reference) {
        Some(_) => |word| word.as_letter(),
        None if SENTIMENTS.contains(&bare(reference).as_str()) => |word| word.as_sentiment(),
        None => return Score::ZERO,
    };
    let stated = Stated::by(answer, label);
    let counting = if stated.announced.is_empty() { &stated.mentioned } else { &stated.announced };
    let right = bare(reference);
    if !counting.is_empty() && counting.iter().all(|label| *label == right) {
        Score::ONE
    } else {
        Score::ZERO
    }
}

/// The labels that an answer states, in lower case, as often as it does.
#[derive(Default)]
struct Stated {
    announced: Vec<String>,
    mentioned: Vec<String>,
}

impl Stated {
    fn by(answer: &str, label: fn(&Word<'_>) -> Option<String>) -> Self {
        let mut stated = Self::default();
        let mut words = answer.split_whitespace().peekable();
        let mut before = String::new();
        while let Some(text) = words.next() {
            let word = Word {
                text,
                announced: ANNOUNCE.contains(&before.as_str()),
                is_last: words.peek().is_none(),
            };
            if let Some(label) = label(&word).filter(|_| !DENY.contains(&before.as_str())) {
                if word.announced {
                    stated.announced.push(label.clone());
                }
                stated.mentioned.push(label);
            }
            before = bare(text);
        }
        stated
    }
}

struct Word<'a> {
    text: &'a str,
    announced: bool,
    is_last: bool,
}

impl Word<'_> {
    /// A capital letter that stands alone. `A` and `I` are words, too: without a sign beside them
    /// they are labels only where one is to be expected.
    fn as_letter(&self) -> Option<String> {
        let found = letter(self.text.trim_matches(|sign: char| !sign.is_alphanumeric()))?;
        let plain = self.text.len() == 1;
        let is_word = plain && ['A', 'I'].contains(&found) && !self.announced && !self.is_last;
        (!is_word).then(|| found.to_lowercase().collect())
    }

    fn as_sentiment(&self) -> Option<String> {
        let word = bare(self.text);
        SENTIMENTS.contains(&word.as_str()).then_some(word)
    }
}

/// The capital letter that a text is.
fn letter(text: &str) -> Option<char> {
    let mut letters = text.chars();
    let first = letters.next().filter(char::is_ascii_uppercase)?;
    letters.next().is_none().then_some(first)
}

/// A text in lower case without the signs around it.
fn bare(text: &str) -> String {
    text.trim_matches(|sign: char| !sign.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(reference: &str, answer: &str) -> bool {
        let score = states_label(reference, answer);
        assert!(score == Score::ZERO || score == Score::ONE);
        score == Score::ONE
    }

    #[test]
    fn a_letter_counts_however_it_is_stated() {
        for answer in [
            "B",
            "b",
            "(B)",
            "B.",
            "**B**",
            "B) John Boyd Dunlop",
            "The answer is B.",
            "Answer: B",
            "It was A Scottish vet, so I think the answer is (B).",
            "A vet made it. B.",
            "A. Orville flew, C. Anthony wrote. The answer is B, I am sure.",
            "not A but B",
        ] {
            assert!(states("B", answer), "{answer}");
        }
        assert!(states("A", "The answer is A because it says so") && states("A", "It must be A"));
        assert!(states("A", "A. Orville") && states("A", "I say A"));
    }

    #[test]
    fn several_labels_are_none() {
        for answer in [
            "A B C D",
            "A\nB\nC\nD",
            "A. Orville\nB. Dunlop\nC. Anthony\nD. Michaux",
            "The answer is A. The answer is B.",
            "B or C",
            "Answer: B. No, the answer is C.",
            "",
            "ABCD",
            "b c",
            "The answer is not B.",
            "Bicycle",
        ] {
            assert!(!states("B", answer), "{answer}");
        }
        assert!(!states("A", "A Scottish vet made it."));
    }

    #[test]
    fn a_sentiment_is_stated_once_and_without_a_not() {
        for answer in [
            "positive",
            "Positive.",
            "The review is positive.",
            "It sounds quite positive to me.",
            "Sentiment: positive. The writer says nothing negative.",
        ] {
            assert!(states("positive", answer), "{answer}");
        }
        for answer in [
            "positive negative neutral",
            "positive, negative or neutral?",
            "The review is positive. The review is negative.",
            "It is not positive.",
            "neutral",
            "positively",
            "I cannot say.",
        ] {
            assert!(!states("positive", answer), "{answer}");
        }
    }

    #[test]
    fn any_other_label_is_the_whole_answer() {
        assert!(states("Lake Baikal", "lake baikal."));
        assert!(!states("Lake Baikal", "It is Lake Baikal."));
        assert!(!states("", "") && !states("", "B"));
    }
}
