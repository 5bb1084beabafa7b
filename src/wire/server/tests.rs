use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sn1_actors::domain::{MinerReply, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};

use super::*;
use crate::wire::testkit::{self, StoppedClock, exchange};
use crate::wire::verify::signed_text;
use crate::wire::{HttpTransport, NonceBook, TransportOptions, Verifier, body_hash};

const UNIX: Duration = Duration::from_secs(1_795_000_000);

/// Starts an axon of //Alice whose wall clock stands at `unix`.
fn run(unix: Duration, handler: AxonHandler) -> RunningAxon {
    let options = AxonOptions { max_connections: 8, max_body: 4096 };
    let uuids = Arc::new(UuidSource::from_seed([2; 32]));
    AxonServer::bind("127.0.0.1:0".parse().unwrap())
        .unwrap()
        .run(Arc::new(testkit::alice()), StoppedClock::at(unix), uuids, options, handler)
        .unwrap()
}

/// Runs a test against such an axon, and stops it.
fn serve<T>(unix: Duration, handler: AxonHandler, test: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    actix_rt::System::new().block_on(async {
        let running = run(unix, handler);
        let (address, stopper) = (running.address(), running.stopper());
        let test = async {
            let outcome = test(address).await;
            stopper.stop().await;
            outcome
        };
        let (served, outcome) = tokio::join!(running.serve(), test);
        served.unwrap();
        outcome
    })
}

fn handler(
    answer: impl Fn(AxonCall) -> Result<String, AxonRefusal> + Send + Sync + 'static,
) -> AxonHandler {
    Arc::new(move |call| Box::pin(std::future::ready(answer(call))))
}

/// Verifies as an axon does, then says the last message back.
fn echo_at(unix: Duration) -> AxonHandler {
    let verifier = Verifier::new(testkit::alice().hotkey(), NonceBook::default());
    let verifier = Mutex::new(verifier);
    handler(move |call| {
        let verified = verifier.lock().unwrap().verify(&call.head, &call.body_hash, unix);
        verified.map_err(|error| AxonRefusal::not_verified(&error))?;
        Ok(call.query.messages.last().unwrap().clone())
    })
}

async fn ask(address: SocketAddr, message: &str, timeout: Duration) -> MinerReply {
    let options = TransportOptions { allow_local: true, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_seed([3; 32]));
    let clock = StoppedClock::at(UNIX);
    let transport = HttpTransport::new(Arc::new(testkit::bob()), clock, uuids, options);
    let target = AxonTarget { uid: Uid(0), hotkey: testkit::alice().hotkey(), address };
    transport.ask(target, Arc::new(Query::from_user(message)), timeout).await
}

const TEN: Duration = Duration::from_secs(10);

/// A signed request of //Bob; `edit` changes its text after signing.
fn request(path: &str, hash: &str, body: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    let bob = testkit::bob();
    let (own, theirs) = (bob.hotkey(), testkit::alice().hotkey());
    let nonce = UNIX.as_nanos() as u64;
    let text = signed_text(nonce, own.as_str(), theirs.as_str(), "u", hash);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         bt_header_dendrite_version: 10005000\r\nbt_header_dendrite_nonce: {nonce}\r\n\
         bt_header_dendrite_uuid: u\r\nbt_header_dendrite_hotkey: {own}\r\n\
         bt_header_dendrite_signature: {}\r\nbt_header_input_obj_roles: W10=\r\n\
         bt_header_input_obj_messages: W10=\r\ncomputed_body_hash: {hash}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        bob.sign_hex(&text),
        body.len()
    );
    edit(request).into_bytes()
}

const BODY: &str = r#"{"roles":["user"],"messages":["hi"]}"#;

fn prompting(body: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    request("/PromptingSynapse", &body_hash::of_messages(&["hi".into()]), body, edit)
}

fn assert_internal_error(reply: &(u16, String, Value)) {
    assert_eq!(reply.0, 500, "{}", reply.2);
    let message = reply.2["message"].as_str().unwrap();
    assert!(message.starts_with("Internal Server Error #"), "{message}");
    assert!(reply.1.contains("bt_header_axon_status_code: 500\r\n"), "{}", reply.1);
}

#[test]
fn answers_our_own_dendrite() {
    let text = "it's \"quoted\"\n\u{a0}\u{200b}\u{1f600}";
    let reply = serve(UNIX, echo_at(UNIX), async |address| ask(address, text, TEN).await);
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, text));
}

#[test]
fn tells_our_own_dendrite_each_refusal() {
    let unauthorised = AxonRefusal::not_verified(&VerifyError::MissingNonce);
    for (refusal, status, message) in [
        (
            AxonRefusal::blacklisted("Unrecognized hotkey"),
            403,
            "Forbidden. Key is blacklisted: Unrecognized hotkey.",
        ),
        (unauthorised, 401, "Not Verified with error: Missing Nonce"),
        (AxonRefusal::timed_out(TEN), 408, "Response timeout after: 10.0s"),
        (AxonRefusal::internal(), 500, "Internal Server Error #"),
        (AxonRefusal { status: 503, message: "full\r\né".into() }, 503, "full???"),
        (AxonRefusal { status: 200, message: "odd".into() }, 500, "odd"),
    ] {
        let refuse = handler(move |_| Err(refusal.clone()));
        let reply = serve(UNIX, refuse, async |address| ask(address, "hi", TEN).await);
        assert_eq!((reply.status.0, reply.completion.as_str()), (status, ""));
        assert!(reply.message.starts_with(message), "{}", reply.message);
    }
}

#[test]
fn signs_refusals_as_the_sdk_does() {
    let refuse = handler(|_| Err(AxonRefusal::blacklisted("no")));
    let reply = serve(UNIX, refuse, async |address| {
        exchange(address, &prompting(BODY, |request| request)).await
    });
    let header = |name: &str| {
        let line = reply.1.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", reply.1)).to_string()
    };
    let text = format!(
        "{}.{}.None.{}",
        header("bt_header_axon_nonce"),
        testkit::bob().hotkey(),
        header("bt_header_axon_uuid")
    );
    let signature = hex::decode(&header("bt_header_axon_signature")[2..]).unwrap();
    let signature = signature.try_into().unwrap();
    assert!(crate::wire::keys::verify(&testkit::alice().public(), &text, &signature));
}

#[test]
fn gives_up_on_a_handler_when_the_caller_has() {
    let never: AxonHandler = Arc::new(|_| Box::pin(std::future::pending()));
    let reply = serve(UNIX, never, async |address| {
        let hurry = |request: String| request.replace("host: x", "host: x\r\ntimeout: 1.0");
        exchange(address, &prompting(BODY, hurry)).await
    });
    assert_eq!(reply.0, 408);
    assert_eq!(reply.2["message"], "Response timeout after: 1.0s");
}

#[test]
fn answers_what_is_under_way_before_it_stops() {
    let (called, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let release = Arc::new(tokio::sync::Notify::new());
    let wait = Arc::clone(&release);
    let handler: AxonHandler = Arc::new(move |_| {
        called.send(()).unwrap();
        let wait = Arc::clone(&wait);
        Box::pin(async move {
            wait.notified().await;
            Ok("late".into())
        })
    });
    actix_rt::System::new().block_on(async {
        let running = run(UNIX, handler);
        let (address, stopper) = (running.address(), running.stopper());
        let raw = prompting(BODY, |request| request);
        let stop = async {
            seen.recv().await.unwrap();
            // Polled in this order: the handler is let go once the server was told to stop.
            tokio::join!(stopper.stop(), async { release.notify_one() });
        };
        let (served, reply, ()) = tokio::join!(running.serve(), exchange(address, &raw), stop);
        served.unwrap();
        assert_eq!((reply.0, &reply.2["completion"]), (200, &"late".into()));
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn answers_a_ping_and_refuses_a_forged_one() {
    let unused = handler(|_| unreachable!());
    let (good, forged) = serve(UNIX, unused, async |address| {
        let hash = body_hash::of_nothing();
        let ping = request("/Synapse", &hash, "{\"name\":\"Synapse\"}", |request| request);
        let forge = |request: String| request.replace("uuid: u\r", "uuid: v\r");
        let forged = request("/Synapse", &hash, "{}", forge);
        (exchange(address, &ping).await, exchange(address, &forged).await)
    });
    assert_eq!((good.0, &good.2["axon"]["status_code"]), (200, &200.into()));
    assert_eq!(forged.0, 401);
}

#[test]
fn refuses_requests_that_are_none() {
    let unused = handler(|_| unreachable!());
    serve(UNIX, unused, async |address| {
        let send = async |raw: Vec<u8>| exchange(address, &raw).await;
        let same = |request: String| request;
        let swap = |from: &'static str, to: &'static str| {
            move |request: String| {
                assert!(request.contains(from), "{from}");
                request.replacen(from, to, 1)
            }
        };

        let reply = send(prompting(BODY, swap("POST /PromptingSynapse", "POST /Other"))).await;
        let expected =
            "Synapse name 'Other' not found. Available synapses ['Synapse', 'PromptingSynapse']";
        assert_eq!((reply.0, reply.2["message"].as_str()), (404, Some(expected)));
        let reply = send(prompting(BODY, swap("/PromptingSynapse", "/PromptingSynapse/x"))).await;
        assert_eq!((reply.0, &reply.2["detail"]), (404, &"Not Found".into()));
        assert!(!reply.1.contains("bt_header"), "{}", reply.1);
        let reply = send(prompting(BODY, swap("POST", "PUT"))).await;
        assert_eq!((reply.0, &reply.2["detail"]), (405, &"Method Not Allowed".into()));

        let reply = send(prompting("{nope", same)).await;
        assert_eq!((reply.0, &reply.2["detail"][0]["type"]), (422, &"json_invalid".into()));
        let reply = send(prompting(&"x".repeat(5000), same)).await;
        assert_eq!((reply.0, &reply.2["detail"]), (413, &"Request Entity Too Large".into()));
        let body = format!("1388\r\n{}\r\n0\r\n\r\n", "x".repeat(5000));
        let length = format!("content-length: {}", body.len());
        let chunked = |request: String| request.replace(&length, "transfer-encoding: chunked");
        let reply = send(prompting(&body, chunked)).await;
        assert_eq!(reply.0, 413, "{}", reply.2);
        let big = format!("host: x\r\nfoo: {}", "y".repeat(70_000));
        let many = |request: String| request.replace("host: x", &big);
        let reply = send(prompting(BODY, many)).await;
        assert_eq!(reply.0, 431, "{}", reply.2);

        for body in [
            "",
            "[]",
            "[[\"user\"],[\"hi\"]]",
            r#"{"roles":["user"]}"#,
            r#"{"roles":["user"],"messages":"hi"}"#,
            r#"{"roles":["user"],"messages":[1]}"#,
            r#"{"roles":["user"],"messages":["hi"],"completion":null}"#,
            r#"{"roles":["user"],"messages":["other"]}"#,
            r#"{"roles":["user"],"messages":["other"],"required_hash_fields":[]}"#,
            r#"{"roles":["emperor"],"messages":["hi"]}"#,
            r#"{"roles":[],"messages":[]}"#,
        ] {
            assert_internal_error(&send(prompting(body, same)).await);
        }
        for (from, to) in [
            ("application/json", "text/plain"),
            ("bt_header_input_obj_roles", "x"),
            ("nonce: 1", "nonce: one"),
        ] {
            assert_internal_error(&send(prompting(BODY, swap(from, to))).await);
        }
    });
}

#[test]
fn answers_the_captured_requests_as_the_python_axon_did() {
    let Some(vectors) = testkit::vectors() else { return };
    let mut checked = 0;
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let crafted = name.strip_prefix("crafted_axon10.5.0_");
        let between_sdks = name.starts_with("axon10.5.0_dendrite") && name.ends_with("_ok");
        let expected = match crafted {
            // These were refused for an earlier request of the same uuid.
            Some("replay_same_bytes" | "smaller_nonce_same_uuid") => 200,
            // One role for three messages: not a query of ours.
            Some("unicode_quotes") => 500,
            None if !between_sdks => continue,
            _ => status_of(vector),
        };
        let nonce = testkit::header(&vector["request"], "bt_header_dendrite_nonce");
        let nonce = nonce.and_then(|nonce| nonce.parse().ok()).map_or(UNIX, Duration::from_nanos);
        // How old the request was when it came, where the reply tells.
        let age = match crafted {
            Some("old_nonce_15s_first_contact_timeout12_newversion") => 15_000,
            Some("old_nonce_17s_first_contact_timeout12_newversion") => 17_000,
            Some("monotonic_nonce_newversion") => 1_795_377_438_210,
            _ => 0,
        };
        let unix = nonce + Duration::from_millis(age);
        let raw = vector["request"]["raw_base64"].as_str().unwrap();
        let raw = BASE64_STANDARD.decode(raw).unwrap();
        let raw = close(&raw);
        let (status, head, body) =
            serve(unix, echo_at(unix), async |address| exchange(address, &raw).await);
        assert_eq!(status, expected, "{name}: {body}");
        // The SDK takes the missing hash for the word None and compares signatures.
        let own_words = crafted == Some("no_body_hash_header");
        if expected == status_of(vector) && !own_words {
            compare(name, vector, &head, &body);
        }
        checked += 1;
    }
    assert!(checked >= 28, "only {checked} vectors");
}

fn status_of(vector: &Value) -> u16 {
    vector["response"]["status_line"].as_str().unwrap()[9..12].parse().unwrap()
}

/// Asks the server to hang up, so that it need not wait for us when it stops.
fn close(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    if text.to_ascii_lowercase().contains("connection: close") {
        return raw.into();
    }
    text.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).into_bytes()
}

/// Our reply has the same keys, headers and texts, but for what no two replies share.
fn compare(name: &str, vector: &Value, head: &str, body: &Value) {
    let theirs = &vector["response"];
    let expected: Value = serde_json::from_str(theirs["body_text"].as_str().unwrap()).unwrap();
    let strip = |body: &Value| {
        let mut body = body.clone();
        if let Some(axon) = body.get_mut("axon") {
            axon["process_time"] = Value::Null;
        }
        if let Some(fault) = body.pointer_mut("/detail/0") {
            fault["loc"] = Value::Null;
            fault["ctx"] = Value::Null;
        }
        let text = body.to_string();
        match text.split_once("Internal Server Error #") {
            Some((before, _)) => before.to_string(),
            None => text,
        }
    };
    assert_eq!(strip(body), strip(&expected), "{name}");
    let ours = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let ours = ours.map(|(name, value)| (name.to_string(), value.to_string()));
    let pairs = theirs["headers"].as_array().unwrap().iter();
    let theirs = pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
    let theirs =
        theirs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()));
    assert_eq!(comparable(ours), comparable(theirs), "{name}");
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
            let value = value.split('#').next().unwrap().to_string();
            (name, if same { value } else { String::new() })
        })
        .collect();
    kept.sort();
    kept
}
