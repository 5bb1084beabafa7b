//! The dendrite's side of the wire: signed requests to miners over HTTP.
//!
//! Failures are told apart as the SDK's dendrite of 10.5.0 does. Replies are not authenticated: no
//! SDK verifies an axon's signature, so neither do we.

mod address;
mod failure;
mod reply;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use sn1_actors::domain::{MinerReply, Query, StatusCode};
use sn1_actors::ports::{AxonTarget, Clock, MinerTransport};

use self::failure::Phase;
pub use self::failure::WireError;
use super::headers::HeaderList;
use super::keys::Keypair;
use super::synapse::{Envelope, PROMPTING, Prompting, REQUIRED, TerminalInfo};
use super::uuids::UuidSource;
use super::verify::signed_text;
use super::{PROTOCOL_VERSION, body_hash};

/// Python axons close idle connections after 5 seconds; leave earlier.
const IDLE: Duration = Duration::from_secs(4);

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for miners cannot be built: {0}")]
pub struct TransportError(#[from] reqwest::Error);

/// How miners are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportOptions {
    /// Whether to connect to addresses that are not on the public internet; only a local network
    /// wants that. Addresses come from the chain, where anyone may write any.
    pub allow_local: bool,
    /// The longest reply body that is read, in bytes.
    pub max_body: usize,
    /// Our own address as miners are told; they do not need it.
    pub own_ip: Option<IpAddr>,
}

impl Default for TransportOptions {
    /// The public internet only, and replies of up to 1 MiB.
    fn default() -> Self {
        Self { allow_local: false, max_body: 1 << 20, own_ip: None }
    }
}

/// Asks miners over one pool of connections.
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    keypair: Arc<Keypair>,
    clock: Arc<dyn Clock>,
    uuids: Arc<UuidSource>,
    last_nonce: AtomicU64,
    options: TransportOptions,
}

impl HttpTransport {
    /// A client that signs with `keypair`. Opens no connection yet.
    ///
    /// # Errors
    /// [`TransportError`] when the HTTP client cannot be built.
    pub fn new(
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
        options: TransportOptions,
    ) -> Result<Self, TransportError> {
        let http = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_idle_timeout(IDLE)
            .build()?;
        let last_nonce = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { http, keypair, clock, uuids, last_nonce, options })))
    }
}

impl MinerTransport for HttpTransport {
    fn ask(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        timeout: Duration,
    ) -> BoxFuture<'static, MinerReply> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let started = inner.clock.now();
            let exchange = inner.exchange(&target, &query, timeout);
            let outcome = tokio::time::timeout(timeout, exchange)
                .await
                .unwrap_or(Err(WireError::TimedOut(timeout)));
            let elapsed = inner.clock.now().since(started);
            match outcome {
                Ok(completion) => {
                    let message = "Success".into();
                    MinerReply { completion, status: StatusCode::OK, message, elapsed }
                }
                Err(error) => MinerReply {
                    completion: String::new(),
                    status: error.status(),
                    message: error.to_string(),
                    elapsed,
                },
            }
        })
    }
}

impl Inner {
    async fn exchange(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
    ) -> Result<String, WireError> {
        let address = target.address;
        if !self.options.allow_local && !address::is_public(address.ip()) {
            return Err(WireError::Forbidden(address));
        }
        let (headers, body) = self.request(target, query, timeout)?;
        let mut request = self.http.post(format!("http://{address}/{PROMPTING}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let failed = |phase| move |error| WireError::of_http(address, phase, &error);
        let mut response = request.send().await.map_err(failed(Phase::Head))?;
        let (status, headers) =
            (response.status().as_u16(), std::mem::take(response.headers_mut()));
        reply::check_head(&headers)?;
        let body = self.read_body(&mut response, &headers, failed(Phase::Body)).await?;
        reply::read(status, &headers, &body)
    }

    /// The signed headers and the body for one miner.
    fn request(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
    ) -> Result<(HeaderList, Vec<u8>), WireError> {
        let (own, theirs) = (self.keypair.hotkey(), &target.hotkey);
        let (nonce, uuid) = (self.next_nonce(), self.uuids.next());
        let hash = body_hash::of_messages(&query.messages);
        let text = signed_text(nonce, own.as_str(), theirs.as_str(), &uuid, &hash);
        let dendrite = TerminalInfo {
            ip: self.options.own_ip.map(|ip| ip.to_string()),
            version: Some(PROTOCOL_VERSION),
            nonce: Some(nonce),
            uuid: Some(uuid),
            hotkey: Some(own.to_string()),
            signature: Some(self.keypair.sign_hex(&text)),
            ..TerminalInfo::default()
        };
        let axon = TerminalInfo {
            ip: Some(target.address.ip().to_string()),
            port: Some(target.address.port()),
            hotkey: Some(theirs.to_string()),
            ..TerminalInfo::default()
        };
        let envelope = Envelope {
            timeout: Some(timeout.as_secs_f64()),
            dendrite: Some(dendrite),
            axon: Some(axon),
            ..Envelope::named(PROMPTING)
        };
        let synapse = Prompting::asking(envelope, query);
        let body = serde_json::to_vec(&synapse)
            .map_err(|error| WireError::Malformed(error.to_string()))?;
        Ok((synapse.envelope.headers(&REQUIRED, &hash, body.len()), body))
    }

    /// The wall clock in nanoseconds, but always above the last one: axons refuse repetition.
    fn next_nonce(&self) -> u64 {
        let now = u64::try_from(self.clock.unix().as_nanos()).unwrap_or(u64::MAX - 1);
        let grow = |last: u64| Some(now.max(last.saturating_add(1)));
        match self.last_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow) {
            Ok(last) | Err(last) => now.max(last.saturating_add(1)),
        }
    }

    async fn read_body(
        &self,
        response: &mut reqwest::Response,
        headers: &HeaderMap,
        failed: impl FnOnce(reqwest::Error) -> WireError,
    ) -> Result<Vec<u8>, WireError> {
        let limit = self.options.max_body;
        let too_long = || WireError::TooLong { limit };
        if reply::declared_length(headers).is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_long()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
