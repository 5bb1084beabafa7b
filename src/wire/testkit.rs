//! What the tests of this module share: keys, captured vectors, a clock, and raw sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use sn1_actors::domain::Moment;
use sn1_actors::ports::{Clock, TokioClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Keypair;

pub(super) fn alice() -> Keypair {
    Keypair::from_dev_uri("//Alice").unwrap()
}

pub(super) fn bob() -> Keypair {
    Keypair::from_dev_uri("//Bob").unwrap()
}

#[derive(Deserialize)]
pub(super) struct ReprCase {
    pub(super) messages: Vec<String>,
    pub(super) python_str: String,
    pub(super) body_hash: String,
}

/// Lists as Python writes them: the captured ones, and further ones of our own making.
pub(super) fn repr_cases() -> Vec<ReprCase> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<ReprCase>,
    }
    let files = [
        include_str!("../../tests/fixtures/wire/python_repr_hash.json"),
        include_str!("../../tests/fixtures/wire/python_repr_more.json"),
    ];
    files.iter().flat_map(|text| serde_json::from_str::<File>(text).unwrap().cases).collect()
}

fn reference() -> PathBuf {
    std::env::var_os("TEST_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"),
        PathBuf::from,
    )
}

pub(super) fn reference_json(path: &str) -> Option<Value> {
    let path = reference().join(path);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Every captured exchange with an axon, by name.
pub(super) fn vectors() -> Option<Vec<Value>> {
    let folder = reference().join("vectors");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths
        .iter()
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains("axon"))
        .map(|path| std::fs::read_to_string(path).unwrap());
    Some(texts.map(|text| serde_json::from_str(&text).unwrap()).collect())
}

/// A header of a captured request or response.
pub(super) fn header(message: &Value, name: &str) -> Option<String> {
    let pairs = message["headers"].as_array()?;
    let pair = pairs.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name))?;
    Some(pair[1].as_str().unwrap().into())
}

/// Real monotonic time, and a wall clock that stands still until it is set.
pub(super) struct StoppedClock {
    tokio: TokioClock,
    unix: Mutex<Duration>,
}

impl StoppedClock {
    pub(super) fn at(unix: Duration) -> Arc<Self> {
        let tokio = TokioClock::starting_now(|| Duration::ZERO);
        Arc::new(Self { tokio, unix: Mutex::new(unix) })
    }

    pub(super) fn set(&self, unix: Duration) {
        *self.unix.lock() = unix;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        self.tokio.now()
    }

    fn unix(&self) -> Duration {
        *self.unix.lock()
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        self.tokio.sleep(delay)
    }
}

/// Reads one HTTP message with a body of known length.
pub(super) async fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        if read == 0 || is_whole(&bytes) {
            return bytes;
        }
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .to_ascii_lowercase()
        .split_once("content-length: ")
        .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
    body.len() >= length.unwrap_or(0)
}

/// Sends raw bytes and reads one reply: status, head, body.
pub(super) async fn exchange(address: std::net::SocketAddr, raw: &[u8]) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(raw).await.unwrap();
    let reply = String::from_utf8(read_message(&mut stream).await).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A reply as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Status line and headers, in lower case.
    pub(super) head: String,
    /// To the end of the connection, in chunks if it came so.
    pub(super) body: String,
}

/// Sends raw bytes that ask the server to hang up, and reads to the end; nothing if no reply came.
pub(super) async fn whole_reply(address: std::net::SocketAddr, raw: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(raw).await.unwrap();
    let mut bytes = Vec::new();
    // What came before a reset counts.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.get(9..12)?.parse().ok()?;
    Some(Reply { status, head: head.to_ascii_lowercase(), body: body.into() })
}
