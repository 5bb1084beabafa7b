//! A measure with a fault in it.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model_worker::TextSource;
use crate::model_worker::scheduler::SchedulerConfig;
use crate::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use crate::reward_scorer::judge::Bench;
use crate::testkit::Stage;
use crate::tool_fetcher::Prefetch;
use crate::wiring::{ModelParts, ToolParts, start_shared};

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
        let patience = Duration::from_secs(60);
        let rate = ServiceRate { per_step: Duration::ZERO, per_row: Duration::ZERO };
        let model = ModelParts {
            text: TextSource::Local(Arc::new(StandInCodec)),
            device: Arc::new(StandInDevice::new(Arc::clone(&stage.clock), rate)),
            scheduler: SchedulerConfig::default(),
        };
        let tools = ToolParts { tools: Arc::new([]), patience, prefetch: Prefetch::NONE };
        let shared = start_shared(&stage.overseer, model, tools, 4, &stage.failpoints);
        let (clock, tasks) = (Arc::clone(&stage.clock), stage.overseer.tasks().clone());
        let bench = Bench { model_worker: shared.embed, patience, clock, tasks: tasks.clone() };
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
