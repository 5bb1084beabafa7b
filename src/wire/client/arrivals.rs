//! When the pieces of an answer came, for whoever minds that it was held back.

use std::sync::Arc;

use sn1_actors::domain::{Moment, PieceArrival};
use sn1_actors::ports::Clock;

/// Pieces that are told apart; those after them count to the last.
const MOST: usize = 4_096;

/// Notes when each piece came.
pub(super) struct Arrivals {
    clock: Arc<dyn Clock>,
    started: Moment,
    pieces: Vec<PieceArrival>,
}

impl Arrivals {
    /// Of an answer that was asked for at that moment.
    pub(super) fn since(started: Moment, clock: Arc<dyn Clock>) -> Self {
        Self { clock, started, pieces: Vec::new() }
    }

    /// This has come now.
    pub(super) fn note(&mut self, piece: &str) {
        let chars = piece.chars().count();
        if chars == 0 {
            return;
        }
        let at = self.clock.now().since(self.started);
        let is_full = self.pieces.len() >= MOST;
        match self.pieces.last_mut().filter(|_| is_full) {
            Some(last) => last.chars = last.chars.saturating_add(chars),
            None => self.pieces.push(PieceArrival { at, chars }),
        }
    }

    /// All of them, in order of arrival.
    pub(super) fn pieces(self) -> Vec<PieceArrival> {
        self.pieces
    }
}
