//! What is asked over which connection.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use futures_util::future::join_all;
use sn1_actors::domain::Moment;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::*;

/// Asks the axon behind `listener`, which accepts a connection and writes `bytes` on it.
async fn ask_anew(
    transport: &HttpTransport,
    listener: &TcpListener,
    bytes: &[u8],
) -> (MinerReply, TcpStream, String) {
    let address = listener.local_addr().unwrap();
    let serve = async {
        let accepted = tokio::time::timeout(TEN, listener.accept()).await;
        let mut stream = accepted.expect("asked over an old connection").unwrap().0;
        let request = answer(&mut stream, bytes).await;
        (stream, request)
    };
    let ask = transport.ask(target(address), question(), TEN);
    let (reply, (stream, request)) = tokio::join!(ask, serve);
    (reply, stream, request)
}

/// Asks the axon at the other end of `stream`, which writes `bytes` on it.
async fn ask_again(
    transport: &HttpTransport,
    stream: &mut TcpStream,
    bytes: &[u8],
) -> (MinerReply, String) {
    let address = stream.local_addr().unwrap();
    tokio::join!(transport.ask(target(address), question(), TEN), answer(stream, bytes))
}

/// Reads a request and answers it; gives the request, which is empty if the dendrite hung up.
async fn answer(stream: &mut TcpStream, bytes: &[u8]) -> String {
    let request = tokio::time::timeout(TEN, testkit::read_message(stream)).await;
    let request = request.expect("not asked over this connection");
    stream.write_all(bytes).await.unwrap();
    String::from_utf8(request).unwrap()
}

/// Whether the dendrite has closed this connection; of a reset one that is true too.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
    read.is_ok_and(|byte| byte.is_err())
}

async fn nobody_connects(listener: &TcpListener) -> bool {
    tokio::time::timeout(Duration::from_millis(100), listener.accept()).await.is_err()
}

fn said<'a>(request: &'a str, name: &str) -> &'a str {
    let (_, rest) = request.split_once(&format!("\r\n{name}: ")).unwrap();
    rest.split_once("\r\n").unwrap().0
}

fn saying(completion: &str) -> Vec<u8> {
    ok(&GOOD.replace("\"ok\"", &format!("{completion:?}")))
}

/// Stands still until it is told the time.
struct ToldClock(Mutex<Moment>);

impl Clock for ToldClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }

    fn unix(&self) -> Duration {
        UNIX
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("the dendrite waits for sockets only")
    }
}

#[test]
fn asks_twice_over_one_connection_until_it_was_idle_for_four_seconds() {
    block_on(async {
        let (listener, _) = listen().await;
        let clock = Arc::new(ToldClock(Mutex::default()));
        let transport = transport_at(Arc::<ToldClock>::clone(&clock), LOCAL);
        let (reply, mut stream, first) = ask_anew(&transport, &listener, &saying("one")).await;
        assert_eq!(reply.completion, "one");
        for second in 1..4 {
            // Idle, not old: each request lets it wait for another four seconds.
            *clock.0.lock().unwrap() = Moment(Duration::from_millis(3_999 * second));
            let (reply, again) = ask_again(&transport, &mut stream, &saying("two")).await;
            assert_eq!(reply.completion, "two");
            assert_ne!(
                said(&again, "bt_header_dendrite_uuid"),
                said(&first, "bt_header_dendrite_uuid")
            );
        }
        *clock.0.lock().unwrap() = Moment(Duration::from_millis(3 * 3_999 + 4_000));
        let (reply, ..) = ask_anew(&transport, &listener, &saying("three")).await;
        assert_eq!(reply.completion, "three");
        assert!(is_closed(&mut stream).await);
    });
}

#[test]
fn an_axon_that_hangs_up_after_each_answer_costs_no_failure() {
    block_on(async {
        let (listener, _) = listen().await;
        let transport = local();
        let mut nonces = Vec::new();
        for _ in 0..3 {
            let (reply, stream, request) = ask_anew(&transport, &listener, &ok(GOOD)).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.message);
            nonces.push(said(&request, "bt_header_dendrite_nonce").to_owned());
            drop(stream);
        }
        assert!(nonces.is_sorted_by(|one, next| one < next), "{nonces:?}");
    });
}

/// Asks an axon that takes a request over a kept connection and hangs up, and then says `bytes`
/// over a new one; gives the reply and both requests.
async fn ask_one_that_hangs_up(
    transport: &HttpTransport,
    listener: &TcpListener,
    bytes: &[u8],
) -> (MinerReply, [String; 2]) {
    let (_, mut kept, _) = ask_anew(transport, listener, &ok(GOOD)).await;
    let address = listener.local_addr().unwrap();
    let serve = async {
        let first = answer(&mut kept, b"").await;
        drop(kept);
        let mut stream = listener.accept().await.unwrap().0;
        [first, answer(&mut stream, bytes).await]
    };
    tokio::join!(transport.ask(target(address), question(), TEN), serve)
}

#[test]
fn sends_a_request_anew_if_the_axon_hangs_up_on_a_kept_connection() {
    block_on(async {
        let (listener, _) = listen().await;
        let transport = local();
        let (reply, requests) =
            ask_one_that_hangs_up(&transport, &listener, &saying("after all")).await;
        assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, "after all"));
        for name in ["nonce", "uuid", "signature"].map(|name| format!("bt_header_dendrite_{name}"))
        {
            let [first, second] = requests.each_ref().map(|request| said(request, &name));
            assert_ne!(first, second, "{name}");
        }
        // And only once: what hangs up then too has failed.
        let (reply, _) = ask_one_that_hangs_up(&transport, &listener, b"").await;
        assert_eq!(reply.status, StatusCode::UNAVAILABLE);
        assert!(reply.message.starts_with("Service disconnected"), "{}", reply.message);
        assert!(nobody_connects(&listener).await);
    });
}

#[test]
fn never_sends_a_request_twice_that_was_sent_over_a_new_connection() {
    block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        let serve = async {
            let mut stream = listener.accept().await.unwrap().0;
            answer(&mut stream, b"").await
        };
        let (reply, _) = tokio::join!(transport.ask(target(address), question(), TEN), serve);
        assert_eq!(reply.status, StatusCode::UNAVAILABLE);
        assert!(nobody_connects(&listener).await);
    });
}

#[test]
fn sends_nothing_anew_once_a_reply_has_begun() {
    block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        for begun in ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
            let (_, mut kept, _) = ask_anew(&transport, &listener, &ok(GOOD)).await;
            let serve = async {
                answer(&mut kept, begun.as_bytes()).await;
                drop(kept);
            };
            let ask = transport.ask(target(address), question(), TEN);
            let (reply, ()) = tokio::join!(ask, serve);
            assert_ne!(reply.status, StatusCode::OK, "{begun}");
            assert!(nobody_connects(&listener).await, "{begun}");
        }
    });
}

#[test]
fn a_reply_that_nobody_asked_for_is_taken_for_none() {
    block_on(async {
        let (listener, _) = listen().await;
        let transport = local();
        // Right behind the first reply, and later.
        let both = [saying("one"), saying("surplus")].concat();
        let (reply, mut early, _) = ask_anew(&transport, &listener, &both).await;
        assert_eq!(reply.completion, "one");
        let (reply, mut late, _) = ask_anew(&transport, &listener, &saying("two")).await;
        assert_eq!(reply.completion, "two");
        late.write_all(&saying("surplus")).await.unwrap();
        let (reply, ..) = ask_anew(&transport, &listener, &saying("three")).await;
        assert_eq!(reply.completion, "three");
        assert!(is_closed(&mut early).await && is_closed(&mut late).await);
    });
}

#[test]
fn keeps_a_connection_only_if_the_axon_promised_to_and_the_reply_was_good() {
    let json = "content-type: application/json\r\nbt_header_axon_status_code: 200";
    let with = |head: &str| http(&format!("200 OK\r\n{json}\r\n{head}"), GOOD);
    let old = String::from_utf8(with("connection: keep-alive")).unwrap();
    let not_kept = [
        with("connection: close"),
        old.replace("HTTP/1.1", "HTTP/1.0").into_bytes(),
        with("content-encoding: gzip"),
        ok(&"x".repeat(5000)),
        ok("{}"),
        http("403 Forbidden\r\ncontent-type: application/json", r#"{"message": "no"}"#),
        http("200 OK\r\ncontent-type: text/plain\r\nbt_header_axon_status_code: 200", "x"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
    ];
    block_on(async {
        let (listener, _) = listen().await;
        let transport = local();
        for (kept, bytes) in std::iter::once((true, ok(GOOD))).chain(not_kept.map(|b| (false, b))) {
            let (_, mut stream, _) = ask_anew(&transport, &listener, &bytes).await;
            assert_eq!(is_closed(&mut stream).await, !kept, "{}", String::from_utf8_lossy(&bytes));
        }
    });
}

#[test]
fn a_reply_that_comes_after_its_deadline_is_no_answer_to_the_next_request() {
    block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        let timeout = Duration::from_millis(50);
        let (late, mut stream) =
            tokio::join!(transport.ask(target(address), question(), timeout), async {
                listener.accept().await.unwrap().0
            });
        assert_eq!(late.status, StatusCode::TIMEOUT);
        answer(&mut stream, &saying("late")).await;
        let (reply, ..) = ask_anew(&transport, &listener, &saying("in time")).await;
        assert_eq!(reply.completion, "in time");
    });
}

#[test]
fn asks_over_the_connection_of_a_stream_once_that_has_ended() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                   transfer-encoding: chunked\r\nbt_header_axon_status_code: 200\r\n\r\n\
                   3\r\none\r\n0\r\n\r\n";
    block_on(async {
        let (listener, _) = listen().await;
        let transport = transport(TransportOptions { streaming: true, ..LOCAL });
        let (reply, mut stream, _) = ask_anew(&transport, &listener, chunked.as_bytes()).await;
        assert_eq!(reply.completion, "one");
        let (reply, _) = ask_again(&transport, &mut stream, chunked.as_bytes()).await;
        assert_eq!(reply.completion, "one");
        let cut = chunked.replace("0\r\n\r\n", "zz\r\n");
        let (reply, _) = ask_again(&transport, &mut stream, cut.as_bytes()).await;
        assert_eq!(reply.status, StatusCode(400), "{}", reply.message);
        assert!(is_closed(&mut stream).await);
    });
}

#[test]
fn bounds_what_is_read_for_each_request_anew() {
    block_on(async {
        let (listener, _) = listen().await;
        let transport = local();
        let long = saying(&"x".repeat(3500));
        let (_, mut stream, _) = ask_anew(&transport, &listener, &long).await;
        // More in all than may be read for one request.
        for _ in 0..20 {
            let (reply, _) = ask_again(&transport, &mut stream, &long).await;
            assert_eq!(reply.completion.len(), 3500, "{}", reply.message);
        }
        let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(4096);
        let (reply, _) = ask_again(&transport, &mut stream, endless.as_bytes()).await;
        assert!(reply.message.ends_with("the reply does not end"), "{}", reply.message);
    });
}

#[test]
fn keeps_two_connections_for_each_axon_and_256_in_all() {
    block_on(async {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let transport = local();
        let ask = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let address = SocketAddr::from((Ipv4Addr::new(127, 9, high, low), port));
            transport.ask(target(address), question(), TEN)
        };
        let accept = async |number: usize| {
            let mut streams = Vec::new();
            for _ in 0..number {
                streams.push(listener.accept().await.unwrap().0);
            }
            // Nobody is answered before everybody has asked.
            for stream in &mut streams {
                answer(stream, &ok(GOOD)).await;
            }
            streams
        };
        let (_, mut same) = tokio::join!(join_all((0..4).map(|_| ask(0))), accept(4));
        let mut closed = 0;
        for stream in &mut same {
            closed += usize::from(is_closed(stream).await);
        }
        assert_eq!(closed, 2);
        // With the two above one too many; the oldest goes.
        for number in 1..=255 {
            let (reply, streams) = tokio::join!(ask(number), accept(1));
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.message);
            same.extend(streams.into_iter().filter(|_| number == 1));
        }
        let mut closed = 0;
        for stream in &mut same {
            closed += usize::from(is_closed(stream).await);
        }
        assert_eq!(closed, 3);
        assert!(!is_closed(&mut same[4]).await);
    });
}
