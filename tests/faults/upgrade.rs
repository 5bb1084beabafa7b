//! Row 9 of the table: a runtime in which nothing has the number or the place that it had. The node
//! refuses what was signed for another one, so whatever is included was signed right.

use sn1_actors::domain::{BlockNumber, Uid};
use sn1_actors::ports::{Chain, ChainError};
use sn1_actors::weight_setter::SetError;

use crate::bench::{Bench, EARNED, PATIENT, weights};
use crate::node::{Layout, Node, Scripted, World};
use crate::node_itself::small_subnet;

#[test]
fn reads_errors_and_weights_go_on_under_another_runtime_over_the_same_connection() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        assert!(bench.set_in_the_next_block(node).await.is_ok());
        let before = bench.chain.metagraph().await.unwrap();
        node.upgrade_at(2, Layout::second());
        node.grow();
        bench.until_block(node).await;
        let after = bench.chain.metagraph().await.unwrap();
        assert_eq!(after.neurons, before.neurons);
        assert_eq!(after.neurons[2].axon, Some("203.0.113.7:8091".parse().unwrap()));
        node.fail_next(Scripted::Dispatch("NeuronNoValidatorPermit"));
        let refused = bench.set_in_the_next_block(node).await;
        assert!(matches!(refused, Err(SetError::Chain(ChainError::NoPermit(_)))), "{refused:?}");
        bench.until_block(node).await;
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!((set.block, set.uids), (BlockNumber(4), vec![Uid(1), Uid(2)]));
        assert_eq!(node.look(|world| (world.included(), world.accepted)), (3, 1));
    });
}

#[test]
fn a_call_that_the_new_runtime_lacks_is_named_and_nothing_is_sent() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.upgrade_at(1, Layout::second().without("set_weights"));
        node.grow();
        bench.until_block(node).await;
        let Err(SetError::Chain(ChainError::Refused(why))) = bench.set().await else {
            panic!("the runtime has no such call");
        };
        assert!(why.contains("SubtensorModule.set_weights") && why.contains("219"), "{why}");
        assert_eq!(node.look(World::submissions), 0);
        assert_eq!(bench.ledger.book().intent, None);
    });
}

#[test]
fn weights_signed_for_the_old_runtime_die_with_it_and_are_signed_anew() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.upgrade_at(1, Layout::second());
        // The block with the new runtime comes while they are in the pool, and throws them out.
        let outdated = bench.set_in_the_next_block(node).await;
        assert!(matches!(outdated, Err(SetError::Chain(ChainError::Outdated(_)))), "{outdated:?}");
        let old = bench.signed();
        bench.until_block(node).await;
        // As long as they might be in some block nothing else is sent, and they are refused.
        let held = bench.set().await;
        assert!(matches!(held, Err(SetError::Chain(ChainError::Outdated(_)))), "{held:?}");
        assert_eq!(bench.signed(), old);
        node.grow_by(u32::try_from(old.death.0).unwrap());
        bench.until_block(node).await;
        assert!(bench.set_in_the_next_block(node).await.is_ok());
        assert_eq!(node.look(weights), EARNED);
        assert_eq!(node.look(World::included), 1);
    });
}
