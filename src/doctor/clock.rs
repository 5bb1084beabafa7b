//! This machine's clock beside the chain's: both sides refuse requests by it.
//!
//! A block says when its maker began it, and comes some time later; how long it has been there when we
//! first look nobody tells. So the next block is waited for, whose age when it comes is known to be
//! between nothing and half the time from block to block.

use std::time::Duration;

use super::{Case, Finding, PATIENCE};
use crate::chain::node::block_time::block_time;
use crate::chain::node::failure::Failure;
use crate::chain::node::head::{made_at, newest};
use crate::chain::node::session::Session;

const CHECK: &str = "clock";
/// The metadata, a block's time, and what is asked of that block.
const IN_ALL: Duration = Duration::from_secs(24);
/// Between two looks whether there is a new block.
const LOOK: Duration = Duration::from_millis(250);
/// A clock that is as far off as this is nobody's business.
const USUAL: f64 = 1.5;
/// A clock that is farther off makes others refuse requests (ours: 4 s and the timeout too old, 10 s
/// too new), or will soon.
const MOST: f64 = 4.0;

/// A block that is older by so much, in seconds, when it comes tells less of a clock than of a node
/// that is still reading the blocks it missed.
const SYNCING: f64 = 60.0;

/// What the clocks said of one block.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// How old it was by our clock when we saw it, in seconds; below zero where it is from our future.
    age: f64,
    /// Whether it had only just come.
    fresh: bool,
    /// The time from block to block, in seconds.
    block_time: f64,
}

pub(super) async fn look(case: &Case, session: &Session) -> Finding {
    match case.bounded(CHECK, IN_ALL, sight(case, session)).await {
        Ok(Ok(sight)) => judge(sight),
        Err(late) => late,
        Ok(Err(failure)) => {
            let seen = format!("not compared with the chain's: {failure}");
            Finding::warning(CHECK, seen, "compare it with another one: `date -u`")
        }
    }
}

async fn sight(case: &Case, session: &Session) -> Result<Sight, Failure> {
    let clock = &case.clock;
    // It takes seconds to read a runtime's metadata, in which a block may come unseen.
    let block_time = block_time(&session.now().await?);
    let began = clock.now();
    let first = newest(session).await?;
    let mut seen = (first, clock.unix());
    let patience = block_time.saturating_add(Duration::from_secs(1)).min(PATIENCE - LOOK * 4);
    while seen.0 == first && clock.now().since(began) < patience {
        clock.sleep(LOOK).await;
        seen = (newest(session).await?, clock.unix());
    }
    let fresh = seen.0 != first;
    let (_, made) = made_at(session, seen.0).await?;
    let age = seen.1.as_secs_f64() - made.as_secs_f64();
    Ok(Sight { age, fresh, block_time: block_time.as_secs_f64() })
}

fn judge(Sight { age, fresh, block_time }: Sight) -> Finding {
    let cure = "set it by NTP: `timedatectl set-ntp true`, or run chronyd";
    let oldest = block_time / 2.0;
    let off = |by: f64, how: &str| {
        let seen = format!(
            "the clock is {by:.0} s or more {how} the chain's: an axon refuses requests that are older \
             than 4 s and their timeout, or 10 s from its future"
        );
        if by >= MOST {
            Finding::failing(CHECK, seen, cure)
        } else {
            Finding::warning(CHECK, seen, cure)
        }
    };
    if age < -USUAL {
        return off(-age, "behind");
    }
    if !fresh {
        let seen = format!(
            "not compared: no new block came in {block_time:.0} s, and the newest is {age:.0} s old by \
             this clock"
        );
        return Finding::warning(
            CHECK,
            seen,
            "look whether the node follows the chain, then try again",
        );
    }
    if age - oldest > SYNCING {
        let seen = format!(
            "a block that had just come was {age:.0} s old: the clock is ahead, or the node is behind"
        );
        let cure = "compare the clock with another one (`date -u`); if it is right, wait until the \
                    node has caught up, or set subtensor.chain_endpoint to another";
        return Finding::warning("chain", seen, cure);
    }
    if age - oldest > USUAL {
        return off(age - oldest, "ahead of");
    }
    Finding::ok(CHECK, format!("a block that had just come was {age:.1} s old by this clock"))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn verdict(age: f64, fresh: bool) -> Verdict {
        judge(Sight { age, fresh, block_time: 12.0 }).verdict
    }

    #[test]
    fn ten_seconds_either_way_are_told_however_soon_a_block_comes() {
        for arrival in [0.0, 1.0, 3.0, 6.0] {
            assert_eq!(verdict(arrival, true), Verdict::Ok, "{arrival}");
            for off in [-10.0, 10.0] {
                assert_eq!(verdict(arrival + off, true), Verdict::Failing, "{arrival} {off}");
            }
        }
        assert_eq!(verdict(-2.0, true), Verdict::Warning);
    }

    #[test]
    fn a_node_that_is_behind_is_no_fault_of_the_clock() {
        let judged = |off: f64| judge(Sight { age: 6.0 + off, fresh: true, block_time: 12.0 });
        let (near, far) = (judged(59.0), judged(61.0));
        assert_eq!((near.check, near.verdict), ("clock", Verdict::Failing));
        assert_eq!((far.check, far.verdict), ("chain", Verdict::Warning));
        assert!(far.seen.contains("the node is behind"), "{}", far.seen);
    }

    #[test]
    fn a_chain_that_stands_still_tells_a_clock_behind_and_no_other() {
        assert_eq!(verdict(-10.0, false), Verdict::Failing);
        for age in [0.0, 20.0, 1e6] {
            assert_eq!(verdict(age, false), Verdict::Warning);
        }
    }
}
