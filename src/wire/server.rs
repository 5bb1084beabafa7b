//! The axon's side of the wire: an HTTP server in front of one door.
//!
//! It parses and bounds. Whom to let in is the matter of whoever stands behind the door: the server
//! knocks there with the head of a request alone, reads the body only of a caller that was let in,
//! checks that it is the one that was signed, and takes the question to the seat that the caller
//! was given. Replies are those of the SDK's axon of 10.5.0 (wire.md §5, §6, §9).

mod answer;
mod body;
mod class;
mod head;
mod reply;
mod streaming;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use futures_util::future::BoxFuture;
use sn1_actors::axon::Refusal;
use sn1_actors::domain::Query;
use sn1_actors::ports::{Clock, Piece, SignedHead};
use tokio::sync::mpsc;

use self::answer::{Axon, answer};

use self::reply::Replier;
use super::keys::Keypair;
use super::uuids::UuidSource;
use crate::connections::Connections;
use crate::running_server::{Bound, RunningServer};

/// Python dendrites keep idle connections for 15 seconds; leave later than they.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long a request's head may take.
const HEAD_ARRIVAL: Duration = Duration::from_secs(5);
/// How long requests under way may take when the server stops.
const SHUTDOWN_SECS: u64 = 5;

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

/// Somebody at the door; nothing of what it says is verified yet.
#[derive(Clone, Debug)]
pub struct AxonKnock {
    /// Who claims to ask, and what they signed.
    pub head: SignedHead,
    /// Only whether somebody is there is asked, by the SDK's bare `Synapse`.
    pub ping: bool,
}

/// Where a caller that was let in asks, once: gives the completion. What of it went to the sender
/// piece by piece must be its beginning.
pub type Seat = Box<
    dyn FnOnce(Query, Option<mpsc::Sender<Piece>>) -> BoxFuture<'static, Result<String, Refusal>>
        + Send,
>;

/// Lets callers in, or refuses them. Called from the server's thread.
pub type AxonDoor =
    Arc<dyn Fn(AxonKnock) -> BoxFuture<'static, Result<Seat, Refusal>> + Send + Sync>;

/// The bounds of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxonOptions {
    /// The most connections at a time; more wait to be accepted. Each has one request under way.
    pub max_connections: usize,
    /// The most connections of one address, or of one IPv6 network of 64 bits; the next one is
    /// closed at once.
    pub max_connections_per_address: usize,
    /// How long a connection may be without a request under way, be it silent or not.
    pub max_quiet: Duration,
    /// The longest request body that is read, in bytes.
    pub max_body: usize,
}

impl Default for AxonOptions {
    /// 1,024 connections, 128 of one address, each 25 seconds without a request, and bodies of up
    /// to 1 MiB.
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            max_connections_per_address: 128,
            max_quiet: KEEP_ALIVE + HEAD_ARRIVAL,
            max_body: 1 << 20,
        }
    }
}

/// An address that is listened on, before anything is accepted.
#[derive(Debug)]
pub struct AxonServer(Bound);

impl AxonServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError::Bind`] when the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        Bound::to(address).map(Self).map_err(|source| ServeError::Bind { address, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Starts to serve, with one thread of its own. Must be called within an actix `System`.
    /// Error replies are signed with `keypair`, the axon's.
    ///
    /// # Errors
    /// [`ServeError::Run`] when the server cannot start.
    pub fn run(
        self,
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
        options: AxonOptions,
        door: AxonDoor,
    ) -> Result<RunningServer, ServeError> {
        let replier = Replier::new(keypair, Arc::clone(&clock), uuids);
        let (most, quiet) = (options.max_connections_per_address, options.max_quiet);
        let connections = Connections::new(most, quiet, Arc::clone(&clock));
        let watch = (connections.clone(), Arc::clone(&clock));
        let axon = web::Data::new(Axon { replier, clock, max_body: options.max_body, door });
        let app = move || App::new().app_data(axon.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(options.max_connections)
            .on_connect(move |stream, kept| connections.admit(stream, kept))
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_ARRIVAL)
            .client_disconnect_timeout(Duration::from_secs(1))
            // A caller that closes its side is gone, and so is the work for it.
            .h1_allow_half_closed(false)
            .shutdown_timeout(SHUTDOWN_SECS)
            .disable_signals()
            .listen(self.0.listener)?
            .run();
        let (connections, clock) = watch;
        Ok(RunningServer::new(server, connections, clock, self.0.address))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_clock;
#[cfg(test)]
mod tests_door;
#[cfg(test)]
mod tests_forgeries;
#[cfg(test)]
mod tests_streaming;
#[cfg(test)]
mod tests_vectors;
