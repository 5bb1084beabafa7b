use std::sync::Mutex;

use serde_json::Value;
use sn1_actors::domain::{MinerReply, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport, Standing};
use std::future::{pending, ready};

use super::*;
use crate::wire::testkit::{self, StoppedClock, exchange};
use crate::wire::verify::signed_text;
use crate::wire::{HttpTransport, NonceBook, TransportOptions, Verifier, body_hash};

pub(super) const UNIX: Duration = Duration::from_secs(1_795_000_000);

/// Starts an axon of //Alice whose wall clock stands at `unix`.
fn run(unix: Duration, door: AxonDoor) -> RunningServer {
    let options = AxonOptions {
        max_connections: 8,
        max_connections_per_address: 4,
        max_quiet: Duration::from_secs(2),
        max_body: 4096,
    };
    let uuids = Arc::new(UuidSource::from_seed([2; 32]));
    AxonServer::bind("127.0.0.1:0".parse().unwrap())
        .unwrap()
        .run(Arc::new(testkit::alice()), StoppedClock::at(unix), uuids, options, door)
        .unwrap()
}

/// Runs a test against such an axon, and stops it.
pub(super) fn serve<T>(
    unix: Duration,
    door: AxonDoor,
    test: impl AsyncFnOnce(SocketAddr) -> T,
) -> T {
    actix_rt::System::new().block_on(async {
        let running = run(unix, door);
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

/// Lets everyone in, and answers.
pub(super) fn answering(
    answer: impl Fn(Query) -> Result<String, Refusal> + Send + Sync + 'static,
) -> AxonDoor {
    let answer = Arc::new(answer);
    Arc::new(move |_| {
        let answer = Arc::clone(&answer);
        Box::pin(async move { Ok(seat(move |query| ready(answer(query)))) })
    })
}

/// A seat whose answers come in one piece.
pub(super) fn seat<F>(answer: impl FnOnce(Query) -> F + Send + 'static) -> Seat
where
    F: Future<Output = Result<String, Refusal>> + Send + 'static,
{
    Box::new(move |query, _| Box::pin(answer(query)))
}

/// Lets nobody in.
pub(super) fn refusing(refusal: Refusal) -> AxonDoor {
    Arc::new(move |_| Box::pin(ready(Err(refusal.clone()))))
}

/// Verifies as the axon of //Alice does when its wall clock stands at `unix`.
pub(super) fn verifier_at(unix: Duration) -> impl Fn(&SignedHead) -> Result<(), Refusal> {
    let book = NonceBook::new(unix.saturating_sub(Duration::from_secs(60)), true);
    let verifier = Mutex::new(Verifier::new(testkit::alice().hotkey(), book, None));
    move |head| {
        let verified = verifier.lock().unwrap().verify(head, Standing::Registered, unix);
        verified.map(|_| ()).map_err(|error| Refusal::not_verified(&error.to_string()))
    }
}

/// Verifies as an axon does, then says the last message back.
pub(super) fn echo_at(unix: Duration) -> AxonDoor {
    let verify = verifier_at(unix);
    Arc::new(move |knock| {
        let echo = |query: Query| ready(Ok(query.messages.last().unwrap().clone()));
        Box::pin(ready(verify(&knock.head).map(|()| seat(echo))))
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
pub(super) fn request(
    path: &str,
    hash: &str,
    body: &str,
    edit: impl Fn(String) -> String,
) -> Vec<u8> {
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

pub(super) const BODY: &str = r#"{"roles":["user"],"messages":["hi"]}"#;

pub(super) fn prompting(body: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
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
    let unauthorised = Refusal::not_verified("Missing Nonce");
    for (refusal, status, message) in [
        (
            Refusal::blacklisted("Unrecognized hotkey"),
            403,
            "Forbidden. Key is blacklisted: Unrecognized hotkey.",
        ),
        (unauthorised, 401, "Not Verified with error: Missing Nonce"),
        (Refusal::timed_out(TEN), 408, "Response timeout after: 10.0s"),
        (Refusal::internal("a secret"), 500, "Internal Server Error #"),
        (Refusal::new(503, "full\r\né"), 503, "full???"),
        (Refusal::new(200, "odd"), 500, "odd"),
    ] {
        let late = refusal.clone();
        for door in [refusing(refusal), answering(move |_| Err(late.clone()))] {
            let reply = serve(UNIX, door, async |address| ask(address, "hi", TEN).await);
            assert_eq!((reply.status.0, reply.completion.as_str()), (status, ""));
            assert!(reply.message.starts_with(message), "{}", reply.message);
        }
    }
}

#[test]
fn signs_refusals_as_the_sdk_does() {
    let shut = refusing(Refusal::blacklisted("no"));
    let reply = serve(UNIX, shut, async |address| {
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
    let never: AxonDoor = Arc::new(|_| Box::pin(ready(Ok(seat(|_| pending())))));
    let shut: AxonDoor = Arc::new(|_| Box::pin(pending()));
    for door in [never, shut] {
        let reply = serve(UNIX, door, async |address| {
            let hurry = |request: String| request.replace("host: x", "host: x\r\ntimeout: 1.0");
            exchange(address, &prompting(BODY, hurry)).await
        });
        assert_eq!(reply.0, 408);
        assert_eq!(reply.2["message"], "Response timeout after: 1.0s");
    }
}

#[test]
fn answers_what_is_under_way_before_it_stops() {
    let (called, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let release = Arc::new(tokio::sync::Notify::new());
    let wait = Arc::clone(&release);
    let door: AxonDoor = Arc::new(move |_| {
        let (called, wait) = (called.clone(), Arc::clone(&wait));
        Box::pin(ready(Ok(seat(async move |_| {
            called.send(()).unwrap();
            wait.notified().await;
            Ok("late".into())
        }))))
    });
    actix_rt::System::new().block_on(async {
        let running = run(UNIX, door);
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
    let (good, forged) = serve(UNIX, echo_at(UNIX), async |address| {
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
    serve(UNIX, answering(|_| unreachable!()), async |address| {
        let send = async |raw: Vec<u8>| exchange(address, &raw).await;
        let same = |request: String| request;
        let swap = |from: &'static str, to: &'static str| {
            move |request: String| {
                assert!(request.contains(from), "{from}");
                request.replacen(from, to, 1)
            }
        };

        let reply = send(prompting(BODY, swap("POST /PromptingSynapse", "POST /Other"))).await;
        let expected = "Synapse name 'Other' not found. Available synapses ['Synapse', 'PromptingSynapse', \
             'StreamPromptingSynapse']";
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
        for size in [8_000, 70_000] {
            let big = format!("host: x\r\nfoo: {}", "y".repeat(size));
            let many = |request: String| request.replace("host: x", &big);
            let reply = send(prompting(BODY, many)).await;
            assert_eq!(reply.0, 431, "{}", reply.2);
        }
        let zipped = swap("host: x", "host: x\r\ncontent-encoding: gzip");
        let reply = send(prompting(BODY, zipped)).await;
        assert_eq!((reply.0, &reply.2["detail"]), (415, &"Unsupported Media Type".into()));

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
