//! Makes the validator's own queries look like users': as many messages, of about the same lengths in
//! characters and in bytes, with a system message or without, so that miners cannot tell by the shape
//! on whose behalf they are asked. What shapes there are comes from the users' queries themselves ([`ShapeBook`]), the
//! text that fills them from other, finished conversations of this validator ([`Album`]) and from
//! pools of sentences.
//!
//! Left out: the texts, which cannot be made equal. And the floor: a challenge that is longer than
//! the last message of a drawn shape stays as long as it is, so that users' shortest messages have
//! no counterpart.

mod album;
mod book;
mod fill;
mod length;
mod pools;
mod settle;
mod wardrobe;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{ChatMessage, Context, Query, Role};
use crate::task_maker::tasks::ChallengeForm;

use self::fill::{Filling, cut_at_sentence, fill};
use self::length::characters;
use self::settle::Settling;
use super::phraser::Phrasing;

pub use self::album::Album;
pub use self::book::ShapeBook;
pub use self::length::Length;
pub use self::wardrobe::Wardrobe;

/// No shape has more earlier exchanges.
pub const MOST_EXCHANGES: usize = 16;
/// No message of a shape is longer, in characters.
pub const MOST_CHARACTERS: usize = 16_000;

/// How a query looks when nobody reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The system message, if there is one.
    pub system: Option<Length>,
    /// The earlier messages of the user, each with the assistant's answer, oldest first.
    pub exchanges: Vec<(Length, Length)>,
    /// The last message, the user's.
    pub last: Length,
}

impl Shape {
    /// The shape of a query, bounded. Of a longer conversation the last exchanges count.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        let ordered = in_order(query.clone());
        let mut said = ordered.roles.iter().zip(&ordered.messages).peekable();
        let long = |text: &String| Length::of(text).at_most(MOST_CHARACTERS);
        let system = said.next_if(|(role, _)| **role == Role::System).map(|(_, text)| long(text));
        let lengths: Vec<Length> = said.map(|(_, text)| long(text)).collect();
        let (pairs, last) = lengths.as_chunks::<2>();
        let kept = pairs.len().saturating_sub(MOST_EXCHANGES);
        let exchanges = pairs.iter().skip(kept).map(|[user, assistant]| (*user, *assistant));
        Self {
            system,
            exchanges: exchanges.collect(),
            last: last.first().copied().unwrap_or_default(),
        }
    }
}

/// A query in the only order in which any goes to miners: at most one system message at its
/// beginning, then the user and the assistant in turn, the user last. Messages of one role in a row
/// become one; what an assistant says before anybody asked goes to the system message. What has that
/// order already stays as it is, but for empty messages, which are left out.
///
/// Queries end with the user's message; after another one, an empty one of the user's is added.
#[must_use]
pub fn in_order(query: Query) -> Query {
    let (mut system, mut chat) = (Vec::new(), Vec::<(Role, String)>::new());
    for (role, text) in query.roles.into_iter().zip(query.messages) {
        let before_all = role == Role::Assistant && chat.is_empty();
        match chat.last_mut() {
            _ if text.is_empty() => {}
            _ if role == Role::System || before_all => system.push(text),
            Some((last, said)) if *last == role => {
                said.push_str("\n\n");
                said.push_str(&text);
            }
            _ => chat.push((role, text)),
        }
    }
    if chat.last().is_none_or(|(role, _)| *role != Role::User) {
        chat.push((Role::User, String::new()));
    }
    let system = (!system.is_empty()).then(|| (Role::System, system.join("\n\n")));
    let (roles, messages) = system.into_iter().chain(chat).unzip();
    Query { roles, messages }
}

/// What a challenge is about, and what it can be surrounded with.
#[derive(Clone, Copy, Debug)]
struct Surroundings<'a> {
    /// How the challenge is put: what leads to a text gets nothing behind it.
    form: &'a ChallengeForm,
    /// What the answer is in: nothing about the same is put around the challenge.
    context: &'a Context,
    /// Where other texts come from.
    album: &'a Album,
}

/// A phrasing in a shape. Its challenge is in it, unaltered and in one piece, in the last message;
/// its own history, where it has one, stays next to it, behind what the shape wants more.
///
/// Where the album has no exchanges there are none more, and where it and the pools have too little
/// text, messages stay shorter than the shape says.
#[must_use]
fn dressed(
    phrasing: Phrasing,
    shape: &Shape,
    around: &Surroundings<'_>,
    settling: &mut Settling,
    random: &mut ChaCha8Rng,
) -> Phrasing {
    let passages = around.album.passages(around.context, random);
    let mut passages = passages.into_iter();
    let mut history = phrasing.history;
    // What the challenge takes more than its message should is saved in other messages.
    let surplus = Length::of(&phrasing.challenge).beyond().saturating_sub(shape.last.beyond());
    settling.owe(surplus);
    let starts_with_system = history.first().is_some_and(|first| first.role == Role::System);
    let own_system = starts_with_system.then(|| history.remove(0));
    let system = own_system.or_else(|| {
        let wanted = shape.system?.at_most(MOST_CHARACTERS);
        let pieces = fill(wanted.characters, pools::SYSTEM, &mut passages, random);
        let text = settling.settled(pieces.joined(), wanted.beyond(), random);
        (!text.is_empty()).then(|| ChatMessage::system(text))
    });
    let missing = shape.exchanges.len().min(MOST_EXCHANGES).saturating_sub(history.len() / 2);
    let mut messages: Vec<ChatMessage> = system.into_iter().collect();
    let mut seen = Vec::new();
    for &(user, assistant) in &shape.exchanges[..missing] {
        let (user, assistant) = (user.at_most(MOST_CHARACTERS), assistant.at_most(MOST_CHARACTERS));
        let found = around.album.exchange(around.context, (user, assistant), &seen, random);
        let Some(exchange) = found else { break };
        let mut fitted = |text: &str, wanted: Length, pool| {
            let text = fitted(text, wanted.characters, pool, &mut passages, random);
            settling.settled(text, wanted.beyond(), random)
        };
        let asked = fitted(&exchange.challenge, user, pools::CHAT);
        let answered = fitted(&exchange.answer, assistant, pools::ANSWER);
        messages.push(ChatMessage::user(asked));
        messages.push(ChatMessage { role: Role::Assistant, content: answered });
        seen.push(exchange);
    }
    messages.extend(history);
    let last = shape.last.at_most(MOST_CHARACTERS);
    let room = last.characters.saturating_sub(characters(&phrasing.challenge));
    let pieces = fill(room, pools::CHAT, &mut passages, random);
    let may_follow = *around.form == ChallengeForm::Phrased;
    let (before, behind) = around_it(pieces, may_follow, random);
    let wanted = last.beyond().saturating_sub(Length::of(&phrasing.challenge).beyond());
    // Most stands before it, as a rule.
    let before =
        settling.settled(before, wanted.saturating_sub(Length::of(&behind).beyond()), random);
    let challenge = before + &phrasing.challenge + &behind;
    Phrasing { history: messages, challenge, ..phrasing }
}

/// A text of another conversation, cut or lengthened to about so many characters.
fn fitted(
    text: &str,
    target: usize,
    pool: pools::Pool,
    passages: &mut dyn Iterator<Item = String>,
    random: &mut ChaCha8Rng,
) -> String {
    let kept = cut_at_sentence(text, target.max(1));
    let pieces = fill(target.saturating_sub(characters(&kept)), pool, passages, random);
    let (before, behind) = around_it(pieces, true, random);
    before + &kept + &behind
}

/// What goes before a text and what behind it: passages before, of the sentences some behind, if
/// they may. With the spaces or empty lines in between.
fn around_it(pieces: Filling, may_follow: bool, random: &mut ChaCha8Rng) -> (String, String) {
    let (mut before, mut behind) = (String::new(), String::new());
    for sentence in pieces.sentences {
        // Each of the pools' sentences makes sense at either end.
        if may_follow && random.random_bool(0.4) {
            behind.push(' ');
            behind.push_str(sentence);
        } else {
            before.push_str(sentence);
            before.push(' ');
        }
    }
    if pieces.passages.is_empty() {
        return (before, behind);
    }
    let line = (!before.is_empty()).then(|| before.trim_end().to_owned());
    let parts: Vec<String> = line.into_iter().chain(pieces.passages).collect();
    (parts.join("\n\n") + "\n\n", behind)
}

#[cfg(test)]
mod tests;
