//! WeightSetter alone on virtual time: what a changing metagraph, odd scores, a failing ledger and
//! crashes do to the weights.

#![expect(clippy::expect_used, reason = "test code outside of a test function")]

#[path = "weight_setter/bench.rs"]
mod bench;

use std::time::Duration;

use bench::{Bench, book_of, everyone, neuron};
use proptest::prelude::*;
use sn1_actors::domain::{BlockNumber, Netuid, Score, Uid};
use sn1_actors::ports::{
    ChainError, Commitment, Event, Inclusion, PendingReveal, ScoreBook, SignedCall, Untaken,
    WeightsCall, WeightsIntent, WeightsWay,
};
use sn1_actors::testkit::{Stage, hotkey};
use sn1_actors::weight_setter::emit::{Emission, emission};
use sn1_actors::weight_setter::{ColdStart, SetError};

#[test]
fn a_new_hotkey_on_a_uid_starts_from_zero_and_the_old_one_is_not_paid() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, ScoreBook::default(), everyone(3));
        bench.score(&[(1, 1.0), (2, 1.0)]).await;
        assert_eq!(bench.set().await.unwrap().uids, [Uid(1), Uid(2)]);
        let mut swapped = everyone(3);
        swapped[2] = neuron(2, 77);
        bench.show(swapped);
        assert_eq!(bench.set_in_the_next_block().await.unwrap().uids, [Uid(1)]);
        bench.score(&[(77, 1.0)]).await;
        let book = bench.standings().await;
        assert_eq!(book.scores[&hotkey(77)], Score::new(0.05), "alpha of a first score");
        assert_eq!(bench.set_in_the_next_block().await.unwrap().uids, [Uid(1), Uid(2)]);
        // Whoever lost the slot comes back with nothing.
        bench.show(everyone(3));
        assert_eq!(bench.set_in_the_next_block().await.unwrap().uids, [Uid(1)]);
    });
}

#[test]
fn an_empty_or_shrunken_reply_costs_nobody_a_score() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, ScoreBook::default(), everyone(5));
        bench.score(&[(1, 0.5), (2, 1.0), (4, 0.2)]).await;
        let before = bench.standings().await.scores;
        bench.show(everyone(3));
        bench.set().await.unwrap();
        bench.show(everyone(5));
        let whole = bench.set_in_the_next_block().await.unwrap();
        assert_eq!(whole.uids, [Uid(1), Uid(2), Uid(4)]);
        bench.show(Vec::new());
        assert_eq!(bench.set_in_the_next_block().await, Err(SetError::NothingEarned));
        bench.show(everyone(3));
        assert_eq!(bench.set_in_the_next_block().await.unwrap().uids, [Uid(1), Uid(2)]);
        assert_eq!(bench.standings().await.scores, before);
        bench.show(everyone(5));
        let again = bench.set_in_the_next_block().await.unwrap();
        assert_eq!((again.uids, again.values), (whole.uids, whole.values));
    });
}

#[test]
fn the_journal_has_all_that_weights_come_of_before_they_are_sent() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(3));
        bench.score(&[(2, 1.0)]).await;
        bench.set().await.unwrap();
        let book = bench.standings().await;
        let of_weights = |event: &Event| {
            matches!(event, Event::WeightsPlanned { .. } | Event::WeightsSet { .. })
        };
        let events: Vec<Event> = stage.journal.events().into_iter().filter(of_weights).collect();
        let [Event::WeightsPlanned { metagraph, rules, uids, weights }, Event::WeightsSet { .. }] =
            &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(metagraph.neurons, everyone(3));
        let planned = Emission::Weights { uids: uids.clone(), values: weights.clone() };
        assert_eq!(emission(&book.scores, metagraph, rules), planned);
    });
}

#[test]
fn a_block_sees_one_attempt_whatever_its_outcome() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
        bench.chain.refuse(Some(ChainError::TooSoon { wait: 7 }));
        let refused = SetError::Chain(ChainError::TooSoon { wait: 7 });
        assert_eq!(bench.set().await, Err(refused));
        bench.chain.refuse(None);
        assert!(matches!(bench.set().await, Err(SetError::Skipped(_))));
        assert_eq!(bench.chain.calls().len(), 1);
        assert!(bench.set_in_the_next_block().await.is_ok());
        assert!(matches!(bench.set().await, Err(SetError::Skipped(_))));
        assert_eq!(bench.chain.calls().len(), 2);
    });
}

#[test]
fn a_start_from_nothing_waits_for_scores_enough_and_imported_ones_do_not() {
    Stage::play(async |stage: Stage| {
        let wait = ColdStart { min_steps: 3, min_scored_fraction: 0.5 };
        let bench = Bench::with(&stage, ScoreBook::default(), everyone(5), wait);
        for (step, asked) in [(1, 1), (2, 1), (3, 1)] {
            bench.score(&[(asked, 1.0)]).await;
            let Err(SetError::TooEarly(early)) = bench.set_in_the_next_block().await else {
                panic!("step {step} is too early");
            };
            assert_eq!((early.steps, early.scored, early.miners), (step, 1, 4));
        }
        bench.score(&[(2, 0.0)]).await;
        assert_eq!(bench.set_in_the_next_block().await.unwrap().uids, [Uid(1)]);
    });
    Stage::play(async |stage: Stage| {
        let wait = ColdStart { min_steps: 3, min_scored_fraction: 0.5 };
        let imported = ScoreBook { imported: true, ..book_of(&[(1, 0.5)]) };
        let bench = Bench::with(&stage, imported, everyone(5), wait);
        assert!(bench.set().await.is_ok());
    });
}

#[test]
fn nothing_is_sent_that_could_not_be_saved() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
        bench.ledger.fail(true);
        assert!(matches!(bench.set().await, Err(SetError::NotKept(_))));
        assert!(bench.chain.calls().is_empty());
        bench.ledger.fail(false);
        assert!(bench.set_in_the_next_block().await.is_ok());
    });
}

#[test]
fn what_is_sent_is_in_the_ledger_before_and_gone_from_it_after() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
        stage.failpoints.arm("weight_setter:intent", 0);
        assert!(bench.set_interrupted().await, "it crashed before it sent");
        let intent = bench.ledger.book().intent.expect("the intent was saved");
        assert_eq!(intent.call.uids, [Uid(1)]);
        assert!(bench.chain.calls().is_empty());
        stage.clock.sleep(Duration::from_secs(1)).await;
        assert!(matches!(bench.set().await, Err(SetError::Skipped(_))), "the block had its try");
        // Unsigned, so nothing was sent: the next setting need not wait.
        assert!(bench.set_in_the_next_block().await.is_ok());
        assert_eq!(bench.ledger.book().intent, None);
        assert!(bench.ledger.book().weights_set.is_some());
    });
}

fn call() -> WeightsCall {
    let (uids, values) = (vec![Uid(1)], vec![u16::MAX]);
    WeightsCall { netuid: Netuid(1), uids, values, version_key: 1 }
}

fn commitment() -> Commitment {
    Commitment { salt: vec![1, 2, 3], epoch: 4 }
}

/// A setting that was sent at block 0, in an epoch that ends with block 4.
fn sent(way: WeightsWay) -> WeightsIntent {
    let signed = SignedCall {
        extrinsic: "0x00".into(),
        nonce: 1,
        birth: BlockNumber(0),
        death: BlockNumber(3),
        epoch_end: BlockNumber(5),
    };
    WeightsIntent { begun: BlockNumber(0), call: call(), way, signed: Some(signed) }
}

/// A commit of an earlier run that waits for its reveal.
fn pending() -> PendingReveal {
    PendingReveal { call: call(), commitment: commitment(), committed: BlockNumber(0) }
}

#[test]
fn a_signed_setting_of_unknown_outcome_holds_back_all_others_until_its_epoch_is_over() {
    Stage::play(async |stage: Stage| {
        let book = ScoreBook { intent: Some(sent(WeightsWay::Plain)), ..book_of(&[(1, 0.5)]) };
        let bench = Bench::start(&stage, book, everyone(2));
        for block in 1..5 {
            assert!(matches!(bench.set().await, Err(SetError::Skipped(_))), "block {block}");
            stage.clock.sleep(Duration::from_secs(12)).await;
        }
        assert!(bench.chain.calls().is_empty());
        assert!(bench.set().await.is_ok());
    });
}

#[test]
fn weights_are_set_as_soon_as_there_are_any_and_again_after_each_epoch() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, ScoreBook::default(), everyone(2));
        bench.blocks(5).await;
        assert!(bench.chain.calls().is_empty(), "nobody has earned anything");
        bench.score(&[(1, 1.0)]).await;
        bench.blocks(10).await;
        assert_eq!(bench.chain.calls().len(), 1, "looked at again after a tenth of an epoch");
        bench.blocks(90).await;
        assert_eq!(bench.chain.calls().len(), 1);
        bench.blocks(10).await;
        assert_eq!(bench.chain.calls().len(), 2);
        assert_eq!(bench.ledger.book().intent, None);
    });
}

#[test]
fn a_refusal_that_only_time_mends_is_waited_out_to_the_block() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
        bench.chain.refuse(Some(ChainError::TooSoon { wait: 7 }));
        bench.blocks(7).await;
        assert_eq!(bench.chain.calls().len(), 1);
        bench.chain.refuse(Some(ChainError::Refused("a rule".into())));
        bench.blocks(1).await;
        assert_eq!(bench.chain.calls().len(), 2, "one try at the block it was told");
        bench.chain.refuse(None);
        bench.blocks(99).await;
        assert_eq!(bench.chain.calls().len(), 2, "a rule is not tried again within the epoch");
        bench.blocks(1).await;
        assert_eq!(bench.chain.calls().len(), 3);
    });
}

#[test]
fn a_chain_that_cannot_be_read_is_read_again_in_the_next_block_or_epoch_as_its_error_says() {
    let lost = ChainError::Unreachable("down".into());
    let refused = ChainError::Refused("the runtime has no such item".into());
    for (error, tries) in [(lost, 50), (refused, 1)] {
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
            bench.blocks(150).await;
            let before = stage.journal.events().len();
            // The first two settings were in blocks 2 and 102: the third is due in block 202.
            bench.chain.blind(Some(error));
            bench.blocks(100).await;
            let events = stage.journal.events();
            assert_eq!(events[before..].len(), tries, "{:?}", events.last());
        });
    }
}

#[test]
fn a_connection_lost_after_sending_never_sets_twice() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
        bench.chain.sign(WeightsWay::Plain);
        bench.chain.refuse(Some(ChainError::Unreachable("cut".into())));
        bench.blocks(1).await;
        let intent = bench.ledger.book().intent.expect("its outcome is unknown");
        bench.chain.see(Inclusion::NotYet);
        bench.blocks(2).await;
        assert_eq!(bench.chain.bytes(), ["0x0000"; 3], "the same bytes, once a block");
        // Refused because it is there already: that says nothing about the first sending.
        bench.chain.refuse(Some(ChainError::TooSoon { wait: 50 }));
        bench.blocks(1).await;
        assert_eq!(bench.ledger.book().intent, Some(intent));
        let block = bench.chain.block();
        bench.chain.see(Inclusion::Included(block));
        bench.blocks(60).await;
        let book = bench.ledger.book();
        assert_eq!((book.intent, book.weights_set), (None, Some(block)));
        assert_eq!(bench.chain.bytes(), ["0x0000"; 4], "nothing else was ever sent");
        let told = |event| match event {
            Event::WeightsSet { block, untaken, .. } => Some((block, untaken)),
            _ => None,
        };
        let told: Vec<_> = stage.journal.events().into_iter().filter_map(told).collect();
        let lost = (None, Some(Untaken::Unreachable));
        let too_soon = (None, Some(Untaken::TooSoon));
        assert_eq!(told, [lost, lost, lost, too_soon, (Some(block), None)]);
    });
}

#[test]
fn a_setting_that_never_took_effect_is_made_anew() {
    for lost in [Inclusion::Failed, Inclusion::Overtaken] {
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
            bench.chain.sign(WeightsWay::Plain);
            bench.chain.refuse(Some(ChainError::Outdated("its nonce is used".into())));
            bench.blocks(1).await;
            bench.chain.refuse(None);
            bench.chain.see(lost);
            bench.blocks(1).await;
            assert_eq!(bench.chain.bytes(), ["0x0000", "0x0001"]);
            assert_eq!(bench.ledger.book().weights_set, Some(bench.chain.block()));
        });
    }
}

#[test]
fn a_commit_is_revealed_when_the_chain_lets_it_and_given_up_when_it_never_will() {
    for end in [None, Some(ChainError::TooLate("its epoch is over".into()))] {
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, book_of(&[(1, 0.5)]), everyone(2));
            let commitment = commitment();
            bench.chain.sign(WeightsWay::Commit(commitment.clone()));
            bench.blocks(1).await;
            let committed = bench.chain.block();
            let pending = bench.ledger.book().reveals;
            assert_eq!(pending.len(), 1, "the salt is in the ledger before the reveal");
            assert_eq!((&pending[0].commitment, pending[0].committed), (&commitment, committed));
            let told = |event: &Event| matches!(event, Event::WeightsSet { committed: true, .. });
            assert!(stage.journal.events().iter().any(told), "the journal says what it is");
            bench.chain.refuse(Some(ChainError::TooSoon { wait: 5 }));
            bench.blocks(5).await;
            assert_eq!(bench.chain.reveals(), pending, "asked once, and told to wait");
            bench.chain.refuse(Some(ChainError::Unreachable("down".into())));
            bench.blocks(2).await;
            assert_eq!(bench.chain.reveals().len(), 3);
            assert_eq!(bench.ledger.book().reveals, pending);
            bench.chain.refuse(end.clone());
            bench.blocks(5).await;
            assert_eq!(bench.chain.reveals().len(), 4, "once more, and then no more");
            assert!(bench.ledger.book().reveals.is_empty());
            let told = |event| match event {
                Event::WeightsRevealed { committed, block, lost, .. } => {
                    Some((committed, block.is_some(), lost))
                }
                _ => None,
            };
            let told: Vec<_> = stage.journal.events().into_iter().filter_map(told).collect();
            let (failed, is_lost) = ((committed, false, false), end.is_some());
            let last = (committed, !is_lost, is_lost);
            assert_eq!(told, [failed, failed, last], "to be told to wait is no failure");
        });
    }
}

#[test]
fn a_commit_of_which_nobody_can_tell_is_revealed_in_case_it_is_on_chain() {
    for end in [None, Some(ChainError::TooLate("there is no such commit".into()))] {
        Stage::play(async |stage: Stage| {
            let intent = Some(sent(WeightsWay::Commit(commitment())));
            let book = ScoreBook { intent, ..book_of(&[(1, 0.5)]) };
            let bench = Bench::start(&stage, book, everyone(2));
            bench.blocks(4).await;
            assert_eq!(bench.ledger.book().reveals, [pending()], "the salt is not lost");
            assert_eq!(bench.chain.calls().len(), 1, "the next setting is made all the same");
            bench.chain.refuse(end.clone());
            bench.blocks(5).await;
            assert_eq!(bench.chain.reveals(), [pending()]);
            assert!(bench.ledger.book().reveals.is_empty());
        });
    }
}

#[test]
fn a_reveal_that_is_refused_is_tried_until_the_chain_says_that_it_is_too_late() {
    for error in [ChainError::Refused("a rule".into()), ChainError::NoPermit(hotkey(0))] {
        Stage::play(async |stage: Stage| {
            let book = ScoreBook { reveals: vec![pending()], ..ScoreBook::default() };
            let bench = Bench::start(&stage, book, everyone(2));
            bench.chain.refuse(Some(error.clone()));
            bench.blocks(10).await;
            assert_eq!(bench.chain.reveals().len(), 1);
            bench.blocks(1).await;
            assert_eq!(bench.chain.reveals().len(), 2, "again after a tenth of an epoch");
            assert_eq!(bench.ledger.book().reveals, [pending()]);
            bench.chain.refuse(Some(ChainError::TooLate("its epoch is over".into())));
            bench.blocks(20).await;
            assert_eq!(bench.chain.reveals().len(), 3);
            assert!(bench.ledger.book().reveals.is_empty());
        });
    }
}

#[test]
fn a_reveal_that_fails_in_every_block_leaves_every_other_to_settings() {
    Stage::play(async |stage: Stage| {
        let book = ScoreBook { reveals: vec![pending()], ..book_of(&[(1, 0.5)]) };
        let bench = Bench::start(&stage, book, everyone(2));
        bench.chain.refuse(Some(ChainError::Unreachable("down".into())));
        bench.blocks(6).await;
        assert_eq!((bench.chain.reveals().len(), bench.chain.calls().len()), (3, 3));
        bench.chain.refuse(None);
        bench.blocks(2).await;
        assert_eq!((bench.chain.reveals().len(), bench.chain.calls().len()), (4, 4));
    });
}

#[test]
fn a_node_that_tells_to_wait_for_ever_is_asked_again_after_a_hundred_blocks() {
    Stage::play(async |stage: Stage| {
        let book = ScoreBook { reveals: vec![pending()], ..book_of(&[(1, 0.5)]) };
        let bench = Bench::start(&stage, book, everyone(2));
        bench.chain.refuse(Some(ChainError::TooSoon { wait: u64::MAX }));
        bench.blocks(100).await;
        assert_eq!((bench.chain.reveals().len(), bench.chain.calls().len()), (1, 1));
        bench.blocks(2).await;
        assert_eq!((bench.chain.reveals().len(), bench.chain.calls().len()), (2, 2));
    });
}

#[test]
fn switched_off_it_settles_and_reveals_what_was_begun_and_begins_nothing() {
    Stage::play(async |stage: Stage| {
        let intent = Some(sent(WeightsWay::Commit(commitment())));
        let book = ScoreBook { intent, ..book_of(&[(1, 0.5)]) };
        let bench = Bench::disabled(&stage, book, everyone(2));
        bench.chain.see(Inclusion::Included(BlockNumber(2)));
        bench.blocks(2).await;
        assert_eq!(bench.ledger.book().weights_set, Some(BlockNumber(2)));
        assert_eq!(bench.chain.reveals().len(), 1);
        bench.blocks(200).await;
        assert!(matches!(bench.set().await, Err(SetError::Skipped("switched off"))));
        assert!(bench.chain.calls().is_empty());
    });
    Stage::play(async |stage: Stage| {
        let book = ScoreBook { intent: Some(sent(WeightsWay::Plain)), ..book_of(&[(1, 0.5)]) };
        let bench = Bench::disabled(&stage, book, everyone(2));
        bench.chain.see(Inclusion::Failed);
        bench.blocks(3).await;
        assert_eq!(bench.ledger.book().intent, None);
        assert!(bench.chain.calls().is_empty(), "what failed is not made anew");
    });
}

#[test]
fn blocks_arrive_while_the_metagraph_cannot_be_read_and_it_is_read_when_it_can() {
    Stage::play(async |stage: Stage| {
        let book = ScoreBook { reveals: vec![pending()], ..ScoreBook::default() };
        let bench = Bench::start(&stage, book, everyone(2));
        bench.chain.blind(Some(ChainError::Unreachable("no metagraph".into())));
        let metagraph = bench.follow(&stage);
        stage.clock.sleep(Duration::from_secs(30)).await;
        assert_eq!(bench.chain.reveals(), [pending()], "a block came");
        assert!(metagraph.borrow().neurons.is_empty());
        bench.chain.blind(None);
        stage.clock.sleep(Duration::from_secs(12)).await;
        assert_eq!(metagraph.borrow().neurons.len(), 2, "read at the next block");
    });
}

/// What happens to the subnet and its scores between two settings.
#[derive(Clone, Debug)]
enum Turn {
    Grow(u16),
    ShrinkTo(u16),
    Swap(u16, u16),
    Empty,
    Scored(Vec<(u16, f64)>),
}

fn turn() -> impl Strategy<Value = Turn> {
    let number = prop_oneof![
        0.0..1.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-1.0),
        Just(f64::MIN_POSITIVE),
    ];
    prop_oneof![
        (1_u16..4).prop_map(Turn::Grow),
        (0_u16..12).prop_map(Turn::ShrinkTo),
        (0_u16..12, 100_u16..120).prop_map(|(uid, key)| Turn::Swap(uid, key)),
        Just(Turn::Empty),
        prop::collection::vec((0_u16..16, number), 1..6).prop_map(Turn::Scored),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn weights_are_always_for_the_hotkeys_of_now_and_never_for_no_number(
        turns in prop::collection::vec(turn(), 1..30),
    ) {
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, ScoreBook::default(), everyone(4));
            let mut neurons = everyone(4);
            for turn in turns {
                match turn {
                    Turn::Grow(by) => {
                        let from = u16::try_from(neurons.len()).expect("few");
                        neurons.extend((from..from + by).map(|uid| neuron(uid, uid)));
                    }
                    Turn::ShrinkTo(size) => neurons.truncate(usize::from(size)),
                    Turn::Swap(uid, key) => {
                        let taken = neurons.iter().any(|neuron| neuron.hotkey == hotkey(key));
                        if let Some(slot) = neurons.get_mut(usize::from(uid)).filter(|_| !taken) {
                            *slot = neuron(uid, key);
                        }
                    }
                    Turn::Empty => neurons.clear(),
                    Turn::Scored(rewards) => bench.score(&rewards).await,
                }
                bench.show(neurons.clone());
                let before = bench.standings().await.scores;
                let outcome = bench.set_in_the_next_block().await;
                let earns = |uid: usize| {
                    before.get(&neurons[uid].hotkey).is_some_and(|score| *score > Score::ZERO)
                };
                match outcome {
                    Ok(set) => {
                        assert_eq!(set.values.iter().max(), Some(&u16::MAX));
                        assert!(set.uids.iter().all(|uid| earns(usize::from(uid.0))));
                    }
                    Err(error) => {
                        assert_eq!(error, SetError::NothingEarned);
                        assert!((0..neurons.len()).all(|uid| !earns(uid)));
                    }
                }
                let book = bench.standings().await;
                assert!(book.scores.values().all(|score| (0.0..=1.0).contains(&score.get())));
                assert_eq!(&bench.ledger.book(), &book, "memory and ledger agree");
            }
        });
    }
}
