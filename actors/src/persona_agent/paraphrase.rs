//! A person's words without a model: what stands in where the model's would not do.
//!
//! Questions are recast by rules, words replaced by others of the same sense, and the result dressed
//! in the manner of the persona. It is never empty and never the query, and keeps every fact of it,
//! whatever the query is: where no rule leads to that, the query is interrupted in its middle.
//! Deterministic in the random stream; PersonaAgent uses it.

pub(super) mod manner;
mod recast;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::Persona;
use crate::task_maker::tasks::ChallengeForm;

use super::guard::facts::{Facts, spans};
use super::guard::{is_unit, is_verbatim};
use super::words::{Word, folded, words};

use manner::Dress;

/// So many different wordings are tried before the query is only interrupted.
const TRIES: usize = 4;
/// What people say while they think.
const FILLERS: &[&str] = &["you know", "let me think", "how do I put it", "well", "hm"];
/// How people ask for what has but a title.
const ABOUT: &[&str] = &[
    "can you sum up {} for me?",
    "what should I know about {}?",
    "can you give me the gist of {}?",
    "what are the key points about {}?",
    "what's the story with {}?",
];
/// The same in few words.
const IN_SHORT: &[&str] = &["sum up {}", "explain {}", "{} in short?", "main points of {}?"];
/// How people give an order for what follows.
const LEADS: &[&str] = &[
    "can you {}?",
    "could you {}?",
    "would you {} for me?",
    "I need somebody to {}, can you help?",
    "I'm stuck here, can you {}?",
    "please {}.",
];

/// Puts a query about a topic in a persona's words.
#[must_use]
pub fn paraphrase(
    persona: &Persona,
    form: &ChallengeForm,
    query: &str,
    topic: &str,
    random: &mut ChaCha8Rng,
) -> String {
    match form {
        ChallengeForm::Phrased => phrased(persona, query, topic, random),
        ChallengeForm::LeadingTo { order, text } => {
            let order = order.trim_end_matches('.');
            let mut letters = order.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            let order: String = first.chain(letters).collect();
            let asked = pick(LEADS, random).replace("{}", &order);
            let lead = Dress::draw(persona, random).put_on(&asked);
            // An order that reads like the lead must not make the query of the whole.
            let whole = format!("{lead}\n\n{text}");
            if folded(&whole) == folded(query) { format!("{}, {whole}", FILLERS[0]) } else { whole }
        }
    }
}

/// A query about a topic in as few words as the rules find; it keeps what [`paraphrase`] keeps.
#[must_use]
pub fn brief(form: &ChallengeForm, query: &str, topic: &str, random: &mut ChaCha8Rng) -> String {
    if let ChallengeForm::LeadingTo { order, text } = form {
        let whole = format!("{}:\n\n{text}", order.trim_end_matches('.'));
        let is_query = folded(&whole) == folded(query);
        return if is_query { format!("{}, {whole}", FILLERS[0]) } else { whole };
    }
    let facts = Facts::of(query, topic);
    let will_do =
        |text: &String| !is_verbatim(text, query, &facts) && facts.missing_in(text).is_empty();
    let tries: Vec<String> = if facts.is_title {
        let of_title = |way: &str| way.replace("{}", query.trim());
        vec![of_title(pick(IN_SHORT, random)), of_title(pick(IN_SHORT, random))]
    } else {
        (0..2 * TRIES).map(|_| recast::recast(query, &facts, random)).collect()
    };
    let shortest = tries.into_iter().filter(will_do).min_by_key(String::len);
    shortest.unwrap_or_else(|| interrupted(query, FILLERS[FILLERS.len() - 1]))
}

fn phrased(persona: &Persona, query: &str, topic: &str, random: &mut ChaCha8Rng) -> String {
    let facts = Facts::of(query, topic);
    let will_do =
        |text: &String| !is_verbatim(text, query, &facts) && facts.missing_in(text).is_empty();
    for _ in 0..TRIES {
        let core = if facts.is_title {
            pick(ABOUT, random).replace("{}", query.trim())
        } else {
            recast::recast(query, &facts, random)
        };
        let text = Dress::draw(persona, random).put_on(&core);
        if will_do(&text) {
            return text;
        }
    }
    if is_unit(query, &facts) {
        return pick(ABOUT, random).replace("{}", query.trim());
    }
    let mut plain = FILLERS.iter().map(|filler| interrupted(query, filler));
    plain.find(will_do).unwrap_or_else(|| interrupted(query, FILLERS[0]))
}

/// The query with other words in its middle: before a word or a quotation, after a space if it can.
fn interrupted(query: &str, filler: &str) -> String {
    let spans = spans(query);
    let inside = |word: &Word<'_>| spans.iter().any(|span| span.covers(word));
    let free = words(query).into_iter().filter(|word| !inside(word)).map(|word| word.start);
    let mut starts: Vec<usize> = free.chain(spans.iter().map(|span| span.start)).collect();
    starts.sort_unstable();
    let after_space =
        |at: &usize| query.get(..*at).is_some_and(|h| h.ends_with(char::is_whitespace));
    let later = starts.get(1..).unwrap_or_default();
    let spaced: Vec<usize> = later.iter().copied().filter(after_space).collect();
    let places = if spaced.is_empty() { later } else { &spaced };
    let Some(at) = places.get(places.len() / 2) else { return format!("{filler}, {query}") };
    let (head, tail) = query.split_at(*at);
    format!("{}, {filler}, {tail}", head.trim_end().trim_end_matches(','))
}

fn pick<'a>(all: &[&'a str], random: &mut ChaCha8Rng) -> &'a str {
    all[random.random_range(0..all.len())]
}

#[cfg(test)]
mod tests;
