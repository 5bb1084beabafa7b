//! Signed requests: the synapse for one miner, as headers and as JSON.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use sn1_actors::domain::{Hotkey, Query};
use sn1_actors::ports::{AxonTarget, Clock};

use super::WireError;
use crate::wire::keys::Keypair;
use crate::wire::synapse::{Envelope, Prompting, REQUIRED, TerminalInfo};
use crate::wire::uuids::UuidSource;
use crate::wire::verify::signed_text;
use crate::wire::{PROTOCOL_VERSION, body_hash};

/// Makes requests that carry one hotkey's signature.
pub(super) struct Signer {
    keypair: Arc<Keypair>,
    /// Its address, which takes some arithmetic to write.
    own: Hotkey,
    clock: Arc<dyn Clock>,
    uuids: Arc<UuidSource>,
    own_ip: Option<IpAddr>,
    last_nonce: AtomicU64,
}

impl Signer {
    pub(super) fn new(
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
        own_ip: Option<IpAddr>,
    ) -> Self {
        let own = keypair.hotkey();
        Self { keypair, own, clock, uuids, own_ip, last_nonce: AtomicU64::new(0) }
    }

    /// The request for one miner: wire.md §1 to §3.
    pub(super) fn request(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
        synapse: &'static str,
    ) -> Result<Request<Full<Bytes>>, WireError> {
        let hash = body_hash::of_messages(&query.messages);
        let prompting = self.prompting(target, query, timeout, synapse, &hash);
        let unsendable = |error: &dyn std::fmt::Display| WireError::malformed(&error.to_string());
        let body = serde_json::to_vec(&prompting).map_err(|error| unsendable(&error))?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/{synapse}"))
            .header(HOST, target.address.to_string());
        for (name, value) in prompting.envelope.headers(&REQUIRED, &hash, body.len()) {
            request = request.header(name, value);
        }
        request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(body.into()))
            .map_err(|error| unsendable(&error))
    }

    fn prompting(
        &self,
        target: &AxonTarget,
        query: &Query,
        timeout: Duration,
        synapse: &'static str,
        hash: &str,
    ) -> Prompting {
        let (own, theirs) = (&self.own, &target.hotkey);
        let (nonce, uuid) = (self.next_nonce(), self.uuids.next());
        let text = signed_text(nonce, own.as_str(), theirs.as_str(), &uuid, hash);
        let dendrite = TerminalInfo {
            ip: self.own_ip.map(|ip| ip.to_string()),
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
            ..Envelope::named(synapse)
        };
        Prompting::asking(envelope, query)
    }

    /// The wall clock in nanoseconds, but always above the last one: axons refuse repetition.
    fn next_nonce(&self) -> u64 {
        let now = u64::try_from(self.clock.unix().as_nanos()).unwrap_or(u64::MAX - 1);
        let grow = |last: u64| Some(now.max(last.saturating_add(1)));
        match self.last_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow) {
            Ok(last) | Err(last) => now.max(last.saturating_add(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testkit::{self, StoppedClock};

    #[test]
    fn makes_growing_nonces_while_the_clock_stands_still() {
        let unix = Duration::from_secs(1_795_000_000);
        let uuids = Arc::new(UuidSource::from_seed([1; 32]));
        let signer = Signer::new(Arc::new(testkit::bob()), StoppedClock::at(unix), uuids, None);
        let nonces: Vec<u64> = (0..3).map(|_| signer.next_nonce()).collect();
        let first = unix.as_nanos() as u64;
        assert_eq!(nonces, [first, first + 1, first + 2]);
    }
}
