//! From moving averages to the vector of weights that the chain takes.
//!
//! As bittensor 6.6.0 makes it (original-system.md §1.4), except that
//! - where nobody earned anything there is no vector at all ([`Emission::NothingEarned`]),
//! - a vector that the chain would refuse, because rounding left it too short or because it is over
//!   the limit for one uid, is mended as long as there are neurons enough.
//!
//! Whether and when to set the weights is the weight setter's.

use std::collections::BTreeMap;

use crate::domain::{Hotkey, Hyperparameters, Metagraph, Score, Uid};

/// What the scores come to on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emission {
    /// Set these weights.
    Weights {
        /// Whom they are for, each once, ascending.
        uids: Vec<Uid>,
        /// Their weights, none of them 0; the largest is 65535.
        values: Vec<u16>,
    },
    /// No registered hotkey has a score: set nothing, so that the weights on chain stay.
    ///
    /// The original paid everybody alike here, and thereby after every restart.
    NothingEarned,
}

/// Makes the vector. A neuron whose hotkey `scores` does not know has score 0, and a score whose
/// hotkey is not registered counts for nobody.
#[must_use]
pub fn emission(
    scores: &BTreeMap<Hotkey, Score>,
    metagraph: &Metagraph,
    rules: &Hyperparameters,
) -> Emission {
    let mut weights: Vec<f64> = metagraph
        .neurons
        .iter()
        .map(|neuron| scores.get(&neuron.hotkey).map_or(0.0, |score| score.get()))
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum == 0.0 {
        return Emission::NothingEarned;
    }
    for weight in &mut weights {
        *weight /= sum;
    }
    let least = usize::from(rules.min_allowed_weights);
    let limit = f64::from(rules.max_weight_limit) / f64::from(u16::MAX);
    let values = if weights.len() < least {
        vec![u16::MAX; weights.len()]
    } else {
        let among_earners = settled(upscaled(&limited(&weights, limit)), rules.max_weight_limit);
        let length = among_earners.iter().filter(|value| **value > 0).count();
        let can_keep_limit = weights.len() as f64 * limit >= 1.0;
        let is_over = lacking(&among_earners, rules.max_weight_limit) > 0;
        if length < least || (is_over && can_keep_limit) {
            settled(upscaled(&limited(&padded(&weights), limit)), rules.max_weight_limit)
        } else {
            among_earners
        }
    };
    let (uids, values) = metagraph
        .neurons
        .iter()
        .map(|neuron| neuron.uid)
        .zip(values)
        .filter(|(_, value)| *value > 0)
        .unzip();
    Emission::Weights { uids, values }
}

/// Lifts everybody by as little as survives rounding, so that there are enough uids.
fn padded(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|weight| weight + 1e-5).collect()
}

/// Shares of 1, none above `limit`: what is above is cut off, and the rest grows in proportion.
/// Zeros stay zeros and do not count as places to put the rest.
///
/// bittensor's `normalize_max_weight`: `cutoff` solves `cutoff = limit · (kept + over · cutoff)`,
/// where `kept` is the sum of the shares that stay and `over` how many are cut.
fn limited(weights: &[f64], limit: f64) -> Vec<f64> {
    const EPSILON: f64 = 1e-7;
    let mut sorted: Vec<f64> = weights.iter().copied().filter(|weight| *weight > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let uniform =
        || weights.iter().map(|weight| if *weight > 0.0 { 1.0 / count } else { 0.0 }).collect();
    if count * limit <= 1.0 {
        return uniform();
    }
    let sum: f64 = sorted.iter().sum();
    if sorted.last().is_none_or(|largest| largest / sum <= limit) {
        return weights.iter().map(|weight| weight / sum).collect();
    }
    let (mut kept, mut over) = (0.0, count);
    for share in sorted.iter().map(|weight| weight / sum) {
        // What this share would be of the whole, were all the larger ones cut to it.
        if share / ((over - 1.0) * share + kept + share + EPSILON) >= limit {
            break;
        }
        kept += share;
        over -= 1.0;
    }
    let cutoff = (limit * kept - EPSILON) / (1.0 - limit * over) * sum;
    if !(cutoff.is_finite() && cutoff > 0.0) {
        return uniform();
    }
    let cut: Vec<f64> = weights.iter().map(|weight| weight.min(cutoff)).collect();
    let sum: f64 = cut.iter().sum();
    cut.iter().map(|weight| weight / sum).collect()
}

/// The largest becomes 65535 and the rest keeps its proportion.
fn upscaled(weights: &[f64]) -> Vec<u16> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let scaled = |weight: f64| (weight / largest * f64::from(u16::MAX)).round_ties_even();
    weights.iter().map(|weight| scaled(*weight) as u16).collect()
}

/// What the sum lacks for the largest value, 65535, to keep the limit: the chain compares exactly.
fn lacking(values: &[u16], limit: u16) -> u64 {
    if limit == u16::MAX {
        return 0;
    }
    let sum: u64 = values.iter().copied().map(u64::from).sum();
    let needed = (u64::from(u16::MAX) * u64::from(u16::MAX)).div_ceil(u64::from(limit.max(1)));
    needed.saturating_sub(sum)
}

/// Makes up for rounding, which may cost the sum up to one a uid: the smaller values grow by one
/// in turn. A vector that lacks more stays as it is.
fn settled(mut values: Vec<u16>, limit: u16) -> Vec<u16> {
    let mut lack = lacking(&values, limit);
    if lack > values.len() as u64 {
        return values;
    }
    while lack > 0 {
        let before = lack;
        for value in values.iter_mut().filter(|value| (1..u16::MAX).contains(*value)) {
            if lack == 0 {
                break;
            }
            *value += 1;
            lack -= 1;
        }
        if lack == before {
            break;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BlockNumber, Coldkey, Netuid, Neuron, Tao};
    use proptest::prelude::*;

    fn hotkey(n: usize) -> String {
        const DIGITS: &[u8] = b"123456789A";
        let name: String =
            format!("{n:06}").bytes().map(|b| DIGITS[usize::from(b - b'0')] as char).collect();
        format!("5{}{name}", "C".repeat(41))
    }

    fn metagraph(size: usize) -> Metagraph {
        let neuron = |n: usize| Neuron {
            uid: Uid(u16::try_from(n).unwrap()),
            hotkey: Hotkey::parse(&hotkey(n)).unwrap(),
            coldkey: Coldkey::parse(&hotkey(n)).unwrap(),
            stake: Tao(0.0),
            validator_permit: false,
            axon: None,
            last_update: BlockNumber(0),
        };
        Metagraph { neurons: (0..size).map(neuron).collect(), ..Metagraph::empty(Netuid(1)) }
    }

    fn rules(min_allowed_weights: u16, max_weight_limit: u16) -> Hyperparameters {
        Hyperparameters {
            tempo: 99,
            weights_rate_limit: 100,
            min_allowed_weights,
            max_weight_limit,
            weights_version: 0,
        }
    }

    fn emitted(scores: &[f64], least: u16, limit: u16) -> Option<Vec<(u16, u16)>> {
        let book = (0..)
            .zip(scores)
            .map(|(n, score)| (Hotkey::parse(&hotkey(n)).unwrap(), Score::new(*score)))
            .collect();
        match emission(&book, &metagraph(scores.len()), &rules(least, limit)) {
            Emission::NothingEarned => None,
            Emission::Weights { uids, values } => {
                assert_eq!(uids.len(), values.len());
                Some(uids.into_iter().map(|uid| uid.0).zip(values).collect())
            }
        }
    }

    /// Expected vectors come from bittensor 6.6.0's formulas, computed apart in double precision.
    #[test]
    fn makes_the_vectors_that_bittensor_makes() {
        const NO_LIMIT: u16 = u16::MAX;
        for (scores, least, limit, expected) in [
            (&[0.5, 0.25, 0.0, 0.25][..], 1, NO_LIMIT, &[(0, 65535), (1, 32768), (3, 32768)][..]),
            (&[0.1, 0.2, 0.3, 0.4], 1, NO_LIMIT, &[(0, 16384), (1, 32768), (2, 49151), (3, 65535)]),
            // too few are non-zero: everybody gets a little
            (&[0.0, 0.7, 0.0, 0.0], 3, NO_LIMIT, &[(0, 1), (1, 65535), (2, 1), (3, 1)]),
            // fewer neurons than the least length
            (&[0.0, 0.7, 0.0, 0.0], 5, NO_LIMIT, &[(0, 65535), (1, 65535), (2, 65535), (3, 65535)]),
            // one over the limit, two over the limit
            (&[0.9, 0.1, 0.2, 0.3], 1, 26214, &[(0, 65535), (1, 16384), (2, 32768), (3, 49151)]),
            (
                &[0.9, 0.8, 0.05, 0.1, 0.02],
                2,
                19660,
                &[(0, 65535), (1, 65535), (2, 25702), (3, 51403), (4, 10281)],
            ),
            (
                &[0.3, 0.3, 0.0, 0.6, 0.001],
                1,
                32768,
                &[(0, 32768), (1, 32768), (3, 65535), (4, 109)],
            ),
            // too few to keep the limit
            (&[0.9, 0.1], 1, 26214, &[(0, 65535), (1, 65535)]),
            // rounded to nothing
            (&[1.0, 1e-9, 0.5], 1, NO_LIMIT, &[(0, 65535), (2, 32768)]),
        ] {
            assert_eq!(emitted(scores, least, limit).as_deref(), Some(expected), "{scores:?}");
        }
    }

    #[test]
    fn emits_nothing_rather_than_paying_everybody_alike_where_nobody_earned() {
        assert_eq!(emitted(&[], 1, u16::MAX), None);
        assert_eq!(emitted(&[0.0, 0.0, 0.0], 1, u16::MAX), None);
        assert_eq!(emitted(&[0.0, 0.0, 0.0], 8, u16::MAX), None);
    }

    #[test]
    fn counts_neither_unknown_neurons_nor_hotkeys_that_left() {
        let book = [(0, 0.4), (7, 1.0)]
            .map(|(n, score)| (Hotkey::parse(&hotkey(n)).unwrap(), Score::new(score)))
            .into();
        assert_eq!(
            emission(&book, &metagraph(3), &rules(1, u16::MAX)),
            Emission::Weights { uids: vec![Uid(0)], values: vec![u16::MAX] }
        );
        let gone = [(Hotkey::parse(&hotkey(7)).unwrap(), Score::ONE)].into();
        assert_eq!(emission(&gone, &metagraph(3), &rules(1, u16::MAX)), Emission::NothingEarned);
    }

    #[test]
    fn a_lone_earner_over_the_limit_shares_with_the_rest_where_the_chain_would_refuse() {
        let shared = emitted(&[0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1, 16_384).unwrap();
        assert_eq!(shared[0], (0, 65_535));
        assert_eq!(shared[1..], [1, 2, 3, 4, 5, 6].map(|uid| (uid, 32_987)));
        assert_eq!(emitted(&[0.9, 0.0, 0.0], 1, 16_384), Some(vec![(0, 65_535)]));
    }

    #[test]
    fn a_vector_that_rounding_would_leave_too_short_is_padded() {
        let padded = emitted(&[1.0, 1e-9, 1e-9, 0.0], 3, u16::MAX).unwrap();
        assert_eq!(padded, [(0, 65535), (1, 1), (2, 1), (3, 1)]);
    }

    proptest! {
        #[test]
        fn every_vector_keeps_the_rules_of_the_chain(
            scores in prop::collection::vec(
                prop_oneof![Just(0.0), 0.0..1.0, 0.0..1e-5, Just(f64::MIN_POSITIVE)],
                0..80,
            ),
            least in 0_u16..100,
            limit in prop_oneof![Just(u16::MAX), any::<u16>(), 655_u16..20_000],
        ) {
            let Some(vector) = emitted(&scores, least, limit) else {
                prop_assert!(scores.iter().all(|score| *score == 0.0));
                return Ok(());
            };
            prop_assert!(vector.is_sorted_by(|a, b| a.0 < b.0));
            let uids_end = vector.last().map_or(0, |(uid, _)| usize::from(*uid) + 1);
            prop_assert!(uids_end <= scores.len());
            prop_assert!(vector.iter().all(|(_, value)| *value > 0));
            prop_assert_eq!(vector.iter().map(|(_, value)| *value).max(), Some(u16::MAX));
            prop_assert!(vector.len() >= usize::from(least).min(scores.len()));
            let sum: u64 = vector.iter().map(|(_, value)| u64::from(*value)).sum();
            if scores.len() as u64 * u64::from(limit) >= 65_535 && limit < u16::MAX {
                // as the chain compares: 65535 / sum <= limit / 65535
                prop_assert!(65_535 * 65_535 <= sum * u64::from(limit), "{} {}", sum, limit);
            }
        }

        #[test]
        fn who_scored_more_never_gets_less(
            scores in prop::collection::vec(0.0..1.0, 2..40),
            limit in any::<u16>(),
        ) {
            let Some(vector) = emitted(&scores, 1, limit) else { return Ok(()) };
            let mut value = vec![0_u32; scores.len()];
            for (uid, given) in vector {
                value[usize::from(uid)] = given.into();
            }
            for (a, score_a) in scores.iter().enumerate() {
                for (b, score_b) in scores.iter().enumerate() {
                    // the mending of a limit may turn round two that round to the same
                    prop_assert!(score_a < score_b || value[a] + 1 >= value[b]);
                }
            }
        }
    }
}
