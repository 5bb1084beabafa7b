//! How like two answers are, whatever the order of their sentences, their casing and their signs.
//!
//! Only [`super::copies`] uses it. It compares words, not what they mean: who says the same in words
//! of its own is no copier. Pure; the texts' length is bounded.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::subsequence::common_length;
use crate::text::plain_words::plain_words;

/// Words of an answer that are compared. An answer that is right only after so many is worth little.
const MOST_WORDS: usize = 4_096;
/// Padding is looked for in texts of up to so many times the length.
const LONGER: usize = 2;

/// Numbers the words of a step's answers, so that answers can be compared without their texts.
#[derive(Default)]
pub(super) struct Lexicon {
    words: HashMap<String, u32>,
}

impl Lexicon {
    /// What is compared of a text.
    pub(super) fn sketch(&mut self, text: &str) -> Sketch {
        let words = plain_words(text).into_iter().take(MOST_WORDS);
        let words: Vec<u32> = words.map(|word| self.number(word)).collect();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        Sketch { words, sorted }
    }

    /// The number of a word, a new one where it is not known yet.
    fn number(&mut self, word: String) -> u32 {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        *self.words.entry(word).or_insert(next)
    }
}

/// The words of an answer as numbers.
pub(super) struct Sketch {
    words: Vec<u32>,
    /// In rising order.
    sorted: Vec<u32>,
}

impl Sketch {
    /// How many words it has, up to the most that are compared.
    pub(super) fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The likeness of two answers, in `0.0..=1.0`: the greater of what their words have in common,
    /// in any order, and of the part of the shorter one that stands in the other, in its order and
    /// with whatever between.
    ///
    /// Everything counts as often as it is there: else some words that many answers share, said over
    /// and over, would make a text that all of them hold. And a text of any length holds everything:
    /// in one of more than twice the length, nothing stands.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        let (shorter, longer) =
            if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        let (short, long) = (shorter.words.len(), longer.words.len());
        let shared = common(&self.sorted, &other.sorted);
        let overlap = part(2 * shared, short + long);
        // No more stands in the longer one than the two share.
        if long > LONGER * short || part(shared, short) <= overlap {
            return overlap;
        }
        let stands = common_length(&shorter.words, &longer.words, &Effort::default());
        overlap.max(part(stands, short))
    }
}

/// A part of a whole; of nothing it is nothing.
fn part(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

/// How many numbers two rising lists have in common, each as often as both have it.
fn common(one: &[u32], other: &[u32]) -> usize {
    let (mut at, mut other_at, mut common) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(at), other.get(other_at)) {
        match a.cmp(b) {
            Ordering::Less => at += 1,
            Ordering::Greater => other_at += 1,
            Ordering::Equal => (at, other_at, common) = (at + 1, other_at + 1, common + 1),
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn likeness(one: &str, other: &str) -> f64 {
        let mut lexicon = Lexicon::default();
        let (one, other) = (lexicon.sketch(one), lexicon.sketch(other));
        one.likeness(&other)
    }

    #[test]
    fn words_in_common_count_in_any_order_and_as_often_as_both_have_them() {
        assert_eq!(likeness("a b c d", "d c b a"), 1.0);
        assert_eq!(likeness("a b c d", "a b x y"), 0.5);
        assert_eq!(likeness("a a a a", "a b c d"), 0.25);
        assert_eq!(likeness("a b c d", "e f g h"), 0.0);
    }

    #[test]
    fn casing_signs_and_what_cannot_be_seen_change_nothing() {
        let plain = "tea is not grown in cold air";
        for same in [
            "Tea is NOT grown, in “cold” air!",
            "**tea**\n\t- is_not-grown (in) cold/air",
            "t\u{200b}ea i\u{ad}s no\u{301}t gro\u{feff}wn in cold\u{2060} air",
        ] {
            assert_eq!(likeness(plain, same), 1.0, "{same}");
        }
        assert_eq!(likeness("İstanbul ÉTÉ", "i\u{307}stanbul été"), 1.0);
    }

    #[test]
    fn a_text_stands_in_one_of_up_to_twice_its_length() {
        let text = "a b c d e";
        assert_eq!(likeness(text, "v w x y a b c d e z"), 1.0);
        assert_eq!(likeness(text, "a v b w c x d y e z"), 1.0, "with filler");
        assert!(likeness(text, "v w x y a b c d e z z") < 0.7, "too long");
        assert!((likeness(text, "v w a b c d y z") - 0.8).abs() < 1e-12);
        assert!(likeness(text, "v w e d c b a z") < 0.8, "in another order, among padding");
    }

    #[test]
    fn a_phrase_that_is_said_over_and_over_does_not_stand_in_a_text_that_has_it_once() {
        let (phrase, answer) = ("where does tea grow best in the world and why ", "on warm hills ");
        let honest = format!("{phrase}{}", answer.repeat(5));
        assert!(likeness(&phrase.repeat(2), &honest) < 0.6);
    }

    #[test]
    fn texts_without_words_are_like_nothing() {
        for (one, other) in [("", ""), ("...", "..."), ("", "a b c"), ("a", "a b"), ("a b", "b a")]
        {
            let likeness = likeness(one, other);
            assert!((0.0..=1.0).contains(&likeness), "{one} {other}: {likeness}");
        }
        assert_eq!(likeness("...", "..."), 0.0);
    }

    #[test]
    fn of_a_long_text_the_beginning_counts() {
        let mut lexicon = Lexicon::default();
        let sketch = lexicon.sketch(&"word ".repeat(100_000));
        assert_eq!((sketch.word_count(), lexicon.words.len()), (MOST_WORDS, 1));
    }

    proptest! {
        #[test]
        fn likeness_has_a_range_and_no_direction(one in "[abc ]{0,40}", other in "[abc ]{0,40}") {
            let there = likeness(&one, &other);
            prop_assert!((0.0..=1.0).contains(&there));
            prop_assert_eq!(there, likeness(&other, &one));
        }

        #[test]
        fn every_text_with_words_is_like_itself(text in "[a-zß0-9 ,.]{1,60}") {
            let expected = if text.contains(char::is_alphanumeric) { 1.0 } else { 0.0 };
            prop_assert_eq!(likeness(&text, &text), expected);
        }
    }
}
