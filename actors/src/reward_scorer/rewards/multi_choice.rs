//! Whether an answer states the letter of the right option, and no other.

use super::own_words::own_words;
use super::stated_labels::{StatedLabels, Word, bare};
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// The letter of the right option.
pub const MULTI_CHOICE: RewardKind = RewardKind(&Reward {
    name: "multi_choice",
    about: "1 if the answer states the letter that is the reference and no other, else 0",
    measure: Measure::WithChallenge(states_letter),
});

/// 1 if `answer` states the letter that `reference` is and no other capital letter, else 0.
///
/// A letter that is announced (`the answer is B`) counts before those that are only mentioned. So
/// that the question announces none, what an answer quotes of it counts only where the answer has no
/// letter in its own words, as does an option that is named whole. A reference that is no capital
/// letter scores 0.
#[must_use]
pub fn states_letter(reference: &str, challenge: &str, answer: &str, effort: &Effort) -> Score {
    let reference = reference.trim();
    let Some(right) = letter(reference) else { return Score::ZERO };
    let own = own_words(challenge, answer, effort);
    let stated = |text: &str| StatedLabels::read(text, label, effort);
    let given = stated(&own).only().or_else(|| stated(answer).only_mentioned());
    if bare(&own) == bare(reference) || given == Some(right) { Score::ONE } else { Score::ZERO }
}

/// A capital letter that stands alone. `A` and `I` are words, too: without a sign beside them they
/// are labels only where one is to be expected.
fn label(word: &Word<'_>) -> Option<char> {
    let found = letter(word.text.trim_matches(|sign: char| !sign.is_alphanumeric()))?;
    let is_plain = word.text.len() == 1;
    let is_word = is_plain && ['A', 'I'].contains(&found) && !word.is_announced && !word.is_last;
    (!is_word).then_some(found)
}

/// The capital letter that a text is.
fn letter(text: &str) -> Option<char> {
    let mut letters = text.chars();
    let first = letters.next().filter(char::is_ascii_uppercase)?;
    letters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "Who made the first air-filled tyre?\n\nA. Orville Wright\nB. John Boyd \
                            Dunlop\nC. Susan Anthony\nD. Pierre Michaux\n\nAnswer with the letter.";

    fn states(reference: &str, answer: &str) -> bool {
        states_letter(reference, QUESTION, answer, &Effort::default()) == Score::ONE
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
            "B. John Boyd Dunlop",
            "The answer is B.",
            "Answer: B",
            "It was A Scottish vet, so I think the answer is (B).",
            "A vet made it. B.",
            "A. Orville flew, C. Anthony wrote. The answer is B, I am sure.",
            "not A but B",
            "Who made the first air-filled tyre? B",
        ] {
            assert!(states("B", answer), "{answer}");
        }
        assert!(states("A", "The answer is A because it says so") && states("A", "It must be A"));
        assert!(states("A", "A. Orville") && states("A", "I say A"));
    }

    #[test]
    fn several_letters_are_none() {
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
            "John Boyd Dunlop",
        ] {
            assert!(!states("B", answer), "{answer}");
        }
        assert!(!states("A", "A Scottish vet made it."));
        assert!(!states("Lake Baikal", "Lake Baikal") && !states("", "") && !states("b", "b"));
    }

    #[test]
    fn a_question_sent_back_earns_nothing_though_it_names_a_letter() {
        let question = "On which note do the oboes agree if it is A in ____ halls?\n\nA. concert\nB. \
                        empty\nC. town\nD. dance";
        for echo in [question.to_owned(), format!("You asked: {question}")] {
            assert_eq!(states_letter("A", question, &echo, &Effort::default()), Score::ZERO);
        }
        let answer = "On which note do the oboes agree if it is A in ____ halls? C";
        assert_eq!(states_letter("C", question, answer, &Effort::default()), Score::ONE);
        for letter in ["A", "B", "C", "D"] {
            assert!(!states(letter, QUESTION) && !states(letter, &QUESTION.to_uppercase()));
        }
    }
}
