//! What a task takes of its context, and how it puts that to the model. Pure.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{ChatMessage, Context, ContextBody, Role, Section};
use crate::text::sentences::{ends, sentences};

/// Stands in a template for the query, which is not known before the model wrote it.
pub const QUERY: &str = "{query}";

/// All prompts of all tasks begin with it and with the examples, so that they are read once.
const FRAME: &str = "You do exactly what the last line asks for, and write nothing else.";
/// Shown what is meant, a small model does it too.
const EXAMPLES: [(&str, &str); 2] = [
    (
        "Text about Tide:\nTides are the rise and fall of the sea. They are caused by the pull of \
         the moon and the sun on the water.\n\nWrite one clear question that this text answers.",
        "What causes the rise and fall of the sea?",
    ),
    (
        "Text about Magma:\nMolten rock below the ground is called magma. Once it flows out of a \
         volcano it is called lava.\n\nQuestion: How does lava differ from magma?\nAnswer the \
         question from the text.",
        "Both are molten rock. It is called magma while it is below the ground, and lava once it \
         has flowed out of a volcano.",
    ),
];

/// A prompt: what it is about first and what to do with it last, so that all prompts about one
/// thing begin alike and the engine reads the beginning only once.
#[must_use]
pub fn prompt(material: &str, instruction: &str) -> Vec<ChatMessage> {
    let mut messages = vec![ChatMessage::system(FRAME)];
    for (asked, answered) in EXAMPLES {
        messages.push(ChatMessage::user(asked));
        messages.push(ChatMessage { role: Role::Assistant, content: answered.to_owned() });
    }
    messages.push(ChatMessage::user(format!("{}\n\n{instruction}", material.trim())));
    messages
}

/// A template with the query in its place.
#[must_use]
pub fn with_query(template: &str, query: &str) -> String {
    template.replacen(QUERY, query, 1)
}

/// The sections of an article, empty ones left out; none for any other context.
#[must_use]
pub fn sections(context: &Context) -> Vec<&Section> {
    match &context.body {
        ContextBody::Article { sections } => {
            sections.iter().filter(|section| !section.text.trim().is_empty()).collect()
        }
        ContextBody::Maths { .. }
        | ContextBody::DatedFact { .. }
        | ContextBody::Code { .. }
        | ContextBody::Question { .. } => Vec::new(),
    }
}

/// Some neighbouring sections of an article, from a random one on, up to about `words` words.
#[must_use]
pub fn excerpt(context: &Context, words: usize, random: &mut ChaCha8Rng) -> String {
    let sections = sections(context);
    if sections.is_empty() {
        return String::new();
    }
    let start = random.random_range(0..sections.len());
    let mut text = String::new();
    for section in sections.iter().skip(start) {
        let together = word_count(&text) + word_count(&section.text);
        if !text.is_empty() && together > words {
            break;
        }
        text.push_str(&section.text);
        text.push('\n');
    }
    first_words(&text, words)
}

/// So many bytes of text are taken for one word, where a bound is in words: text of a script without
/// spaces, or of no script at all, can be one word of any length.
const BYTES_A_WORD: usize = 16;

/// The first `words` words, up to the end of a sentence where there is one in their second half.
/// Words that are too long to be such end it: nothing is left of a text without spaces.
#[must_use]
pub fn first_words(text: &str, words: usize) -> String {
    let mut bytes = 0;
    let within = |word: &&str| {
        bytes += word.len() + 1;
        bytes <= (words + 1) * BYTES_A_WORD
    };
    let kept: Vec<&str> = text.split_whitespace().take(words + 1).take_while(within).collect();
    if kept.len() <= words {
        return kept.join(" ");
    }
    // With the first word that is too much, so that the end of the cut text is no sentence's end.
    let cut = kept.join(" ");
    let within = cut.len() - kept.last().map_or(0, |last| last.len() + 1);
    match ends(&cut).into_iter().rfind(|end| *end <= within) {
        Some(end) if end >= within / 2 => cut[..end].to_owned(),
        Some(_) | None => cut[..within].to_owned(),
    }
}

/// A text as it stands, up to the end of the last sentence that keeps within so many characters;
/// code is never cut through. `None` if there is no such end.
#[must_use]
pub fn whole_sentences(text: &str, characters: usize) -> Option<&str> {
    let text = text.trim();
    let Some((within, _)) = text.char_indices().nth(characters) else { return Some(text) };
    ends(text).into_iter().rfind(|end| *end <= within).map(|end| &text[..end])
}

/// The finished sentences of a text that have so many words, in order.
#[must_use]
pub fn sentences_of(text: &str, words: std::ops::RangeInclusive<usize>) -> Vec<&str> {
    let finished = |sentence: &&str| sentence.ends_with(|end: char| !end.is_alphanumeric());
    let longest = words.end() * BYTES_A_WORD;
    let fits = |sentence: &&str| sentence.len() <= longest && words.contains(&word_count(sentence));
    sentences(text).into_iter().filter(finished).filter(fits).collect()
}

/// How many words a text has.
#[must_use]
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::task_maker::tasks::testkit;

    #[test]
    fn what_prompts_are_about_comes_first_and_what_is_asked_last() {
        let (one, other) = (prompt("Text.\n", "Ask."), prompt("Text.\n", "Answer."));
        let alike = one.iter().zip(&other).filter(|(one, other)| one == other).count();
        assert_eq!((alike, one.len(), other.len()), (5, 6, 6), "frame and examples");
        assert_eq!(one[5], ChatMessage::user("Text.\n\nAsk."));
        assert_eq!(other[5], ChatMessage::user("Text.\n\nAnswer."));
    }

    #[test]
    fn an_excerpt_ends_with_a_sentence_and_keeps_within_its_words() {
        let text = format!("{}. {}", vec!["aa"; 60].join(" "), vec!["bb"; 60].join(" "));
        let cut = first_words(&text, 100);
        assert!(cut.ends_with("aa.") && word_count(&cut) == 60, "{cut}");
        assert_eq!(first_words("one two", 5), "one two");
        assert_eq!(first_words("It is 3.5 long and wide", 3), "It is 3.5");
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            assert!(word_count(&excerpt(&testkit::article(), 50, &mut random)) <= 50);
        }
    }

    #[test]
    fn text_without_spaces_is_no_passage_and_no_sentence() {
        let endless = "水".repeat(100_000);
        assert_eq!(first_words(&endless, 100), "");
        assert_eq!(first_words(&format!("One two {endless} three"), 100), "One two");
        assert_eq!(sentences_of(&format!("One two three {endless}."), 3..=8), [""; 0]);
        let prose = "The Dutch brought the first tea to Amsterdam. ".repeat(50);
        assert!(word_count(&first_words(&prose, 120)) > 100);
    }

    #[test]
    fn a_text_is_cut_behind_a_sentence_and_never_within_code() {
        let text = "Try it.\n```\na. b\n```\nIt works.";
        assert_eq!(whole_sentences(text, 100), Some(text));
        assert_eq!(whole_sentences(text, text.len() - 1), Some("Try it."));
        assert_eq!(whole_sentences("水は青い。空も青い。", 9), Some("水は青い。"));
        assert_eq!(whole_sentences(&"a".repeat(50), 40), None);
    }

    #[test]
    fn only_finished_sentences_of_the_wanted_length_are_given() {
        let text = "Too short. This one has just the right length. And this is not finished";
        assert_eq!(sentences_of(text, 3..=8), ["This one has just the right length."]);
    }
}
