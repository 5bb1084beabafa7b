//! How much of what was broken in a piece of code an answer has mended.
//!
//! The original compared the answer with the sound code by its share of equal characters, so that
//! the broken code itself, sent back, earned nearly everything. Here what the challenge already had
//! earns nothing, and what an answer breaks counts against what it mends.

use std::collections::HashMap;

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::subsequence::common_length;
use crate::text::fences::fences;

/// What was mended.
pub const DIFF: RewardKind = RewardKind(&Reward {
    name: "diff",
    about: "the part of what was broken in the challenge's code that the answer's code has mended",
    measure: Measure::WithChallenge(mended),
});

/// Words and signs of each text that count; the rest is cut.
pub const MAX_TOKENS: usize = 8_192;

/// `1 - d(reference, answer) / d(reference, challenge)`, and never below 0, where `d` counts the
/// words and signs that must be put in or taken out to make one of the other: 1 for the reference,
/// 0 for the challenge sent back.
///
/// White space does not count. Of the challenge and of the answer the longest block of fenced code
/// is looked at, or all of it if there is none. A challenge in which nothing is broken scores 0.
#[must_use]
pub fn mended(reference: &str, challenge: &str, answer: &str, effort: &Effort) -> Score {
    effort.spend(reference.len() + challenge.len() + answer.len());
    let mut numbers = HashMap::new();
    let reference = tokens(reference, &mut numbers);
    let broken = tokens(code(challenge), &mut numbers);
    let answer = tokens(code(answer), &mut numbers);
    let wrong = distance(&reference, &broken, effort);
    if wrong == 0 || answer.is_empty() {
        return Score::ZERO;
    }
    Score::new(1.0 - distance(&reference, &answer, effort) as f64 / wrong as f64)
}

/// The longest block of fenced code, or the text itself.
fn code(text: &str) -> &str {
    let blocks = fences(text).into_iter().map(|fence| fence.code);
    let longest = blocks.max_by_key(ExactSizeIterator::len);
    longest.and_then(|code| text.get(code)).unwrap_or(text)
}

/// Words, numbers and single signs, as numbers that are equal where they are.
fn tokens<'a>(text: &'a str, numbers: &mut HashMap<&'a str, u32>) -> Vec<u32> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| tokens.len() < MAX_TOKENS) {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        tokens.push(*numbers.entry(token).or_insert(next));
        rest = after.trim_start();
    }
    tokens
}

/// How many tokens must be put in or taken out to make one of the other.
fn distance(one: &[u32], other: &[u32], effort: &Effort) -> usize {
    one.len() + other.len() - 2 * common_length(one, other, effort)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fences::fenced;

    const SOUND: &str = "def mean(values):\n    total = 0\n    for value in values:\n        total \
                         += value\n    return total / len(values)\n";
    const BROKEN: &str = "def mean(values):\n    total = 1\n    for value in values:\n        \
                          total -= value\n        total -= value\n    return total / len(total)\n";

    fn score(answer: &str) -> f64 {
        let challenge = format!("please help\n\n{}\n\nThank you", fenced("Python", BROKEN));
        mended(SOUND, &challenge, answer, &Effort::default()).get()
    }

    #[test]
    fn the_sound_code_earns_all_and_the_broken_code_nothing() {
        assert_eq!(score(SOUND), 1.0);
        assert_eq!(score(&SOUND.replace("    ", "\t")), 1.0);
        assert_eq!(score(BROKEN), 0.0);
        let answer = format!("Here it is:\n{}\nThe sign was wrong.", fenced("", SOUND));
        assert_eq!(score(&answer), 1.0);
        let echo = format!("please help\n\n{}\n\nThank you", fenced("Python", BROKEN));
        assert_eq!(score(&echo), 0.0);
    }

    #[test]
    fn half_a_repair_earns_half_and_new_faults_count_against_it() {
        let half = BROKEN.replacen("total -= value\n        total -= value", "total += value", 1);
        let earned = score(&half);
        assert!((0.4..0.8).contains(&earned), "{earned}");
        assert!(score(&half.replace("return", "yield")) < earned);
        assert_eq!(score(&format!("{half}\n{half}")), 0.0);
    }

    #[test]
    fn other_texts_earn_nothing() {
        for answer in [
            "",
            "```\n```",
            "I am sorry, I cannot help with that.",
            "The bug is in line 2: total must begin at 0.",
            "def def def mean mean values total total + - = = : : ( ) ( ) return return",
        ] {
            assert_eq!(score(answer), 0.0, "{answer}");
        }
        let unbroken = mended(SOUND, SOUND, SOUND, &Effort::default());
        assert_eq!(unbroken, Score::ZERO, "nothing was broken");
    }
}
