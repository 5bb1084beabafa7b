//! Takes off what language models put around a text: quotes, cut-off sentences, role names.
//!
//! The original's pipeline (original-system.md §1.8) without its faults: there, taking off a role
//! name also lower-cased every name in the text, and full stops in numbers and code were taken for
//! ends of sentences. What stands between backticks is left alone. All that is generated goes through
//! it: queries, references and the person's words.

use crate::text::fences::fences;
use crate::text::sentences::ends;

/// What chat models write before a text, or a line of it, that should have none of it; a longer one
/// before what it begins with.
const ROLES: &[&str] = &[
    "User:",
    "System:",
    "Assistant:",
    "Assistant,",
    "Dear AI,",
    "Dear AI:",
    "Dear AI ",
    "#Question:",
];

/// Quotes and what closes each.
const QUOTES: [(char, char); 5] =
    [('"', '"'), ('\'', '\''), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}'), ('«', '»')];

/// A text without what a language model put around it: without the quotes around the whole and one
/// that has no partner, without an unfinished sentence after a finished one, and without role names
/// and salutations to the assistant at the beginnings of lines.
#[must_use]
pub fn clean(text: &str) -> String {
    remove_roles(prune_ending(remove_quotes(text)))
}

fn remove_quotes(text: &str) -> &str {
    let mut inner = text;
    while let Some(within) = unquoted(inner.trim()) {
        inner = within;
    }
    inner
}

/// The text without its outer quotes; `None` if it has none.
fn unquoted(text: &str) -> Option<&str> {
    let (open, close) = QUOTES
        .into_iter()
        .find(|(open, close)| text.starts_with(*open) || text.ends_with(*close))?;
    match (text.strip_prefix(open), text.strip_suffix(close)) {
        (Some(""), _) => Some(""),
        (Some(rest), Some(_)) => {
            let inner = rest.strip_suffix(close)?;
            // In `"yes" or "no"` the last quote is not the partner of the first.
            (!closes_first(inner, open, close)).then_some(inner)
        }
        // A text that was cut off lost the partner. An apostrophe never had one.
        (Some(rest), None) => (open != '\'' && !rest.contains(close)).then_some(rest),
        (None, Some(rest)) => {
            (!['\'', '\u{2019}'].contains(&close) && !rest.contains(open)).then_some(rest)
        }
        (None, None) => None,
    }
}

/// Whether a quote that was opened is closed within this text: the first quote that is no apostrophe
/// stands behind something.
fn closes_first(inner: &str, open: char, close: char) -> bool {
    let mut before: Option<char> = None;
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        let after = letters.peek();
        let within = |side: Option<&char>| side.is_some_and(|side| side.is_alphanumeric());
        let apostrophe = within(before.as_ref()) && within(after);
        if (letter == open || letter == close) && !apostrophe {
            return letter == close
                && before.is_some_and(|side| !side.is_whitespace() && !"([{".contains(side));
        }
        before = Some(letter);
    }
    false
}

fn prune_ending(text: &str) -> &str {
    // Code that was cut off stays: what there is of it cannot be told from an unfinished sentence.
    let ends_in_code = |text: &str| {
        fences(text).last().is_some_and(|fence| text[fence.whole.end..].trim().is_empty())
    };
    match ends(text).last() {
        Some(end) if !ends_in_code(text) => text.get(..*end).unwrap_or(text),
        Some(_) | None => text,
    }
}

fn remove_roles(text: &str) -> String {
    let code = fences(text);
    let mut code = code.iter().peekable();
    let mut cleaned = String::with_capacity(text.len());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        while code.next_if(|fence| fence.whole.end <= at).is_some() {}
        let is_code = code.peek().is_some_and(|fence| fence.whole.contains(&at));
        match without_role(line).filter(|_| !is_code) {
            // What follows a salutation begins the text now.
            Some(rest) if at == 0 => cleaned.push_str(&capitalised(rest)),
            Some(rest) => cleaned.push_str(rest),
            None => cleaned.push_str(line),
        }
        at += line.len();
    }
    cleaned
}

/// A line without the role names that it begins with; `None` if it begins with none.
fn without_role(line: &str) -> Option<&str> {
    let bare = line.trim_start_matches([' ', '\t']);
    let rest = ROLES.iter().find_map(|role| bare.strip_prefix(role))?;
    // `System:32` is no role.
    if rest.starts_with(|next: char| !next.is_whitespace()) && !bare.starts_with("Dear AI ") {
        return None;
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    Some(without_role(rest).unwrap_or(rest))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_around_a_text_go_and_those_within_it_stay() {
        for (text, cleaned) in [
            (r#""Hello""#, "Hello"),
            (r#"'"Who said "no"?"'"#, r#"Who said "no"?"#),
            ("it's", "it's"),
            ("'It's fine'", "It's fine"),
            ("the students' tea", "the students' tea"),
            ("'Twas so", "'Twas so"),
            (r#""Yes" or "no"?"#, r#""Yes" or "no"?"#),
            (r#""Yes" and "no""#, r#""Yes" and "no""#),
            ("What is 'x' + 'y'", "What is 'x' + 'y'"),
            ("'x' + 'y'", "'x' + 'y'"),
            (r#"Who wrote "Emma"?"#, r#"Who wrote "Emma"?"#),
            (r#"Who wrote "Emma""#, r#"Who wrote "Emma""#),
            ("\u{201c}Why?\u{201d}", "Why?"),
            (r#""Why is it so"#, "Why is it so"),
            (r#"Why is it so?""#, "Why is it so?"),
            ("  \"Why?\" \n", "Why?"),
            (r#""""#, ""),
            (r#"""#, ""),
            ("", ""),
        ] {
            assert_eq!(remove_quotes(text), cleaned, "{text}");
        }
    }

    #[test]
    fn an_unfinished_sentence_goes_if_a_finished_one_stands_before_it() {
        for (text, cleaned) in [
            ("One. Two? And thr", "One. Two?"),
            ("One! Two.", "One! Two."),
            ("no end at all", "no end at all"),
            ("Crabs 🦀. More 🦀", "Crabs 🦀."),
            ("He said \"no.\" And th", "He said \"no.\""),
            ("", ""),
        ] {
            assert_eq!(prune_ending(text), cleaned);
        }
    }

    #[test]
    fn names_numbers_addresses_and_code_are_never_cut() {
        for whole in [
            "It costs 3.14 euros",
            "Take some fruit, e.g. apples",
            "the U.S. Navy and Dr. J. Brown",
            "see https://example.org/a.html?b=c.d for it",
            "Why does `a.b(1). c` fail",
            "Look at this: `x.y.",
            "It fails here.\n```python\nprint(a.b)\n```",
            "It fails here.\n```python\nprint(a.b)\nvalue = 1",
            "Who owns it, the U.S.",
        ] {
            assert_eq!(clean(whole), whole);
        }
    }

    #[test]
    fn roles_go_and_names_keep_their_capitals() {
        for (text, cleaned) in [
            ("User: what did NASA and Elon do?", "What did NASA and Elon do?"),
            ("Dear AI, écris en français.", "Écris en français."),
            ("Dear AI what is Rust?", "What is Rust?"),
            ("#Question: Why?", "Why?"),
            ("first line\nAssistant: and why", "first line\nand why"),
            ("Assistant:\nand why", "\nand why"),
            ("User: Assistant: why", "Why"),
            ("i like NASA. do you", "i like NASA. do you"),
            ("User: ", ""),
        ] {
            assert_eq!(remove_roles(text), cleaned);
        }
    }

    #[test]
    fn roles_within_lines_words_quotes_and_code_stay() {
        for text in [
            "What does \"User: root\" mean?",
            "The End-User: who is it?",
            "My Assistant, Ann, asks",
            "in the System: Linux",
            "Config:\n```\nUser: root\n  System: Linux\n```\n",
            "System:32 is what it says",
            "Assistant,ann",
        ] {
            assert_eq!(remove_roles(text), text);
        }
    }

    #[test]
    fn quotes_go_first_then_endings_then_roles() {
        assert_eq!(clean(r#""User: why? be"#), "Why?");
    }

    proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in "(?s).*") {
            prop_assert!(text.contains(prune_ending(remove_quotes(&text))));
            let _ = clean(&text);
        }
    }
}
