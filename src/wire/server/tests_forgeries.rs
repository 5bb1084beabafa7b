//! Requests that nobody signed, or not for now, or not for us: none of them is answered. To be
//! *answered* means here that the question reached a seat. It may do so once, with the messages
//! and the four header values that were signed; what else a request holds, such as its `name`, its
//! sizes or its `roles`, is not signed and may be anything.

mod bodies;
mod mutations;

use std::collections::HashSet;
use std::future::ready;
use std::sync::Mutex;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::ports::Standing;

use self::mutations::{Sent, mutate};
use super::tests::{UNIX, serve};
use super::*;
use crate::wire::marks::MarksFile;
use crate::wire::testkit::{self, whole_reply};
use crate::wire::verify::signed_text;
use crate::wire::{NonceBook, Verifier, body_hash};

const NOW: u64 = UNIX.as_nanos() as u64;

/// What reached a seat: who signed what, and the messages.
type Answered = Arc<Mutex<Vec<(SignedHead, Vec<String>)>>>;

fn book() -> NonceBook {
    NonceBook::new(UNIX - Duration::from_secs(60), true)
}

fn verifier() -> Verifier {
    Verifier::new(testkit::alice().hotkey(), book(), None)
}

/// An axon's door, and what came through it.
fn watched(verifier: Verifier) -> (AxonDoor, Answered) {
    let answered = Answered::default();
    let (verifier, seen) = (Mutex::new(verifier), Arc::clone(&answered));
    let door: AxonDoor = Arc::new(move |knock| {
        let verified = verifier.lock().unwrap().verify(&knock.head, Standing::Registered, UNIX);
        let seen = Arc::clone(&seen);
        let seat: Seat = Box::new(move |query: Query, _| {
            seen.lock().unwrap().push((knock.head, query.messages));
            Box::pin(ready(Ok("answered".into())))
        });
        Box::pin(ready(match verified {
            Ok(_) => Ok(seat),
            Err(error) => Err(Refusal::not_verified(&error.to_string())),
        }))
    });
    (door, answered)
}

/// A request that //Bob signed for //Alice, and what may be answered of it.
#[derive(Clone)]
struct Signed {
    nonce: u64,
    uuid: String,
    hash: String,
    messages: Vec<String>,
}

impl Signed {
    /// One of many, none like another.
    fn number(number: u64) -> Self {
        let messages: Vec<String> = match number % 3 {
            0 => vec!["hi".into()],
            1 => vec!["It's me.".into(), "And \"who\" is that?".into()],
            _ => vec![format!("Question {number}: \u{e9}\u{1f600}\n?")],
        };
        let hash = body_hash::of_messages(&messages);
        Self { nonce: NOW + number, uuid: format!("u-{number}"), hash, messages }
    }

    fn sent(&self) -> Sent {
        let alice = testkit::alice().hotkey();
        self.sent_by(&testkit::bob(), alice.as_str())
    }

    fn sent_by(&self, key: &Keypair, axon: &str) -> Sent {
        let hotkey = key.hotkey().to_string();
        let text = signed_text(self.nonce, &hotkey, axon, &self.uuid, &self.hash);
        let roles: Vec<&str> = self.messages.iter().map(|_| "user").collect();
        let body = serde_json::json!({"roles": roles, "messages": self.messages});
        let headers = [
            ("name", "PromptingSynapse".to_string()),
            ("timeout", "12.0".to_string()),
            ("bt_header_dendrite_version", "10005000".to_string()),
            ("bt_header_dendrite_nonce", self.nonce.to_string()),
            ("bt_header_dendrite_uuid", self.uuid.clone()),
            ("bt_header_dendrite_hotkey", hotkey),
            ("bt_header_dendrite_signature", key.sign_hex(&text)),
            ("bt_header_input_obj_roles", "W10=".to_string()),
            ("bt_header_input_obj_messages", "W10=".to_string()),
            ("header_size", "464".to_string()),
            ("computed_body_hash", self.hash.clone()),
        ];
        let headers = headers.map(|(name, value)| (name.into(), value.into()));
        Sent { headers: headers.to_vec(), body: body.to_string().into_bytes() }
    }

    /// Whether what was answered is what was signed.
    fn covers(&self, head: &SignedHead, messages: &[String]) -> bool {
        let hotkey = testkit::bob().hotkey();
        head.nonce == Some(self.nonce)
            && head.hotkey.as_deref() == Some(hotkey.as_str())
            && head.uuid.as_ref() == Some(&self.uuid)
            && head.body_hash.as_ref() == Some(&self.hash)
            && messages == self.messages
    }
}

#[test]
fn answers_none_of_5000_mutated_requests_but_as_it_was_signed() {
    const REQUESTS: u64 = 5_000;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (door, answered) = watched(verifier());
    let mut authentic = 0;
    serve(UNIX, door, async |address| {
        let mut earlier = Signed::number(REQUESTS).sent();
        for number in 0..REQUESTS {
            let signed = Signed::number(number);
            let original = signed.sent();
            let mutated = mutate(&original, &earlier, &mut rng);
            let raw = mutated.raw();
            let shown = String::from_utf8_lossy(&raw);
            let reply = whole_reply(address, &raw).await;
            let reply = reply.unwrap_or_else(|| panic!("no reply to {shown}"));
            assert!(reply.status < 505, "{} to {shown}", reply.status);
            let came: Vec<_> = answered.lock().unwrap().drain(..).collect();
            assert_eq!(came.len(), usize::from(reply.status == 200), "{shown}");
            for (head, messages) in came {
                assert!(signed.covers(&head, &messages), "{head:?} {messages:?} of {shown}");
                authentic += 1;
                // Neither the same once more nor what it was made of.
                for replayed in [raw.clone(), original.raw()] {
                    let reply = whole_reply(address, &replayed).await.unwrap();
                    assert_eq!(reply.status, 401, "{}", reply.body);
                }
            }
            earlier = original;
        }
        assert!(answered.lock().unwrap().is_empty());
    });
    // Mutations hit what is signed more often than not, but not always.
    assert!((REQUESTS / 50..REQUESTS / 3).contains(&authentic), "{authentic} were authentic");
}

/// Sends one request to a fresh axon: the status, and whether it was answered.
fn try_forgery(sent: &Sent) -> (u16, bool) {
    let (door, answered) = watched(verifier());
    let reply = serve(UNIX, door, async |address| whole_reply(address, &sent.raw()).await);
    let answered = !answered.lock().unwrap().is_empty();
    (reply.unwrap().status, answered)
}

#[test]
fn answers_none_of_the_known_forgeries() {
    let signed = Signed::number(1);
    assert_eq!(try_forgery(&signed.sent()), (200, true));
    let with = |name: &str, value: &str| {
        let mut sent = signed.sent();
        sent.set(name, value);
        sent
    };
    let signature = signed.sent().get("bt_header_dendrite_signature");
    let bob = testkit::bob().hotkey();
    let charlie = Keypair::from_dev_uri("//Charlie").unwrap();
    let by_charlie = {
        let mut sent = signed.sent_by(&charlie, testkit::alice().hotkey().as_str());
        sent.set("bt_header_dendrite_hotkey", bob.as_str());
        sent
    };
    let without = |name: &str| {
        let mut sent = signed.sent();
        sent.headers.retain(|(other, _)| other != name.as_bytes());
        sent
    };
    let made = |secs_ago: i64, timeout: &str| {
        let nonce = NOW.checked_add_signed(-secs_ago * 1_000_000_000).unwrap();
        let mut sent = Signed { nonce, ..signed.clone() }.sent();
        sent.set("timeout", timeout);
        sent
    };
    let sign = "bt_header_dendrite_signature";
    for (forgery, sent) in [
        ("empty", with(sign, "")),
        ("missing", without(sign)),
        ("0x", with(sign, "0x")),
        ("short", with(sign, &signature[..128])),
        ("long", with(sign, &format!("{signature}00"))),
        ("zeros", with(sign, &format!("0x{}", "0".repeat(128)))),
        ("without 0x", with(sign, &signature[2..])),
        ("with 0X", with(sign, &signature.replacen("0x", "0X", 1))),
        ("another key's", by_charlie),
        ("another key's name", with("bt_header_dendrite_hotkey", charlie.hotkey().as_str())),
        ("the axon's own name", {
            with("bt_header_dendrite_hotkey", testkit::alice().hotkey().as_str())
        }),
        ("another network's address of the key", {
            with("bt_header_dendrite_hotkey", &mutations::address(&testkit::bob().public(), 0))
        }),
        ("for another receiver", signed.sent_by(&testkit::bob(), charlie.hotkey().as_str())),
        ("no nonce", without("bt_header_dendrite_nonce")),
        ("no uuid", without("bt_header_dendrite_uuid")),
        ("no hotkey", without("bt_header_dendrite_hotkey")),
        ("no hash", without("computed_body_hash")),
        ("empty uuid", with("bt_header_dendrite_uuid", "")),
        ("empty hash", with("computed_body_hash", "")),
        ("another nonce", with("bt_header_dendrite_nonce", &(NOW + 2).to_string())),
        ("another uuid", with("bt_header_dendrite_uuid", "u-2")),
        ("old", made(17, "12.0")),
        ("an hour old, with a timeout of years", made(3600, "1e9")),
        ("future", made(-11, "12.0")),
    ] {
        let (status, answered) = try_forgery(&sent);
        assert!(status == 401 && !answered, "{forgery}: {status}, answered: {answered}");
    }
}

#[test]
fn answers_no_body_that_was_not_signed() {
    let signed = Signed { messages: vec!["ab".into(), "c".into()], ..Signed::number(1) };
    let signed = Signed { hash: body_hash::of_messages(&signed.messages), ..signed };
    assert_eq!(try_forgery(&signed.sent()), (200, true));
    let head = signed.sent();
    for body in [
        // Text moved from one message to the next, and out of a message into the list.
        r#"{"roles":["user","user"],"messages":["a","bc"]}"#,
        r#"{"roles":["user"],"messages":["abc"]}"#,
        r#"{"roles":["user"],"messages":["ab', 'c"]}"#,
        r#"{"roles":["user","user"],"messages":["c","ab"]}"#,
        r#"{"roles":["user","user"],"messages":["ab","c "]}"#,
        r#"{"roles":["user","user","user"],"messages":["ab","c",""]}"#,
        r#"{"roles":["user"],"messages":["ab"]}"#,
        r#"{"roles":[],"messages":[]}"#,
        // What is hashed is not the sender's choice.
        r#"{"roles":["user"],"messages":["evil"],"required_hash_fields":[]}"#,
        r#"{"roles":["user"],"messages":["evil"],"required_hash_fields":["completion"],"completion":"['ab', 'c']"}"#,
        r#"{"required_hash_fields":[],"roles":["user"],"messages":["evil"],"computed_body_hash":""}"#,
        // Which of two counts?
        r#"{"roles":["user","user"],"messages":["ab","c"],"messages":["evil","c"]}"#,
        r#"{"roles":["user","user"],"messages":["evil","c"],"messages":["ab","c"]}"#,
        r#"{"roles":["user","user"],"Messages":["ab","c"]}"#,
    ] {
        let sent = Sent { body: body.into(), ..head.clone() };
        let (status, answered) = try_forgery(&sent);
        assert!(status == 500 && !answered, "{body}: {status}, answered: {answered}");
    }
    // The hash of the body that comes is no help without a signature.
    let evil = vec!["evil".to_string()];
    let mut sent = Sent { body: br#"{"roles":["user"],"messages":["evil"]}"#.to_vec(), ..head };
    sent.set("computed_body_hash", &body_hash::of_messages(&evil));
    assert_eq!(try_forgery(&sent), (401, false));
}

#[test]
fn answers_no_replay_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nonces.jsonl");
    let start = |started: Duration| {
        let mut book = NonceBook::new(started, true);
        let marks = MarksFile::open(&file, &mut book, started).unwrap();
        watched(Verifier::new(testkit::alice().hotkey(), book, Some(marks)))
    };
    let modern = Signed::number(1).sent();
    let ahead = Signed { nonce: NOW + 9_000_000_000, ..Signed::number(2) }.sent();
    let mut legacy = Signed { nonce: 5_000, ..Signed::number(3) }.sent();
    legacy.set("bt_header_dendrite_version", "660");
    let raws = [modern.raw(), ahead.raw(), legacy.raw()];
    let starts = [
        UNIX - Duration::from_secs(1),
        UNIX + Duration::from_nanos(1),
        UNIX + Duration::from_nanos(2),
    ];
    let mut seen = HashSet::new();
    for (run, started) in starts.into_iter().enumerate() {
        let (door, answered) = start(started);
        serve(UNIX, door, async |address| {
            for _ in 0..2 {
                for raw in &raws {
                    let reply = whole_reply(address, raw).await.unwrap();
                    let expected = if run == 0 && seen.insert(raw) { 200 } else { 401 };
                    assert_eq!(reply.status, expected, "start {run}: {}", reply.body);
                }
            }
        });
        assert_eq!(answered.lock().unwrap().len(), if run == 0 { 3 } else { 0 });
    }
}
