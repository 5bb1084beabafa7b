//! What is decided at the door, before a body is read, and how many may stand there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tests::{BODY, UNIX, answering, prompting, refusing, serve};
use super::*;
use crate::wire::testkit::exchange;

#[test]
fn refuses_before_the_body_comes() {
    let shut = refusing(AxonRefusal::blacklisted("Unrecognized hotkey"));
    let reply = serve(UNIX, shut, async |address| {
        let raw = prompting(BODY, |request| request);
        let head = raw.len() - BODY.len();
        exchange(address, &raw[..head]).await
    });
    assert_eq!(reply.0, 403, "{}", reply.2);
}

#[test]
fn refuses_in_the_order_of_the_sdk_whatever_the_body_is() {
    let shut = refusing(AxonRefusal::not_verified(&VerifyError::MissingNonce));
    serve(UNIX, shut, async |address| {
        for body in ["", "{nope", r#"{"roles":1}"#, &"x".repeat(9_000)] {
            let reply = exchange(address, &prompting(body, |request| request)).await;
            assert_eq!(reply.0, 401, "{body:.9}: {}", reply.2);
        }
    });
}

#[test]
fn hangs_up_on_one_connection_too_many_of_an_address() {
    serve(UNIX, answering(|_| Ok("here".into())), async |address| {
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(TcpStream::connect(address).await.unwrap());
        }
        let mut fifth = TcpStream::connect(address).await.unwrap();
        // It may still take what we write, but nothing comes back.
        let _ = fifth.write_all(&prompting(BODY, |request| request)).await;
        assert_eq!(fifth.read(&mut [0; 1]).await.unwrap_or(0), 0);
        let mut reply = [0; 12];
        held[0].write_all(&prompting(BODY, |request| request)).await.unwrap();
        held[0].read_exact(&mut reply).await.unwrap();
        assert_eq!(&reply, b"HTTP/1.1 200");
    });
}
