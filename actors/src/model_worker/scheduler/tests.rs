use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::domain::Sampling;
use crate::model_worker::stand_in::contract::KvContract;

const CONFIG: SchedulerConfig = SchedulerConfig {
    max_sequences: 3,
    miner_share: 1,
    prefill_rows: 4,
    sip_rows: 2,
    queue: 8,
    kv_blocks: 64,
    prefix_cache: true,
    embed_texts: 1,
    embed_tokens: 1,
};

const CONTEXT: usize = 1_000;
const STOP: u32 = 0;

/// A scheduler and the memory of the engine that it drives, which checks every step. The engine's
/// next token depends on all tokens before.
struct Driven {
    scheduler: Scheduler<usize>,
    engine: KvContract,
    ended: Vec<Finished<usize>>,
    prompt: usize,
    cached: usize,
    prefilled: usize,
    /// How many sequences ran at once, at most.
    peak: usize,
}

impl Driven {
    fn new(config: SchedulerConfig) -> Self {
        Self {
            scheduler: Scheduler::new(config),
            engine: KvContract::of_blocks(config.kv_blocks),
            ended: Vec::new(),
            prompt: 0,
            cached: 0,
            prefilled: 0,
            peak: 0,
        }
    }

    /// With requests named by their order; each prompt has tokens of its own.
    fn with(config: SchedulerConfig, requests: &[(usize, usize, Lane)]) -> Self {
        let mut driven = Self::new(config);
        for (name, (prompt, new, lane)) in requests.iter().enumerate() {
            let first = u32::try_from(name).unwrap() * 1_000;
            let prompt = (first..).take(*prompt).map(|token| token + 10).collect();
            driven.submit(name, prompt, *new, *lane).unwrap();
        }
        driven
    }

    fn submit(
        &mut self,
        name: usize,
        prompt_ids: Vec<u32>,
        new: usize,
        lane: Lane,
    ) -> Result<(), Refusal> {
        let sampling = Sampling::greedy(new);
        let request = Request { prompt_ids, sampling, lane };
        self.scheduler.submit(request, CONTEXT, name).map_err(|(_, refusal)| refusal)
    }

    /// Lays out a step and has the engine check and run it.
    fn begin(&mut self) -> Option<(Step, Vec<Vec<f32>>)> {
        let laid = self.scheduler.next_step()?;
        (self.prompt, self.cached) = (self.prompt + laid.prompt, self.cached + laid.cached);
        self.prefilled += laid.prefill;
        let step = laid.step;
        step.released.iter().for_each(|sequence| self.engine.release(*sequence));
        for placement in &step.placed {
            self.engine.place(placement.clone()).unwrap();
        }
        let mut logits = Vec::new();
        for row in &step.rows {
            let tokens = self.engine.run(row).unwrap();
            if row.wants_logits {
                let sum = tokens.iter().fold(7_u32, |sum, token| sum.wrapping_mul(31) ^ token);
                let mut row = vec![0.0; 500];
                row[100 + sum as usize % 400] = 1.0;
                logits.push(row);
            }
        }
        assert_eq!(logits.len(), self.scheduler.awaited());
        self.peak = self.peak.max(self.engine.sequences());
        Some((step, logits))
    }

    fn step(&mut self) -> Option<Step> {
        let (step, logits) = self.begin()?;
        let stop = |_: &mut usize, id| (id == STOP).then_some(FinishReason::Stop);
        self.ended.extend(self.scheduler.apply(&logits, stop));
        Some(step)
    }

    /// Runs steps until nothing is left; gives the names in the order in which they ended.
    fn drain(&mut self) -> Vec<usize> {
        while self.step().is_some() {}
        self.names()
    }

    fn names(&self) -> Vec<usize> {
        self.ended.iter().map(|finished| finished.carried).collect()
    }

    fn texts(&self) -> BTreeMap<usize, Vec<u32>> {
        self.ended.iter().map(|f| (f.carried, f.generated_ids.clone())).collect()
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(self.engine.sequences(), 0);
        let blocks = self.scheduler.config.kv_blocks as usize;
        assert_eq!(self.scheduler.blocks_available(), blocks);
        assert_eq!(self.scheduler.free.len(), self.scheduler.config.max_sequences as usize);
    }
}

fn rows_of(step: &Step, sequence: u32) -> usize {
    step.rows.iter().filter(|row| row.sequence == SequenceId(sequence)).count()
}

#[test]
fn a_long_prompt_is_read_in_pieces_while_others_write() {
    let mut driven = Driven::with(CONFIG, &[(2, 9, Lane::Validator), (9, 9, Lane::Validator)]);
    let step = driven.step().unwrap();
    assert_eq!((rows_of(&step, 0), rows_of(&step, 1)), (2, 2));
    let step = driven.step().unwrap();
    let decode: Vec<_> = step.rows.iter().filter(|row| row.wants_logits).collect();
    assert_eq!((step.rows.len(), decode.len()), (5, 1), "one decode row and four of the prompt");
    assert_eq!((decode[0].sequence, decode[0].position), (SequenceId(0), 2));
}

#[test]
fn what_is_waited_for_is_read_first_and_others_sip() {
    let lanes = [Lane::Miner, Lane::Reference, Lane::Validator];
    let mut driven = Driven::with(CONFIG, &lanes.map(|lane| (9, 9, lane)));
    let mut steps = || {
        let step = driven.step().unwrap();
        (rows_of(&step, 0), step.rows.len())
    };
    assert_eq!([steps(), steps()], [(4, 4), (4, 4)], "the validator's prompt takes the budget");
    assert_eq!(steps(), (1, 3), "its last row, and two of the others");
    assert_eq!(steps(), (1, 3), "it writes, the others sip");
}

#[test]
fn a_prompt_that_is_sipped_is_not_starved_by_a_stream_of_urgent_ones() {
    let mut driven = Driven::with(CONFIG, &[(8, 1, Lane::Miner)]);
    for name in 1..40 {
        driven.submit(name, vec![u32::try_from(name).unwrap(); 8], 1, Lane::Validator).unwrap();
        for _ in 0..2 {
            driven.step();
        }
    }
    let names = driven.names();
    assert!(names.contains(&0) && names.len() > 30, "{names:?}");
}

#[test]
fn every_request_ends_with_as_many_tokens_as_it_may_have() {
    let lanes = [Lane::Validator, Lane::Miner];
    let requests: Vec<_> = (0..8).map(|n| (1 + n, 2 + n, lanes[n % 2])).collect();
    let mut driven = Driven::with(CONFIG, &requests);
    driven.drain();
    let lengths: Vec<_> = driven.texts().into_values().map(|text| text.len()).collect();
    assert_eq!(lengths, (2..10).collect::<Vec<_>>());
    assert!(driven.ended.iter().all(|finished| finished.reason == FinishReason::Length));
    driven.assert_nothing_is_left();
}

#[test]
fn a_stop_token_ends_a_sequence_and_frees_its_place() {
    let mut driven = Driven::with(CONFIG, &[(1, 9, Lane::Validator)]);
    driven.begin().unwrap();
    let stop = |_: &mut usize, _| Some(FinishReason::Stop);
    let ended = driven.scheduler.apply(&[vec![9.0]], stop);
    assert_eq!((ended[0].reason, &ended[0].generated_ids), (FinishReason::Stop, &vec![0]));
    let released = Step { released: vec![SequenceId(0)], ..Step::default() };
    assert_eq!(driven.step(), Some(released));
    assert_eq!(driven.step(), None);
}

#[test]
fn neither_lane_keeps_the_other_out() {
    let crowd = |first, second| {
        let mut requests = vec![(1, 9, first); 5];
        requests.push((1, 1, second));
        Driven::with(CONFIG, &requests).drain().iter().position(|name| *name == 5)
    };
    assert_eq!(crowd(Lane::Miner, Lane::Validator), Some(0), "a validator among miners");
    assert!(crowd(Lane::Validator, Lane::Miner).unwrap() <= 2, "a miner among validators");
}

#[test]
fn within_a_lane_requests_begin_in_the_order_in_which_they_came() {
    let mut driven = Driven::with(CONFIG, &[(3, 2, Lane::Reference); 8]);
    assert_eq!(driven.drain(), (0..8).collect::<Vec<_>>());
}

#[test]
fn admits_by_the_blocks_of_prompt_and_answer_and_never_overcommits() {
    // Each needs two blocks: 33 positions, of which the last written token needs none.
    let config = SchedulerConfig { kv_blocks: 5, ..CONFIG };
    let mut driven = Driven::with(config, &[(3, 31, Lane::Validator); 6]);
    driven.drain();
    assert_eq!((driven.peak, driven.ended.len()), (2, 6), "five blocks hold two sequences");
    driven.assert_nothing_is_left();
    let mut driven = Driven::with(config, &[(3, 30, Lane::Validator); 6]);
    driven.drain();
    assert_eq!(driven.peak, 3, "one block each");
}

#[test]
fn a_large_request_waits_for_room_and_is_not_overtaken_for_ever() {
    let config = SchedulerConfig { kv_blocks: 4, ..CONFIG };
    let mut driven = Driven::with(config, &[(3, 20, Lane::Miner), (3, 120, Lane::Miner)]);
    for name in 2..60 {
        let _ = driven.submit(name, vec![u32::try_from(name).unwrap(); 3], 20, Lane::Validator);
        for _ in 0..8 {
            driven.step();
        }
    }
    let names = driven.drain();
    let large = names.iter().position(|name| *name == 1).unwrap();
    assert!(large < names.len() / 2, "{names:?}");
}

#[test]
fn what_nobody_waits_for_is_dropped_whether_queued_or_running() {
    let mut driven = Driven::with(CONFIG, &[(1, 9, Lane::Miner); 5]);
    driven.step().unwrap();
    let mut out = driven.scheduler.take_out(|name| *name != 4);
    out.sort_unstable();
    assert_eq!(out, [0, 1, 2, 3]);
    let step = driven.step().unwrap();
    assert_eq!((step.released.len(), step.placed.len()), (3, 1), "at the next step: {step:?}");
    assert_eq!(driven.drain(), [4]);
    driven.assert_nothing_is_left();
}

#[test]
fn refuses_what_cannot_be_continued() {
    let config = SchedulerConfig { queue: 1, kv_blocks: 2, ..CONFIG };
    let mut driven = Driven::new(config);
    let mut refusal = |prompt, new| driven.submit(0, vec![7; prompt], new, Lane::Miner).err();
    assert_eq!(refusal(0, 5), Some(Refusal::Empty));
    assert_eq!(refusal(CONTEXT, 5), Some(Refusal::TooLong { prompt: CONTEXT, context: CONTEXT }));
    assert_eq!(refusal(3, 0), Some(Refusal::NoTokens));
    assert_eq!(refusal(60, 6), Some(Refusal::TooLarge { needed: 3, total: 2 }));
    assert_eq!(refusal(60, 5), None);
    assert_eq!(refusal(3, 5), Some(Refusal::QueueFull(1)));
    for penalty in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let sampling = Sampling { repetition_penalty: penalty, ..Sampling::ORIGINAL };
        let request = Request { prompt_ids: vec![1], sampling, lane: Lane::Validator };
        let refused = driven.scheduler.submit(request, CONTEXT, 0).unwrap_err();
        assert_eq!(refused.1, Refusal::Penalty);
    }
}

/// Eight askers with the same 70 tokens before their own.
fn same_beginning(config: SchedulerConfig) -> Driven {
    let mut driven = Driven::new(config);
    for name in 0..8 {
        let own = u32::try_from(name).unwrap() + 100;
        let prompt = (0..70).chain([own, own, own]).collect();
        driven.submit(name, prompt, 5, Lane::Validator).unwrap();
    }
    driven.drain();
    driven.assert_nothing_is_left();
    driven
}

#[test]
fn sequences_that_begin_alike_share_blocks_and_the_tokens_stay_the_same() {
    let config = SchedulerConfig { max_sequences: 8, ..CONFIG };
    let shared = same_beginning(config);
    let apart = same_beginning(SchedulerConfig { prefix_cache: false, ..config });
    assert_eq!(shared.texts(), apart.texts());
    assert_eq!((apart.prompt, apart.cached, apart.prefilled), (8 * 73, 0, 8 * 73));
    assert_eq!(shared.cached, 7 * 64, "all but the first, though all came at once");
    assert_eq!(shared.prefilled, 8 * 73 - 7 * 64);
}

#[test]
fn what_was_written_is_known_to_a_prompt_that_goes_on_from_it() {
    let mut driven = Driven::new(CONFIG);
    let mut prompt: Vec<u32> = (0..40).collect();
    driven.submit(0, prompt.clone(), 60, Lane::Validator).unwrap();
    driven.drain();
    prompt.extend(&driven.ended[0].generated_ids);
    driven.submit(1, prompt, 5, Lane::Validator).unwrap();
    driven.drain();
    assert_eq!(driven.cached, 96, "40 read, 59 of those written were run");
}

#[test]
fn the_cache_gives_way_to_what_must_run() {
    let config = SchedulerConfig { kv_blocks: 6, ..CONFIG };
    let mut driven = Driven::with(config, &[(70, 2, Lane::Validator); 8]);
    assert_eq!(driven.drain().len(), 8);
    driven.assert_nothing_is_left();
    let whole = driven.submit(9, vec![3; 150], 42, Lane::Validator);
    assert_eq!((whole, driven.drain().last()), (Ok(()), Some(&9)), "it needs every block");
}

#[test]
fn after_a_failure_the_suspects_end_and_the_others_go_on_with_the_same_tokens() {
    let requests = [(5, 20, Lane::Validator), (40, 20, Lane::Reference), (6, 20, Lane::Validator)];
    let mut whole = Driven::with(CONFIG, &requests);
    whole.drain();
    let config = SchedulerConfig { max_sequences: 4, ..CONFIG };
    let mut driven = Driven::with(config, &requests);
    for _ in 0..15 {
        driven.step();
    }
    driven.submit(3, vec![9; 3], 5, Lane::Validator).unwrap();
    let (step, _) = driven.begin().unwrap();
    assert_eq!(step.placed.len(), 1, "{step:?}");
    assert_eq!(driven.scheduler.device_failed(Loss::Memory), [3]);
    driven.engine = KvContract::of_blocks(config.kv_blocks);
    driven.drain();
    assert_eq!(driven.texts(), whole.texts());
    driven.assert_nothing_is_left();
}

#[test]
fn of_several_that_began_with_a_failure_the_one_to_blame_is_found() {
    let mut driven = Driven::with(CONFIG, &[(1, 9, Lane::Validator); 3]);
    let mut failures = 0;
    while let Some((step, logits)) = driven.begin() {
        let bad = 1_010;
        if step.rows.iter().any(|row| row.token == bad) {
            failures += 1;
            let ended = driven.scheduler.device_failed(Loss::Memory);
            driven.engine = KvContract::of_blocks(CONFIG.kv_blocks);
            assert_eq!(ended, if failures == 1 { vec![] } else { vec![1] });
        } else {
            driven.ended.extend(driven.scheduler.apply(&logits, |_, _| None));
        }
    }
    assert_eq!((failures, driven.names()), (2, vec![0, 2]));
}

#[test]
fn one_that_brings_the_device_down_again_and_again_ends_with_it() {
    let config = SchedulerConfig { max_sequences: 1, ..CONFIG };
    let mut driven = Driven::with(config, &[(5, 50, Lane::Validator), (5, 2, Lane::Miner)]);
    for failure in 0..=SURVIVALS {
        for _ in 0..4 {
            driven.step();
        }
        let ended = driven.scheduler.device_failed(Loss::Memory);
        driven.engine = KvContract::of_blocks(CONFIG.kv_blocks);
        let expected: &[usize] = if failure == SURVIVALS { &[0] } else { &[] };
        assert_eq!(ended, expected, "failure {failure}");
    }
    assert_eq!(driven.drain(), [1]);
    driven.assert_nothing_is_left();
}

#[test]
fn a_device_that_is_lost_ends_all_that_runs() {
    let mut driven = Driven::with(CONFIG, &[(1, 2, Lane::Validator); 5]);
    driven.step().unwrap();
    assert_eq!(driven.scheduler.device_failed(Loss::Device).len(), 3);
}

#[test]
fn whatever_happens_all_places_and_blocks_come_back_and_everybody_is_told() {
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let config = SchedulerConfig {
            max_sequences: random.random_range(1..6),
            miner_share: random.random_range(0..3),
            prefill_rows: random.random_range(1..40),
            sip_rows: random.random_range(0..9),
            queue: 6,
            kv_blocks: random.random_range(4..24),
            prefix_cache: random.random_bool(0.8),
            ..CONFIG
        };
        let mut driven = Driven::new(config);
        let (mut asked, mut told) = (BTreeSet::new(), BTreeSet::new());
        for name in 0..400_usize {
            let lane = [Lane::Validator, Lane::Reference, Lane::Miner][random.random_range(0..3)];
            let family = random.random_range(0..3);
            let mut prompt = vec![family; random.random_range(0..70)];
            prompt.extend((0..random.random_range(1..30)).map(|_| random.random_range(5..8_u32)));
            if driven.submit(name, prompt, random.random_range(1..50), lane).is_ok() {
                asked.insert(name);
            }
            for _ in 0..random.random_range(0..12) {
                driven.step();
            }
            match random.random_range(0..20) {
                0 => {
                    let gone = driven.scheduler.take_out(|carried| carried % 3 == name % 3);
                    told.extend(gone);
                }
                1 => {
                    driven.begin();
                    told.extend(driven.scheduler.device_failed(Loss::Memory));
                    driven.engine = KvContract::of_blocks(config.kv_blocks);
                }
                2 => {
                    driven.begin();
                    told.extend(driven.scheduler.device_failed(Loss::Step));
                }
                _ => {}
            }
        }
        told.extend(driven.drain());
        assert_eq!(asked, told, "seed {seed}");
        driven.assert_nothing_is_left();
    }
}
