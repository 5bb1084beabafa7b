//! The dendrite's side of the wire: signed requests to miners over HTTP.
//!
//! Failures are told apart as the SDK's dendrite of 10.5.0 does. Replies are not authenticated: no
//! SDK verifies an axon's signature, so neither do we.
//!
//! Connections are kept for a few seconds, because with many conversations in flight the same miner
//! is soon asked again, and that saves a round trip; they are left before Python's axons hang up.
//! A connection carries one request at a time, and only one whose last reply was a good one to its
//! end is used again. Where an axon hangs up on such a one all the same, the request is sent once
//! more over a new one. Over a new connection nothing is ever sent twice.

mod address;
mod arrivals;
mod clock_doubt;
mod connection;
mod failure;
mod pieces;
mod pool;
mod reply;
mod request;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::HeaderMap;
use hyper::http::response::Parts;
use sn1_actors::domain::{MinerReply, Moment, Query};
use sn1_actors::ports::{AxonTarget, Clock, MinerTransport};
use sn1_actors::text::shown::shown;
use tokio::sync::mpsc;

pub use self::address::resolve;
use self::arrivals::Arrivals;
use self::clock_doubt::ClockDoubt;
use self::connection::Connection;
pub use self::failure::WireError;
use self::pieces::Utf8Pieces;
use self::pool::Pool;
use self::request::Signer;
use super::keys::Keypair;
use super::synapse::{PROMPTING, STREAM_PROMPTING};
use super::uuids::UuidSource;

/// How miners are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportOptions {
    /// Whether to connect to addresses that are not on the public internet; only a local network
    /// wants that. Addresses come from the chain, where anyone may write any.
    pub allow_local: bool,
    /// The longest reply body that is read, in bytes.
    pub max_body: usize,
    /// Our own address as miners are told; they do not need it. Unless local addresses are allowed,
    /// it is never connected to.
    pub own_ip: Option<IpAddr>,
    /// Whether [`MinerTransport::ask`] asks by the streaming synapse and puts the pieces together.
    pub streaming: bool,
}

impl Default for TransportOptions {
    /// The public internet only, replies of up to 1 MiB, and no streaming.
    fn default() -> Self {
        Self { allow_local: false, max_body: 1 << 20, own_ip: None, streaming: false }
    }
}

/// Asks miners. Opens no connection before it is asked to.
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    signer: Signer,
    pool: Pool,
    clock: Arc<dyn Clock>,
    options: TransportOptions,
    doubt: ClockDoubt,
}

/// How a miner is asked.
enum Way {
    /// By the plain synapse: the whole answer at once.
    Plain,
    /// By the streaming synapse.
    Streaming {
        /// Who gets the pieces as they arrive.
        pieces: Option<mpsc::Sender<String>>,
    },
}

impl HttpTransport {
    /// A client that signs with `keypair`.
    #[must_use]
    pub fn new(
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
        options: TransportOptions,
    ) -> Self {
        let signer = Signer::new(keypair, Arc::clone(&clock), uuids, options.own_ip);
        let pool = Pool::new(Arc::clone(&clock));
        Self(Arc::new(Inner { signer, pool, clock, options, doubt: ClockDoubt::default() }))
    }

    /// Asks one miner by the streaming synapse (wire.md §9) and hands on each piece of text as it
    /// arrives. As [`MinerTransport::ask`], and a stream that is cut off is a failure without a
    /// completion, whatever pieces were handed on before. A receiver that takes no pieces holds the
    /// stream up until the deadline; one that is dropped does not.
    #[must_use]
    pub fn stream(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
        pieces: mpsc::Sender<String>,
    ) -> BoxFuture<'static, MinerReply> {
        self.asking(target, query, timeout, Way::Streaming { pieces: Some(pieces) })
    }

    fn asking(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
        way: Way,
    ) -> BoxFuture<'static, MinerReply> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let started = inner.clock.now();
            let exchange = inner.exchange(&target, &query, timeout, way, started);
            let outcome = tokio::time::timeout(timeout, exchange)
                .await
                .unwrap_or(Err(WireError::TimedOut(timeout)));
            let elapsed = inner.clock.now().since(started);
            let reply = outcome
                .unwrap_or_else(|error| MinerReply::failure(error.status(), error.to_string()));
            if inner.doubt.heed(&reply) {
                tracing::error!(
                    "miners refuse our requests for their time, the last one with \"{}\": set this \
                     machine's clock; `sn1 doctor` says how far it is off",
                    shown(&reply.message)
                );
            }
            MinerReply { elapsed, ..reply }
        })
    }
}

impl MinerTransport for HttpTransport {
    fn ask(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
    ) -> BoxFuture<'static, MinerReply> {
        let streaming = self.0.options.streaming;
        let way = if streaming { Way::Streaming { pieces: None } } else { Way::Plain };
        self.asking(target, query, timeout, way)
    }
}

impl Inner {
    async fn exchange(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
        way: Way,
        started: Moment,
    ) -> Result<MinerReply, WireError> {
        let ip = target.address.ip().to_canonical();
        let own = self.options.own_ip.is_some_and(|own| own.to_canonical() == ip);
        if !self.options.allow_local && (own || !address::is_public(ip)) {
            return Err(WireError::Forbidden(target.address));
        }
        let synapse = match way {
            Way::Plain => PROMPTING,
            Way::Streaming { .. } => STREAM_PROMPTING,
        };
        let (mut connection, head) = self.send(target, query, timeout, synapse).await?;
        let (status, headers) = (head.status.as_u16(), head.headers);
        reply::check_head(&headers)?;
        let mut arrivals = Arrivals::since(started, Arc::clone(&self.clock));
        let completion = match way {
            Way::Streaming { pieces } if reply::is_stream(status, &headers) => {
                read_stream(&mut connection, &headers, pieces, &mut arrivals).await?
            }
            // Whoever was asked for a stream and sends a synapse has held all of it back.
            Way::Streaming { .. } => {
                let completion = self.read_whole(&mut connection, status, &headers).await?;
                arrivals.note(&completion);
                completion
            }
            Way::Plain => self.read_whole(&mut connection, status, &headers).await?,
        };
        self.pool.put(connection).await;
        Ok(MinerReply { pieces: arrivals.pieces(), ..MinerReply::success(completion) })
    }

    /// The completion of a reply that is one synapse.
    async fn read_whole(
        &self,
        connection: &mut Connection,
        status: u16,
        headers: &HeaderMap,
    ) -> Result<String, WireError> {
        let body = read_body(connection, headers, self.options.max_body).await?;
        reply::read(status, headers, &body)
    }

    /// Sends the request and waits for the head of the reply, over a connection that is kept from
    /// an earlier one if there is any.
    async fn send(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
        synapse: &'static str,
    ) -> Result<(Connection, Parts), WireError> {
        // Signed only when it can be written, so that connecting does not use up the age that an
        // axon allows a nonce; and anew each time, since axons refuse repetition.
        let signed = || self.signer.request(target, query, timeout, synapse);
        let address = target.address;
        if let Some(mut connection) = self.pool.take(address).await {
            match connection.send(signed()?).await {
                Ok(head) => return Ok((connection, head)),
                // Most likely it had hung up before the request came.
                Err(error) if connection.is_unanswered() => {
                    tracing::trace!(%address, %error, "asking again over a new connection");
                }
                Err(error) => return Err(error),
            }
        }
        let mut connection = Connection::open(address, synapse, self.options.max_body).await?;
        let head = connection.send(signed()?).await?;
        Ok((connection, head))
    }
}

async fn read_stream(
    connection: &mut Connection,
    headers: &HeaderMap,
    pieces: Option<mpsc::Sender<String>>,
    arrivals: &mut Arrivals,
) -> Result<String, WireError> {
    reply::check_stream(headers)?;
    let (mut text, mut decoder) = (String::new(), Utf8Pieces::default());
    while let Some(chunk) = connection.chunk().await? {
        let piece = decoder.push(&chunk)?;
        text.push_str(&piece);
        arrivals.note(&piece);
        if let Some(pieces) = pieces.as_ref().filter(|_| !piece.is_empty()) {
            // Whoever wanted the pieces may have gone; the answer is still an answer.
            let _ = pieces.send(piece).await;
        }
    }
    decoder.end()?;
    Ok(text)
}

async fn read_body(
    connection: &mut Connection,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Vec<u8>, WireError> {
    if reply::declared_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(WireError::TooLong { limit });
    }
    let mut body = Vec::new();
    while let Some(chunk) = connection.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
