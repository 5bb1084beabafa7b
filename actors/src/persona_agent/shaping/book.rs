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
/// So many shapes are drawn for one challenge at most: nearly always one of them has room.
const DRAWS: usize = 64;
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
    /// Drawn shapes that no challenge had room in yet, the oldest first.
    waiting: Arc<Mutex<VecDeque<Shape>>>,
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

    /// A shape whose last message has room for so many characters. Shapes that are drawn and have
    /// none wait for a challenge that is shorter: where there are enough of those, shapes are worn
    /// as often as users have them, whatever the challenges.
    pub fn draw_for(&self, least: usize, random: &mut ChaCha8Rng) -> Shape {
        let has_room = |shape: &Shape| shape.last.characters >= least;
        if let Some(shape) = self.waiting(has_room) {
            return shape;
        }
        let mut shape = self.draw(random);
        for _ in 1..DRAWS {
            if has_room(&shape) {
                break;
            }
            let mut waiting = self.waiting.lock();
            if waiting.len() >= MOST_WAITING {
                waiting.pop_front();
            }
            waiting.push_back(std::mem::replace(&mut shape, self.draw(random)));
        }
        shape
    }

    /// Of the shapes that wait the first one that fits; it waits no longer.
    pub fn waiting(&self, fits: impl Fn(&Shape) -> bool) -> Option<Shape> {
        let mut waiting = self.waiting.lock();
        waiting.iter().position(fits).and_then(|at| waiting.remove(at))
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
