//! Whether miners refuse our requests for the time that they were made at: then our clock is wrong,
//! and everybody would be scored a zero for it.

use std::sync::atomic::{AtomicU32, Ordering};

use sn1_actors::domain::{MinerReply, StatusCode};

/// So many in a row, with no answer between them, are not the word of one miner with many uids: it
/// refuses at once, before anybody has had the time to answer.
const ENOUGH: u32 = 64;
/// What axons say, the SDK's and ours.
const WORDS: [&str; 2] = ["Nonce is too old", "Nonce is from the future"];

/// Refusals in a row.
#[derive(Debug, Default)]
pub(super) struct ClockDoubt(AtomicU32);

impl ClockDoubt {
    /// Counts what a miner said; whether it is time to warn, which it is once in each row.
    pub(super) fn heed(&self, reply: &MinerReply) -> bool {
        if reply.status == StatusCode::OK {
            self.0.store(0, Ordering::Relaxed);
            return false;
        }
        let of_time = WORDS.iter().any(|words| reply.message.contains(words));
        of_time && self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1) == ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_for_our_time_in_a_row_are_told_of_once() {
        let doubt = ClockDoubt::default();
        let told = |message: &str| doubt.heed(&MinerReply::failure(StatusCode(401), message));
        let refused = "Not Verified with error: Nonce is too old: acceptable delta is";
        assert!((1..ENOUGH).all(|_| !told(refused)));
        // A miner that was asked in time: it is not our clock.
        assert!(!doubt.heed(&MinerReply::success("yes")));
        assert!((1..ENOUGH).all(|_| !told(refused) && !told("Service unavailable")));
        assert!(told("Not Verified with error: Nonce is from the future: it may be"));
        assert!((0..100).all(|_| !told(refused)));
    }
}
