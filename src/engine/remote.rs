//! Language models on other machines, behind `ports::TextBackend`: servers that speak the OpenAI
//! protocol (vLLM, SGLang, TGI, llama.cpp, Ray Serve), for those who outgrow one machine.
//!
//! A request goes to the least busy server that is well; if that fails before the first token, to
//! another. Each server has a bound on requests in flight, a circuit breaker and a check that it has
//! the wanted model. Every wait, size and number of attempts is bounded.
//!
//! Left out: embeddings, which stay on this machine, and token ids, which the protocol does not
//! have: `Generation::prompt_ids` and `generated_ids` are empty.

mod api_key;
mod base_url;
mod breaker;
mod exchange;
mod failure;
mod model_name;
mod options;
mod protocol;
mod server;
mod sse;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, join_all, select_all};
use sn1_actors::domain::{Generation, Moment};
use sn1_actors::ports::{Clock, Piece, TextBackend, TextError, TextRequest};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub use self::api_key::{ApiKey, BadKey};
pub use self::breaker::BreakerPolicy;
pub use self::options::{RemoteError, RemoteOptions};

use self::exchange::{Answered, Exchange};
use self::failure::Failure;
use self::protocol::Usage;
use self::server::{Readiness, Server, Visit};

/// Continues chats on model servers.
#[derive(Clone)]
pub struct RemoteEngine(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    options: RemoteOptions,
    servers: Vec<Arc<Server>>,
    /// Which of equally busy servers comes first: each time another.
    turn: AtomicUsize,
}

/// Servers of the list that one request is done with.
type Tried = BTreeSet<usize>;

impl RemoteEngine {
    /// An engine that asks these servers. Opens no connection yet.
    ///
    /// # Errors
    /// [`RemoteError`] when an option makes no sense.
    pub fn new(options: RemoteOptions, clock: Arc<dyn Clock>) -> Result<Self, RemoteError> {
        let servers = options.addresses()?.into_iter();
        let servers = servers
            .map(|base| Arc::new(Server::new(base, options.in_flight, options.breaker)))
            .collect();
        let http = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A compressed stream would come in lumps, and its size is bounded as it is sent.
            .no_gzip()
            .no_deflate()
            .connect_timeout(options.connect_timeout)
            // A connection for each request: llama.cpp closes it after each stream, though it says
            // otherwise, and then the next request on it looks like the death of the server.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("sn1/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| RemoteError::Client(error.to_string()))?;
        Ok(Self(Arc::new(Inner { http, clock, options, servers, turn: AtomicUsize::new(0) })))
    }

    /// Asks all servers for their models, to be done once at the start.
    ///
    /// # Errors
    /// [`RemoteError::NoServer`] if not one of them can be used; it says what is wrong with each.
    pub async fn check(&self) -> Result<(), RemoteError> {
        self.0.probe_all().await;
        let now = self.0.clock.now();
        let usable = |server: &Arc<Server>| server.model(now, self.0.options.probe_every).is_some();
        let (good, bad): (Vec<_>, Vec<_>) = self.0.servers.iter().partition(|one| usable(one));
        let complaints: Vec<String> = bad.iter().map(|server| server.complaint()).collect();
        if good.is_empty() {
            return Err(RemoteError::NoServer(complaints.join("; ")));
        }
        for complaint in complaints {
            tracing::warn!("a model server cannot be used: {complaint}");
        }
        Ok(())
    }

    /// Asks all servers for their models again and again, so that one that died or came back is
    /// noticed before a request meets it. Never ends; to be run as a task. Without it, requests
    /// find out themselves.
    #[must_use]
    pub fn watch(&self) -> BoxFuture<'static, ()> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            loop {
                inner.probe_all().await;
                inner.clock.sleep(inner.options.probe_every).await;
            }
        })
    }
}

impl TextBackend for RemoteEngine {
    fn generate(
        &self,
        request: TextRequest,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.generate(&request, pieces.as_ref()).await })
    }

    fn capacity(&self) -> usize {
        self.0.servers.len().saturating_mul(self.0.options.in_flight)
    }
}

impl Inner {
    async fn generate(
        &self,
        request: &TextRequest,
        pieces: Option<&mpsc::Sender<Piece>>,
    ) -> Result<Generation, TextError> {
        let came = self.clock.now();
        let deadline = came.after(self.options.patience);
        let mut tried = Tried::new();
        let mut sent = false;
        loop {
            let unplaced =
                |why| if sent { TextError::Unavailable(why) } else { TextError::NotSent(why) };
            let (index, mut visit) = self.place(&tried, deadline).await.map_err(unplaced)?;
            let failure = match self.attempt(&mut visit, request, pieces).await {
                Ok(answered) => return Ok(generation(came, answered)),
                Err(failure) => failure,
            };
            let reason = self.learn(&mut visit, &failure);
            match failure {
                Failure::Request(_) | Failure::NotFound(_) | Failure::Key(_) => {
                    return Err(TextError::Request(reason));
                }
                Failure::BrokenOff(_) | Failure::Unread => {
                    return Err(TextError::Interrupted(reason));
                }
                // It may be asked again once it has rested, if the patience lasts.
                Failure::Busy { .. } => {}
                Failure::WrongModel(_) => {
                    tried.insert(index);
                }
                Failure::Failed(_) => {
                    sent = true;
                    tried.insert(index);
                }
            }
        }
    }

    /// Waits for a place at the least busy server that is well and was not tried.
    async fn place(&self, tried: &Tried, deadline: Moment) -> Result<(usize, Visit), String> {
        loop {
            let now = self.clock.now();
            let ready = self.ready(tried, now);
            let free = ready.iter().find_map(|index| {
                let server = self.servers.get(*index)?;
                Some((*index, server.visit(now)?))
            });
            if let Some(place) = free {
                return Ok(place);
            }
            let left = deadline.since(now);
            if ready.is_empty() {
                match self.next_ready(tried, now) {
                    Some(at) if at <= deadline => self.clock.sleep(at.since(now)).await,
                    _ => return Err(self.none_left()),
                }
                continue;
            }
            let servers: Vec<_> = ready.iter().filter_map(|at| self.servers.get(*at)).collect();
            let places = servers.iter().map(|server| Box::pin(server.places().acquire_owned()));
            match timeout(left, select_all(places)).await {
                Ok((Ok(place), at, _)) => {
                    let visit =
                        servers.get(at).and_then(|one| one.visit_at(place, self.clock.now()));
                    if let (Some(visit), Some(index)) = (visit, ready.get(at)) {
                        return Ok((*index, visit));
                    }
                }
                Ok((Err(_), ..)) => return Err(self.none_left()),
                Err(_) => {
                    let patience = self.options.patience;
                    return Err(format!("no server had a free place within {patience:?}"));
                }
            }
        }
    }

    /// The servers that can be asked now, the least busy first.
    fn ready(&self, tried: &Tried, now: Moment) -> Vec<usize> {
        let count = self.servers.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let mut ready: Vec<(usize, usize)> = Vec::new();
        for index in (first..count).chain(0..first).filter(|index| !tried.contains(index)) {
            if let Some(server) = self.servers.get(index)
                && server.readiness(now) == Readiness::Ready
            {
                ready.push((server.load(), index));
            }
        }
        // The sort is stable: the turn decides among equals.
        ready.sort_by_key(|(load, _)| *load);
        ready.into_iter().map(|(_, index)| index).collect()
    }

    /// When the first of the servers that rest can be asked again.
    fn next_ready(&self, tried: &Tried, now: Moment) -> Option<Moment> {
        let left = self.servers.iter().enumerate().filter(|(index, _)| !tried.contains(index));
        let rests = left.filter_map(|(_, server)| match server.readiness(now) {
            Readiness::Resting(until) => Some(until),
            Readiness::Ready => Some(now),
            Readiness::Broken => None,
        });
        rests.min()
    }

    fn none_left(&self) -> String {
        let complaints: Vec<String> = self.servers.iter().map(|one| one.complaint()).collect();
        complaints.join("; ")
    }

    async fn attempt(
        &self,
        visit: &mut Visit,
        request: &TextRequest,
        pieces: Option<&mpsc::Sender<Piece>>,
    ) -> Result<Answered, Failure> {
        let server = Arc::clone(&visit.server);
        let fresh = server.model(self.clock.now(), self.options.probe_every);
        let model = match fresh {
            Some(model) => model,
            None => self.find_model(&server).await?,
        };
        let exchange = self.exchange();
        let began = || visit.began();
        let answered = Box::pin(exchange.chat(&server, &model, request, pieces, began)).await?;
        visit.completed();
        server.has_model(&model, self.clock.now());
        let usage = answered.usage.unwrap_or_default();
        tracing::debug!(
            server = %server.base,
            prompt_tokens = usage.prompt_tokens,
            generated_tokens = usage.completion_tokens,
            "a model server answered"
        );
        Ok(answered)
    }

    /// Asks a server for its models and picks the wanted one.
    async fn find_model(&self, server: &Server) -> Result<Arc<str>, Failure> {
        let list = self.exchange().models(server).await?;
        let name = model_name::choose(&self.options.model, &list.data);
        let name: Arc<str> = name.map_err(Failure::WrongModel)?.into();
        server.has_model(&name, self.clock.now());
        Ok(name)
    }

    /// Tells the server's record how it failed; gives the failure in words, with the address.
    fn learn(&self, visit: &mut Visit, failure: &Failure) -> String {
        let (now, server) = (self.clock.now(), Arc::clone(&visit.server));
        let reason = match failure {
            Failure::Request(reason) => {
                visit.completed();
                reason
            }
            Failure::NotFound(reason) => {
                server.forget_model();
                visit.completed();
                reason
            }
            Failure::Key(reason) => {
                visit.rests(now, std::time::Duration::ZERO, reason);
                reason
            }
            Failure::Busy { rest, reason } => {
                let rest = rest.unwrap_or(self.options.usual_rest);
                let rest = rest.clamp(self.options.shortest_rest, self.options.longest_rest);
                visit.rests(now, rest, reason);
                reason
            }
            Failure::WrongModel(reason) => {
                server.forget_model();
                visit.rests(now, self.options.probe_every, reason);
                reason
            }
            Failure::Failed(reason) | Failure::BrokenOff(reason) => {
                server.forget_model();
                visit.failed(now, reason);
                reason
            }
            Failure::Unread => "nobody took the text that came",
        };
        let reason = format!("{} {reason}", server.base);
        if !matches!(failure, Failure::Request(_)) {
            tracing::warn!("a model server gave no answer: {reason}");
        }
        reason
    }

    async fn probe_all(&self) {
        join_all(self.servers.iter().map(|server| self.probe(server))).await;
    }

    /// Finds out whether a server is well and has the model, unless it is busy with requests, which
    /// find that out as well.
    async fn probe(&self, server: &Arc<Server>) {
        let Some(mut visit) = server.visit(self.clock.now()) else { return };
        match self.find_model(server).await {
            Ok(_) => visit.began(),
            Err(failure) => {
                self.learn(&mut visit, &failure);
            }
        }
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange { http: &self.http, clock: &*self.clock, options: &self.options }
    }
}

fn generation(came: Moment, answered: Answered) -> Generation {
    let billed = |usage: Usage| usage.prompt_tokens.saturating_add(usage.completion_tokens);
    Generation {
        text: answered.text,
        prompt_ids: Vec::new(),
        generated_ids: Vec::new(),
        billed_tokens: answered.usage.map(billed),
        finish_reason: answered.finish_reason,
        queued: answered.sent.since(came),
        prefill: answered.first.since(answered.sent),
        decode: answered.last.since(answered.first),
    }
}
