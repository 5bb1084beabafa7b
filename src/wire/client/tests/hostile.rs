//! Servers that want to hold up the step or fill the memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::*;

/// How many of each kind are asked at once.
const EACH: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(3);
const MAX_BODY: usize = 64 << 10;

/// What a server does once it has read the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trick {
    Honest,
    Silence,
    HangUp,
    Reset,
    Garbage,
    SlowHead,
    SlowBody,
    LongLength,
    EndlessBody,
    EndlessChunks,
    TinyChunks,
    FalseChunks,
    EndlessLines,
    EndlessLine,
    InterimHeads,
    Packed,
    Redirect,
}

const TRICKS: [(Trick, u16, &str); 17] = [
    (Trick::Honest, 200, "Success"),
    (Trick::Silence, 408, "Request timeout after 3.0 seconds"),
    (Trick::HangUp, 503, "Service disconnected"),
    (Trick::Reset, 503, "Service disconnected"),
    (Trick::Garbage, 400, "Client response error"),
    (Trick::SlowHead, 408, "Request timeout"),
    (Trick::SlowBody, 408, "Request timeout"),
    (Trick::LongLength, 422, "Failed to parse response: the body is longer"),
    (Trick::EndlessBody, 422, "Failed to parse response: the body is longer"),
    (Trick::EndlessChunks, 422, "Failed to parse response: the body is longer"),
    (Trick::TinyChunks, 422, "Failed to parse response: the body is longer"),
    (Trick::FalseChunks, 400, "Payload error"),
    (Trick::EndlessLines, 400, "Client response error"),
    (Trick::EndlessLine, 400, "Client response error"),
    (Trick::InterimHeads, 400, "Client response error: 400, message=the reply does not end"),
    (Trick::Packed, 422, "Failed to parse response: unexpected content encoding"),
    (Trick::Redirect, 422, "Failed to parse response: a redirection"),
];

const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                    bt_header_axon_status_code: 200\r\n";

/// Plays the trick; gives the bytes that were sent, when the dendrite hangs up at the latest.
async fn play(trick: Trick, mut stream: TcpStream) -> u64 {
    testkit::read_message(&mut stream).await;
    let (head, rest, pause) = match trick {
        Trick::Honest => (ok(GOOD), "", None),
        Trick::Silence => (Vec::new(), "", Some(TIMEOUT * 2)),
        Trick::HangUp => (Vec::new(), "", None),
        Trick::Reset => {
            stream.set_zero_linger().unwrap();
            (Vec::new(), "", None)
        }
        Trick::Garbage => (b"\x16\x03\x01\x00\xa5 no HTTP\r\n\r\n".to_vec(), "", None),
        Trick::SlowHead => (b"HTTP/1.1 200 OK\r\na: ".to_vec(), "x", Some(LITTLE)),
        Trick::SlowBody => (head_with("content-length: 1000"), "x", Some(LITTLE)),
        Trick::LongLength => (head_with("content-length: 10000000000"), BULK, None),
        Trick::EndlessBody => (head_with("connection: close"), BULK, None),
        Trick::EndlessChunks => (head_with("transfer-encoding: chunked"), CHUNK, None),
        Trick::TinyChunks => (head_with("transfer-encoding: chunked"), "1\r\nx\r\n", None),
        Trick::FalseChunks => {
            let head = head_with("transfer-encoding: chunked");
            ([&head[..], b"fffffffffffffffffffff\r\nx"].concat(), "", None)
        }
        Trick::EndlessLines => (b"HTTP/1.1 200 OK\r\n".to_vec(), "a: b\r\n", None),
        Trick::EndlessLine => (b"HTTP/1.1 200 OK\r\na: ".to_vec(), BULK, None),
        Trick::InterimHeads => (Vec::new(), "HTTP/1.1 100 Continue\r\n\r\n", None),
        Trick::Packed => (head_with("content-encoding: gzip"), BULK, None),
        Trick::Redirect => {
            let head = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /PromptingSynapse\r\n\
                        content-length: 0\r\n\r\n";
            (head.as_bytes().to_vec(), "", None)
        }
    };
    let mut sent = head.len() as u64;
    let _ = stream.write_all(&head).await;
    // Small parts are sent many at a time, or the test would be about system calls.
    let many = if pause.is_some() { 1 } else { 4096 / rest.len().max(1) + 1 };
    let rest = rest.repeat(many);
    loop {
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None if rest.is_empty() => return sent,
            None => {}
        }
        if rest.is_empty() || stream.write_all(rest.as_bytes()).await.is_err() {
            return sent;
        }
        sent += rest.len() as u64;
    }
}

const LITTLE: Duration = Duration::from_millis(100);
const BULK: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const CHUNK: &str = "10\r\nxxxxxxxxxxxxxxxx\r\n";

fn head_with(line: &str) -> Vec<u8> {
    format!("{JSON}{line}\r\n\r\n").into_bytes()
}

/// Serves one trick to so many; notes what each was sent.
async fn serve(trick: Trick, listener: TcpListener, sent: Arc<Mutex<BTreeMap<Trick, u64>>>) {
    let mut connections = JoinSet::new();
    for _ in 0..EACH {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(play(trick, stream));
    }
    while let Some(bytes) = connections.join_next().await {
        let mut sent = sent.lock().unwrap();
        let most = sent.entry(trick).or_default();
        *most = bytes.unwrap().max(*most);
    }
}

#[test]
fn bears_hundreds_of_hostile_servers_at_once() {
    let sent = Arc::new(Mutex::new(BTreeMap::new()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (replies, wall) = runtime.block_on(async {
        let mut servers = JoinSet::new();
        let mut asks = JoinSet::new();
        let options =
            TransportOptions { allow_local: true, max_body: MAX_BODY, ..Default::default() };
        let transport = transport(options);
        for (trick, ..) in TRICKS {
            let socket = TcpSocket::new_v4().unwrap();
            // What was sent says what was read only if little of it can be under way.
            socket.set_send_buffer_size(32 << 10).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let listener = socket.listen(64).unwrap();
            let address = listener.local_addr().unwrap();
            servers.spawn(serve(trick, listener, Arc::clone(&sent)));
            for _ in 0..EACH {
                let ask = transport.ask(target(address), question(), TIMEOUT);
                asks.spawn(async move { (trick, ask.await) });
            }
        }
        let clock = StoppedClock::at(UNIX);
        let began = clock.now();
        let replies = asks.join_all().await;
        let wall = clock.now().since(began);
        servers.join_all().await;
        (replies, wall)
    });
    assert_eq!(replies.len(), TRICKS.len() * EACH);
    assert!(wall < 2 * TIMEOUT, "{wall:?}");
    for (trick, reply) in &replies {
        let (_, status, message) = TRICKS.iter().find(|(kind, ..)| kind == trick).unwrap();
        assert_eq!(reply.status.0, *status, "{trick:?}: {}", reply.message);
        assert!(reply.message.starts_with(message), "{trick:?}: {}", reply.message);
        assert_eq!(reply.completion.is_empty(), *trick != Trick::Honest, "{trick:?}");
    }
    // The bound on what is read, and what the sockets of both sides hold besides.
    let bound = (connection_bound() + (1 << 20)) as u64;
    for (trick, bytes) in sent.lock().unwrap().iter() {
        println!("{trick:?}: at most {bytes} bytes were sent");
        assert!(*bytes < bound, "{trick:?}: {bytes} bytes were taken");
    }
}

/// The most that is read of one reply.
fn connection_bound() -> usize {
    4 * MAX_BODY + (32 << 10)
}
