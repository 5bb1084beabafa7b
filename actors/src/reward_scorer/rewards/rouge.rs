//! ROUGE-1, ROUGE-2 and ROUGE-L F as the Python package `rouge` 1.0.1 defines them.
//!
//! The definition, `get_scores(reference, completion)` there, is peculiar and is kept to the
//! digit: no lower-casing and no stemming; a sentence is what lies between full stops; a sentence
//! of white space alone holds one word, the empty one; n-grams are sets and run across sentences;
//! ROUGE-L counts the distinct words of the union of the longest common subsequences of every
//! pair of sentences, where among equally long ones the one that the package walks back to counts.
//!
//! Two things differ. Where the package raises (an empty text, full stops alone, deep recursion)
//! or sees only the empty word, the score is 0. And only the first [`MAX_WORDS`] words of each
//! text count, so that an answer cannot buy time. The walk back needs the whole table of a pair,
//! not its last two rows; as bits it takes at most 4 MiB, and one pass of bit-parallel rows fills
//! it for all sentences of the reference at once. Two ordinary answers take some 50 µs, the worst
//! pair of texts that we know of 0.1 s.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::{Measure, Reward, RewardKind};
use crate::domain::Score;

/// The F measure of distinct words.
pub const ROUGE_1: RewardKind = RewardKind(&Reward {
    name: "rouge_1",
    about: "distinct words in common with the reference (ROUGE-1 F)",
    measure: Measure::Text(|reference, completion, _| rouge_1(reference, completion)),
});
/// The F measure of distinct pairs of words.
pub const ROUGE_2: RewardKind = RewardKind(&Reward {
    name: "rouge_2",
    about: "distinct pairs of words in common with the reference (ROUGE-2 F)",
    measure: Measure::Text(|reference, completion, _| rouge_2(reference, completion)),
});
/// The F measure of longest common subsequences.
pub const ROUGE_L: RewardKind = RewardKind(&Reward {
    name: "rouge_l",
    about: "longest runs of words in common with the reference (ROUGE-L F)",
    measure: Measure::Text(|reference, completion, _| rouge_l(reference, completion)),
});

/// Words of each text that count; the rest is cut.
pub const MAX_WORDS: usize = 4_096;

/// ROUGE-1 F: distinct words in common.
#[must_use]
pub fn rouge_1(reference: &str, completion: &str) -> Score {
    let Some(pair) = Pair::read(reference, completion) else { return Score::ZERO };
    set_f(&words(&pair.reference), &words(&pair.completion))
}

/// ROUGE-2 F: distinct pairs of adjacent words in common.
#[must_use]
pub fn rouge_2(reference: &str, completion: &str) -> Score {
    let Some(pair) = Pair::read(reference, completion) else { return Score::ZERO };
    set_f(&bigrams(&pair.reference), &bigrams(&pair.completion))
}

/// ROUGE-L F at the level of summaries: distinct words in longest common subsequences.
#[must_use]
pub fn rouge_l(reference: &str, completion: &str) -> Score {
    let Some(pair) = Pair::read(reference, completion) else { return Score::ZERO };
    let (reference, completion) = (words(&pair.reference), words(&pair.completion));
    let common = reference.intersection(&completion).count();
    let union = union_of_subsequences(&pair, common);
    f_measure(union, reference.len(), completion.len())
}

/// Precision, recall and F.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prf {
    /// Precision.
    pub p: f64,
    /// Recall.
    pub r: f64,
    /// F.
    pub f: f64,
}

/// All of ROUGE.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rouge {
    /// Words.
    pub rouge_1: Prf,
    /// Pairs of words.
    pub rouge_2: Prf,
    /// Longest common subsequences.
    pub rouge_l: Prf,
}

/// STUB until H1 is merged: all of ROUGE.
#[must_use]
pub fn scores(reference: &str, completion: &str, _: &super::super::effort::Effort) -> Rouge {
    let Some(pair) = Pair::read(reference, completion) else { return Rouge::default() };
    let prf = |shared: usize, a: usize, b: usize| {
        let share = |of: usize| if of == 0 { 0.0 } else { shared as f64 / of as f64 };
        Prf { p: share(a), r: share(b), f: f_measure(shared, a, b).get() }
    };
    let (a, b) = (words(&pair.reference), words(&pair.completion));
    let (c, d) = (bigrams(&pair.reference), bigrams(&pair.completion));
    let common = a.intersection(&b).count();
    Rouge {
        rouge_1: prf(common, a.len(), b.len()),
        rouge_2: prf(c.intersection(&d).count(), c.len(), d.len()),
        rouge_l: prf(union_of_subsequences(&pair, common), a.len(), b.len()),
    }
}

/// Words as numbers, sentence by sentence; equal words have equal numbers in both texts.
struct Pair {
    reference: Vec<Vec<u32>>,
    completion: Vec<Vec<u32>>,
    /// Words of the reference have numbers below this.
    reference_words: usize,
}

impl Pair {
    /// `None` where one of the texts holds no word.
    fn read(reference: &str, completion: &str) -> Option<Self> {
        let mut numbers = HashMap::new();
        let reference = read(reference, &mut numbers)?;
        let reference_words = numbers.len();
        let completion = read(completion, &mut numbers)?;
        Some(Self { reference, completion, reference_words })
    }
}

fn read<'a>(text: &'a str, numbers: &mut HashMap<&'a str, u32>) -> Option<Vec<Vec<u32>>> {
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
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn words(sentences: &[Vec<u32>]) -> HashSet<u32> {
    sentences.iter().flatten().copied().collect()
}

fn bigrams(sentences: &[Vec<u32>]) -> HashSet<(u32, u32)> {
    let first = sentences.iter().flatten();
    let second = sentences.iter().flatten().skip(1);
    first.copied().zip(second.copied()).collect()
}

fn set_f<T: Eq + Hash>(reference: &HashSet<T>, completion: &HashSet<T>) -> Score {
    f_measure(reference.intersection(completion).count(), reference.len(), completion.len())
}

fn f_measure(shared: usize, in_reference: usize, in_completion: usize) -> Score {
    let share = |of: usize| if of == 0 { 0.0 } else { shared as f64 / of as f64 };
    let (precision, recall) = (share(in_reference), share(in_completion));
    Score::new(2.0 * ((precision * recall) / (precision + recall + 1e-8)))
}

/// How many distinct words lie on the walk back through the longest common subsequence of some
/// pair of sentences; never more than `common`, the distinct words that both texts hold.
fn union_of_subsequences(pair: &Pair, common: usize) -> usize {
    let columns = Columns::of(&distinct(&pair.reference), pair.reference_words);
    let mut found = HashSet::new();
    for sentence in distinct(&pair.completion) {
        if found.len() == common {
            break;
        }
        columns.collect_subsequences(sentence, &mut found);
    }
    found.len()
}

/// A repeated sentence adds nothing to a union, only time.
fn distinct(sentences: &[Vec<u32>]) -> Vec<&[u32]> {
    let mut seen = HashSet::new();
    sentences.iter().map(Vec::as_slice).filter(|sentence| seen.insert(*sentence)).collect()
}

/// Every sentence of one text as the columns of a single dynamic program: one bit a word, and
/// after each sentence a bit that is always 0, where the carry of its addition ends.
struct Columns<'a> {
    /// Each sentence with the column of its first word.
    sentences: Vec<(usize, &'a [u32])>,
    /// Machine words in a row of bits.
    width: usize,
    /// Bits that stand for a word.
    used: Vec<u64>,
    /// For each number of a word, a row with the bits of the columns where it stands.
    places: Vec<u64>,
}

impl<'a> Columns<'a> {
    fn of(sentences: &[&'a [u32]], words: usize) -> Self {
        let bits: usize = sentences.iter().map(|sentence| sentence.len() + 1).sum();
        let width = bits.div_ceil(64);
        let mut columns = Self {
            sentences: Vec::with_capacity(sentences.len()),
            width,
            used: vec![0; width],
            places: vec![0; width * words],
        };
        let mut column = 0;
        for &sentence in sentences {
            columns.sentences.push((column, sentence));
            for &word in sentence {
                set_bit(&mut columns.used, column);
                set_bit(&mut columns.places, word as usize * width * 64 + column);
                column += 1;
            }
            column += 1;
        }
        columns
    }

    /// Adds to `found` the words of the longest common subsequence of `sentence` with each of the
    /// columns' sentences.
    ///
    /// A bit of row `i` is 0 where the subsequence of the first `i` words grows at that column
    /// (Hyyrö's recurrence). That is all the walk back needs: the package goes up a row rather
    /// than left a column exactly where it grows.
    fn collect_subsequences(&self, sentence: &[u32], found: &mut HashSet<u32>) {
        let mut rows = Vec::with_capacity(self.width * sentence.len());
        let mut row = self.used.clone();
        for &word in sentence {
            self.advance(&mut row, word);
            rows.extend_from_slice(&row);
        }
        if row == self.used {
            return;
        }
        for &(first, columns) in &self.sentences {
            let (mut i, mut j) = (sentence.len(), columns.len());
            while i > 0 && j > 0 {
                if sentence[i - 1] == columns[j - 1] {
                    found.insert(sentence[i - 1]);
                    i -= 1;
                    j -= 1;
                } else if !has_bit(&rows, (i - 1) * self.width * 64 + first + j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
        }
    }

    fn advance(&self, row: &mut [u64], word: u32) {
        let from = word as usize * self.width;
        let Some(places) = self.places.get(from..from + self.width) else {
            return; // a word that no column holds
        };
        let mut carry = false;
        for ((bits, &places), &used) in row.iter_mut().zip(places).zip(&self.used) {
            let (sum, carry_sum) = bits.overflowing_add(*bits & places);
            let (sum, carry_in) = sum.overflowing_add(u64::from(carry));
            carry = carry_sum || carry_in;
            *bits = (sum | (*bits & !places)) & used;
        }
    }
}

fn set_bit(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn has_bit(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    /// Made by scripts/oracles/rouge.py with the package itself.
    const ORACLE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rouge_1_0_1.json"));

    #[derive(Deserialize)]
    struct Case {
        reference: String,
        completion: String,
        rouge_1: f64,
        rouge_2: f64,
        rouge_l: f64,
    }

    #[test]
    fn equals_the_python_package_on_every_pair_of_the_oracle() {
        let cases: Vec<Case> = serde_json::from_str(ORACLE).unwrap();
        assert!(cases.len() >= 60);
        for case in &cases {
            let measured = [rouge_1, rouge_2, rouge_l]
                .map(|measure| measure(&case.reference, &case.completion).get());
            for (ours, theirs) in measured.iter().zip([case.rouge_1, case.rouge_2, case.rouge_l]) {
                assert!(
                    (ours - theirs).abs() < 1e-9,
                    "{measured:?} for {:?} against {:?}",
                    case.completion,
                    case.reference
                );
            }
        }
    }

    #[test]
    fn a_text_without_a_word_earns_nothing_where_the_package_raises_or_finds_the_empty_word() {
        for nothing in ["", ".", "...", " ", " . . ", "\n.\t"] {
            for measure in [rouge_1, rouge_2, rouge_l] {
                assert_eq!(measure("one. two. ", nothing), Score::ZERO, "{nothing:?}");
                assert_eq!(measure(nothing, "one. two. "), Score::ZERO, "{nothing:?}");
                assert_eq!(measure(nothing, nothing), Score::ZERO, "{nothing:?}");
            }
        }
    }

    #[test]
    fn words_past_the_cap_do_not_count() {
        let filler = "x ".repeat(MAX_WORDS);
        assert_eq!(rouge_1("needle", &format!("{filler}needle")), Score::ZERO);
        assert!(rouge_1("needle", &format!("{}needle", "x ".repeat(MAX_WORDS - 1))).get() > 0.6);
        let sentences = format!("{}needle", "x. ".repeat(MAX_WORDS));
        assert_eq!(rouge_l("needle", &sentences), Score::ZERO);
    }

    /// The definition by its plain table and walk, as the package computes it.
    fn plain_union(pair: &Pair) -> usize {
        let mut found = HashSet::new();
        for x in &pair.completion {
            for y in &pair.reference {
                let mut table = vec![vec![0_u32; y.len() + 1]; x.len() + 1];
                for i in 1..=x.len() {
                    for j in 1..=y.len() {
                        table[i][j] = if x[i - 1] == y[j - 1] {
                            table[i - 1][j - 1] + 1
                        } else {
                            table[i - 1][j].max(table[i][j - 1])
                        };
                    }
                }
                let (mut i, mut j) = (x.len(), y.len());
                while i > 0 && j > 0 {
                    if x[i - 1] == y[j - 1] {
                        found.insert(x[i - 1]);
                        (i, j) = (i - 1, j - 1);
                    } else if table[i - 1][j] > table[i][j - 1] {
                        i -= 1;
                    } else {
                        j -= 1;
                    }
                }
            }
        }
        found.len()
    }

    proptest! {
        #[test]
        fn the_bit_rows_walk_back_as_the_plain_table_does(
            reference in "[a-h]( [a-h]|\\. [a-h]){0,120}",
            completion in "[a-j]( [a-j]|\\. [a-j]){0,120}",
        ) {
            let pair = Pair::read(&reference, &completion).unwrap();
            prop_assert_eq!(union_of_subsequences(&pair, usize::MAX), plain_union(&pair));
            let common = words(&pair.reference).intersection(&words(&pair.completion)).count();
            prop_assert_eq!(union_of_subsequences(&pair, common), plain_union(&pair));
        }
    }
}
