//! An answer that is known as a whole, sent piece by piece to a caller who asked for a stream.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::ports::{Clock, Piece};
use crate::text::boundary::floor;

/// A piece has about as many bytes, unless the answer would have more than [`MOST`] then.
const PIECE: usize = 48;
const MOST: usize = 40;
/// Pieces that come closer together than 50 ms count as one lump for a validator.
const PAUSE: Duration = Duration::from_millis(60);

/// Sends all of an answer, until nobody reads it any more.
pub(super) async fn speak(answer: &str, pieces: &mpsc::Sender<Piece>, clock: &dyn Clock) {
    for (n, piece) in split(answer).enumerate() {
        if n > 0 {
            clock.sleep(PAUSE).await;
        }
        if pieces.send(piece.to_owned()).await.is_err() {
            return;
        }
    }
}

/// The pieces, which end with a word where one ends nearby.
fn split(answer: &str) -> impl Iterator<Item = &str> {
    let size = PIECE.max(answer.len().div_ceil(MOST));
    let mut rest = answer;
    std::iter::from_fn(move || {
        let end = match rest.len() <= size {
            true => rest.len(),
            false => {
                let end = floor(rest, size);
                let head = rest.get(..end).unwrap_or_default();
                head.rfind(char::is_whitespace).filter(|at| *at > end / 2).unwrap_or(end)
            }
        };
        let (piece, others) = rest.split_at_checked(end)?;
        rest = others;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_answer_and_not_too_many() {
        let long = "Tea is a drink made of leaves. ".repeat(1_000);
        let wide = "茶".repeat(5_000);
        for answer in
            ["", "Tea.", "Tea is a drink made of leaves, which are dried first.", &long, &wide]
        {
            let pieces: Vec<&str> = split(answer).collect();
            assert_eq!(pieces.concat(), answer);
            assert!(pieces.len() <= 2 * MOST + 1, "{}", pieces.len());
        }
        let pieces: Vec<&str> =
            split("Tea is a drink made of leaves, which are dried first.").collect();
        assert_eq!(pieces, ["Tea is a drink made of leaves, which are dried", " first."]);
    }
}
