//! How much of the challenge an answer merely repeats: the original's penalty.

use super::rouge;
use crate::domain::Score;

/// ROUGE-1 F of the challenge against the completion; 1 is an answer that echoes its question.
#[must_use]
pub fn overlap(challenge: &str, completion: &str) -> Score {
    rouge::rouge_1(challenge, completion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_overlaps_wholly_and_an_answer_of_its_own_words_not_at_all() {
        let challenge = "which river runs through Paris";
        assert!(overlap(challenge, challenge).get() > 0.999_999);
        assert_eq!(overlap(challenge, "It is called the Seine"), Score::ZERO);
    }
}
