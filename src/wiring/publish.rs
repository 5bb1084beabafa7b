//! Puts a neuron's address on the chain, and keeps it there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::domain::{BlockNumber, Hotkey, Metagraph};
use sn1_actors::ports::{Chain, ChainError, Clock};
use sn1_actors::runtime::Overseer;
use tokio::sync::watch;

use crate::chain::node::address::{
    AddressError, AxonPlace, Detection, Network, Undetected, published,
};
use crate::chain::node::endpoint::Endpoints;
use crate::config::Settings;
use crate::exit::{Ended, Exit};

/// The pause after a failure doubles to 64 seconds.
const MOST_DOUBLINGS: u32 = 6;
/// The most blocks that are waited for where the chain limits how often addresses change: its limit
/// is 50, and a longer one is not believed.
const LONGEST_WAIT: u64 = 100;

/// Between two looks whether the internet sees this machine at another address.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// What decides where others reach an axon.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts {
    place: AxonPlace,
    network: Network,
}

impl Whereabouts {
    /// As the settings say.
    #[must_use]
    pub fn of(settings: &Settings, endpoints: &Endpoints) -> Self {
        let axon = &settings.axon;
        let place = AxonPlace {
            ip: axon.ip,
            port: axon.port,
            external_ip: axon.external_ip,
            external_port: axon.external_port,
        };
        let network = if endpoints.is_public() { Network::Public } else { Network::Local };
        Self { place, network }
    }

    /// Where others reach the axon, as the settings say or the internet sees.
    ///
    /// # Errors
    /// If it cannot be found out, or nobody outside would reach it on a public network.
    pub async fn address(self) -> Result<SocketAddr, AddressError> {
        published(self.place, self.network, &Detection::default()).await
    }

    /// As [`Self::address`], for a start: while the internet does not answer it is waited for.
    ///
    /// # Errors
    /// If what answers does not tell the address, or nobody outside would reach it on a public
    /// network.
    pub async fn settled(self, clock: &dyn Clock) -> Result<SocketAddr, Ended> {
        settled(clock, async || self.address().await).await
    }
}

async fn settled(
    clock: &dyn Clock,
    ask: impl AsyncFn() -> Result<SocketAddr, AddressError>,
) -> Result<SocketAddr, Ended> {
    let mut failures = 0_u32;
    loop {
        match ask().await {
            Ok(address) => return Ok(address),
            Err(error @ AddressError::Undetected(Undetected::NoAnswer(_))) => {
                tracing::warn!("{error}; until then it is asked again");
            }
            // Services that contradict each other may agree the next time; a setting stays wrong.
            Err(error @ AddressError::Undetected(_)) => {
                return Err(Ended::new(Exit::Failed, error));
            }
            Err(error) => return Err(Ended::new(Exit::Address, error)),
        }
        clock.sleep(pause_after(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// The pause after so many failures before this one.
fn pause_after(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(MOST_DOUBLINGS))
}

/// An axon whose address has to be on the chain.
pub struct Published {
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// What it shows.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// Whose axon it is.
    pub hotkey: Hotkey,
    /// Where it is reached now.
    pub address: SocketAddr,
    /// Where it is reached later.
    pub whereabouts: Whereabouts,
}

/// Sees to it that the chain says where an axon answers, as long as the process runs: at once; when
/// the machine gets another address; and when the chain shows another one, as after the hotkey lost
/// its slot and got a new one. A chain may be away for hours.
pub fn publish(overseer: &Overseer, axon: Published) {
    let clock = overseer.clock();
    overseer.tasks().spawn("serve_axon", async move { axon.keep(clock.as_ref()).await });
}

impl Published {
    async fn keep(mut self, clock: &dyn Clock) {
        // As of an older block the chain cannot show what was put there.
        let mut since = BlockNumber(0);
        let mut given_up = None;
        let mut next_look = clock.now().after(LOOK_AGAIN);
        loop {
            let seen = Arc::clone(&self.metagraph.borrow_and_update());
            match standing(&seen, &self.hotkey, self.address, since) {
                Standing::Told => {}
                Standing::Lost => {
                    given_up = None;
                    tracing::warn!(hotkey = %self.hotkey, block = %seen.block,
                        "the hotkey has lost its slot: `sn1 register` gives it another one");
                }
                Standing::Due(_) if given_up == Some(self.address) => {}
                Standing::Due(before) => match self.tell(before, seen.block, clock).await {
                    Some(block) => since = block,
                    None => given_up = Some(self.address),
                },
            }
            let wait = next_look.since(clock.now());
            tokio::select! {
                changed = self.metagraph.changed() => if changed.is_err() { return },
                () = clock.sleep(wait) => {
                    next_look = clock.now().after(LOOK_AGAIN);
                    self.look_again().await;
                }
            }
        }
    }

    /// Puts the address on the chain; gives a block by which it is there, or none if it never will.
    async fn tell(
        &self,
        before: Option<SocketAddr>,
        seen: BlockNumber,
        clock: &dyn Clock,
    ) -> Option<BlockNumber> {
        let address = self.address;
        match served(self.chain.as_ref(), clock, address).await {
            Ok(()) => {
                tracing::info!(%address, ?before, "the axon's address is on the chain");
                let block = self.chain.block_after(BlockNumber(0)).await;
                // A chain that is away again has it all the same, and not before the next block.
                Some(block.unwrap_or(BlockNumber(seen.0.saturating_add(1))))
            }
            Err(error) => {
                tracing::error!(%address, %error, "nobody will find the axon");
                None
            }
        }
    }

    async fn look_again(&mut self) {
        match self.whereabouts.address().await {
            Ok(address) if address != self.address => {
                tracing::warn!(before = %self.address, now = %address, "the axon's address changed");
                self.address = address;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!("whether the axon's address changed is unknown: {error}"),
        }
    }
}

/// How the chain's word on an axon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// As it ought to, or it is too early to tell.
    Told,
    /// The hotkey is not registered any more.
    Lost,
    /// It says something else.
    Due(Option<SocketAddr>),
}

fn standing(
    seen: &Metagraph,
    hotkey: &Hotkey,
    address: SocketAddr,
    since: BlockNumber,
) -> Standing {
    match seen.by_hotkey(hotkey) {
        _ if seen.neurons.is_empty() || seen.block < since => Standing::Told,
        None => Standing::Lost,
        Some(own) if own.axon == Some(address) => Standing::Told,
        Some(own) => Standing::Due(own.axon),
    }
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
        clock.sleep(pause_after(failures)).await;
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
    fn a_start_waits_for_the_internet_and_ends_for_good_only_over_a_setting() {
        Stage::play(async |stage: Stage| {
            let clock = stage.clock.as_ref();
            let (hours, minute) = (Duration::from_secs(6 * 3_600), Duration::from_secs(64));
            let address = SocketAddr::from(([203, 0, 113, 1], 8091));
            let away = || Err(Undetected::NoAnswer(vec!["no route".into()]).into());
            let back = async || if stage.clock.now().0 < hours { away() } else { Ok(address) };
            assert_eq!(settled(clock, back).await.unwrap(), address);
            let waited = stage.clock.now().0;
            assert!(waited >= hours && waited <= hours + minute, "{waited:?}");
            let contradiction = Undetected::Disagreement(Vec::new());
            for (error, exit) in [
                (AddressError::NoPort { key: "axon.port" }, Exit::Address),
                (contradiction.into(), Exit::Failed),
            ] {
                let ended = settled(clock, async || Err(error.clone())).await.unwrap_err();
                assert_eq!(ended.exit, exit, "{ended}");
            }
        });
    }

    #[test]
    fn an_address_is_due_while_the_chain_shows_another_and_not_while_it_cannot_know() {
        Stage::play(async |stage: Stage| {
            let chain = FakeChain::new(Arc::clone(&stage.clock), 1);
            let seen = chain.metagraph().await.unwrap();
            let (own, block) = (seen.neurons[1].clone(), seen.block);
            let (there, new) = (own.axon.unwrap(), SocketAddr::from(([203, 0, 113, 1], 8091)));
            let stands = |seen: &Metagraph, at, since| standing(seen, &own.hotkey, at, since);
            assert_eq!(stands(&seen, there, block), Standing::Told);
            assert_eq!(stands(&seen, new, block), Standing::Due(Some(there)));
            assert_eq!(stands(&seen, new, BlockNumber(block.0 + 1)), Standing::Told);
            let without = Metagraph { neurons: seen.neurons[..1].to_vec(), ..seen };
            assert_eq!(stands(&without, there, block), Standing::Lost);
            let unread = Metagraph::empty(without.netuid);
            assert_eq!(stands(&unread, there, BlockNumber(0)), Standing::Told);
        });
    }

    #[test]
    fn an_address_is_published_again_even_if_the_chain_went_away_right_after_the_first_time() {
        Stage::play(async |stage: Stage| {
            let chain = Arc::new(FakeChain::new(Arc::clone(&stage.clock), 1));
            let before = chain.metagraph().await.unwrap();
            let (shows, metagraph) = watch::channel(Arc::new(before.clone()));
            let address = SocketAddr::from(([203, 0, 113, 1], 8091));
            let axon = Published {
                chain: Arc::clone(&chain) as Arc<dyn Chain>,
                metagraph,
                hotkey: before.neurons[1].hotkey.clone(),
                address,
                whereabouts: Whereabouts {
                    place: AxonPlace {
                        ip: address.ip(),
                        port: address.port(),
                        external_ip: None,
                        external_port: None,
                    },
                    network: Network::Local,
                },
            };
            chain.fail_once_served(ChainError::Unreachable("gone".into()));
            let play = async {
                stage.clock.sleep(Duration::from_secs(60)).await;
                assert_eq!(chain.served(), [address]);
                chain.fail(None);
                // Another machine has put its own address there.
                shows.send_replace(Arc::new(Metagraph { block: BlockNumber(9), ..before }));
                stage.clock.sleep(Duration::from_secs(60)).await;
                assert_eq!(chain.served(), [address, address]);
            };
            tokio::select! {
                () = axon.keep(stage.clock.as_ref()) => panic!("it keeps the address for ever"),
                () = play => {}
            }
        });
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
