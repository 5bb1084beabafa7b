//! A measure with a fault in it.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model_worker::stand_in::{ServiceRate, StandInDevice};
use crate::testkit::{Stage, bench};

/// Gives all there is, unless it is told to panic.
const FAULTY: RewardKind = RewardKind(&Reward {
    name: "faulty",
    about: "a fault",
    measure: Measure::Text(|_, completion, _| {
        assert!(!completion.contains("boom"), "as it was told");
        Score::ONE
    }),
});

#[test]
fn a_measure_that_panics_costs_its_own_answer_alone_and_is_counted() {
    Stage::play(async |stage: Stage| {
        let rate = ServiceRate { per_step: Duration::ZERO, per_row: Duration::ZERO };
        let device = StandInDevice::new(Arc::clone(&stage.clock), rate);
        let (bench, tasks) = (bench(&stage, Arc::new(device)), stage.overseer.tasks().clone());
        let rewards = vec![Weighted { kind: FAULTY, weight: 1.0 }];
        let measures = Measures {
            rewards,
            penalties: Vec::new(),
            references: OfReferences::default(),
            copies: true,
        };
        let references = vec!["Tea.".to_owned()];
        let judge = bench.judge(Arc::new(measures), references, Vec::new()).await.unwrap();
        let replies = ["one", "boom", "three", "boom", "five"].map(MinerReply::success);
        let measured = judge.measure(replies.to_vec()).await.unwrap();
        let totals: Vec<f64> = measured.iter().map(|one| one.breakdown.total.get()).collect();
        assert_eq!(totals, [1.0, 0.0, 1.0, 0.0, 1.0]);
        assert!(measured.iter().all(|one| one.breakdown.rewards.len() == 1));
        assert_eq!(tasks.panicked(), 2);
    });
}
