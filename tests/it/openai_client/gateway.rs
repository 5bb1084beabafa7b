//! A gateway in this process, and what it holds.

#![expect(clippy::panic, reason = "a test's helper that cannot go on fails its test")]

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;
use sha2::{Digest, Sha256};
use sn1::gateway::keys::KeyRing;
use sn1::gateway::{Door, GatewayOptions, GatewayParts, GatewayServer, ModelReader, Unreadable};
use sn1::wire::UuidSource;
use sn1_actors::domain::{Hotkey, Moment, Query, Uid};
use sn1_actors::organic::{OrganicAnswer, OrganicError};
use sn1_actors::ports::Clock;
use tempfile::TempDir;
use tokio::sync::{Notify, oneshot};

pub(super) const KEY: &str = "sk-sn1-test";
pub(super) const MODEL: &str = "lab/zephyr";
pub(super) const ANSWER: &str =
    "Well met, and so early in the day; what brings you here, if I may ask?";
const MINER: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// Tokens that a chat may have.
const LONGEST: usize = 1_000;

/// A token is a word.
fn reader() -> ModelReader {
    let count = |text: &str| text.split_whitespace().count();
    let read = move |query: &Query| {
        let tokens = query.messages.iter().map(|message| count(message)).sum();
        if tokens > LONGEST {
            return Err(Unreadable::TooLong { tokens, most: LONGEST });
        }
        Ok(tokens)
    };
    ModelReader { count: Arc::new(count), read: Arc::new(read) }
}

/// How the gateway is kept.
pub(super) struct Kept {
    pub(super) requests_per_minute: u32,
    /// How long a stream may be silent.
    pub(super) silence_ms: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { requests_per_minute: 1_000_000, silence_ms: 60_000 }
    }
}

/// A gateway that serves; it ends when dropped.
pub(super) struct Gateway {
    address: SocketAddr,
    door: Arc<Watched>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _keys: TempDir,
}

/// What goes through the door.
#[derive(Default)]
struct Watched {
    asked: AtomicUsize,
    running: AtomicUsize,
}

struct Running(Arc<Watched>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The program's clock, which tells when a stream has been silent for so long.
struct Telling {
    clock: Arc<dyn Clock>,
    silence: Duration,
    silent: Arc<Notify>,
}

impl Clock for Telling {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn unix(&self) -> Duration {
        self.clock.unix()
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        let sleep = self.clock.sleep(delay);
        if delay != self.silence {
            return sleep;
        }
        let silent = Arc::clone(&self.silent);
        Box::pin(async move {
            sleep.await;
            silent.notify_one();
        })
    }
}

impl Gateway {
    pub(super) fn start(kept: Kept) -> Self {
        let (watched, silent) = (Arc::new(Watched::default()), Arc::new(Notify::new()));
        let silence = Duration::from_millis(kept.silence_ms);
        let clock =
            Telling { clock: sn1::wiring::system_clock(), silence, silent: Arc::clone(&silent) };
        let (keys, folder) = ring(kept.requests_per_minute);
        let parts = GatewayParts {
            door: door(Arc::clone(&watched), silent),
            keys,
            model: MODEL.into(),
            reader: reader(),
            clock: Arc::new(clock),
            uuids: Arc::new(UuidSource::from_entropy()),
        };
        let options = GatewayOptions { max_body: 1 << 16, silence, ..GatewayOptions::default() };
        let server = GatewayServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            actix_rt::System::new().block_on(async {
                let running = server.run(parts, options).unwrap();
                let stopper = running.stopper();
                let stopping = async {
                    let _ = stopped.await;
                    stopper.stop().await;
                };
                let (served, ()) = tokio::join!(running.serve(), stopping);
                served.unwrap();
            });
        };
        let thread = Builder::new().name("gateway".into()).spawn(serve).unwrap();
        Self { address, door: watched, stop: Some(stop), thread: Some(thread), _keys: folder }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// How often the door was knocked at.
    pub(super) fn asked(&self) -> usize {
        self.door.asked.load(Ordering::SeqCst)
    }

    /// How many descriptors this process holds of the gateway's sockets; other tests have their own.
    pub(super) fn descriptors(&self) -> usize {
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
        let port = format!(":{:04X}", self.address.port());
        let of_ours = table.lines().filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let ours = columns.get(1)?.ends_with(&port);
            ours.then(|| format!("socket:[{}]", columns[9]))
        });
        let of_ours: Vec<String> = of_ours.collect();
        let held = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
            let target = fs::read_link(entry.ok()?.path()).ok()?;
            of_ours.iter().any(|socket| target.as_os_str() == socket.as_str()).then_some(())
        });
        held.count()
    }

    /// Waits until so many descriptors are left and nothing waits at the door, half a minute at most.
    #[expect(clippy::disallowed_methods, reason = "another thread is waited for on real time")]
    pub(super) fn until_quiet(&self, descriptors: usize) {
        let held = || (self.descriptors(), self.door.running.load(Ordering::SeqCst));
        for _ in 0..1_500 {
            if held() == (descriptors, 0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{:?} descriptors and queries are left, at first there were {descriptors}", held());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || joined.is_some_and(|joined| joined.is_ok()));
    }
}

/// The one key, in a folder that has to stay.
fn ring(requests_per_minute: u32) -> (KeyRing, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let limits = json!({
        "requests_per_minute": requests_per_minute, "concurrent": 16, "tokens_per_day": 1_u64 << 40,
    });
    let key = json!({
        "id": "1", "name": "test", "shown": KEY, "hash": hex::encode(Sha256::digest(KEY)),
        "created": 0, "revoked": null, "limits": limits,
    });
    let keys = json!({"schema": 1, "keys": [key]}).to_string();
    fs::write(folder.path().join("keys.json"), keys).unwrap();
    (KeyRing::open(folder.path(), sn1::wiring::system_clock()).unwrap(), folder)
}

/// Does what a message says; `silent` is told when a stream was silent for too long.
fn door(watched: Arc<Watched>, silent: Arc<Notify>) -> Door {
    Arc::new(move |query: Query| {
        watched.asked.fetch_add(1, Ordering::SeqCst);
        watched.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(Arc::clone(&watched));
        let silent = Arc::clone(&silent);
        Box::pin(async move {
            let _running = running;
            let failed = || OrganicError::AllFailed { asked: 3, cause: "timed out".into() };
            let text = match query.messages.last().map(String::as_str) {
                Some("all fail") => return Err(failed()),
                Some("nobody") => return Err(OrganicError::NoMiners),
                Some("never") => std::future::pending().await,
                Some("fail when pinged") => {
                    silent.notified().await;
                    return Err(failed());
                }
                Some("at length") => "word upon word ".repeat(2_000),
                _ => ANSWER.to_owned(),
            };
            let hotkey = Hotkey::parse(MINER).unwrap();
            Ok(OrganicAnswer { text, uid: Uid(3), hotkey, elapsed: Duration::from_secs(1) })
        })
    })
}
