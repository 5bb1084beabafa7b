//! A node in memory for the tests beside it: mainnet's metadata, and what a test puts into storage.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use parity_scale_codec::Encode;
use parking_lot::Mutex;
use serde_json::{Value as Json, json, value::RawValue};
use subxt::ext::scale_encode::EncodeAsType;
use subxt::ext::scale_value::Value;
use subxt::metadata::Metadata;
use subxt::rpcs::RpcClient;
use subxt::rpcs::client::{RawRpcFuture, RawRpcSubscription, RpcClientT};
use tokio::sync::mpsc;

use super::session::{At, Session};
use super::storage::{self, Item};

pub(super) const SPEC: u32 = 393;
pub(super) const BLOCK: u64 = 1_000;
const HASH: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

/// Mainnet's metadata; none where the reference files are not there, which is said.
pub(super) fn mainnet() -> Option<Vec<u8>> {
    let folder = std::env::var_os("TEST_FIXTURES")
        .map_or_else(|| PathBuf::from("../shared/reference"), PathBuf::from);
    let path = folder.join("chain/finney-393.scale");
    let read = std::fs::read(&path).ok();
    if read.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    read
}

/// The parts of a node that reads need.
#[derive(Clone)]
pub(super) struct FakeNode(Arc<Inside>);

struct Inside {
    metadata: Vec<u8>,
    stored: Mutex<HashMap<String, String>>,
    /// Answers of runtime calls, in hex digits.
    calls: Mutex<HashMap<String, String>>,
    /// Keys that its answers leave out.
    silent: Mutex<Option<String>>,
    requests: AtomicUsize,
    heads: (mpsc::UnboundedSender<u64>, Mutex<Option<mpsc::UnboundedReceiver<u64>>>),
}

impl FakeNode {
    pub(super) fn new(metadata: Vec<u8>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self(Arc::new(Inside {
            metadata,
            stored: Mutex::default(),
            calls: Mutex::default(),
            silent: Mutex::default(),
            requests: AtomicUsize::new(0),
            heads: (sender, Mutex::new(Some(receiver))),
        }))
    }

    pub(super) async fn session(&self) -> Session {
        let rpc = RpcClient::new(self.clone());
        Session::over(rpc, "ws://fake", Duration::from_secs(5)).await.unwrap()
    }

    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Tells the one who subscribes of a final block.
    pub(super) fn finalize(&self, block: u64) {
        self.0.heads.0.send(block).unwrap();
    }

    /// Puts a value into storage.
    pub(super) fn store(&self, at: &At, item: &Item, value: &Value) {
        let entry = at.metadata_ref().pallet_by_name(storage::PALLET).unwrap().storage().unwrap();
        let entry = entry.entry_by_name(item.name()).unwrap();
        let value = encode(at.metadata_ref(), entry.value_ty(), value);
        self.0.stored.lock().insert(hex(&storage::key(at, item).unwrap()), hex(&value));
    }

    pub(super) fn forget(&self, at: &At, item: &Item) {
        self.0.stored.lock().remove(&hex(&storage::key(at, item).unwrap()));
    }

    pub(super) fn leave_out(&self, at: &At, item: &Item) {
        *self.0.silent.lock() = Some(hex(&storage::key(at, item).unwrap()));
    }

    pub(super) fn answer_call(&self, name: &str, answer: &[u8]) {
        self.0.calls.lock().insert(name.to_owned(), hex(answer));
    }

    fn answer(&self, method: &str, params: &[Json]) -> Json {
        match method {
            "chain_getBlockHash" | "chain_getFinalizedHead" => json!(HASH),
            "chain_getHeader" => header(BLOCK),
            "state_call" => json!(self.call(params[0].as_str().unwrap())),
            "state_queryStorageAt" => {
                let (stored, silent) = (self.0.stored.lock(), self.0.silent.lock().clone());
                let keys = params[0].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                let keys = keys.filter(|key| silent.as_deref() != Some(*key));
                let changes: Vec<Json> = keys.map(|key| json!([key, stored.get(key)])).collect();
                json!([{"block": HASH, "changes": changes}])
            }
            other => panic!("the fake node has no {other}"),
        }
    }

    fn call(&self, name: &str) -> String {
        match name {
            "Core_version" => {
                let apis = Vec::<([u8; 8], u32)>::new();
                hex(&("node", "node", 1_u32, SPEC, 1_u32, apis, 1_u32).encode())
            }
            "Metadata_metadata_versions" => hex(&vec![16_u32].encode()),
            "Metadata_metadata_at_version" => hex(&Some(self.0.metadata.clone()).encode()),
            other => self.0.calls.lock()[other].clone(),
        }
    }
}

impl RpcClientT for FakeNode {
    fn request_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
    ) -> RawRpcFuture<'a, Box<RawValue>> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let params: Option<Vec<Json>> =
            params.map(|params| serde_json::from_str(params.get()).unwrap());
        let answer = self.answer(method, &params.unwrap_or_default());
        Box::pin(async move { Ok(serde_json::value::to_raw_value(&answer).unwrap()) })
    }

    fn subscribe_raw<'a>(
        &'a self,
        _: &'a str,
        _: Option<Box<RawValue>>,
        _: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        // A second subscription is one too many.
        let heads = self.0.heads.1.lock().take().unwrap();
        let news = stream::unfold(heads, |mut heads| async {
            let head = header(heads.recv().await?);
            Some((Ok(serde_json::value::to_raw_value(&head).unwrap()), heads))
        });
        let subscription = RawRpcSubscription { stream: Box::pin(news), id: None };
        Box::pin(async move { Ok(subscription) })
    }
}

fn header(number: u64) -> Json {
    json!({
        "parentHash": HASH, "number": format!("{number:#x}"), "stateRoot": HASH,
        "extrinsicsRoot": HASH, "digest": {"logs": []},
    })
}

/// A value as a type of the metadata.
pub(super) fn encode(metadata: &Metadata, type_id: u32, value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode_as_type_to(type_id, metadata.types(), &mut bytes).unwrap();
    bytes
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
