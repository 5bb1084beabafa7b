//! The words of a text as a reader takes them, whatever their casing, the signs around them, their
//! accents and what cannot be seen.
//!
//! Measures that an answer must not be able to slip past compare these: a model that embeds a text
//! sees no more of it. Pure and linear in the text.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a text in lower case, in their order: runs of letters and digits in their plainest
/// form (NFKD), without accents and without what cannot be seen within them.
#[must_use]
pub fn plain_words(text: &str) -> Vec<String> {
    let plain: String =
        text.nfkd().flat_map(char::to_lowercase).filter(|c| !is_unseen(*c)).collect();
    let words = plain.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What can stand within a word and leave it the same word to a reader: accents, joiners, marks of
/// direction, tags. A copier could otherwise change every word by one.
fn is_unseen(c: char) -> bool {
    is_combining_mark(c)
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_whatever_stands_around_and_within_them_unseen() {
        for text in [
            "Tea, 12 LEAVES",
            "tea-12_leaves!",
            "t\u{200b}ea\u{feff} 1\u{ad}2 (le\u{301}aves)",
            "téà 12 lëåvęš",
            "ｔｅａ １２ ｌｅａｖｅｓ",
            "t\u{61c}e\u{e0041}a 12 l\u{180e}eaves",
        ] {
            assert_eq!(plain_words(text), ["tea", "12", "leaves"], "{text}");
        }
        assert!(plain_words(" \u{200b} ... ").is_empty());
    }
}
