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

/// A clock that is so far behind the last nonce was set back, and did not only go slower for a while.
const SET_BACK_NANOS: u64 = 1_500_000_000;

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

    /// The wall clock in nanoseconds, but above the last one: axons refuse repetition. Of a clock
    /// that was set back nonces do not stay ahead, since axons refuse what is from the future;
    /// smaller ones are no repetition, as each request has a uuid of its own.
    fn next_nonce(&self) -> u64 {
        let now = u64::try_from(self.clock.unix().as_nanos()).unwrap_or(u64::MAX - 1);
        let next = |last: u64| {
            let set_back = last.saturating_sub(now) > SET_BACK_NANOS;
            if set_back { now } else { now.max(last.saturating_add(1)) }
        };
        let update = |last: u64| Some(next(last));
        match self.last_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update) {
            Ok(last) | Err(last) => next(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testkit::{self, StoppedClock};

    #[test]
    fn goes_back_with_a_clock_that_is_set_back_and_not_with_one_that_is_slowed() {
        let unix = Duration::from_secs(1_795_000_000);
        let clock = StoppedClock::at(unix);
        let (wall, uuids) = (Arc::clone(&clock), Arc::new(UuidSource::from_seed([1; 32])));
        let signer = Signer::new(Arc::new(testkit::bob()), wall, uuids, None);
        let (first, second) = (signer.next_nonce(), unix - Duration::from_secs(1));
        clock.set(second);
        assert_eq!(signer.next_nonce(), first + 1);
        clock.set(second - Duration::from_secs(1));
        let back = clock.unix().as_nanos() as u64;
        assert_eq!([signer.next_nonce(), signer.next_nonce()], [back, back + 1]);
    }

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
