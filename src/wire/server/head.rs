//! Reading a request's synapse headers. Nothing is verified here; everything is bounded.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::header::HeaderMap;

use super::Refusal;
use super::class::Class;
use crate::wire::headers::{AXON, BODY_HASH, DENDRITE, INPUT, TIMEOUT};
use crate::wire::synapse::{DEFAULT_TIMEOUT, Envelope, TerminalInfo};
use sn1_actors::ports::SignedHead;

/// The longest text that is taken from a header, in bytes.
const MAX_TEXT: usize = 128;
/// The same for a signature, which has 130 if it is well-formed.
const MAX_SIGNATURE: usize = 256;

/// A request's head.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    /// What was signed.
    pub(super) signed: SignedHead,
    /// The synapse that the headers make, which error replies are written from.
    pub(super) envelope: Envelope,
    /// The class that the path names.
    pub(super) class: Class,
}

impl Head {
    /// The head of a request for a class, or nothing where the SDK could not make a synapse of it.
    pub(super) fn parse(class: Class, map: &HeaderMap, peer: SocketAddr) -> Option<Self> {
        for field in class.required() {
            map.get(format!("{INPUT}{field}"))?;
        }
        let headers = Headers(map);
        let secs = headers.number::<f64>(TIMEOUT)?.unwrap_or(DEFAULT_TIMEOUT);
        let dendrite = |field: &str| format!("{DENDRITE}{field}");
        let signed = SignedHead {
            hotkey: headers.text(&dendrite("hotkey"), MAX_TEXT)?,
            nonce: headers.number(&dendrite("nonce"))?,
            uuid: headers.text(&dendrite("uuid"), MAX_TEXT)?,
            signature: headers.text(&dendrite("signature"), MAX_SIGNATURE)?,
            body_hash: headers.text(BODY_HASH, MAX_TEXT)?,
            version: headers.number(&dendrite("version"))?,
            timeout: bounded(secs),
        };
        let axon = TerminalInfo {
            ip: headers.text(&format!("{AXON}ip"), MAX_TEXT)?,
            port: headers.number(&format!("{AXON}port"))?,
            hotkey: headers.text(&format!("{AXON}hotkey"), MAX_TEXT)?,
            ..TerminalInfo::default()
        };
        let dendrite = TerminalInfo {
            ip: Some(peer.ip().to_string()),
            port: Some(peer.port()),
            version: signed.version,
            nonce: signed.nonce,
            uuid: signed.uuid.clone(),
            hotkey: signed.hotkey.clone(),
            signature: signed.signature.clone(),
            ..TerminalInfo::default()
        };
        let envelope = Envelope {
            timeout: Some(secs),
            dendrite: Some(dendrite),
            axon: Some(axon),
            ..Envelope::named(class.name())
        };
        Some(Self { signed, envelope, class })
    }

    /// Whether the hash that was signed is that of the body that came.
    pub(super) fn is_signed_for(&self, body_hash: &str) -> Result<(), Refusal> {
        if self.signed.body_hash.as_deref() == Some(body_hash) {
            return Ok(());
        }
        tracing::debug!("refused a body that is not the signed one");
        Err(Refusal::internal("the body is not the signed one"))
    }
}

/// A timeout that we are ready to wait. It is not signed and widens the nonces' window, so anyone
/// on the way could set it.
fn bounded(secs: f64) -> Duration {
    Duration::from_secs_f64(if secs.is_nan() { DEFAULT_TIMEOUT } else { secs.clamp(1.0, 120.0) })
}

struct Headers<'a>(&'a HeaderMap);

impl Headers<'_> {
    /// A header that may be missing. The outer option is empty if it is there and unusable: also
    /// if it is there twice, as others might take the other one.
    fn text(&self, name: &str, limit: usize) -> Option<Option<String>> {
        let mut values = self.0.get_all(name);
        let Some(value) = values.next() else { return Some(None) };
        if values.next().is_some() {
            return None;
        }
        let text = value.to_str().ok().filter(|text| text.len() <= limit)?;
        Some(Some(text.into()))
    }

    fn number<T: FromStr>(&self, name: &str) -> Option<Option<T>> {
        let Some(text) = self.text(name, 32)? else { return Some(None) };
        Some(Some(text.trim().parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            let name = HeaderName::try_from(*name).unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn parse(pairs: &[(&str, &str)]) -> Option<Head> {
        Head::parse(Class::Ping, &map(pairs), "127.0.0.1:1".parse().unwrap())
    }

    #[test]
    fn keeps_texts_as_they_were_sent_and_leaves_out_what_is_missing() {
        let head = parse(&[
            ("bt_header_dendrite_uuid", "anything"),
            ("bt_header_dendrite_nonce", "17"),
            ("timeout", "7.5"),
        ])
        .unwrap();
        assert_eq!(head.signed.uuid.as_deref(), Some("anything"));
        assert_eq!((head.signed.nonce, head.signed.hotkey), (Some(17), None));
        assert_eq!(head.signed.timeout, Duration::from_millis(7500));
    }

    #[test]
    fn waits_neither_forever_nor_no_time_whatever_the_caller_asks() {
        let timeout = |text: &str| parse(&[("timeout", text)]).unwrap().signed.timeout.as_secs();
        let asked = ["1e9", "inf", "1e999", "-3", "0", "NaN", "30"];
        assert_eq!(asked.map(timeout), [120, 120, 120, 1, 1, 12, 30]);
        assert_eq!(parse(&[]).unwrap().signed.timeout.as_secs(), 12);
    }

    #[test]
    fn refuses_headers_that_make_no_synapse() {
        let long = "u".repeat(129);
        for (name, value) in [
            ("bt_header_dendrite_nonce", "soon"),
            ("bt_header_dendrite_nonce", "-1"),
            ("bt_header_dendrite_nonce", ""),
            ("bt_header_dendrite_version", "10.5.0"),
            ("bt_header_axon_port", "70000"),
            ("timeout", "long"),
            ("bt_header_dendrite_uuid", &long),
            ("bt_header_dendrite_hotkey", "é"),
        ] {
            assert_eq!(parse(&[(name, value)]), None, "{name}: {value}");
        }
        for (name, value) in [("bt_header_dendrite_uuid", "u"), ("timeout", "12.0")] {
            assert_eq!(parse(&[(name, value), (name, value)]), None, "{name} twice");
        }
        let peer = "127.0.0.1:1".parse().unwrap();
        let roles_only = map(&[("bt_header_input_obj_roles", "W10=")]);
        assert_eq!(Head::parse(Class::Prompting, &roles_only, peer), None);
    }

    proptest! {
        #[test]
        fn never_panics_on_hostile_headers(
            names in proptest::collection::vec(0_usize..8, 0..10),
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 10),
        ) {
            let known = ["timeout", "computed_body_hash", "bt_header_dendrite_nonce",
                "bt_header_dendrite_version", "bt_header_dendrite_uuid", "bt_header_axon_port",
                "bt_header_axon_ip", "bt_header_dendrite_signature"];
            let mut map = HeaderMap::new();
            for (name, value) in names.iter().zip(values) {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    map.append(HeaderName::from_static(known[*name]), value);
                }
            }
            let _ = Head::parse(Class::Ping, &map, "127.0.0.1:1".parse().unwrap());
        }
    }
}
