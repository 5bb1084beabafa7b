//! What shapes users' queries have.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::Query;

use super::{Length, Shape};

/// The shapes of so many users' queries are kept.
const MOST_SHAPES: usize = 512;
/// Until so many were noted, guesses stand in for those that are lacking.
const GUESSED: usize = 64;
/// So many shapes are drawn ahead, so that there is one for most challenges.
const STOCK: usize = 64;
/// A shape that so many challenges had no room in makes way for another, and waits.
const PASSED_OVER: usize = 128;
/// So many shapes are drawn for a challenge that none of those has room for.
const DRAWS: usize = 8;
/// So many shapes wait for a challenge that they have room for.
const MOST_WAITING: usize = 256;
/// A drawn length differs from the noted one by up to this share.
const JITTER: f64 = 0.1;

/// The shapes of the last users' queries: lengths only, nothing of what was said. A clone is another
/// handle on the same book.
///
/// Before users come it holds guesses: mostly one message of 40 to 400 characters, some with a
/// system message, some with one to three exchanges before. Each query of the first 64 takes the
/// place of one guess.
#[derive(Clone, Debug, Default)]
pub struct ShapeBook {
    noted: Arc<Mutex<VecDeque<Shape>>>,
    drawn: Arc<Mutex<Drawn>>,
}

/// Shapes that were drawn and that no challenge wears yet, the oldest first.
#[derive(Debug, Default)]
struct Drawn {
    /// What the next challenge looks through, each with the number of the challenge before which it
    /// was drawn.
    stock: VecDeque<(usize, Shape)>,
    /// What no challenge had room in.
    waiting: VecDeque<Shape>,
    /// Challenges so far.
    challenges: usize,
}

impl Drawn {
    fn take_waiting(&mut self, fits: impl Fn(&Shape) -> bool) -> Option<Shape> {
        let at = self.waiting.iter().position(fits)?;
        self.waiting.remove(at)
    }

    fn take(&mut self, fits: impl Fn(&Shape) -> bool) -> Option<Shape> {
        self.take_waiting(&fits).or_else(|| {
            let at = self.stock.iter().position(|(_, shape)| fits(shape))?;
            self.stock.remove(at).map(|(_, shape)| shape)
        })
    }

    fn let_wait(&mut self, shape: Shape) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(shape);
    }

    /// Lets those wait that many challenges had no room in.
    fn age(&mut self) {
        let long_ago = self.challenges.saturating_sub(PASSED_OVER);
        while self.stock.front().is_some_and(|(since, _)| *since < long_ago) {
            let Some((_, shape)) = self.stock.pop_front() else { break };
            self.let_wait(shape);
        }
    }
}

impl ShapeBook {
    /// Notes the shape of a user's query; the oldest of many is forgotten.
    pub fn note(&self, query: &Query) {
        let shape = Shape::of(query);
        let mut shapes = self.noted.lock();
        if shapes.len() >= MOST_SHAPES {
            shapes.pop_front();
        }
        shapes.push_back(shape);
    }

    /// A shape whose last message has room for so many characters: of those that were drawn ahead the
    /// oldest. Shapes that have none stay for a challenge that is shorter: where there are enough of
    /// those, shapes are worn as often as users have them, whatever the challenges.
    pub fn draw_for(&self, least: usize, random: &mut ChaCha8Rng) -> Shape {
        let has_room = |shape: &Shape| shape.last.characters >= least;
        let mut drawn = self.drawn.lock();
        drawn.challenges += 1;
        while drawn.stock.len() < STOCK {
            let since = drawn.challenges;
            drawn.stock.push_back((since, self.draw(random)));
        }
        drawn.age();
        if let Some(shape) = drawn.take(has_room) {
            return shape;
        }
        let mut shape = self.draw(random);
        for _ in 1..DRAWS {
            if has_room(&shape) {
                break;
            }
            let short = std::mem::replace(&mut shape, self.draw(random));
            drawn.let_wait(short);
        }
        shape
    }

    /// Of the shapes that challenges had no room in the first one that fits; it waits no longer.
    pub fn waiting(&self, fits: impl Fn(&Shape) -> bool) -> Option<Shape> {
        self.drawn.lock().take_waiting(fits)
    }

    /// A shape as users' queries have them, each of its lengths a little off.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Shape {
        let noted = {
            let shapes = self.noted.lock();
            let at = random.random_range(0..shapes.len().max(GUESSED));
            shapes.get(at).cloned()
        };
        let shape = noted.unwrap_or_else(|| guess(random));
        let mut near =
            |length: Length| length.times(random.random_range(1.0 - JITTER..=1.0 + JITTER));
        Shape {
            system: shape.system.map(&mut near),
            exchanges: shape.exchanges.iter().map(|(u, a)| (near(*u), near(*a))).collect(),
            last: near(shape.last),
        }
    }
}

/// How queries look as long as nothing is known about them.
fn guess(random: &mut ChaCha8Rng) -> Shape {
    let system = random.random_bool(0.25).then(|| Length::plain(random.random_range(28..=320)));
    let exchanges = match random.random_range(0..100) {
        0..70 => 0,
        70..85 => 1,
        85..95 => 2,
        _ => 3,
    };
    let mut between = |lengths| Length::plain(random.random_range(lengths));
    let mut exchange = || (between(30..=300), between(100..=1_200));
    let exchanges = (0..exchanges).map(|_| exchange()).collect();
    // Short ones are more frequent: evenly in the logarithm.
    let last = (random.random_range(40.0_f64.ln()..=400.0_f64.ln())).exp().round() as usize;
    let last = Length::plain(last);
    Shape { system, exchanges, last }
}
