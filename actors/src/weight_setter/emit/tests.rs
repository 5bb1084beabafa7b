use super::mend::mended;
use super::*;
use crate::domain::{BlockNumber, Coldkey, Netuid, Neuron, Tao};
use proptest::prelude::*;

fn hotkey(n: usize) -> String {
    const DIGITS: &[u8] = b"123456789A";
    let name: String =
        format!("{n:06}").bytes().map(|b| DIGITS[usize::from(b - b'0')] as char).collect();
    format!("5{}{name}", "C".repeat(41))
}

pub(super) fn metagraph(size: usize) -> Metagraph {
    let neuron = |n: usize| Neuron {
        uid: Uid(u16::try_from(n).unwrap()),
        hotkey: Hotkey::parse(&hotkey(n)).unwrap(),
        coldkey: Coldkey::parse(&hotkey(n)).unwrap(),
        stake: Tao(0.0),
        validator_permit: false,
        axon: None,
        last_update: BlockNumber(0),
        incentive: 0.0,
    };
    Metagraph { neurons: (0..size).map(neuron).collect(), ..Metagraph::empty(Netuid(1)) }
}

pub(super) fn rules(min_allowed_weights: u16, max_weight_limit: u16) -> Hyperparameters {
    Hyperparameters {
        tempo: 99,
        weights_rate_limit: 100,
        min_allowed_weights,
        max_weight_limit,
        weights_version: 0,
    }
}

/// A book of scores, by the number of the neuron.
pub(super) fn numbered(scores: &[f64]) -> BTreeMap<Hotkey, Score> {
    let entry =
        |(n, score): (usize, &f64)| (Hotkey::parse(&hotkey(n)).unwrap(), Score::new(*score));
    scores.iter().enumerate().map(entry).collect()
}

/// What would be sent.
fn emitted(scores: &[f64], least: u16, limit: u16) -> Option<Vec<(u16, u16)>> {
    let (book, rules, everyone) = (numbered(scores), rules(least, limit), metagraph(scores.len()));
    let emission = emission(&book, &everyone, &rules);
    match mended(emission, &book, &everyone, &rules) {
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
        (&[0.3, 0.3, 0.0, 0.6, 0.001], 1, 32768, &[(0, 32768), (1, 32768), (3, 65535), (4, 109)]),
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
