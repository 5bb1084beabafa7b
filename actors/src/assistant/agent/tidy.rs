//! What a small model writes, without what makes it worse to read: sentences it said before, and a
//! last one that it did not finish. Pure.

use std::collections::HashSet;

use crate::text::fences::fences;
use crate::text::plain_words::plain_words;
use crate::text::sentences::{STOPS, sentences};

/// A text in which no sentence is said twice and the last one ends, where there is such; code is
/// left as it is.
pub(super) fn tidied(text: &str) -> String {
    let text = text.trim();
    if !fences(text).is_empty() {
        return text.to_owned();
    }
    let mut said = HashSet::new();
    let mut kept: Vec<String> = Vec::new();
    for line in text.lines() {
        let all = sentences(line);
        let parts = all.is_empty() && kept.last().is_some_and(|last| !last.is_empty());
        let fresh = all.into_iter().filter(|one| said.insert(plain_words(one)));
        let fresh: Vec<&str> = fresh.collect();
        if parts || !fresh.is_empty() {
            kept.push(fresh.join(" "));
        }
    }
    finished(kept.join("\n").trim_end()).to_owned()
}

/// Up to the end of the last sentence that has one; all of a text that has none.
fn finished(text: &str) -> &str {
    let is_end = |letter: char| STOPS.contains(&letter);
    let ends_well = text.trim_end_matches(['"', '\'', ')', '”', '*']).ends_with(is_end);
    if ends_well {
        return text;
    }
    let end = crate::text::sentences::ends(text).into_iter().rfind(|end| *end < text.len());
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sentence_is_said_twice_and_the_last_one_ends() {
        for (text, expected) in [
            ("Tea is a drink. tea is a DRINK! It is hot.", "Tea is a drink. It is hot."),
            ("Tea is a drink. It is made of", "Tea is a drink."),
            ("Tea is\n\n\nTea is\nhot", "Tea is\n\nhot"),
            ("He said \"Tea.\"", "He said \"Tea.\""),
            ("a drink of", "a drink of"),
            (" \n", ""),
            ("Do so:\n```\nx\nx\n", "Do so:\n```\nx\nx"),
        ] {
            assert_eq!(tidied(text), expected, "{text}");
        }
    }
}
