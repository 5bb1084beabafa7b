//! Where sentences end. A full stop ends none within a number, an address, an abbreviation or code.
//!
//! A rule of thumb for English and its neighbours; where it errs it takes two sentences for one.

use std::ops::Range;

use super::fences::fences;

/// What a sentence ends with.
pub const STOPS: [char; 7] = ['.', '?', '!', '。', '？', '！', '؟'];
/// What may stand between a stop and the white space after it.
const CLOSERS: [char; 9] = ['"', '\'', ')', ']', '”', '’', '»', '*', '_'];
/// Words that are written with a full stop and go on.
const ABBREVIATIONS: [&str; 20] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "approx", "ca", "cf", "fig", "jr", "sr", "inc",
    "ltd", "co", "gen", "mt", "ft", "col",
];

/// The places behind each finished sentence, in order.
#[must_use]
pub fn ends(text: &str) -> Vec<usize> {
    let text = text.trim_end();
    let mut code = code(text).into_iter().peekable();
    let mut ends = Vec::new();
    for (at, stop) in text.char_indices().filter(|(_, letter)| STOPS.contains(letter)) {
        while code.next_if(|span| span.end <= at).is_some() {}
        if code.peek().is_some_and(|span| span.contains(&at)) {
            continue;
        }
        let after = &text[at + stop.len_utf8()..];
        let end = text.len() - after.trim_start_matches(CLOSERS).len();
        let goes_on = match text[end..].chars().next() {
            None => false,
            Some(next) if stop.is_ascii() => {
                !next.is_whitespace() || (stop == '.' && is_abbreviation(&text[..at], &text[end..]))
            }
            Some(_) => false,
        };
        if !goes_on {
            ends.push(end);
        }
    }
    ends
}

/// The finished sentences of a text, trimmed, and what is left behind the last of them.
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    let mut from = 0;
    let mut found = Vec::new();
    for end in ends(text).into_iter().chain([text.len()]) {
        let sentence = text[from..end].trim();
        if !sentence.is_empty() {
            found.push(sentence);
        }
        from = end;
    }
    found
}

/// Whether the word that a text ends with takes a full stop without ending a sentence: a known
/// abbreviation, an initial, initials such as `U.S` and `e.g`, a `No.` before a number, or the number
/// of a list's item.
fn is_abbreviation(before: &str, after: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or(before);
    let ahead = before[..before.len() - word.len()].trim_end_matches([' ', '\t']);
    let word = word.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let mut last = word.rsplit('.').next().unwrap_or(word).chars();
    let initial = matches!((last.next(), last.next()), (Some(one), None) if one.is_alphabetic());
    let begins_line = ahead.is_empty() || ahead.ends_with('\n');
    let item = begins_line && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let word = word.to_lowercase();
    let number = word == "no" && after.trim_start().starts_with(|next: char| next.is_numeric());
    initial || item || number || ABBREVIATIONS.contains(&word.as_str())
}

/// Code in a text, in order: fenced, or between backticks within a line.
fn code(text: &str) -> Vec<Range<usize>> {
    let mut blocks = fences(text).into_iter().map(|fence| fence.whole).peekable();
    let mut spans = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        while let Some(block) = blocks.next_if(|block| block.start <= at) {
            spans.push(block);
        }
        if spans.last().is_none_or(|span: &Range<usize>| span.end <= at) {
            let ticks: Vec<usize> = line.match_indices('`').map(|(tick, _)| at + tick).collect();
            spans.extend(ticks.chunks_exact(2).map(|pair| pair[0]..pair[1] + 1));
        }
        at += line.len();
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn full_stops_within_a_sentence_do_not_end_it() {
        for sentence in [
            "It costs 3.14 euros.",
            "See https://example.org/a.b?c=d.e for more.",
            "The U.S. Navy, e.g. its Adm. J. K. Smith, came in the ships of Dr. Brown.",
            "Use `a.b. c` there!",
            "He said \"no.\"",
            "Open main.rs now?",
            "They played Symphony No. 5 in C minor.",
        ] {
            let text = format!("First. {sentence} Last.");
            assert!(sentences(&text).len() <= 4, "{:?}", sentences(&text));
            assert_eq!(sentences(&text).first(), Some(&"First."), "{text}");
            assert_eq!(sentences(&text).last(), Some(&"Last."), "{text}");
        }
        assert_eq!(sentences("One. Two?! Three 3.5 four"), ["One.", "Two?!", "Three 3.5 four"]);
        assert_eq!(sentences("1. Boil it.\n2. Pour it."), ["1. Boil it.", "2. Pour it."]);
        assert_eq!(sentences("He said \"no.\" She left."), ["He said \"no.\"", "She left."]);
        assert_eq!(sentences("水は青い。空も。"), ["水は青い。", "空も。"]);
        assert_eq!(sentences(" \n"), [""; 0]);
    }

    #[test]
    fn nothing_ends_within_code() {
        let text = "Try it.\n```\nprint(1). \nx = 2. \n```\nIt works.";
        assert_eq!(ends(text), [7, text.len()]);
        assert_eq!(ends("It was in the U.S."), [18]);
    }

    proptest! {
        #[test]
        fn sentences_hold_all_that_is_no_space(text in "(?s)[a-c .!?`\n\"é]{0,60}") {
            let all = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(all(&sentences(&text).concat()), all(&text));
        }
    }
}
