//! Questions and orders in other words, by rules on their first words.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{FILLERS, interrupted, pick};
use crate::persona_agent::guard::facts::{Facts, spans};
use crate::persona_agent::words::{Word, words};

/// Verbs that stand before the subject of a question.
const AUXILIARIES: &[&str] = &[
    "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can", "could", "will",
    "would", "should", "may", "might", "must",
];
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
/// What is said less by a person than by a quiz.
const DECORATION: &[&str] = &[
    "main",
    "primary",
    "major",
    "key",
    "various",
    "specific",
    "particular",
    "famous",
    "important",
    "certain",
    "typically",
    "generally",
    "commonly",
    "usually",
    "often",
    "mainly",
    "primarily",
    "notable",
    "significant",
    "traditionally",
    "originally",
    "potential",
];
/// Words and others of the same sense that fit into the same place.
const SYNONYMS: &[(&str, &str)] = &[
    ("benefits", "upsides"),
    ("advantages", "upsides"),
    ("disadvantages", "downsides"),
    ("characteristics", "traits"),
    ("features", "traits"),
    ("purpose", "point"),
    ("function", "job"),
    ("role", "part"),
    ("method", "way"),
    ("methods", "ways"),
    ("technique", "trick"),
    ("techniques", "tricks"),
    ("located", "found"),
    ("famous", "known"),
    ("discovered", "found"),
    ("invented", "came up with"),
    ("created", "made"),
    ("constructed", "built"),
    ("established", "set up"),
    ("founded", "set up"),
    ("developed", "worked out"),
    ("produced", "made"),
    ("produces", "makes"),
    ("produce", "make"),
    ("utilized", "used"),
    ("employed", "used"),
    ("required", "needed"),
    ("contains", "has in it"),
    ("contain", "have in them"),
    ("composed", "made up"),
    ("considered", "seen as"),
    ("regarded", "seen"),
    ("largest", "biggest"),
    ("smallest", "tiniest"),
    ("significance", "weight"),
    ("difference", "contrast"),
    ("differences", "contrasts"),
    ("reason", "cause"),
    ("reasons", "causes"),
    ("effect", "impact"),
    ("effects", "impacts"),
    ("occur", "happen"),
    ("occurs", "happens"),
    ("occurred", "happened"),
    ("obtain", "get"),
    ("acquire", "get"),
    ("assist", "help"),
    ("prevent", "stop"),
    ("allows", "lets"),
    ("enables", "lets"),
    ("transported", "carried"),
    ("country", "land"),
    ("individuals", "people"),
    ("type", "kind"),
    ("types", "kinds"),
    ("amount", "quantity"),
];
/// Orders and how people give them.
const ORDERS: &[(&str, &str)] = &[
    ("write", "put together"),
    ("explain", "walk me through"),
    ("describe", "tell me about"),
    ("list", "name"),
    ("summarize", "sum up"),
    ("summarise", "sum up"),
    ("compare", "contrast"),
    ("calculate", "work out"),
    ("compute", "work out"),
    ("determine", "find out"),
    ("identify", "point out"),
    ("define", "tell me the meaning of"),
    ("create", "come up with"),
    ("generate", "come up with"),
    ("compose", "come up with"),
    ("suggest", "come up with"),
    ("provide", "give me"),
    ("give", "get me"),
    ("discuss", "talk me through"),
    ("outline", "sketch"),
    ("translate", "turn"),
    ("convert", "turn"),
    ("correct", "fix"),
    ("fix", "mend"),
    ("solve", "work out"),
    ("find", "figure out"),
    ("name", "list"),
    ("rewrite", "reword"),
    ("make", "come up with"),
    ("draft", "put together"),
    ("classify", "sort"),
    ("propose", "come up with"),
    ("prove", "show"),
    ("show", "tell"),
];

/// A query in other words. It may have lost a fact, or be what it was: whoever calls looks.
pub(super) fn recast(query: &str, facts: &Facts, random: &mut ChaCha8Rng) -> String {
    let seen = without_out_of_sight(query.trim());
    let (before, last) = last_sentence(&seen);
    let question = last.trim_end_matches(['?', '.', '!', ' ']);
    let other = reworded(question, facts, random);
    let asked = asked_otherwise(&other, facts, random);
    let mark = if asked.ends_with(['?', '.', '!', '？', '。', '؟']) { "" } else { "?" };
    format!("{before}{asked}{mark}")
}

fn without_out_of_sight(query: &str) -> String {
    let mut seen = query.to_owned();
    for phrase in OUT_OF_SIGHT {
        // Lower case may have other lengths, but not where all of it is ASCII.
        if seen.is_ascii()
            && let Some(at) = seen.to_lowercase().find(phrase)
        {
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
fn is_kept(word: &Word<'_>, text: &str, facts: &Facts) -> bool {
    let quoted = spans(text).iter().any(|span| span.start <= word.start && word.end() <= span.end);
    quoted || facts.names.iter().chain(&facts.code).any(|fact| fact == word.text)
}

/// Some words replaced by others, some decoration left out.
fn reworded(text: &str, facts: &Facts, random: &mut ChaCha8Rng) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for word in words(text) {
        let (lower, chance) = (word.text.to_lowercase(), random.random_bool(0.7));
        if !chance || is_kept(&word, text, facts) {
            continue;
        }
        let synonym = SYNONYMS.iter().find(|(one, _)| *one == lower).map(|(_, other)| *other);
        let other = if DECORATION.contains(&lower.as_str()) { Some("") } else { synonym };
        let Some(other) = other else { continue };
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
    if let Some((_, order)) = ORDERS.iter().find(|(order, _)| order == first) {
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

/// What is asked by a noun is asked by a verb: `the purpose of X`, `the difference between X and Y`.
fn by_noun<'a>(lower: &[String], be: &str, from: &impl Fn(usize) -> &'a str) -> Option<String> {
    let word = |at: usize| lower.get(at).map_or("", String::as_str);
    let (noun, link, rest) = (word(3), word(4), from(5));
    if word(2) != "the" || rest.is_empty() {
        return None;
    }
    match (noun, link) {
        ("function" | "purpose" | "job" | "point" | "use", "of") => {
            Some(format!("what {be} {rest} for"))
        }
        ("difference" | "contrast", "between") => Some(format!("how do {rest} differ")),
        ("name", "of" | "for") => Some(format!("what do people call {rest}")),
        ("meaning", "of") => Some(format!("what's meant by {rest}")),
        ("significance" | "importance" | "weight", "of") => {
            Some(format!("what makes {rest} matter"))
        }
        ("cause" | "causes" | "reason", "of" | "for" | "behind") => {
            Some(format!("what leads to {rest}"))
        }
        ("origin", "of") => Some(format!("where does {rest} come from")),
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
        Some(letter) if letter.is_uppercase() && !is_kept(&first, text, facts) => {
            letter.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
