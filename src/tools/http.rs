//! The polite HTTP client of tools on a network, each of which has its own.
//!
//! Public sources are lent, not owned: a host gets few requests at a time and a pause between them,
//! is told whom to write to, and is left alone as long as it asks for. Nor is it trusted: every
//! wait, every size and every number of tries is bounded, and no answer leads to another host.
//!
//! Left out: what an answer means, which each tool judges itself, and what is kept of it
//! ([`super::cache`]).

mod host;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Url};
use sn1_actors::ports::{Clock, ToolError, in_time};
use sn1_actors::text::shown::shown;

use crate::loopback::is_loopback;

use self::host::Host;
pub(crate) use self::reply::{Reply, Verdict};

/// Redirects that are followed, all on one host.
const REDIRECTS: usize = 3;
/// A pause between tries is no longer, however many there were.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// A request waits for its turn at least as long as so many others before it take.
const TURNS: u32 = 4;
/// No host can have itself left alone for longer.
const LONGEST_REST: Duration = Duration::from_secs(86_400);

/// How hosts are treated.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Whom to write to about the requests: an address of a page or of mail. Sources refuse those
    /// who do not say.
    pub contact: String,
    /// Requests at a time to one host, from 1.
    pub in_flight: usize,
    /// Requests to one host in a second, above 0.
    pub requests_per_second: f64,
    /// How long one try may take, its body included.
    pub timeout: Duration,
    /// Tries for one answer, from 1.
    pub tries: u32,
    /// The pause after the first try, up to half of it more; each further one is twice as long.
    pub backoff: Duration,
    /// The longest wait for a turn or between tries, though never less than a few pauses between
    /// requests. What takes longer is reported instead of waited out.
    pub longest_wait: Duration,
    /// The most that is read of an answer, in bytes after decompression.
    pub max_bytes: usize,
}

impl Manners {
    /// One request at a time and one a second, three tries of ten seconds, four megabytes.
    #[must_use]
    pub fn polite(contact: impl Into<String>) -> Self {
        Self {
            contact: contact.into(),
            in_flight: 1,
            requests_per_second: 1.0,
            timeout: Duration::from_secs(10),
            tries: 3,
            backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(20),
            max_bytes: 4 << 20,
        }
    }

    fn user_agent(&self) -> Option<HeaderValue> {
        let contact = self.contact.trim();
        let agent = format!("sn1/{} ({contact})", env!("CARGO_PKG_VERSION"));
        HeaderValue::from_str(&agent).ok().filter(|_| !contact.is_empty())
    }

    /// The pause between requests to one host; `None` where it makes no sense.
    pub(crate) fn spacing(&self) -> Option<Duration> {
        let positive = self.requests_per_second > 0.0;
        positive.then(|| Duration::try_from_secs_f64(self.requests_per_second.recip()).ok())?
    }
}

/// Why there is no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A number or a time makes no sense.
    #[error("a source on the network is asked {0}")]
    Manners(&'static str),
    /// The HTTP client cannot be built.
    #[error("the HTTP client for sources cannot be built: {0}")]
    Client(String),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// The host wants no request for so long.
    Busy {
        /// For how long.
        wait: Duration,
        /// Why.
        cause: String,
    },
    /// So many requests of ours wait for the host that this one's turn does not come in time.
    Crowded {
        /// Which host.
        cause: String,
    },
    /// All tries failed, or further ones would be of no use.
    Failed {
        /// The last failure.
        cause: String,
    },
}

impl FetchError {
    /// As a tool reports it.
    pub(crate) fn of(self, tool: &'static str) -> ToolError {
        match self {
            Self::Busy { wait, cause } => ToolError::Busy { tool, wait, cause },
            Self::Crowded { cause } => ToolError::Crowded { tool, cause },
            Self::Failed { cause } => ToolError::Failed { tool, cause },
        }
    }
}

/// How one try ended that brought no good answer.
struct Miss {
    cause: String,
    /// Whether another try may do better.
    again: bool,
    /// Whether the host said that it is busy, and for how long.
    busy: Option<Option<Duration>>,
}

/// Asks hosts politely. Clones share the bounds.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    client: Client,
    /// For hosts on this machine, which no proxy elsewhere can reach.
    direct: Client,
    manners: Manners,
    spacing: Duration,
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Http {
    /// A client; it opens no connection yet.
    ///
    /// # Errors
    /// [`HttpError`] where the manners make no sense.
    pub(crate) fn new(mut manners: Manners, clock: Arc<dyn Clock>) -> Result<Self, HttpError> {
        let spacing = manners.spacing().ok_or(HttpError::Manners(
            "more than 0 times a second: set a positive number of requests per second",
        ))?;
        manners.longest_wait = manners.longest_wait.max(spacing.saturating_mul(TURNS));
        if manners.in_flight == 0 || manners.tries == 0 {
            return Err(HttpError::Manners(
                "at least once and by at least one request at a time: set both from 1",
            ));
        }
        let agent = manners.user_agent().ok_or(HttpError::Manners(
            "by one who says whom to write to: give a contact without control characters",
        ))?;
        let builder = || {
            Client::builder()
                .user_agent(agent.clone())
                .redirect(Policy::custom(stay))
                // Tries are counted here.
                .retry(reqwest::retry::never())
        };
        let built = |client: ClientBuilder| {
            client.build().map_err(|error| HttpError::Client(innermost(error)))
        };
        let client = built(builder())?;
        let direct = built(builder().no_proxy())?;
        let hosts = Mutex::new(HashMap::new());
        Ok(Self(Arc::new(Inner { client, direct, manners, spacing, clock, hosts })))
    }

    /// One answer to a GET, as `judge` understands it; that is asked about the answer to every try.
    /// `jitter` spreads the pauses between tries.
    ///
    /// # Errors
    /// [`FetchError`] after a bounded time, whatever the host does.
    pub(crate) async fn get<T>(
        &self,
        url: &Url,
        headers: &HeaderMap,
        jitter: &mut ChaCha8Rng,
        judge: impl Fn(Reply) -> Verdict<T>,
    ) -> Result<T, FetchError> {
        let inner = &*self.0;
        let host = inner.host(url);
        let mut backoff = inner.manners.backoff;
        let mut left = inner.manners.tries;
        loop {
            let turn = host.turn(&*inner.clock, inner.spacing, inner.manners.longest_wait).await?;
            let miss = match inner.attempt(url, headers, &judge).await {
                Ok(answer) => return Ok(answer),
                Err(miss) => miss,
            };
            drop(turn);
            left -= 1;
            tracing::debug!(host = host.name(), cause = %miss.cause, left, "a try failed");
            let pause = backoff.mul_f64(jitter.random_range(1.0..1.5));
            let asked = miss.busy.flatten().unwrap_or_default().min(LONGEST_REST);
            let wait = asked.max(pause);
            if miss.busy.is_some() {
                host.rests(inner.clock.now().after(wait), &miss.cause);
            }
            match miss {
                Miss { again: false, cause, .. } => return Err(FetchError::Failed { cause }),
                Miss { busy: Some(_), cause, .. }
                    if left == 0 || wait > inner.manners.longest_wait =>
                {
                    return Err(FetchError::Busy { wait, cause });
                }
                Miss { cause, .. } if left == 0 => return Err(FetchError::Failed { cause }),
                Miss { .. } => inner.clock.sleep(wait).await,
            }
            backoff = backoff.saturating_mul(2).min(LONGEST_BACKOFF);
        }
    }
}

impl Inner {
    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock();
        let new = || Arc::new(Host::new(name.clone(), self.manners.in_flight));
        hosts.entry(name.clone()).or_insert_with(new).clone()
    }

    async fn attempt<T>(
        &self,
        url: &Url,
        headers: &HeaderMap,
        judge: &impl Fn(Reply) -> Verdict<T>,
    ) -> Result<T, Miss> {
        let limit = self.manners.timeout;
        let reply = match in_time(&*self.clock, limit, self.exchange(url, headers)).await {
            Some(reply) => reply?,
            None => return Err(Miss::again(format!("no whole answer within {limit:?}"))),
        };
        match judge(reply) {
            Verdict::Good(answer) => Ok(answer),
            Verdict::Busy { wait, cause } => {
                Err(Miss { cause: shown(&cause), again: true, busy: Some(wait) })
            }
            Verdict::Again { cause } => Err(Miss::again(shown(&cause))),
            Verdict::Refused { cause } => Err(Miss::last(shown(&cause))),
        }
    }

    async fn exchange(&self, url: &Url, headers: &HeaderMap) -> Result<Reply, Miss> {
        let client = if is_loopback(url) { &self.direct } else { &self.client };
        let get = client.get(url.clone()).headers(headers.clone());
        let mut response = get.send().await.map_err(Miss::of)?;
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(Miss::of)? {
            if body.len().saturating_add(bytes.len()) > self.manners.max_bytes {
                let limit = self.manners.max_bytes;
                return Err(Miss::last(format!("the answer is longer than {limit} bytes")));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Reply::new(response.status(), response.headers(), body, self.clock.unix()))
    }
}

impl Miss {
    fn again(cause: String) -> Self {
        Self { cause, again: true, busy: None }
    }

    fn last(cause: String) -> Self {
        Self { cause, again: false, busy: None }
    }

    /// A failure on the way.
    fn of(error: reqwest::Error) -> Self {
        let (is_redirect, is_connect) = (error.is_redirect(), error.is_connect());
        let is_decode = error.is_decode();
        let why = innermost(error);
        if is_redirect {
            Self::last(why)
        } else if is_connect {
            Self::again(format!("cannot connect: {why}"))
        } else if is_decode {
            Self::again(format!("the answer is garbled or cut short: {why}"))
        } else {
            Self::again(format!("the connection broke off: {why}"))
        }
    }
}

/// The innermost of the causes is the one that says something. The address is left out: a key may
/// be in it.
fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(|error| error.source()) {
        cause = Some(inner);
    }
    cause.map_or_else(|| shown(&error.to_string()), |cause| shown(&cause.to_string()))
}

/// Follows a redirect only where it stays on the host: another one was not agreed to, and would be
/// asked without manners.
fn stay(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let here = attempt.previous().first().map(Url::origin);
    if here != Some(attempt.url().origin()) {
        let there = attempt.url().origin().ascii_serialization();
        return attempt.error(format!("it redirects to another host, {there}"));
    }
    if attempt.previous().len() > REDIRECTS {
        return attempt.error(format!("it redirects more than {REDIRECTS} times"));
    }
    attempt.follow()
}
