//! Row 10 of the table: what the chain says of its neurons changes, or is nonsense. What scores make
//! of it is proved beside the WeightSetter (`actors/tests/weight_setter.rs`, with random metagraphs);
//! here is what comes over the wire. Row 17 as well: dead miners.

use sn1_actors::domain::{Hotkey, Uid};
use sn1_actors::ports::{Chain, ChainError};
use sn1_actors::weight_setter::SetError;

use crate::bench::{Bench, PATIENT, account, hotkey};
use crate::node::{Neuron, Node, Subnet, World};
use crate::node_itself::small_subnet;

/// Changes the subnet in the next block, and waits until the client knows of that block.
async fn change(bench: &Bench, node: &Node, edit: impl FnOnce(&mut Subnet) + Send + 'static) {
    node.edit(edit);
    node.grow();
    bench.until_block(node).await;
}

async fn hotkeys(bench: &Bench) -> Vec<Hotkey> {
    let metagraph = bench.chain.metagraph().await.unwrap();
    metagraph.neurons.into_iter().map(|neuron| neuron.hotkey).collect()
}

#[test]
fn growth_shrinkage_and_a_swapped_hotkey_are_read_as_they_are_and_weights_follow_the_hotkeys() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        assert_eq!(hotkeys(bench).await, [1, 2, 3].map(hotkey));
        change(bench, node, |subnet| subnet.neurons.push(Neuron::miner(account(4)))).await;
        assert_eq!(hotkeys(bench).await, [1, 2, 3, 4].map(hotkey));
        // Uid 1 is somebody else now, and the one who was there has moved to the end.
        change(bench, node, |subnet| {
            subnet.neurons[1] = Neuron::miner(account(5));
            subnet.neurons.push(Neuron::miner(account(2)));
        })
        .await;
        assert_eq!(hotkeys(bench).await, [1, 5, 3, 4, 2].map(hotkey));
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!(set.uids, [Uid(2), Uid(4)], "scores are the hotkeys', not the uids'");
        change(bench, node, |subnet| subnet.neurons.truncate(3)).await;
        assert_eq!(hotkeys(bench).await, [1, 5, 3].map(hotkey));
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!(set.uids, [Uid(2)]);
        let kept = bench.ledger.book().scores;
        assert!(kept.contains_key(&hotkey(2)), "a smaller subnet may be half an answer");
    });
}

#[test]
fn a_node_with_nothing_in_its_storage_is_no_empty_subnet_and_costs_nobody_a_score() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        let before = bench.ledger.book();
        node.faults(|faults| faults.empty_storage = true);
        let read = bench.chain.metagraph().await;
        assert!(read.is_err(), "{read:?}");
        assert!(matches!(bench.set().await, Err(SetError::Chain(_))));
        assert_eq!(bench.ledger.book(), before);
        node.faults(|faults| faults.empty_storage = false);
        node.grow();
        bench.until_connected(node).await;
        assert!(bench.set_in_the_next_block(node).await.is_ok());
    });
}

#[test]
fn a_validator_that_lost_its_place_is_told_to_register_and_sends_nothing() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        change(bench, node, |subnet| subnet.neurons[0] = Neuron::miner(account(9))).await;
        let refused = bench.set().await;
        let expected = SetError::Chain(ChainError::NotRegistered(hotkey(1)));
        assert_eq!(refused, Err(expected));
        assert_eq!(node.look(World::submissions), 0);
    });
}

#[test]
fn where_all_miners_are_dead_no_weights_of_zeros_are_set() {
    for score in [0.0, f64::NAN] {
        let node = Node::start(small_subnet());
        Bench::play_with(&[(2, score), (3, score)], &[&node], PATIENT, async |bench| {
            bench.until_connected(&node).await;
            assert_eq!(bench.set().await, Err(SetError::NothingEarned));
            assert_eq!(node.look(World::submissions), 0);
        });
    }
}
