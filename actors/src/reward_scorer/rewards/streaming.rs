//! Whether an answer that was to be streamed came in lumps.
//!
//! The original took a quarter for each chunk of more than 200 tokens. Whoever wrote all of an
//! answer first and then sent it in small chunks paid nothing, so here a chunk is what comes within
//! an instant, however it is cut. That leaves 4,000 tokens a second to whoever streams: more than
//! any miner's model writes, and nobody who reads along would mind.

use std::time::Duration;

use super::{Manner, Measure, Reward, RewardKind};
use crate::domain::{PieceArrival, Score};
use crate::reward_scorer::effort::Effort;

/// Streaming that is none.
pub const STREAMING: RewardKind = RewardKind(&Reward {
    name: "streaming",
    about: "a quarter for each chunk of more than 200 tokens of a streamed answer",
    measure: Measure::Manner(lumps),
});

/// What comes within this of a chunk's first piece belongs to the chunk.
const INSTANT: Duration = Duration::from_millis(50);
/// A chunk of more characters is a lump: 200 tokens, of four characters each.
const LUMP: usize = 200 * 4;
/// What each of them costs.
const EACH: f64 = 0.25;

/// A quarter for each lump, and no more than 1. An answer that came as a whole has no pieces and
/// costs nothing: nobody asked for a stream.
fn lumps(manner: &Manner<'_>, effort: &Effort) -> Score {
    let pieces = &manner.reply.pieces;
    effort.spend(pieces.len());
    Score::new(EACH * chunks(pieces).filter(|chars| *chars > LUMP).count() as f64)
}

/// Characters of each chunk.
fn chunks(pieces: &[PieceArrival]) -> impl Iterator<Item = usize> {
    let mut rest = pieces;
    std::iter::from_fn(move || {
        let (first, others) = rest.split_first()?;
        let together = |piece: &&PieceArrival| piece.at.saturating_sub(first.at) < INSTANT;
        let (chunk, after) = others.split_at(others.iter().take_while(together).count());
        rest = after;
        Some(chunk.iter().map(|piece| piece.chars).fold(first.chars, usize::saturating_add))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MinerReply;

    /// What pieces cost that came at these milliseconds and have so many characters.
    fn cost(pieces: impl IntoIterator<Item = (u64, usize)>) -> f64 {
        let piece = |(at, chars)| PieceArrival { at: Duration::from_millis(at), chars };
        let pieces = pieces.into_iter().map(piece).collect();
        let reply = MinerReply { pieces, ..MinerReply::success("Tea is a drink.") };
        lumps(&Manner { references: &[], reply: &reply }, &Effort::default()).get()
    }

    #[test]
    fn what_comes_in_small_chunks_or_as_a_whole_costs_nothing() {
        assert_eq!(cost([]), 0.0);
        assert_eq!(cost([(900, 800)]), 0.0);
        // A fast model that sends each token by itself, and one that sends twelve at a time.
        assert_eq!(cost((0..2_000).map(|n| (300 + n * 2, 4))), 0.0);
        assert_eq!(cost((0..100).map(|n| (300 + n * 120, 48))), 0.0);
    }

    #[test]
    fn each_chunk_of_more_than_200_tokens_costs_a_quarter() {
        assert_eq!(cost([(900, 801)]), 0.25);
        assert_eq!(cost([(300, 801), (600, 20), (900, 5_000)]), 0.5);
        assert_eq!(cost((0..9).map(|n| (n * 1_000, 2_000))), 1.0);
    }

    #[test]
    fn an_answer_that_is_held_back_and_cut_small_is_one_chunk() {
        assert_eq!(cost((0..1_000).map(|_| (5_000, 4))), 0.25);
        assert_eq!(cost((0..1_000).map(|n| (5_000 + n / 25, 4))), 0.25);
        let trickle_first = (0..20).map(|n| (n * 200, 4));
        assert_eq!(cost(trickle_first.chain((0..1_000).map(|_| (5_000, 4)))), 0.25);
    }
}
