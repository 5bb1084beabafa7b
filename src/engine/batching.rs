//! Tests of the engine under the real scheduler: what a sequence gets does not depend on the batch
//! that it is in, nor on who computed its first blocks. They need the real model's file.

use sn1_actors::domain::{Lane, Sampling};
use sn1_actors::model_worker::scheduler::{Laid, Request, Scheduler, SchedulerConfig};
use sn1_actors::ports::StepEngine;

use super::oracle::gguf;
use super::{EngineOptions, LocalEngine, LocalModelFiles};

const PROMPTS: u32 = 32;
const NEW_TOKENS: usize = 6;

/// Of mixed length; every other one begins with the same hundred tokens.
fn prompt(number: u32) -> Vec<u32> {
    let token = |seed: u32| seed.wrapping_mul(7_919) % 40_000 + 100;
    let shared = if number.is_multiple_of(2) { 100 } else { 0 };
    let own = (0..3 + number * 13 % 50).map(|i| token(number * 1_000 + i + 1));
    (0..shared).map(token).chain(own).collect()
}

/// What a sequence got: each token, and the sum of the bits of the logits it was drawn from.
type Outcome = Vec<(u32, u64)>;

/// Runs all prompts, so many at a time. Gives what each got, and how many positions were shared.
fn run(engine: &mut LocalEngine, max_sequences: u32, prefix_cache: bool) -> (Vec<Outcome>, usize) {
    let config = SchedulerConfig { max_sequences, prefix_cache, ..SchedulerConfig::default() };
    let mut scheduler = Scheduler::new(config);
    for number in 0..PROMPTS {
        let prompt_ids = prompt(number);
        let sampling = Sampling::greedy(NEW_TOKENS);
        let request = Request { prompt_ids, sampling, lane: Lane::Validator };
        scheduler.submit(request, 8_192, number as usize).unwrap();
    }
    let mut outcomes = vec![Vec::new(); PROMPTS as usize];
    let mut shared = 0;
    while let Some(Laid { step, cached, .. }) = scheduler.next_step() {
        step.released.into_iter().for_each(|sequence| engine.release(sequence));
        step.placed.into_iter().for_each(|placement| engine.place(placement).unwrap());
        let logits = engine.step(&step.rows).unwrap();
        shared += cached;
        let mut next = logits.iter();
        scheduler.apply(&logits, |number, token| {
            let bits = next.next().unwrap().iter().map(|logit| u64::from(logit.to_bits()));
            outcomes[*number].push((token, bits.fold(0, u64::wrapping_add)));
            None
        });
    }
    (outcomes, shared)
}

#[test]
fn what_a_sequence_gets_depends_neither_on_its_batch_nor_on_shared_blocks() {
    let Some(gguf) = gguf() else { return };
    let files = LocalModelFiles { text: gguf, embedder: None };
    let mut engine = LocalEngine::load(&files, EngineOptions::default()).unwrap();
    let (alone, shared) = run(&mut engine, 1, false);
    assert_eq!(shared, 0);
    assert!(alone.iter().all(|outcome| outcome.len() == NEW_TOKENS));
    for (max_sequences, prefix_cache) in [(1, true), (4, false), (4, true), (16, false), (16, true)]
    {
        let (batched, shared) = run(&mut engine, max_sequences, prefix_cache);
        assert!(batched == alone, "{max_sequences} at a time, shared blocks: {prefix_cache}");
        let everyone_but_one = 15 * 96;
        assert_eq!(shared >= everyone_but_one, prefix_cache, "{shared} positions were shared");
    }
}
