//! How what miners' sockets see of two kinds of queries is compared.
//!
//! The comparison is held against itself here: two kinds that go through one transport have no
//! difference, and each way in which they could differ is found. Left out: the way of the validator's
//! own queries and users' to that transport; the whole loop's tests compare it without sockets.

mod compare;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use sn1::wire::{HttpTransport, Keypair, TransportOptions, UuidSource};
use sn1::wiring::system_clock;
use sn1_actors::domain::{Query, Role, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use compare::{CapturedRequest, StructuralDifference, compare};

/// Each round asks so many miners.
const FAN_OUT: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(10);
const REPLY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// Miners' sockets, and what came through them.
struct Miners {
    listeners: Vec<TcpListener>,
    captured: RefCell<Vec<CapturedRequest>>,
}

impl Miners {
    async fn listen() -> Self {
        let bound = (0..FAN_OUT).map(|_| TcpListener::bind(("127.0.0.1", 0)));
        let listeners = join_all(bound).await.into_iter().map(Result::unwrap).collect();
        Self { listeners, captured: RefCell::default() }
    }

    fn targets(&self, own: &Keypair) -> Vec<AxonTarget> {
        let address = |listener: &TcpListener| listener.local_addr().unwrap();
        let target = |(n, address): (usize, SocketAddr)| {
            let uid = Uid(u16::try_from(n).unwrap());
            AxonTarget { uid, hotkey: own.hotkey(), address }
        };
        self.listeners.iter().map(address).enumerate().map(target).collect()
    }

    /// Takes so many requests at each socket.
    async fn take(&self, requests: usize) {
        join_all(self.listeners.iter().map(|listener| async move {
            for _ in 0..requests {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                let request = loop {
                    assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "cut off");
                    if let Some(request) = CapturedRequest::parse(&bytes) {
                        break request;
                    }
                };
                self.captured.borrow_mut().push(request);
                stream.write_all(REPLY).await.unwrap();
            }
        }))
        .await;
    }
}

/// What miners see of so many rounds that one transport asks; each says something else.
async fn seen(
    miners: &Miners,
    key: &str,
    rounds: usize,
    timeout: Duration,
) -> Vec<CapturedRequest> {
    let key = Arc::new(Keypair::from_dev_uri(key).unwrap());
    let targets = miners.targets(&Keypair::from_dev_uri("//Alice").unwrap());
    let options = TransportOptions { allow_local: true, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(key, system_clock(), uuids, options);
    let asking = async {
        for round in 0..rounds {
            let mut query = Query::from_user(format!("round {round}"));
            if round % 3 == 0 {
                query.roles.insert(0, Role::System);
                query.messages.insert(0, "Be brief.".into());
            }
            let query = Arc::new(query);
            let ask = |target: &AxonTarget| transport.ask(target.clone(), query.clone(), timeout);
            join_all(targets.iter().map(ask)).await;
        }
    };
    join(asking, miners.take(rounds)).await;
    miners.captured.take()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Some rounds of one kind and of another, by the same key and transport.
fn both(rounds: usize, timeouts: [Duration; 2]) -> [Vec<CapturedRequest>; 2] {
    block_on(async {
        let miners = Miners::listen().await;
        let own = seen(&miners, "//Bob", rounds, timeouts[0]).await;
        [own, seen(&miners, "//Bob", rounds, timeouts[1]).await]
    })
}

/// The names of what differs.
fn facets(found: &[StructuralDifference]) -> Vec<&str> {
    found.iter().map(|difference| difference.facet.as_str()).collect()
}

#[test]
fn the_comparison_finds_no_difference_between_one_transport_s_queries_and_its_others() {
    let [own, users] = both(250, [TIMEOUT; 2]);
    assert_eq!((own.len(), users.len()), (1_000, 1_000));
    assert_eq!(compare(&own, &users), []);
}

#[test]
fn another_timeout_is_found_in_the_headers_and_in_the_body() {
    let [own, users] = both(2, [TIMEOUT, TIMEOUT + Duration::from_secs(1)]);
    let found = compare(&own, &users);
    // The header sizes count the digits of the timeout, of which there are as many.
    assert_eq!(facets(&found), ["body: timeout", "header: timeout"]);
    assert_eq!(found[0].only_second.iter().collect::<Vec<_>>(), ["11.0"]);
}

#[test]
fn each_mutation_of_one_kind_is_found() {
    let [own, users] = both(3, [TIMEOUT; 2]);
    let changed = |change: &dyn Fn(&mut CapturedRequest)| {
        let mut users = users.clone();
        change(&mut users[1]);
        let found = compare(&own, &users);
        assert_eq!(compare(&users, &own).len(), found.len());
        facets(&found).join(", ")
    };
    let header = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), value.to_owned());
        changed(&move |request| request.headers.push((name.clone(), value.clone())))
    };
    assert_eq!(header("x-user", "1"), "header: x-user, headers");
    assert_eq!(changed(&|request| request.headers.swap(1, 2)), "headers");
    let upper = changed(&|request| request.headers[1].0.make_ascii_uppercase());
    assert!(upper.ends_with(", headers"), "{upper}");
    assert_eq!(changed(&|request| request.line.insert(6, 'X')), "request line");
    let named = |name: &str, value: &str| {
        changed(&|request| {
            let header = request.headers.iter_mut().find(|(found, _)| found == name);
            header.unwrap().1 = value.to_owned();
        })
    };
    let uuid = named("bt_header_dendrite_uuid", "0f0e0d0c-1111-1222-8333-444455556666");
    assert_eq!(uuid, "header: bt_header_dendrite_uuid");
    assert_eq!(named("bt_header_dendrite_nonce", "17"), "header: bt_header_dendrite_nonce");
    assert_eq!(named("bt_header_dendrite_version", "9"), "header: bt_header_dendrite_version");
    let body = |from: &str, to: &str| {
        changed(&|request| {
            assert!(request.body.contains(from), "{}", request.body);
            request.body = request.body.replacen(from, to, 1);
        })
    };
    assert_eq!(body("\"completion\":\"\"", "\"completion\":null"), "body: completion");
    assert_eq!(body("{\"name\"", "{\"user\":7,\"name\""), "body keys, body: user");
    assert_eq!(body("{\"name\":\"PromptingSynapse\",", "{"), "body keys");
    assert_eq!(body("\"roles\":", "\"roles\": "), "body spacing");
    let last = |request: &mut CapturedRequest| {
        let (_, rest) = request.body.split_once(",\"timeout\":10.0").unwrap();
        request.body = format!("{{\"timeout\":10.0,\"name\":\"PromptingSynapse\"{rest}");
    };
    assert_eq!(changed(&last), "body keys");
}

#[test]
fn another_fan_out_is_found() {
    let [own, mut users] = both(3, [TIMEOUT; 2]);
    users.pop();
    let found = compare(&own, &users);
    assert_eq!(facets(&found), ["fan-out"]);
    assert_eq!(found[0].to_string(), "fan-out: only in the second: 3");
}
