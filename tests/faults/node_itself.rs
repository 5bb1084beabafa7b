//! The scripted node is a node to subxt: what the other tests find is our client's doing.

use std::time::Duration;

use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::dynamic::Value;
use subxt::ext::scale_value::At;
use tokio::time::timeout;

use crate::client::{Key, connect, set_weights};
use crate::node::{
    Axon, Cut, Door, HUNG, Layout, MetadataFault, Neuron, Node, Orphans, Scripted, Subnet, errors,
};

/// A validator, whose key is [`Key::of`] 1, and two miners.
pub(crate) fn small_subnet() -> Subnet {
    let mut miner = Neuron::miner(Key::of(3).account());
    miner.axon = Some(Axon::at("203.0.113.7:8091".parse().unwrap()));
    let neurons =
        vec![Neuron::validator(Key::of(1).account()), Neuron::miner(Key::of(2).account()), miner];
    Subnet { neurons, ..Subnet::empty() }
}

#[tokio::test]
async fn storage_reads_back_whatever_the_order_of_fields() {
    for layout in [Layout::first(), Layout::second()] {
        let node = Node::start_with(small_subnet(), layout);
        let at = connect(&node).await.at_current_block().await.unwrap();
        let storage = at.storage();
        let size = subxt::dynamic::storage::<(u16,), u16>("SubtensorModule", "SubnetworkN");
        let size = storage.fetch(size, (1,)).await.unwrap().decode().unwrap();
        assert_eq!(size, 3);
        let axon = subxt::dynamic::storage::<(u16, [u8; 32]), Value>("SubtensorModule", "Axons");
        let axon = storage.fetch(axon, (1, Key::of(3).account())).await.unwrap().decode().unwrap();
        assert_eq!(axon.at("port").and_then(|port| port.as_u128()), Some(8091));
        assert_eq!(axon.at("ip").and_then(|ip| ip.as_u128()), Some(0xcb00_7107));
        let keys = subxt::dynamic::storage::<(u16, u16), [u8; 32]>("SubtensorModule", "Keys");
        let mut keys = storage.iter(keys, (1,)).await.unwrap();
        let mut hotkeys = Vec::new();
        while let Some(entry) = keys.next().await {
            hotkeys.push(entry.unwrap().value().decode().unwrap());
        }
        assert_eq!(hotkeys, [1, 2, 3].map(|seed| Key::of(seed).account()));
    }
}

#[tokio::test]
async fn a_signed_setting_of_weights_is_included_and_seen_as_an_event() {
    for layout in [Layout::first(), Layout::second()] {
        let node = Node::start_with(small_subnet(), layout);
        let client = connect(&node).await;
        let call = set_weights(&[1, 2], &[65_535, 20_000]);
        let mut transactions = client.tx().await.unwrap();
        let progress =
            transactions.sign_and_submit_then_watch_default(&call, &Key::of(1)).await.unwrap();
        node.grow();
        let done = timeout(HUNG, progress.wait_for_finalized_success()).await.unwrap().unwrap();
        let names: Vec<String> = done
            .iter()
            .map(|event| event.map(|event| event.event_name().to_owned()).unwrap())
            .collect();
        assert_eq!(names, ["WeightsSet", "ExtrinsicSuccess"]);
        let weights = node.look(|world| world.final_state().weights[&Key::of(1).account()].clone());
        assert_eq!(weights, [(1, 65_535), (2, 20_000)]);
    }
}

#[tokio::test]
async fn each_error_of_the_chain_comes_back_under_its_name() {
    let node = Node::start(small_subnet());
    let client = connect(&node).await;
    for name in errors() {
        node.fail_next(Scripted::Dispatch(name));
        let call = set_weights(&[1], &[65_535]);
        let mut transactions = client.tx().await.unwrap();
        let progress =
            transactions.sign_and_submit_then_watch_default(&call, &Key::of(1)).await.unwrap();
        node.grow();
        let failed = timeout(HUNG, progress.wait_for_finalized_success()).await.unwrap();
        let told = failed.unwrap_err().to_string();
        assert!(told.contains(&format!("SubtensorModule::{name}")), "{name}: {told}");
    }
    assert_eq!(node.look(|world| world.included()), errors().count());
}

#[tokio::test]
async fn a_transaction_is_in_one_block_at_most() {
    let node = Node::start(small_subnet());
    let client = connect(&node).await;
    let call = set_weights(&[1], &[65_535]);
    let mut transactions = client.tx().await.unwrap();
    let params = DefaultExtrinsicParamsBuilder::new().mortal(16).build();
    let signed = transactions.create_signed(&call, &Key::of(1), params).await.unwrap();
    signed.submit().await.unwrap();
    let again = signed.submit().await.unwrap_err();
    assert!(told(&again).contains("1013"), "{}", told(&again));
    let params = DefaultExtrinsicParamsBuilder::new().mortal(8).build();
    let rival = transactions.create_signed(&call, &Key::of(1), params).await.unwrap();
    assert!(told(&rival.submit().await.unwrap_err()).contains("1014"));
    node.grow();
    let late = signed.submit().await.unwrap_err();
    assert!(told(&late).contains("Transaction is outdated"), "{}", told(&late));
    assert_eq!(node.look(|world| world.included()), 1);
}

#[tokio::test]
async fn bytes_that_were_signed_for_another_runtime_or_another_time_are_refused() {
    let node = Node::start(small_subnet());
    let client = connect(&node).await;
    let call = set_weights(&[1], &[65_535]);
    let mortal = || DefaultExtrinsicParamsBuilder::new().mortal(4).build();
    let mut transactions = client.tx().await.unwrap();
    let aged = transactions.create_signed(&call, &Key::of(1), mortal()).await.unwrap();
    node.grow_by(3);
    let dies = aged.submit().await.unwrap_err();
    assert!(told(&dies).contains("ancient birth block"), "{}", told(&dies));
    node.grow();
    assert!(told(&aged.submit().await.unwrap_err()).contains("bad signature"));
    node.upgrade_at(5, Layout::second());
    let mut transactions = client.tx().await.unwrap();
    let params = DefaultExtrinsicParamsBuilder::new().mortal(64).build();
    let old = transactions.create_signed(&call, &Key::of(1), params).await.unwrap();
    node.grow();
    assert!(told(&old.submit().await.unwrap_err()).contains("bad signature"));
    assert_eq!(node.look(|world| world.included()), 0);
    // The same client signs for the new runtime once it looks at a block of it.
    let mut transactions = client.tx().await.unwrap();
    let progress =
        transactions.sign_and_submit_then_watch_default(&call, &Key::of(1)).await.unwrap();
    node.grow();
    timeout(HUNG, progress.wait_for_finalized_success()).await.unwrap().unwrap();
}

#[tokio::test]
async fn final_and_best_blocks_part_and_a_fork_undoes_an_inclusion() {
    let node = Node::start(small_subnet());
    let client = connect(&node).await;
    node.faults(|faults| faults.freeze_finality = true);
    let call = set_weights(&[1], &[65_535]);
    let mut transactions = client.tx().await.unwrap();
    let params = DefaultExtrinsicParamsBuilder::new().mortal(16).build();
    let signed = transactions.create_signed(&call, &Key::of(1), params).await.unwrap();
    signed.submit().await.unwrap();
    node.grow();
    let seen = node.look(|world| (world.best_number(), world.final_number(), world.included()));
    assert_eq!(seen, (1, 0, 1));
    node.fork(1, Orphans::Vanish);
    let seen = node.look(|world| (world.best_number(), world.included(), world.pooled()));
    assert_eq!(seen, (2, 0, 0));
    // Its nonce is free again, and the very same bytes are good for another block.
    signed.submit().await.unwrap();
    node.grow();
    node.finalize();
    assert_eq!(node.look(|world| (world.final_number(), world.included())), (3, 1));
    assert_eq!(client.at_current_block().await.unwrap().block_number(), 3);
}

#[tokio::test]
async fn each_fault_is_met_by_a_client_and_counted() {
    let node = Node::start(small_subnet());
    let patience = Duration::from_millis(200);
    let try_it =
        || async { timeout(HUNG, subxt::rpcs::RpcClient::from_insecure_url(node.url())).await };
    node.faults(|faults| faults.door = Door::Answers { status: 429, times: 2 });
    for _ in 0..2 {
        assert!(try_it().await.unwrap().is_err());
    }
    node.faults(|faults| faults.door = Door::Hangs);
    assert!(timeout(patience, try_it()).await.is_err());
    node.faults(|faults| faults.door = Door::Slams);
    assert!(try_it().await.unwrap().is_err());
    node.faults(|faults| faults.door = Door::Open);
    assert_eq!(node.look(|world| world.accepted), 4);

    node.faults(|faults| faults.metadata = MetadataFault::Truncated);
    assert!(connect(&node).await.at_current_block().await.is_err());
    node.faults(|faults| faults.metadata = MetadataFault::Garbage);
    assert!(connect(&node).await.at_current_block().await.is_err());
    node.faults(|faults| faults.metadata = MetadataFault::None);

    let client = connect(&node).await;
    let at = client.at_current_block().await.unwrap();
    let size = || subxt::dynamic::storage::<(u16,), u16>("SubtensorModule", "SubnetworkN");
    node.faults(|faults| faults.empty_storage = true);
    let nobody = at.storage().fetch(size(), (1,)).await.unwrap().decode().unwrap();
    assert_eq!(nobody, 0, "the default of the metadata");
    node.faults(|faults| faults.empty_storage = false);
    node.faults(|faults| faults.hang_up_on = Some("state_getStorage"));
    assert!(at.storage().try_fetch(size(), (1,)).await.is_err());
    assert!(node.look(|world| world.asked("state_getStorage")) >= 2);
    node.until("every socket is closed", |world| world.open == 0).await;

    let client = connect(&node).await;
    node.faults(|faults| faults.mute = true);
    assert!(timeout(patience, client.at_current_block()).await.is_err());
    node.faults(|faults| faults.mute = false);
    assert!(timeout(patience, client.at_current_block()).await.is_err(), "it stays half-open");
    node.hang_up();
    assert!(timeout(HUNG, client.at_current_block()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_transaction_survives_a_cut_or_not_as_the_test_says() {
    for (cut, included) in [(Cut::Kept, 1), (Cut::Lost, 0)] {
        let node = Node::start(small_subnet());
        let client = connect(&node).await;
        node.faults(|faults| faults.cut_after_submit = Some(cut));
        let call = set_weights(&[1], &[65_535]);
        let mut transactions = client.tx().await.unwrap();
        let sent = transactions.sign_and_submit_then_watch_default(&call, &Key::of(1)).await;
        assert!(sent.is_err());
        node.grow();
        assert_eq!(node.look(|world| world.included()), included);
    }
}

/// An error with all that caused it.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(|error| format!("{error}; {error:?}; ")).collect()
}
