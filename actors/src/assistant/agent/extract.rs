//! The sentences of a context that an answer is made of. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Context, ContextBody};
use crate::text::plain_words::plain_words;
use crate::text::sentences::sentences;

/// The best sentences stand together, within so many words.
const PASSAGE: usize = 130;
/// So many sentences of a context are looked at.
const MOST: usize = 2_000;
/// Shorter words say nothing of a subject.
const LETTERS: usize = 4;
/// A lead has as many words; less of an article says what it is about.
const LEAD: usize = 160;

/// What a context says of what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extract {
    /// The sentences that answer best, in their order.
    pub(super) best: String,
    /// The passage that they are from.
    pub(super) passage: String,
}

impl Extract {
    /// Whether a text takes something from the passage: words that what asks does not have itself.
    pub(super) fn is_used_in(&self, text: &str, asks: &str) -> bool {
        let (passage, asks, text) = (vocabulary(&self.passage), vocabulary(asks), vocabulary(text));
        text.intersection(&passage).any(|word| !asks.contains(word))
    }
}

/// The beginning of a context, which says what it is about.
pub(super) fn lead(context: &Context, count: usize) -> Option<Extract> {
    let text = match &context.body {
        ContextBody::Question { answer, .. } => answer.clone(),
        _ => context.text(),
    };
    let all = sentences(&text);
    let passage = all.get(..fitting(&all, LEAD))?;
    let best = passage.get(..count).unwrap_or(passage);
    (!best.is_empty()).then(|| Extract { best: best.join(" "), passage: passage.join(" ") })
}

/// The sentences of a context that have most in common with a question, in their order and of one
/// passage; the first ones, where that is nothing but the subject.
pub(super) fn best(context: &Context, asked: &str, count: usize) -> Option<Extract> {
    let subject = vocabulary(&context.title);
    let words: BTreeSet<String> = vocabulary(asked).difference(&subject).cloned().collect();
    let weights = Weights::of(context);
    let mut best: Option<(f64, Extract)> = None;
    for text in texts(context) {
        let all: Vec<&str> = sentences(text).into_iter().take(MOST).collect();
        let scores: Vec<f64> = all.iter().map(|one| weights.shared(one, &words)).collect();
        for from in 0..all.len() {
            let rest = all.get(from..).unwrap_or_default();
            let to = from + fitting(rest, PASSAGE);
            let inside = scores.get(from..to).unwrap_or_default();
            let score =
                inside.iter().sum::<f64>() + 2.0 * inside.iter().copied().fold(0.0, f64::max);
            if score > best.as_ref().map_or(0.0, |(most, _)| *most) {
                let window = all.get(from..to).unwrap_or_default();
                let found = ranked(window, inside, count);
                best = Some((score, Extract { best: found, passage: window.join(" ") }));
            }
        }
    }
    best.map(|(_, extract)| extract).or_else(|| lead(context, count))
}

/// The sentences of a passage with the highest scores, in their order.
fn ranked(passage: &[&str], scores: &[f64], count: usize) -> String {
    let mut all: Vec<(usize, f64, &str)> = passage
        .iter()
        .zip(scores)
        .enumerate()
        .map(|(at, (one, score))| (at, *score, *one))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(count);
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter().map(|(_, _, sentence)| sentence).collect::<Vec<_>>().join(" ")
}

/// How much a word tells: the rarer in the context, the more.
struct Weights(BTreeMap<String, usize>);

impl Weights {
    fn of(context: &Context) -> Self {
        let mut counts = BTreeMap::new();
        for text in texts(context) {
            for sentence in sentences(text).into_iter().take(MOST) {
                for word in vocabulary(sentence) {
                    *counts.entry(word).or_insert(0) += 1;
                }
            }
        }
        Self(counts)
    }

    fn shared(&self, sentence: &str, words: &BTreeSet<String>) -> f64 {
        let tells =
            |word: &String| self.0.get(word).map_or(0.0, |count| 1.0 / (*count as f64).sqrt());
        vocabulary(sentence).intersection(words).map(tells).sum()
    }
}

fn texts(context: &Context) -> Vec<&str> {
    match &context.body {
        ContextBody::Article { sections } => sections.iter().map(|one| one.text.as_str()).collect(),
        ContextBody::Maths { problem, .. } => vec![problem],
        ContextBody::DatedFact { text, .. } | ContextBody::Code { text, .. } => vec![text],
        ContextBody::Question { answer, .. } => vec![answer],
    }
}

/// The stems of the words of a text that say something of its subject.
pub(super) fn vocabulary(text: &str) -> BTreeSet<String> {
    let words = plain_words(text).into_iter();
    words.filter(|word| word.chars().count() >= LETTERS).map(|word| stem(&word)).collect()
}

/// How many words of a sentence are among these.
pub(super) fn shared(sentence: &str, words: &BTreeSet<String>) -> usize {
    vocabulary(sentence).intersection(words).count()
}

/// A word without its usual endings: `enters` and `entered` are one.
fn stem(word: &str) -> String {
    let endings = ["ing", "ied", "ies", "ed", "es", "s"];
    let cut = endings.iter().find_map(|ending| word.strip_suffix(ending));
    cut.filter(|stem| stem.chars().count() >= LETTERS).unwrap_or(word).to_owned()
}

/// How many of these sentences, one at least, have no more than so many words together.
fn fitting(sentences: &[&str], words: usize) -> usize {
    let mut total = 0;
    let mut fitting = 0;
    for sentence in sentences {
        total += sentence.split_whitespace().count();
        if fitting > 0 && total > words {
            break;
        }
        fitting += 1;
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Section;
    use crate::testkit::context;

    fn tea() -> Context {
        let section = |text: &str| Section { heading: None, text: text.into() };
        let body = ContextBody::Article {
            sections: vec![
                section("Tea is a drink made from leaves. It is drunk all over the world."),
                section("It was first drunk in China. Monks brought it to Japan."),
                section("Black leaves are oxidised before they are dried. Green ones are not."),
            ],
        };
        context("Tea", "Tea", "Drinks", body)
    }

    #[test]
    fn the_best_sentences_are_of_what_the_question_is_about_and_else_the_first() {
        let best = |asked: &str, count: usize| best(&tea(), asked, count).unwrap().best;
        let oxidised = "Black leaves are oxidised before they are dried.";
        assert_eq!(best("How are the leaves of tea oxidised?", 1), oxidised);
        let both = format!("{oxidised} Green ones are not.");
        assert_eq!(best("How are the leaves of tea oxidised?", 3), both);
        assert!(best("Why tea?", 2).starts_with("Tea is a drink made from leaves."));
    }

    #[test]
    fn a_lead_is_the_first_sentences_across_sections() {
        let Extract { best, passage } = lead(&tea(), 3).unwrap();
        assert!(best.starts_with("Tea is a drink"), "{best}");
        assert!(best.ends_with("It was first drunk in China."), "{best}");
        assert!(passage.starts_with(&best) && passage.ends_with("Green ones are not."));
    }

    #[test]
    fn a_context_without_a_sentence_leaves_nothing_to_say() {
        let empty = context("Tea", "Tea", "Drinks", ContextBody::Article { sections: vec![] });
        assert_eq!((best(&empty, "Why?", 3), lead(&empty, 5)), (None, None));
    }
}
