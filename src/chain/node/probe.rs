//! What a runtime has of all that we use: calls, storage, runtime APIs and constants by name, those
//! that every client needs for itself (events, the runtime's version) left out.

use serde::Serialize;
use subxt::metadata::Metadata;

use super::{
    block_time, calls, commit_reveal, epoch, metagraph, neuron, registration, rules, search,
    storage,
};

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

/// Storage besides what the metagraph and the rules are read from.
const STORAGE: &[&str] = &[
    commit_reveal::COMMITS,
    epoch::TEMPO,
    epoch::INDEX,
    neuron::UIDS,
    neuron::AXONS,
    neuron::WEIGHTS,
    neuron::LAST_UPDATE,
    neuron::SERVING_LIMIT,
    neuron::WEIGHTS_LIMIT,
    registration::BURN,
];

/// Storage of other pallets.
const ELSEWHERE: &[(&str, &str)] = &[commit_reveal::NOW, registration::ACCOUNT];

const APIS: &[(&str, &str)] =
    &[(metagraph::API, metagraph::METHOD), (epoch::API, epoch::NEXT_START), search::NONCE];

const CONSTANTS: &[(&str, &str)] = &[block_time::CONSTANT];

/// What no neuron can do without, whatever the version of the runtime, besides the metagraph and a
/// way to set weights.
const NEEDED: &[&str] = &[
    neuron::UIDS,
    neuron::AXONS,
    neuron::WEIGHTS,
    neuron::LAST_UPDATE,
    neuron::SERVING_LIMIT,
    neuron::WEIGHTS_LIMIT,
    epoch::TEMPO,
];

/// The names of what the runtime lacks although no neuron can do without it: what is renamed or gone
/// since this program was made. How weights are set depends on the subnet, and is not told here.
#[must_use]
pub fn lacking(metadata: &Metadata) -> Vec<String> {
    let stored = NEEDED.iter().chain(rules::EVERYWHERE);
    let mut lacking: Vec<String> = stored
        .filter(|name| !storage::exists(metadata, name))
        .map(|name| format!("{}.{name}", storage::PALLET))
        .collect();
    let pallet = metadata.pallet_by_name(storage::PALLET);
    if pallet.is_none_or(|pallet| pallet.call_variant_by_name(calls::SERVE_AXON).is_none()) {
        lacking.push(format!("{}.{}", storage::PALLET, calls::SERVE_AXON));
    }
    lacking.extend(metagraph::lacking(metadata));
    lacking.sort_unstable();
    lacking.dedup();
    lacking
}

/// Looks for everything that we use, in a fixed order.
#[must_use]
pub fn items(metadata: &Metadata) -> Vec<ProbedItem> {
    let in_pallet = |kind, name: &str, present| ProbedItem {
        kind,
        name: format!("{}.{name}", storage::PALLET),
        present,
    };
    let calls = calls::names().map(|name| {
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
    let elsewhere = ELSEWHERE.iter().map(|(pallet, name)| {
        let found = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.storage());
        let present = found.is_some_and(|storage| storage.entry_by_name(name).is_some());
        ProbedItem { kind: ItemKind::Storage, name: format!("{pallet}.{name}"), present }
    });
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
    calls.chain(stored).chain(elsewhere).chain(apis).chain(constants).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::node::testkit::{FakeNode, mainnet};

    #[tokio::test]
    async fn the_main_networks_runtime_lacks_nothing_that_is_needed() {
        let Some(metadata) = mainnet() else { return };
        let session = FakeNode::new(metadata).session().await;
        let at = session.now().await.unwrap();
        assert_eq!(lacking(at.metadata_ref()), Vec::<String>::new());
    }
}
