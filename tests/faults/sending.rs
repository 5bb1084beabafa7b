//! Rows 6 and 8 of the table: a transaction whose sender lost sight of it, and one whose block was
//! undone. Whatever happens, the weights are on chain once, and the WeightSetter knows it.

use sn1_actors::domain::{BlockNumber, Uid};
use sn1_actors::ports::{Chain, ChainError, Inclusion};
use sn1_actors::weight_setter::SetError;

use crate::bench::{Bench, EARNED, PATIENT, weights};
use crate::node::{Cut, Node, Orphans, Scripted, Weights, World};
use crate::node_itself::small_subnet;

/// What the validator has on chain, and in how many transactions it came there.
fn on_chain(world: &World) -> (Weights, usize) {
    (weights(world), world.included())
}

#[test]
fn weights_that_went_in_behind_a_cut_connection_are_found_and_not_sent_again() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        bench.set_cut_off(node, Cut::Kept).await;
        node.grow();
        bench.until_connected(node).await;
        let found = bench.set().await.unwrap();
        assert_eq!(found.block, BlockNumber(1));
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
        assert_eq!(node.look(World::submissions), 1);
        let book = bench.ledger.book();
        assert_eq!((book.intent, book.weights_set), (None, Some(BlockNumber(1))));
    });
}

#[test]
fn only_a_node_that_has_forgotten_the_blocks_leaves_it_unknown_what_became_of_a_transaction() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        let signed = bench.set_cut_off(node, Cut::Kept).await;
        node.grow();
        bench.until_connected(node).await;
        for forgotten in [
            "Client error: UnknownBlock: State already discarded for 0x1234",
            "Client error: Api called for an unknown Block: State already discarded for 0x1234",
        ] {
            node.faults(|faults| faults.no_nonce = Some(forgotten));
            let found = bench.chain.look_for(signed.clone()).await.unwrap();
            assert_eq!(found.inclusion, Inclusion::Unknown, "{forgotten}");
        }
        for other in ["Too many requests", "Client error: Execution failed", ""] {
            node.faults(|faults| faults.no_nonce = Some(other));
            let found = bench.chain.look_for(signed.clone()).await;
            assert!(matches!(found, Err(ChainError::Unreachable(_))), "{other}: {found:?}");
            node.faults(|faults| faults.no_nonce = None);
            let found = bench.chain.look_for(signed.clone()).await.unwrap();
            assert_eq!(found.inclusion, Inclusion::Included(BlockNumber(1)));
        }
    });
}

#[test]
fn weights_that_were_lost_with_the_connection_are_sent_again_as_the_same_bytes() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        let first = bench.set_cut_off(node, Cut::Lost).await;
        node.grow();
        bench.until_connected(node).await;
        let set = bench.set_while(node, async || {
            let again = bench.signed();
            assert_eq!(again, first);
            node.grow();
        });
        assert_eq!(set.await.unwrap().uids, [Uid(1), Uid(2)]);
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
    });
}

#[test]
fn a_connection_lost_while_the_block_is_awaited_ends_in_one_inclusion() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        let lost = bench.set_while(node, async || node.hang_up()).await;
        assert!(matches!(lost, Err(SetError::Chain(ChainError::Unreachable(_)))), "{lost:?}");
        bench.until_connected(node).await;
        // It is still in the pool: the same bytes are known there, and waited for.
        node.faults(|faults| faults.hold_pool = true);
        node.grow();
        bench.until_block(node).await;
        node.faults(|faults| faults.hold_pool = false);
        let again = async {
            let sent = |world: &World| world.submissions() == 2;
            node.until("the second sending", sent).await;
            node.until("a look at it", |world| world.asked("chain_subscribeFinalizedHeads") >= 3)
                .await;
            node.grow();
        };
        let (set, ()) = tokio::join!(bench.set(), again);
        assert_eq!(set.unwrap().block, BlockNumber(2));
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
    });
}

#[test]
fn a_transaction_whose_block_was_undone_is_on_chain_only_when_a_final_block_has_it() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.faults(|faults| faults.freeze_finality = true);
        let set = bench.set_while(node, async || {
            node.grow();
            assert_eq!(node.look(World::included), 1);
            node.fork(1, Orphans::Return);
            assert_eq!(node.look(World::included), 0);
            node.grow();
            node.finalize();
        });
        // Not block 1, in which it was first.
        assert_eq!(set.await.unwrap().block, BlockNumber(3));
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
    });
}

#[test]
fn a_transaction_that_a_fork_forgot_is_sent_again_as_the_same_bytes() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.faults(|faults| faults.freeze_finality = true);
        let undone = bench.set_while(node, async || {
            node.grow();
            node.fork(1, Orphans::Vanish);
        });
        assert!(matches!(undone.await, Err(SetError::Chain(ChainError::Unreachable(_)))));
        let first = bench.signed();
        assert_eq!(bench.ledger.book().weights_set, None);
        node.finalize();
        bench.until_block(node).await;
        let set = bench.set_while(node, async || {
            node.grow();
            node.finalize();
        });
        assert_eq!(set.await.unwrap().block, BlockNumber(3));
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
        let sent = node.look(|world| world.extrinsics(3));
        assert!(sent.contains(&first.extrinsic), "other bytes than at first");
    });
}

#[test]
fn a_transaction_that_died_unseen_makes_room_for_another() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        let first = bench.set_cut_off(node, Cut::Lost).await;
        node.grow_by(u32::try_from(first.death.0).unwrap());
        bench.until_connected(node).await;
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert!(set.block > first.death);
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 1));
    });
}

#[test]
fn a_refusal_in_a_block_is_known_even_where_the_connection_was_cut() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.fail_next(Scripted::Dispatch("SettingWeightsTooFast"));
        bench.set_cut_off(node, Cut::Kept).await;
        node.grow();
        bench.until_connected(node).await;
        // Its nonce is used up, so new weights are signed with the next.
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!(set.block, BlockNumber(2));
        assert_eq!(node.look(on_chain), (EARNED.to_vec(), 2));
    });
}
