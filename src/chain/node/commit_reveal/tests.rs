use sn1_actors::domain::Uid;

use super::*;
use crate::wire::Keypair;

const FIXED: Schedule = Schedule::Fixed { netuid: Netuid(1), tempo: 10 };

#[test]
fn a_commit_is_revealed_in_its_epoch_and_in_no_other() {
    // Epochs begin at 9, 20, 31, 42; a commit in block 12 is of the second.
    let epoch = FIXED.epoch(BlockNumber(12));
    let window = |head| window(&FIXED, epoch, 1, BlockNumber(head));
    assert_eq!(window(12), Window::Opens(7));
    assert_eq!(window(18), Window::Opens(1));
    assert_eq!(window(19), Window::Open);
    assert_eq!(window(29), Window::Open);
    assert_eq!(window(30), Window::Closed);
}

#[test]
fn the_round_is_the_newest_that_is_out_at_a_time() {
    // Round 1 of quicknet came out at its genesis and round 2 three seconds later.
    for (seconds, round) in [(1_692_803_367 + 3, 1), (1_692_803_367 + 3_000, 1_000), (0, 1)] {
        assert_eq!(round_at(seconds * 1_000), round, "{seconds}");
    }
}
