//! What the tests of this module share: a gateway before a door that does as it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sn1_actors::domain::{Hotkey, Query, Uid};
use sn1_actors::organic::{OrganicAnswer, OrganicError};
use sn1_actors::ports::{Clock, TokioClock};

use super::keys::{KeyLimits, KeyRing};
use super::{Door, GatewayOptions, GatewayParts, GatewayServer, ModelReader, Unreadable};
use crate::wire::UuidSource;

pub(super) const KEY: &str = "sk-sn1-test";
pub(super) const UNIX: u64 = 1_795_000_000;
const MINER: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
pub(super) const MODEL: &str = "lab/zephyr";

/// What the fake door makes of a query.
pub(super) type Answer = Result<String, OrganicError>;

/// A door, and how many of its futures live.
#[derive(Clone)]
pub(super) struct FakeDoor {
    pub(super) door: Door,
    running: Arc<AtomicUsize>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FakeDoor {
    pub(super) fn new<F>(answer: impl Fn(Query) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let running = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&running);
        let door: Door = Arc::new(move |query| {
            count.fetch_add(1, Ordering::SeqCst);
            let running = Running(Arc::clone(&count));
            let answer = answer(query);
            Box::pin(async move {
                let _running = running;
                let text = answer.await?;
                let hotkey = Hotkey::parse(MINER).unwrap();
                Ok(OrganicAnswer { text, uid: Uid(7), hotkey, elapsed: Duration::from_secs(1) })
            })
        });
        Self { door, running }
    }

    /// One that gives the same answer to everybody, at once.
    pub(super) fn saying(answer: Answer) -> Self {
        Self::new(move |_| std::future::ready(answer.clone()))
    }

    /// One that never answers.
    pub(super) fn silent() -> Self {
        Self::new(|_| std::future::pending())
    }

    /// Waits until so many of its futures live.
    pub(super) async fn until_running(&self, wanted: usize) {
        until(|| self.running.load(Ordering::SeqCst) == wanted).await;
    }
}

/// Waits for something that other threads bring about, half a minute at most.
pub(super) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        clock().sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come about");
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::starting_now(|| Duration::from_millis(UNIX * 1_000 + 500)))
}

/// A ring of the one key, which may do so much.
pub(super) fn ring(requests_per_minute: u32, at_once: u32, tokens_per_day: u64) -> KeyRing {
    let limits = KeyLimits { requests_per_minute, concurrent: at_once, tokens_per_day };
    KeyRing::of_one(KEY, limits, clock())
}

/// A reader of chats of so many tokens. A token is a word.
pub(super) fn reader(most: usize) -> ModelReader {
    let count = |text: &str| text.split_whitespace().count();
    let read = move |query: &Query| {
        let tokens = query.messages.iter().map(|message| count(message)).sum();
        if tokens > most { Err(Unreadable::TooLong { tokens, most }) } else { Ok(tokens) }
    };
    ModelReader { count: Arc::new(count), read: Arc::new(read) }
}

/// A gateway's parts, with a key that nearly never ends. A token is a word.
pub(super) fn parts(door: &FakeDoor) -> GatewayParts {
    GatewayParts {
        door: Arc::clone(&door.door),
        keys: ring(10_000, 16, 1_000_000),
        model: MODEL.into(),
        reader: reader(usize::MAX),
        clock: clock(),
        uuids: Arc::new(UuidSource::from_seed([3; 32])),
    }
}

pub(super) fn options() -> GatewayOptions {
    GatewayOptions { max_body: 4_096, ..GatewayOptions::default() }
}

/// Runs a test against a gateway, and stops it.
pub(super) fn serve<T>(
    parts: GatewayParts,
    options: GatewayOptions,
    test: impl AsyncFnOnce(Caller) -> T,
) -> T {
    actix_rt::System::new().block_on(async {
        let server = GatewayServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let running = server.run(parts, options).unwrap();
        let (address, stopper) = (running.address(), running.stopper());
        let test = async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let outcome = test(Caller { address, http }).await;
            stopper.stop().await;
            outcome
        };
        let (served, outcome) = tokio::join!(running.serve(), test);
        served.unwrap();
        outcome
    })
}

/// A user's program.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    pub(super) http: reqwest::Client,
}

/// A reply that was read to its end.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Caller {
    /// A request without a key.
    pub(super) fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.stranger(method, path).bearer_auth(KEY)
    }

    pub(super) async fn get(&self, path: &str) -> Replied {
        Replied::read(self.request(Method::GET, path)).await
    }

    pub(super) async fn ask(&self, body: &Value) -> Replied {
        Replied::read(self.request(Method::POST, CHAT).json(body)).await
    }
}

pub(super) const CHAT: &str = "/v1/chat/completions";

impl Replied {
    pub(super) async fn read(request: RequestBuilder) -> Self {
        let reply = request.send().await.unwrap();
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        Self { status, headers, text: reply.text().await.unwrap() }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and code of an error, whose other fields are there.
    pub(super) fn error(&self) -> (u16, Value) {
        let error = self.json()["error"].take();
        assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
        assert!(error.get("param").is_some(), "{error}");
        (self.status, error["code"].clone())
    }
}

/// A request that is answered.
pub(super) fn question() -> Value {
    json!({"model": "sn1", "messages": [{"role": "user", "content": "How are you?"}]})
}

/// The same with other values in some fields.
pub(super) fn but(change: &Value) -> Value {
    let mut question = question();
    for (name, value) in change.as_object().unwrap() {
        question[name] = value.clone();
    }
    question
}
