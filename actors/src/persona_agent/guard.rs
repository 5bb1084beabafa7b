//! Judges whether words may leave as a person's: a question or request of a human, in other words
//! than the query, with all that an answer needs.
//!
//! It reads form only and knows no meaning: what it lets through may still be odd, but it is about
//! the right thing and gives nothing away. Pure; PersonaAgent re-phrases what it refuses.

pub mod facts;
mod voice;

use crate::domain::{ChatMessage, Role};
use crate::persona_agent::follow_up::{self, CHECK};
use crate::persona_agent::words::{contains_run, folded, words};
use crate::task_maker::tasks::ChallengeForm;

use facts::Facts;

/// Shorter queries may stand in a challenge as they are: nobody can name a thing otherwise.
const SHORT_QUERY: usize = 4;
/// What may stand around a query.
const CHALLENGE: Room = Room { words: 80, characters: 1_200 };
/// What may stand around an order before a text, and what is asked after an answer.
const SHORT: Room = Room { words: 40, characters: 400 };

/// How much a person says beyond what it has to.
struct Room {
    words: usize,
    characters: usize,
}

impl Room {
    /// Whether words take no more than this and what they have to say.
    fn holds(&self, words: &str, has_to: &str) -> Result<(), Flaw> {
        let too_many = folded(words).len() > self.words + folded(has_to).len();
        let too_long = words.chars().count() > self.characters + has_to.chars().count();
        if too_many || too_long { Err(Flaw::TooLong) } else { Ok(()) }
    }
}

/// Why words may not leave as a person's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// There are none.
    #[error("it is empty")]
    Empty,
    /// They are the query.
    #[error("it repeats the query")]
    Verbatim,
    /// They were said before in the conversation.
    #[error("it repeats what was said before")]
    Repeated,
    /// They lack what an answer needs.
    #[error("it lacks {}", .0.join(", "))]
    Lost(Vec<String>),
    /// They name nothing of what the person is after.
    #[error("it asks about something else")]
    Astray,
    /// They hold a number that the query does not: an answer, or made up.
    #[error("it adds the number {0}")]
    Added(String),
    /// The model speaks, or its instructions.
    #[error("it is no person who speaks: {0}")]
    Voice(String),
    /// They ask for nothing.
    #[error("it asks for nothing")]
    NoRequest,
    /// A person would not say so much.
    #[error("it is too long")]
    TooLong,
    /// The same words again and again.
    #[error("it repeats itself")]
    Stuck,
    /// They are written in another script than the query.
    #[error("it is in another script than the query")]
    Script,
}

impl Flaw {
    /// What the model is told so that it does better.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Empty | Self::NoRequest => "Ask one clear question.".to_owned(),
            Self::Verbatim => "Use other words than the note.".to_owned(),
            Self::Repeated => "Ask something that was not asked before.".to_owned(),
            Self::Astray => "Ask about what was wanted, by its name.".to_owned(),
            Self::Lost(facts) => format!("The message must mention: {}.", facts.join(", ")),
            Self::Added(_) | Self::Voice(_) => {
                "You are the person who asks. Do not answer, and do not repeat the note.".to_owned()
            }
            Self::TooLong | Self::Stuck => "Write one short sentence.".to_owned(),
            Self::Script => "Write in the language of the note.".to_owned(),
        }
    }
}

/// Judges the person's words for a query about a topic.
///
/// # Errors
/// The first [`Flaw`].
pub fn check(words: &str, form: &ChallengeForm, query: &str, topic: &str) -> Result<(), Flaw> {
    match form {
        ChallengeForm::Phrased => phrased(words, query, topic),
        ChallengeForm::LeadingTo { order, text } => leading(words, order, text, query, topic),
    }
}

/// Judges what a person says after an answer, given the conversation so far. Miners wrote the
/// answers: these may not be repeated, nor the prompt's examples, and excuse nothing.
///
/// # Errors
/// The first [`Flaw`].
pub fn check_follow_up(
    words: &str,
    history: &[ChatMessage],
    goal: &str,
    topic: &str,
) -> Result<(), Flaw> {
    let asked = history.iter().filter(|message| message.role == Role::User);
    let asked: Vec<&str> = asked.map(|message| message.content.as_str()).collect();
    let about = format!("{goal}\n{topic}\n{}", asked.join("\n"));
    SHORT.holds(words, topic)?;
    speech(words, &about)?;
    let run = folded(words);
    let repeats = |before: &str| {
        let before = folded(before);
        contains_run(&before, &run) || (before.len() > SHORT_QUERY && contains_run(&run, &before))
    };
    let said = history.iter().map(|message| message.content.as_str());
    if said.chain(follow_up::examples()).any(repeats) {
        return Err(Flaw::Repeated);
    }
    let checks = CHECK.iter().any(|check| contains_run(&run, &folded(check)));
    let wanted = [Facts::of(goal, topic), Facts::of(topic, topic)];
    if !checks && !wanted.iter().any(|facts| facts.is_met_in(words)) {
        return Err(Flaw::Astray);
    }
    adds_no_number(words, &about)?;
    voice::asks(words, &about)
}

fn phrased(words: &str, query: &str, topic: &str) -> Result<(), Flaw> {
    CHALLENGE.holds(words, query)?;
    speech(words, query)?;
    let facts = Facts::of(query, topic);
    if is_verbatim(words, query, &facts) {
        return Err(Flaw::Verbatim);
    }
    let missing = facts.missing_in(words);
    if !missing.is_empty() {
        return Err(Flaw::Lost(missing));
    }
    adds_no_number(words, &format!("{query} {topic}"))?;
    voice::asks(words, query)
}

/// The words before a text that follows unaltered: an order in a person's words. They need the names
/// and numbers of the order that do not stand in the text, and give no solution.
fn leading(words: &str, order: &str, text: &str, query: &str, topic: &str) -> Result<(), Flaw> {
    SHORT.holds(words, order)?;
    speech(words, order)?;
    let challenge = format!("{words}\n\n{text}");
    if folded(words) == folded(order) || folded(&challenge) == folded(query) {
        return Err(Flaw::Verbatim);
    }
    let facts = Facts { needed: 0, ..Facts::of(order, topic) };
    let missing = facts.missing_in(&challenge);
    if !missing.is_empty() {
        return Err(Flaw::Lost(missing));
    }
    adds_no_number(words, &format!("{order} {topic} {text}"))?;
    voice::asks(words, order)
}

/// What holds for everything that a person says.
fn speech(words: &str, about: &str) -> Result<(), Flaw> {
    let run = folded(words);
    if run.is_empty() {
        return Err(Flaw::Empty);
    }
    voice::is_human(words, about)?;
    if is_stuck(&run) {
        return Err(Flaw::Stuck);
    }
    if voice::is_foreign(words, about) { Err(Flaw::Script) } else { Ok(()) }
}

/// Whether a challenge is the query, or holds all of one that could be put otherwise.
pub(super) fn is_verbatim(challenge: &str, query: &str, facts: &Facts) -> bool {
    let (said, asked) = (folded(challenge), folded(query));
    said == asked || (!is_unit(query, facts) && contains_run(&said, &asked))
}

/// A query that can only be named as it is: a title, or little more than a quotation.
pub(super) fn is_unit(query: &str, facts: &Facts) -> bool {
    let spans = facts::spans(query);
    let all = words(query);
    let free = all.iter().filter(|word| !spans.iter().any(|span| span.covers(word)));
    facts.is_title || free.count() < SHORT_QUERY
}

fn adds_no_number(words: &str, known: &str) -> Result<(), Flaw> {
    let known = facts::numbers_said(known);
    let added = facts::numbers(words).into_iter().find(|number| !known.contains(number));
    added.map_or(Ok(()), |number| Err(Flaw::Added(number)))
}

/// Whether a text goes in circles, as small models do.
fn is_stuck(run: &[String]) -> bool {
    /// Shorter texts may repeat what they like.
    const SHORT: usize = 12;
    let distinct = run.iter().collect::<std::collections::BTreeSet<_>>().len();
    let row = run.windows(4).any(|four| four.iter().all(|word| *word == four[0]));
    row || (run.len() >= SHORT && distinct * 3 < run.len())
}

#[cfg(test)]
mod tests;
