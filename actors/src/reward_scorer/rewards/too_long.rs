//! Whether an answer says far more than was wanted.
//!
//! The original let length cost nothing but ROUGE's precision. An answer that holds all that could
//! be right is no answer, whatever words of the reference it hits.

use super::{Manner, Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Length beyond need.
pub const TOO_LONG: RewardKind = RewardKind(&Reward {
    name: "too_long",
    about: "nothing up to 200 words or four times the reference, all at twice as much",
    measure: Measure::Manner(beyond_need),
});

/// So many words are never too many.
const FREE: usize = 200;
/// And so many times those of the longest reference are not.
const TIMES: usize = 4;
/// A text has at least a word for so many letters and digits, whatever stands between them.
const LONGEST_WORD: usize = 10;
/// And for so many characters of any kind: blanks that indent code or pad a table are no words, but
/// what is nothing else is to be read through as well.
const LONGEST_GAP: usize = 50;
/// How often a text is gone through, once for each of the ways to count.
const PASSES: usize = 3;

/// 0 up to the larger of [`FREE`] words and [`TIMES`] those of the longest reference, from there
/// rising to 1 at twice as many.
fn beyond_need(manner: &Manner<'_>, effort: &Effort) -> Score {
    let Manner { references, reply } = manner;
    let texts = references.iter().chain([&reply.completion]);
    effort.spend(PASSES * texts.map(String::len).sum::<usize>());
    let longest = references.iter().map(|text| words(text)).max().unwrap_or_default();
    let free = FREE.max(longest.saturating_mul(TIMES)) as f64;
    Score::new((words(&reply.completion) as f64 - free) / free)
}

/// Words between white space, or as many as so long a text has at least.
fn words(text: &str) -> usize {
    let written = text.chars().filter(|c| c.is_alphanumeric()).count();
    let at_least = (written / LONGEST_WORD).max(text.chars().count() / LONGEST_GAP);
    text.split_whitespace().count().max(at_least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MinerReply;

    fn cost(references: &[&str], completion: &str) -> f64 {
        let references: Vec<String> = references.iter().copied().map(str::to_owned).collect();
        let reply = MinerReply::success(completion);
        beyond_need(&Manner { references: &references, reply: &reply }, &Effort::default()).get()
    }

    #[test]
    fn an_answer_to_a_short_reference_may_have_200_words() {
        for (words, expected) in [(1, 0.0), (200, 0.0), (250, 0.25), (300, 0.5), (400, 1.0)] {
            assert_eq!(cost(&["Tea."], &"word ".repeat(words)), expected, "{words}");
        }
        assert_eq!(cost(&[], &"word ".repeat(300)), 0.5);
        assert_eq!(cost(&["Tea."], &"word ".repeat(100_000)), 1.0);
    }

    #[test]
    fn an_answer_to_long_references_may_be_four_times_the_longest() {
        let references = ["Tea.", &"word ".repeat(100), "No."];
        for (words, expected) in [(400, 0.0), (600, 0.5), (800, 1.0)] {
            assert_eq!(cost(&references, &"word ".repeat(words)), expected, "{words}");
        }
    }

    #[test]
    fn a_text_without_white_space_has_words_too() {
        assert_eq!(cost(&["Tea."], &"茶".repeat(2_000)), 0.0);
        assert_eq!(cost(&["Tea."], &"茶".repeat(3_000)), 0.5);
        assert_eq!(cost(&["Tea."], &"_".repeat(1_000_000)), 1.0);
        assert_eq!(cost(&[&"茶".repeat(1_000)], &"茶".repeat(4_000)), 0.0);
    }

    #[test]
    fn blanks_that_indent_code_and_pad_tables_are_no_words() {
        let code = format!("{}x = 1\n", " ".repeat(24)).repeat(60);
        let table = format!("|{}|\n|{}|\n", " tea       ".repeat(3), "-".repeat(33)).repeat(25);
        for text in [code, table] {
            assert_eq!(cost(&["Tea."], &text), 0.0, "{text:.60}");
        }
        assert_eq!(cost(&["Tea."], &" ".repeat(1_000_000)), 1.0);
    }
}
