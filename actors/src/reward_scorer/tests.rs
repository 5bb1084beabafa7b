//! Which texts count against an answer, and which answer is the best.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::domain::{Cast, ChatMessage, Uid};
use crate::testkit::hotkey;

fn generated() -> ReferencePlan {
    ReferencePlan::Generated { material: String::new(), instructions: &[] }
}

/// A conversation after so many turns.
fn phrasing(turns: usize) -> Phrasing {
    let turn = |n: usize| {
        let answer = ChatMessage { role: Role::Assistant, content: format!("answer {n}") };
        [ChatMessage::user(format!("question {n}")), answer]
    };
    Phrasing {
        persona: Cast::default().draw(&mut ChaCha8Rng::seed_from_u64(1)),
        goal: "Where does tea grow?".into(),
        history: (0..turns).flat_map(turn).collect(),
        challenge: "and now?".into(),
        attempts: Vec::new(),
        time: Duration::ZERO,
        system_prompt: String::new(),
    }
}

#[test]
fn all_that_was_said_counts_against_an_answer_unless_only_one_is_right() {
    let phrasing = phrasing(2);
    let all = ["question 0", "answer 0", "question 1", "answer 1", "and now?"];
    assert_eq!(said(&generated(), &phrasing), all);
    let asked = ["question 0", "question 1", "and now?"];
    assert_eq!(said(&ReferencePlan::Fixed(vec!["42".into()]), &phrasing), asked);
}

#[test]
fn of_a_long_conversation_the_first_text_and_the_last_ones_count() {
    assert_eq!(said(&generated(), &phrasing(0)), ["and now?"]);
    let phrasing = phrasing(100);
    let said = said(&generated(), &phrasing);
    assert_eq!(said.len(), MOST_SAID);
    assert_eq!((said[0], said[1]), ("question 0", "question 93"));
    assert_eq!(said[MOST_SAID - 2..], ["answer 99", "and now?"]);
}

fn scored(uid: u16, completion: &str, total: f64) -> Scored {
    let reply = MinerReply {
        completion: completion.into(),
        status: StatusCode::OK,
        message: String::new(),
        elapsed: Duration::ZERO,
    };
    let answer = Answer { uid: Uid(uid), hotkey: hotkey(uid), reply };
    let nothing = Breakdown::new(Vec::new(), Vec::new());
    let breakdown = Breakdown { total: Score::new(total), ..nothing };
    Scored { answer, breakdown, time: Duration::ZERO }
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
