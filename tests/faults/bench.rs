//! Our own client, whole: the keeper of connections, the chain of one hotkey over it, and a
//! WeightSetter that works with that chain, against scripted nodes.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1::chain::node::endpoint::Endpoints;
use sn1::chain::node::keeper::{Health, Keeper, KeeperConfig};
use sn1::chain::node::subtensor::Subtensor;
use sn1::config::{FlagValue, Inputs, Role, Settings};
use sn1::wire::Keypair;
use sn1_actors::domain::{BlockNumber, Hotkey, Netuid, Score};
use sn1_actors::ports::{ChainError, Clock, ScoreBook, SignedCall};
use sn1_actors::runtime::{Failpoints, Inbox, Overseer, Port, RestartPolicy};
use sn1_actors::testkit::{MemoryJournal, MemoryLedger};
use sn1_actors::weight_setter::{
    BlockArrived, ColdStart, SetError, SetWeights, Standings, WeightSetter, WeightSetterConfig,
    WeightSetterDeps, WeightsOnChain,
};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::clock::HandClock;
use crate::node::{Account, Cut, HUNG, Node, Weights, World};

/// The time from block to block that the scripted runtimes name.
const BLOCK_TIME: Duration = Duration::from_secs(12);

/// A keeper whose pauses are short sleeps of the clock, and whose patience is that of a test on a
/// busy machine.
pub(crate) const PATIENT: KeeperConfig = KeeperConfig {
    patience: Duration::from_secs(20),
    strikes: 3,
    first_pause: Duration::from_millis(500),
    longest_pause: Duration::from_secs(8),
    block_time: None,
};

/// As patient as a test is that waits for a hanging node.
pub(crate) const HASTY: KeeperConfig =
    KeeperConfig { patience: Duration::from_millis(1_500), ..PATIENT };

/// A hotkey by the seed of its key; that of the validator is 1.
pub(crate) fn keypair(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32]).unwrap()
}

/// As [`keypair`], the name only.
pub(crate) fn hotkey(seed: u8) -> Hotkey {
    keypair(seed).hotkey()
}

/// As [`keypair`], the account only.
pub(crate) fn account(seed: u8) -> Account {
    keypair(seed).public()
}

/// What the scores of [`Bench::play`] come to: the SDK rounds a half up here.
pub(crate) const EARNED: [(u16, u16); 2] = [(1, 65_535), (2, 32_768)];

/// The validator's weights on chain, none where it has set none.
pub(crate) fn weights(world: &World) -> Weights {
    world.final_state().weights.get(&account(1)).cloned().unwrap_or_default()
}

/// The client of the validator, whose key has seed 1.
pub(crate) struct Bench {
    pub(crate) clock: Arc<HandClock>,
    pub(crate) keeper: Keeper,
    pub(crate) chain: Subtensor,
    config: KeeperConfig,
    pub(crate) ledger: Arc<MemoryLedger>,
    set: Port<SetWeights>,
    standings: Port<Standings>,
    block: Port<BlockArrived>,
    overseer: RefCell<Option<Overseer>>,
}

impl Bench {
    /// Plays a test with a client that knows these nodes, in this order. The miners of seeds 2 and 3
    /// have earned something.
    pub(crate) fn play(nodes: &[&Node], config: KeeperConfig, test: impl AsyncFnOnce(&Bench)) {
        Self::play_with(&[(2, 1.0), (3, 0.5)], nodes, config, test);
    }

    /// As [`Self::play`], where the keys of these seeds have these scores.
    pub(crate) fn play_with(
        scores: &[(u8, f64)],
        nodes: &[&Node],
        config: KeeperConfig,
        test: impl AsyncFnOnce(&Bench),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let endpoints = endpoints(nodes);
        LocalSet::new().block_on(&runtime, async {
            let clock = HandClock::new(config.longest_pause);
            let random = ChaCha8Rng::seed_from_u64(7);
            let (keeper, work) = Keeper::new(&endpoints, config, random, Arc::clone(&clock) as _);
            let bench = Self::new(clock, keeper, config, scores);
            tokio::select! {
                () = work => panic!("the keeper has given up"),
                () = test(&bench) => {}
            }
            bench.end().await;
        });
    }

    /// As [`Self::play`], with one node, to which the client is connected when the test begins.
    pub(crate) fn connected(
        node: Node,
        config: KeeperConfig,
        test: impl AsyncFnOnce(&Bench, &Node),
    ) {
        Self::play(&[&node], config, async |bench| {
            bench.until_connected(&node).await;
            test(bench, &node).await;
        });
    }

    fn new(
        clock: Arc<HandClock>,
        keeper: Keeper,
        config: KeeperConfig,
        scores: &[(u8, f64)],
    ) -> Self {
        let chain = Subtensor::new(keeper.clone(), Arc::new(keypair(1)), Netuid(1));
        let ticking: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let journal = Arc::new(MemoryJournal::default());
        let overseer = Overseer::new(Arc::clone(&ticking), Arc::clone(&journal) as _);
        let scores = scores.iter().map(|(seed, score)| (hotkey(*seed), Score::new(*score)));
        let book = ScoreBook { steps: 1, scores: scores.collect(), ..ScoreBook::default() };
        let ledger = Arc::new(MemoryLedger::holding(book.clone()));
        let inbox = Inbox::<WeightSetter>::open("weight_setter", Arc::clone(&ticking));
        let (set, block, standings) = (inbox.port(4), inbox.port(4), inbox.port(4));
        let deps = WeightSetterDeps {
            config: WeightSetterConfig {
                netuid: Netuid(1),
                alpha: 0.05,
                version_key: 1,
                disabled: false,
                epoch_blocks: 100,
                cold_start: ColdStart::OFF,
                patience: Duration::from_secs(3_600),
            },
            chain: Arc::new(chain.clone()),
            ledger: Arc::clone(&ledger) as _,
            clock: ticking,
            journal,
            failpoints: Failpoints::default(),
        };
        overseer.supervise(inbox, RestartPolicy::LIGHT, WeightSetter::new(deps, book));
        let overseer = RefCell::new(Some(overseer));
        Self { clock, keeper, chain, config, ledger, set, standings, block, overseer }
    }

    async fn end(&self) {
        let overseer = self.overseer.take().unwrap();
        overseer.kill().stop();
        tokio::task::yield_now().await;
    }

    /// The time in which a new final block must come.
    pub(crate) fn window(&self) -> Duration {
        2 * BLOCK_TIME + self.config.patience
    }

    /// Waits until the connection stands so.
    pub(crate) async fn until(&self, what: &str, so: impl FnMut(&Health) -> bool) -> Health {
        let mut health = self.keeper.health();
        let found = timeout(HUNG, health.wait_for(so)).await;
        let found = found.unwrap_or_else(|_| panic!("waited in vain: {what}"));
        found.unwrap().clone()
    }

    /// Waits until a node is connected, and has told its newest block.
    pub(crate) async fn until_connected(&self, node: &Node) {
        let is_it = |health: &Health| health.endpoint.as_deref() == Some(node.url());
        self.until("a connection", is_it).await;
        self.until_block(node).await;
    }

    /// Waits until the client knows the node's newest final block.
    pub(crate) async fn until_block(&self, node: &Node) {
        if let Some(before) = newest(node).0.checked_sub(1) {
            let known = self.keeper.block_after(BlockNumber(before));
            timeout(HUNG, known).await.unwrap().unwrap();
        }
    }

    /// Has a block come, and waits until the keeper has begun to wait for the next.
    pub(crate) async fn until_the_next_block_is_awaited(&self, node: &Node) {
        node.grow();
        self.until_block(node).await;
        self.clock.until_somebody_sleeps(self.window()).await;
    }

    /// Asks the WeightSetter to set weights now.
    pub(crate) async fn set(&self) -> Result<WeightsOnChain, SetError> {
        let deadline = self.set.within(Duration::from_secs(3_600));
        let set = timeout(2 * HUNG, self.set.ask(SetWeights, deadline)).await;
        set.expect("an answer").expect("the weight setter is running")
    }

    /// Tells the WeightSetter of the node's newest final block, as ChainWatch does.
    pub(crate) async fn tell_block(&self, node: &Node) {
        self.until_block(node).await;
        self.block.push(BlockArrived { block: newest(node) }).await;
    }

    /// Asks the WeightSetter for its book until it is so.
    pub(crate) async fn until_book(&self, what: &str, so: impl Fn(&ScoreBook) -> bool) {
        let asking = async {
            let deadline = self.standings.within(Duration::from_secs(3_600));
            while !so(&self.standings.ask(Standings, deadline).await.unwrap()) {}
        };
        assert!(timeout(HUNG, asking).await.is_ok(), "waited in vain: {what}");
    }

    /// As [`Self::set`], while something happens after the transaction is in the node's pool.
    pub(crate) async fn set_while(
        &self,
        node: &Node,
        what: impl AsyncFnOnce(),
    ) -> Result<WeightsOnChain, SetError> {
        let pooled = async {
            node.until_pooled().await;
            what().await;
        };
        let (set, ()) = tokio::join!(self.set(), pooled);
        set
    }

    /// As [`Self::set`], where the connection is cut as soon as the node took the transaction; gives
    /// what was signed, whose outcome is open now.
    pub(crate) async fn set_cut_off(&self, node: &Node, cut: Cut) -> SignedCall {
        node.faults(|faults| faults.cut_after_submit = Some(cut));
        let lost = self.set().await;
        assert!(matches!(lost, Err(SetError::Chain(ChainError::Unreachable(_)))), "{lost:?}");
        self.signed()
    }

    /// What the ledger says was signed, and has no outcome yet.
    pub(crate) fn signed(&self) -> SignedCall {
        let intent = self.ledger.book().intent.expect("its outcome is open");
        intent.signed.expect("this chain takes signed calls only")
    }

    /// As [`Self::set`]; the block that the transaction waits for comes.
    pub(crate) async fn set_in_the_next_block(
        &self,
        node: &Node,
    ) -> Result<WeightsOnChain, SetError> {
        self.set_while(node, async || node.grow()).await
    }
}

/// The node's newest final block.
fn newest(node: &Node) -> BlockNumber {
    node.look(|world| BlockNumber(world.final_number().into()))
}

/// The nodes, as the settings name them.
fn endpoints(nodes: &[&Node]) -> Endpoints {
    let urls: Vec<&str> = nodes.iter().map(|node| node.url()).collect();
    let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
    let key = "subtensor.chain_endpoint".to_owned();
    inputs.flags.values = vec![FlagValue { key, values: vec![urls.join(",")] }];
    let loaded = Settings::load(Role::Validator, &inputs).unwrap();
    Endpoints::of(&loaded.settings.subtensor).unwrap()
}
