//! What a message asks for. Pure.

use crate::text::fences::fences;

/// A longer message has what it is about in it, in words.
const OWN_WORDS: usize = 90;
/// A title is not longer, in words.
const TITLE_WORDS: usize = 8;
/// What asks for something to be done with a text that is given.
const GIVEN: [&str; 12] = [
    "translate",
    "sentiment",
    "this text",
    "the following text",
    "the following code",
    "the following sentence",
    "the following review",
    "this code",
    "this review",
    "summarise this:",
    "summarize this:",
    "rephrase",
];
/// What asks for the whole of a subject.
const WHOLE: [&str; 12] = [
    "summary",
    "summar",
    "overview",
    "sum up",
    "tell me about",
    "main facts",
    "gist",
    "in a nutshell",
    "introduction to",
    "brief on",
    "rundown",
    "what is known about",
];

/// What asks for a date.
const WHEN: [&str; 9] = [
    "when did",
    "when was",
    "when were",
    "when is",
    "what date",
    "which date",
    "exact date",
    "what day",
    "which day",
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Work on a text that the message itself holds.
    OwnText,
    /// A subject as a whole.
    Summary,
    /// When something happened.
    When,
    /// Anything else.
    Question,
}

/// What a message asks for; what is only said around the question is left out of it.
pub(super) fn of(message: &str) -> Ask {
    let lower = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    let long = message.split_whitespace().nth(OWN_WORDS).is_some();
    if long || brings_text(message) || says(&GIVEN) {
        Ask::OwnText
    } else if says(&WHEN) {
        Ask::When
    } else if says(&WHOLE) {
        Ask::Summary
    } else {
        Ask::Question
    }
}

/// Whether a message has code or a choice in it, which the part that asks may be without.
pub(super) fn brings_text(message: &str) -> bool {
    !fences(message).is_empty() || options(&message.to_lowercase())
}

/// Whether several lines begin as the options of a choice do.
fn options(text: &str) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start().as_bytes();
        matches!(line, [b'a'..=b'h', b'.' | b')' | b':', ..])
    };
    text.lines().filter(|line| begins(line)).count() > 1
}

/// The title that a message has in quotation marks, if there is just one.
pub(super) fn quoted(message: &str) -> Option<String> {
    let marks = [('"', '"'), ('“', '”'), ('«', '»'), ('`', '`')];
    let (open, close) = marks.into_iter().find(|(open, _)| message.contains(*open))?;
    let (_, rest) = message.split_once(open)?;
    let (title, after) = rest.split_once(close)?;
    let words = title.split_whitespace().count();
    let fits = (1..=TITLE_WORDS).contains(&words) && !after.contains(open);
    fits.then(|| title.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_its_own_text_is_told_from_a_question() {
        for (message, expected) in [
            ("Why are coral reefs important?", Ask::Question),
            ("Could you give me a short summary of Coral reef?", Ask::Summary),
            ("On what exact date did this happen: The Charter enters into force?", Ask::When),
            ("I would like to know the following: what is a long day?", Ask::Question),
            ("Could you give me a summary of when I was younger?", Ask::Summary),
            ("Translate the following text: x", Ask::OwnText),
            ("What is wrong?\n```python\nx = 1\n```", Ask::OwnText),
            ("Translate to German: good morning", Ask::OwnText),
            ("Which is right?\nA. tea\nB. ice", Ask::OwnText),
            (&"Sum it up. ".repeat(60), Ask::OwnText),
        ] {
            assert_eq!(of(message), expected, "{message}");
        }
    }

    #[test]
    fn one_title_in_quotation_marks_is_a_title() {
        assert_eq!(quoted("What is \"Coral reef\"?").as_deref(), Some("Coral reef"));
        assert_eq!(quoted("Was sagt “Tee” aus?").as_deref(), Some("Tee"));
        let long = format!("\"{}\"", "word ".repeat(20));
        for none in ["What is tea?", "\"a\" or \"b\"?", "\"\"", "a \" b", &long] {
            assert_eq!(quoted(none), None, "{none}");
        }
    }
}
