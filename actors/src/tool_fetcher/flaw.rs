//! What makes a context useless, whatever it is to be used for: tools answer what they were
//! answered, and that can be anything.

use crate::domain::{Context, ContextBody};

/// The most that a context holds, in bytes of text.
const MOST_BYTES: usize = 512 * 1_024;
/// The fewest words of an article that says anything; whether it says enough is for tasks to judge.
const ARTICLE_WORDS: usize = 3;
/// The fewest words of any other text.
const TEXT_WORDS: usize = 2;
/// One control or replacement character in so many is noise, not a slip.
const NOISE: usize = 100;

/// Why no task can be made of a context, if so.
pub(super) fn flaw(context: &Context) -> Option<&'static str> {
    let parts = parts(context);
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    if bytes > MOST_BYTES {
        return Some("it sent more text than anybody can use");
    }
    if context.title.trim().is_empty() {
        return Some("it sent a text without a title");
    }
    if parts.iter().any(|part| is_noise(part)) {
        return Some("it sent control characters in the place of text");
    }
    if is_too_short(&context.body) {
        return Some("it sent no text, or next to none");
    }
    None
}

fn parts(context: &Context) -> Vec<&str> {
    let mut parts: Vec<&str> =
        vec![&context.source, &context.title, &context.topic, &context.subtopic];
    parts.extend(context.tags.iter().map(String::as_str));
    if let Some(origin) = &context.origin {
        parts.push(&origin.url);
        parts.extend(origin.author.as_deref());
        parts.extend(origin.license.as_deref());
    }
    match &context.body {
        ContextBody::Article { sections } => {
            parts.extend(sections.iter().filter_map(|section| section.heading.as_deref()));
            parts.extend(sections.iter().map(|section| section.text.as_str()));
        }
        ContextBody::Maths { problem, solution } => parts.extend([&**problem, solution]),
        ContextBody::DatedFact { date, section, text } => parts.extend([&**date, section, text]),
        ContextBody::Code { language, text } => parts.extend([&**language, text]),
        ContextBody::Question { question, answer } => parts.extend([&**question, answer]),
    }
    parts
}

fn is_too_short(body: &ContextBody) -> bool {
    let fewer = |text: &str, words: usize| text.split_whitespace().nth(words - 1).is_none();
    match body {
        ContextBody::Article { sections } => {
            let words = sections.iter().flat_map(|section| section.text.split_whitespace());
            words.take(ARTICLE_WORDS).count() < ARTICLE_WORDS
        }
        ContextBody::Maths { problem, solution } => {
            fewer(problem, TEXT_WORDS) || solution.trim().is_empty()
        }
        ContextBody::DatedFact { date, text, .. } => {
            date.trim().is_empty() || fewer(text, TEXT_WORDS)
        }
        ContextBody::Code { text, .. } => fewer(text, TEXT_WORDS),
        ContextBody::Question { question, answer } => {
            fewer(question, TEXT_WORDS) || answer.trim().is_empty()
        }
    }
}

fn is_noise(text: &str) -> bool {
    let noisy =
        |c: char| (c.is_control() && !c.is_whitespace()) || c == char::REPLACEMENT_CHARACTER;
    let noise = text.chars().filter(|c| noisy(*c)).count();
    noise * NOISE > text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Section;

    fn article(text: &str) -> Context {
        Context {
            source: "test".into(),
            title: "Tea".into(),
            topic: "Tea".into(),
            subtopic: "Drinks".into(),
            tags: Vec::new(),
            origin: None,
            body: ContextBody::Article {
                sections: vec![Section { heading: None, text: text.into() }],
            },
        }
    }

    const GOOD: &str = "Tea is grown, picked, dried and drunk all over the world.";

    #[test]
    fn text_with_a_title_is_fine_even_with_a_stray_control_character() {
        assert_eq!(flaw(&article(GOOD)), None);
        assert_eq!(flaw(&article(&format!("{}\u{c}\n{}", GOOD.repeat(3), GOOD))), None);
        let fact = ContextBody::DatedFact {
            date: "1969-07-20".into(),
            section: "Events".into(),
            text: "Moon landing".into(),
        };
        assert_eq!(flaw(&Context { body: fact, ..article("") }), None);
    }

    #[test]
    fn what_is_empty_short_garbled_or_huge_is_of_no_use() {
        for text in ["", " \n", "Tea ceremony", &GOOD.replace('e', "\u{fffd}"), "\u{1}\u{2}"] {
            assert!(flaw(&article(text)).is_some(), "{text:?}");
        }
        assert!(flaw(&article(&GOOD.repeat(20_000))).unwrap().contains("more text"));
        assert!(flaw(&Context { title: " ".into(), ..article(GOOD) }).is_some());
        let body = ContextBody::Question { question: "How do I sort?".into(), answer: "".into() };
        assert!(flaw(&Context { body, ..article("") }).is_some());
        let tags = vec!["\u{0}\u{0}".to_owned()];
        assert!(flaw(&Context { tags, ..article(GOOD) }).is_some());
    }
}
