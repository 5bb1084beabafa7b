//! What the validator's own queries are dressed with, over all of its conversations.

use std::sync::Arc;

use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Context, Query, Role};
use crate::persona_agent::paraphrase::brief;
use crate::persona_agent::phraser::{BestAnswer, Phrasing};
use crate::task_maker::Task;
use crate::task_maker::tasks::ChallengeForm;

use super::length::characters;
use super::settle::Settling;
use super::{Album, Shape, ShapeBook, Surroundings, dressed};

/// So many bytes are saved by later queries: what one text of code takes. More would leave those
/// without any line break for long.
const MOST_OWED: usize = 64;

/// The shapes of users' queries and the texts to fill them. A validator that takes users' queries
/// has one, which outlives the restarts of its actors: a clone is another handle on the same.
///
/// Nothing that a user says gets into it. Organic notes shapes, which are lengths; PersonaAgent,
/// which hears of no user, keeps texts.
#[derive(Clone, Debug, Default)]
pub struct Wardrobe {
    /// How users' queries look.
    pub shapes: ShapeBook,
    /// The validator's own conversations that are over.
    pub album: Album,
    /// What queries took beyond the bytes of their shapes: those that follow save it.
    owed: Arc<Mutex<usize>>,
}

impl Wardrobe {
    /// A conversation's first turn as miners are sent it. Where a shape has no room for what the
    /// person says, the person says it in few words.
    #[must_use]
    pub fn first(&self, mut phrasing: Phrasing, task: &Task, random: &mut ChaCha8Rng) -> Phrasing {
        let (form, topic) = (&task.plan.form, &task.context.topic);
        let in_short = brief(form, &task.query, topic, random);
        let least = characters(&in_short).min(characters(&phrasing.challenge));
        let shape = self.shapes.draw_for(least, random);
        if characters(&phrasing.challenge) > shape.last.characters.max(characters(&in_short)) {
            phrasing.challenge = in_short;
        }
        let sent = self.dress(phrasing.clone(), &shape, form, &task.context, random);
        Phrasing { sent: Some(sent), ..phrasing }
    }

    /// A shape for the turn after that in which miners were sent `before`, if one waits: users' last
    /// messages of later turns are short, and few first challenges are. Without one the conversation
    /// is over, or miners would be asked on more often by the validator than by users.
    #[must_use]
    pub fn shape_after(&self, before: &Query) -> Option<Shape> {
        let Shape { system, exchanges, .. } = Shape::of(before);
        let (has_system, exchanges) = (system.is_some(), exchanges.len() + 1);
        self.shapes.waiting(|shape| {
            shape.system.is_some() == has_system && shape.exchanges.len() == exchanges
        })
    }

    /// A later turn in a shape for it as miners are sent it: what they were sent `before`, and what
    /// the person was told and asks now. Only the last message can still be shaped.
    #[must_use]
    pub fn next(
        &self,
        phrasing: Phrasing,
        shape: &Shape,
        before: Query,
        task: &Task,
        random: &mut ChaCha8Rng,
    ) -> Phrasing {
        let shape = Shape { last: shape.last, ..Shape::default() };
        let mut history = before.into_messages();
        history.extend(phrasing.history.last().cloned());
        let (form, context) = (&task.plan.form, &task.context);
        let sent = Phrasing { history, ..phrasing.clone() };
        let sent = self.dress(sent, &shape, form, context, random);
        Phrasing { sent: Some(sent), ..phrasing }
    }

    /// A phrasing in a shape; what it takes beyond the shape's bytes is owed.
    pub(super) fn dress(
        &self,
        phrasing: Phrasing,
        shape: &Shape,
        form: &ChallengeForm,
        context: &Context,
        random: &mut ChaCha8Rng,
    ) -> Query {
        let around = Surroundings { form, context, album: &self.album };
        let mut settling = Settling::owing(std::mem::take(&mut *self.owed.lock()));
        let sent = dressed(phrasing, shape, &around, &mut settling, random).query();
        let mut owed = self.owed.lock();
        *owed = (*owed + settling.surplus()).min(MOST_OWED);
        sent
    }

    /// Keeps what the person asked first in a conversation that is over, and was told.
    pub fn keep(&self, task: &Task, phrasing: &Phrasing, best: Option<&BestAnswer>) {
        let first = phrasing.history.first().zip(phrasing.history.get(1));
        let exchange = match first {
            Some((asked, told)) if told.role == Role::Assistant => {
                Some((&*asked.content, &*told.content))
            }
            _ => best.map(|best| (&*phrasing.challenge, &*best.text)),
        };
        self.album.keep(&task.context, exchange);
    }
}
