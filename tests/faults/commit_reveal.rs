//! Commit and reveal under the faults of row 6: a commit whose sender lost sight of it is still
//! revealed, in its epoch, and there is one of it.

use sn1_actors::domain::BlockNumber;
use sn1_actors::ports::{Chain, ChainError};

use crate::bench::{Bench, EARNED, PATIENT, account, weights};
use crate::node::{Cut, Layout, Node, Subnet, World};
use crate::node_itself::small_subnet;

/// A subnet of ten blocks an epoch that takes commits, in a runtime without timelocked ones.
fn committing() -> Node {
    let subnet = Subnet { commit_reveal: true, tempo: 9, ..small_subnet() };
    Node::start_with(subnet, Layout::first().without("commit_timelocked_weights"))
}

fn commits(world: &World) -> usize {
    world.final_state().commits.get(&account(1)).map_or(0, Vec::len)
}

#[test]
fn a_commit_behind_a_cut_connection_is_found_and_revealed_in_its_epoch_and_not_before() {
    Bench::connected(committing(), PATIENT, async |bench, node| {
        bench.set_cut_off(node, Cut::Kept).await;
        node.grow();
        bench.until_connected(node).await;
        assert_eq!(bench.set().await.unwrap().block, BlockNumber(1));
        assert_eq!(node.look(commits), 1);
        let book = bench.ledger.book();
        assert_eq!((book.reveals.len(), book.intent), (1, None));
        // Epoch 0 has the commit; epoch 1 begins with block 8, the first that takes the reveal.
        let early = bench.chain.reveal_weights(book.reveals[0].clone()).await;
        assert_eq!(early, Err(ChainError::TooSoon { wait: 6 }));
        // A node that is behind a commit's block cannot know it, which is no word of its being over.
        let mut unseen = book.reveals[0].clone();
        unseen.commitment.salt[0] ^= 1;
        let gone = bench.chain.reveal_weights(unseen.clone()).await;
        assert!(matches!(gone, Err(ChainError::TooLate(_))), "{gone:?}");
        unseen.committed = BlockNumber(4);
        let behind = bench.chain.reveal_weights(unseen).await;
        assert_eq!(behind, Err(ChainError::TooSoon { wait: 3 }));
        node.grow_by(6);
        bench.tell_block(node).await;
        node.until_pooled().await;
        node.grow();
        bench.until_book("no reveal is left", |book| book.reveals.is_empty()).await;
        assert_eq!(node.look(weights), EARNED);
        assert_eq!(node.look(|world| (commits(world), world.included())), (0, 2));
    });
}
