
use super::*;

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
