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

use super::keeper::Keeper;
use super::session::Session;
use super::signer::account;
use super::weights::{draw_salt, prepare_weights, reveal_weights, submit_weights};
use super::{metagraph, neuron, rules, search};
use crate::wire::Keypair;

/// How long a transaction may take to get into a final block: three or four blocks are usual, and
/// whoever waits longer looks for it.
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

    /// Asks through the session of now, and tells the keeper whether it was any good.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Session) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        let session = self.keeper.session().await?;
        let answer = question(&session).await;
        self.keeper.report(&session, !matches!(answer, Err(ChainError::Unreachable(_))));
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
