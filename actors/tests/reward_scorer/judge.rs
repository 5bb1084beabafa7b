//! Hostile answers through a judge: what reaches the measures, and what comes back in which order.

use sn1_actors::domain::{MinerReply, Score, StatusCode};
use sn1_actors::reward_scorer::judge::{Bench, MOST_MEASURED};
use sn1_actors::reward_scorer::rewards::rouge::ROUGE_1;
use sn1_actors::reward_scorer::rewards::too_long::TOO_LONG;
use sn1_actors::reward_scorer::rewards::{Measures, OfReferences, RewardKind, Weighted};
use sn1_actors::task_maker::tasks::ALL;

use super::hostile_texts::hostile_texts;
use super::with_bench;

const REFERENCE: &str = "Tea is a drink that is made of leaves.";

/// The totals of such answers, by the measures of a kind or by one of them.
async fn totals(bench: &Bench, measures: Measures, replies: Vec<MinerReply>) -> Vec<Score> {
    let (references, said) = (vec![REFERENCE.to_owned()], vec!["What is tea?".to_owned()]);
    let judge = bench.judge(measures.into(), references, said).await.unwrap();
    let measured = judge.measure(replies).await.unwrap();
    measured.iter().map(|measured| measured.breakdown.total).collect()
}

fn by(kind: RewardKind) -> Measures {
    let rewards = vec![Weighted { kind, weight: 1.0 }];
    Measures { rewards, penalties: Vec::new(), references: OfReferences::Best, copies: true }
}

#[test]
fn of_an_answer_of_a_mebibyte_the_first_64_kibibytes_are_read_and_the_length_counts() {
    with_bench(async |bench: Bench| {
        let rest = "x".repeat((1 << 20) - MOST_MEASURED);
        let filler = |bytes: usize| "x".repeat(bytes);
        let within = format!("{} {REFERENCE} {rest}", filler(MOST_MEASURED - 100));
        let beyond = format!("{} {REFERENCE} {rest}", filler(MOST_MEASURED));
        let replies = || [&*within, &*beyond, REFERENCE].map(MinerReply::success).to_vec();
        let [within, beyond, plain] = totals(&bench, by(ROUGE_1), replies()).await[..] else {
            panic!("an answer each")
        };
        assert!(within.get() > 0.7 && plain.get() > 0.99, "{within:?} {plain:?}");
        assert_eq!(beyond, Score::ZERO);
        let [within, beyond, plain] = totals(&bench, by(TOO_LONG), replies()).await[..] else {
            panic!("an answer each")
        };
        assert_eq!([within, beyond, plain], [Score::ONE, Score::ONE, Score::ZERO]);
    });
}

#[test]
fn a_cut_falls_between_characters() {
    with_bench(async |bench: Bench| {
        for shift in 0..4 {
            let text = format!("{}{}", "x".repeat(shift), "🦀".repeat(1 << 16));
            let replies = vec![MinerReply::success(text)];
            assert_eq!(totals(&bench, by(ROUGE_1), replies).await, [Score::ZERO]);
        }
    });
}

#[test]
fn measured_together_and_alone_answers_earn_the_same_in_their_order() {
    with_bench(async |bench: Bench| {
        for kind in ALL {
            let mut replies: Vec<MinerReply> =
                hostile_texts().step_by(90).take(20).map(MinerReply::success).collect();
            replies.insert(3, MinerReply::success(REFERENCE));
            replies.insert(7, MinerReply::failure(StatusCode::TIMEOUT, "too late"));
            replies.insert(11, MinerReply::success(" \n\t"));
            let failed = MinerReply::failure(StatusCode::MALFORMED, "no synapse");
            replies.push(MinerReply { completion: REFERENCE.into(), ..failed });
            let together = totals(&bench, kind.default_measures(), replies.clone()).await;
            assert_eq!(together.len(), replies.len());
            for (reply, total) in replies.into_iter().zip(together) {
                let came = reply.status == StatusCode::OK && !reply.completion.trim().is_empty();
                assert!(came || total == Score::ZERO, "{kind:?}: {reply:.60?}");
                let alone = totals(&bench, kind.default_measures(), vec![reply]).await;
                assert_eq!(alone, [total], "{kind:?}");
            }
        }
    });
}
