//! The words of a text as a reader takes them, whatever their casing, the signs around them and what
//! cannot be seen.
//!
//! Measures that an answer must not be able to slip past compare these. Pure and linear in the text.

/// The words of a text in lower case, in their order: runs of letters and digits, without what cannot
/// be seen within them.
pub fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && !is_hidden(c));
    let lower = words.map(|word| {
        word.chars().flat_map(char::to_lowercase).filter(|c| !is_hidden(*c)).collect::<String>()
    });
    lower.filter(|word| !word.is_empty())
}

/// What can stand within a word and leave it the same word to a reader: accents of their own,
/// joiners, and marks of direction. A copier could otherwise change every word by one.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{300}'..='\u{36f}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_whatever_stands_around_and_within_them_unseen() {
        for text in
            ["Tea, 12 LEAVES", "tea-12_leaves!", "t\u{200b}ea\u{feff} 1\u{ad}2 (le\u{301}aves)"]
        {
            assert_eq!(plain_words(text).collect::<Vec<_>>(), ["tea", "12", "leaves"], "{text}");
        }
        assert_eq!(plain_words(" \u{200b} ... ").count(), 0);
    }
}
