//! Keeps a connection to the chain alive: the one owner of [`Session`]s.
//!
//! A connection is judged by the arrival of final blocks alone, since a dead socket looks like a
//! quiet one: no new block in the time of two, and a deadline, and the session is thrown away as a
//! whole. So are hanging handshakes, refusals of any kind, lost subscriptions, and requests that
//! fail several times in a row. The next endpoint follows, after a pause that grows.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::Clock;
use subxt::config::substrate::H256;
use tokio::sync::watch;

use super::block_time::{SHORTEST, block_time};
use super::endpoint::Endpoints;
use super::failure::Failure;
use super::session::{Session, shown};

/// Final blocks that may come at once, besides those for which there was time: after a stop of
/// finality, or from a node that was ahead of the last one.
const MOST_AT_ONCE: u64 = 10_000;
/// More doublings of the pause than this change nothing.
const MOST_DOUBLINGS: u32 = 16;

/// How patient the keeper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperConfig {
    /// How long a handshake or any request may take, how much later than two block times a new
    /// block may be, and how long somebody waits for a session.
    pub patience: Duration,
    /// Failures of users' requests in a row that end a session, from 1.
    pub strikes: u32,
    /// The pause after a first failure; it doubles each time that all endpoints have failed.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The time from block to block; none takes it from the runtime.
    pub block_time: Option<Duration>,
}

impl Default for KeeperConfig {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(10),
            strikes: 3,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            block_time: None,
        }
    }
}

/// How the connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The node that is connected; none between two.
    pub endpoint: Option<String>,
    /// The newest final block when that connection began.
    pub since: Option<BlockNumber>,
    /// Blocks stopped to arrive, and none has come since.
    pub stalled: bool,
    /// Sessions and handshakes that failed, since the keeper began.
    pub failures: u64,
    /// Why the last of them failed, with its endpoint.
    pub last_failure: Option<String>,
}

/// Gives out the session that is healthy now. Clones share it; when all are dropped, the keeper's
/// task ends.
#[derive(Clone)]
pub struct Keeper {
    session: watch::Receiver<Option<Arc<Session>>>,
    head: watch::Receiver<BlockNumber>,
    health: watch::Receiver<Health>,
    patience: Duration,
}

impl Keeper {
    /// A keeper, and its work, which is to be spawned as a task. `random` decides the pauses.
    pub fn new(
        endpoints: &Endpoints,
        config: KeeperConfig,
        random: ChaCha8Rng,
        clock: Arc<dyn Clock>,
    ) -> (Self, impl Future<Output = ()> + 'static) {
        let work = Work {
            endpoints: endpoints.clone(),
            config,
            random,
            clock,
            genesis: None,
            heard: None,
            session: watch::Sender::new(None),
            head: watch::Sender::new(BlockNumber(0)),
            health: watch::Sender::new(Health::default()),
        };
        let keeper = Self {
            session: work.session.subscribe(),
            head: work.head.subscribe(),
            health: work.health.subscribe(),
            patience: config.patience,
        };
        (keeper, work.run())
    }

    /// The healthy session; waits for one no longer than the keeper's patience. To be let go of
    /// after each question.
    ///
    /// # Errors
    /// [`Failure::Transport`] with why the last connection failed.
    pub async fn session(&self) -> Result<Arc<Session>, Failure> {
        let mut session = self.session.clone();
        let healthy = tokio::time::timeout(self.patience, session.wait_for(Option::is_some)).await;
        if let Ok(Ok(found)) = &healthy
            && let Some(session) = found.as_ref()
        {
            return Ok(Arc::clone(session));
        }
        let last = self.health.borrow().last_failure.clone();
        let cause = last.unwrap_or_else(|| "no node has answered yet".to_owned());
        Err(Failure::Transport { what: "connecting", cause })
    }

    /// Says whether a request through a session was answered: so many in a row that are not end
    /// the session.
    pub fn report(&self, session: &Session, answered: bool) {
        session.note(answered);
    }

    /// Resolves with the newest final block as soon as one after `seen` is there. The caller sets
    /// the limit to how long that may take.
    ///
    /// # Errors
    /// [`Failure::Transport`] if the keeper's task has ended.
    pub async fn block_after(&self, seen: BlockNumber) -> Result<BlockNumber, Failure> {
        let mut head = self.head.clone();
        let newer = head.wait_for(|head| *head > seen).await;
        newer.map(|head| *head).map_err(|_| Failure::Transport {
            what: "waiting for a block",
            cause: "the task that follows the chain has ended".to_owned(),
        })
    }

    /// How the connection stands, as it changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

#[cfg(test)]
impl Keeper {
    /// A keeper whose session is this one for as long as the sender is held.
    pub(super) fn holding(session: Arc<Session>) -> (Self, watch::Sender<Option<Arc<Session>>>) {
        let held = watch::Sender::new(Some(session));
        let keeper = Self {
            session: held.subscribe(),
            head: watch::Sender::new(BlockNumber(0)).subscribe(),
            health: watch::Sender::new(Health::default()).subscribe(),
            patience: Duration::from_secs(10),
        };
        (keeper, held)
    }
}

/// Why a session ended.
enum End {
    /// No new block came in time.
    Stalled(Failure),
    /// Anything else.
    Broken(Failure),
}

struct Work {
    endpoints: Endpoints,
    config: KeeperConfig,
    random: ChaCha8Rng,
    clock: Arc<dyn Clock>,
    /// Of the first node; nodes of other chains are refused.
    genesis: Option<H256>,
    /// When the newest block arrived, by the wall clock: a machine that slept was away so long.
    heard: Option<Duration>,
    session: watch::Sender<Option<Arc<Session>>>,
    head: watch::Sender<BlockNumber>,
    health: watch::Sender<Health>,
}

impl Work {
    async fn run(mut self) {
        let health = self.health.clone();
        tokio::select! {
            () = health.closed() => {}
            () = self.go_round() => {}
        }
    }

    /// Tries one endpoint after the other, for ever.
    async fn go_round(&mut self) {
        let mut failures = 0_usize;
        let urls = self.endpoints.urls().to_vec();
        for url in urls.iter().cycle() {
            let before = *self.head.borrow();
            let end = self.keep(url).await;
            self.session.send_replace(None);
            let brought_blocks = *self.head.borrow() > before;
            failures = if brought_blocks { 1 } else { failures.saturating_add(1) };
            let pause = self.pause(failures);
            self.note(url, &end, pause);
            self.clock.sleep(pause).await;
        }
    }

    /// Keeps a session with one node for as long as blocks come.
    async fn keep(&mut self, url: &str) -> End {
        let session = match self.open(url).await {
            Ok(session) => Arc::new(session),
            Err(failure) => return End::Broken(failure),
        };
        let end = self.follow(&session).await;
        session.give_up();
        end
    }

    async fn open(&mut self, url: &str) -> Result<Session, Failure> {
        let session = Session::open(url, self.config.patience).await?;
        if !self.endpoints.admits(session.genesis().0) {
            let cause = "this is a node of finney: say so with --subtensor.network finney".into();
            return Err(Failure::Transport { what: "connecting", cause });
        }
        let genesis = *self.genesis.get_or_insert(session.genesis());
        if session.genesis() != genesis {
            let cause =
                format!("this is another chain than before, from block {:?}", session.genesis());
            return Err(Failure::Transport { what: "connecting", cause });
        }
        Ok(session)
    }

    async fn follow(&mut self, session: &Arc<Session>) -> End {
        let (at, mut heads) = match tokio::try_join!(session.now(), session.heads()) {
            Ok(begun) => begun,
            Err(failure) => return End::Broken(failure),
        };
        let block_time = self.config.block_time.unwrap_or_else(|| block_time(&at));
        let window = 2 * block_time + self.config.patience;
        let began = BlockNumber(at.block_number());
        drop(at);
        if let Err(failure) = self.arrived(began, session) {
            return End::Broken(failure);
        }
        let strikes = self.config.strikes;
        loop {
            // Begun anew by a new block alone.
            let late = self.clock.sleep(window);
            tokio::select! {
                end = self.next_block(&mut heads, session) => if let Some(end) = end { return end },
                () = session.struck(strikes) => {
                    let cause = format!("{strikes} requests in a row failed");
                    return End::Broken(Failure::Transport { what: "asking the node", cause });
                }
                () = late => {
                    let what = "the next final block";
                    return End::Stalled(Failure::Late { what });
                }
            }
        }
    }

    /// Resolves at a new final block, or at the end of the subscription.
    async fn next_block(&mut self, heads: &mut Heads, session: &Arc<Session>) -> Option<End> {
        let what = "the final blocks";
        loop {
            let cause = match heads.next().await {
                Some(Ok(header)) => match self.arrived(BlockNumber(header.number), session) {
                    Ok(true) => return None,
                    Ok(false) => continue,
                    Err(failure) => return Some(End::Broken(failure)),
                },
                Some(Err(error)) => super::session::cause(&error),
                None => "the node has closed the connection".to_owned(),
            };
            return Some(End::Broken(Failure::Transport { what, cause }));
        }
    }

    /// Publishes a final block, if it is new, and the session that brought it. A head that goes
    /// backwards is not new, and a node that stalled before has to bring a new one.
    ///
    /// The newest block only grows, so a node that lies about it once would make every other look
    /// stalled for ever: a block is refused for which there was no time since the last.
    fn arrived(&mut self, block: BlockNumber, session: &Arc<Session>) -> Result<bool, Failure> {
        let newest = *self.head.borrow();
        let now = self.clock.unix();
        if let Some(heard) = self.heard {
            let in_time = now.saturating_sub(heard).as_millis() / SHORTEST.as_millis();
            let in_time = u64::try_from(in_time).unwrap_or(u64::MAX);
            if block.0.saturating_sub(newest.0) > MOST_AT_ONCE.saturating_add(in_time) {
                let cause = format!("block {block} cannot be there yet after block {newest}");
                return Err(Failure::Garbled { what: "the final blocks".to_owned(), cause });
            }
        }
        let new = block > newest;
        let stalled = self.health.borrow().stalled;
        if new || block == newest && !stalled {
            self.heard = Some(now);
            self.head.send_if_modified(|head| std::mem::replace(head, block) < block);
            if self.session.borrow().is_none() {
                self.health.send_modify(|health| {
                    health.endpoint = Some(session.endpoint().to_owned());
                    health.since = Some(block);
                    health.stalled = false;
                });
                tracing::info!(endpoint = session.endpoint(), %block, "connected to the chain");
                self.session.send_replace(Some(Arc::clone(session)));
            }
        }
        Ok(new)
    }

    fn note(&self, url: &str, end: &End, pause: Duration) {
        let (End::Stalled(failure) | End::Broken(failure)) = end;
        let failure = shown(&format!("{url}: {failure}"));
        tracing::warn!(%failure, ?pause, "the connection to the chain is given up");
        self.health.send_modify(|health| {
            health.endpoint = None;
            health.since = None;
            health.stalled |= matches!(end, End::Stalled(_));
            health.failures = health.failures.saturating_add(1);
            health.last_failure = Some(failure);
        });
    }

    /// The pause after so many failures in a row: all endpoints are tried before it doubles. At
    /// most half of it is left to chance, so that many clients do not come back at once.
    fn pause(&mut self, failures: usize) -> Duration {
        let rounds =
            failures.saturating_sub(1).checked_div(self.endpoints.urls().len()).unwrap_or(0);
        let doublings = u32::try_from(rounds).unwrap_or(MOST_DOUBLINGS).min(MOST_DOUBLINGS);
        let whole = self.config.first_pause.saturating_mul(1 << doublings);
        whole.min(self.config.longest_pause).mul_f64(self.random.random_range(0.5..=1.0))
    }
}

type Heads = subxt::rpcs::client::RpcSubscription<subxt::config::substrate::SubstrateHeader<H256>>;

#[cfg(test)]
mod tests;
