//! The chain on behalf of one hotkey: [`ports::Chain`](sn1_actors::ports::Chain) over the session
//! that the keeper holds at the moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sn1_actors::domain::{BlockNumber, Hyperparameters, Metagraph, Netuid};
use sn1_actors::ports::{
    Chain, ChainError, PendingReveal, PreparedWeights, Sighting, SignedCall, WeightsCall,
    WeightsIntent,
};

use super::failure::Failure;
use super::keeper::Keeper;
use super::session::Session;
use super::signer::account;
use super::weights::{draw_salt, prepare_weights, reveal_weights, submit_weights};
use super::{metagraph, neuron, rules, search};
use crate::wire::Keypair;

/// How long a whole question may take, the wait for a session and all its requests together. It is
/// less than the 60 s after which callers of the port turn away: a question that they drop could
/// not be reported, and the session that let it hang would be kept.
const QUESTION: Duration = Duration::from_secs(55);
/// How long a transaction may take to get into a final block: three or four blocks are usual, and
/// whoever waits longer looks for it. Shorter than [`QUESTION`].
const FINAL: Duration = Duration::from_secs(50);

/// A connection to a real chain; clones share it.
#[derive(Clone)]
pub struct Subtensor {
    keeper: Keeper,
    keypair: Arc<Keypair>,
    netuid: Netuid,
}

impl Subtensor {
    /// The chain that `keeper` is connected to, for the hotkey of `keypair` on a subnet.
    #[must_use]
    pub fn new(keeper: Keeper, keypair: Arc<Keypair>, netuid: Netuid) -> Self {
        Self { keeper, keypair, netuid }
    }

    /// Asks through the session of now, no longer than [`QUESTION`], and tells the keeper whether
    /// the session was any good.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Session) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        let mut asked = None;
        let asking = async {
            let session = asked.insert(self.keeper.session().await?);
            question(session).await
        };
        let answer = tokio::time::timeout(QUESTION, asking).await;
        let late = |_| Err(Failure::Late { what: "the chain's answer" }.into());
        let answer = answer.unwrap_or_else(late);
        if let Some(session) = asked {
            self.keeper.report(&session, !matches!(answer, Err(ChainError::Unreachable(_))));
        }
        answer
    }
}

impl Chain for Subtensor {
    fn block_after(
        &self,
        seen: BlockNumber,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let chain = self.clone();
        Box::pin(async move { Ok(chain.keeper.block_after(seen).await?) })
    }

    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let read = async |session: &Session| Ok(metagraph::read(session, chain.netuid).await?);
            chain.ask(read).await
        })
    }

    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let read =
                async |session: &Session| Ok(rules::read(session, chain.netuid).await?.weights);
            chain.ask(read).await
        })
    }

    fn prepare_weights(
        &self,
        call: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let salt = draw_salt().map_err(|error| ChainError::Refused(error.to_string()))?;
            let sign = async |session: &Session| {
                prepare_weights(session, &chain.keypair, &call, salt).await
            };
            chain.ask(sign).await
        })
    }

    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let Some(signed) = intent.signed else {
                return Err(ChainError::Refused("the weights were never signed".into()));
            };
            let send = async |session: &Session| {
                submit_weights(session, &chain.keypair, &intent.call, &signed, FINAL).await
            };
            chain.ask(send).await
        })
    }

    fn look_for(&self, signed: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let look = async |session: &Session| {
                let found = search::look_for(session, &signed, &account(&chain.keypair)).await?;
                if let Some(refusal) = found.refusal {
                    tracing::warn!(%refusal, "the chain refused an earlier setting");
                }
                Ok(found.sighting)
            };
            chain.ask(look).await
        })
    }

    fn reveal_weights(
        &self,
        reveal: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let send = async |session: &Session| {
                reveal_weights(session, &chain.keypair, &reveal, FINAL).await
            };
            chain.ask(send).await
        })
    }

    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>> {
        let chain = self.clone();
        Box::pin(async move {
            let send = async |session: &Session| {
                let (key, netuid) = (&chain.keypair, chain.netuid);
                neuron::serve_axon(session, key, netuid, address, FINAL).await
            };
            chain.ask(send).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::node::testkit::FakeNode;

    #[tokio::test(start_paused = true)]
    async fn a_question_that_never_ends_is_over_before_its_caller_leaves_and_counts_against_the_node()
     {
        let session = Arc::new(FakeNode::new(Vec::new()).session().await);
        let (keeper, _held) = Keeper::holding(Arc::clone(&session));
        let keypair = Arc::new(Keypair::from_seed(&[1; 32]).unwrap());
        let chain = Subtensor::new(keeper, keypair, Netuid(1));
        let hanging = chain.ask(async |_: &Session| std::future::pending().await);
        let caller = tokio::time::timeout(Duration::from_secs(60), hanging);
        let answer: Result<(), ChainError> = caller.await.unwrap();
        assert!(matches!(answer, Err(ChainError::Unreachable(_))), "{answer:?}");
        let struck = tokio::time::timeout(Duration::ZERO, session.struck(1)).await;
        assert!(struck.is_ok(), "nobody was told");
    }
}
