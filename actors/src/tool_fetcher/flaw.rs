//! What makes a context useless, whatever it is to be used for: tools answer what they were
//! answered, and that can be anything.

use crate::domain::{Context, ContextBody};

/// The most that a context holds, in bytes of text.
const MOST_BYTES: usize = 512 * 1_024;
/// The most of what is one line, such as a title, a heading or a tag, in bytes.
const LINE: usize = 1_024;
/// The most of an address, in bytes.
const ADDRESS: usize = 4_096;
/// The most of a dated fact, a problem or a solution, in bytes: all of it is put to miners.
const STATEMENT: usize = 8_192;
/// The most tags.
const TAGS: usize = 1_000;
/// The fewest words of an article that says anything; whether it says enough is for tasks to judge.
const ARTICLE_WORDS: usize = 3;
/// The fewest words of any other text.
const TEXT_WORDS: usize = 2;
/// One control or replacement character in so many is noise, not a slip.
const NOISE: usize = 100;

/// Why no task can be made of a context, if so.
pub(super) fn flaw(context: &Context) -> Option<&'static str> {
    let (lines, texts) = (lines(context), texts(&context.body));
    let bytes: usize = lines.iter().chain(&texts).map(|part| part.len()).sum();
    if bytes > MOST_BYTES {
        return Some("it sent more text than anybody can use");
    }
    if lines.iter().any(|line| line.len() > LINE) || context.tags.len() > TAGS {
        return Some(
            "it sent a title, a heading, a tag or the like that is none, or too many tags",
        );
    }
    if context.origin.as_ref().is_some_and(|origin| origin.url.len() > ADDRESS) {
        return Some("it sent an address that is none");
    }
    let is_statement =
        matches!(context.body, ContextBody::Maths { .. } | ContextBody::DatedFact { .. });
    if is_statement && texts.iter().any(|text| text.len() > STATEMENT) {
        return Some("it sent a problem or a fact that is too long to be asked");
    }
    if context.title.trim().is_empty() {
        return Some("it sent a text without a title");
    }
    if lines.iter().chain(&texts).any(|part| is_noise(part)) {
        return Some("it sent control characters in the place of text");
    }
    if is_too_short(&context.body) {
        return Some("it sent no text, or next to none");
    }
    None
}

/// All that is a line; the address is bounded by itself, and nobody reads it.
fn lines(context: &Context) -> Vec<&str> {
    let mut lines: Vec<&str> =
        vec![&context.source, &context.title, &context.topic, &context.subtopic];
    lines.extend(context.tags.iter().map(String::as_str));
    if let Some(origin) = &context.origin {
        lines.extend(origin.author.as_deref());
        lines.extend(origin.license.as_deref());
    }
    match &context.body {
        ContextBody::Article { sections } => {
            lines.extend(sections.iter().filter_map(|section| section.heading.as_deref()));
        }
        ContextBody::DatedFact { date, section, .. } => lines.extend([&**date, section]),
        ContextBody::Code { language, .. } => lines.push(language),
        ContextBody::Maths { .. } | ContextBody::Question { .. } => {}
    }
    lines
}

/// All that is running text.
fn texts(body: &ContextBody) -> Vec<&str> {
    match body {
        ContextBody::Article { sections } => {
            sections.iter().map(|section| section.text.as_str()).collect()
        }
        ContextBody::Maths { problem, solution } => vec![problem, solution],
        ContextBody::DatedFact { text, .. } | ContextBody::Code { text, .. } => vec![text],
        ContextBody::Question { question, answer } => vec![question, answer],
    }
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
    use crate::domain::{Origin, Section};
    use crate::testkit::context;

    fn article(text: &str) -> Context {
        context(
            "Tea",
            "Tea",
            "Drinks",
            ContextBody::Article { sections: vec![Section { heading: None, text: text.into() }] },
        )
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

    #[test]
    fn no_single_part_is_longer_than_what_it_is_for() {
        let long = "tea ".repeat(300);
        let heading = Some(long.clone());
        let body = ContextBody::Article { sections: vec![Section { heading, text: GOOD.into() }] };
        let url = "https://example.org/".repeat(300);
        let origin = Some(Origin { url, author: None, license: None });
        let fact = ContextBody::DatedFact {
            date: "1969-07-20".into(),
            section: "Events".into(),
            text: "Moon landing ".repeat(1_000),
        };
        let problem = ContextBody::Maths { problem: "1 + ".repeat(3_000), solution: "3000".into() };
        for context in [
            Context { title: long.clone(), ..article(GOOD) },
            Context { topic: long.clone(), ..article(GOOD) },
            Context { tags: vec!["tea".into(); 2_000], ..article(GOOD) },
            Context { origin, ..article(GOOD) },
            Context { body, ..article("") },
            Context { body: fact, ..article("") },
            Context { body: problem, ..article("") },
        ] {
            assert!(flaw(&context).is_some(), "{:?}", context.body);
        }
        assert_eq!(flaw(&article(&GOOD.repeat(1_000))), None);
    }
}
