//! Rows 1 to 5 of the table, and the metadata of row 9: connections that break, hang or are refused,
//! and blocks that stop. Detection is by the clock of the test, to the instant.

use std::time::Duration;

use sn1::chain::node::metagraph;
use sn1_actors::domain::Netuid;
use sn1_actors::ports::{Chain, ChainError};
use sn1_actors::weight_setter::SetError;

use crate::bench::{Bench, HASTY, PATIENT};
use crate::node::{Door, MetadataFault, Node, World};
use crate::node_itself::small_subnet;

#[test]
fn a_socket_closed_in_the_middle_of_a_question_costs_that_question_only() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.faults(|faults| faults.hang_up_on = Some("state_queryStorageAt"));
        let cut = bench.chain.metagraph().await;
        assert!(matches!(cut, Err(ChainError::Unreachable(_))), "{cut:?}");
        let health = bench.until("the end of that session", |health| health.failures == 1).await;
        assert!(!health.stalled, "the connection broke, blocks did not stop: {health:?}");
        bench.until_connected(node).await;
        assert_eq!(bench.chain.metagraph().await.unwrap().neurons.len(), 3);
        assert_eq!(node.look(|world| world.accepted), 2);
    });
}

#[test]
fn a_half_open_socket_is_given_up_two_block_times_and_a_deadline_after_its_last_block() {
    Bench::connected(Node::start(small_subnet()), HASTY, async |bench, node| {
        bench.until_the_next_block_is_awaited(node).await;
        let before = bench.keeper.health().borrow().failures;
        node.faults(|faults| faults.mute = true);
        // To the socket nothing happens: blocks that come are not told.
        node.grow_by(3);
        bench.clock.pass(bench.window() - Duration::from_nanos(1));
        let waiting = bench.keeper.health().borrow().clone();
        assert_eq!((waiting.failures, waiting.stalled), (before, false));
        bench.clock.pass(Duration::from_nanos(1));
        let health = bench.until("that it is given up", |health| health.failures > before).await;
        assert!(health.stalled && health.endpoint.is_none(), "{health:?}");
        // The node answers nobody for a while: each handshake has a deadline of its own.
        bench.until("a new try that fails", |health| health.failures > before + 1).await;
        node.faults(|faults| faults.mute = false);
        bench.until_connected(node).await;
        assert!(!bench.keeper.health().borrow().stalled);
        assert_eq!(bench.chain.metagraph().await.unwrap().neurons.len(), 3);
    });
}

#[test]
fn a_handshake_that_hangs_is_cancelled_and_the_next_node_is_asked() {
    let (first, second) = (Node::start(small_subnet()), Node::start(small_subnet()));
    second.faults(|faults| faults.door = Door::Hangs);
    Bench::play(&[&first, &second], HASTY, async |bench| {
        bench.until_connected(&first).await;
        first.faults(|faults| faults.door = Door::Hangs);
        first.hang_up();
        // Both hang now, and each is tried in its turn.
        first.until("a second try of it", |world| world.accepted > 1).await;
        second.until("a second try of the other", |world| world.accepted > 1).await;
        second.faults(|faults| faults.door = Door::Open);
        // The first node's blocks are the other's too, or it would have to catch up.
        bench.until_connected(&second).await;
        first.until("no socket left open", |world| world.open == 0).await;
    });
}

#[test]
fn twenty_refused_handshakes_are_survived_with_pauses_that_grow_and_differ() {
    for status in [429, 503] {
        let node = Node::start(small_subnet());
        node.faults(|faults| faults.door = Door::Answers { status, times: 20 });
        Bench::connected(node, PATIENT, async |bench, _| {
            let health = bench.keeper.health().borrow().clone();
            assert_eq!(health.failures, 20);
            assert!(health.last_failure.unwrap().contains(&status.to_string()));
            let naps = bench.clock.naps();
            assert_eq!(naps.len(), 20);
            for (failure, nap) in (0..).zip(&naps) {
                let whole = PATIENT.first_pause * (1 << failure.min(10));
                let whole = whole.min(PATIENT.longest_pause);
                assert!(*nap >= whole / 2 && *nap <= whole, "pause {failure} is {nap:?}");
            }
            let longest = &naps[10..];
            assert!(longest.iter().any(|nap| nap != &longest[0]), "no jitter: {longest:?}");
        });
    }
}

#[test]
fn when_final_blocks_stop_nothing_is_set_until_new_ones_come() {
    Bench::connected(Node::start(small_subnet()), HASTY, async |bench, node| {
        bench.until_the_next_block_is_awaited(node).await;
        node.faults(|faults| faults.freeze_finality = true);
        // Best blocks go on, and are none of the client's business.
        node.grow_by(5);
        bench.clock.pass(bench.window());
        bench.until("that the blocks stopped", |health| health.stalled).await;
        let refused = bench.set().await;
        assert!(matches!(refused, Err(SetError::Chain(ChainError::Unreachable(_)))), "{refused:?}");
        assert_eq!(node.look(World::submissions), 0);
        // It is connected again meanwhile, but a node without a new block is not trusted.
        node.until("a new connection", |world| world.accepted > 1).await;
        assert!(bench.keeper.health().borrow().stalled);
        node.faults(|faults| faults.freeze_finality = false);
        node.finalize();
        bench.until_connected(node).await;
        let set = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!(set.uids.len(), 2);
    });
}

#[test]
fn a_node_whose_metadata_is_noise_is_left_for_one_whose_metadata_is_whole() {
    for fault in [MetadataFault::Garbage, MetadataFault::Truncated] {
        let (broken, whole) = (Node::start(small_subnet()), Node::start(small_subnet()));
        broken.faults(|faults| faults.metadata = fault);
        Bench::play(&[&broken, &whole], PATIENT, async |bench| {
            bench.until_connected(&whole).await;
            assert!(bench.keeper.health().borrow().failures >= 1);
            let session = bench.keeper.session().await.unwrap();
            assert_eq!(metagraph::read(&session, Netuid(1)).await.unwrap().neurons.len(), 3);
        });
    }
}
