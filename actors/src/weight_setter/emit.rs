//! From moving averages to the vector of weights that goes on chain.
//!
//! Bit for bit as the Python SDK makes it (bittensor 10.5.0 in its numpy form,
//! `process_weights_for_netuid` and `convert_weights_and_uids_for_emit`), with one exception: where
//! the SDK pays everybody alike because nobody earned anything, there is no vector at all
//! ([`Emission::NothingEarned`]). The SDK's exclusion of a lowest quantile is left out: it is 0 by
//! default, and excludes nobody then.
//!
//! A vector that the chain would refuse is mended in [`mend`], apart from this. Whether and when to
//! set the weights is the weight setter's.

pub mod mend;
mod numpy;

use std::collections::BTreeMap;

use crate::domain::{Hotkey, Hyperparameters, Metagraph, Score, Uid};

use numpy::Precision;

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
    let Some(shares) = shares(scores, metagraph) else { return Emission::NothingEarned };
    let limit = f64::from(rules.max_weight_limit) / f64::from(u16::MAX);
    weights(metagraph, &upscaled(&processed(&shares, rules.min_allowed_weights, limit)))
}

/// Each neuron's share of what all scored, by uid; none if nobody scored.
fn shares(scores: &BTreeMap<Hotkey, Score>, metagraph: &Metagraph) -> Option<Vec<f64>> {
    let score = |hotkey: &Hotkey| scores.get(hotkey).map_or(0.0, |score| score.get());
    let scores: Vec<f64> = metagraph.neurons.iter().map(|neuron| score(&neuron.hotkey)).collect();
    let sum = Precision::Double.sum(&scores);
    (sum > 0.0).then(|| scores.iter().map(|score| score / sum).collect())
}

/// A vector by uid, without its zeros.
fn weights(metagraph: &Metagraph, values: &[u16]) -> Emission {
    let (uids, values) = metagraph
        .neurons
        .iter()
        .map(|neuron| neuron.uid)
        .zip(values.iter().copied())
        .filter(|(_, value)| *value > 0)
        .unzip();
    Emission::Weights { uids, values }
}

/// `process_weights`: applies the chain's rules to shares by uid, of which at least one is not 0.
///
/// The SDK makes the shares single precision and computes in that; only where it adds to everybody's
/// share does it happen to compute in double precision.
fn processed(shares: &[f64], least: u16, limit: f64) -> Vec<f64> {
    let least = usize::from(least);
    if shares.len() < least {
        return vec![1.0; shares.len()];
    }
    let shares: Vec<f64> = shares.iter().map(|share| Precision::Single.round(*share)).collect();
    let earners = shares.iter().filter(|share| **share > 0.0).count();
    if earners < least {
        return limited(Precision::Double, &padded(&shares), limit);
    }
    let above: Vec<f64> = shares.iter().copied().filter(|share| *share > 0.0).collect();
    let mut limited = limited(Precision::Single, &above, limit).into_iter();
    let value = |share: f64| if share > 0.0 { limited.next().unwrap_or(0.0) } else { 0.0 };
    shares.into_iter().map(value).collect()
}

/// Lifts everybody by as little as survives rounding, so that there are enough uids.
fn padded(shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|share| 1e-5 + share).collect()
}

/// `normalize_max_weight`: shares of 1, none above `limit`. What is above is cut off, and the rest
/// grows in proportion.
///
/// `cutoff` solves `cutoff = limit · (kept + over · cutoff)`, where `kept` is the sum of the shares
/// that stay and `over` how many are cut. All steps are rounded as numpy 2 rounds them: a Python
/// number takes the precision of the array it meets, except that `limit · over` is double precision.
fn limited(precision: Precision, shares: &[f64], limit: f64) -> Vec<f64> {
    const EPSILON: f64 = 1e-7;
    let round = |number: f64| precision.round(number);
    let count = shares.len();
    let sum = precision.sum(shares);
    if sum == 0.0 || count as f64 * limit <= 1.0 {
        return vec![1.0; count];
    }
    let mut sorted = shares.to_vec();
    sorted.sort_by(f64::total_cmp);
    let sorted_sum = precision.sum(&sorted);
    let estimates: Vec<f64> = sorted.iter().map(|share| round(share / sorted_sum)).collect();
    let (close_limit, epsilon) = (round(limit), round(EPSILON));
    if estimates.last().is_none_or(|largest| *largest <= close_limit) {
        return shares.iter().map(|share| round(share / sum)).collect();
    }
    let (mut total, mut totals, mut kept) = (0.0, Vec::with_capacity(count), 0);
    for (larger, estimate) in (0..count).rev().zip(&estimates) {
        total = round(total + estimate);
        totals.push(total);
        // What this share would be of the whole, were all the larger ones cut to it.
        let cut = round(round(round(larger as f64 * estimate) + total) + epsilon);
        kept += usize::from(round(estimate / cut) < close_limit);
    }
    // Where none is kept, Python's index -1 takes the last.
    let last = kept.checked_sub(1).unwrap_or(count - 1);
    let kept_sum = totals.get(last).copied().unwrap_or(total);
    let scale =
        round(round(close_limit * kept_sum) - epsilon) / (1.0 - limit * (count - kept) as f64);
    let cutoff = scale * sorted_sum;
    let cut: Vec<f64> =
        shares.iter().map(|share| if *share > cutoff { round(cutoff) } else { *share }).collect();
    match precision.sum(&cut) {
        // The SDK raises an error.
        0.0 => vec![1.0; count],
        sum => cut.iter().map(|share| round(share / sum)).collect(),
    }
}

/// `convert_weights_and_uids_for_emit`: the largest becomes 65535 and the rest keeps its proportion.
fn upscaled(shares: &[f64]) -> Vec<u16> {
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let scaled = |share: f64| (share / largest * f64::from(u16::MAX)).round_ties_even();
    shares.iter().map(|share| scaled(*share) as u16).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sdk;
