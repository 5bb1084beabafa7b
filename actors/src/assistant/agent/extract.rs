//! What of a context an answer is made of: a passage for the model to read, and the sentences that
//! are the answer where it does not write a good one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Context, ContextBody};
use crate::text::plain_words::plain_words;
use crate::text::sentences::{STOPS, sentences};

/// So many words are read by the model: a small one loses the thread in more.
const PASSAGE: usize = 130;
/// A finished answer has about as many words.
const ANSWER: usize = 55;
/// An answer of the model that is shorter is completed.
const SHORT: usize = 35;
/// Fewer words are no answer.
const FEW: usize = 5;
/// So many sentences of a context are looked at.
const MOST: usize = 2_000;
/// Shorter words say nothing of a subject.
const LETTERS: usize = 4;
/// A sentence of whose words so large a part is said already says nothing new.
const SAID: f64 = 0.7;
/// So large a part of the words of a text that keeps to a passage are in it.
const KEPT: f64 = 0.4;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// What the model reads.
    pub(super) passage: String,
    /// The sentences of it, the best first.
    best: Vec<String>,
}

impl Found {
    /// The beginning of a context, which says what it is about.
    pub(super) fn lead(context: &Context) -> Self {
        let text = context.text();
        let all: Vec<&str> = sentences(&text).into_iter().take(MOST).collect();
        let end = fitting(all.iter(), PASSAGE);
        let lead = all.get(..end).unwrap_or_default();
        Self { passage: joined(lead), best: lead.iter().map(ToString::to_string).collect() }
    }

    /// The part of a context that has most in common with a question; its beginning, where that is
    /// nothing but the subject.
    pub(super) fn about(context: &Context, asked: &str) -> Self {
        let subject = vocabulary(&context.title);
        let words: BTreeSet<String> = vocabulary(asked).difference(&subject).cloned().collect();
        let weights = Weights::of(context);
        let mut best: Option<(f64, Self)> = None;
        for text in texts(context) {
            let all: Vec<&str> = sentences(text).into_iter().take(MOST).collect();
            let scores: Vec<f64> = all.iter().map(|one| weights.shared(one, &words)).collect();
            for from in 0..all.len() {
                let rest = all.get(from..).unwrap_or_default();
                let to = from + fitting(rest.iter(), PASSAGE);
                let inside = scores.get(from..to).unwrap_or_default();
                let score =
                    inside.iter().sum::<f64>() + 2.0 * inside.iter().copied().fold(0.0, f64::max);
                if score > best.as_ref().map_or(0.0, |(most, _)| *most) {
                    let window = all.get(from..to).unwrap_or_default();
                    best = Some((score, Self::ranked(window, inside)));
                }
            }
        }
        best.map_or_else(|| Self::lead(context), |(_, found)| found)
    }

    fn ranked(window: &[&str], scores: &[f64]) -> Self {
        let mut ranked: Vec<(f64, usize)> =
            scores.iter().copied().enumerate().map(|(at, score)| (score, at)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let best = ranked.iter().filter_map(|(_, at)| window.get(*at)).map(ToString::to_string);
        Self { passage: joined(window), best: best.collect() }
    }

    /// The best sentences alone, in the order of the text.
    pub(super) fn alone(&self) -> String {
        let mut chosen: Vec<&str> =
            self.best.iter().take(fitting(self.best.iter(), ANSWER)).map(String::as_str).collect();
        chosen.sort_by_key(|sentence| self.passage.find(sentence));
        chosen.join(" ")
    }

    /// The model's text, and what it lacks; the best sentences, if it is of no use.
    pub(super) fn completed(&self, text: &str) -> String {
        let text = finished(text);
        if !self.keeps_to(&text) {
            return self.alone();
        }
        let mut answer = text;
        let mut words = count(&answer);
        for sentence in &self.best {
            if words >= SHORT {
                break;
            }
            let said: BTreeSet<String> = plain_words(&answer).into_iter().collect();
            let new = plain_words(sentence);
            let known = new.iter().filter(|word| said.contains(*word)).count();
            if (known as f64) < SAID * new.len() as f64 && words + new.len() <= ANSWER + SHORT {
                answer = format!("{answer} {sentence}");
                words += new.len();
            }
        }
        answer
    }

    /// Whether a text is an answer from the passage, and not over and over the same.
    fn keeps_to(&self, text: &str) -> bool {
        let words = plain_words(text);
        let different: BTreeSet<&String> = words.iter().collect();
        let own = vocabulary(text);
        let kept = own.intersection(&vocabulary(&self.passage)).count();
        words.len() >= FEW
            && 2 * different.len() >= words.len()
            && kept as f64 >= KEPT * own.len() as f64
    }
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
fn fitting<T: AsRef<str>>(sentences: impl Iterator<Item = T>, words: usize) -> usize {
    let mut total = 0;
    let mut fitting = 0;
    for sentence in sentences {
        total += count(sentence.as_ref());
        if fitting > 0 && total > words {
            break;
        }
        fitting += 1;
    }
    fitting
}

fn joined(sentences: &[&str]) -> String {
    sentences.join(" ")
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// A text without a last sentence that breaks off, unless there is no other.
fn finished(text: &str) -> String {
    let mut all = sentences(text);
    let breaks_off = all.last().is_some_and(|last| !last.ends_with(STOPS));
    if breaks_off && all.len() > 1 {
        all.pop();
    }
    joined(&all)
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
    fn the_part_that_the_question_is_about_is_read_and_the_lead_for_the_whole() {
        let found = Found::about(&tea(), "How are the leaves of tea oxidised?");
        assert!(found.alone().starts_with("Black leaves are oxidised"), "{found:?}");
        assert!(!found.passage.contains("China"));
        assert!(Found::about(&tea(), "Why tea?").passage.starts_with("Tea is a drink"));
        assert!(Found::lead(&tea()).alone().starts_with("Tea is a drink made from leaves."));
    }

    #[test]
    fn a_short_text_of_the_model_is_completed_and_one_that_breaks_off_is_cut() {
        let found = Found::about(&tea(), "How are the leaves oxidised?");
        let answer = found.completed("The black leaves are oxidised in the air. And then they");
        let expected = "The black leaves are oxidised in the air. Black leaves are oxidised before \
                        they are dried. Green ones are not.";
        assert_eq!(answer, expected);
    }

    #[test]
    fn what_is_of_no_use_gives_way_to_the_sentences_themselves() {
        let found = Found::lead(&tea());
        let loops = "tea leaves tea leaves tea leaves tea leaves tea leaves tea leaves";
        let strays = "Certainly! I would gladly help you understand anything whatever today.";
        for text in ["", "Tea.", loops, strays] {
            assert_eq!(found.completed(text), found.alone(), "{text}");
        }
    }

    #[test]
    fn a_context_without_a_sentence_leaves_nothing_to_say() {
        let empty = context("Tea", "Tea", "Drinks", ContextBody::Article { sections: vec![] });
        assert_eq!(Found::about(&empty, "Why?").alone(), "");
    }
}
