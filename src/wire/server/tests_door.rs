//! What is decided at the door, before a body is read, and how many may stand there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tests::{BODY, UNIX, answering, prompting, refusing, serve};
use super::*;
use crate::wire::testkit::{StoppedClock, exchange};

#[test]
fn refuses_before_the_body_comes() {
    let shut = refusing(Refusal::blacklisted("Unrecognized hotkey"));
    let reply = serve(UNIX, shut, async |address| {
        let raw = prompting(BODY, |request| request);
        let head = raw.len() - BODY.len();
        exchange(address, &raw[..head]).await
    });
    assert_eq!(reply.0, 403, "{}", reply.2);
}

#[test]
fn refuses_in_the_order_of_the_sdk_whatever_the_body_is() {
    let shut = refusing(Refusal::not_verified("Missing Nonce"));
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

/// Longer than anything here takes, and shorter than what bounds it where it does not work.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    let clock = StoppedClock::at(UNIX);
    tokio::select! {
        done = work => done,
        () = clock.sleep(Duration::from_secs(8)) => panic!("it did not end"),
    }
}

#[test]
fn hangs_up_on_who_begins_a_second_request_and_never_ends_it() {
    serve(UNIX, answering(|_| Ok("here".into())), async |address| {
        for first in [prompting(BODY, keep_alive), unread_chunks()] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&first).await.unwrap();
            let (mut reader, mut writer) = stream.split();
            // Never silent, and never a request.
            let drip = async {
                let clock = StoppedClock::at(UNIX);
                while writer.write_all(b"1").await.is_ok() {
                    clock.sleep(Duration::from_millis(50)).await;
                }
            };
            let mut reply = Vec::new();
            let read = async { reader.read_to_end(&mut reply).await.unwrap_or(0) };
            bounded(async {
                tokio::select! { _ = read => {}, () = drip => {} }
            })
            .await;
        }
    });
}

fn keep_alive(request: String) -> String {
    request.replace("connection: close", "connection: keep-alive")
}

/// A request that is refused before its body, which does not end.
fn unread_chunks() -> Vec<u8> {
    b"POST /Other HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec()
}

/// Tells when it is dropped.
struct Held(tokio::sync::mpsc::UnboundedSender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn gives_up_work_for_a_caller_that_closes_its_side() {
    let (sender, mut dropped) = tokio::sync::mpsc::unbounded_channel();
    let door: AxonDoor = Arc::new(move |_| {
        let held = Held(sender.clone());
        let seat: Seat = Box::new(move |_, _| {
            Box::pin(async move {
                let _held = held;
                std::future::pending().await
            })
        });
        Box::pin(std::future::ready(Ok(seat)))
    });
    serve(UNIX, door, async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&prompting(BODY, |request| request)).await.unwrap();
        stream.shutdown().await.unwrap();
        bounded(dropped.recv()).await.unwrap();
    });
}
