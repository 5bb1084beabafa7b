use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{Netuid, Uid};
use crate::ports::{Commitment, SignedCall, WeightsCall};

const EPOCH: u64 = 20;
const ERA: u64 = 8;

/// A call like no other.
fn call(number: u64) -> WeightsCall {
    WeightsCall {
        netuid: Netuid(1),
        uids: vec![Uid(1)],
        values: vec![u16::MAX],
        version_key: number,
    }
}

/// Signed at block 100, in an epoch that ends with block 119.
fn signed(way: WeightsWay) -> WeightsIntent {
    let signed = SignedCall {
        extrinsic: "0x00".into(),
        nonce: 3,
        birth: BlockNumber(100),
        death: BlockNumber(108),
        epoch_end: BlockNumber(120),
    };
    WeightsIntent { begun: BlockNumber(100), call: call(0), way, signed: Some(signed) }
}

#[test]
fn every_case_has_one_answer() {
    use Inclusion::{Failed, Included, NotYet, Overtaken, Unknown};
    use NextStep::{Abandon, Resend, Settled, Void, WaitUntil};
    let intent = signed(WeightsWay::Plain);
    for (block, inclusion, expected) in [
        (101, Included(BlockNumber(101)), Settled(BlockNumber(101))),
        (300, Included(BlockNumber(107)), Settled(BlockNumber(107))),
        (101, Failed, Void),
        (101, Overtaken, Void),
        (107, NotYet, Resend),
        (108, NotYet, Void),
        (107, Unknown, WaitUntil(BlockNumber(120))),
        (108, Unknown, WaitUntil(BlockNumber(120))),
        (119, Unknown, WaitUntil(BlockNumber(120))),
        (120, Unknown, Abandon),
    ] {
        assert_eq!(next_step(&intent, BlockNumber(block), inclusion), expected, "{block}");
    }
    let unsigned = WeightsIntent { signed: None, ..intent };
    assert_eq!(next_step(&unsigned, BlockNumber(100), Unknown), Void, "nothing was sent");
}

#[test]
fn a_commit_on_chain_becomes_a_reveal_with_its_salt() {
    let commitment = Commitment { salt: vec![7, 8], epoch: 5 };
    let intent = Some(signed(WeightsWay::Commit(commitment.clone())));
    let mut book = ScoreBook { intent, ..ScoreBook::default() };
    resolve(&mut book, NextStep::Resend);
    assert!(book.intent.is_some() && book.reveals.is_empty());
    resolve(&mut book, NextStep::Settled(BlockNumber(103)));
    let reveal = PendingReveal { call: call(0), commitment, committed: BlockNumber(103) };
    assert_eq!((book.reveals, book.intent), (vec![reveal], None));
    assert_eq!(book.weights_set, Some(BlockNumber(103)));
}

#[test]
fn a_commit_that_may_be_on_chain_keeps_its_salt_and_plain_weights_leave_nothing() {
    let commitment = Commitment { salt: vec![7, 8], epoch: 5 };
    let reveal = PendingReveal {
        call: call(0),
        commitment: commitment.clone(),
        committed: BlockNumber(100),
    };
    for (way, reveals) in
        [(WeightsWay::Commit(commitment), vec![reveal]), (WeightsWay::Plain, Vec::new())]
    {
        let mut book = ScoreBook { intent: Some(signed(way)), ..ScoreBook::default() };
        resolve(&mut book, NextStep::Abandon);
        assert_eq!((book.intent, book.weights_set, book.reveals), (None, None, reveals));
    }
}

/// A chain that includes what it likes when it likes, and forgets the rest.
#[derive(Default)]
struct Chain {
    block: u64,
    nonce: u64,
    pool: BTreeMap<String, WeightsIntent>,
    /// The call in each block that has one.
    included: BTreeMap<u64, WeightsCall>,
}

impl Chain {
    fn send(&mut self, intent: &WeightsIntent) {
        let bytes = intent.signed.clone().unwrap().extrinsic;
        self.pool.insert(bytes, intent.clone());
    }

    fn grow(&mut self, includes: bool, forgets: bool) {
        self.block += 1;
        let (block, nonce) = (self.block, self.nonce);
        let fits = |intent: &WeightsIntent| {
            let signed = intent.signed.as_ref().unwrap();
            signed.nonce == nonce && block < signed.death.0
        };
        let taken = self.pool.iter().find(|(_, intent)| includes && fits(intent));
        if let Some((bytes, intent)) = taken.map(|(bytes, intent)| (bytes.clone(), intent.clone()))
        {
            self.pool.remove(&bytes);
            self.included.insert(block, intent.call);
            self.nonce += 1;
        }
        if forgets {
            self.pool.clear();
        }
    }

    fn inclusion(&self, intent: &WeightsIntent, readable: bool) -> Inclusion {
        let found = self.included.iter().find(|(_, call)| **call == intent.call);
        match (readable, found) {
            (false, _) => Inclusion::Unknown,
            (true, Some((block, _))) => Inclusion::Included(BlockNumber(*block)),
            (true, None) => Inclusion::NotYet,
        }
    }
}

/// One block of a validator's life, with what happens in it.
#[derive(Clone, Copy, Debug)]
struct Luck {
    includes: bool,
    forgets: bool,
    readable: bool,
    /// The process dies after so many of its actions in this block.
    dies_after: usize,
}

fn luck() -> impl Strategy<Value = Luck> {
    (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.7), 0_usize..6).prop_map(
        |(includes, forgets, readable, dies_after)| Luck {
            includes,
            forgets,
            readable,
            dies_after,
        },
    )
}

/// Does what is due; what it saves in `book` survives its death, its sending survives on chain.
fn live(book: &mut ScoreBook, chain: &mut Chain, calls: &mut u64, luck: Luck) {
    let mut left = luck.dies_after;
    let mut alive = || {
        left = left.saturating_sub(1);
        left > 0
    };
    let block = BlockNumber(chain.block);
    if let Some(intent) = book.intent.clone() {
        let step = next_step(&intent, block, chain.inclusion(&intent, luck.readable));
        if !alive() {
            return;
        }
        resolve(book, step);
        if step == NextStep::Resend && alive() {
            chain.send(&intent);
        }
    }
    let epoch = |block: u64| block / EPOCH;
    let due = book.weights_set.is_none_or(|set| epoch(set.0) < epoch(block.0));
    if book.intent.is_some() || !due || !alive() {
        return;
    }
    *calls += 1;
    let signed = SignedCall {
        extrinsic: format!("0x{calls:04x}"),
        nonce: chain.nonce,
        birth: block,
        death: BlockNumber(block.0 + ERA),
        epoch_end: BlockNumber((epoch(block.0 + ERA - 1) + 1) * EPOCH),
    };
    let intent = WeightsIntent {
        begun: block,
        call: call(*calls),
        way: WeightsWay::Plain,
        signed: Some(signed),
    };
    book.intent = Some(intent.clone());
    if alive() {
        chain.send(&intent);
    }
}

proptest! {
    #[test]
    fn an_epoch_includes_one_call_at_most_whatever_dies_when(
        blocks in prop::collection::vec(luck(), 200),
    ) {
        let (mut book, mut chain, mut calls) = (ScoreBook::default(), Chain::default(), 0);
        for luck in blocks {
            live(&mut book, &mut chain, &mut calls, luck);
            chain.grow(luck.includes, luck.forgets);
        }
        let mut epochs = BTreeMap::new();
        for block in chain.included.keys() {
            *epochs.entry(block / EPOCH).or_insert(0) += 1;
        }
        // A call signed late in an epoch may be included early in the next, whose own then waits.
        prop_assert!(epochs.values().all(|included| *included == 1), "{:?}", chain.included);
    }

    #[test]
    fn with_a_chain_that_answers_every_epoch_gets_its_weights(
        deaths in prop::collection::vec(0_usize..6, 200),
    ) {
        let (mut book, mut chain, mut calls) = (ScoreBook::default(), Chain::default(), 0);
        for dies_after in deaths.into_iter().map(|dies| if dies < 3 { dies } else { 6 }) {
            let luck = Luck { includes: true, forgets: false, readable: true, dies_after };
            live(&mut book, &mut chain, &mut calls, luck);
            chain.grow(luck.includes, luck.forgets);
        }
        let epochs = chain.included.keys().map(|block| block / EPOCH).collect::<Vec<_>>();
        prop_assert!(epochs.len() >= 9, "{:?}", chain.included);
    }
}
