//! Questions and orders in other words, by rules on their first words.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{FILLERS, interrupted, pick};
use crate::persona_agent::guard::facts::{Facts, Span, spans};
use crate::persona_agent::words::{AUXILIARIES, Word, words};
use crate::text::sentences::STOPS;

const EXACTLY: &[&str] = &["exactly", "actually", "in fact"];
const KNOWING: &[&str] = &["do you know", "can you tell me", "any idea", "do you happen to know"];
const ASKING: &[&str] = &["can you", "could you", "would you"];
/// What the person cannot see.
const OUT_OF_SIGHT: &[&str] = &[
    ", according to the text",
    ", according to the passage",
    ", according to the context",
    ", according to the article",
    " according to the text",
    " according to the passage",
    " according to the context",
    " according to the article",
    " mentioned in the text",
    " mentioned in the passage",
    " described in the text",
    " described in the passage",
    " in the given text",
    " in the passage",
    " in the text",
];
/// Adverbs that say no more than that a rule has exceptions.
const HEDGES: &[&str] = &["typically", "generally", "commonly", "usually"];
/// After one of these a hedge is what is asked about, or says more.
const WEIGHING: &[&str] =
    &["how", "more", "most", "less", "least", "not", "so", "as", "too", "very"];
/// Words and others of the same sense that fit wherever they stand.
const SYNONYMS: &[(&str, &str)] = &[
    ("advantages", "upsides"),
    ("disadvantages", "downsides"),
    ("approximately", "roughly"),
    ("beneath", "under"),
    ("currently", "now"),
    ("frequently", "often"),
    ("individuals", "people"),
    ("largest", "biggest"),
    ("located", "situated"),
    ("nearly", "almost"),
    ("numerous", "many"),
    ("obtain", "get"),
    ("primarily", "mainly"),
    ("utilize", "use"),
    ("utilized", "used"),
];
/// Verbs, of which some stand before nouns as adjectives; there they have another sense.
const VERBS: &[(&str, &str)] = &[
    ("constructed", "built"),
    ("depicted", "shown"),
    ("discovered", "found"),
    ("established", "set up"),
    ("founded", "set up"),
    ("occurred", "happened"),
    ("purchased", "bought"),
    ("transported", "carried"),
];
/// What follows a verb and no adjective; nothing does so too.
const AFTER_VERBS: &[&str] = &["by", "in", "during", "from", "the", "a", "an", "this", "that"];
/// Words that have this sense before these words only.
const BEFORE: &[(&str, &str, &str)] = &[
    ("amount", "of", "quantity"),
    ("benefits", "of", "upsides"),
    ("characteristics", "of", "traits"),
    ("composed", "of", "made up"),
    ("purpose", "of", "point"),
    ("regarded", "as", "seen"),
    ("type", "of", "kind"),
    ("types", "of", "kinds"),
];
/// Orders and how people give them.
const ORDERS: &[(&str, &str)] = &[
    ("calculate", "work out"),
    ("compute", "work out"),
    ("correct", "fix"),
    ("describe", "tell me about"),
    ("determine", "find out"),
    ("discuss", "talk me through"),
    ("explain", "walk me through"),
    ("find", "figure out"),
    ("identify", "point out"),
    ("list", "name"),
    ("outline", "sketch out"),
    ("provide", "give me"),
    ("solve", "work out"),
    ("summarise", "sum up"),
    ("summarize", "sum up"),
];
/// Before one of these an order is put differently.
const NO_OBJECTS: &[&str] =
    &["to", "in", "with", "for", "from", "by", "as", "at", "on", "me", "us", "and", "or"];
/// Orders to make something, and what something begins with.
const MAKING: &[&str] =
    &["write", "create", "generate", "compose", "suggest", "propose", "draft", "design"];
const SOMETHING: &[&str] = &["a", "an", "some", "one", "two", "three", "four", "five", "several"];

/// A query in other words. It may have lost a fact, or be what it was: whoever calls looks.
pub(super) fn recast(query: &str, facts: &Facts, random: &mut ChaCha8Rng) -> String {
    let seen = without_out_of_sight(query.trim());
    let (before, last) = last_sentence(&seen);
    let question = last.trim_end_matches(['?', '.', '!', ' ']);
    let other = reworded(question, facts, random);
    let asked = asked_otherwise(&other, facts, random);
    let mark = if asked.ends_with(STOPS) { "" } else { "?" };
    format!("{before}{asked}{mark}")
}

fn without_out_of_sight(query: &str) -> String {
    let mut seen = query.to_owned();
    for phrase in OUT_OF_SIGHT {
        if let Some(at) = seen.to_ascii_lowercase().find(phrase) {
            seen.replace_range(at..at + phrase.len(), "");
        }
    }
    seen
}

/// All sentences but the last, and the last.
fn last_sentence(text: &str) -> (&str, &str) {
    let opening = words(text).into_iter().rfind(|word| word.opens).map_or(0, |word| word.start);
    text.split_at_checked(opening).unwrap_or(("", text))
}

/// Whether a word has to stay as it is.
fn is_kept(word: &Word<'_>, spans: &[Span<'_>], facts: &Facts) -> bool {
    spans.iter().any(|span| span.covers(word))
        || facts.names.iter().chain(&facts.code).any(|fact| fact == word.text)
}

/// Some words replaced by others of the same sense, some hedges left out.
fn reworded(text: &str, facts: &Facts, random: &mut ChaCha8Rng) -> String {
    let (all, spans) = (words(text), spans(text));
    let lower: Vec<String> = all.iter().map(|word| word.text.to_lowercase()).collect();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, word) in all.iter().enumerate() {
        if !random.random_bool(0.7) || is_kept(word, &spans, facts) {
            continue;
        }
        let Some(other) = other_word(&lower, at) else { continue };
        out.push_str(text.get(from..word.start).unwrap_or_default());
        out.push_str(other);
        from = word.end();
        if other.is_empty() && text.get(from..).is_some_and(|rest| rest.starts_with(' ')) {
            from += 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// What a word may be replaced by where it stands; by nothing if it may be left out.
fn other_word(lower: &[String], at: usize) -> Option<&'static str> {
    let word = lower.get(at)?.as_str();
    let next = lower.get(at + 1).map(String::as_str);
    let of = |pairs: &'static [(&'static str, &'static str)]| {
        pairs.iter().find(|(one, _)| *one == word).map(|(_, other)| *other)
    };
    if HEDGES.contains(&word) {
        return may_be_left_out(lower, at).then_some("");
    }
    if let Some((_, _, other)) =
        BEFORE.iter().find(|(one, before, _)| *one == word && next == Some(*before))
    {
        return Some(other);
    }
    let verb = next.is_none_or(|next| AFTER_VERBS.contains(&next));
    of(SYNONYMS).or_else(|| of(VERBS).filter(|_| verb))
}

/// Whether a hedge is not what a question is about: it is not asked whether or why it is so, and
/// other words follow that are.
fn may_be_left_out(lower: &[String], at: usize) -> bool {
    let first = lower.first().map_or("", String::as_str);
    let before = at.checked_sub(1).and_then(|at| lower.get(at)).map_or("", String::as_str);
    let asked = first == "why" || AUXILIARIES.contains(&first) || WEIGHING.contains(&before);
    !asked && at > 0 && at + 1 < lower.len()
}

/// The question or order with another frame.
fn asked_otherwise(text: &str, facts: &Facts, random: &mut ChaCha8Rng) -> String {
    let all = words(text);
    let lower: Vec<String> = all.iter().map(|word| word.text.to_lowercase()).collect();
    let from = |at: usize| {
        let start = all.get(at).map_or(text.len(), |word| word.start);
        text.get(start..).unwrap_or_default()
    };
    let Some(first) = lower.first() else { return text.to_owned() };
    let second = lower.get(1).map_or("", String::as_str);
    let be = matches!(second, "is" | "are" | "was" | "were");
    if let Some(order) = other_order(first, second) {
        return format!("{} {order} {}", pick(ASKING, random), from(1));
    }
    if first == "what" && be {
        if let Some(other) = by_noun(&lower, second, &from) {
            return other;
        }
        if !is_verbal(lower.get(2)) {
            return as_noun(first, second, from(2), random);
        }
    }
    if first == "who" && be && !is_verbal(lower.get(2)) {
        return as_noun(first, second, from(2), random);
    }
    let auxiliary = lower.iter().take(6).position(|word| AUXILIARIES.contains(&word.as_str()));
    match (first.as_str(), auxiliary) {
        (_, Some(at)) if at > 0 => {
            let (head, tail) = (text.get(..all[at].start).unwrap_or_default(), from(at));
            format!("{} {} {tail}", uncapitalised(head.trim_end(), facts), pick(EXACTLY, random))
        }
        ("who" | "what", None) => {
            let past = second.ends_with("ed") || first == "who";
            format!("{first} {} it that {}", if past { "was" } else { "is" }, from(1))
        }
        _ => uncapitalised(&interrupted(text, pick(FILLERS, random)), facts),
    }
}

/// How people give an order that goes on with a word.
fn other_order(order: &str, next: &str) -> Option<&'static str> {
    if MAKING.contains(&order) {
        return SOMETHING.contains(&next).then_some("come up with");
    }
    let other = ORDERS.iter().find(|(one, _)| *one == order).map(|(_, other)| *other);
    let manner = next.ends_with("ly") || NO_OBJECTS.contains(&next);
    other.filter(|_| !manner && !next.is_empty())
}

/// What is asked by a noun is asked by a verb: `the purpose of X`, `the difference between X and Y`.
fn by_noun<'a>(lower: &[String], be: &str, from: &impl Fn(usize) -> &'a str) -> Option<String> {
    let word = |at: usize| lower.get(at).map_or("", String::as_str);
    let (noun, link, rest) = (word(3), word(4), from(5));
    if word(2) != "the" || rest.is_empty() {
        return None;
    }
    match (noun, link) {
        ("function" | "purpose" | "point" | "use", "of") => Some(format!("what {be} {rest} for")),
        ("difference", "between") if !rest.contains(|c: char| c.is_ascii_digit()) => {
            Some(format!("how do {rest} differ"))
        }
        ("name", "of" | "for") if be == "is" => Some(format!("what do people call {rest}")),
        ("meaning", "of") => Some(format!("what's meant by {rest}")),
        ("significance" | "importance", "of") => Some(format!("what makes {rest} matter")),
        ("cause" | "causes", "of") if matches!(be, "is" | "are") => {
            Some(format!("what leads to {rest}"))
        }
        _ => None,
    }
}

/// `What is X?` is asked as `X, what is that?` or within another question.
fn as_noun(asking: &str, be: &str, noun: &str, random: &mut ChaCha8Rng) -> String {
    /// Longer nouns are no good before a verb.
    const LONG: usize = 9;
    let that = if matches!(be, "is" | "was") { "that" } else { "those" };
    if noun.split_whitespace().count() <= LONG && random.random() {
        format!("{} {asking} {noun} {be}", pick(KNOWING, random))
    } else {
        format!("{noun}, {asking} {be} {that}")
    }
}

/// Whether a word after `what is` goes on with the verb, as in `what is used to`.
fn is_verbal(word: Option<&String>) -> bool {
    word.is_none_or(|word| word.ends_with("ed") || word.ends_with("ing") || word == "made")
}

/// A text that no longer begins a sentence.
fn uncapitalised(text: &str, facts: &Facts) -> String {
    let Some(first) = words(text).into_iter().next() else { return text.to_owned() };
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) if letter.is_uppercase() && !is_kept(&first, &spans(text), facts) => {
            letter.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
