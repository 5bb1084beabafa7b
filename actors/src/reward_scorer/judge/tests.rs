use std::ops::AsyncFnOnce;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::*;
use crate::model_worker::stand_in::{ServiceRate, StandInDevice};
use crate::ports::{Device, DeviceDone, DeviceWork, EngineError};
use crate::reward_scorer::rewards::RewardKind;
use crate::reward_scorer::rewards::relevance::RELEVANCE;
use crate::reward_scorer::rewards::rouge::ROUGE_1;
use crate::testkit::{Stage, bench};

/// What a batch of embeddings takes, and each text of it.
const RATE: ServiceRate =
    ServiceRate { per_step: Duration::from_millis(9), per_row: Duration::from_millis(1) };

/// What the model cannot embed.
const UNREADABLE: &str = "unreadable";

/// The stand-in model, and what it was given to embed.
struct Watched {
    device: StandInDevice,
    batches: Mutex<Vec<Vec<String>>>,
}

impl Device for Watched {
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>> {
        if let DeviceWork::Embed { texts } = &work {
            self.batches.lock().push(texts.clone());
            if texts.iter().any(|text| text == UNREADABLE) {
                let refused = EngineError::Request("a text has no tokens".into());
                return Box::pin(async { Err(refused) });
            }
        }
        self.device.run(work)
    }
}

/// Plays a test with a bench; gives what was embedded.
fn play(test: impl AsyncFnOnce(Bench)) -> Vec<Vec<String>> {
    let mut batches = Vec::new();
    Stage::play(async |stage: Stage| {
        let device = StandInDevice::new(Arc::clone(&stage.clock), RATE);
        let watched = Arc::new(Watched { device, batches: Mutex::default() });
        test(bench(&stage, Arc::clone(&watched) as _)).await;
        batches = watched.batches.lock().clone();
    });
    batches
}

fn weighted(kinds: &[RewardKind]) -> Vec<Weighted> {
    kinds.iter().map(|kind| Weighted { kind: *kind, weight: 0.5 }).collect()
}

fn measures(
    rewards: &[RewardKind],
    penalties: &[RewardKind],
    references: OfReferences,
) -> Arc<Measures> {
    let (rewards, penalties) = (weighted(rewards), weighted(penalties));
    Arc::new(Measures { rewards, penalties, references, copies: true })
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn answers(of: &[&str]) -> Vec<MinerReply> {
    of.iter().map(|text| MinerReply::success(*text)).collect()
}

async fn measured(
    bench: &Bench,
    measures: &Arc<Measures>,
    references: &[&str],
    said: &[&str],
    answer: &str,
) -> Breakdown {
    let judge = bench.judge(Arc::clone(measures), texts(references), texts(said)).await.unwrap();
    judge.measure(answers(&[answer])).await.unwrap().remove(0).breakdown
}

fn scores(components: &[Component]) -> Vec<f64> {
    components.iter().map(|component| component.score.get()).collect()
}

#[test]
fn of_several_references_the_best_counts_or_their_mean() {
    const ONE: &str = "Tea grows on warm and rainy hills.";
    const OTHER: &str = "Its leaves are picked by hand.";
    const ANSWER: &str = "Tea grows on hills and its leaves are picked.";
    play(async |bench| {
        let of = |references| measures(&[ROUGE_1, RELEVANCE], &[], references);
        let (best, mean) = (of(OfReferences::Best), of(OfReferences::Mean));
        let one = scores(&measured(&bench, &best, &[ONE], &[], ANSWER).await.rewards);
        let other = scores(&measured(&bench, &best, &[OTHER], &[], ANSWER).await.rewards);
        let both = [OTHER, ONE];
        let best = scores(&measured(&bench, &best, &both, &[], ANSWER).await.rewards);
        let mean = scores(&measured(&bench, &mean, &both, &[], ANSWER).await.rewards);
        for at in 0..2 {
            let (one, other) = (one[at], other[at]);
            assert!(one > 0.0 && other > 0.0 && one != other, "{one} {other}");
            assert_eq!(best[at], one.max(other));
            assert!((mean[at] - (one + other) / 2.0).abs() < 1e-12, "{mean:?}");
        }
    });
}

#[test]
fn a_penalty_is_the_highest_over_all_that_was_said_whatever_counts_of_references() {
    play(async |bench| {
        let measures = measures(&[ROUGE_1], &[ROUGE_1, RELEVANCE], OfReferences::Mean);
        let echo = "where does tea grow";
        let said = [echo, "and coffee", "and what of cocoa"];
        let breakdown = measured(&bench, &measures, &["On hills."], &said, echo).await;
        let penalties = scores(&breakdown.penalties);
        assert!(penalties[0] > 0.999, "{penalties:?}");
        let alone = measured(&bench, &measures, &["On hills."], &said[..1], echo).await;
        assert_eq!(penalties[1], scores(&alone.penalties)[1]);
        assert!(penalties[1] > 0.0, "{penalties:?}");
    });
}

#[test]
fn answers_are_embedded_together_and_measured_each_for_itself_in_their_order() {
    let reference = "Tea grows on warm hills.";
    let batches = play(async |bench| {
        let measures = measures(&[ROUGE_1, RELEVANCE], &[ROUGE_1], OfReferences::Best);
        let said = texts(&["Where does tea grow?"]);
        let judge = bench.judge(measures, texts(&[reference]), said).await.unwrap();
        let mut replies = answers(&["Tea grows on hills.", " \n", "Tea? Where?", "On warm hills."]);
        let late = MinerReply::failure(StatusCode::TIMEOUT, "late");
        replies.insert(1, MinerReply { completion: reference.into(), ..late });
        let together = judge.measure(replies.clone()).await.unwrap();
        let mut apart = Vec::new();
        for reply in replies {
            apart.extend(judge.measure(vec![reply]).await.unwrap());
        }
        let components = |measured: &[Measured]| -> Vec<(Vec<f64>, Vec<f64>, Score)> {
            let of = |Measured { breakdown, .. }: &Measured| {
                (scores(&breakdown.rewards), scores(&breakdown.penalties), breakdown.total)
            };
            measured.iter().map(of).collect()
        };
        assert_eq!(components(&together), components(&apart));
        let totals: Vec<Score> = together.iter().map(|m| m.breakdown.total).collect();
        assert!(totals[0] > totals[3] && totals[4] > totals[3], "{totals:?}");
        for nothing in [&together[1], &together[2]] {
            assert_eq!((nothing.breakdown.total, nothing.time), (Score::ZERO, Duration::ZERO));
            assert_eq!(scores(&nothing.breakdown.rewards), [0.0, 0.0]);
        }
        // Nine and three milliseconds for three answers.
        let each = Duration::from_millis(4);
        for one in [&together[0], &together[3], &together[4]] {
            let times: Vec<Duration> = one.breakdown.rewards.iter().map(|c| c.time).collect();
            assert_eq!((one.time, times), (each, vec![Duration::ZERO, each]));
        }
    });
    assert_eq!(batches[0], [reference, ""], "no penalty needs what was said");
    assert_eq!(batches[1], ["Tea grows on hills.", "Tea? Where?", "On warm hills."]);
    assert_eq!(batches.len(), 2 + 3, "who did not answer is not embedded");
}

#[test]
fn what_needs_no_embeddings_asks_no_model() {
    let batches = play(async |bench| {
        let measures = measures(&[ROUGE_1], &[ROUGE_1], OfReferences::Best);
        let breakdown = measured(&bench, &measures, &["On hills."], &["Where?"], "On hills.").await;
        assert!(breakdown.total > Score::ZERO);
    });
    assert!(batches.is_empty(), "{batches:?}");
}

#[test]
fn of_a_long_answer_the_beginning_is_measured() {
    // Two bytes a letter, and the cut falls between them.
    let long = format!("x{}", "é".repeat(MOST_MEASURED));
    let batches = play(async |bench| {
        let measures = measures(&[RELEVANCE], &[], OfReferences::Best);
        measured(&bench, &measures, &["On hills."], &[], &long).await;
    });
    assert_eq!(batches[1][0].len(), MOST_MEASURED - 1);
}

#[test]
fn nothing_to_measure_takes_nothing() {
    let batches = play(async |bench| {
        let measures = measures(&[RELEVANCE], &[], OfReferences::Best);
        let judge = bench.judge(measures, texts(&["On hills."]), texts(&["Where?"])).await.unwrap();
        assert_eq!(judge.measure(Vec::new()).await, Ok(Vec::new()));
        assert_eq!(judge.measure(answers(&[""])).await.unwrap().len(), 1);
    });
    assert_eq!(batches.len(), 1, "{batches:?}");
}

#[test]
fn an_answer_that_cannot_be_embedded_costs_the_others_nothing() {
    play(async |bench: Bench| {
        let measures = measures(&[RELEVANCE, ROUGE_1], &[], OfReferences::Best);
        let of = async |answers: &[MinerReply]| {
            let judge = bench.judge(Arc::clone(&measures), texts(&["tea grows"]), texts(&["?"]));
            let measured = judge.await.unwrap().measure(answers.to_vec()).await.unwrap();
            measured.iter().map(|one| scores(&one.breakdown.rewards)).collect::<Vec<_>>()
        };
        let honest = of(&answers(&["tea grows here", "tea"])).await;
        let beside = of(&answers(&["tea grows here", UNREADABLE, "tea"])).await;
        assert_eq!(beside, [honest[0].clone(), vec![0.0, 0.0], honest[1].clone()]);
        assert!(honest[0][0] > 0.0, "{honest:?}");
    });
}
