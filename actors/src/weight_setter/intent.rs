//! What to do about a weight setting whose outcome is unknown, as after a crash.
//!
//! Pure: whoever talks to the chain looks for the signed bytes ([`Inclusion`]), asks [`next_step`]
//! and does it. As long as an intent is in the book no other call is made, so no two are under way at
//! once and a crash never doubles one: either the same bytes go out again, which the chain takes once
//! at most, or their era is waited out.

use crate::domain::BlockNumber;
use crate::ports::{Inclusion, PendingReveal, ScoreBook, WeightsIntent, WeightsWay};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The weights are on chain in this block.
    Settled(BlockNumber),
    /// They are not, and cannot get there: a new setting may begin.
    Void,
    /// Nobody will ever tell where they are, but they cannot get anywhere any more: a new setting
    /// may begin. A commit may be on chain, so its salt is kept.
    Abandon,
    /// Send the same bytes again.
    Resend,
    /// Look again at this block; until then nothing may be sent.
    WaitUntil(BlockNumber),
}

/// Decides by what is known as of `block`, the newest final one: a later fork must not undo it.
#[must_use]
pub fn next_step(intent: &WeightsIntent, block: BlockNumber, inclusion: Inclusion) -> NextStep {
    // Bytes are saved before they are sent: without any, nothing was.
    let Some(signed) = &intent.signed else { return NextStep::Void };
    let alive = block < signed.death;
    match inclusion {
        Inclusion::Included(block) => NextStep::Settled(block),
        Inclusion::Failed | Inclusion::Overtaken => NextStep::Void,
        Inclusion::NotYet if alive => NextStep::Resend,
        Inclusion::NotYet => NextStep::Void,
        // They may be on chain: another call in the same epoch would be the second.
        Inclusion::Unknown if block < signed.epoch_end => NextStep::WaitUntil(signed.epoch_end),
        Inclusion::Unknown => NextStep::Abandon,
    }
}

/// Writes in the book what a step decided. A commit that is on chain, or may be, becomes a reveal to
/// be made: whoever reveals looks whether it is there, and loses nothing where it is not.
pub fn resolve(book: &mut ScoreBook, step: NextStep) {
    match step {
        NextStep::Resend | NextStep::WaitUntil(_) => {}
        NextStep::Void => book.intent = None,
        NextStep::Settled(block) => {
            book.weights_set = Some(block);
            end(book, Some(block));
        }
        NextStep::Abandon => end(book, None),
    }
}

/// Takes the intent out of the book; a commit is to be revealed. `included` is its block, if known.
fn end(book: &mut ScoreBook, included: Option<BlockNumber>) {
    let Some(WeightsIntent { begun, call, way, signed }) = book.intent.take() else { return };
    if let WeightsWay::Commit(commitment) = way {
        let committed = included.or(signed.map(|signed| signed.birth)).unwrap_or(begun);
        book.reveals.push(PendingReveal { call, commitment, committed });
    }
}

#[cfg(test)]
mod tests;
