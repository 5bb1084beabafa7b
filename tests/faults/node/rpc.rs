//! The node's methods.

use std::str::FromStr;
use std::sync::Arc;

use parity_scale_codec::Encode;
use serde_json::{Value, json};
use subxt::utils::AccountId32;

use super::faults::MetadataFault;
use super::world::{Block, Hash, World, hex};

/// What a node says instead of an answer.
pub(super) struct RpcError {
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Value,
}

impl RpcError {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: Value::Null }
    }

    pub(super) fn no_method() -> Self {
        Self::new(-32_601, "Method not found")
    }

    fn parameters() -> Self {
        Self::new(-32_602, "Invalid params")
    }
}

type Answer = Result<Value, RpcError>;

/// Every method that is a question and an answer.
pub(super) fn answer(world: &mut World, method: &str, params: &[Value]) -> Answer {
    match method {
        "chain_getBlockHash" => Ok(block_hash(world, params.first())),
        "chain_getFinalizedHead" => Ok(json!(hex(&world.best[world.finalized]))),
        "chain_getHeader" => Ok(found(world, params.first()).map_or(Value::Null, |b| header(&b))),
        "chain_getBlock" => Ok(found(world, params.first()).map_or(Value::Null, |b| body(&b))),
        "state_getMetadata" => at(world, params.first()).map(|b| json!(hex(&metadata(world, &b)))),
        "state_getRuntimeVersion" => at(world, params.first()).map(|b| runtime_version(&b)),
        "state_call" => state_call(world, params),
        "state_getStorage" => {
            let block = at(world, params.get(1))?;
            Ok(value(world, &block, &bytes(params.first())?))
        }
        "state_queryStorageAt" => query_storage(world, params),
        "state_getKeysPaged" => keys(world, params),
        "system_accountNextIndex" => {
            let account =
                params.first().and_then(Value::as_str).ok_or_else(RpcError::parameters)?;
            let account = AccountId32::from_str(account).map_err(|_| RpcError::parameters())?;
            Ok(json!(world.next_nonce(&account.0)))
        }
        "author_submitExtrinsic" => {
            world.submit(bytes(params.first())?).map(|hash| json!(hex(&hash)))
        }
        "system_chain" => Ok(json!("Scripted")),
        "system_name" => Ok(json!("scripted-node")),
        "system_version" => Ok(json!("0")),
        "system_properties" => Ok(json!({ "ss58Format": 42, "tokenDecimals": 9 })),
        "system_health" => Ok(json!({ "peers": 8, "isSyncing": false, "shouldHavePeers": true })),
        "rpc_methods" => Ok(json!({ "methods": [] })),
        _ => Err(RpcError::no_method()),
    }
}

fn bytes(value: Option<&Value>) -> Result<Vec<u8>, RpcError> {
    let text = value.and_then(Value::as_str).and_then(|text| text.strip_prefix("0x"));
    text.and_then(|text| hex::decode(text).ok()).ok_or_else(RpcError::parameters)
}

/// The bytes of a transaction that is to be watched.
pub(super) fn submit_watched(world: &mut World, params: &[Value]) -> Result<Hash, RpcError> {
    world.submit(bytes(params.first())?)
}

fn block_hash(world: &World, number: Option<&Value>) -> Value {
    let number = match number {
        None | Some(Value::Null) => Some(world.best.len() - 1),
        Some(Value::String(text)) => usize::from_str_radix(text.trim_start_matches("0x"), 16).ok(),
        Some(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    let told = world.faults.genesis.as_ref().filter(|_| number == Some(0));
    let hash = told.or_else(|| world.best.get(number?));
    hash.map_or(Value::Null, |hash| json!(hex(hash)))
}

/// The block of a hash, or the best one where none is named.
fn found(world: &World, hash: Option<&Value>) -> Option<Arc<Block>> {
    match hash {
        None | Some(Value::Null) => Some(Arc::clone(world.head())),
        hash => {
            let hash: Hash = bytes(hash).ok()?.try_into().ok()?;
            world.blocks.get(&hash).cloned()
        }
    }
}

fn at(world: &World, hash: Option<&Value>) -> Result<Arc<Block>, RpcError> {
    let unknown = || RpcError::new(4003, "Client error: UnknownBlock: Header was not found");
    found(world, hash).ok_or_else(unknown)
}

/// A block's header, as it is shown.
pub(super) fn header(block: &Block) -> Value {
    json!({
        "parentHash": hex(&block.parent),
        "number": format!("0x{:x}", block.number),
        "stateRoot": hex(&block.state_root),
        "extrinsicsRoot": hex(&block.extrinsics_root),
        "digest": { "logs": [] },
    })
}

fn body(block: &Block) -> Value {
    let extrinsics: Vec<String> = block.extrinsics.iter().map(|bytes| hex(bytes)).collect();
    json!({ "block": { "header": header(block), "extrinsics": extrinsics }, "justifications": null })
}

/// A block's runtime version, as it is shown.
pub(super) fn runtime_version(block: &Block) -> Value {
    let layout = &block.runtime.layout;
    json!({
        "specName": "node-subtensor",
        "implName": "node-subtensor",
        "authoringVersion": 1,
        "specVersion": layout.spec_version,
        "implVersion": 1,
        "apis": [],
        "transactionVersion": layout.transaction_version,
        "stateVersion": 1,
    })
}

fn metadata(world: &World, block: &Block) -> Vec<u8> {
    let bytes = &block.runtime.bytes;
    match world.faults.metadata {
        MetadataFault::None => bytes.clone(),
        MetadataFault::Garbage => vec![0xa5; 300],
        MetadataFault::Truncated => bytes[..bytes.len() / 2].to_vec(),
    }
}

fn state_call(world: &World, params: &[Value]) -> Answer {
    let name = params.first().and_then(Value::as_str).ok_or_else(RpcError::parameters)?;
    let argument = bytes(params.get(1))?;
    let block = at(world, params.get(2))?;
    let layout = &block.runtime.layout;
    let answer = match name {
        "Core_version" => {
            let names = ("node-subtensor", "node-subtensor");
            let apis: Vec<([u8; 8], u32)> = Vec::new();
            let versions = (1_u32, layout.spec_version, 1_u32, apis, layout.transaction_version);
            (names, versions, 1_u8).encode()
        }
        "Metadata_metadata_versions" => vec![15_u32].encode(),
        "Metadata_metadata_at_version" => {
            let known = argument == 15_u32.encode();
            known.then(|| metadata(world, &block)).encode()
        }
        "Metadata_metadata" => metadata(world, &block).encode(),
        "AccountNonceApi_account_nonce" => {
            if let Some(message) = world.faults.no_nonce {
                return Err(RpcError::new(4003, message));
            }
            let account: [u8; 32] = argument.try_into().map_err(|_| RpcError::parameters())?;
            block.subnet.accounts.get(&account).map_or(0, |account| account.nonce).encode()
        }
        _ => return Err(RpcError::new(4003, format!("Client error: no export {name}"))),
    };
    Ok(json!(hex(&answer)))
}

fn value(world: &World, block: &Block, key: &[u8]) -> Value {
    let value = block.storage.get(key).filter(|_| !world.faults.empty_storage);
    value.map_or(Value::Null, |value| json!(hex(value)))
}

fn query_storage(world: &World, params: &[Value]) -> Answer {
    let keys = params.first().and_then(Value::as_array).ok_or_else(RpcError::parameters)?;
    let block = at(world, params.get(1))?;
    let mut changes = Vec::new();
    for key in keys {
        changes.push(json!([key, value(world, &block, &bytes(Some(key))?)]));
    }
    let hash = params.get(1).filter(|hash| !hash.is_null()).cloned();
    let hash = hash.unwrap_or_else(|| json!(hex(&world.best[world.best.len() - 1])));
    Ok(json!([{ "block": hash, "changes": changes }]))
}

fn keys(world: &World, params: &[Value]) -> Answer {
    let prefix = bytes(params.first())?;
    let count = params.get(1).and_then(Value::as_u64).ok_or_else(RpcError::parameters)?;
    let count = usize::try_from(count).map_err(|_| RpcError::parameters())?;
    let after = params.get(2).filter(|after| !after.is_null());
    let after = after.map(|after| bytes(Some(after))).transpose()?;
    let block = at(world, params.get(3))?;
    if world.faults.empty_storage {
        return Ok(json!([]));
    }
    let keys = block.storage.keys(&prefix, after.as_deref()).take(count);
    Ok(keys.map(|key| json!(hex(key))).collect())
}
