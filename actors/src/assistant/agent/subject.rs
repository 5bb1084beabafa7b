//! What a conversation is about, without what people say around it. Pure.
//!
//! Users greet, give reasons, paste passages and ask on with `why does it matter?`. Only what asks is
//! looked at, of the last message first: an earlier one may be about something else.

use std::collections::BTreeSet;

use super::code::prose;
use super::reading::{self, Ask};
use crate::domain::{Context, ContextBody, Query, Role};
use crate::text::boundary::floor;
use crate::text::plain_words::plain_words;
use crate::text::sentences::sentences;
use crate::text::terms::terms;

/// Words that are about the answer or the talk, not about a subject.
const TALK: &str = "again all answer anybody anything beginner boredom brief briefly but careful \
    carefully check clarify clear clearer clearly come curious date day define definition \
    describe detail double else exact exactly excuse fact final find fine friend fun get give go \
    good great happen happened hello help hey hi if important interesting it just key kindly \
    know known leave left look main matter mean more most much no nobody not now nutshell ok \
    once overview point put question quick quickly quite really redo reply right same say see \
    short shorter shortly should simple simply so something start still sum summarise summarize \
    summary sure take tell text than thank then thin thing think through time too trouble try \
    ugh understand up very want word wrong yes";
/// What a sentence that asks without a question mark begins with.
const ORDERS: [&str; 13] = [
    "tell",
    "give",
    "explain",
    "describe",
    "summar",
    "sum ",
    "name",
    "list",
    "compare",
    "write",
    "define",
    "translate",
    "rephrase",
];
/// What a question has.
const ASKS: [&str; 7] = ["what", "when", "which", "who", "where", "how", "why"];
/// What a question without them begins with.
const BEGINS: [&str; 14] = [
    "can", "could", "do", "does", "did", "is", "are", "was", "were", "will", "would", "should",
    "has", "have",
];
/// What stands for a subject that was named before.
const POINTERS: [&str; 5] = ["it", "its", "they", "them", "this"];
/// More earlier messages are not looked at.
const BACK: usize = 3;
/// Titles of more words need not be named in full: they are questions.
const LONG_TITLE: usize = 3;
/// Of a longer message the end is looked at, in bytes.
const LONGEST: usize = 16_384;
/// A question of fewer words may be answered by any text that has them.
const TOLD_BY: usize = 3;

/// What a conversation may be about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    /// What asks, the earlier before the later.
    pub(super) asked: String,
    /// What is asked for.
    pub(super) ask: Ask,
    /// What a title is held against.
    words: BTreeSet<String>,
}

impl Subject {
    /// What is searched for, with its words in their order.
    pub(super) fn searched(&self) -> String {
        let told = |word: &&str| terms(word).next().is_none_or(|term| !is_talk(&term));
        self.asked.split_whitespace().filter(told).collect::<Vec<_>>().join(" ")
    }

    /// Its words alone, without those of every question.
    pub(super) fn told(&self) -> String {
        let words = self.asked.split(|letter: char| !letter.is_alphanumeric());
        let told = |word: &&str| terms(word).next().is_some_and(|term| !is_talk(&term));
        words.filter(told).collect::<Vec<_>>().join(" ")
    }

    /// Whether nothing of a context is asked for but the context.
    pub(super) fn is_whole(&self, context: &Context) -> bool {
        self.words.is_subset(&telling(&context.title))
    }

    /// Whether a context that is about another subject tells of this one: it has all names of the
    /// question, and most of its other words.
    pub(super) fn is_told_in(&self, context: &Context) -> bool {
        let has = telling(&context.text());
        let names: BTreeSet<String> = names(&self.asked).flat_map(telling_of).collect();
        !names.is_empty()
            && self.words.len() >= TOLD_BY
            && names.is_subset(&has)
            && 2 * self.words.intersection(&has).count() > self.words.len()
    }

    /// Whether a context is about it: what tells something in the title was asked for.
    pub(super) fn is_of(&self, context: &Context) -> bool {
        if matches!(context.body, ContextBody::Maths { .. }) {
            return false;
        }
        // `Mercury (planet)` is asked for as Mercury.
        let title = telling(context.title.split(" (").next().unwrap_or_default());
        let said = title.intersection(&self.words).count();
        match title.len() {
            0 => false,
            1..=LONG_TITLE => said == title.len(),
            count => 3 * said >= 2 * count,
        }
    }
}

/// The messages of the user that the last one may be understood by, newest first: earlier ones only
/// while nothing is named.
pub(super) fn asked(query: &Query) -> Vec<&str> {
    let users = query.roles.iter().zip(&query.messages).rev();
    let users = users.filter(|(role, _)| **role == Role::User).map(|(_, message)| end_of(message));
    let mut named = false;
    users
        .take(1 + BACK)
        .take_while(|message| {
            let goes_on = !named;
            let asks = asking(message);
            named = !telling(&asks).is_empty() && !points_back(&asks);
            goes_on
        })
        .collect()
}

/// The end of a message, where it asks, from a whole word on: nothing longer is looked through.
fn end_of(message: &str) -> &str {
    match message.len().checked_sub(LONGEST) {
        None | Some(0) => message,
        Some(from) => {
            let end = message.get(floor(message, from)..).unwrap_or_default();
            end.split_once(char::is_whitespace).map_or(end, |(_, whole)| whole)
        }
    }
}

/// The subjects that these messages may be about, the likeliest first.
pub(super) fn of(messages: &[&str]) -> Vec<Subject> {
    let mut asked = String::new();
    let mut ask = None;
    let mut subjects = Vec::new();
    for message in messages {
        let asks = asking(message);
        let names = !telling(&asks).is_empty();
        asked = format!("{asks} {asked}").trim().to_owned();
        if names {
            let ask = *ask.get_or_insert_with(|| reading::of(&asks));
            subjects.push(Subject { asked: asked.clone(), ask, words: telling(&asked) });
        }
    }
    // `Please answer this question. Tea is a drink.`
    if let ([message], []) = (messages, &subjects[..]) {
        let asked = prose(message);
        let (ask, words) = (reading::of(&asked), telling(&asked));
        if !words.is_empty() {
            subjects.push(Subject { asked, ask, words });
        }
    }
    subjects
}

/// Whether a message asks the question that a context answers: word for word, or most of its words in
/// one sentence.
pub(super) fn is_answered(message: &str, context: &Context) -> bool {
    let ContextBody::Question { .. } = context.body else { return false };
    let (exact, title) = (plain_words(&context.title), telling(&context.title));
    let prose = prose(message);
    let said = plain_words(&prose);
    let literal = exact.len() > LONG_TITLE && said.windows(exact.len()).any(|at| at == exact);
    let most = |sentence: &str| 3 * title.intersection(&telling(sentence)).count();
    let same = |sentence: &&str| most(sentence) >= 2 * title.len();
    literal || (title.len() > LONG_TITLE && sentences(&prose).iter().any(same))
}

/// The sentences that ask, without what leads to them: of the last paragraph that has one, since
/// passages stand before. The last paragraph, where none has.
pub(super) fn asking(message: &str) -> String {
    let message = prose(message);
    let paragraphs = || message.rsplit("\n\n").filter(|part| !part.trim().is_empty());
    let found = paragraphs().find_map(|paragraph| {
        let asks = sentences(paragraph).into_iter().filter(|sentence| asks(sentence));
        let asks: Vec<&str> = asks.map(after_opening).collect();
        (!asks.is_empty()).then(|| asks.join(" "))
    });
    found.unwrap_or_else(|| paragraphs().next().unwrap_or_default().to_owned())
}

fn asks(sentence: &str) -> bool {
    let parts = || sentence.split([':', ',']).map(|part| part.trim().to_lowercase());
    let orders = || parts().any(|part| ORDERS.iter().any(|order| part.starts_with(order)));
    let names = || sentence.split_once(": ").is_some_and(|(before, _)| has_question(before));
    sentence.ends_with(['?', '？', '؟']) || orders() || names()
}

/// `long day, so keep it short: what is tea?` is `what is tea?`
fn after_opening(sentence: &str) -> &str {
    let Some((before, after)) = sentence.split_once(": ") else { return sentence };
    let after = after.trim();
    let begins = words(after).next().is_some_and(|first| {
        BEGINS.contains(&first.as_str())
            || ORDERS.iter().any(|order| first.starts_with(order.trim()))
    });
    let leads = !has_question(before) && (begins || has_question(after));
    if leads { after } else { sentence }
}

fn has_question(text: &str) -> bool {
    words(text).any(|word| ASKS.contains(&word.as_str()))
}

/// Words that are written as names are, where no sentence begins.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let inside = sentences(text).into_iter().flat_map(|one| one.split_whitespace().skip(1));
    let inside = inside.filter(|word| !word.starts_with("I'") && *word != "I");
    inside.filter(|word| word.starts_with(char::is_uppercase))
}

/// Whether a text speaks of what was named before: it has a word for it and names nothing itself.
fn points_back(text: &str) -> bool {
    let named = text.contains(['"', '“', '`']) || names(text).next().is_some();
    !named && words(text).any(|word| POINTERS.contains(&word.as_str()))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn telling(text: &str) -> BTreeSet<String> {
    telling_of(text).collect()
}

fn telling_of(text: &str) -> impl Iterator<Item = String> {
    terms(text).filter(|term| !is_talk(term))
}

fn is_talk(term: &str) -> bool {
    TALK.split_whitespace().any(|word| word == term)
}

#[cfg(test)]
mod tests;
