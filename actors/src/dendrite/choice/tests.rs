use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::domain::{BlockNumber, Netuid, Tao, Uid};

const OWN: u16 = 999;

fn key(n: u16) -> Hotkey {
    Hotkey::parse(&format!("5{}", format!("{n:047}").replace('0', "A"))).unwrap()
}

fn neuron(n: u16) -> Neuron {
    Neuron {
        uid: Uid(n),
        hotkey: key(n),
        coldkey: Coldkey::parse(key(n).as_str()).unwrap(),
        stake: Tao(0.0),
        validator_permit: false,
        axon: Some(([10, 0, (n >> 8) as u8, n as u8], 8091).into()),
        last_update: BlockNumber(0),
        incentive: 0.0,
    }
}

fn config(sample_size: usize) -> DendriteConfig {
    DendriteConfig {
        sample_size,
        timeout: Duration::from_secs(1),
        vpermit_tao_limit: Tao(4_096.0),
        unique_coldkeys: false,
        unique_ips: false,
        own: key(OWN),
        rhythm: Duration::ZERO,
    }
}

fn metagraph(neurons: Vec<Neuron>) -> Metagraph {
    Metagraph { netuid: Netuid(1), block: BlockNumber(1), neurons }
}

/// Who is asked in one step, by the number of the key; nobody is asked twice.
fn step(
    rotation: &mut Rotation,
    neurons: &[Neuron],
    config: &DendriteConfig,
    seed: u64,
) -> BTreeSet<u16> {
    let random = ChaCha8Rng::seed_from_u64(seed);
    let targets = rotation.draw(&metagraph(neurons.to_vec()), config, random);
    let uids: BTreeSet<u16> = targets.iter().map(|target| target.uid.0).collect();
    assert_eq!(uids.len(), targets.len(), "somebody is asked twice");
    uids
}

#[test]
fn asks_neither_itself_nor_the_unreachable_nor_large_validators() {
    let mut silent = neuron(1);
    silent.axon = None;
    let mut large = neuron(2);
    (large.validator_permit, large.stake) = (true, Tao(5_000.0));
    let mut small = neuron(3);
    (small.validator_permit, small.stake) = (true, Tao(4_096.0));
    let mut rich = neuron(4);
    rich.stake = Tao(5_000.0);
    let neurons = [neuron(0), silent, large, small, rich, neuron(OWN)];
    let asked = step(&mut Rotation::default(), &neurons, &config(10), 1);
    assert_eq!(asked, BTreeSet::from([0, 3, 4]));
}

#[test]
fn says_why_somebody_is_left_out() {
    let (own, limit) = (key(OWN), Tao(4_096.0));
    let why = |neuron: &Neuron| left_out(neuron, Some(&own), limit);
    let mut large = neuron(2);
    (large.validator_permit, large.stake, large.axon) = (true, Tao(5_000.0), None);
    assert_eq!(why(&large), Some(LeftOut::LargeValidator), "the lasting reason is told");
    assert_eq!(why(&Neuron { axon: None, ..neuron(1) }), Some(LeftOut::NoAxon));
    assert_eq!(why(&neuron(OWN)), Some(LeftOut::Itself));
    assert_eq!(left_out(&neuron(OWN), None, limit), None, "without a wallet nobody is oneself");
    assert_eq!(why(&neuron(3)), None);
}

#[test]
fn asks_nobody_where_nobody_is_or_none_is_wanted() {
    let mut rotation = Rotation::default();
    assert!(step(&mut rotation, &[], &config(5), 1).is_empty());
    assert!(step(&mut rotation, &[neuron(OWN)], &config(5), 2).is_empty());
    assert!(step(&mut rotation, &[neuron(1)], &config(0), 3).is_empty());
    assert_eq!(step(&mut rotation, &[neuron(1)], &config(usize::MAX), 4), BTreeSet::from([1]));
}

#[test]
fn draws_the_same_for_the_same_seed_and_in_another_order_for_another() {
    let neurons: Vec<_> = (0..50).map(neuron).collect();
    let drawn = |seed: u64| -> Vec<Uid> {
        let (metagraph, mut rotation) = (metagraph(neurons.clone()), Rotation::default());
        let steps = (0..5).flat_map(|n| {
            rotation.draw(&metagraph, &config(7), ChaCha8Rng::seed_from_u64(10 * seed + n))
        });
        steps.map(|target| target.uid).collect()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn remembers_nobody_who_has_left() {
    let mut rotation = Rotation::default();
    step(&mut rotation, &[neuron(1), neuron(2)], &config(2), 1);
    step(&mut rotation, &[neuron(2)], &config(2), 2);
    assert_eq!(rotation.asked.keys().collect::<Vec<_>>(), [&key(2)]);
    // Back again, it counts as never asked.
    assert_eq!(step(&mut rotation, &[neuron(1), neuron(2)], &config(1), 3), BTreeSet::from([1]));
}

#[test]
fn lets_chance_decide_who_of_one_owner_is_asked_first() {
    let neurons: Vec<_> = (0..8)
        .map(|n| Neuron { coldkey: Coldkey::parse(key(0).as_str()).unwrap(), ..neuron(n) })
        .collect();
    let config = DendriteConfig { unique_coldkeys: true, ..config(8) };
    let first = |seed| step(&mut Rotation::default(), &neurons, &config, seed);
    let firsts: BTreeSet<_> = (0..100).map(first).collect();
    assert_eq!(firsts.len(), 8, "{firsts:?}");
}

/// How long somebody who is available has not been asked: the steps, and all who were available
/// meanwhile.
#[derive(Default)]
struct Wait {
    steps: usize,
    seen: BTreeSet<u16>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn asks_everyone_in_any_row_of_steps_that_has_room_for_all(
        n in 1_u16..60,
        k in 1_usize..20,
        seed: u64,
    ) {
        let neurons: Vec<_> = (0..n).map(neuron).collect();
        let (mut rotation, config) = (Rotation::default(), config(k));
        let steps: Vec<_> =
            (0..40).map(|at| step(&mut rotation, &neurons, &config, seed ^ at)).collect();
        prop_assert!(steps.iter().all(|asked| asked.len() == k.min(n.into())));
        for row in steps.windows(usize::from(n).div_ceil(k)) {
            let asked: BTreeSet<u16> = row.iter().flatten().copied().collect();
            prop_assert_eq!(asked.len(), usize::from(n));
        }
    }

    /// Each step some join, some leave and some stop or begin to serve.
    #[test]
    fn asks_everyone_in_time_while_others_come_and_go(
        changes in proptest::collection::vec(
            proptest::collection::vec((0_u16..40, 0_u8..3), 0..6), 1..40),
        k in 1_usize..8,
        seed: u64,
    ) {
        let mut neurons: BTreeMap<u16, Neuron> = (0..20).map(|n| (n, neuron(n))).collect();
        let (mut rotation, config) = (Rotation::default(), config(k));
        let mut waits: BTreeMap<u16, Wait> = BTreeMap::new();
        let mut next = 40;
        for (at, changes) in changes.into_iter().enumerate() {
            for (n, change) in changes {
                match change {
                    0 => { neurons.remove(&n); }
                    1 => {
                        neurons.insert(next, neuron(next));
                        next += 1;
                    }
                    _ => if let Some(neuron) = neurons.get_mut(&n) {
                        neuron.axon = match neuron.axon {
                            Some(_) => None,
                            None => Some(([10, 0, 0, 1], 1).into()),
                        };
                    }
                }
            }
            let all: Vec<Neuron> = neurons.values().cloned().collect();
            let asked = step(&mut rotation, &all, &config, seed ^ at as u64);
            let available: BTreeSet<u16> =
                all.iter().filter(|n| n.axon.is_some()).map(|n| n.uid.0).collect();
            prop_assert_eq!(asked.len(), k.min(available.len()));
            waits.retain(|uid, _| available.contains(uid) && !asked.contains(uid));
            for uid in available.difference(&asked) {
                let wait = waits.entry(*uid).or_default();
                wait.steps += 1;
                wait.seen.extend(&available);
                prop_assert!(wait.steps < wait.seen.len().div_ceil(k), "{} waits", uid);
            }
        }
    }

    #[test]
    fn asks_no_two_that_share_and_everyone_in_time(
        owners in proptest::collection::vec((0_u16..8, 0_u8..8), 1..40),
        k in 1_usize..10,
        coldkeys: bool,
        ips: bool,
        seed: u64,
    ) {
        let neurons: Vec<Neuron> = owners.iter().zip(0..).map(|((owner, ip), n)| Neuron {
            coldkey: Coldkey::parse(key(*owner).as_str()).unwrap(),
            axon: Some(([10, 0, 0, *ip], 1 + n).into()),
            ..neuron(n)
        }).collect();
        let config = DendriteConfig { unique_coldkeys: coldkeys, unique_ips: ips, ..config(k) };
        let mut rotation = Rotation::default();
        let mut waited = vec![0_usize; neurons.len()];
        for at in 0..80 {
            let asked = step(&mut rotation, &neurons, &config, seed ^ at);
            let of = |n: &u16| owners[usize::from(*n)];
            let asked_owners: BTreeSet<_> = asked.iter().map(|n| of(n).0).collect();
            let asked_ips: BTreeSet<_> = asked.iter().map(|n| of(n).1).collect();
            prop_assert!(!coldkeys || asked_owners.len() == asked.len());
            prop_assert!(!ips || asked_ips.len() == asked.len());
            for (n, waits) in waited.iter_mut().enumerate() {
                *waits = if asked.contains(&(n as u16)) { 0 } else { *waits + 1 };
                let (owner, ip) = owners[n];
                let shares = |other: &&(u16, u8)| {
                    coldkeys && other.0 == owner || ips && other.1 == ip
                };
                let sharing = owners.iter().filter(shares).count().saturating_sub(1);
                prop_assert!(*waits < neurons.len().div_ceil(k) + sharing, "{n} waits {waits}");
            }
        }
    }
}
