//! What a miner does on its chain beside serving: is registered, says where it answers, and, if so
//! configured, sets a weight on itself.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use sn1_actors::domain::{Hotkey, Metagraph};
use sn1_actors::ports::{Chain, Clock};
use sn1_actors::runtime::Overseer;
use tokio::sync::watch;

use crate::cli::neuron;
use crate::wiring::joining;
use crate::wiring::publish::{Published, Whereabouts};
use crate::wiring::self_weights;

/// Resolves when the chain has the hotkey, with where others reach its axon.
pub(super) type Joined = LocalBoxFuture<'static, anyhow::Result<SocketAddr>>;

/// A miner's place on a chain.
#[derive(Clone)]
pub(super) struct OnChain {
    pub(super) chain: Arc<dyn Chain>,
    /// What the chain shows; empty until it answered.
    pub(super) seen: watch::Receiver<Arc<Metagraph>>,
    pub(super) hotkey: Hotkey,
    pub(super) whereabouts: Whereabouts,
    pub(super) self_weights: bool,
}

impl OnChain {
    /// Waits for the chain as long as it is away; fails if the hotkey is not registered there, or
    /// its axon has no address that could be published.
    pub(super) fn joined(&self, clock: Arc<dyn Clock>) -> Joined {
        let Self { chain, seen, hotkey, whereabouts, .. } = self.clone();
        Box::pin(async move {
            joining::own_neuron(chain.as_ref(), clock.as_ref(), seen, &hotkey).await?;
            Ok(whereabouts.settled(clock.as_ref()).await?)
        })
    }

    /// Does the rest, as soon as there is an address; resolves only if the miner must end.
    pub(super) async fn rest(
        self,
        overseer: Overseer,
        address: Option<SocketAddr>,
        joined: Joined,
    ) -> anyhow::Error {
        let address = match address {
            Some(address) => address,
            None => match joined.await {
                Ok(address) => address,
                Err(error) => return error,
            },
        };
        match self.begin(&overseer, address) {
            Ok(()) => pending().await,
            Err(error) => error.into(),
        }
    }

    fn begin(self, overseer: &Overseer, address: SocketAddr) -> io::Result<()> {
        let Self { chain, seen: metagraph, hotkey, whereabouts, self_weights } = self;
        if self_weights {
            let (chain, metagraph) = (Arc::clone(&chain), metagraph.clone());
            self_weights::start(overseer, chain, metagraph, hotkey.clone());
        }
        neuron::publish_axon(overseer, Published { chain, metagraph, hotkey, address, whereabouts })
    }
}
