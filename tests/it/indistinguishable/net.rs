//! A local network as the program wires it, whose miners write down what comes through their sockets.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::Value;
use sn1::config::{FlagValue, FlagValues, Inputs, Role, Settings};
use sn1::wire::Keypair;
use sn1::wiring::{localnet, system_clock};
use sn1_actors::domain::{Query, Role as Speaker};
use sn1_actors::organic::ask_miners;
use sn1_actors::pacer::Pacer;
use sn1_actors::runtime::{Overseer, Tasks};
use sn1_actors::testkit::{MemoryJournal, MemoryLedger};
use sn1_actors::wiring::Validator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::compare::CapturedRequest;

/// So many miners there are, and each round asks so many of them.
const MINERS: usize = 4;
pub(super) const FAN_OUT: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(30);
/// So many users ask at a time.
const USERS: usize = 5;
/// No user is further ahead of the validator, in rounds: both kinds go on beside each other.
const AHEAD: u64 = 20;
/// What a local network is told besides its miners. Texts are short, as many have to be written; the
/// rhythm is about as fast as they are.
const FLAGS: &[(&str, &[&str])] = &[
    ("neuron.model_id", &["fake"]),
    ("neuron.max_tokens", &["8"]),
    ("neuron.sample_size", &["3"]),
    ("neuron.timeout", &["30"]),
    ("neuron.num_concurrent_forwards", &["16"]),
    ("neuron.tasks", &["math"]),
    ("neuron.task_p", &["1"]),
    ("persona.max_turns", &["1"]),
    ("tools.sources", &["maths"]),
    ("gateway.enabled", &["true"]),
    ("gateway.rhythm", &["0.002"]),
    ("gateway.scored", &["1"]),
    ("localnet.block_time", &["0.05"]),
];

/// What miners saw.
pub(super) struct Seen {
    pub(super) own: Vec<CapturedRequest>,
    pub(super) users: Vec<CapturedRequest>,
}

/// What miners see of so many rounds of the validator's own and as many of users, at the same time.
pub(super) fn seen(rounds: usize) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let overseer = Overseer::new(system_clock(), Arc::new(MemoryJournal::default()));
        let miners = Miners::listen(overseer.tasks()).await;
        let settings = settings(&miners.addresses);
        let (journal, ledger) = (overseer.journal(), Arc::new(MemoryLedger::default()));
        let net = localnet::start(&overseer, &settings, 7, journal, ledger).await.unwrap();
        let pacer = Pacer { steps: Some(rounds as u64), ..net.validator.pacer.clone() };
        let (ran, texts) = join(pacer.run(), users(&net.validator, rounds)).await;
        ran.unwrap();
        overseer.kill().stop();
        let is_user = |request: &CapturedRequest| texts.contains(&last_message(request));
        let (users, own) = miners.captured.take().into_iter().partition(is_user);
        Seen { own, users }
    })
}

fn settings(miners: &[SocketAddr]) -> Settings {
    let place = |(n, address): (usize, &SocketAddr)| {
        let key = Keypair::from_dev_uri(&format!("//captured//{n}")).unwrap();
        format!("{address}={}", key.hotkey())
    };
    let flag = |(key, values): &(&str, &[&str])| FlagValue {
        key: (*key).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let mut values: Vec<FlagValue> = FLAGS.iter().map(flag).collect();
    let miners = miners.iter().enumerate().map(place).collect();
    values.push(FlagValue { key: "localnet.external_miners".into(), values: miners });
    let flags = FlagValues { overlays: Vec::new(), values };
    let loaded = Settings::load(Role::Localnet, &Inputs { flags, ..Inputs::default() }).unwrap();
    let mut settings = loaded.settings;
    settings.localnet.miners.clear();
    settings
}

/// Has as many rounds asked by users, and gives what they said.
async fn users(validator: &Validator, rounds: usize) -> BTreeSet<String> {
    let door = validator.ask_miners.as_ref().unwrap();
    let said = RefCell::new(BTreeSet::new());
    join_all((0..USERS).map(async |user| {
        let mut own = validator.log.tally();
        for round in (user..rounds).step_by(USERS) {
            drop(own.wait_for(|own| own.steps + AHEAD >= round as u64).await.unwrap());
            let query = query(round);
            said.borrow_mut().extend(query.messages.last().cloned());
            ask_miners(door, query, TIMEOUT).await.unwrap();
        }
    }))
    .await;
    said.into_inner()
}

/// Each says something else; some with a system message or after something was said.
fn query(round: usize) -> Query {
    let mut query = Query::from_user(format!("What would a user ask in round {round}?"));
    if round.is_multiple_of(3) {
        query.roles.splice(0..0, [Speaker::User, Speaker::Assistant]);
        query.messages.splice(0..0, ["Hello.", "How can I help?"].map(str::to_owned));
    }
    if round.is_multiple_of(4) {
        query.roles.insert(0, Speaker::System);
        query.messages.insert(0, "Be brief.".into());
    }
    query
}

fn last_message(request: &CapturedRequest) -> String {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    messages.last().unwrap().as_str().unwrap().to_owned()
}

/// Miners' sockets, and what came through them.
struct Miners {
    addresses: Vec<SocketAddr>,
    captured: Rc<RefCell<Vec<CapturedRequest>>>,
}

impl Miners {
    async fn listen(tasks: &Tasks) -> Self {
        let captured = Rc::new(RefCell::default());
        let mut addresses = Vec::new();
        for _ in 0..MINERS {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let (captured, each) = (Rc::clone(&captured), tasks.clone());
            tasks.spawn("miner", async move {
                loop {
                    let (stream, from) = listener.accept().await.unwrap();
                    each.spawn("connection", answer(stream, from, Rc::clone(&captured)));
                }
            });
        }
        Self { addresses, captured }
    }
}

/// Answers what comes over one connection, as long as the other side keeps it.
async fn answer(
    mut stream: TcpStream,
    from: SocketAddr,
    captured: Rc<RefCell<Vec<CapturedRequest>>>,
) {
    let mut bytes = Vec::new();
    loop {
        if let Some((request, length)) = CapturedRequest::parse(&bytes, from) {
            bytes.drain(..length);
            let reply = reply(&request);
            captured.borrow_mut().push(request);
            stream.write_all(&reply).await.unwrap();
        } else if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return assert!(bytes.is_empty(), "cut off");
        }
    }
}

fn reply(request: &CapturedRequest) -> Vec<u8> {
    let mut synapse: Value = serde_json::from_str(&request.body).unwrap();
    synapse["completion"] = "I have heard that.".into();
    let body = synapse.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                bt_header_axon_status_code: 200\r\nbt_header_axon_status_message: Success\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
