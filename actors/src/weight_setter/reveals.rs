//! Reveals the commits that are on chain, or may be, oldest first.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use crate::domain::BlockNumber;
use crate::ports::{ChainError, Event, PendingReveal};

use super::WeightSetter;
use super::schedule::reveal_after;

impl WeightSetter {
    /// The oldest commit, if a block is an occasion to reveal it.
    pub(super) fn to_reveal(&self, now: BlockNumber) -> Option<PendingReveal> {
        self.book.reveals.first().filter(|_| now >= self.reveal_due).cloned()
    }

    /// Reveals a commit, or notes when to try again.
    pub(super) fn reveal(
        &mut self,
        reveal: PendingReveal,
        now: BlockNumber,
        ctx: &mut Context<Self>,
    ) {
        self.busy = true;
        let revealed = self.deps.clone().reveal(reveal.clone());
        ctx.spawn(revealed.into_actor(self).map(move |outcome, actor, _| {
            actor.busy = false;
            let next = reveal_after(&outcome, now, actor.deps.config.epoch_blocks);
            actor.reveal_due = next.unwrap_or(now);
            // Else a reveal that fails in every block would leave none for anything else.
            actor.set_next = next.is_some();
            tell(&reveal, &outcome, next);
            // To be told to wait is no failure.
            if !matches!(outcome, Err(ChainError::TooSoon { .. })) {
                actor.deps.journal.record(Event::WeightsRevealed {
                    committed: reveal.committed,
                    block: outcome.as_ref().ok().copied(),
                    error: outcome.as_ref().err().map(ToString::to_string),
                    lost: outcome.is_err() && next.is_none(),
                });
            }
            if next.is_none() {
                actor.book.reveals.retain(|pending| *pending != reveal);
                let _logged = actor.save();
            }
        }));
    }
}

fn tell(
    reveal: &PendingReveal,
    outcome: &Result<BlockNumber, ChainError>,
    next: Option<BlockNumber>,
) {
    let committed = reveal.committed;
    match (outcome, next) {
        (Ok(block), _) => tracing::info!(%committed, %block, "weights revealed"),
        (Err(error @ ChainError::TooSoon { .. }), _) => {
            tracing::info!(%committed, %error, "weights are not to be revealed yet");
        }
        (Err(error), Some(next)) => {
            tracing::warn!(%committed, %error, %next, "weights could not be revealed");
        }
        (Err(error), None) => {
            tracing::error!(%committed, %error, "weights are lost: they cannot be revealed");
        }
    }
}
