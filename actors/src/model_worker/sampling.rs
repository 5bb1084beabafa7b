//! The choice of the next token from the logits of one row.
//!
//! In the order of the usual samplers: repetition penalty, temperature, then top-k, then top-p, then one draw. Pure:
//! a [`Sampler`] belongs to one request and draws from that request's seed, so the same request
//! gives the same tokens whatever else runs beside it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::Sampling;

/// Chooses the tokens of one request.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    rng: ChaCha8Rng,
    /// Kept between tokens for its memory only.
    candidates: Vec<Candidate>,
    /// The tokens to be penalised; empty without a penalty.
    seen: BTreeSet<u32>,
    /// Kept between tokens for its memory only.
    penalised: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    token: u32,
    logit: f32,
}

impl Candidate {
    /// The more likely first; among equals the lower token, so that the order is total.
    fn by_rank(&self, other: &Self) -> Ordering {
        other.logit.total_cmp(&self.logit).then(self.token.cmp(&other.token))
    }
}

impl Sampler {
    /// A sampler at the start of its request's random stream, which continues `prompt`.
    ///
    /// A temperature that is not above 0 means greedy; a `top_p` that is not below 1 cuts nothing.
    #[must_use]
    pub fn new(sampling: &Sampling, prompt: &[u32]) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(sampling.seed);
        let mut sampler = Self {
            sampling: *sampling,
            rng,
            candidates: Vec::new(),
            seen: BTreeSet::new(),
            penalised: Vec::new(),
        };
        if sampler.penalises() {
            sampler.seen.extend(prompt);
        }
        sampler
    }

    /// The next token, given one logit for each token of the vocabulary; `None` without logits.
    ///
    /// A logit that is no number counts as impossible. If all are, the token is 0.
    pub fn pick(&mut self, logits: &[f32]) -> Option<u32> {
        if logits.is_empty() {
            return None;
        }
        if !self.penalises() {
            return Some(self.choose(logits));
        }
        let mut penalised = std::mem::take(&mut self.penalised);
        self.penalise(logits, &mut penalised);
        let token = self.choose(&penalised);
        self.penalised = penalised;
        self.seen.insert(token);
        Some(token)
    }

    fn choose(&mut self, logits: &[f32]) -> u32 {
        let token = if self.sampling.temperature > 0.0 { self.draw(logits) } else { best(logits) };
        token.unwrap_or(0)
    }

    fn penalises(&self) -> bool {
        self.sampling.repetition_penalty != 1.0
    }

    /// As transformers does it: what was seen moves towards and beyond the impossible.
    fn penalise(&self, logits: &[f32], penalised: &mut Vec<f32>) {
        let penalty = self.sampling.repetition_penalty;
        penalised.clear();
        penalised.extend_from_slice(logits);
        for token in &self.seen {
            if let Some(logit) = penalised.get_mut(*token as usize) {
                *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
            }
        }
    }

    fn draw(&mut self, logits: &[f32]) -> Option<u32> {
        self.keep_likely(logits);
        let cuts_tail = self.sampling.top_p < 1.0;
        if cuts_tail || self.sampling.top_k > 0 {
            self.candidates.sort_unstable_by(Candidate::by_rank);
        }
        let largest = self.candidates.iter().map(|c| c.logit).fold(f32::NEG_INFINITY, f32::max);
        let temperature = f64::from(self.sampling.temperature);
        let likelihood =
            |c: &Candidate| ((f64::from(c.logit) - f64::from(largest)) / temperature).exp();
        let mut total: f64 = self.candidates.iter().map(likelihood).sum();
        if cuts_tail {
            let enough = f64::from(self.sampling.top_p) * total;
            let mut reached = 0.0;
            let is_needed = |c: &&Candidate| {
                let is_needed = reached == 0.0 || reached < enough;
                reached += likelihood(c);
                is_needed
            };
            let kept = self.candidates.iter().take_while(is_needed).count();
            self.candidates.truncate(kept);
            total = self.candidates.iter().map(likelihood).sum();
        }
        let mut left = self.rng.random::<f64>() * total;
        for candidate in &self.candidates {
            left -= likelihood(candidate);
            if left < 0.0 {
                return Some(candidate.token);
            }
        }
        // Only rounding leads here.
        self.candidates.iter().rev().find(|c| likelihood(c) > 0.0).map(|c| c.token)
    }

    /// Fills the candidates with the `top_k` best of the possible tokens.
    ///
    /// One pass over the vocabulary: what is not above the worst of the best so far is out.
    fn keep_likely(&mut self, logits: &[f32]) {
        let keep = match self.sampling.top_k {
            0 => logits.len(),
            k => k.min(logits.len()),
        };
        let mut floor = f32::NEG_INFINITY;
        self.candidates.clear();
        for candidate in possible(logits) {
            if candidate.logit <= floor {
                continue;
            }
            self.candidates.push(candidate);
            if self.candidates.len() >= keep.saturating_mul(2).max(64) {
                self.shrink(keep);
                floor = self.candidates.last().map_or(floor, |worst| worst.logit);
            }
        }
        self.shrink(keep);
    }

    /// Leaves the `keep` best, the worst of them last.
    fn shrink(&mut self, keep: usize) {
        if keep > 0 && self.candidates.len() > keep {
            self.candidates.select_nth_unstable_by(keep - 1, Candidate::by_rank);
            self.candidates.truncate(keep);
        }
    }
}

fn best(logits: &[f32]) -> Option<u32> {
    let better = |best: Candidate, c: Candidate| if c.logit > best.logit { c } else { best };
    possible(logits).reduce(better).map(|best| best.token)
}

/// The tokens that can be chosen, each with a finite logit.
fn possible(logits: &[f32]) -> impl Iterator<Item = Candidate> {
    (0..u32::MAX)
        .zip(logits)
        .filter(|(_, logit)| **logit > f32::NEG_INFINITY)
        // Adding 0 makes one of the two zeros, which the total order would tell apart.
        .map(|(token, logit)| Candidate { token, logit: logit.min(f32::MAX) + 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Sampling =
        Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, seed: 7, ..Sampling::ORIGINAL };

    fn draws(sampling: Sampling, logits: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(&sampling, &[]);
        (0..count).map(|_| sampler.pick(logits).unwrap()).collect()
    }

    fn shares(sampling: Sampling, logits: &[f32]) -> Vec<f64> {
        const COUNT: usize = 40_000;
        let mut shares = vec![0.0; logits.len()];
        for token in draws(sampling, logits, COUNT) {
            shares[token as usize] += 1.0 / COUNT as f64;
        }
        shares
    }

    /// Logits of which softmax makes these probabilities.
    fn logits_of(probabilities: &[f64]) -> Vec<f32> {
        probabilities.iter().map(|p| p.ln() as f32).collect()
    }

    fn assert_close(seen: &[f64], expected: &[f64]) {
        for (seen_one, expected_one) in seen.iter().zip(expected) {
            assert!((seen_one - expected_one).abs() < 0.01, "{seen:?} is not {expected:?}");
        }
    }

    #[test]
    fn greedy_takes_the_largest_logit_and_the_lowest_of_equals() {
        let mut sampler = Sampler::new(&Sampling::greedy(1), &[]);
        for (logits, token) in [
            (&[0.1, 3.0, -2.0][..], 1),
            (&[2.0, 3.0, 3.0], 1),
            (&[-0.0, 0.0], 0),
            (&[-5.0, -4.0], 1),
            (&[f32::NAN, -9.0, f32::NEG_INFINITY], 1),
            (&[1.0, f32::INFINITY, f32::MAX], 1),
        ] {
            assert_eq!(sampler.pick(logits), Some(token), "{logits:?}");
        }
    }

    #[test]
    fn gives_no_token_without_logits_and_token_0_where_none_is_possible() {
        for sampling in [Sampling::greedy(1), PLAIN, Sampling::ORIGINAL] {
            let mut sampler = Sampler::new(&sampling, &[]);
            assert_eq!(sampler.pick(&[]), None);
            assert_eq!(sampler.pick(&[f32::NAN, f32::NEG_INFINITY, f32::NAN]), Some(0));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens_and_another_seed_others() {
        let logits: Vec<f32> = (0..500).map(|i| (i % 37) as f32 / 9.0).collect();
        let tokens = draws(Sampling { seed: 1, ..Sampling::ORIGINAL }, &logits, 100);
        assert_eq!(tokens, draws(Sampling { seed: 1, ..Sampling::ORIGINAL }, &logits, 100));
        assert_ne!(tokens, draws(Sampling { seed: 2, ..Sampling::ORIGINAL }, &logits, 100));
    }

    #[test]
    fn tokens_come_as_often_as_softmax_says() {
        let probabilities = [0.1, 0.2, 0.3, 0.4];
        assert_close(&shares(PLAIN, &logits_of(&probabilities)), &probabilities);
    }

    #[test]
    fn temperature_sharpens_and_flattens() {
        let logits = logits_of(&[0.25, 0.75]);
        let cold = Sampling { temperature: 0.5, ..PLAIN };
        assert_close(&shares(cold, &logits), &[0.1, 0.9]);
        let hot = Sampling { temperature: f32::INFINITY, ..PLAIN };
        assert_close(&shares(hot, &logits), &[0.5, 0.5]);
    }

    #[test]
    fn top_k_draws_from_the_k_best_in_their_proportion() {
        let sampling = Sampling { top_k: 2, ..PLAIN };
        let expected = [0.0, 0.0, 0.4, 0.6];
        assert_close(&shares(sampling, &logits_of(&[0.2, 0.3, 0.2, 0.3])), &[0.0, 0.5, 0.0, 0.5]);
        assert_close(&shares(sampling, &logits_of(&[0.2, 0.2, 0.24, 0.36])), &expected);
        assert_eq!(shares(sampling, &logits_of(&[0.2, 0.2, 0.24, 0.36]))[..2], [0.0, 0.0]);
    }

    #[test]
    fn top_k_finds_the_best_anywhere_in_a_large_vocabulary() {
        let mut logits: Vec<f32> = (0..50_000_u32).map(|i| (i * 7919 % 50_000) as f32).collect();
        let mut ranked: Vec<u32> = (0..50_000).collect();
        ranked.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
        for logit in &mut logits {
            *logit *= 1e-6; // so that the 50 are about equally likely
        }
        let sampling = Sampling { top_k: 50, ..PLAIN };
        let mut seen = draws(sampling, &logits, 500);
        seen.sort_unstable();
        seen.dedup();
        let mut best = ranked[..50].to_vec();
        best.sort_unstable();
        assert_eq!(seen, best);
    }

    #[test]
    fn top_k_of_one_is_greedy_whatever_the_temperature() {
        let logits: Vec<f32> = (0..300).map(|i| (i * 31 % 300 / 2) as f32).collect();
        let greedy = draws(Sampling::greedy(1), &logits, 20);
        assert_eq!(draws(Sampling { temperature: 9.0, top_k: 1, ..PLAIN }, &logits, 20), greedy);
    }

    #[test]
    fn top_p_keeps_the_fewest_tokens_that_reach_it() {
        let logits = logits_of(&[0.15, 0.5, 0.05, 0.3]);
        let kept = |top_p| shares(Sampling { top_p, ..PLAIN }, &logits);
        assert_close(&kept(0.6), &[0.0, 0.625, 0.0, 0.375]);
        assert_close(&kept(0.9), &[0.15 / 0.95, 0.5 / 0.95, 0.0, 0.3 / 0.95]);
        assert_eq!(kept(0.9)[2], 0.0);
        assert_close(&kept(0.0), &[0.0, 1.0, 0.0, 0.0]);
        assert_close(&kept(1.0), &[0.15, 0.5, 0.05, 0.3]);
        assert_close(&kept(f32::NAN), &[0.15, 0.5, 0.05, 0.3]);
    }

    #[test]
    fn top_p_counts_within_what_top_k_left() {
        let sampling = Sampling { top_k: 2, top_p: 0.55, ..PLAIN };
        assert_close(&shares(sampling, &logits_of(&[0.5, 0.3, 0.2])), &[1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_penalty_makes_tokens_of_the_prompt_and_the_text_less_likely() {
        let sampling = Sampling { repetition_penalty: 2.0, ..Sampling::greedy(1) };
        let logits = [3.0, 2.0, 1.4, -1.0];
        let mut sampler = Sampler::new(&sampling, &[0]);
        let tokens: Vec<_> = (0..4).map(|_| sampler.pick(&logits).unwrap()).collect();
        assert_eq!(tokens, [1, 0, 0, 0], "3 counts 1.5; then 2 counts 1; 1.5 is above 1.4");
        let mut sampler = Sampler::new(&sampling, &[0, 9]);
        assert_eq!(sampler.pick(&[-1.0, -1.5]), Some(1), "-1 counts -2; 9 is no token");
        let mut sampler = Sampler::new(&Sampling::greedy(1), &[0]);
        assert_eq!(sampler.pick(&logits), Some(0), "no penalty");
    }

    proptest! {
        #[test]
        fn any_logits_and_settings_give_a_token_of_the_vocabulary(
            logits in prop::collection::vec(any::<f32>(), 1..200),
            temperature in any::<f32>(),
            top_k in prop_oneof![0_usize..250, Just(usize::MAX)],
            top_p in any::<f32>(),
            repetition_penalty in prop_oneof![Just(1.0_f32), 0.01_f32..9.0],
            seed in any::<u64>(),
        ) {
            let sampling = Sampling {
                temperature, top_k, top_p, repetition_penalty, max_new_tokens: 1, seed,
            };
            let mut sampler = Sampler::new(&sampling, &[]);
            for _ in 0..3 {
                let token = sampler.pick(&logits).unwrap() as usize;
                let possible = |l: &f32| *l > f32::NEG_INFINITY;
                prop_assert!(possible(&logits[token]) || !logits.iter().any(possible));
            }
        }

        #[test]
        fn the_best_k_are_the_first_of_a_full_sort(
            logits in prop::collection::vec(-3_i8..3, 1..400),
            top_k in 1_usize..100,
        ) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let mut sampler = Sampler::new(&Sampling { top_k, ..PLAIN }, &[]);
            sampler.keep_likely(&logits);
            let mut kept: Vec<u32> = sampler.candidates.iter().map(|c| c.token).collect();
            kept.sort_unstable();
            let mut all: Vec<Candidate> = possible(&logits).collect();
            all.sort_by(Candidate::by_rank);
            let mut best: Vec<u32> = all.iter().take(top_k).map(|c| c.token).collect();
            best.sort_unstable();
            prop_assert_eq!(kept, best);
        }
    }
}
