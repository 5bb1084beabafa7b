//! ROUGE-1, ROUGE-2 and ROUGE-L as the Python package `rouge` 1.0.1 defines them.
//!
//! The definition, `get_scores(reference, completion)` there, is peculiar and is kept to the
//! digit: the reference is the hypothesis, so that precision is by its length; no lower-casing and
//! no stemming; a sentence is what lies between full stops; a sentence of white space alone holds
//! one word, the empty one; n-grams are sets and run across sentences; ROUGE-L counts the distinct
//! words of the union of the longest common subsequences of every pair of sentences, where among
//! equally long ones the one that the package walks back to counts.
//!
//! Two things differ. Where the package raises (an empty text, full stops alone, deep recursion)
//! or sees only the empty word, the scores are 0. And only the first [`MAX_WORDS`] words of each
//! text count, so that an answer cannot buy time. Memory is linear in the words that count, below
//! 1 MiB for the worst pair of texts.

mod subsequences;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use self::subsequences::{Columns, Found};
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// The F measure of distinct words.
pub const ROUGE_1: RewardKind = RewardKind(&Reward {
    name: "rouge_1",
    about: "distinct words in common with the reference (ROUGE-1 F)",
    measure: Measure::Text(|reference, answer, effort| {
        f_of(reference, answer, effort, Pair::rouge_1)
    }),
});
/// The F measure of distinct pairs of words.
pub const ROUGE_2: RewardKind = RewardKind(&Reward {
    name: "rouge_2",
    about: "distinct pairs of words in common with the reference (ROUGE-2 F)",
    measure: Measure::Text(|reference, answer, effort| {
        f_of(reference, answer, effort, Pair::rouge_2)
    }),
});
/// The F measure of longest common subsequences.
pub const ROUGE_L: RewardKind = RewardKind(&Reward {
    name: "rouge_l",
    about: "longest runs of words in common with the reference (ROUGE-L F)",
    measure: Measure::Text(|reference, answer, effort| {
        f_of(reference, answer, effort, Pair::rouge_l)
    }),
});

/// Words of each text that count; the rest is cut.
pub const MAX_WORDS: usize = 4_096;

/// Precision, recall and F, each in `0.0..=1.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Prf {
    /// What is shared, by all that the reference has.
    pub p: f64,
    /// What is shared, by all that the completion has.
    pub r: f64,
    /// Nearly the harmonic mean of the two: the package adds 1e-8 to what it divides by.
    pub f: f64,
}

impl Prf {
    fn new(shared: usize, in_reference: usize, in_completion: usize) -> Self {
        let share = |of: usize| if of == 0 { 0.0 } else { shared as f64 / of as f64 };
        let (p, r) = (share(in_reference), share(in_completion));
        Self { p, r, f: 2.0 * ((p * r) / (p + r + 1e-8)) }
    }
}

/// All three, under the names of the measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rouge {
    /// Of distinct words.
    pub rouge_1: Prf,
    /// Of distinct pairs of adjacent words.
    pub rouge_2: Prf,
    /// Of distinct words in longest common subsequences: ROUGE-L at the level of summaries.
    pub rouge_l: Prf,
}

/// All that the package says of a completion.
#[must_use]
pub fn scores(reference: &str, completion: &str, effort: &Effort) -> Rouge {
    Pair::read(reference, completion, effort).map_or_else(Rouge::default, |pair| Rouge {
        rouge_1: pair.rouge_1(effort),
        rouge_2: pair.rouge_2(effort),
        rouge_l: pair.rouge_l(effort),
    })
}

fn f_of(
    reference: &str,
    completion: &str,
    effort: &Effort,
    measure: fn(&Pair, &Effort) -> Prf,
) -> Score {
    let pair = Pair::read(reference, completion, effort);
    pair.map_or(Score::ZERO, |pair| Score::new(measure(&pair, effort).f))
}

/// Words as numbers, sentence by sentence; equal words have equal numbers in both texts.
struct Pair {
    reference: Vec<Vec<u32>>,
    completion: Vec<Vec<u32>>,
    /// Distinct words of the reference, whose numbers lie below this.
    reference_words: usize,
    /// Distinct words of both texts.
    all_words: usize,
}

impl Pair {
    /// `None` where one of the texts holds no word.
    fn read(reference: &str, completion: &str, effort: &Effort) -> Option<Self> {
        let mut numbers = HashMap::new();
        let reference = read(reference, &mut numbers, effort)?;
        let reference_words = numbers.len();
        let completion = read(completion, &mut numbers, effort)?;
        Some(Self { reference, completion, reference_words, all_words: numbers.len() })
    }

    fn rouge_1(&self, effort: &Effort) -> Prf {
        let (common, of_completion) = self.words_of_completion(effort);
        Prf::new(common, self.reference_words, of_completion)
    }

    fn rouge_2(&self, effort: &Effort) -> Prf {
        let (reference, completion) =
            (bigrams(&self.reference, effort), bigrams(&self.completion, effort));
        let common = reference.intersection(&completion).count();
        Prf::new(common, reference.len(), completion.len())
    }

    fn rouge_l(&self, effort: &Effort) -> Prf {
        let (common, of_completion) = self.words_of_completion(effort);
        // The union holds no word but the common ones, so the search may end when it has them all.
        let union = self.union_of_subsequences(common, effort);
        Prf::new(union, self.reference_words, of_completion)
    }

    /// How many distinct words of the completion the reference has too, and how many there are.
    fn words_of_completion(&self, effort: &Effort) -> (usize, usize) {
        effort.spend(self.all_words + self.completion.iter().map(Vec::len).sum::<usize>());
        let mut is_there = vec![false; self.all_words];
        for &word in self.completion.iter().flatten() {
            is_there[word as usize] = true;
        }
        let count = |words: &[bool]| words.iter().filter(|is_there| **is_there).count();
        (count(&is_there[..self.reference_words]), count(&is_there))
    }

    /// How many distinct words lie on the walk back through the longest common subsequence of some
    /// pair of sentences, as far as `enough`.
    fn union_of_subsequences(&self, enough: usize, effort: &Effort) -> usize {
        let columns = Columns::of(&distinct(&self.reference), self.reference_words);
        let mut found = Found::among(self.reference_words);
        for sentence in distinct(&self.completion) {
            if found.count() >= enough {
                break;
            }
            columns.collect_subsequences(sentence, &mut found, effort);
        }
        found.count()
    }
}

fn read<'a>(
    text: &'a str,
    numbers: &mut HashMap<&'a str, u32>,
    effort: &Effort,
) -> Option<Vec<Vec<u32>>> {
    effort.spend(text.len());
    let mut number = |word: &'a str| -> u32 {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(word).or_insert(next)
    };
    let mut sentences = Vec::new();
    let mut left = MAX_WORDS;
    let mut has_words = false;
    for sentence in text.split('.').filter(|sentence| !sentence.is_empty()) {
        if left == 0 {
            break;
        }
        let mut words: Vec<u32> = sentence
            .split(is_python_space)
            .filter(|word| !word.is_empty())
            .take(left)
            .map(&mut number)
            .collect();
        has_words |= !words.is_empty();
        if words.is_empty() {
            words.push(number(""));
        }
        left = left.saturating_sub(words.len());
        sentences.push(words);
    }
    has_words.then_some(sentences)
}

/// Python's `str.split` also splits at the four separators of ASCII, which Unicode counts as
/// control characters.
pub(super) fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn bigrams(sentences: &[Vec<u32>], effort: &Effort) -> HashSet<(u32, u32)> {
    effort.spend(sentences.iter().map(Vec::len).sum());
    let first = sentences.iter().flatten();
    let second = sentences.iter().flatten().skip(1);
    first.copied().zip(second.copied()).collect()
}

/// A repeated sentence adds nothing to a union, only time.
fn distinct(sentences: &[Vec<u32>]) -> Vec<&[u32]> {
    let mut seen = HashSet::new();
    sentences.iter().map(Vec::as_slice).filter(|sentence| seen.insert(*sentence)).collect()
}
