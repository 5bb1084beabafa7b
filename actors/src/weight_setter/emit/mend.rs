//! Makes a vector that the chain would refuse into one that it takes.
//!
//! The SDK sends such vectors and is refused each epoch: where rounding left fewer uids than the
//! least, where rounding lifted the largest above the limit, and where too few earned anything for
//! all to be under the limit. As a vector that the chain takes is returned untouched, this is no
//! departure from what the SDK gets on chain.

use std::collections::BTreeMap;

use crate::domain::{Hotkey, Hyperparameters, Metagraph, Score};

use super::{Emission, Precision, limited, padded, shares, upscaled, weights};

/// The vector itself where the chain takes it, otherwise one that is as near to it as may be. Where
/// the subnet has too few neurons for its own rules there is none; the vector is returned as it is.
#[must_use]
pub fn mended(
    emission: Emission,
    scores: &BTreeMap<Hotkey, Score>,
    metagraph: &Metagraph,
    rules: &Hyperparameters,
) -> Emission {
    let Emission::Weights { uids, values } = &emission else { return emission };
    if taken(values, metagraph.neurons.len(), rules) {
        return emission;
    }
    let fuller = settled(values.clone(), rules.max_weight_limit);
    if taken(&fuller, metagraph.neurons.len(), rules) {
        return Emission::Weights { uids: uids.clone(), values: fuller };
    }
    let Some(shares) = shares(scores, metagraph) else { return emission };
    let limit = f64::from(rules.max_weight_limit) / f64::from(u16::MAX);
    let all = upscaled(&limited(Precision::Double, &padded(&shares), limit));
    let all = settled(all, rules.max_weight_limit);
    if taken(&all, metagraph.neurons.len(), rules) { weights(metagraph, &all) } else { emission }
}

/// Whether the chain takes these values (chain.md §2): enough of them, and the largest, compared
/// exactly, not above the limit's share of their sum.
fn taken(values: &[u16], neurons: usize, rules: &Hyperparameters) -> bool {
    let length = values.iter().filter(|value| **value > 0).count();
    length >= usize::from(rules.min_allowed_weights).min(neurons)
        && lacking(values, rules.max_weight_limit) == 0
}

/// What the sum lacks for the largest value, 65535, to keep the limit.
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
