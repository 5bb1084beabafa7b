//! A fake for every port: deterministic, on virtual time, without input or output.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{
    BlockNumber, Coldkey, Context, ContextBody, Hotkey, Hyperparameters, Metagraph, Netuid, Neuron,
    Section, SourceKind, Tao, Uid,
};
use crate::ports::{
    CallerCheck, Chain, ChainError, Clock, Event, Inclusion, Journal, JournalError, Ledger,
    LedgerError, PendingReveal, PreparedWeights, ScoreBook, Sighting, SignedCall, SignedHead,
    Standing, Tool, ToolError, Want, WeightsCall, WeightsIntent, WeightsWay,
};

/// A hotkey by number, well-formed but of no known key.
#[must_use]
pub fn hotkey(n: u16) -> Hotkey {
    let text = format!("5{}", format!("{n:047}").replace('0', "A"));
    Hotkey::parse(&text).expect("it has the form of an address")
}

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Vec<Event>>);

impl MemoryJournal {
    /// Everything so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().clone()
    }
}

impl Journal for MemoryJournal {
    fn record(&self, event: Event) {
        self.0.lock().push(event);
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        ready(Ok(())).boxed()
    }
}

/// A score book in memory; it can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    book: Mutex<ScoreBook>,
    failing: Mutex<bool>,
}

impl MemoryLedger {
    /// A ledger with a book of an earlier run.
    #[must_use]
    pub fn holding(book: ScoreBook) -> Self {
        Self { book: Mutex::new(book), failing: Mutex::default() }
    }

    /// What is saved.
    #[must_use]
    pub fn book(&self) -> ScoreBook {
        self.book.lock().clone()
    }

    /// Makes every call from now on fail, or work again.
    pub fn fail(&self, failing: bool) {
        *self.failing.lock() = failing;
    }

    fn check(&self) -> Result<(), LedgerError> {
        let error = LedgerError { place: "memory".into(), cause: "told to fail".into() };
        if *self.failing.lock() { Err(error) } else { Ok(()) }
    }
}

impl Ledger for MemoryLedger {
    fn load(&self) -> Result<ScoreBook, LedgerError> {
        self.check()?;
        Ok(self.book.lock().clone())
    }

    fn save(&self, book: &ScoreBook) -> Result<(), LedgerError> {
        self.check()?;
        *self.book.lock() = book.clone();
        Ok(())
    }
}

/// A context with a text and without any more ado.
#[must_use]
pub fn context(title: &str, topic: &str, subtopic: &str, body: ContextBody) -> Context {
    Context {
        source: "test".into(),
        title: title.into(),
        topic: topic.into(),
        subtopic: subtopic.into(),
        tags: Vec::new(),
        origin: None,
        body,
    }
}

/// Articles and problems made up on the spot.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeTools;

impl Tool for FakeTools {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, kind: SourceKind) -> bool {
        matches!(kind, SourceKind::Article | SourceKind::Maths)
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let n: u32 = random.random_range(0..1_000);
        let body = match want {
            Want::Random(SourceKind::Maths) => ContextBody::Maths {
                problem: format!("What is {n} plus 1?"),
                solution: (n + 1).to_string(),
            },
            _ => ContextBody::Article {
                sections: vec![Section {
                    heading: None,
                    text: format!("Article {n} tells how tea is grown, picked, dried and drunk."),
                }],
            },
        };
        let (title, topic) = (format!("Article {n}"), format!("Topic {n}"));
        let context = Context { source: "fake".into(), ..context(&title, &topic, "Tests", body) };
        ready(Ok(context)).boxed()
    }
}

/// A chain with one validator (uid 0) and some miners; a block every twelve seconds.
pub struct FakeChain {
    clock: Arc<dyn Clock>,
    metagraph: Metagraph,
    calls: Mutex<Vec<WeightsCall>>,
    served: Mutex<Vec<SocketAddr>>,
    failing: Mutex<Option<ChainError>>,
    failing_once_served: Mutex<Option<ChainError>>,
}

impl FakeChain {
    /// A subnet of uid 0, the validator, and `miners` miners after it.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, miners: u16) -> Self {
        let neuron = |n: u16| Neuron {
            uid: Uid(n),
            hotkey: hotkey(n),
            coldkey: Coldkey::parse(hotkey(n).as_str()).expect("it has the form of an address"),
            stake: Tao(if n == 0 { 10_000.0 } else { 0.0 }),
            validator_permit: n == 0,
            axon: Some(SocketAddr::from(([10, 0, 0, 1], 8_000 + n))),
            last_update: BlockNumber(0),
            incentive: 0.0,
        };
        let neurons = (0..=miners).map(neuron).collect();
        let metagraph = Metagraph { netuid: Netuid(1), block: BlockNumber(1), neurons };
        Self {
            clock,
            metagraph,
            calls: Mutex::default(),
            served: Mutex::default(),
            failing: Mutex::default(),
            failing_once_served: Mutex::default(),
        }
    }

    /// The weights that were set, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<WeightsCall> {
        self.calls.lock().clone()
    }

    /// Makes every call from now on fail so, or work again.
    pub fn fail(&self, error: Option<ChainError>) {
        *self.failing.lock() = error;
    }

    /// The addresses that were published, in order.
    #[must_use]
    pub fn served(&self) -> Vec<SocketAddr> {
        self.served.lock().clone()
    }

    /// Makes every call fail so after the next address was published.
    pub fn fail_once_served(&self, error: ChainError) {
        *self.failing_once_served.lock() = Some(error);
    }

    fn block(&self) -> BlockNumber {
        BlockNumber(1 + self.clock.now().0.as_secs() / 12)
    }

    fn answer<T: Send + 'static>(&self, value: T) -> BoxFuture<'static, Result<T, ChainError>> {
        let answer = match self.failing.lock().clone() {
            Some(error) => Err(error),
            None => Ok(value),
        };
        ready(answer).boxed()
    }
}

impl Chain for FakeChain {
    fn block_after(
        &self,
        seen: BlockNumber,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        if self.block() > seen {
            return self.answer(self.block());
        }
        let due = Duration::from_secs(12 * seen.0);
        let (wait, block) = (due.saturating_sub(self.clock.now().0), BlockNumber(seen.0 + 1));
        let pause = self.clock.sleep(wait);
        let answer = self.answer(block);
        Box::pin(async move {
            pause.await;
            answer.await
        })
    }

    fn metagraph(&self) -> BoxFuture<'static, Result<Metagraph, ChainError>> {
        self.answer(Metagraph { block: self.block(), ..self.metagraph.clone() })
    }

    fn hyperparameters(&self) -> BoxFuture<'static, Result<Hyperparameters, ChainError>> {
        self.answer(Hyperparameters {
            tempo: 99,
            weights_rate_limit: 0,
            min_allowed_weights: 1,
            max_weight_limit: u16::MAX,
            weights_version: 0,
        })
    }

    fn prepare_weights(
        &self,
        _: WeightsCall,
    ) -> BoxFuture<'static, Result<PreparedWeights, ChainError>> {
        self.answer(PreparedWeights { way: WeightsWay::Plain, signed: None })
    }

    fn submit_weights(
        &self,
        intent: WeightsIntent,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        if self.failing.lock().is_none() {
            self.calls.lock().push(intent.call);
        }
        self.answer(self.block())
    }

    fn look_for(&self, _: SignedCall) -> BoxFuture<'static, Result<Sighting, ChainError>> {
        self.answer(Sighting { as_of: self.block(), inclusion: Inclusion::Unknown })
    }

    fn reveal_weights(
        &self,
        _: PendingReveal,
    ) -> BoxFuture<'static, Result<BlockNumber, ChainError>> {
        self.answer(self.block())
    }

    fn serve_axon(&self, address: SocketAddr) -> BoxFuture<'static, Result<(), ChainError>> {
        let answer = self.answer(());
        if self.failing.lock().is_none() {
            self.served.lock().push(address);
            *self.failing.lock() = self.failing_once_served.lock().take();
        }
        answer
    }
}

/// Believes everyone who names a well-formed hotkey and holds a signature of any kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrustingCheck;

impl CallerCheck for TrustingCheck {
    fn verify(&mut self, head: &SignedHead, _: Standing, _: Duration) -> Result<Hotkey, String> {
        if head.signature.is_none() {
            return Err("Missing Signature".into());
        }
        let claimed = head.hotkey.as_deref().unwrap_or_default();
        Hotkey::parse(claimed).map_err(|error| error.to_string())
    }
}
