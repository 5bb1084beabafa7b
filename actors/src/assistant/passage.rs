//! Which part of a context an agent reads before it answers. Pure.

use std::collections::BTreeSet;

use crate::domain::{Context, ContextBody};

/// The sections that share most words with a question, in reading order, up to about `words` words.
/// The lead counts as a match of its own: it says what the rest is about.
pub(super) fn best(context: &Context, question: &str, words: usize) -> String {
    let ContextBody::Article { sections } = &context.body else {
        return first(&context.text(), words);
    };
    let asked = vocabulary(question);
    let shared = |text: &str| vocabulary(text).intersection(&asked).count();
    let mut ranked: Vec<(usize, usize)> = sections
        .iter()
        .enumerate()
        .map(|(index, section)| (shared(&section.text) + usize::from(index == 0), index))
        .collect();
    ranked.sort_by_key(|(shared, index)| (std::cmp::Reverse(*shared), *index));
    let mut chosen = BTreeSet::new();
    let mut total = 0;
    for (_, index) in ranked {
        let length = sections[index].text.split_whitespace().count();
        if total > 0 && total + length > words {
            break;
        }
        chosen.insert(index);
        total += length;
    }
    let texts: Vec<&str> = chosen.iter().map(|index| sections[*index].text.as_str()).collect();
    first(&texts.join("\n"), words)
}

fn vocabulary(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().count() > 3).map(str::to_lowercase).collect()
}

fn first(text: &str, words: usize) -> String {
    text.split_whitespace().take(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Section;
    use crate::testkit::context;

    #[test]
    fn the_section_that_the_question_is_about_is_read() {
        let section = |text: &str| Section { heading: None, text: text.into() };
        let context = context(
            "Tea",
            "Tea",
            "Drinks",
            ContextBody::Article {
                sections: vec![
                    section("Tea is a drink made from leaves."),
                    section("It was first drunk in China."),
                    section("Black leaves are oxidised before they are dried."),
                ],
            },
        );
        let passage = best(&context, "How are the leaves oxidised?", 15);
        assert!(passage.contains("oxidised") && !passage.contains("China"), "{passage}");
    }
}
