use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    transfer-encoding: chunked\r\nbt_header_axon_status_code: 200\r\n\r\n";

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A reply in chunks, without the last one.
fn unended(chunks: &[&[u8]]) -> Vec<u8> {
    let chunks = chunks.iter().flat_map(|bytes| chunk(bytes));
    HEAD.bytes().chain(chunks).collect()
}

fn whole(chunks: &[&[u8]]) -> Vec<u8> {
    [unended(chunks), b"0\r\n\r\n".to_vec()].concat()
}

/// Streams from a server that writes these bytes and hangs up; gives the pieces too.
fn stream_from_one_that_says(bytes: &[u8]) -> (MinerReply, Vec<String>, String) {
    block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        let (sender, mut pieces) = mpsc::channel(1);
        let reply = transport.stream(target(address), question(), TEN, sender);
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = testkit::read_message(&mut stream).await;
            stream.write_all(bytes).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let collect = async {
            let mut all = Vec::new();
            while let Some(piece) = pieces.recv().await {
                all.push(piece);
            }
            all
        };
        let (reply, request, pieces) = tokio::join!(reply, serve, collect);
        (reply, pieces, request)
    })
}

#[test]
fn asks_by_the_streaming_synapse_and_joins_the_pieces_with_their_line_ends() {
    let bytes = whole(&["one\n".as_bytes(), b"\n", "zw\u{f6}lf".as_bytes()]);
    let (reply, pieces, request) = stream_from_one_that_says(&bytes);
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, "one\n\nzwölf"));
    assert_eq!(pieces.concat(), "one\n\nzwölf");
    assert!(request.starts_with("POST /StreamPromptingSynapse HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nname: StreamPromptingSynapse\r\n"), "{request}");
    assert!(request.contains("{\"name\":\"StreamPromptingSynapse\","), "{request}");
}

#[test]
fn sends_what_the_python_dendrite_sends_for_a_stream() {
    let Some(vector) = testkit::reference_json("vectors/axon10.5.0_dendrite10.5.0_stream.json")
    else {
        return;
    };
    let (_, _, request) = stream_from_one_that_says(b"");
    for pair in vector["request"]["headers"].as_array().unwrap() {
        let name = pair[0].as_str().unwrap().to_ascii_lowercase();
        let optional = ["accept", "accept-encoding", "user-agent", "bt_header_dendrite_ip"];
        if !optional.contains(&name.as_str()) {
            assert!(request.contains(&format!("\r\n{name}: ")), "no {name} in {request}");
        }
    }
}

#[test]
fn reads_the_stream_of_the_python_axon() {
    let Some(vector) = testkit::reference_json("vectors/axon10.5.0_dendrite10.5.0_stream.json")
    else {
        return;
    };
    use base64::Engine as _;
    let raw = vector["response"]["raw_base64"].as_str().unwrap();
    let raw = base64::prelude::BASE64_STANDARD.decode(raw).unwrap();
    let (reply, pieces, _) = stream_from_one_that_says(&raw);
    let expected = vector["sdk_dendrite_result"]["completion"].as_str().unwrap();
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, expected));
    assert_eq!(pieces.concat(), expected);
}

#[test]
fn hands_each_piece_on_before_the_next_is_sent() {
    let parts = ["one ", "two ", "thr\u{e9}"].map(str::as_bytes);
    // The last character is cut in two.
    let chunks = [parts[0], parts[1], &parts[2][..4], &parts[2][4..]];
    let (reply, pieces) = block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        let (sender, mut pieces) = mpsc::channel(4);
        let reply = transport.stream(target(address), question(), TEN, sender);
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            testkit::read_message(&mut stream).await;
            stream.write_all(HEAD.as_bytes()).await.unwrap();
            let mut all = Vec::new();
            for bytes in chunks {
                stream.write_all(&chunk(bytes)).await.unwrap();
                all.push(pieces.recv().await.unwrap());
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
            all
        };
        tokio::join!(reply, serve)
    });
    assert_eq!(reply.completion, "one two thré");
    assert_eq!(pieces, ["one ", "two ", "thr", "é"]);
}

#[test]
fn takes_a_stream_that_is_cut_off_for_no_answer() {
    for bytes in [
        unended(&[b"half an ans"]),
        [unended(&[b"half "]), b"5\r\nan".to_vec()].concat(),
        [unended(&[b"half "]), b"zz\r\n".to_vec()].concat(),
    ] {
        let (reply, pieces, _) = stream_from_one_that_says(&bytes);
        assert_eq!((reply.status, reply.completion.as_str()), (StatusCode(400), ""));
        assert!(reply.message.starts_with("Payload error: "), "{}", reply.message);
        assert!(pieces.concat().starts_with("half "), "{pieces:?}");
    }
}

#[test]
fn takes_no_stream_for_text_that_is_none() {
    for chunks in [&[b"a\xff".as_slice(), b"b"], &[b"a".as_slice(), b"\xe2\x82"]] {
        let (reply, _, _) = stream_from_one_that_says(&whole(chunks));
        assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::MALFORMED, ""));
    }
}

#[test]
fn stops_at_a_stream_that_is_too_long() {
    let piece = [b'x'; 1000];
    let (reply, _, _) = stream_from_one_that_says(&unended(&[&piece[..]; 5]));
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::MALFORMED, ""));
    assert!(reply.message.contains("longer than 4096 bytes"), "{}", reply.message);
}

#[test]
fn reads_errors_before_the_stream_and_needs_a_head_that_says_success() {
    let refusal = "403 Forbidden\r\ncontent-type: application/json\r\n\
                   bt_header_axon_status_code: 403\r\nbt_header_axon_status_message: no";
    let (reply, pieces, _) = stream_from_one_that_says(&http(refusal, r#"{"message":"no"}"#));
    assert_eq!((reply.status.0, reply.message.as_str()), (403, "no"));
    assert!(pieces.is_empty());
    for (said, status) in [("bt_header_axon_status_code: 500\r\n", 500), ("", 422)] {
        let head = HEAD.replace("bt_header_axon_status_code: 200\r\n", said);
        let (reply, pieces, _) =
            stream_from_one_that_says(&[head.as_bytes(), &chunk(b"text"), b"0\r\n\r\n"].concat());
        assert_eq!((reply.status.0, reply.completion.as_str()), (status, ""), "{said}");
        assert!(pieces.is_empty());
    }
}

#[test]
fn ends_a_stream_that_stalls_at_the_deadline() {
    let timeout = Duration::from_millis(200);
    let reply = block_on(async {
        let (listener, address) = listen().await;
        let transport = local();
        let (sender, _pieces) = mpsc::channel(4);
        let stall = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&unended(&[b"half"])).await.unwrap();
            std::future::pending::<()>().await;
        };
        let ask = transport.stream(target(address), question(), timeout, sender);
        tokio::select! {
            reply = ask => reply,
            () = stall => unreachable!(),
        }
    });
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::TIMEOUT, ""));
}

#[test]
fn a_validator_may_ask_by_the_streaming_synapse_through_the_same_port() {
    let options = TransportOptions { allow_local: true, streaming: true, ..Default::default() };
    let (reply, request) = block_on(ask_by(&transport(options), &whole(&[b"one ", b"two"])));
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, "one two"));
    assert!(request.starts_with(b"POST /StreamPromptingSynapse "));
}

/// Stands where it was put last.
#[derive(Default)]
struct PutClock(AtomicU64);

impl Clock for PutClock {
    fn now(&self) -> Moment {
        Moment(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }

    fn unix(&self) -> Duration {
        UNIX
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("the dendrite waits for sockets only")
    }
}

#[test]
fn notes_when_each_piece_came_and_how_long_it_is() {
    let parts = [(400, "one "), (450, "zw\u{f6}lf"), (1_900, "!")];
    let reply = block_on(async {
        let (listener, address) = listen().await;
        let clock = Arc::new(PutClock(AtomicU64::new(100)));
        let transport = transport_at(Arc::<PutClock>::clone(&clock), LOCAL);
        let (sender, mut pieces) = mpsc::channel(4);
        let reply = transport.stream(target(address), question(), TEN, sender);
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            testkit::read_message(&mut stream).await;
            stream.write_all(HEAD.as_bytes()).await.unwrap();
            for (at, text) in parts {
                clock.0.store(at, Ordering::Relaxed);
                stream.write_all(&chunk(text.as_bytes())).await.unwrap();
                pieces.recv().await.unwrap();
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        };
        tokio::join!(reply, serve).0
    });
    let noted: Vec<_> =
        reply.pieces.iter().map(|piece| (piece.at.as_millis(), piece.chars)).collect();
    assert_eq!(noted, [(300, 4), (350, 5), (1_800, 1)]);
}

#[test]
fn counts_pieces_beyond_so_many_to_the_last() {
    let options = TransportOptions { streaming: true, max_body: 8_192, ..LOCAL };
    let bytes = whole(&[b"x".as_slice(); 5_000]);
    let (reply, _) = block_on(ask_by(&transport(options), &bytes));
    assert_eq!(reply.completion.len(), 5_000);
    assert_eq!((reply.pieces.len(), reply.pieces[0].chars), (4_096, 1));
    assert_eq!(reply.pieces.iter().map(|piece| piece.chars).sum::<usize>(), 5_000);
}

#[test]
fn a_synapse_in_the_place_of_a_stream_is_one_piece_and_one_that_was_asked_for_is_none() {
    let options = TransportOptions { streaming: true, ..LOCAL };
    let (reply, _) = block_on(ask_by(&transport(options), &ok(GOOD)));
    assert_eq!((reply.status, reply.completion.as_str()), (StatusCode::OK, "ok"));
    assert_eq!(reply.pieces.iter().map(|piece| piece.chars).collect::<Vec<_>>(), [2]);
    let (reply, _) = block_on(ask_one_that_says(&ok(GOOD)));
    assert_eq!((reply.completion.as_str(), reply.pieces.as_slice()), ("ok", &[][..]));
}

#[test]
fn a_stream_that_fails_has_no_pieces() {
    let (reply, _, _) = stream_from_one_that_says(&unended(&[b"half an ans"]));
    assert_eq!((reply.completion.as_str(), reply.pieces.as_slice()), ("", &[][..]));
}
