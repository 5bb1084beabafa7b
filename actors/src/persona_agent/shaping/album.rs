//! Texts of finished conversations, to put around the challenges of others.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Context, ContextBody};

use super::fill::cut_at_sentence;
use super::length::characters;
use super::{Length, MOST_CHARACTERS};

/// So many conversations are kept.
const MOST_PAGES: usize = 256;
/// So many bytes of text are kept.
const MOST_BYTES: usize = 2 << 20;
/// Of a passage, so many characters are kept.
const PASSAGE_CHARACTERS: usize = 4_000;
/// Shorter texts are no passages.
const LEAST_PASSAGE: usize = 200;
/// So many exchanges are looked at for one that has the lengths.
const LOOKED_AT: usize = 12;
/// A byte too many, as code has them, weighs like so many characters too few: those can be filled in.
const SURPLUS: usize = 100;
/// So many passages are enough for any shape.
const PASSAGES: usize = 32;

/// What was asked and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchanged {
    pub(super) challenge: String,
    pub(super) answer: String,
}

/// One finished conversation.
#[derive(Debug)]
struct Page {
    title: String,
    topic: String,
    passage: Option<String>,
    exchange: Option<Exchanged>,
}

impl Page {
    fn bytes(&self) -> usize {
        let exchange = self.exchange.as_ref();
        self.title.len()
            + self.topic.len()
            + self.passage.as_ref().map_or(0, String::len)
            + exchange.map_or(0, |said| said.challenge.len() + said.answer.len())
    }

    /// Whether it could hold a part of the answer to a question about a context.
    fn is_about(&self, context: &Context) -> bool {
        let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        same(&self.title, &context.title) || same(&self.topic, &context.topic)
    }
}

#[derive(Debug, Default)]
struct Pages {
    pages: VecDeque<Page>,
    bytes: usize,
}

/// The last finished conversations of this validator, in number and bytes bounded. A clone is
/// another handle on the same ones.
#[derive(Clone, Debug, Default)]
pub struct Album(Arc<Mutex<Pages>>);

impl Album {
    /// Keeps a conversation that is over: whatever is shown of it helps nobody any more. `exchange`
    /// is what was asked, as the person worded it, and the best answer. Users' own conversations do
    /// not belong here.
    pub fn keep(&self, context: &Context, exchange: Option<(&str, &str)>) {
        let kept = |text: &str| {
            let kept = cut_at_sentence(text, MOST_CHARACTERS);
            (!kept.trim().is_empty()).then_some(kept)
        };
        let exchange = exchange.and_then(|(challenge, answer)| {
            Some(Exchanged { challenge: kept(challenge)?, answer: kept(answer)? })
        });
        let passage = passage(context);
        if passage.is_none() && exchange.is_none() {
            return;
        }
        let (title, topic) = (context.title.clone(), context.topic.clone());
        let page = Page { title, topic, passage, exchange };
        let mut all = self.0.lock();
        all.bytes += page.bytes();
        all.pages.push_back(page);
        while all.pages.len() > MOST_PAGES || all.bytes > MOST_BYTES {
            let Some(oldest) = all.pages.pop_front() else { break };
            all.bytes -= oldest.bytes();
        }
    }

    /// Passages in random order that are about something else than a context.
    pub(super) fn passages(&self, context: &Context, random: &mut ChaCha8Rng) -> Vec<String> {
        let answer = context.text();
        let all = self.0.lock();
        let others = all.pages.iter().filter(|page| !page.is_about(context));
        let mut others: Vec<&String> = others.filter_map(|page| page.passage.as_ref()).collect();
        others.retain(|passage| !answer.contains(passage.as_str()));
        let (drawn, _) = others.partial_shuffle(random, PASSAGES);
        let mut drawn: Vec<String> = drawn.iter().map(|passage| (*passage).clone()).collect();
        // The same source may have been read twice.
        drawn.sort_unstable();
        drawn.dedup();
        drawn.shuffle(random);
        drawn
    }

    /// An exchange about something else than a context: of some, the one that comes closest to two
    /// lengths.
    pub(super) fn exchange(
        &self,
        context: &Context,
        (user, assistant): (Length, Length),
        seen: &[Exchanged],
        random: &mut ChaCha8Rng,
    ) -> Option<Exchanged> {
        let all = self.0.lock();
        let others = all.pages.iter().filter(|page| !page.is_about(context));
        let others = others.filter_map(|page| page.exchange.as_ref());
        let mut others: Vec<&Exchanged> = others.filter(|said| !seen.contains(said)).collect();
        let from = others.len().checked_sub(1)?;
        // Cutting is better than lengthening: what is too long does not count.
        let misses = |text: &str, wanted: Length| {
            let has = Length::of(text);
            let surplus = has.at_most(wanted.characters).beyond().saturating_sub(wanted.beyond());
            wanted.characters.saturating_sub(has.characters) + SURPLUS * surplus
        };
        let off =
            |said: &Exchanged| misses(&said.challenge, user) + misses(&said.answer, assistant);
        for at in 0..LOOKED_AT.min(from) {
            let other = random.random_range(at..=from);
            others.swap(at, other);
        }
        others.truncate(LOOKED_AT);
        others.into_iter().min_by_key(|said| off(said)).cloned()
    }
}

/// The longest section of an article: what people paste. Other sources are short, or code.
fn passage(context: &Context) -> Option<String> {
    let ContextBody::Article { sections } = &context.body else { return None };
    let longest = sections.iter().max_by_key(|section| section.text.len())?;
    let passage = cut_at_sentence(&longest.text, PASSAGE_CHARACTERS);
    (characters(&passage) >= LEAST_PASSAGE).then_some(passage)
}
