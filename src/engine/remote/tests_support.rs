//! What the tests of remote engines share: servers that speak the protocol as told, a clock that
//! is moved by hand, and impatient options.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sn1_actors::domain::{ChatMessage, Generation, Moment, Sampling};
use sn1_actors::ports::{Clock, TextBackend as _, TextError, TextRequest};

use super::{BreakerPolicy, RemoteEngine, RemoteOptions};
pub(super) use crate::models::test_server::{Act, Reply, Seen, Server, answer};

/// What asking comes to.
pub(super) type Outcome = Result<Generation, TextError>;

/// Stands still until it is moved; whoever sleeps moves it.
#[derive(Default)]
pub(super) struct HandClock(Mutex<Duration>);

impl HandClock {
    pub(super) fn advance(&self, time: Duration) {
        *self.0.lock() += time;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment(*self.0.lock())
    }

    fn unix(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        self.advance(delay);
        Box::pin(tokio::task::yield_now())
    }
}

pub(super) const BREAKER: BreakerPolicy = BreakerPolicy {
    threshold: 2,
    first_rest: Duration::from_secs(10),
    longest_rest: Duration::from_secs(40),
};

/// Options for servers that answer at once or not at all.
pub(super) fn options(servers: &[&str]) -> RemoteOptions {
    RemoteOptions {
        servers: servers.iter().map(|url| (*url).to_owned()).collect(),
        model: "m".into(),
        in_flight: 4,
        patience: Duration::from_secs(5),
        probe_timeout: Duration::from_millis(500),
        first_token_timeout: Duration::from_millis(500),
        idle_timeout: Duration::from_millis(300),
        total_timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        breaker: BREAKER,
        ..RemoteOptions::default()
    }
}

pub(super) fn engine_with(options: RemoteOptions) -> (RemoteEngine, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    (RemoteEngine::new(options, clock.clone()).unwrap(), clock)
}

pub(super) fn engine(servers: &[&Server]) -> (RemoteEngine, Arc<HandClock>) {
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    engine_with(options(&urls))
}

/// A server with the model `m`; `chat` gets the request and how many chats came before it.
pub(super) async fn server(chat: impl Fn(&Seen, usize) -> Reply + Send + 'static) -> Server {
    server_of(&["m"], chat).await
}

pub(super) async fn server_of(
    models: &[&str],
    chat: impl Fn(&Seen, usize) -> Reply + Send + 'static,
) -> Server {
    let list: Vec<Value> = models.iter().map(|name| json!({"id": name})).collect();
    let list = json!({"object": "list", "data": list}).to_string();
    let chats = Mutex::new(0);
    Server::start(move |seen, _| {
        if seen.path == "/v1/models" {
            return Reply::Raw(json_reply("200 OK", &list));
        }
        assert_eq!(seen.path, "/v1/chat/completions");
        let mut chats = chats.lock();
        *chats += 1;
        chat(seen, *chats - 1)
    })
    .await
}

/// The bodies of the chats that a server got.
pub(super) fn chats(server: &Server) -> Vec<Value> {
    let seen = server.seen().into_iter().filter(|seen| seen.path == "/v1/chat/completions");
    seen.map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

pub(super) fn json_reply(status: &str, body: &str) -> Vec<u8> {
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    answer(status, &headers, body.as_bytes())
}

/// The head of an event stream that lasts until the connection is closed.
pub(super) fn stream_head() -> Vec<u8> {
    answer("200 OK", "Content-Type: text/event-stream; charset=utf-8\r\n", b"")
}

pub(super) fn event(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

/// An event with some text.
pub(super) fn text(text: &str) -> Vec<u8> {
    event(&json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
}

/// The events behind the last text.
pub(super) fn end(reason: &str) -> Vec<u8> {
    let mut bytes =
        event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}));
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2});
    bytes.extend(event(&json!({"choices": [], "usage": usage})));
    bytes.extend(b"data: [DONE]\n\n");
    bytes
}

/// The beginning of a stream: its head, an event without text, and these pieces.
pub(super) fn begun(pieces: &[&str]) -> Vec<u8> {
    let mut bytes = stream_head();
    let role = json!({"role": "assistant", "content": null});
    bytes.extend(event(&json!({"choices": [{"index": 0, "delta": role}]})));
    bytes.extend(pieces.iter().flat_map(|piece| text(piece)));
    bytes
}

/// A whole answer.
pub(super) fn said(pieces: &[&str]) -> Reply {
    let mut bytes = begun(pieces);
    bytes.extend(end("stop"));
    Reply::Raw(bytes)
}

pub(super) fn request() -> TextRequest {
    let messages = vec![ChatMessage::system("Be brief."), ChatMessage::user("Hi")];
    let sampling = Sampling { seed: 9, ..Sampling::ORIGINAL };
    let sampling = Sampling { max_new_tokens: 8, ..sampling };
    TextRequest { messages, sampling, stop: Vec::new() }
}

/// Asks without wanting pieces; fails instead of hanging.
pub(super) async fn ask(engine: &RemoteEngine) -> Outcome {
    bounded(engine.generate(request(), None)).await
}

pub(super) async fn text_of(engine: &RemoteEngine) -> String {
    ask(engine).await.unwrap().text
}

pub(super) async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("it hangs")
}

/// An address that nobody listens at.
pub(super) async fn dead_address() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// What must be said of servers that gave no text.
pub(super) fn unavailable(result: Outcome, words: &[&str]) {
    let Err(TextError::NotSent(reason) | TextError::Unavailable(reason)) = result else {
        panic!("{result:?}")
    };
    says(&reason, words);
}

pub(super) fn interrupted(result: Outcome, words: &[&str]) {
    let Err(TextError::Interrupted(reason)) = result else { panic!("{result:?}") };
    says(&reason, words);
}

pub(super) fn refused(result: Outcome, words: &[&str]) {
    let Err(TextError::Request(reason)) = result else { panic!("{result:?}") };
    says(&reason, words);
}

pub(super) fn says(reason: &str, words: &[&str]) {
    for word in words {
        assert!(reason.contains(word), "{reason} does not say {word}");
    }
}
