use super::*;
use crate::domain::{Answer, MinerReply, Uid};
use crate::reward_scorer::closing::Verdict;
use crate::reward_scorer::combine::Breakdown;
use crate::reward_scorer::judge::Measured;
use crate::reward_scorer::rewards::Weighted;
use crate::reward_scorer::rewards::relevance::RELEVANCE;
use crate::reward_scorer::rewards::rouge::ROUGE_1;
use crate::testkit::hotkey;
use proptest::prelude::*;

/// An answer of a uid whose measures gave so much, and took as many milliseconds as its uid.
fn scored(uid: u16, rouge: f64, penalty: f64) -> Scored {
    let component = |kind, score| Component {
        measure: Weighted { kind, weight: 0.5 },
        score: Score::new(score),
        time: Duration::from_millis(uid.into()),
    };
    let rewards = vec![component(ROUGE_1, rouge), component(RELEVANCE, 0.5)];
    let breakdown = Breakdown::new(rewards, vec![component(ROUGE_1, penalty)]);
    let verdict = Verdict { reward: breakdown.total, copy_of: None, speed: 1.0 };
    let reply = MinerReply::success(format!("answer {uid}"));
    let arrived = Duration::from_millis(1_500);
    let answer = Answer { uid: Uid(uid), hotkey: hotkey(uid), reply, arrived };
    Scored { answer, measured: Measured { breakdown, time: Duration::from_millis(9) }, verdict }
}

fn event(scored: &[Scored]) -> Map<String, Value> {
    let mut event = Map::new();
    answers(&mut event, scored);
    event
}

#[test]
fn every_measure_is_there_under_the_original_s_names_with_its_timings() {
    let event = event(&[scored(1, 0.2, 0.0), scored(2, 0.6, 1.0)]);
    let near = |key: &str, expected: &[f64]| {
        let list = event[key].as_array().unwrap();
        assert_eq!(list.len(), expected.len(), "{key}");
        for (value, expected) in list.iter().zip(expected) {
            assert!((value.as_f64().unwrap() - expected).abs() < 1e-5, "{key}: {list:?}");
        }
    };
    near("rouge_1_raw_reward", &[0.2, 0.6]);
    near("rouge_1_reward", &[0.0, 1.0]);
    near("rouge_1_reward_timings", &[0.001, 0.002]);
    near("relevance_raw_reward", &[0.5, 0.5]);
    near("relevance_reward", &[0.0, 0.0]);
    near("rouge_1_raw_penalty", &[0.0, 1.0]);
    near("rouge_1_penalty_timings", &[0.001, 0.002]);
    assert_eq!(event["rouge_1_reward_batch_time"], 0.003);
    assert_eq!(event["relevance_reward_batch_time"], 0.003);
    assert_eq!(event["rouge_1_penalty_batch_time"], 0.003);
    near("rewards", &[0.35, 0.275]);
    near("reward_timings", &[0.009, 0.009]);
    near("arrivals", &[1.5, 1.5]);
}

#[test]
fn what_a_step_has_nothing_of_is_left_out() {
    let plain = event(&[scored(1, 0.2, 0.0), scored(2, 0.6, 1.0)]);
    for key in ["copy_of", "speed_factors", "all_chunks_timings", "all_chars_per_chunk"] {
        assert_eq!(plain.get(key), None);
    }
    let mut other = scored(2, 0.6, 1.0);
    other.verdict = Verdict { reward: Score::ZERO, copy_of: Some(Uid(1)), speed: 0.75 };
    let piece =
        |milliseconds, chars| PieceArrival { at: Duration::from_millis(milliseconds), chars };
    other.answer.reply.pieces = vec![piece(250, 6), piece(500, 2)];
    let event = event(&[scored(1, 0.2, 0.0), other]);
    assert_eq!(event["copy_of"], json!([null, 1]));
    assert_eq!(event["speed_factors"], json!([1.0, 0.75]));
    assert_eq!(event["all_chunks_timings"], json!([[], [0.25, 0.5]]));
    assert_eq!(event["all_chars_per_chunk"], json!([[], [6, 2]]));
    assert_eq!(event["rewards"][1], 0.0);
}

#[test]
fn a_step_that_nobody_was_asked_in_has_empty_lists() {
    let event = event(&[]);
    assert_eq!((&event["uids"], &event["rewards"]), (&json!([]), &json!([])));
}

proptest! {
    #[test]
    fn seconds_give_back_the_time_to_the_nanosecond(
        whole in 0_u64..1_000_000,
        nanoseconds in 0_u32..1_000_000_000,
    ) {
        let time = Duration::new(whole, nanoseconds);
        let text = json!(seconds(time)).to_string();
        let read: f64 = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Duration::from_secs_f64(read), time);
    }
}
