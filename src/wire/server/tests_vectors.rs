//! The requests that were captured, sent to our axon at the time of their capture: it answers with
//! the status of the Python axon 10.5.0, or is stricter where the table says so.

use std::future::{pending, ready};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::tests::{echo_at, refusing, seat, serve, verifier_at};
use super::*;
use crate::wire::testkit::{self, Reply, whole_reply};
use crate::wire::verify::signed_text;

/// A request that we answer otherwise than the Python axon did.
struct Stricter {
    name: &'static str,
    /// Nothing if it did not answer.
    theirs: Option<u16>,
    ours: u16,
    /// Why, though a Python dendrite was answered so.
    why: &'static str,
}

const STRICTER: &[Stricter] = &[Stricter {
    name: "axon10.5.0_dendrite10.5.0_timeout408",
    theirs: None,
    ours: 408,
    why: "the SDK's axon works on for a caller that is gone (wire.md §7); ours gives up",
}];

/// Times that a reply tells: how old the request was when it came, in milliseconds.
const AGES: &[(&str, u64)] = &[
    ("crafted_axon10.5.0_old_nonce_15s_first_contact_timeout12_newversion", 15_000),
    ("crafted_axon10.5.0_old_nonce_17s_first_contact_timeout12_newversion", 17_000),
    ("crafted_axon10.5.0_monotonic_nonce_newversion", 1_795_377_438_210),
];

/// When the last request was captured; where no nonce tells the time, it is taken for then.
const CAPTURED: Duration = Duration::from_secs(1_795_379_508);
/// Nonces of before are no times.
const FIRST_CAPTURE: Duration = Duration::from_secs(1_795_378_900);

#[test]
fn answers_every_captured_request_with_the_status_of_the_python_axon() {
    let Some(vectors) = testkit::vectors() else { return };
    let mut met = Vec::new();
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        if name.starts_with("crafted_") && !name.starts_with("crafted_axon10.5.0_") {
            continue;
        }
        let theirs = status_of(vector);
        let unix = clock_of(name, vector);
        let raw = raw_of(vector);
        let reply = serve(unix, door_of(name, unix), async |address| {
            for earlier in earlier_requests(name, vector, &raw) {
                let reply = whole_reply(address, &earlier).await.unwrap();
                assert_eq!(reply.status, 200, "before {name}: {}", reply.body);
            }
            whole_reply(address, &raw).await.unwrap()
        });
        if let Some(stricter) = STRICTER.iter().find(|stricter| stricter.name == name) {
            let Stricter { theirs: expected, ours, why, .. } = stricter;
            assert_eq!((theirs, reply.status), (*expected, *ours), "{name}: {why}");
            met.push(name);
            continue;
        }
        assert_eq!(Some(reply.status), theirs, "{name}: {}", reply.body);
        if has_our_words(name) {
            compare(name, vector, &reply);
        }
    }
    assert_eq!(met.len(), STRICTER.len(), "of the table only {met:?} were captured");
    assert!(vectors.len() >= 42, "only {} vectors", vectors.len());
}

/// Whether not only the status, but the whole reply can be compared.
fn has_our_words(name: &str) -> bool {
    !matches!(
        name,
        // It takes the missing hash for the word None, and then compares signatures.
        "crafted_axon10.5.0_no_body_hash_header"
        // Its handler returns a synapse with a status of its own; ours refuses with one.
        | "axon10.5.0_dendrite10.5.0_handler_sets_status"
    ) && !name.starts_with("axon6.6.1")
}

/// What stood behind the axon when the request was captured.
fn door_of(name: &str, unix: Duration) -> AxonDoor {
    // `axon10.5.0_dendrite10.5.0_ok`, but `crafted_axon10.5.0_minimal_ok`.
    let case = match name.splitn(3, '_').collect::<Vec<_>>()[..] {
        [axon, _, case] if axon != "crafted" => case,
        _ => "ok",
    };
    match case {
        "blacklist403" => refusing(Refusal::blacklisted("Unrecognized hotkey")),
        "priority_timeout" => refusing(Refusal::timed_out(Duration::from_secs(12))),
        "error500" => verifying(unix, || seat(|_| ready(Err(Refusal::internal("a secret"))))),
        "timeout408" => verifying(unix, || seat(|_| pending())),
        "handler_sets_status" => {
            let teapot = || Refusal::new(418, "I'm a teapot");
            verifying(unix, move || seat(move |_| ready(Err(teapot()))))
        }
        "stream" => verifying(unix, || seat(|_| ready(Ok("tokens stream one by one".into())))),
        "ok" | "base_synapse" | "unknown404" | "wronghotkey401" => echo_at(unix),
        other => panic!("what answered `{other}`?"),
    }
}

/// Verifies as an axon does, then gives a seat.
fn verifying(unix: Duration, seat: impl Fn() -> Seat + Send + Sync + 'static) -> AxonDoor {
    let verify = verifier_at(unix);
    Arc::new(move |knock| Box::pin(ready(verify(&knock.head).map(|()| seat()))))
}

fn clock_of(name: &str, vector: &Value) -> Duration {
    let nonce = testkit::header(&vector["request"], "bt_header_dendrite_nonce");
    let nonce = nonce.and_then(|nonce| nonce.parse().ok()).map_or(CAPTURED, Duration::from_nanos);
    match AGES.iter().find(|(aged, _)| *aged == name) {
        Some((_, age)) => nonce + Duration::from_millis(*age),
        None if nonce < FIRST_CAPTURE => CAPTURED,
        None => nonce,
    }
}

/// What had been sent before, if the reply depends on it.
fn earlier_requests(name: &str, vector: &Value, raw: &[u8]) -> Vec<Vec<u8>> {
    match name {
        "crafted_axon10.5.0_replay_same_bytes" => vec![raw.into()],
        "crafted_axon10.5.0_smaller_nonce_same_uuid" => vec![signed_later(vector, raw)],
        _ => Vec::new(),
    }
}

/// The same request with a nonce that is one larger. Signatures are random, so the one that was
/// sent at the time is as good as one of ours.
fn signed_later(vector: &Value, raw: &[u8]) -> Vec<u8> {
    let header = |name: &str| testkit::header(&vector["request"], name).unwrap();
    let nonce: u64 = header("bt_header_dendrite_nonce").parse().unwrap();
    let (bob, alice) = (testkit::bob(), testkit::alice().hotkey());
    let (uuid, hash) = (header("bt_header_dendrite_uuid"), header("computed_body_hash"));
    let text = signed_text(nonce + 1, bob.hotkey().as_str(), alice.as_str(), &uuid, &hash);
    let text_of = |raw: &[u8]| String::from_utf8(raw.to_vec()).unwrap();
    let later = text_of(raw).replace(&nonce.to_string(), &(nonce + 1).to_string());
    let signature = header("bt_header_dendrite_signature");
    later.replace(&signature, &bob.sign_hex(&text)).into_bytes()
}

fn status_of(vector: &Value) -> Option<u16> {
    let line = vector["response"]["status_line"].as_str().filter(|line| !line.is_empty())?;
    Some(line[9..12].parse().unwrap())
}

/// The request as it was sent, but that it asks the server to hang up.
fn raw_of(vector: &Value) -> Vec<u8> {
    let raw = vector["request"]["raw_base64"].as_str().unwrap();
    let text = String::from_utf8(BASE64_STANDARD.decode(raw).unwrap()).unwrap();
    if text.to_ascii_lowercase().contains("connection: close") {
        return text.into_bytes();
    }
    text.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).into_bytes()
}

/// Our reply has the same keys, headers and texts, but for what no two replies share.
fn compare(name: &str, vector: &Value, ours: &Reply) {
    let theirs = &vector["response"];
    let text = theirs["body_text"].as_str().unwrap();
    match serde_json::from_str::<Value>(text) {
        Ok(expected) => {
            let body = serde_json::from_str(&ours.body).unwrap();
            assert_eq!(comparable_text(&body), comparable_text(&expected), "{name}");
        }
        // A stream, which comes in chunks.
        Err(_) => assert!(ours.body.contains(text), "{name}: {}", ours.body),
    }
    let head = ours.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let head = head.map(|(name, value)| (name.to_string(), value.to_string()));
    let pairs = theirs["headers"].as_array().unwrap().iter();
    let theirs = pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
    let theirs =
        theirs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()));
    assert_eq!(comparable(head), comparable(theirs), "{name}");
}

/// A body without what differs from one reply to the next.
fn comparable_text(body: &Value) -> String {
    let mut body = body.clone();
    if let Some(axon) = body.get_mut("axon").filter(|axon| axon.is_object()) {
        axon["process_time"] = Value::Null;
    }
    if let Some(fault) = body.pointer_mut("/detail/0") {
        fault["loc"] = Value::Null;
        fault["ctx"] = Value::Null;
    }
    // A class more than the captured axon had.
    let text = body.to_string().replace(", 'StreamPromptingSynapse'", "");
    match text.split_once("Internal Server Error #") {
        Some((before, _)) => before.to_string(),
        None => text,
    }
}

/// Headers sorted by name, without the values that differ from one reply to the next.
fn comparable(headers: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    const VOLATILE: [&str; 11] = [
        "date",
        "content-length",
        "allow",
        "header_size",
        "total_size",
        "bt_header_axon_process_time",
        "bt_header_axon_nonce",
        "bt_header_axon_uuid",
        "bt_header_axon_signature",
        "bt_header_dendrite_ip",
        "bt_header_dendrite_port",
    ];
    let mut kept: Vec<_> = headers
        .filter(|(name, _)| name != "server" && name != "connection")
        .map(|(name, value)| {
            let same = !VOLATILE.contains(&name.as_str());
            let value = value.split('#').next().unwrap().replace(", 'streampromptingsynapse'", "");
            (name, if same { value } else { String::new() })
        })
        .collect();
    kept.sort();
    kept
}
