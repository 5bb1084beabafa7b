//! Who shares the device with whom: the prefix cache, embeddings, cancellation and deadlines.

use std::time::Duration;

use futures_util::future::{join, join_all};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Lane, Sampling};
use sn1_actors::model_worker::scheduler::{Refusal, SchedulerConfig};
use sn1_actors::model_worker::{Generate, ModelError, generate};
use sn1_actors::testkit::Stage;

use super::bench::{Bench, STEP, ask, prompt};

#[test]
fn texts_are_the_same_with_and_without_the_prefix_cache_which_saves_most_of_the_reading() {
    let run = |prefix_cache| {
        let (mut texts, mut stats) = (Vec::new(), None);
        Stage::play(async |stage: Stage| {
            let config = SchedulerConfig { prefix_cache, ..SchedulerConfig::default() };
            let bench = Bench::start(&stage, config);
            let prompts: Vec<String> = (0..24).map(prompt).collect();
            texts = join_all(prompts.iter().map(|prompt| bench.text(prompt))).await;
            stats = Some(bench.stats());
            bench.assert_nothing_is_left(&stage).await;
        });
        (texts, stats.unwrap())
    };
    let ((shared, with), (apart, without)) = (run(true), run(false));
    assert_eq!(shared, apart);
    assert_eq!(without.hit_ratio(), 0.0);
    assert!(with.hit_ratio() > 0.7, "{with:?}");
    assert_eq!(with.prompt_tokens, with.cached_tokens + with.prefilled_tokens);
    assert_eq!(with.decoded_tokens, without.decoded_tokens);
    assert!(with.busy < without.busy.mul_f64(0.9), "{with:?} {without:?}");
}

#[test]
fn embeddings_and_texts_run_in_turn_and_neither_waits_for_the_end_of_the_other() {
    Stage::play(async |stage: Stage| {
        let config = SchedulerConfig { embed_texts: 4, ..SchedulerConfig::default() };
        let bench = Bench::start(&stage, config);
        let began = stage.clock.now();
        let since = || stage.clock.now().since(began);
        let many: Vec<String> = (0..400).map(|n| format!("answer {n}")).collect();
        let embeds = async {
            let vectors = bench.embed(many).await.unwrap();
            (vectors.len(), since())
        };
        let text = async {
            stage.clock.sleep(STEP).await;
            bench.text("one two three four five six seven eight nine ten").await;
            since()
        };
        let ((vectors, embedded), written) = join(embeds, text).await;
        assert_eq!(vectors, 400);
        assert!(written < embedded, "a text of some 50 tokens among a hundred batches");
        let text = async {
            bench.text("one two three four five six seven eight nine ten").await;
            since()
        };
        let embed = async {
            stage.clock.sleep(STEP).await;
            bench.embed(vec!["a".into()]).await.unwrap();
            since()
        };
        let (written, embedded) = join(text, embed).await;
        assert!(embedded + 20 * STEP < written, "an embedding waits for one step");
    });
}

#[test]
fn small_embeddings_of_many_askers_share_a_call() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, SchedulerConfig::default());
        let began = stage.clock.now();
        let asked = (0..32).map(|n| bench.embed(vec![format!("answer {n}")]));
        let vectors: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
        assert!(stage.clock.now().since(began) < 4 * STEP, "not a call for each");
        assert_eq!(bench.stats().embedded_texts, 32);
        let alone = bench.embed(vec!["answer 7".into()]).await.unwrap();
        assert_eq!(vectors[7], alone, "everyone gets their own");
        let refused = bench.embed(Vec::new()).await;
        assert_eq!(refused, Err(ModelError::Refused(Refusal::Empty)));
    });
}

#[test]
fn a_request_that_is_late_ends_with_that_word_and_leaves_its_place_at_the_next_step() {
    Stage::play(async |stage: Stage| {
        let config = SchedulerConfig { max_sequences: 1, ..SchedulerConfig::default() };
        let bench = Bench::start(&stage, config);
        let deadline = Some(stage.clock.now().after(8 * STEP));
        let late = Generate { deadline, ..ask(&prompt(1)) };
        let queued_late = Generate { deadline, ..ask(&prompt(2)) };
        let (late, (queued_late, next)) = join(
            bench.generate(late),
            join(bench.generate(queued_late), bench.generate(ask(&prompt(3)))),
        )
        .await;
        assert_eq!(late, Err(ModelError::Deadline));
        assert_eq!(queued_late, Err(ModelError::Deadline));
        let queued = next.unwrap().queued;
        assert!((8 * STEP..11 * STEP).contains(&queued), "{queued:?}");
        assert_eq!(bench.stats().expired, 2);
        bench.assert_nothing_is_left(&stage).await;
    });
}

#[test]
fn an_asker_that_leaves_frees_its_place_at_the_next_step() {
    Stage::play(async |stage: Stage| {
        let config = SchedulerConfig { max_sequences: 1, ..SchedulerConfig::default() };
        let bench = Bench::start(&stage, config);
        let port = &bench.shared.generate;
        let leaves = generate(port, ask(&prompt(1)), 8 * STEP);
        let (left, next) = join(leaves, bench.generate(ask(&prompt(2)))).await;
        assert!(matches!(left, Err(ModelError::NoAnswer(_))), "{left:?}");
        let queued = next.unwrap().queued;
        assert!((8 * STEP..11 * STEP).contains(&queued), "{queued:?}");
        assert_eq!(bench.stats().cancelled, 1);
    });
}

#[test]
fn ten_thousand_cancelled_requests_leave_nothing_behind_and_others_go_on() {
    Stage::play(async |stage: Stage| {
        let config = SchedulerConfig { kv_blocks: 128, ..SchedulerConfig::default() };
        let bench = Bench::start(&stage, config);
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let lanes = [Lane::Validator, Lane::Reference, Lane::Miner];
        let leave = (0..10_000_usize).map(|n| {
            let lane = lanes[random.random_range(0..3)];
            let (wait, patience) = (random.random_range(0..60_000), random.random_range(0..40));
            let (bench, stage) = (&bench, &stage);
            async move {
                stage.clock.sleep(Duration::from_millis(wait)).await;
                let request = Generate { lane, ..ask(&prompt(n)) };
                let patience = Duration::from_millis(patience);
                generate(&bench.shared.generate, request, patience).await.unwrap_err();
            }
        });
        let stay = (0..20_usize).map(|n| {
            let (bench, stage) = (&bench, &stage);
            async move {
                stage.clock.sleep(Duration::from_secs(3 * n as u64)).await;
                let request = Generate { lane: lanes[n % 3], ..ask(&prompt(n)) };
                bench.generate(request).await.unwrap().text.len()
            }
        });
        let (_, stayed) = join(join_all(leave), join_all(stay)).await;
        assert!(stayed.into_iter().all(|length| length > 20));
        assert!(bench.stats().cancelled > 5_000, "{:?}", bench.stats());
        bench.assert_nothing_is_left(&stage).await;
    });
}

#[test]
fn any_mixture_of_requests_keeps_the_contract_with_the_engine_and_ends_clean() {
    for seed in 0..10 {
        Stage::play(async |stage: Stage| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let config = SchedulerConfig {
                max_sequences: random.random_range(1..9),
                kv_blocks: random.random_range(24..64),
                prefix_cache: random.random_bool(0.7),
                embed_texts: random.random_range(1..9),
                ..SchedulerConfig::default()
            };
            let bench = Bench::start(&stage, config);
            let lanes = [Lane::Validator, Lane::Reference, Lane::Miner];
            let requests = (0..120).map(|n| {
                let start = Duration::from_millis(random.random_range(0..3_000));
                let patience = Duration::from_millis(random.random_range(1..20_000));
                let lane = lanes[random.random_range(0..3)];
                let sampling = Sampling::greedy(random.random_range(1..300));
                let embeds = random.random_bool(0.2).then(|| random.random_range(1..20_usize));
                let stops = random.random_bool(0.3);
                let stop = if stops { vec!["tea".into()] } else { vec![] };
                let (bench, stage) = (&bench, &stage);
                async move {
                    stage.clock.sleep(start).await;
                    if let Some(texts) = embeds {
                        let vectors = bench.embed(vec!["tea".into(); texts]).await.unwrap();
                        assert_eq!(vectors.len(), texts);
                        return;
                    }
                    let request = Generate { sampling, lane, stop, ..ask(&prompt(n)) };
                    let made = generate(&bench.shared.generate, request, patience).await;
                    let kept = made.is_ok_and(|made| stops && made.text.contains("tea"));
                    assert!(!kept, "a stop string was written");
                }
            });
            join_all(requests).await;
            assert_eq!(stage.overseer.kill().fault(), None, "seed {seed}");
            bench.assert_nothing_is_left(&stage).await;
        });
    }
}
