//! A text as words, so that what is said can be compared with what is wanted. Pure; the guard and
//! the paraphrase use it.

use crate::text::sentences::ends;

/// Between these a text falls into words, as between spaces.
const BREAKS: &[char] = &[
    '—', '–', '-', '/', '(', ')', '[', ']', '{', '}', '"', '“', '”', '„', '«', '»', '`', '…', '|',
];
/// Words that say nothing about what a sentence is about.
const EMPTY: &[&str] = &[
    "a",
    "about",
    "after",
    "all",
    "also",
    "although",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "between",
    "both",
    "but",
    "by",
    "can",
    "could",
    "did",
    "do",
    "does",
    "doing",
    "done",
    "during",
    "each",
    "else",
    "ever",
    "explain",
    "following",
    "for",
    "from",
    "get",
    "give",
    "had",
    "has",
    "have",
    "having",
    "he",
    "her",
    "here",
    "hers",
    "him",
    "his",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "know",
    "let",
    "me",
    "might",
    "more",
    "most",
    "much",
    "must",
    "my",
    "name",
    "no",
    "not",
    "of",
    "on",
    "one",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "please",
    "shall",
    "she",
    "should",
    "so",
    "some",
    "such",
    "tell",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "to",
    "under",
    "up",
    "us",
    "very",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "within",
    "would",
    "you",
    "your",
];

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Without the punctuation around it; never empty.
    pub(super) text: &'a str,
    /// Its first byte in the text.
    pub(super) start: usize,
    /// Whether a sentence begins with it.
    pub(super) opens: bool,
}

impl Word<'_> {
    /// The byte after it.
    pub(super) fn end(self) -> usize {
        self.start + self.text.len()
    }
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    // A line begins a sentence, whatever stands before it.
    let lines = text.match_indices('\n').map(|(at, _)| at + 1);
    let mut breaks: Vec<usize> = ends(text).into_iter().chain(lines).collect();
    breaks.sort_unstable();
    let mut breaks = breaks.into_iter().peekable();
    let mut from = 0;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || BREAKS.contains(&c)) {
        let start =
            from + (piece.len() - piece.trim_start_matches(|c: char| !c.is_alphanumeric()).len());
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            let mut opens = words.is_empty();
            while breaks.next_if(|end| *end <= start).is_some() {
                opens = true;
            }
            words.push(Word { text: word, start, opens });
        }
        from += piece.len();
    }
    words
}

/// Verbs that stand before the subject of a question.
pub(super) const AUXILIARIES: &[&str] = &[
    "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can", "could", "will",
    "would", "should", "may", "might", "must",
];

/// The words of a text for comparing it with another: without case and punctuation.
pub(super) fn folded(text: &str) -> Vec<String> {
    let plain = |word: Word<'_>| {
        let letters = word.text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    words(text).into_iter().map(plain).collect()
}

/// Whether some words stand in a row in others.
pub(super) fn contains_run(all: &[String], run: &[String]) -> bool {
    !run.is_empty() && all.windows(run.len()).any(|window| window == run)
}

/// Whether a word says nothing about what a sentence is about.
pub(super) fn is_empty_word(word: &str) -> bool {
    let word = word.to_lowercase();
    let word = word.split(['\'', '’']).next().unwrap_or_default();
    EMPTY.contains(&word)
}

/// A word without case, possessive and plural.
pub(super) fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let word = word.trim_end_matches(['\'', '’']);
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    let letters = word.chars().count();
    if letters > 4
        && let Some(stem) = word.strip_suffix("ies")
    {
        return format!("{stem}y");
    }
    let hissing = ["sses", "xes", "ches", "shes"].iter().any(|end| word.ends_with(end));
    if hissing && let Some(stem) = word.strip_suffix("es") {
        return stem.to_owned();
    }
    let plural = letters > 3 && !word.ends_with("ss");
    word.strip_suffix('s').filter(|_| plural).unwrap_or(word).to_owned()
}

/// Whether two words are forms of one, as `suspended` and `suspension` are: at least three fifths
/// of the longer is how both begin.
pub(super) fn akin(one: &str, other: &str) -> bool {
    /// Shorter beginnings mean nothing.
    const SHORT: usize = 4;
    let (one, other) = (stem(one), stem(other));
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let longer = one.chars().count().max(other.chars().count());
    one == other || (common >= SHORT && common * 5 >= longer * 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stand_without_punctuation_and_know_where_sentences_begin() {
        let all = words("Who met Dr. Smith (the 2nd)? \"No one\" — says N.A.S.A. today.");
        let texts: Vec<&str> = all.iter().map(|word| word.text).collect();
        let expected =
            ["Who", "met", "Dr", "Smith", "the", "2nd", "No", "one", "says", "N.A.S.A", "today"];
        assert_eq!(texts, expected);
        let opening: Vec<&str> = all.iter().filter(|w| w.opens).map(|w| w.text).collect();
        assert_eq!(opening, ["Who", "No"]);
    }

    #[test]
    fn forms_of_a_word_are_akin_and_other_words_are_not() {
        for (one, other) in [
            ("bridge", "Bridges"),
            ("Einstein’s", "einstein"),
            ("batteries", "battery"),
            ("suspended", "suspension"),
            ("glass", "glasses"),
        ] {
            assert!(akin(one, other), "{one} {other}");
        }
        for (one, other) in [("Austria", "Australia"), ("glass", "grass"), ("tide", "time")] {
            assert!(!akin(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn every_word_is_where_it_says(text in "(?s).{0,80}") {
            for word in words(&text) {
                prop_assert_eq!(text.get(word.start..word.end()), Some(word.text));
            }
        }
    }
}
