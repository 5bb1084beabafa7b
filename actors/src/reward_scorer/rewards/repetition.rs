//! Whether an answer says the same few words over and over.
//!
//! ROUGE counts a word once however often it stands there, and an embedding of nothing but keywords
//! is near to any text about them. So a row of keywords can look like an answer to both.

use std::collections::HashSet;

use super::{Manner, Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;
use crate::text::plain_words::plain_words;

/// The same words over and over.
pub const REPETITION: RewardKind = RewardKind(&Reward {
    name: "repetition",
    about: "nothing for a text of as many different words as people use, all for a few repeated ones",
    measure: Measure::Manner(over_and_over),
});

/// So few words cannot be told from prose.
const FEW: usize = 8;
/// Words that are looked at; the rest is cut.
const MAX_WORDS: usize = 4_096;
/// Herdan's C, the logarithm of the different words over that of all, of what is repetitive: prose of
/// any length up to [`MAX_WORDS`] has some 0.85 to 1.
const REPETITIVE: f64 = 0.7;
/// And of what is nothing but repetition: ten words said ten times.
const NOTHING_ELSE: f64 = 0.5;
/// How often a text is gone through: to be cut, put in lower case, looked through for letters, and
/// told apart.
const PASSES: usize = 4;

/// 0 from [`REPETITIVE`] up, rising to 1 at [`NOTHING_ELSE`]. Words are told apart without their
/// case and the signs around and between them. Only those with a letter count: a table says the same
/// few numbers over and over and means it.
fn over_and_over(manner: &Manner<'_>, effort: &Effort) -> Score {
    let completion = &manner.reply.completion;
    effort.spend(PASSES * completion.len());
    let words: Vec<String> = plain_words(completion)
        .into_iter()
        .filter(|word| word.contains(char::is_alphabetic))
        .take(MAX_WORDS)
        .collect();
    if words.len() < FEW {
        return Score::ZERO;
    }
    let different = words.iter().collect::<HashSet<_>>().len();
    let richness = (different as f64).ln() / (words.len() as f64).ln();
    Score::new((REPETITIVE - richness) / (REPETITIVE - NOTHING_ELSE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MinerReply;

    fn cost(completion: &str) -> f64 {
        let reply = MinerReply::success(completion);
        over_and_over(&Manner { references: &[], reply: &reply }, &Effort::default()).get()
    }

    #[test]
    fn prose_costs_nothing_whatever_its_length() {
        let about = "Tea is made of the leaves of a bush that grows in the hills of Assam, where it \
                     rains a lot. The leaves are picked by hand, left to wither, rolled and dried; \
                     for black tea they are left in the air before they are dried, and for green \
                     tea they are not. The tea is then sold to those who mix and pack it.";
        for text in ["", "Tea.", "no, no, no, no, no", about, &format!("{about} {about}")] {
            assert_eq!(cost(text), 0.0, "{text}");
        }
    }

    #[test]
    fn keywords_over_and_over_cost_all() {
        for text in [
            "tea ".repeat(8),
            "Tea, TEA. (tea) tea! ".repeat(2),
            "tea leaf Assam hill rain ".repeat(8),
            "tea leaf Assam hill rain ".repeat(100_000),
            format!("{}{}", "tea ".repeat(40), "leaf ".repeat(40)),
            "tea,leaf,".repeat(8),
            "tea/t\u{200b}ea|".repeat(8),
        ] {
            assert_eq!(cost(&text), 1.0, "{text:.60}");
        }
        assert!((0.3..0.5).contains(&cost(&"tea leaf Assam hill rain pick ".repeat(3))));
    }

    #[test]
    fn numbers_that_come_again_cost_nothing() {
        let row = "| 0 | 1 | 0 | 1 |\n".repeat(20);
        for text in [row.clone(), format!("The truth table of both inputs is this:\n\n{row}")] {
            assert_eq!(cost(&text), 0.0, "{text:.60}");
        }
        assert_eq!(cost(&format!("{row}{}", "tea ".repeat(8))), 1.0);
    }

    #[test]
    fn the_work_that_is_counted_grows_with_the_text_and_is_no_less_than_it() {
        let effort = Effort::default();
        let reply = MinerReply::success("tea ".repeat(1_000));
        over_and_over(&Manner { references: &[], reply: &reply }, &effort);
        assert!(effort.spent() >= 2 * 4_000, "{}", effort.spent());
    }
}
