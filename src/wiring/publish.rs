//! Puts a neuron's address on the chain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Neuron};
use sn1_actors::ports::{Chain, ChainError};
use sn1_actors::runtime::Overseer;

use crate::chain::node::address::{AxonPlace, Detection, Network, published};
use crate::chain::node::endpoint::Endpoints;
use crate::config::Settings;
use crate::exit::{Ended, Exit};

/// How often it is tried; a chain that is down is waited for before.
const TRIES: u32 = 10;

/// Where others reach the axon, as the settings say or the internet sees.
///
/// # Errors
/// If it cannot be found out, or nobody outside would reach it on a public network.
pub async fn address(settings: &Settings, endpoints: &Endpoints) -> Result<SocketAddr, Ended> {
    let axon = &settings.axon;
    let place = AxonPlace {
        ip: axon.ip,
        port: axon.port,
        external_ip: axon.external_ip,
        external_port: axon.external_port,
    };
    let network = if endpoints.is_public() { Network::Public } else { Network::Local };
    let published = published(place, network, &Detection::default()).await;
    published.map_err(|error| Ended::new(Exit::Address, error))
}

/// Publishes where the axon of `own` answers, unless the chain says so already. It goes on in the
/// background, for a chain may take its time.
pub fn publish(overseer: &Overseer, chain: Arc<dyn Chain>, own: &Neuron, address: SocketAddr) {
    if own.axon == Some(address) {
        tracing::info!(%address, "the chain has the axon's address already");
        return;
    }
    let clock = overseer.clock();
    let before = own.axon;
    overseer.tasks().spawn("serve_axon", async move {
        for attempt in 0..TRIES {
            let error = match chain.serve_axon(address).await {
                Ok(()) => {
                    tracing::info!(%address, ?before, "the axon's address is on the chain");
                    return;
                }
                Err(error) => error,
            };
            match error {
                ChainError::TooSoon { wait } => {
                    tracing::info!(%address, wait, "the chain limits how often addresses change");
                    wait_blocks(chain.as_ref(), wait).await;
                }
                ChainError::Unreachable(_) | ChainError::Outdated(_) => {
                    tracing::warn!(%address, %error, "the axon's address is not on the chain yet");
                    clock.sleep(Duration::from_secs(1 << attempt.min(6))).await;
                }
                ChainError::NotRegistered(_)
                | ChainError::NoPermit(_)
                | ChainError::TooLate(_)
                | ChainError::Refused(_) => {
                    tracing::error!(%address, %error, "nobody will find the axon");
                    return;
                }
            }
        }
        tracing::error!(%address, "the axon's address is not on the chain: start again to retry");
    });
}

/// Waits until so many blocks have come, or the chain cannot be asked.
async fn wait_blocks(chain: &dyn Chain, count: u64) {
    let mut seen = BlockNumber(0);
    for _ in 0..=count {
        match chain.block_after(seen).await {
            Ok(block) => seen = block,
            Err(_) => return,
        }
    }
}
