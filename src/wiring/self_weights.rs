//! A miner's weight on itself, once an epoch, as the original's miners set it (`miner.self_weights`).
//!
//! It earns nothing by itself: chains count the weights of those with a validator permit. So nothing
//! is kept over a restart and nothing is sent twice; what fails is a warning, and the next epoch is
//! another try.

use std::sync::Arc;

use sn1_actors::domain::{BlockNumber, Hotkey, Hyperparameters, Metagraph, Neuron};
use sn1_actors::ports::{
    Chain, ChainError, PreparedWeights, WeightsCall, WeightsIntent, WeightsWay,
};
use sn1_actors::runtime::Overseer;
use tokio::sync::watch;

/// Begins to set the weight of a hotkey's neuron on itself.
pub fn start(
    overseer: &Overseer,
    chain: Arc<dyn Chain>,
    metagraph: watch::Receiver<Arc<Metagraph>>,
    hotkey: Hotkey,
) {
    let clock = overseer.clock();
    overseer.tasks().spawn("self_weights", async move {
        let mut seen = BlockNumber(0);
        let mut next = BlockNumber(0);
        loop {
            let Ok(block) = chain.block_after(seen).await else {
                clock.sleep(std::time::Duration::from_secs(60)).await;
                continue;
            };
            seen = block;
            let own = metagraph.borrow().by_hotkey(&hotkey).cloned();
            if let Some(own) = own.filter(|_| block >= next) {
                next = turn(chain.as_ref(), &metagraph, &own, block).await;
            }
        }
    });
}

/// Sets the weight if that is due at a block; gives the block of the next try.
async fn turn(
    chain: &dyn Chain,
    metagraph: &watch::Receiver<Arc<Metagraph>>,
    own: &Neuron,
    block: BlockNumber,
) -> BlockNumber {
    let rules = match chain.hyperparameters().await {
        Ok(rules) => rules,
        Err(error) => {
            tracing::warn!(%error, "the rules for the weight on itself cannot be read");
            return BlockNumber(block.0 + 10);
        }
    };
    let epoch = u64::from(rules.tempo) + 1;
    let pause = epoch.max(rules.weights_rate_limit);
    let due = own.last_update.0.saturating_add(pause);
    if own.last_update.0 > 0 && block.0 < due {
        return BlockNumber(due);
    }
    let netuid = metagraph.borrow().netuid;
    let call = call(netuid, own, &rules);
    match set(chain, call, block).await {
        Ok(block) => tracing::info!(%block, uid = %own.uid, "the weight on itself is set"),
        Err(ChainError::TooSoon { wait }) => {
            return BlockNumber(block.0.saturating_add(wait.max(1)));
        }
        Err(error) => tracing::warn!(%error, "the weight on itself is not set in this epoch"),
    }
    // Whatever came of it, one epoch sees one try: a transaction may be on its way still.
    BlockNumber(block.0.saturating_add(pause))
}

fn call(netuid: sn1_actors::domain::Netuid, own: &Neuron, rules: &Hyperparameters) -> WeightsCall {
    let version_key = rules.weights_version;
    WeightsCall { netuid, uids: vec![own.uid], values: vec![u16::MAX], version_key }
}

async fn set(
    chain: &dyn Chain,
    call: WeightsCall,
    begun: BlockNumber,
) -> Result<BlockNumber, ChainError> {
    let PreparedWeights { way, signed } = chain.prepare_weights(call.clone()).await?;
    if let WeightsWay::Commit(_) = way {
        let why = "the subnet takes weights as commits that their sender reveals, which a miner \
                   does not: turn miner.self_weights off";
        return Err(ChainError::Refused(why.to_owned()));
    }
    chain.submit_weights(WeightsIntent { begun, call, way, signed }).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sn1_actors::domain::Uid;
    use sn1_actors::testkit::{FakeChain, Stage, hotkey};

    use super::*;

    /// The weights that were set in so many blocks of 12 seconds; the chain fails so at first.
    fn set_in(blocks: u64, failing: Option<(ChainError, u64)>) -> usize {
        let all = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&all);
        Stage::play(async move |stage: Stage| {
            let chain = Arc::new(FakeChain::new(Arc::clone(&stage.clock), 2));
            let (_held, metagraph) = watch::channel(Arc::new(chain.metagraph().await.unwrap()));
            let block = Duration::from_secs(12);
            start(&stage.overseer, Arc::clone(&chain) as _, metagraph, hotkey(2));
            if let Some((error, until)) = failing {
                chain.fail(Some(error));
                stage.clock.sleep(block * u32::try_from(until).unwrap()).await;
                chain.fail(None);
            }
            let rest = (block * u32::try_from(blocks).unwrap()).saturating_sub(stage.clock.now().0);
            stage.clock.sleep(rest).await;
            *told.lock().unwrap() = chain.calls();
        });
        let calls = all.lock().unwrap();
        let ours = |call: &WeightsCall| call.uids == [Uid(2)] && call.values == [u16::MAX];
        assert!(calls.iter().all(ours), "{calls:?}");
        calls.len()
    }

    #[test]
    fn a_weight_is_set_once_an_epoch_of_a_hundred_blocks() {
        assert_eq!(set_in(90, None), 1);
        assert_eq!(set_in(350, None), 4);
    }

    #[test]
    fn a_chain_that_is_away_or_refuses_ends_nothing() {
        let away = ChainError::Unreachable("gone".into());
        assert_eq!(set_in(150, Some((away, 120))), 1);
    }
}
