use std::future::Future;
use std::net::SocketAddr;

use sn1_actors::domain::{StatusCode, Uid};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::wire::testkit::{self, StoppedClock};

mod hostile;
mod pooling;
mod streaming;

const TEN: Duration = Duration::from_secs(10);
const UNIX: Duration = Duration::from_secs(1_795_000_000);
const GOOD: &str = r#"{"roles": ["user"], "messages": ["x"], "completion": "ok"}"#;

fn transport(options: TransportOptions) -> HttpTransport {
    transport_at(StoppedClock::at(UNIX), options)
}

fn transport_at(clock: Arc<dyn Clock>, options: TransportOptions) -> HttpTransport {
    let uuids = Arc::new(UuidSource::from_seed([1; 32]));
    HttpTransport::new(Arc::new(testkit::bob()), clock, uuids, options)
}

const LOCAL: TransportOptions =
    TransportOptions { allow_local: true, max_body: 4096, own_ip: None, streaming: false };

fn local() -> HttpTransport {
    transport(LOCAL)
}

fn target(address: SocketAddr) -> AxonTarget {
    AxonTarget { uid: Uid(0), hotkey: testkit::alice().hotkey(), address }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Asks a server that reads the request and then writes these bytes and hangs up.
async fn ask_one_that_says(bytes: &[u8]) -> (MinerReply, Vec<u8>) {
    ask_by(&local(), bytes).await
}

async fn ask_by(transport: &HttpTransport, bytes: &[u8]) -> (MinerReply, Vec<u8>) {
    let (listener, address) = listen().await;
    let ask = transport.ask(target(address), question(), TEN);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = testkit::read_message(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        request
    };
    tokio::join!(ask, serve)
}

fn question() -> Arc<Query> {
    Arc::new(Query::from_user("x"))
}

fn http(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    http("200 OK\r\ncontent-type: application/json\r\nbt_header_axon_status_code: 200", body)
}

#[test]
fn reads_the_completion_of_a_good_reply() {
    let (reply, request) = block_on(ask_one_that_says(&ok(GOOD)));
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, "ok"));
    let request = String::from_utf8(request).unwrap();
    assert!(request.starts_with("POST /PromptingSynapse HTTP/1.1\r\n"), "{request}");
    for line in [
        "name: PromptingSynapse",
        "timeout: 10.0",
        "bt_header_axon_ip: 127.0.0.1",
        "bt_header_dendrite_version: 10005000",
        "bt_header_dendrite_nonce: 1795000000000000000",
        "bt_header_input_obj_roles: W10=",
        "bt_header_input_obj_messages: W10=",
        "content-type: application/json",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} is not in {request}");
    }
}

#[test]
fn reports_broken_servers_as_the_python_dendrite_did() {
    let Some(file) = testkit::reference_json("vectors/dendrite_failures_10.5.0.json") else {
        return;
    };
    let mut checked = 0;
    for (name, case) in file["cases"].as_object().unwrap() {
        let Some(bytes) = case["server_bytes"].as_str() else { continue };
        let mut bytes = bytes.to_owned();
        if name == "huge_status_message_9000" {
            // The file holds the beginning of the reply.
            bytes += &"m".repeat(9000);
            bytes += "\r\n\r\n";
        }
        let (reply, _) = block_on(ask_one_that_says(bytes.as_bytes()));
        // The SDK has a status of None where nothing was said; ours cannot be absent.
        let expected = case["status_code"].as_u64().unwrap_or(422);
        assert_eq!(u64::from(reply.status.0), expected, "{name}: {}", reply.message);
        let completion = if expected == 200 { case["completion"].as_str().unwrap() } else { "" };
        assert_eq!(reply.completion, completion, "{name}");
        // The words behind the kind of failure are those of Python's libraries.
        if let Some(message) = case["status_message"].as_str().filter(|_| expected != 200) {
            let kind = message.split_inclusive(": ").next().unwrap();
            assert!(reply.message.starts_with(kind), "{name}: {} is not {kind}", reply.message);
        }
        checked += 1;
    }
    assert_eq!(checked, 26);
}

#[test]
fn reports_overlong_heads_and_bodies() {
    let message = "m".repeat(9000);
    let long_header = format!(
        "200 OK\r\ncontent-type: application/json\r\nbt_header_axon_status_message: {message}"
    );
    let (reply, _) = block_on(ask_one_that_says(&http(&long_header, GOOD)));
    assert_eq!(reply.status, StatusCode(400), "{}", reply.message);
    let (reply, _) = block_on(ask_one_that_says(&ok(&"x".repeat(5000))));
    assert_eq!(reply.status, StatusCode::MALFORMED, "{}", reply.message);
    assert!(reply.message.contains("longer than 4096 bytes"), "{}", reply.message);
    let endless =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_string() + &"x".repeat(5000);
    let (reply, _) = block_on(ask_one_that_says(endless.as_bytes()));
    assert!(reply.message.contains("longer than 4096 bytes"), "{}", reply.message);
}

#[test]
fn reports_a_dead_port_as_unavailable() {
    let (reply, address) = block_on(async {
        let (listener, address) = listen().await;
        drop(listener);
        (local().ask(target(address), question(), TEN).await, address)
    });
    assert_eq!(reply.status, StatusCode::UNAVAILABLE);
    assert_eq!(reply.message, format!("Service unavailable at {address}/PromptingSynapse"));
}

#[test]
fn gives_up_at_the_deadline_when_the_server_stalls() {
    let timeout = Duration::from_millis(200);
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"] {
        let reply = block_on(async {
            let (listener, address) = listen().await;
            let transport = local();
            let stall = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                testkit::read_message(&mut stream).await;
                stream.write_all(said.as_bytes()).await.unwrap();
                std::future::pending::<()>().await;
            };
            let ask = transport.ask(target(address), Arc::new(Query::from_user("x")), timeout);
            tokio::select! {
                reply = ask => reply,
                () = stall => unreachable!(),
            }
        });
        assert_eq!(reply.status, StatusCode::TIMEOUT);
        assert_eq!(reply.message, "Request timeout after 0.2 seconds");
        assert!(reply.elapsed >= timeout);
    }
}

#[test]
fn connects_to_no_local_address_unless_told_to() {
    let (reply, connected) = block_on(async {
        let (listener, address) = listen().await;
        let transport = transport(TransportOptions::default());
        let reply = transport.ask(target(address), question(), TEN).await;
        let accept = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        (reply, accept.is_ok())
    });
    assert_eq!(reply.status, StatusCode::UNAVAILABLE);
    assert!(reply.message.contains("no public address"), "{}", reply.message);
    assert!(!connected);
}

#[test]
fn never_connects_to_its_own_address() {
    let own = "1.1.1.1".parse().unwrap();
    let transport = transport(TransportOptions { own_ip: Some(own), ..Default::default() });
    for spelling in ["1.1.1.1:8091", "[::ffff:1.1.1.1]:8091"] {
        let target = target(spelling.parse().unwrap());
        // Without time to connect: it is known before.
        let reply = block_on(transport.ask(target, question(), Duration::ZERO));
        assert!(reply.message.starts_with("Not asked"), "{spelling}: {}", reply.message);
    }
}

#[test]
fn takes_no_packed_body_and_follows_no_redirection() {
    let packed = "200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
                  bt_header_axon_status_code: 200";
    let (reply, _) = block_on(ask_one_that_says(&http(packed, GOOD)));
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::MALFORMED, ""));
    assert!(reply.message.contains("content encoding"), "{}", reply.message);
    let elsewhere = "307 Temporary Redirect\r\ncontent-type: application/json\r\n\
                     bt_header_axon_status_code: 200\r\nlocation: /PromptingSynapse";
    let (reply, _) = block_on(ask_one_that_says(&http(elsewhere, GOOD)));
    assert_eq!(reply.status, StatusCode::MALFORMED, "{}", reply.message);
}
