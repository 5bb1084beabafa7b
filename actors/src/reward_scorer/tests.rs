//! Which answer is the best.

use super::combine::Breakdown;
use super::*;
use crate::domain::{Score, Uid};
use crate::testkit::hotkey;

fn scored(uid: u16, completion: &str, total: f64) -> Scored {
    let answer = Answer {
        uid: Uid(uid),
        hotkey: hotkey(uid),
        reply: MinerReply::success(completion),
        arrived: Duration::ZERO,
    };
    let breakdown = Breakdown::new(Vec::new(), Vec::new());
    let verdict = Verdict { reward: Score::new(total), copy_of: None, speed: 1.0 };
    Scored { answer, measured: Measured { breakdown, time: Duration::ZERO }, verdict }
}

#[test]
fn the_best_answer_is_one_that_came_and_among_equals_the_earliest_asked() {
    let best_uid = |scored: &[Scored]| best(scored).map(|best| best.answer.uid);
    let words = [scored(9, " ", 0.0), scored(4, "a", 0.0), scored(2, "b", 0.0)];
    assert_eq!(best_uid(&words), Some(Uid(4)));
    let better = [scored(9, "a", 0.2), scored(4, "b", 0.7), scored(2, "c", 0.7)];
    assert_eq!(best_uid(&better), Some(Uid(4)));
    assert_eq!(
        best_answer(&better),
        Some(BestAnswer { text: "b".into(), reward: Score::new(0.7) })
    );
    assert_eq!(best_uid(&[scored(9, "", 0.0)]), None);
}
