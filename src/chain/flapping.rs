//! A chain that is away every now and then, for `sn1 localnet` with `localnet.outage`: what a public
//! endpoint does to a validator, on a machine of one's own.
//!
//! Outages alternate between two kinds: one refuses every call at once, the other never answers, as a
//! connection that is half open. A call that is answered during an outage may have been taken, but
//! its answer is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, BoxFuture};
use sn1_actors::domain::{BlockNumber, Hyperparameters, Metagraph, Moment};
use sn1_actors::ports::{
    Chain, ChainError, Clock, PendingReveal, PreparedWeights, Sighting, SignedCall, WeightsCall,
    WeightsIntent,
};

/// When the chain is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outages {
    /// How long the chain is there before each.
    pub between: Duration,
    /// How long each lasts.
    pub lasting: Duration,
}

/// How the chain is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    There,
    Refusing,
    Silent,
}

/// Another chain, with outages.
pub struct Flapping {
    chain: Arc<dyn Chain>,
    outages: Outages,
    clock: Arc<dyn Clock>,
    began: Moment,
}

impl Flapping {
    /// That chain; the first outage begins after `between`.
    #[must_use]
    pub fn new(chain: Arc<dyn Chain>, outages: Outages, clock: Arc<dyn Clock>) -> Self {
        let began = clock.now();
        Self { chain, outages, clock, began }
    }

    /// An answer of the chain, unless it is away when the call is made or when it is answered.
    fn unless_away<T: Send + 'static>(
        &self,
        call: BoxFuture<'static, Result<T, ChainError>>,
    ) -> BoxFuture<'static, Result<T, ChainError>> {
        let (outages, clock, began) = (self.outages, Arc::clone(&self.clock), self.began);
        let gate = move || match outages.at(clock.now().since(began)) {
            State::There => None,
            State::Refusing => Some(Away::Refused),
            State::Silent => Some(Away::Silent),
        };
        Box::pin(async move {
            if let Some(away) = gate() {
                return away.answer().await;
            }
            let answer = call.await;
            match gate() {
                Some(away) => away.answer().await,
                None => answer,
            }
        })
    }
}

/// What a call during an outage comes to.
enum Away {
    Refused,
    Silent,
}

impl Away {
    async fn answer<T>(self) -> Result<T, ChainError> {
        match self {
            Self::Refused => Err(ChainError::Unreachable("an outage on purpose".into())),
            Self::Silent => future::pending().await,
        }
    }
}

impl Outages {
    /// How the chain is, so long after it began.
    fn at(&self, elapsed: Duration) -> State {
        let cycle = (self.between + self.lasting).as_nanos().max(1);
        let (number, within) = (elapsed.as_nanos() / cycle, elapsed.as_nanos() % cycle);
        if within < self.between.as_nanos() {
            State::There
        } else if number.is_multiple_of(2) {
            State::Refusing
        } else {
            State::Silent
        }
    }
}

impl Chain for Flapping {
    fn block_after(
        &self,
        seen: BlockNumber,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.unless_away(self.chain.block_after(seen))
    }

    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>> {
        self.unless_away(self.chain.metagraph())
    }

    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>> {
        self.unless_away(self.chain.hyperparameters())
    }

    fn prepare_weights(
        &self,
        call: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>> {
        self.unless_away(self.chain.prepare_weights(call))
    }

    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.unless_away(self.chain.submit_weights(intent))
    }

    fn look_for(&self, call: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>> {
        self.unless_away(self.chain.look_for(call))
    }

    fn reveal_weights(
        &self,
        reveal: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.unless_away(self.chain.reveal_weights(reveal))
    }

    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>> {
        self.unless_away(self.chain.serve_axon(address))
    }
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::{Coldkey, Hotkey, Tao};
    use sn1_actors::ports::{TokioClock, in_time};

    use super::*;
    use crate::chain::local::{LocalChain, LocalChainConfig};

    const OUTAGES: Outages =
        Outages { between: Duration::from_secs(40), lasting: Duration::from_secs(20) };

    #[tokio::test(start_paused = true)]
    async fn outages_refuse_and_are_silent_in_turn_and_pass() {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let chain = LocalChain::new(LocalChainConfig::default(), Arc::clone(&clock)).unwrap();
        let who = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let (hotkey, owner) = (Hotkey::parse(who).unwrap(), Coldkey::parse(who).unwrap());
        chain.register(hotkey.clone(), owner, Tao(1.0)).unwrap();
        let chain = Flapping::new(chain.handle(hotkey), OUTAGES, Arc::clone(&clock));
        let mut seen = Vec::new();
        for tens in 1..=12 {
            let answer = in_time(&*clock, Duration::from_secs(1), chain.metagraph()).await;
            seen.push(match answer {
                Some(Ok(_)) => '.',
                Some(Err(_)) => 'x',
                None => '?',
            });
            clock.sleep(Duration::from_secs(10 * tens).saturating_sub(clock.now().0)).await;
        }
        assert_eq!(seen.iter().collect::<String>(), "....xx....??");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_during_an_outage_is_lost() {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let config =
            LocalChainConfig { block_time: Duration::from_secs(30), ..LocalChainConfig::default() };
        let chain = LocalChain::new(config, Arc::clone(&clock)).unwrap();
        let hotkey = Hotkey::parse("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap();
        let outages =
            Outages { between: Duration::from_secs(25), lasting: Duration::from_secs(15) };
        let flapping = Flapping::new(chain.handle(hotkey), outages, clock);
        assert!(flapping.block_after(BlockNumber(0)).await.is_err());
    }
}
