//! The axon's side of the wire: an HTTP server that turns requests into calls of one handler.
//!
//! It parses and bounds, and checks the body against the hash in the head; whom to answer is the
//! handler's matter, which is given the signed head for its blacklist, for
//! [`Verifier`](super::Verifier) and for its queue. Unlike in the SDK the body is read before the
//! blacklist is asked: a caller that is refused has cost one bounded body.

mod body;
mod head;
mod reply;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::future::BoxFuture;
use sn1_actors::domain::Query;
use sn1_actors::ports::Clock;

use self::body::{BodyFault, Parsed};
use self::head::Head;
use self::reply::Replier;
use super::keys::Keypair;
use super::synapse::{PING, PROMPTING};
use super::uuids::UuidSource;
use sn1_actors::ports::SignedHead;

use super::verify::{VerifyError, verify_head};

/// Python dendrites keep idle connections for 15 seconds; leave later than they.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long a request's head may take, and then its body.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How long requests under way may take when the server stops.
const SHUTDOWN_SECS: u64 = 5;
/// The most bytes of headers, of one request.
const MAX_HEADERS: usize = 64 << 10;

/// Why the axon does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another axon.port")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The server cannot start, or failed while it ran.
    #[error("the axon's HTTP server failed: {0}")]
    Run(#[from] std::io::Error),
}

/// A well-formed request for SN1's synapse; nothing in it is verified yet.
#[derive(Clone, Debug)]
pub struct AxonCall {
    /// Who claims to ask, and what they signed.
    pub head: SignedHead,
    /// What is asked.
    pub query: Query,
    /// Where the connection comes from.
    pub peer: SocketAddr,
}

/// Why a call gets no completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxonRefusal {
    /// The HTTP status, 400 to 599; anything else becomes 500.
    pub status: u16,
    /// What the caller is told; what a header cannot hold is replaced. If empty, the caller is
    /// told `Internal Server Error #uuid`, as by the SDK.
    pub message: String,
}

impl AxonRefusal {
    /// The caller is not welcome: 403.
    #[must_use]
    pub fn blacklisted(reason: &str) -> Self {
        Self { status: 403, message: format!("Forbidden. Key is blacklisted: {reason}.") }
    }

    /// The caller is not who it says: 401.
    #[must_use]
    pub fn not_verified(error: &VerifyError) -> Self {
        Self { status: 401, message: format!("Not Verified with error: {error}") }
    }

    /// No answer in time: 408.
    #[must_use]
    pub fn timed_out(timeout: Duration) -> Self {
        let secs = super::synapse::python_float(timeout.as_secs_f64());
        Self { status: 408, message: format!("Response timeout after: {secs}s") }
    }

    /// Something of ours failed: 500, without saying what.
    #[must_use]
    pub fn internal() -> Self {
        Self { status: 500, message: String::new() }
    }
}

/// Answers a call with the completion, or refuses it. Called from the server's thread.
pub type AxonHandler =
    Arc<dyn Fn(AxonCall) -> BoxFuture<'static, Result<String, AxonRefusal>> + Send + Sync>;

/// The bounds of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxonOptions {
    /// The most connections at a time; more wait to be accepted. Each has one request under way.
    pub max_connections: usize,
    /// The longest request body that is read, in bytes.
    pub max_body: usize,
}

impl Default for AxonOptions {
    /// 128 connections, bodies of up to 1 MiB.
    fn default() -> Self {
        Self { max_connections: 128, max_body: 1 << 20 }
    }
}

/// An address that is listened on, before anything is accepted.
#[derive(Debug)]
pub struct AxonServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl AxonServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError::Bind`] when the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let bind = || {
            let listener = TcpListener::bind(address)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        };
        bind().map_err(|source| ServeError::Bind { address, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts to serve, with one thread of its own. Must be called within an actix `System`.
    /// `keypair` is the axon's: pings are verified for it, and error replies signed with it.
    ///
    /// # Errors
    /// [`ServeError::Run`] when the server cannot start.
    pub fn run(
        self,
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
        options: AxonOptions,
        handler: AxonHandler,
    ) -> Result<RunningAxon, ServeError> {
        let axon = Axon {
            own: keypair.hotkey(),
            replier: Replier::new(keypair, Arc::clone(&clock), uuids),
            clock,
            max_body: options.max_body,
            handler,
        };
        let axon = web::Data::new(axon);
        let app = move || App::new().app_data(axon.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(options.max_connections)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(ARRIVAL)
            .client_disconnect_timeout(Duration::from_secs(1))
            .shutdown_timeout(SHUTDOWN_SECS)
            .disable_signals()
            .listen(self.listener)?
            .run();
        Ok(RunningAxon { server, address: self.address })
    }
}

/// A server that accepts requests; it can be stopped only while [`serve`](Self::serve) is polled.
pub struct RunningAxon {
    server: Server,
    address: SocketAddr,
}

impl RunningAxon {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> AxonStopper {
        AxonStopper(self.server.handle())
    }

    /// Resolves when the server has stopped.
    ///
    /// # Errors
    /// [`ServeError::Run`] when it failed.
    pub async fn serve(self) -> Result<(), ServeError> {
        Ok(self.server.await?)
    }
}

/// Stops a server from elsewhere.
#[derive(Clone, Debug)]
pub struct AxonStopper(ServerHandle);

impl AxonStopper {
    /// Accepts nothing more, and resolves when what is under way is answered, or after 5 seconds.
    pub async fn stop(&self) {
        self.0.stop(true).await;
    }
}

/// What the server's thread holds.
struct Axon {
    own: sn1_actors::domain::Hotkey,
    replier: Replier,
    clock: Arc<dyn Clock>,
    max_body: usize,
    handler: AxonHandler,
}

/// What a path leads to.
enum Route {
    Prompting,
    Ping,
    /// The first segment is no synapse's name.
    Unknown(String),
    /// There is more behind the name.
    TooDeep,
}

impl Route {
    fn of(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (name, deeper) = match path.split_once('/') {
            Some((name, _)) => (name, true),
            None => (path, false),
        };
        match (name, deeper) {
            (PROMPTING | PING, true) => Self::TooDeep,
            (PROMPTING, false) => Self::Prompting,
            (PING, false) => Self::Ping,
            (unknown, _) => Self::Unknown(unknown.chars().take(64).collect()),
        }
    }
}

async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    axon: web::Data<Axon>,
) -> HttpResponse {
    let started = axon.clock.now();
    let Some(peer) = request.peer_addr() else {
        return reply::detail(500, "Internal Server Error");
    };
    let header_bytes: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if header_bytes > MAX_HEADERS {
        return reply::detail(431, "Request Header Fields Too Large");
    }
    let route = Route::of(request.path());
    let class = match route {
        Route::Prompting => PROMPTING,
        Route::Ping => PING,
        Route::TooDeep => return reply::detail(404, "Not Found"),
        Route::Unknown(name) => return axon.replier.unknown(&name, started),
    };
    if !matches!(*request.method(), Method::POST | Method::GET) {
        return reply::detail(405, "Method Not Allowed");
    }
    let Some(head) = Head::parse(class, request.headers(), peer) else {
        return axon.replier.unreadable(started);
    };
    let parsed = match body::read(&request, payload, class, axon.max_body).await {
        Ok(parsed) => parsed,
        Err(BodyFault::TooLong) => return reply::detail(413, "Request Entity Too Large"),
        Err(BodyFault::TooSlow) => return reply::detail(408, "Request Timeout"),
        Err(BodyFault::NotJson { at, error }) => return reply::not_json(at, &error),
        Err(BodyFault::Malformed(why)) => {
            tracing::debug!(%peer, why, "refused a malformed request");
            return axon.replier.refused(&head, &AxonRefusal::internal(), started);
        }
    };
    let outcome = match parsed {
        Parsed::Ping(ping) => axon.ping(&head).map(|()| axon.replier.pong(*ping, started)),
        Parsed::Prompting(synapse) => {
            let completion = axon.call(&head, &synapse, peer).await;
            completion.map(|completion| axon.replier.completed(*synapse, completion, started))
        }
    };
    outcome.unwrap_or_else(|refusal| axon.replier.refused(&head, &refusal, started))
}

impl Axon {
    /// A ping says nothing that its sender did not send, so its nonce is not remembered.
    fn ping(&self, head: &Head) -> Result<(), AxonRefusal> {
        verify_head(&head.signed, &self.own).map_err(|error| AxonRefusal::not_verified(&error))?;
        let hash = super::body_hash::of_nothing();
        if head.signed.body_hash != Some(hash) { Err(AxonRefusal::internal()) } else { Ok(()) }
    }

    async fn call(
        &self,
        head: &Head,
        synapse: &super::synapse::Prompting,
        peer: SocketAddr,
    ) -> Result<String, AxonRefusal> {
        let query = synapse.query().ok_or_else(AxonRefusal::internal)?;
        let body_hash = super::body_hash::of_messages(&query.messages);
        if head.signed.body_hash.as_ref().is_some_and(|signed| *signed != body_hash) {
            tracing::debug!(%peer, "refused a body that is not the signed one");
            return Err(AxonRefusal::internal());
        }
        let timeout = head.signed.timeout;
        let call = AxonCall { head: head.signed.clone(), query, peer };
        // The caller is gone after its timeout; nobody would read the answer.
        tokio::time::timeout(timeout, (self.handler)(call))
            .await
            .unwrap_or_else(|_| Err(AxonRefusal::timed_out(timeout)))
    }
}

#[cfg(test)]
mod tests;
