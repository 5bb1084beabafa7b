//! What a runtime has of all that we use.

use serde::Serialize;
use subxt::metadata::Metadata;

use super::{metagraph, rules, storage};

/// What can be there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A call that is signed.
    Call,
    /// A value in storage.
    Storage,
    /// A call of the runtime that changes nothing.
    RuntimeApi,
    /// A constant of the runtime.
    Constant,
}

/// One thing that we use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbedItem {
    /// What it is.
    pub kind: ItemKind,
    /// Its name, as `SubtensorModule.set_weights`.
    pub name: String,
    /// Whether the runtime has it.
    pub present: bool,
}

/// Every runtime has some of these and not others; which, decides how we go about things.
pub const CALLS: &[&str] = &[
    "serve_axon",
    "burned_register",
    "set_weights",
    "commit_weights",
    "reveal_weights",
    "commit_timelocked_weights",
    "set_mechanism_weights",
    "commit_mechanism_weights",
    "reveal_mechanism_weights",
    "commit_timelocked_mechanism_weights",
];

/// Storage besides what the metagraph and the rules are read from.
const STORAGE: &[&str] = &[
    "Weights",
    "WeightCommits",
    "TimelockedWeightCommits",
    "LastEpochBlock",
    "PendingEpochAt",
    "SubnetEpochIndex",
    "BlocksSinceLastStep",
    "LastMechansimStepBlock",
];

const APIS: &[(&str, &str)] = &[
    (metagraph::API, metagraph::METHOD),
    (metagraph::API, "get_next_epoch_start_block"),
    ("AccountNonceApi", "account_nonce"),
    ("TaggedTransactionQueue", "validate_transaction"),
];

const CONSTANTS: &[(&str, &str)] =
    &[("System", "BlockHashCount"), ("System", "Version"), ("Timestamp", "MinimumPeriod")];

/// Looks for everything that we use, in a fixed order.
#[must_use]
pub fn items(metadata: &Metadata) -> Vec<ProbedItem> {
    let in_pallet = |kind, name: &str, present| ProbedItem {
        kind,
        name: format!("{}.{name}", storage::PALLET),
        present,
    };
    let calls = CALLS.iter().map(|name| {
        let pallet = metadata.pallet_by_name(storage::PALLET);
        let call = pallet.and_then(|pallet| pallet.call_variant_by_name(name));
        in_pallet(ItemKind::Call, name, call.is_some())
    });
    let stored = [metagraph::ITEMS, metagraph::STAKES, rules::EVERYWHERE, rules::OPTIONAL, STORAGE];
    let mut stored = stored.concat();
    stored.sort_unstable();
    stored.dedup();
    let stored = stored
        .into_iter()
        .map(|name| in_pallet(ItemKind::Storage, name, storage::exists(metadata, name)));
    let apis = APIS.iter().map(|(api, method)| {
        let found = metadata.runtime_api_trait_by_name(api);
        let present = found.is_some_and(|api| api.method_by_name(method).is_some());
        ProbedItem { kind: ItemKind::RuntimeApi, name: format!("{api}.{method}"), present }
    });
    let constants = CONSTANTS.iter().map(|(pallet, name)| {
        let found = metadata.pallet_by_name(pallet);
        let present = found.is_some_and(|pallet| pallet.constant_by_name(name).is_some());
        ProbedItem { kind: ItemKind::Constant, name: format!("{pallet}.{name}"), present }
    });
    calls.chain(stored).chain(apis).chain(constants).collect()
}
