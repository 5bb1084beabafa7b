//! Requests that somebody made up to break something.

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::testkit::*;

/// A request with a bit of everything.
fn full() -> Value {
    json!({
        "model": "sn1", "stream": true, "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Say é 漢 🦀"}]},
            {"role": "assistant", "content": "é"},
            {"role": "user", "content": "And \"again\"\n\u{0}?"},
        ],
        "stop": ["a", "é"], "max_tokens": 7, "max_completion_tokens": null, "n": 1,
        "temperature": 0.5, "seed": 3, "tools": [], "response_format": {"type": "text"},
    })
}

/// Values that programs stumble over.
fn odd(rng: &mut ChaCha8Rng) -> Value {
    let all = [
        json!(null),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(1e308),
        json!(true),
        json!(""),
        json!("\u{0}\u{202e}\u{feff}"),
        json!("é".repeat(300)),
        json!([]),
        json!({}),
        json!([[[[[]]]]]),
        json!({"role": {"role": "user"}}),
        json!(["", null, 3]),
    ];
    all.choose(rng).unwrap().clone()
}

/// Puts something odd somewhere, a level deeper most of the time.
fn disturb(value: &mut Value, rng: &mut ChaCha8Rng) {
    let deeper = rng.random_bool(0.8);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = rng.random_range(0..fields.len());
            let name = fields.keys().nth(at).unwrap().clone();
            if rng.random_bool(0.1) {
                fields.remove(&name);
            } else {
                disturb(&mut fields[&name], rng);
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = rng.random_range(0..items.len());
            disturb(&mut items[at], rng);
        }
        other => *other = odd(rng),
    }
}

/// Changes a few bytes.
fn corrupt(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => bytes[at] = rng.random(),
            1 => bytes.insert(at, *b"{}[]\",:\\\0\xff".choose(rng).unwrap()),
            2 => bytes.truncate(at.max(1)),
            _ => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece);
            }
        }
    }
    bytes
}

#[test]
fn no_body_breaks_the_gateway() {
    let door = FakeDoor::saying(Ok("é 漢 🦀 and so on, and so on, and a".into()));
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    serve(parts(&door), options(), async |caller| {
        let mut seen = std::collections::BTreeMap::new();
        for round in 0..500 {
            let mut body = full();
            if round % 2 == 0 {
                disturb(&mut body, &mut rng);
            }
            let mut bytes = body.to_string().into_bytes();
            if round % 2 == 1 {
                bytes = corrupt(bytes, &mut rng);
            }
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            let request = caller.request(Method::POST, CHAT).body(bytes);
            let reply = Replied::read(request.header("content-type", "application/json")).await;
            *seen.entry(reply.status).or_insert(0) += 1;
            match reply.status {
                200 => assert!(reply.text.contains("chat.completion"), "{shown}"),
                400 | 404 | 413 => drop(reply.error()),
                other => panic!("{other}: {shown}"),
            }
        }
        assert!(seen[&200] > 20 && seen[&400] > 100, "both sides are tried: {seen:?}");
        assert_eq!(caller.ask(&question()).await.status, 200);
    });
}

#[test]
fn no_head_breaks_the_gateway() {
    let door = FakeDoor::saying(Ok("fine".into()));
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let body = question().to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\norigin: http://a\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    serve(parts(&door), options(), async |caller| {
        for _ in 0..200 {
            let mut bytes = corrupt(head.clone().into_bytes(), &mut rng);
            bytes.extend(body.as_bytes());
            let mut stream = TcpStream::connect(caller.address).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let mut reply = Vec::new();
            let _ = stream.read_to_end(&mut reply).await;
            let status = reply.get(9..10).unwrap_or(b"-");
            assert_ne!(status, b"5", "{}", String::from_utf8_lossy(&bytes));
        }
        assert_eq!(caller.ask(&question()).await.status, 200);
    });
}
