//! The node's sockets: each connection is a task, which answers requests one after the other and
//! tells its subscribers of every change.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::{WebSocketStream, accept_async, accept_hdr_async};

use super::faults::{Cut, Door};
use super::rpc::{RpcError, answer, header, runtime_version, submit_watched};
use super::world::{Hash, World};

/// The world, and the number of the last change to it.
pub(super) struct Shared {
    world: Mutex<World>,
    changes: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(world: World) -> Arc<Self> {
        Arc::new(Self { world: Mutex::new(world), changes: watch::Sender::new(0) })
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the world, and wakes whoever waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|number| *number += 1);
        result
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A test that fails while it looks must not take the others' words.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Accepts connections until the node is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut end: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut end => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let number = shared.change(|world| {
                    world.accepted += 1;
                    world.open += 1;
                    world.accepted
                });
                let guard = Open(Arc::clone(&shared));
                connections.spawn(async move {
                    connection(stream, number, &guard.0).await;
                    drop(guard);
                });
            }
        }
    }
}

/// Counts a socket for as long as it is open.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.change(|world| world.open -= 1);
    }
}

async fn connection(stream: TcpStream, number: usize, shared: &Shared) {
    let door = shared.change(|world| {
        let door = world.faults.door;
        if let Door::Answers { status, times } = door {
            world.faults.door = match times {
                0 | 1 => Door::Open,
                _ => Door::Answers { status, times: times - 1 },
            };
        }
        door
    });
    match door {
        Door::Slams => {}
        Door::Hangs => tokio::select! {
            () = hung_up(number, shared) => {}
            () = left(&stream) => {}
        },
        Door::Answers { status, times } if times > 0 => {
            #[expect(clippy::result_large_err, reason = "the library's callback is of this type")]
            let refuse = |_: &Request, _: Response| {
                let mut response = ErrorResponse::new(None);
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Err::<Response, _>(response)
            };
            // The refusal is an error of the handshake: that is how it is meant to end.
            let _refused = accept_hdr_async(stream, refuse).await;
        }
        Door::Open | Door::Answers { .. } => {
            if let Ok(socket) = accept_async(stream).await {
                Connection::new(socket, number, shared).run().await;
            }
        }
    }
}

/// Resolves when the test hangs up on a connection.
async fn hung_up(number: usize, shared: &Shared) {
    let mut changes = shared.changes();
    while shared.look(|world| number >= world.hung_up_before) {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Resolves when the other side has closed the connection.
async fn left(stream: &TcpStream) {
    let mut sink = [0; 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut sink) {
            Ok(0) => return,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

enum Topic {
    NewHeads,
    FinalHeads,
    RuntimeVersion,
    Transaction(Hash),
}

struct Subscription {
    id: String,
    topic: Topic,
    /// How much of the topic was told already.
    told: usize,
}

/// Whether the socket stays open.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    HangUp,
}

struct Connection<'a> {
    socket: WebSocketStream<TcpStream>,
    number: usize,
    shared: &'a Shared,
    subscriptions: Vec<Subscription>,
    next_id: usize,
    dead: bool,
}

impl<'a> Connection<'a> {
    fn new(socket: WebSocketStream<TcpStream>, number: usize, shared: &'a Shared) -> Self {
        Self { socket, number, shared, subscriptions: Vec::new(), next_id: 0, dead: false }
    }

    async fn run(mut self) {
        let mut changes = self.shared.changes();
        loop {
            let then = tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => self.look_around().await,
                    Err(_) => Then::HangUp,
                },
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(text.as_str()).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Then::HangUp,
                    Some(Ok(_)) => Then::GoOn,
                },
            };
            if then == Then::HangUp {
                return;
            }
        }
    }

    /// After a change: is this connection still wanted, and what has it to tell?
    async fn look_around(&mut self) -> Then {
        let (hung_up, mute) =
            self.shared.look(|world| (self.number < world.hung_up_before, world.faults.mute));
        self.dead |= mute;
        if hung_up {
            return Then::HangUp;
        }
        self.tell().await
    }

    async fn hear(&mut self, text: &str) -> Then {
        let Ok(request) = serde_json::from_str::<Value>(text) else { return Then::HangUp };
        self.dead |= self.shared.look(|world| world.faults.mute);
        let reply = match request {
            Value::Array(requests) => {
                let mut replies = Vec::new();
                for request in &requests {
                    let (reply, then) = self.reply(request);
                    if then == Then::HangUp {
                        return then;
                    }
                    replies.push(reply);
                }
                Value::Array(replies)
            }
            request => {
                let (reply, then) = self.reply(&request);
                if then == Then::HangUp {
                    return then;
                }
                reply
            }
        };
        if self.dead {
            return Then::GoOn;
        }
        let slow = self.shared.look(|world| world.faults.slow);
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        if self.send(reply).await == Then::HangUp {
            return Then::HangUp;
        }
        self.tell().await
    }

    async fn send(&mut self, message: Value) -> Then {
        match self.socket.send(Message::text(message.to_string())).await {
            Ok(()) => Then::GoOn,
            Err(_) => Then::HangUp,
        }
    }

    fn reply(&mut self, request: &Value) -> (Value, Then) {
        let method = request["method"].as_str().unwrap_or_default();
        let params = request["params"].as_array().cloned().unwrap_or_default();
        let dead = self.dead;
        let hang_up = self.shared.change(|world| {
            *world.requests.entry(method.to_owned()).or_default() += 1;
            world.faults.hang_up_on.take_if(|on| !dead && *on == method).is_some()
        });
        if hang_up || dead {
            return (Value::Null, if hang_up { Then::HangUp } else { Then::GoOn });
        }
        let result = self.result(method, &params);
        let cut = method.starts_with("author_submit") && result.is_ok() && self.cut();
        let id = request["id"].clone();
        let reply = match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(RpcError { code, message, data }) => {
                let error = json!({ "code": code, "message": message, "data": data });
                json!({ "jsonrpc": "2.0", "id": id, "error": error })
            }
        };
        (reply, if cut { Then::HangUp } else { Then::GoOn })
    }

    /// Whether the connection is cut now that a transaction was taken.
    fn cut(&self) -> bool {
        self.shared.change(|world| match world.faults.cut_after_submit.take() {
            None => false,
            Some(Cut::Kept) => true,
            Some(Cut::Lost) => {
                world.drop_pool();
                true
            }
        })
    }

    fn result(&mut self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        let topic = match method {
            "chain_subscribeNewHeads" | "chain_subscribeAllHeads" => Topic::NewHeads,
            "chain_subscribeFinalizedHeads" => Topic::FinalHeads,
            "state_subscribeRuntimeVersion" => Topic::RuntimeVersion,
            "author_submitAndWatchExtrinsic" => {
                Topic::Transaction(self.shared.change(|world| submit_watched(world, params))?)
            }
            _ if method.contains("_unsubscribe") || method == "author_unwatchExtrinsic" => {
                let id = params.first().and_then(Value::as_str).unwrap_or_default();
                let before = self.subscriptions.len();
                self.subscriptions.retain(|subscription| subscription.id != id);
                return Ok(json!(self.subscriptions.len() < before));
            }
            _ if method.starts_with("author_") => {
                return self.shared.change(|world| answer(world, method, params));
            }
            // What only reads changes nothing, and need wake nobody.
            _ => return answer(&mut self.shared.lock(), method, params),
        };
        self.next_id += 1;
        let id = format!("{}-{}", self.number, self.next_id);
        // The newest of a topic is told at once, and all that follow.
        let told = self.shared.look(|world| match &topic {
            Topic::NewHeads => world.best.len() - 1,
            Topic::FinalHeads => world.finalized,
            Topic::RuntimeVersion => 0,
            // What was of the same bytes before is over: the last status is of this submission.
            Topic::Transaction(hash) => world.statuses[hash].len() - 1,
        });
        self.subscriptions.push(Subscription { id: id.clone(), topic, told });
        Ok(json!(id))
    }

    async fn tell(&mut self) -> Then {
        if self.dead {
            return Then::GoOn;
        }
        let shared = self.shared;
        let news = shared.look(|world| {
            let told = |subscription: &mut Subscription| {
                let (method, results) = subscription.news(world);
                let id = subscription.id.clone();
                let news = results.into_iter().map(move |result| {
                    let params = json!({ "subscription": id, "result": result });
                    json!({ "jsonrpc": "2.0", "method": method, "params": params })
                });
                news.collect::<Vec<_>>()
            };
            self.subscriptions.iter_mut().flat_map(told).collect::<Vec<_>>()
        });
        for message in news {
            if self.send(message).await == Then::HangUp {
                return Then::HangUp;
            }
        }
        Then::GoOn
    }
}

impl Subscription {
    /// What there is that was not told yet.
    fn news(&mut self, world: &World) -> (&'static str, Vec<Value>) {
        let heads = |from: usize, to: usize| -> Vec<Value> {
            world.best[from.min(to)..to].iter().map(|hash| header(&world.blocks[hash])).collect()
        };
        match &self.topic {
            Topic::NewHeads => {
                let heads = heads(self.told, world.best.len());
                self.told = world.best.len();
                ("chain_newHead", heads)
            }
            Topic::FinalHeads => {
                let heads = heads(self.told, world.finalized + 1);
                self.told = world.finalized + 1;
                ("chain_finalizedHead", heads)
            }
            Topic::RuntimeVersion => {
                let head = world.head();
                let spec = usize::try_from(head.runtime.layout.spec_version).unwrap();
                let new = (self.told != spec).then(|| runtime_version(head));
                self.told = spec;
                ("state_runtimeVersion", new.into_iter().collect())
            }
            Topic::Transaction(hash) => {
                let statuses = world.statuses.get(hash).map_or(&[][..], Vec::as_slice);
                let news = statuses[self.told..].to_vec();
                self.told = statuses.len();
                ("author_extrinsicUpdate", news)
            }
        }
    }
}
