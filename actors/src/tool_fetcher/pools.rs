//! The contexts that were fetched before they are wanted, and the way of every request: to a pool,
//! or to a tool.
//!
//! Requests hold the pools while they are answered; the tasks that fill them do not, so pools whose
//! actor was restarted are gone when their last request is answered.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::{Context, ConversationId, Moment, Purpose, SourceKind, Turn};
use crate::ports::{Want, in_time};

use super::found::Found;
use super::source::{Failure, Source, Use};
use super::stock::{Put, Stock};
use super::{FetchContext, FetchError, Passed, ToolFetcherDeps};

/// A source that is asked again within this time is waited for.
const WORTH_WAITING: Duration = Duration::from_secs(5);
/// So long a refill makes way where too many requests wait for a source.
const MAKES_WAY: Duration = Duration::from_secs(1);

/// One tool, and what of it is in store.
struct Shelf {
    source: Rc<Source>,
    /// One for each kind; none for a tool that is not slow.
    stocks: RefCell<Vec<Stock>>,
    /// Tells the task that fills it that something was taken.
    taken: Arc<Notify>,
}

/// All pools, in the tools' order.
pub(super) struct Pools {
    deps: ToolFetcherDeps,
    shelves: Vec<Shelf>,
    found: RefCell<Found>,
    /// How many requests wait for a refill of each kind.
    waiting: Waiting,
    /// Changes with every refill, whatever it brought, and when there will be none for a while.
    refilled: watch::Sender<u64>,
    /// Ends the tasks that fill them.
    end: CancellationToken,
    _end: DropGuard,
}

/// Requests that found the pools of a kind empty.
#[derive(Default)]
struct Waiting(RefCell<HashMap<SourceKind, usize>>);

/// One of them; it is counted until this is dropped.
struct OneMore<'a>(&'a Waiting, SourceKind);

impl Waiting {
    fn number(&self, kind: SourceKind) -> usize {
        self.0.borrow().get(&kind).copied().unwrap_or_default()
    }

    fn one_more(&self, kind: SourceKind) -> OneMore<'_> {
        *self.0.borrow_mut().entry(kind).or_default() += 1;
        OneMore(self, kind)
    }
}

impl Drop for OneMore<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.0.0.borrow_mut().get_mut(&self.1) {
            *number = number.saturating_sub(1);
        }
    }
}

/// What a task that fills pools does next.
enum Next {
    Fetch(SourceKind),
    /// Until something is taken, or for so long at the most.
    Wait(Arc<Notify>, Option<Duration>),
}

impl Pools {
    /// Empty ones.
    pub(super) fn new(deps: ToolFetcherDeps, sources: &[Rc<Source>]) -> Rc<Self> {
        let shelf = |source: &Rc<Source>| {
            let kinds = deps.prefetch.kinds.iter().filter(|_| deps.prefetch.depth > 0);
            let kinds = kinds.filter(|kind| source.tool.is_slow() && source.tool.offers(**kind));
            let mut stocks: Vec<Stock> = Vec::new();
            for kind in kinds {
                if stocks.iter().all(|stock| stock.kind != *kind) {
                    stocks.push(Stock::new(*kind, deps.prefetch.depth));
                }
            }
            Shelf { source: Rc::clone(source), stocks: RefCell::new(stocks), taken: Arc::default() }
        };
        let shelves = sources.iter().map(shelf).collect();
        let end = CancellationToken::new();
        Rc::new(Self {
            shelves,
            found: RefCell::default(),
            waiting: Waiting::default(),
            refilled: watch::Sender::new(0),
            _end: end.clone().drop_guard(),
            end,
            deps,
        })
    }

    /// Starts a task for each tool that has something to be fetched ahead.
    pub(super) fn keep_full(self: &Rc<Self>) {
        for (at, shelf) in self.shelves.iter().enumerate() {
            if !shelf.stocks.borrow().is_empty() {
                let pools = Rc::downgrade(self);
                let (source, deps) = (Rc::clone(&shelf.source), self.deps.clone());
                let filling = fill(pools, at, source, deps, self.end.clone());
                self.deps.tasks.spawn("prefetch", filling);
            }
        }
    }

    /// Brings what is wanted, within the asker's patience.
    pub(super) async fn bring(&self, request: FetchContext) -> Result<Context, FetchError> {
        let FetchContext { want, random, patience } = request;
        let purpose = Use::of(&want);
        let mut passed = BTreeMap::new();
        let deadline = self.deps.clock.now().after(patience);
        let brought = match &want {
            Want::Random(kind) => self.draw(*kind, random, deadline, &mut passed).await,
            Want::Search(..) | Want::Title(_) => {
                self.look_up(want, random, deadline, &mut passed).await
            }
        };
        brought.ok_or_else(|| self.why(purpose, passed))
    }

    /// From the first tool in order that has something in store or needs no time; if there is none,
    /// from the first that is asked in vain no longer.
    async fn draw(
        &self,
        kind: SourceKind,
        random: ChaCha8Rng,
        deadline: Moment,
        passed: &mut BTreeMap<usize, Passed>,
    ) -> Option<Context> {
        for (at, shelf) in self.offering(Some(kind)) {
            if let Some(context) = shelf.take(kind) {
                return Some(context);
            }
            if !shelf.holds(kind) {
                let brought = self.ask(shelf, Want::Random(kind), random.clone(), deadline).await;
                match brought {
                    Ok(context) => return Some(context),
                    Err(why) => passed.insert(at, why),
                };
            }
        }
        let left = deadline.since(self.deps.clock.now());
        in_time(&*self.deps.clock, left, self.wait_for_refill(kind)).await.flatten()
    }

    /// What a refill brings, unless there will be none for a while.
    async fn wait_for_refill(&self, kind: SourceKind) -> Option<Context> {
        let mut refilled = self.refilled.subscribe();
        let _one_more = self.waiting.one_more(kind);
        loop {
            refilled.mark_unchanged();
            if let Some(context) = self.offering(Some(kind)).find_map(|(_, shelf)| shelf.take(kind))
            {
                return Some(context);
            }
            if !self.offering(Some(kind)).any(|(_, shelf)| shelf.is_worth_waiting_for(kind)) {
                return None;
            }
            refilled.changed().await.ok()?;
        }
    }

    async fn look_up(
        &self,
        want: Want,
        random: ChaCha8Rng,
        deadline: Moment,
        passed: &mut BTreeMap<usize, Passed>,
    ) -> Option<Context> {
        if let Some(context) = self.found.borrow_mut().get(&want) {
            return Some(context);
        }
        for (at, shelf) in self.offering(Use::of(&want).needs()) {
            match self.ask(shelf, want.clone(), random.clone(), deadline).await {
                Ok(context) => {
                    self.found.borrow_mut().put(want, context.clone());
                    return Some(context);
                }
                Err(why) => passed.insert(at, why),
            };
        }
        None
    }

    /// Asks a tool itself, unless it is left alone for now. It may take what is left of the asker's
    /// patience, and its own at the most; whichever ends it, it is left alone for as long.
    async fn ask(
        &self,
        shelf: &Shelf,
        want: Want,
        random: ChaCha8Rng,
        deadline: Moment,
    ) -> Result<Context, Passed> {
        let (source, purpose) = (&shelf.source, Use::of(&want));
        if source.resting(purpose).is_some() {
            return Err(shelf.passed(purpose));
        }
        let left = deadline.since(self.deps.clock.now());
        if left.is_zero() {
            let cause = "there was no time left to ask it".to_owned();
            return Err(Passed { tool: source.tool.name(), cause, next_try: None });
        }
        match source.fetch(want, random, self.deps.patience.min(left)).await {
            Ok(context) => {
                source.succeeded(purpose);
                Ok(context)
            }
            Err(failure) => {
                source.failed(purpose, &failure, true);
                let cause = match failure {
                    Failure::Failed { cause, .. } | Failure::Crowded { cause } => cause,
                    Failure::Unknown => "it knows of nothing like that".to_owned(),
                };
                Err(Passed { tool: source.tool.name(), cause, next_try: None })
            }
        }
    }

    /// What every tool that was to bring it has to say.
    fn why(&self, purpose: Use, mut passed: BTreeMap<usize, Passed>) -> FetchError {
        for (at, shelf) in self.offering(purpose.needs()) {
            passed.entry(at).or_insert_with(|| shelf.passed(purpose));
        }
        match (passed.is_empty(), purpose.needs()) {
            (true, Some(kind)) => FetchError::NoTool(kind),
            (false, _) | (true, None) => FetchError::AllFailed(passed.into_values().collect()),
        }
    }

    /// The shelves of tools that have such contexts, or any, in order, with their places.
    fn offering(&self, kind: Option<SourceKind>) -> impl Iterator<Item = (usize, &Shelf)> {
        let offers = move |(_, shelf): &(usize, &Shelf)| {
            kind.is_none_or(|kind| shelf.source.tool.offers(kind))
        };
        self.shelves.iter().enumerate().filter(offers)
    }

    /// What the task that fills a shelf does next: the kind that somebody waits for, and then the
    /// one with the most room, comes first.
    fn next(&self, at: usize) -> Option<Next> {
        let shelf = self.shelves.get(at)?;
        let (mut best, mut soonest) = (None, None::<Duration>);
        for stock in shelf.stocks.borrow().iter().filter(|stock| stock.room() > 0) {
            match shelf.source.resting(Use::Draw(stock.kind)) {
                Some(resting) => {
                    soonest = Some(soonest.map_or(resting.wait, |wait| wait.min(resting.wait)));
                }
                None => {
                    let need = (self.waiting.number(stock.kind), stock.room());
                    if best.is_none_or(|(most, _)| need > most) {
                        best = Some((need, stock.kind));
                    }
                }
            }
        }
        let Some((_, kind)) = best else {
            // Who waits for a refill hears that there will be none for a while.
            self.tell();
            return Some(Next::Wait(Arc::clone(&shelf.taken), soonest));
        };
        Some(Next::Fetch(kind))
    }

    /// Puts away what a refill brought, and notes how the source did.
    fn put(&self, at: usize, kind: SourceKind, brought: Result<Context, Failure>) {
        let Some(shelf) = self.shelves.get(at) else { return };
        let purpose = Use::Draw(kind);
        match brought {
            Ok(context) => match shelf.put(kind, context) {
                Put::Kept => shelf.source.succeeded(purpose),
                Put::Repeated => {}
                Put::Looping => {
                    let failure = Failure::of("it brings the same contexts again and again");
                    shelf.source.failed(purpose, &failure, false);
                }
            },
            Err(failure) => shelf.source.failed(purpose, &failure, false),
        }
        self.tell();
    }

    /// Wakes the requests that wait for a refill.
    fn tell(&self) {
        self.refilled.send_modify(|changes| *changes = changes.wrapping_add(1));
    }
}

/// Fills one tool's pools as long as there are such.
async fn fill(
    pools: Weak<Pools>,
    at: usize,
    source: Rc<Source>,
    deps: ToolFetcherDeps,
    end: CancellationToken,
) {
    loop {
        // What is done next depends on how the fetch under way ends, that of earlier pools too.
        let Ok(turn) = source.turn.acquire().await else { return };
        let Some(next) = pools.upgrade().and_then(|pools| pools.next(at)) else { return };
        match next {
            Next::Fetch(kind) => {
                // Every refill of every tool has a stream of its own.
                let tool = Turn(u8::try_from(at).unwrap_or(u8::MAX));
                let number = ConversationId(source.next_refill());
                let random = deps.prefetch.seed.stream(number, tool, Purpose::Refill);
                let want = Want::Random(kind);
                let brought = source.fetch(want, random, deps.prefetch.patience).await;
                let makes_way = matches!(brought, Err(Failure::Crowded { .. }));
                match pools.upgrade() {
                    Some(pools) => pools.put(at, kind, brought),
                    // What it wished for holds for the next pools too.
                    None => {
                        if let Err(failure) = brought {
                            source.failed(Use::Draw(kind), &failure, false);
                        }
                        return;
                    }
                }
                drop(turn);
                if makes_way {
                    tokio::select! {
                        () = deps.clock.sleep(MAKES_WAY) => {}
                        () = end.cancelled() => return,
                    }
                }
            }
            Next::Wait(taken, pause) => {
                drop(turn);
                let pause = async {
                    match pause {
                        Some(pause) => deps.clock.sleep(pause).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = taken.notified() => {}
                    () = pause => {}
                    () = end.cancelled() => return,
                }
            }
        }
    }
}

impl Shelf {
    fn holds(&self, kind: SourceKind) -> bool {
        self.stocks.borrow().iter().any(|stock| stock.kind == kind)
    }

    fn take(&self, kind: SourceKind) -> Option<Context> {
        let mut stocks = self.stocks.borrow_mut();
        let context = stocks.iter_mut().find(|stock| stock.kind == kind)?.take()?;
        self.taken.notify_one();
        Some(context)
    }

    fn put(&self, kind: SourceKind, context: Context) -> Put {
        let mut stocks = self.stocks.borrow_mut();
        let stock = stocks.iter_mut().find(|stock| stock.kind == kind);
        stock.map_or(Put::Kept, |stock| stock.put(context))
    }

    fn is_worth_waiting_for(&self, kind: SourceKind) -> bool {
        let resting = || self.source.resting(Use::Draw(kind));
        self.holds(kind) && resting().is_none_or(|resting| resting.wait <= WORTH_WAITING)
    }

    /// What it has to say to a request for which it was not asked, or not to an end.
    fn passed(&self, purpose: Use) -> Passed {
        let (cause, next_try) = match self.source.resting(purpose) {
            Some(resting) => (resting.cause, Some(resting.wait)),
            None => ("it has brought nothing yet".to_owned(), None),
        };
        Passed { tool: self.source.tool.name(), cause, next_try }
    }
}
