//! Bodies that no SDK would write.

use std::future::ready;
use std::sync::{Arc, Mutex};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Sent, Signed, UNIX, serve};
use crate::wire::server::{AxonDoor, Query, Seat};
use crate::wire::testkit::whole_reply;

/// The server's limit in tests.
const LONGEST: usize = 4096;

#[test]
fn answers_each_of_10000_random_bodies_and_none_that_is_not_the_signed_one() {
    const BODIES: u64 = 10_000;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let answered = Arc::new(Mutex::new(Vec::<Vec<String>>::new()));
    let seen = Arc::clone(&answered);
    // Whom to let in is tested elsewhere: here all are, so that every body is read.
    let door: AxonDoor = Arc::new(move |_| {
        let seen = Arc::clone(&seen);
        let seat: Seat = Box::new(move |query: Query, _| {
            seen.lock().unwrap().push(query.messages);
            Box::pin(ready(Ok("answered".into())))
        });
        Box::pin(ready(Ok(seat)))
    });
    let signed = Signed::number(0);
    let Sent { headers, .. } = signed.sent();
    let mut signed_ones = 0;
    serve(UNIX, door, async |address| {
        for _ in 0..BODIES {
            let body = body(&mut rng);
            let raw = Sent { headers: headers.clone(), body }.raw();
            let shown = String::from_utf8_lossy(&raw);
            let reply = whole_reply(address, &raw).await;
            let reply = reply.unwrap_or_else(|| panic!("no reply to {shown}"));
            let came: Vec<_> = answered.lock().unwrap().drain(..).collect();
            match reply.status {
                200 => assert!(came.iter().eq([&signed.messages]), "{came:?} of {shown}"),
                413 | 422 | 500 => assert!(came.is_empty(), "{shown}"),
                other => panic!("{other} to {shown}"),
            }
            signed_ones += came.len();
        }
    });
    assert!(signed_ones > 100, "only {signed_ones} bodies were the signed one");
}

/// A body of at most the length that is read, or a little more.
fn body(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut body = match rng.random_range(0..20) {
        0 => nested(rng),
        1 => (0..rng.random_range(0..300)).map(|_| rng.random()).collect(),
        2 => value(rng, 4).into_bytes(),
        _ => synapse(rng).into_bytes(),
    };
    for _ in 0..rng.random_range(0..3) * rng.random_range(0..2) {
        if !body.is_empty() {
            let at = rng.random_range(0..body.len());
            body[at] = rng.random();
        }
    }
    body.truncate(LONGEST + 1);
    body
}

/// As deep as the length allows.
fn nested(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let (open, close) =
        *[("[", "]"), ("{\"a\":", "}"), ("[{\"messages\":", "}]")].choose(rng).unwrap();
    let depth = rng.random_range(1..=LONGEST / (open.len() + close.len()));
    let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let key = ["messages", "completion", "dendrite", "total_size", "x"].choose(rng).unwrap();
    match rng.random_range(0..3) {
        0 => inner.into(),
        1 => open.repeat(LONGEST / open.len()).into(),
        _ => format!("{{\"roles\":[\"user\"],\"messages\":[\"hi\"],\"{key}\":{inner}}}").into(),
    }
}

const KEYS: [&str; 12] = [
    "name",
    "timeout",
    "total_size",
    "header_size",
    "dendrite",
    "axon",
    "computed_body_hash",
    "required_hash_fields",
    "roles",
    "messages",
    "completion",
    "__proto__",
];

/// An object with the keys of a synapse, right or wrong, and mostly with the signed messages.
fn synapse(rng: &mut ChaCha8Rng) -> String {
    let mut fields = Vec::new();
    if rng.random_bool(0.8) {
        fields.push(r#""roles":["user"]"#.to_string());
    }
    if rng.random_bool(0.8) {
        let spelled = [r#"["hi"]"#, r#"["\u0068i"]"#, "[ \"hi\"\n]", r#"["hi "]"#, r#"["hi",""]"#];
        fields.push(format!(r#""messages":{}"#, spelled.choose(rng).unwrap()));
    }
    for _ in 0..rng.random_range(0..4) {
        let key = KEYS.choose(rng).unwrap();
        let field = format!("\"{key}\":{}", value(rng, 3));
        fields.insert(rng.random_range(0..=fields.len()), field);
    }
    format!("{{{}}}", fields.join(","))
}

/// Any JSON, and a little beside it.
fn value(rng: &mut ChaCha8Rng, depth: usize) -> String {
    const LEAVES: [&str; 22] = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "200",
        "12.5",
        "1e999",
        "-1e-999",
        "NaN",
        "-0",
        "18446744073709551616",
        "999999999999999999999999999999999999999999",
        "1E400",
        "\"\"",
        "\"hi\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\u{1f600}\"",
        "\"12\"",
        "[]",
        "{}",
    ];
    if depth == 0 || rng.random_bool(0.5) {
        return (*LEAVES.choose(rng).unwrap()).into();
    }
    let inner: Vec<String> = (0..rng.random_range(0..4)).map(|_| value(rng, depth - 1)).collect();
    if rng.random_bool(0.5) {
        return format!("[{}]", inner.join(","));
    }
    let pairs = inner.into_iter().map(|value| {
        let ends = ["status_code", "port", "nonce", "hotkey", "process_time", "ip", "a"];
        format!("\"{}\":{value}", ends.choose(rng).unwrap())
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}
