//! What WeightSetter does with the chain, each under a deadline, and what it journals of it.

use crate::domain::{BlockNumber, Hyperparameters, Metagraph, Uid};
use crate::ports::{
    ChainError, Event, PendingReveal, PreparedWeights, ScoreBook, Sighting, SignedCall,
    WeightsCall, WeightsIntent, in_time,
};

use super::emit::mend::mended;
use super::emit::{Emission, emission};
use super::{Plan, SetError, WeightSetterConfig, WeightSetterDeps};

/// What a block that had its try already is told.
pub(super) const ONCE: &str = "tried once in this block already";

impl WeightSetterDeps {
    /// Works out what to set, as the chain is now, and signs it. `tried` is the block of the last
    /// try.
    pub(super) async fn plan(
        self,
        book: ScoreBook,
        tried: Option<BlockNumber>,
    ) -> Result<(Plan, PreparedWeights), SetError> {
        let reads =
            async { Ok((self.chain.hyperparameters().await?, self.chain.metagraph().await?)) };
        let read = self.bounded(reads, "no answer in time").await;
        if let Err(error) = &read {
            self.journal.record(attempt(Vec::new(), Vec::new(), Err(error)));
        }
        let (rules, metagraph) = read?;
        let plan = self.planned(&book, rules, metagraph)?;
        if tried.is_some_and(|tried| tried >= plan.metagraph.block) {
            return Err(SetError::Skipped(ONCE));
        }
        let signed = self.chain.prepare_weights(plan.call.clone());
        match self.bounded(signed, "no answer in time").await {
            Ok(prepared) => Ok((plan, prepared)),
            Err(error) => {
                let WeightsCall { uids, values, .. } = plan.call;
                self.journal.record(attempt(uids, values, Err(&error)));
                Err(error.into())
            }
        }
    }

    fn planned(
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
        Ok(Plan { metagraph, rules, steps: book.steps, call })
    }

    pub(super) async fn look_for(self, signed: SignedCall) -> Result<Sighting, ChainError> {
        self.bounded(self.chain.look_for(signed), "no answer in time").await
    }

    pub(super) async fn send(self, intent: WeightsIntent) -> Result<BlockNumber, ChainError> {
        let WeightsCall { uids, values, .. } = intent.call.clone();
        let sent = self.chain.submit_weights(intent);
        let outcome = self.bounded(sent, "weights were sent, no answer in time").await;
        self.journal.record(attempt(uids, values, outcome.as_ref().copied()));
        outcome
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

fn attempt(uids: Vec<Uid>, weights: Vec<u16>, outcome: Result<BlockNumber, &ChainError>) -> Event {
    let error = outcome.err().map(ToString::to_string);
    Event::WeightsSet { block: outcome.ok(), uids, weights, error }
}
