//! A stand-in for the Stack Exchange API 2.3 on a port of its own, with its manners and faults.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};
use sn1_actors::ports::Clock as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::clock::HandClock;

/// What it asks for when it wants a method to be left alone, in seconds.
const BACKOFF: u64 = 10;

/// How it packs its answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Plain,
}

/// What it sends instead of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A status with this body, packed as usual.
    Error(u16, Value),
    /// A page, plain.
    Html(u16),
    Garbage,
    /// The body ends before it is whole.
    Cut,
    Endless,
}

/// What it knows and how it behaves.
pub(crate) struct Rules {
    /// In the order of their votes.
    pub(crate) questions: Vec<Value>,
    pub(crate) answers: Vec<Value>,
    pub(crate) quota: i64,
    /// Every so many answers ask for a backoff.
    pub(crate) backoff_every: Option<usize>,
    pub(crate) coding: Coding,
}

impl Default for Rules {
    fn default() -> Self {
        let (questions, answers) = (Vec::new(), Vec::new());
        Self { questions, answers, quota: 10_000, backoff_every: None, coding: Coding::Gzip }
    }
}

struct State {
    rules: Rules,
    faults: VecDeque<Option<Fault>>,
    asked: Vec<String>,
    /// By method, until when it is to be left alone.
    held: HashMap<&'static str, Duration>,
    violations: usize,
}

pub(crate) struct StandIn {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    _task: JoinSet<()>,
}

impl StandIn {
    pub(crate) async fn start(rules: Rules, clock: Arc<HandClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/2.3", listener.local_addr().unwrap());
        let (faults, asked, held) = (VecDeque::new(), Vec::new(), HashMap::new());
        let state = Arc::new(Mutex::new(State { rules, faults, asked, held, violations: 0 }));
        let mut task = JoinSet::new();
        let shared = Arc::clone(&state);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, Arc::clone(&shared), Arc::clone(&clock)));
            }
        });
        Self { url, state, _task: task }
    }

    /// The paths and queries that it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How often a method was called that was to be left alone.
    pub(crate) fn violations(&self) -> usize {
        self.state.lock().unwrap().violations
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state.lock().unwrap().rules);
    }

    /// The next answers, before it goes on as its rules say.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.extend(faults.into_iter().map(Some));
    }

    /// A fault after so many good answers.
    pub(crate) fn after(&self, good: usize, fault: Fault) {
        let faults = &mut self.state.lock().unwrap().faults;
        faults.extend((0..good).map(|_| None));
        faults.push_back(Some(fault));
    }
}

/// A question as the API writes it, bodies included.
pub(crate) fn question(id: u64, score: i64, accepted: Option<u64>) -> Value {
    let mut question = json!({
        "tags": ["things"],
        "owner": owner("Ada"),
        "is_answered": true, "view_count": 4_321, "answer_count": 2, "score": score,
        "last_activity_date": 1_700_000_500, "creation_date": 1_600_000_000,
        "question_id": id, "content_license": "CC BY-SA 4.0",
        "link": format!("https://stackoverflow.com/questions/{id}/x"),
        "title": format!("How do I do thing {id}"),
        "body": format!("<p>I tried thing {id} and it failed.</p>\n"),
    });
    if let Some(accepted) = accepted {
        question["accepted_answer_id"] = json!(accepted);
    }
    question
}

/// An answer as the API writes it.
pub(crate) fn answer(id: u64, question: u64, score: i64) -> Value {
    json!({
        "owner": owner("Grace"),
        "is_accepted": false, "score": score,
        "last_activity_date": 1_700_000_500, "creation_date": 1_600_000_100,
        "answer_id": id, "question_id": question, "content_license": "CC BY-SA 4.0",
        "body": format!("<p>Answer {id}: do it so.</p>\n"),
    })
}

fn owner(name: &str) -> Value {
    json!({ "account_id": 907, "reputation": 1_234, "user_id": 7, "user_type": "registered",
        "display_name": name, "link": format!("https://stackoverflow.com/users/7/{name}") })
}

async fn serve(mut connection: TcpStream, state: Arc<Mutex<State>>, clock: Arc<HandClock>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let now = clock.now().0;
    let (reply, coding) = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        let fault = state.faults.pop_front().flatten();
        let reply = fault.unwrap_or_else(|| {
            let (status, body) = state.answer(&path, now);
            Fault::Error(status, body)
        });
        (reply, state.rules.coding)
    };
    // The client may have gone away.
    let _ = send(&mut connection, reply, coding).await;
    let _ = connection.shutdown().await;
}

async fn send(connection: &mut TcpStream, reply: Fault, coding: Coding) -> std::io::Result<()> {
    let head = |status: u16, headers: &str| {
        format!("HTTP/1.1 {status} X\r\n{headers}Connection: close\r\n\r\n").into_bytes()
    };
    match reply {
        Fault::Error(status, body) => {
            let body = body.to_string().into_bytes();
            let (name, body) = match coding {
                Coding::Gzip => ("Content-Encoding: gzip\r\n", gzip(&body)),
                Coding::Deflate => ("Content-Encoding: deflate\r\n", zlib(&body)),
                Coding::Plain => ("", body),
            };
            let json = "Content-Type: application/json; charset=utf-8\r\n";
            let length = body.len();
            let mut bytes = head(status, &format!("{json}{name}Content-Length: {length}\r\n"));
            bytes.extend(body);
            connection.write_all(&bytes).await
        }
        Fault::Html(status) => {
            let mut bytes = head(status, "Content-Type: text/html\r\n");
            bytes.extend(b"<html><body><h1>Go away</h1>\x1b[31m</body></html>");
            connection.write_all(&bytes).await
        }
        Fault::Garbage => {
            let mut bytes = head(200, "Content-Encoding: gzip\r\nContent-Length: 30\r\n");
            bytes.extend([0x5a; 30]);
            connection.write_all(&bytes).await
        }
        Fault::Cut => {
            let mut bytes = head(200, "Content-Length: 1000\r\n");
            bytes.extend(b"{\"items\": [{\"question_id\"");
            connection.write_all(&bytes).await
        }
        Fault::Endless => {
            connection.write_all(&head(200, "")).await?;
            connection.write_all(b"{\"items\": [").await?;
            loop {
                connection.write_all(&b"\"again\", ".repeat(1_000)).await?;
            }
        }
    }
}

impl State {
    /// As the API answers; a status and a body.
    fn answer(&mut self, path: &str, now: Duration) -> (u16, Value) {
        let url = Url::parse("http://x").unwrap().join(path).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        let (method, mut items) = match segments[..] {
            ["2.3", "questions"] => ("questions", self.rules.questions.clone()),
            ["2.3", "answers", ids] => ("answers", self.with(ids, "answer_id")),
            ["2.3", "questions", ids, "answers"] => ("of", self.with(ids, "question_id")),
            _ => return error(404, "no_method", "no method found with this name"),
        };
        if self.rules.quota <= 0 {
            let message =
                "too many requests from this IP, more requests available in 82216 seconds";
            return error(502, "throttle_violation", message);
        }
        self.rules.quota -= 1;
        if self.held.get(method).is_some_and(|held| *held > now) {
            self.violations += 1;
            return error(502, "throttle_violation", "Violation of backoff parameter");
        }
        let number = |key: &str, default| query.get(key).map_or(Ok(default), |text| text.parse());
        let (Ok(page), Ok(size)) = (number("page", 1_usize), number("pagesize", 30_usize)) else {
            return error(400, "bad_parameter", "page");
        };
        let too_many = segments.iter().any(|ids| ids.split(';').count() > 100);
        if size > 100 || page == 0 || too_many || !query.contains_key("site") {
            return error(400, "bad_parameter", "pagesize");
        }
        if page > 25 {
            return error(403, "access_denied", "page above 25 requires access token or app key");
        }
        if query.get("sort").is_some_and(|sort| sort == "votes") {
            items.sort_by_key(|item| -item["score"].as_i64().unwrap_or_default());
        }
        let has_more = items.len() > page * size;
        let mut items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        if query.get("filter").is_none_or(|filter| filter != "withbody") {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.remove("body");
            }
        }
        let quota = self.rules.quota;
        let mut body = json!({ "items": items, "has_more": has_more, "quota_max": 300,
            "quota_remaining": quota });
        if self.rules.backoff_every.is_some_and(|every| self.asked.len().is_multiple_of(every)) {
            body["backoff"] = json!(BACKOFF);
            self.held.insert(method, now + Duration::from_secs(BACKOFF));
        }
        (200, body)
    }

    /// The answers whose number by that name is one of these.
    fn with(&self, ids: &str, key: &str) -> Vec<Value> {
        let ids: Vec<u64> = ids.split(';').filter_map(|id| id.parse().ok()).collect();
        let of = |answer: &&Value| answer[key].as_u64().is_some_and(|id| ids.contains(&id));
        self.rules.answers.iter().filter(of).cloned().collect()
    }
}

fn error(id: i64, name: &str, message: &str) -> (u16, Value) {
    (400, json!({ "error_id": id, "error_message": message, "error_name": name }))
}

/// Packed without being made smaller, which the format allows.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut pieces = bytes.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap();
        packed.push(u8::from(pieces.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(piece);
    }
    packed
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let checksum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
        })
    });
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    packed.extend(stored(bytes));
    packed.extend((!checksum).to_le_bytes());
    packed.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    packed
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    let mut packed = vec![0x78, 0x01];
    packed.extend(stored(bytes));
    packed.extend(((high << 16) | low).to_be_bytes());
    packed
}
