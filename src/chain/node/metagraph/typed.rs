//! The metagraph by one call of the runtime.

use sn1_actors::domain::Netuid;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_type_resolver::{TypeResolver, visitor};
use subxt::metadata::Metadata;

use super::super::failure::Failure;
use super::super::session::{At, Session};
use super::super::storage;
use super::{AxonInfo, Columns, garbled, no_subnet};

pub(in super::super) const API: &str = "SubnetInfoRuntimeApi";
pub(in super::super) const METHOD: &str = "get_metagraph";

/// The part of the answer that we use. Vectors of `Compact` numbers decode as numbers.
#[derive(Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub(super) struct Answer {
    num_uids: u16,
    hotkeys: Vec<AccountId32>,
    coldkeys: Vec<AccountId32>,
    axons: Vec<AxonInfo>,
    validator_permit: Vec<bool>,
    last_update: Vec<u64>,
    incentives: Vec<u16>,
    /// What votes: the hotkey's stake on the subnet and its share of TAO on the root.
    total_stake: Vec<u64>,
}

/// Those of [`Answer`].
const FIELDS: &[&str] = &[
    "num_uids",
    "hotkeys",
    "coldkeys",
    "axons",
    "validator_permit",
    "last_update",
    "incentives",
    "total_stake",
];

/// Whether the runtime has the call, and says what its result is made of: up to 2025 it was bytes.
pub(super) fn is_there(metadata: &Metadata) -> bool {
    let api = metadata.runtime_api_trait_by_name(API);
    let Some(method) = api.and_then(|api| api.method_by_name(METHOD)) else { return false };
    let types = metadata.types();
    let Some(option) = types.resolve(method.output_ty()) else { return false };
    let Some(answer) = option.type_params.first().and_then(|inner| inner.ty) else { return false };
    let has_all = visitor::new((), |(), _| false).visit_composite(|(), _, fields| {
        let names: Vec<&str> = fields.filter_map(|field| field.name).collect();
        FIELDS.iter().all(|name| names.contains(name))
    });
    types.resolve_type(answer.id, has_all).unwrap_or(false)
}

pub(super) async fn read(session: &Session, at: &At, netuid: Netuid) -> Result<Columns, Failure> {
    let argument = netuid.0.to_le_bytes();
    let name = format!("{API}_{METHOD}");
    let apis = at.runtime_apis();
    let bytes = session.bounded("the metagraph", apis.call_raw(&name, Some(&argument))).await?;
    columns(decode(at.metadata_ref(), &bytes)?.ok_or_else(|| no_subnet(at, netuid))?)
}

/// The answer, by the type that the metadata gives it.
pub(super) fn decode(metadata: &Metadata, bytes: &[u8]) -> Result<Option<Answer>, Failure> {
    let method = metadata.runtime_api_trait_by_name(API).and_then(|api| api.method_by_name(METHOD));
    let method = method.ok_or_else(|| garbled("the call is not there".to_owned()))?;
    storage::decode(metadata, method.output_ty(), bytes).map_err(garbled)
}

pub(super) fn columns(answer: Answer) -> Result<Columns, Failure> {
    let (told, named) = (usize::from(answer.num_uids), answer.hotkeys.len());
    if told != named {
        return Err(garbled(format!("there are {told} neurons and {named} hotkeys")));
    }
    // What the chain gives where there is none.
    if let Some(uid) = answer.hotkeys.iter().position(|hotkey| hotkey.0 == [0; 32]) {
        return Err(garbled(format!("uid {uid} has no hotkey")));
    }
    Ok(Columns {
        hotkeys: answer.hotkeys,
        coldkeys: answer.coldkeys,
        axons: answer.axons.into_iter().map(Some).collect(),
        stakes: answer.total_stake,
        permits: answer.validator_permit,
        updates: answer.last_update,
        incentives: answer.incentives,
    })
}
