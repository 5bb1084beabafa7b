//! Whether an answer states the letter of the right option, and no other.

use std::collections::BTreeSet;

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
/// Only letters that head a line of the challenge (`A. …`, `B) …`) count, so that an initial in a
/// name is none; any letter does where the reference heads none. A letter that is announced (`the
/// answer is B`) counts before those that are only mentioned. So that the question announces none,
/// what an answer quotes of it counts only where the answer has no letter in its own words, as does
/// an option that is named whole. A reference that is no capital letter scores 0.
#[must_use]
pub fn states_letter(reference: &str, challenge: &str, answer: &str, effort: &Effort) -> Score {
    let Some(right) = letter(reference.trim()) else { return Score::ZERO };
    effort.spend(challenge.len());
    let options: BTreeSet<char> = challenge.lines().filter_map(heading).collect();
    let is_option = |letter: &char| !options.contains(&right) || options.contains(letter);
    let own = own_words(challenge, answer, effort);
    let stated = |text: &str| {
        StatedLabels::read(text, |word: &Word<'_>| label(word).filter(is_option), effort)
    };
    let given = letter(&bare(&own).to_ascii_uppercase())
        .filter(is_option)
        .or_else(|| stated(&own).only())
        .or_else(|| stated(answer).only_mentioned());
    if given == Some(right) { Score::ONE } else { Score::ZERO }
}

/// The letter that a line puts before its option.
fn heading(line: &str) -> Option<char> {
    let (head, _) = line.trim().split_once(char::is_whitespace)?;
    letter(head.strip_suffix(['.', ')'])?)
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
    fn an_initial_is_no_letter_of_an_option() {
        let question = |mark: char| {
            format!(
                "Who was it?\n\nA{mark} Al Gore\nB{mark} John F. Kennedy\nC{mark} George W. Bush\n\
                 D{mark} Harry S. Truman"
            )
        };
        let states = |reference, challenge: &str, answer| {
            states_letter(reference, challenge, answer, &Effort::default()) == Score::ONE
        };
        for challenge in [question('.'), question(')')] {
            assert!(states("B", &challenge, "B. John F. Kennedy"));
            assert!(states("C", &challenge, "C. George W. Bush"));
            assert!(states("C", &challenge, "It was George W. Bush, so the answer is C."));
            assert!(states("D", &challenge, "d") && !states("B", &challenge, "F"));
            assert!(!states("B", &challenge, "B. John F. Kennedy or C. George W. Bush"));
        }
        // Without lines of options any letter may be one.
        assert!(states("F", "Is it E or F?", "F") && !states("F", "Is it E or F?", "E and F"));
        assert!(states("F", "A. Gore asks: is it E or F?", "F"));
    }

    #[test]
    fn an_answer_claims_one_letter() {
        for (answer, claimed) in [
            ("b\nSusan Anthony\nD. Pierre Michaux", "B"),
            ("D\nOrville Wright\nB. John Boyd Dunlop", "D"),
            ("The answer is B. A", "B"),
            ("The answer is A or B", ""),
            ("The answer is A, B, C or D", ""),
        ] {
            let right: String =
                ["A", "B", "C", "D"].into_iter().filter(|letter| states(letter, answer)).collect();
            assert_eq!(right, claimed, "{answer}");
        }
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
