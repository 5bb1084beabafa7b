//! A WeightSetter with a chain whose neurons the test decides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;
use sn1_actors::chain_watch::ChainWatchConfig;
use sn1_actors::domain::{
    BlockNumber, Coldkey, ConversationId, Hyperparameters, Metagraph, Netuid, Neuron, Score, Tao,
    Turn, Uid,
};
use sn1_actors::ports::{
    Chain, ChainError, Clock, Inclusion, PendingReveal, PreparedWeights, ScoreBook, Sighting,
    SignedCall, WeightsCall, WeightsIntent, WeightsWay,
};
use sn1_actors::runtime::{AskError, Inbox, Port, RestartPolicy, Topology};
use sn1_actors::testkit::{MemoryLedger, Stage, hotkey};
use sn1_actors::weight_setter::{
    BlockArrived, ColdStart, SetError, SetWeights, Standings, StepScored, WeightSetter,
    WeightSetterConfig, WeightSetterDeps, WeightsOnChain,
};
use sn1_actors::wiring::{ChainParts, start_chain_watch};
use tokio::sync::watch;

/// A block every twelve seconds, and whatever neurons and refusal it was told.
pub(crate) struct ShownChain {
    clock: Arc<dyn Clock>,
    neurons: Mutex<Vec<Neuron>>,
    refusal: Mutex<Option<ChainError>>,
    sent: Mutex<Vec<WeightsIntent>>,
    /// How it wants weights; it takes them unsigned where there is none.
    way: Mutex<Option<WeightsWay>>,
    signed: AtomicU64,
    seen: Mutex<Inclusion>,
    reveals: Mutex<Vec<PendingReveal>>,
    /// Why the metagraph cannot be read.
    blind: Mutex<Option<ChainError>>,
}

impl ShownChain {
    pub(crate) fn refuse(&self, error: Option<ChainError>) {
        *self.refusal.lock() = error;
    }

    /// All that were sent, refused ones too.
    pub(crate) fn calls(&self) -> Vec<WeightsCall> {
        self.sent.lock().iter().map(|intent| intent.call.clone()).collect()
    }

    /// The bytes that were sent, each time that they were.
    pub(crate) fn bytes(&self) -> Vec<String> {
        let bytes = |intent: &WeightsIntent| intent.signed.clone().map(|signed| signed.extrinsic);
        self.sent.lock().iter().filter_map(bytes).collect()
    }

    /// From now on it takes signed calls only, in this way.
    pub(crate) fn sign(&self, way: WeightsWay) {
        *self.way.lock() = Some(way);
    }

    /// What is to be seen of every transaction from now on.
    pub(crate) fn see(&self, inclusion: Inclusion) {
        *self.seen.lock() = inclusion;
    }

    /// All reveals, refused ones too.
    pub(crate) fn reveals(&self) -> Vec<PendingReveal> {
        self.reveals.lock().clone()
    }

    /// Makes reading the metagraph fail so from now on, or work again.
    pub(crate) fn blind(&self, error: Option<ChainError>) {
        *self.blind.lock() = error;
    }

    pub(crate) fn block(&self) -> BlockNumber {
        BlockNumber(1 + self.clock.now().0.as_secs() / 12)
    }
}

impl Chain for ShownChain {
    fn block_after(
        &self,
        seen: BlockNumber,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        let block = self.block().max(BlockNumber(seen.0 + 1));
        let due = Duration::from_secs(12 * (block.0 - 1));
        let pause = self.clock.sleep(due.saturating_sub(self.clock.now().0));
        pause.map(move |()| Ok(block)).boxed()
    }

    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>> {
        if let Some(error) = self.blind.lock().clone() {
            return ready(Err(error)).boxed();
        }
        let neurons = self.neurons.lock().clone();
        ready(Ok(Metagraph { netuid: Netuid(1), block: self.block(), neurons })).boxed()
    }

    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>> {
        ready(Ok(Hyperparameters {
            tempo: 99,
            weights_rate_limit: 0,
            min_allowed_weights: 1,
            max_weight_limit: u16::MAX,
            weights_version: 0,
        }))
        .boxed()
    }

    fn prepare_weights(
        &self,
        _: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>> {
        let Some(way) = self.way.lock().clone() else {
            return ready(Ok(PreparedWeights { way: WeightsWay::Plain, signed: None })).boxed();
        };
        let nonce = self.signed.fetch_add(1, Ordering::Relaxed);
        let birth = self.block();
        let signed = SignedCall {
            extrinsic: format!("0x{nonce:04x}"),
            nonce,
            birth,
            death: BlockNumber(birth.0 + 8),
            epoch_end: BlockNumber(birth.0 + 20),
        };
        ready(Ok(PreparedWeights { way, signed: Some(signed) })).boxed()
    }

    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.sent.lock().push(intent);
        let refusal = self.refusal.lock().clone();
        ready(refusal.map_or(Ok(self.block()), Err)).boxed()
    }

    fn look_for(&self, _: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>> {
        ready(Ok(Sighting { as_of: self.block(), inclusion: *self.seen.lock() })).boxed()
    }

    fn reveal_weights(
        &self,
        reveal: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.reveals.lock().push(reveal);
        let refusal = self.refusal.lock().clone();
        ready(refusal.map_or(Ok(self.block()), Err)).boxed()
    }

    fn serve_axon(&self, _: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>> {
        ready(Ok(())).boxed()
    }
}

/// A neuron on a slot; that of uid 0 is the validator.
pub(crate) fn neuron(uid: u16, key: u16) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey: hotkey(key),
        coldkey: Coldkey::parse(hotkey(key).as_str()).expect("it has the form of an address"),
        stake: Tao(0.0),
        validator_permit: uid == 0,
        axon: Some(SocketAddr::from(([10, 0, 0, 1], 8_000))),
        last_update: BlockNumber(0),
        incentive: 0.0,
    }
}

/// Neurons whose hotkeys have the numbers of their uids.
pub(crate) fn everyone(size: u16) -> Vec<Neuron> {
    (0..size).map(|uid| neuron(uid, uid)).collect()
}

/// A book with these averages, by number of hotkey.
pub(crate) fn book_of(scores: &[(u16, f64)]) -> ScoreBook {
    let scores = scores.iter().map(|(key, score)| (hotkey(*key), Score::new(*score))).collect();
    ScoreBook { steps: 1, scores, ..ScoreBook::default() }
}

pub(crate) struct Bench {
    pub(crate) chain: Arc<ShownChain>,
    pub(crate) ledger: Arc<MemoryLedger>,
    clock: Arc<dyn Clock>,
    block: Port<BlockArrived>,
    step: Port<StepScored>,
    standings: Port<Standings>,
    set: Port<SetWeights>,
}

impl Bench {
    pub(crate) fn start(stage: &Stage, book: ScoreBook, neurons: Vec<Neuron>) -> Self {
        Self::with(stage, book, neurons, ColdStart::OFF)
    }

    /// One that begins no settings.
    pub(crate) fn disabled(stage: &Stage, book: ScoreBook, neurons: Vec<Neuron>) -> Self {
        Self::configured(stage, book, neurons, ColdStart::OFF, true)
    }

    pub(crate) fn with(
        stage: &Stage,
        book: ScoreBook,
        neurons: Vec<Neuron>,
        cold_start: ColdStart,
    ) -> Self {
        Self::configured(stage, book, neurons, cold_start, false)
    }

    fn configured(
        stage: &Stage,
        book: ScoreBook,
        neurons: Vec<Neuron>,
        cold_start: ColdStart,
        disabled: bool,
    ) -> Self {
        let clock = Arc::clone(&stage.clock);
        let chain = Arc::new(ShownChain {
            clock: Arc::clone(&clock),
            neurons: Mutex::new(neurons),
            refusal: Mutex::default(),
            sent: Mutex::default(),
            way: Mutex::default(),
            signed: AtomicU64::new(0),
            seen: Mutex::new(Inclusion::Unknown),
            reveals: Mutex::default(),
            blind: Mutex::default(),
        });
        let ledger = Arc::new(MemoryLedger::holding(book.clone()));
        let inbox = Inbox::<WeightSetter>::open("weight_setter", Arc::clone(&clock));
        let (block, step) = (inbox.port(1), inbox.port(4));
        let (standings, set) = (inbox.port(4), inbox.port(4));
        let deps = WeightSetterDeps {
            config: WeightSetterConfig {
                netuid: Netuid(1),
                alpha: 0.05,
                version_key: 1,
                disabled,
                epoch_blocks: 100,
                cold_start,
                patience: Duration::from_secs(60),
            },
            chain: Arc::clone(&chain) as _,
            ledger: Arc::clone(&ledger) as _,
            clock: Arc::clone(&clock),
            journal: Arc::clone(&stage.journal) as _,
            failpoints: stage.failpoints.clone(),
        };
        stage.overseer.supervise(inbox, RestartPolicy::LIGHT, WeightSetter::new(deps, book));
        Self { chain, ledger, clock, block, step, standings, set }
    }

    /// Has a real ChainWatch tell of blocks; gives the metagraph as it publishes it.
    pub(crate) fn follow(&self, stage: &Stage) -> watch::Receiver<Arc<Metagraph>> {
        let config = ChainWatchConfig { resync_blocks: 10, patience: Duration::from_secs(60) };
        let parts = ChainParts {
            config,
            chain: Arc::clone(&self.chain) as _,
            netuid: Netuid(1),
            weight_setter: Some(self.block.clone()),
            failpoints: stage.failpoints.clone(),
        };
        start_chain_watch(&stage.overseer, parts, &mut Topology::default()).metagraph
    }

    /// What the chain says from now on.
    pub(crate) fn show(&self, neurons: Vec<Neuron>) {
        *self.chain.neurons.lock() = neurons;
    }

    /// One scored step, by number of hotkey.
    pub(crate) async fn score(&self, rewards: &[(u16, f64)]) {
        let rewards = rewards.iter().map(|(key, reward)| (hotkey(*key), Score::new(*reward)));
        let (conversation, turn) = (ConversationId(0), Turn(0));
        self.step.push(StepScored { conversation, turn, rewards: rewards.collect() }).await;
    }

    pub(crate) async fn standings(&self) -> ScoreBook {
        let asked = self.standings.ask(Standings, self.standings.within(Duration::from_secs(60)));
        asked.await.expect("the weight setter is running")
    }

    pub(crate) async fn set(&self) -> Result<WeightsOnChain, SetError> {
        let asked = self.set.ask(SetWeights, self.set.within(Duration::from_secs(60)));
        asked.await.expect("the weight setter is running")
    }

    /// Whether the setting was cut off by a crash.
    pub(crate) async fn set_interrupted(&self) -> bool {
        let asked = self.set.ask(SetWeights, self.set.within(Duration::from_secs(60)));
        matches!(asked.await, Err(AskError::Interrupted))
    }

    /// Lets so many blocks arrive, and tells the weight setter of each.
    pub(crate) async fn blocks(&self, count: u64) {
        for _ in 0..count {
            self.clock.sleep(Duration::from_secs(12)).await;
            self.block.push(BlockArrived { block: self.chain.block() }).await;
            // An answer means that what the block set off is done: nothing here takes time.
            self.standings().await;
        }
    }

    pub(crate) async fn set_in_the_next_block(&self) -> Result<WeightsOnChain, SetError> {
        self.clock.sleep(Duration::from_secs(12)).await;
        self.set().await
    }
}
