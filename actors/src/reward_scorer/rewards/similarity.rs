//! Likeness of letters: `ratio`, `partial_ratio` and `token_sort_ratio` as the Python package
//! `rapidfuzz` 3.14 defines them, in `0.0..=1.0` where it has 0 to 100.
//!
//! All three rest on the indel ratio of two texts: twice the length of their longest common
//! subsequence, by the length of both. Letters are code points; nothing is lower-cased or left out
//! before. Only the first characters of each text count, [`MAX_CHARS`] or [`MAX_WINDOWED`], so that
//! an answer cannot buy time.
//!
//! The original's `diff` was difflib's ratio, which is another one. Nobody earns by it here: our
//! [`super::diff`] measures what was mended.

#[cfg(test)]
mod tests;
mod windows;

use rapidfuzz::fuzz;

use super::rouge::is_python_space;
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Likeness of the whole texts.
pub const RATIO: RewardKind = RewardKind(&Reward {
    name: "ratio",
    about: "letters in common with the reference, in its order (indel ratio)",
    measure: Measure::Text(ratio),
});
/// Likeness of the shorter text to the part of the longer that is most like it.
pub const PARTIAL_RATIO: RewardKind = RewardKind(&Reward {
    name: "partial_ratio",
    about: "likeness of the shorter of answer and reference to the best part of the longer",
    measure: Measure::Text(partial_ratio),
});
/// Likeness of the texts once their words are sorted.
pub const TOKEN_SORT_RATIO: RewardKind = RewardKind(&Reward {
    name: "token_sort_ratio",
    about: "letters in common with the reference once the words of both are sorted",
    measure: Measure::Text(token_sort_ratio),
});

/// Characters of each text that count for [`ratio`] and [`token_sort_ratio`].
pub const MAX_CHARS: usize = 16_384;
/// Characters of each text that count for [`partial_ratio`], whose work is 64 times as much.
pub const MAX_WINDOWED: usize = 4_096;

/// The indel ratio of the texts; of two empty ones it is 1.
#[must_use]
pub fn ratio(reference: &str, completion: &str, effort: &Effort) -> Score {
    of_letters(&letters(reference, MAX_CHARS), &letters(completion, MAX_CHARS), effort)
}

/// The highest indel ratio of the shorter text to a window of the longer: one of its own length, or
/// a shorter one at either end. Of texts of equal length either is taken for the shorter.
#[must_use]
pub fn partial_ratio(reference: &str, completion: &str, effort: &Effort) -> Score {
    let texts = (letters(reference, MAX_WINDOWED), letters(completion, MAX_WINDOWED));
    let (short, long) = if texts.0.len() <= texts.1.len() { texts } else { (texts.1, texts.0) };
    effort.spend(short.len() + long.len());
    if short == long {
        return Score::ONE;
    }
    let best = windows::best(&short, &long, effort);
    if short.len() < long.len() || best == Score::ONE {
        return best;
    }
    let other = windows::best(&long, &short, effort);
    if other > best { other } else { best }
}

/// The [`ratio`] of the texts' words, sorted and with a space between each two.
#[must_use]
pub fn token_sort_ratio(reference: &str, completion: &str, effort: &Effort) -> Score {
    of_letters(&sorted(reference, effort), &sorted(completion, effort), effort)
}

fn of_letters(one: &[char], other: &[char], effort: &Effort) -> Score {
    effort.spend(one.len() + other.len() * (1 + one.len() / 64));
    Score::new(fuzz::ratio(one.iter().copied(), other.iter().copied()))
}

fn letters(text: &str, most: usize) -> Vec<char> {
    text.chars().take(most).collect()
}

fn sorted(text: &str, effort: &Effort) -> Vec<char> {
    let letters = letters(text, MAX_CHARS);
    // What Python keeps in a byte a character is split as bytes: the next line and the hard space,
    // which lie beyond ASCII, are then no spaces.
    let in_bytes = letters.iter().all(|&letter| letter <= '\u{ff}');
    let separates = |&letter: &char| {
        is_python_space(letter) && !(in_bytes && matches!(letter, '\u{85}' | '\u{a0}'))
    };
    let mut words: Vec<&[char]> =
        letters.split(separates).filter(|word| !word.is_empty()).collect();
    effort.spend(letters.len() + words.len() * words.len().checked_ilog2().unwrap_or(0) as usize);
    words.sort_unstable();
    words.join(&' ')
}
