//! What WeightSetter does with the chain, each under a deadline, and what it journals of it.

use crate::domain::{BlockNumber, Hyperparameters, Metagraph, Uid};
use crate::ports::{
    ChainError, Event, PendingReveal, PreparedWeights, ScoreBook, Sighting, SignedCall, Untaken,
    WeightsCall, WeightsIntent, WeightsWay, in_time,
};

use super::emit::mend::mended;
use super::emit::{Emission, emission};
use super::{Plan, SetError, WeightSetterConfig, WeightSetterDeps};

/// What a block that had its try already is told.
pub(super) const ONCE: &str = "tried once in this block already";

impl WeightSetterDeps {
    /// How the chain is now.
    pub(super) async fn read(self) -> Result<(Hyperparameters, Metagraph), SetError> {
        let reads =
            async { Ok((self.chain.hyperparameters().await?, self.chain.metagraph().await?)) };
        let read = self.bounded(reads, "no answer in time").await;
        if let Err(error) = &read {
            self.journal.record(attempt(Vec::new(), Vec::new(), false, Err(error)));
        }
        Ok(read?)
    }

    pub(super) async fn sign(self, call: WeightsCall) -> Result<PreparedWeights, SetError> {
        let signed = self.chain.prepare_weights(call.clone());
        let signed = self.bounded(signed, "no answer in time").await;
        if let Err(error) = &signed {
            self.journal.record(attempt(call.uids, call.values, false, Err(error)));
        }
        Ok(signed?)
    }

    pub(super) fn planned(
        &self,
        book: &ScoreBook,
        rules: Hyperparameters,
        metagraph: Metagraph,
    ) -> Result<Plan, SetError> {
        self.config.cold_start.check(book, &metagraph)?;
        let earned = emission(&book.scores, &metagraph, &rules);
        let mended = mended(earned.clone(), &book.scores, &metagraph, &rules);
        if mended != earned {
            tracing::warn!("the chain would refuse the weights by its own rules: they are mended");
        }
        let (uids, values) = match mended {
            Emission::Weights { uids, values } => (uids, values),
            Emission::NothingEarned => return Err(SetError::NothingEarned),
        };
        let WeightSetterConfig { netuid, version_key, .. } = self.config;
        let call = WeightsCall { netuid, uids, values, version_key };
        Ok(Plan { metagraph, rules, call })
    }

    pub(super) async fn look_for(self, signed: SignedCall) -> Result<Sighting, ChainError> {
        self.bounded(self.chain.look_for(signed), "no answer in time").await
    }

    pub(super) async fn send(self, intent: WeightsIntent) -> Result<BlockNumber, ChainError> {
        let WeightsCall { uids, values, .. } = intent.call.clone();
        let committed = is_commit(&intent);
        let sent = self.chain.submit_weights(intent);
        let outcome = self.bounded(sent, "weights were sent, no answer in time").await;
        self.journal.record(attempt(uids, values, committed, outcome.as_ref().copied()));
        outcome
    }

    /// Journals that an earlier setting is on chain after all.
    pub(super) fn found(&self, intent: &WeightsIntent, block: BlockNumber) {
        let WeightsCall { uids, values, .. } = intent.call.clone();
        self.journal.record(attempt(uids, values, is_commit(intent), Ok(block)));
    }

    pub(super) async fn reveal(self, reveal: PendingReveal) -> Result<BlockNumber, ChainError> {
        let revealed = self.chain.reveal_weights(reveal);
        self.bounded(revealed, "a reveal was sent, no answer in time").await
    }

    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, ChainError>>,
        late: &str,
    ) -> Result<T, ChainError> {
        let answer = in_time(&*self.clock, self.config.patience, answer).await;
        answer.unwrap_or_else(|| Err(ChainError::Unreachable(late.into())))
    }
}

fn is_commit(intent: &WeightsIntent) -> bool {
    matches!(intent.way, WeightsWay::Commit(_))
}

fn attempt(
    uids: Vec<Uid>,
    weights: Vec<u16>,
    committed: bool,
    outcome: Result<BlockNumber, &ChainError>,
) -> Event {
    let error = outcome.err().map(ToString::to_string);
    let untaken = outcome.err().map(untaken);
    Event::WeightsSet { block: outcome.ok(), uids, weights, error, untaken, committed }
}

fn untaken(error: &ChainError) -> Untaken {
    match error {
        ChainError::TooSoon { .. } => Untaken::TooSoon,
        ChainError::NotRegistered(_)
        | ChainError::NoPermit(_)
        | ChainError::TooLate(_)
        | ChainError::Refused(_) => Untaken::Refused,
        ChainError::Outdated(_) | ChainError::Unreachable(_) => Untaken::Unreachable,
    }
}
