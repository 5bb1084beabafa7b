//! The 5,000 vectors of `scripts/oracles/emission.py`, drawn again and compared in every value.

use std::collections::BTreeMap;

use super::tests::{metagraph, numbered, rules};
use super::*;

const VECTORS: &str = include_str!("../../../tests/fixtures/emission_10_5_0.json");

/// Kind, neurons, least length, limit, and the SDK's values by uid, 0 for none.
type Case = (String, usize, u16, u16, Vec<u16>);

/// As in the script.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn double(&mut self) -> f64 {
        (self.next() >> 11) as f64 * 2_f64.powi(-53)
    }
}

fn score(kind: &str, random: &mut SplitMix64, uid: usize, n: usize, chosen: usize) -> f64 {
    match kind {
        "double" => random.double(),
        "single" => (random.next() >> 40) as f64 * 2_f64.powi(-24),
        "sparse" if random.below(4) == 0 => random.double(),
        "sparse" => 0.0,
        "ties" => random.below(5) as f64 / 4.0,
        "wide" => 2_f64.powi(-i32::try_from(random.below(70)).unwrap()) * random.double(),
        "lone" if uid == chosen => 0.7,
        "lone" => 0.0,
        "few" if (uid + n - chosen) % n < 3 => random.double(),
        "few" | "nobody" => 0.0,
        "alike" => 0.25 + random.double() * 2_f64.powi(-20),
        "giant" if uid == chosen => 1.0,
        "giant" => random.double() * 2_f64.powi(-15),
        "halves" => random.below(131_071) as f64 / 131_070.0,
        other => panic!("the script has a kind {other} that this test lacks"),
    }
}

/// Where we set something else than the SDK, and why. Everything else must be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    Equal,
    /// Nobody has earned anything, and the SDK pays everybody alike: whatever validators agreed on
    /// so far would be overwritten by a process that has only just begun. We set nothing and say
    /// so; the weights on chain stay.
    UniformOutOfNothing,
}

#[test]
fn all_vectors_are_those_of_the_sdk_except_the_uniform_one_out_of_nothing() {
    let cases: Vec<Case> = serde_json::from_str(VECTORS).unwrap();
    let mut table = BTreeMap::new();
    for (number, (kind, n, least, limit, sdk)) in cases.iter().enumerate() {
        let mut random = SplitMix64(number as u64);
        let chosen = usize::try_from(random.below(*n as u64)).unwrap();
        let mut draw = |uid| score(kind, &mut random, uid, *n, chosen);
        let scores: Vec<f64> = (0..*n).map(&mut draw).collect();
        let compared = match emission(&numbered(&scores), &metagraph(*n), &rules(*least, *limit)) {
            Emission::Weights { uids, values } => {
                let mut ours = vec![0; *n];
                for (uid, value) in uids.iter().zip(&values) {
                    ours[usize::from(uid.0)] = *value;
                }
                assert_eq!(&ours, sdk, "case {number}: {kind}, {n} neurons, {least}, {limit}");
                Compared::Equal
            }
            Emission::NothingEarned => {
                assert!(scores.iter().all(|score| *score == 0.0), "case {number}: {kind}");
                assert!(sdk.iter().all(|value| *value == u16::MAX), "case {number}: {kind}");
                Compared::UniformOutOfNothing
            }
        };
        *table.entry(compared).or_insert(0) += 1;
    }
    println!("{table:?}");
    assert_eq!(table.values().sum::<u32>(), 5_000);
    assert_eq!(table[&Compared::UniformOutOfNothing], 280);
}
