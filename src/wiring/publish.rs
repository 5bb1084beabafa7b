//! Puts a neuron's address on the chain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Neuron};
use sn1_actors::ports::{Chain, ChainError, Clock};
use sn1_actors::runtime::Overseer;

use crate::chain::node::address::{AxonPlace, Detection, Network, published};
use crate::chain::node::endpoint::Endpoints;
use crate::config::Settings;
use crate::exit::{Ended, Exit};

/// The pause after a failure doubles to 64 seconds.
const MOST_DOUBLINGS: u32 = 6;
/// The most blocks that are waited for where the chain limits how often addresses change: its limit
/// is 50, and a longer one is not believed.
const LONGEST_WAIT: u64 = 100;

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
/// background until the chain has it or refuses it, for a chain may be away for hours.
pub fn publish(overseer: &Overseer, chain: Arc<dyn Chain>, own: &Neuron, address: SocketAddr) {
    if own.axon == Some(address) {
        tracing::info!(%address, "the chain has the axon's address already");
        return;
    }
    let clock = overseer.clock();
    let before = own.axon;
    overseer.tasks().spawn("serve_axon", async move {
        match served(chain.as_ref(), clock.as_ref(), address).await {
            Ok(()) => tracing::info!(%address, ?before, "the axon's address is on the chain"),
            Err(error) => tracing::error!(%address, %error, "nobody will find the axon"),
        }
    });
}

/// Tries until the address is on the chain, or is refused for good.
async fn served(
    chain: &dyn Chain,
    clock: &dyn Clock,
    address: SocketAddr,
) -> Result<(), ChainError> {
    let mut failures = 0_u32;
    loop {
        let Err(error) = chain.serve_axon(address).await else { return Ok(()) };
        match error {
            ChainError::TooSoon { wait } => {
                tracing::info!(%address, wait, "the chain limits how often addresses change");
                if wait_blocks(chain, wait).await.is_ok() {
                    continue;
                }
            }
            ChainError::Unreachable(_) | ChainError::Outdated(_) => {
                tracing::warn!(%address, %error, "the axon's address is not on the chain yet");
            }
            ChainError::NotRegistered(_)
            | ChainError::NoPermit(_)
            | ChainError::TooLate(_)
            | ChainError::Refused(_) => return Err(error),
        }
        clock.sleep(Duration::from_secs(1 << failures.min(MOST_DOUBLINGS))).await;
        failures = failures.saturating_add(1);
    }
}

/// Waits until so many blocks have come, one at least and [`LONGEST_WAIT`] at most.
async fn wait_blocks(chain: &dyn Chain, count: u64) -> Result<(), ChainError> {
    let mut block = chain.block_after(BlockNumber(0)).await?;
    let last = block.0.saturating_add(count.clamp(1, LONGEST_WAIT));
    while block.0 < last {
        block = chain.block_after(block).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::Moment;
    use sn1_actors::testkit::{FakeChain, Stage};

    use super::*;

    /// Whether the address was on the chain after so long; the chain fails so until then.
    fn served_after(failing: ChainError, away: Duration, limit: Duration) -> Option<Moment> {
        let served_at = Arc::new(std::sync::Mutex::new(None));
        let seen = Arc::clone(&served_at);
        Stage::play(async move |stage: Stage| {
            let chain = FakeChain::new(Arc::clone(&stage.clock), 1);
            chain.fail(Some(failing));
            let address = SocketAddr::from(([203, 0, 113, 1], 8091));
            let back = async {
                stage.clock.sleep(away).await;
                chain.fail(None);
                std::future::pending::<()>().await;
            };
            tokio::select! {
                served = served(&chain, stage.clock.as_ref(), address) => {
                    if served.is_ok() {
                        *seen.lock().unwrap() = Some(stage.clock.now());
                    }
                }
                () = back => {}
                () = stage.clock.sleep(limit) => {}
            }
        });
        *served_at.lock().unwrap()
    }

    #[test]
    fn an_address_is_published_however_long_the_chain_was_away() {
        let (hours, minute) = (Duration::from_secs(6 * 3_600), Duration::from_secs(64));
        for error in [ChainError::Unreachable("gone".into()), ChainError::Outdated("old".into())] {
            let at = served_after(error.clone(), hours, 2 * hours);
            let at = at.unwrap_or_else(|| panic!("{error} was given up"));
            assert!(at.0 >= hours && at.0 <= hours + minute, "{error}: at {at:?}");
        }
    }

    #[test]
    fn an_address_that_the_chain_refuses_is_given_up() {
        let refused = ChainError::Refused("a private address".into());
        let hour = Duration::from_secs(3_600);
        assert_eq!(served_after(refused, hour, 2 * hour), None);
    }

    #[test]
    fn a_chain_that_limits_changes_is_waited_for_by_its_blocks() {
        Stage::play(async |stage: Stage| {
            let chain = FakeChain::new(Arc::clone(&stage.clock), 1);
            for (wait, blocks) in [(0, 1), (1, 1), (50, 50), (u64::MAX, LONGEST_WAIT)] {
                let before = chain.block_after(BlockNumber(0)).await.unwrap();
                wait_blocks(&chain, wait).await.unwrap();
                let after = chain.block_after(BlockNumber(0)).await.unwrap();
                assert_eq!(after.0 - before.0, blocks, "of {wait}");
            }
        });
    }
}
