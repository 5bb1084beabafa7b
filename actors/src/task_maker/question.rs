//! Finds the question in what a model wrote when it was asked for one.
//!
//! A small model announces it, answers it, or writes about the text instead. What is no question
//! that a stranger could understand is none; TaskMaker then lets the model try again.

use std::collections::BTreeSet;

use crate::text::sentences::sentences;

/// A question of fewer words asks for nothing in particular.
const FEWEST_WORDS: usize = 4;
/// A question of more words is a text.
const MOST_WORDS: usize = 50;
/// Shorter words are in every text, and inflections differ behind so many letters.
const TELLING_LETTERS: usize = 4;
/// Words of questions, whatever they are about.
const ASKING: [&str; 20] = [
    "what", "when", "where", "which", "whose", "does", "have", "with", "that", "this", "from",
    "they", "were", "will", "into", "about", "there", "their", "would", "could",
];
/// Whoever has not read the text does not understand these.
const POINTING: [&str; 12] = [
    "this question",
    "the question",
    "the answer",
    "the text",
    "this text",
    "the passage",
    "this passage",
    "the sentence",
    "the following",
    "the above",
    "the article",
    "these facts",
];

/// The first question of a text that can be understood by itself and is about the material.
pub(super) fn question(text: &str, material: &str) -> Option<String> {
    let known: BTreeSet<String> = telling(material).collect();
    sentences(text).into_iter().map(unannounced).find_map(|sentence| {
        let words = sentence.split_whitespace().count();
        let lower = sentence.to_lowercase();
        let points = POINTING.iter().any(|pointing| {
            let mut ends = lower.match_indices(pointing).map(|(at, found)| at + found.len());
            // The `textile` is no `text`.
            ends.any(|end| !lower[end..].starts_with(char::is_alphanumeric))
        });
        let is_one = sentence.ends_with('?')
            && (FEWEST_WORDS..=MOST_WORDS).contains(&words)
            && !points
            && telling(sentence).any(|word| known.contains(&word));
        is_one.then(|| sentence.to_owned())
    })
}

/// A sentence without `Question:`, `1.` and marks around it.
fn unannounced(sentence: &str) -> &str {
    let marks = |c: char| c.is_whitespace() || "\"'*_“”«»".contains(c);
    let sentence = sentence.trim_matches(marks);
    let announced = sentence.split_once(':').filter(|(before, _)| {
        let before = before.to_lowercase();
        before.trim_matches(marks) == "q" || before.contains("question")
    });
    let sentence = announced.map_or(sentence, |(_, question)| question);
    let numbered = |c: char| marks(c) || c.is_ascii_digit() || ".)-".contains(c);
    sentence.trim_start_matches(numbered).trim_end_matches(marks)
}

/// The words that say what a text is about, cut to where inflections differ.
fn telling(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().nth(TELLING_LETTERS - 1).is_some())
        .filter(|word| !ASKING.contains(&word.as_str()))
        .map(|word| word.chars().take(TELLING_LETTERS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Text about Tides:\nThe moon pulls the oceans. Springs rise highest.";

    #[test]
    fn the_question_is_found_whatever_stands_around_it() {
        let found = |text| question(text, TEXT);
        let wanted = Some("What pulls the oceans?".to_owned());
        for text in [
            "What pulls the oceans?",
            "Question: \"What pulls the oceans?\"",
            "Sure. **Q:** What pulls the oceans? The moon does.",
            "1. What pulls the oceans?\n2. When do springs rise?",
            "The question is: What pulls the oceans?",
        ] {
            assert_eq!(found(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_word_that_begins_like_one_that_points_does_not_point() {
        let asked = "What did the textile mills make of cotton?";
        let known = "Text about Cotton:\nMills made cloth of it.";
        assert_eq!(question(asked, known).as_deref(), Some(asked));
    }

    #[test]
    fn what_a_stranger_could_not_understand_is_no_question() {
        for text in [
            "",
            "The moon pulls the oceans.",
            "What is the answer to this question?",
            "What do the oceans do in the text?",
            "Oceans?",
            "How is a cake made without a mixer?",
            &format!("Who {} oceans?", "very ".repeat(60)),
        ] {
            assert_eq!(question(text, TEXT), None, "{text}");
        }
    }
}
