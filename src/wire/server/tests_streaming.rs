//! Answers that are sent while they are written.

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::tests::{BODY, UNIX, request, serve};
use super::*;
use crate::wire::body_hash;

/// What an answerer does with its sender, and what it ends with.
type Script = fn(mpsc::Sender<Piece>) -> BoxFuture<'static, Result<String, Refusal>>;

fn raw() -> Vec<u8> {
    let hash = body_hash::of_messages(&["hi".into()]);
    request("/StreamPromptingSynapse", &hash, BODY, |request| request)
}

/// Asks for a stream; gives the head and the chunks as they were framed, to the end.
fn stream(script: Script) -> (String, String) {
    let door: AxonDoor = Arc::new(move |_| {
        let seat: Seat = Box::new(move |_, pieces| script(pieces.unwrap()));
        Box::pin(std::future::ready(Ok(seat)))
    });
    serve(UNIX, door, async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&raw()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        let (head, chunks) = reply.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), chunks.into())
    })
}

#[test]
fn sends_the_pieces_as_raw_text_behind_the_synapse_headers() {
    let (head, chunks) = stream(|pieces| {
        Box::pin(async move {
            for piece in ["it's ", "\u{1f600}\n"] {
                pieces.send(piece.into()).await.unwrap();
                tokio::task::yield_now().await;
            }
            Ok("it's \u{1f600}\nall".into())
        })
    });
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    for line in [
        "content-type: text/event-stream",
        "transfer-encoding: chunked",
        "name: streampromptingsynapse",
        "bt_header_axon_status_code: 200",
        "bt_header_axon_status_message: success",
        "bt_header_input_obj_messages: w10=",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is not in {head}");
    }
    // What no piece held comes last.
    assert_eq!(chunks, "5\r\nit's \r\n5\r\n\u{1f600}\n\r\n3\r\nall\r\n0\r\n\r\n");
}

#[test]
fn streams_an_answer_that_has_no_pieces() {
    let (head, chunks) = stream(|_| Box::pin(async { Ok("whole".into()) }));
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(chunks, "5\r\nwhole\r\n0\r\n\r\n");
}

#[test]
fn refuses_in_json_while_nothing_was_sent() {
    let (head, body) = stream(|_| Box::pin(async { Err(Refusal::new(503, "full")) }));
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, r#"{"message":"full"}"#);
}

#[test]
fn cuts_the_connection_when_an_answer_fails_on_the_way() {
    let read = Arc::new(Notify::new());
    let seen = Arc::clone(&read);
    let door: AxonDoor = Arc::new(move |_| {
        let seen = Arc::clone(&seen);
        let seat: Seat = Box::new(move |_, pieces| {
            Box::pin(async move {
                pieces.unwrap().send("half".into()).await.unwrap();
                seen.notified().await;
                Err(Refusal::internal("a secret"))
            })
        });
        Box::pin(std::future::ready(Ok(seat)))
    });
    let (before, after) = serve(UNIX, door, async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&raw()).await.unwrap();
        let mut before = Vec::new();
        while !before.ends_with(b"half\r\n") {
            before.push(stream.read_u8().await.unwrap());
        }
        read.notify_one();
        let mut after = Vec::new();
        let _ = stream.read_to_end(&mut after).await;
        (before, after)
    });
    assert!(before.starts_with(b"HTTP/1.1 200"), "{before:?}");
    assert_eq!(after, b"", "no last chunk: that would be a whole answer");
}
