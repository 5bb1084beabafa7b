//! Whether an answer is made of the words of what was said.
//!
//! The original takes ROUGE for this, which tells `Tea` from `tea,`: a challenge that is sent back in
//! capitals, or with a comma after each word, has nothing in common with itself, while a model that
//! does not see casing still likes it. Here words are compared as they are read.
//!
//! An honest answer shares some words with its question: the subject has to be named. So the base is
//! F, which stays low where most words of either text are not the other's. But F also falls with each
//! word of padding. So a text that stands in an answer nearly whole is an echo, and counts in full
//! until the answer has more than twice as many words, and then by how much of the answer it can be.

use std::collections::HashSet;

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;
use crate::text::plain_words::plain_words;

/// Words in common, whatever their casing and the signs between them.
pub const OVERLAP: RewardKind = RewardKind(&Reward {
    name: "overlap",
    about: "distinct words in common, whatever their casing and signs; all for an echo with padding",
    measure: Measure::Text(overlap),
});

/// Words of each text that count; the rest is cut.
const MAX_WORDS: usize = 4_096;
/// A text of whose words an answer has so large a part stands in it.
const WHOLE: f64 = 0.9;
/// Padding of as many words as the text itself, and the answer is still nothing but an echo.
const PADDED: f64 = 2.0;
/// How often a text is gone through: to be cut, put in lower case, and compared.
const PASSES: usize = 3;

/// F of the distinct words, or what an echo counts where the answer is one. Words said twice neither
/// make a text longer nor fill it.
fn overlap(said: &str, answer: &str, effort: &Effort) -> Score {
    effort.spend(PASSES * (said.len() + answer.len()));
    let distinct = |text| plain_words(text).into_iter().take(MAX_WORDS).collect::<HashSet<_>>();
    let (said, answer) = (distinct(said), distinct(answer));
    if said.is_empty() || answer.is_empty() {
        return Score::ZERO;
    }
    let shared = said.intersection(&answer).count() as f64;
    let (said, answer) = (said.len() as f64, answer.len() as f64);
    let (f, part) = (2.0 * shared / (said + answer), shared / said);
    let echo = if part < WHOLE { 0.0 } else { part * f64::min(1.0, PADDED * said / answer) };
    Score::new(f.max(echo))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "Why is cork so good for closing wine bottles?";

    fn cost(answer: &str) -> f64 {
        overlap(ASKED, answer, &Effort::default()).get()
    }

    #[test]
    fn an_echo_costs_all_whatever_its_casing_signs_and_hidden_characters() {
        let hidden = ASKED.replace('o', "o\u{200b}");
        for echo in [ASKED, &ASKED.to_uppercase(), &ASKED.replace(' ', ", "), &hidden] {
            assert_eq!(cost(echo), 1.0, "{echo}");
            assert_eq!(cost(&format!("{echo} that which we of and to it in on")), 1.0, "{echo}");
        }
    }

    #[test]
    fn padding_lowers_the_cost_only_by_words_that_are_not_there_yet() {
        let padded = |words: usize| {
            cost(&(0..words).fold(ASKED.to_owned(), |text, word| format!("{text} w{word}")))
        };
        assert_eq!((padded(9), padded(27)), (1.0, 0.5));
        assert_eq!(cost(&format!("{ASKED} {}", "of that ".repeat(500))), 1.0);
    }

    #[test]
    fn an_honest_answer_costs_as_little_as_its_share_of_words() {
        let honest =
            "Cork is elastic, so it can be pressed into the neck and then seals it tightly.";
        // `cork`, `is` and `so`, of 9 and of 15 words.
        assert!((cost(honest) - 6.0 / 24.0).abs() < 1e-12);
        // Eight of nine words are not all of them.
        assert!((cost("why is cork so good for closing wine") - 16.0 / 17.0).abs() < 1e-12);
        for nothing in ["", "...", "Yes, of course."] {
            assert_eq!(cost(nothing), 0.0, "{nothing}");
        }
        assert_eq!(overlap("?", "?", &Effort::default()), Score::ZERO);
    }
}
