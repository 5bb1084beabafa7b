//! Row 7 of the table: each error of ecosystem.md §5.4 comes to the class that its reaction follows
//! from, out of a block or out of the pool, and with the wait that the chain's rules say.

use sn1_actors::ports::ChainError;
use sn1_actors::weight_setter::SetError;

use crate::bench::{Bench, PATIENT, hotkey};
use crate::node::{Node, Scripted, Subnet, World};
use crate::node_itself::small_subnet;

/// What a caller can do about it, of [`ChainError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    NotRegistered,
    NoPermit,
    TooSoon,
    TooLate,
    Outdated,
    Refused,
}

fn class(error: &ChainError) -> Option<Class> {
    match error {
        ChainError::NotRegistered(key) if *key == hotkey(1) => Some(Class::NotRegistered),
        ChainError::NoPermit(key) if *key == hotkey(1) => Some(Class::NoPermit),
        ChainError::TooSoon { .. } => Some(Class::TooSoon),
        ChainError::TooLate(_) => Some(Class::TooLate),
        ChainError::Outdated(_) => Some(Class::Outdated),
        ChainError::Refused(_) => Some(Class::Refused),
        _ => None,
    }
}

const EXPECTED: &[(&str, Class)] = &[
    ("SettingWeightsTooFast", Class::TooSoon),
    ("CommittingWeightsTooFast", Class::TooSoon),
    ("RevealTooEarly", Class::TooSoon),
    ("HotKeyNotRegisteredInSubNet", Class::NotRegistered),
    ("HotKeyNotRegisteredInNetwork", Class::NotRegistered),
    ("NotRegistered", Class::NotRegistered),
    ("NeuronNoValidatorPermit", Class::NoPermit),
    ("NotEnoughStakeToSetWeights", Class::NoPermit),
    ("ExpiredWeightCommit", Class::TooLate),
    ("NoWeightsCommitFound", Class::TooLate),
    ("InvalidRevealCommitHashNotMatch", Class::TooLate),
    ("IncorrectWeightVersionKey", Class::Refused),
    ("IncorrectNetworkVersionKey", Class::Refused),
    ("WeightVecLengthIsLow", Class::Refused),
    ("WeightVecNotEqualSize", Class::Refused),
    ("MaxWeightExceeded", Class::Refused),
    ("UidVecContainInvalidOne", Class::Refused),
    ("InvalidUid", Class::Refused),
    ("DuplicateUids", Class::Refused),
    ("UidsLengthExceedUidsInSubNet", Class::Refused),
    ("CommitRevealEnabled", Class::Outdated),
    ("CommitRevealDisabled", Class::Outdated),
    ("TooManyUnrevealedCommits", Class::Refused),
    ("IncorrectCommitRevealVersion", Class::Refused),
];

#[test]
fn each_error_in_a_block_comes_to_the_class_that_says_what_to_do() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        for (name, expected) in EXPECTED {
            node.fail_next(Scripted::Dispatch(name));
            let set = bench.set_in_the_next_block(node).await;
            let Err(SetError::Chain(error)) = set else { panic!("{name}: {set:?}") };
            assert_eq!(class(&error), Some(*expected), "{name}: {error}");
            if matches!(expected, Class::Outdated | Class::Refused) {
                assert!(error.to_string().contains(name), "{name}: {error}");
            }
            // What is outdated may be in a block all the same, until it was looked for.
            let open = bench.ledger.book().intent.is_some();
            assert_eq!(open, *expected == Class::Outdated, "{name}: whether it has an outcome");
            bench.until_block(node).await;
        }
        assert_eq!(node.look(World::included), EXPECTED.len());
        assert!(bench.set_in_the_next_block(node).await.is_ok());
    });
}

#[test]
fn an_error_of_no_pallet_is_shown_in_words() {
    Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
        node.fail_next(Scripted::Dispatch("BadOrigin"));
        let set = bench.set_in_the_next_block(node).await;
        let Err(SetError::Chain(ChainError::Refused(why))) = set else { panic!("{set:?}") };
        assert!(why.contains("Bad origin"), "{why}");
    });
}

#[test]
fn whoever_is_too_soon_is_told_how_many_blocks_to_wait_and_the_chain_agrees() {
    let node = Node::start(Subnet { weights_rate_limit: 10, ..small_subnet() });
    node.grow();
    Bench::connected(node, PATIENT, async |bench, node| {
        let set = bench.set_in_the_next_block(node).await.unwrap();
        node.grow_by(3);
        bench.until_block(node).await;
        let sent = node.look(World::submissions);
        let Err(SetError::Chain(ChainError::TooSoon { wait })) = bench.set().await else {
            panic!("the rate limit is ten blocks");
        };
        assert_eq!(node.look(World::submissions), sent);
        // After so many blocks the next one takes them, and no block before.
        assert_eq!(u64::from(node.look(World::best_number)) + wait + 1, set.block.0 + 10);
        node.grow_by(u32::try_from(wait).unwrap());
        bench.until_block(node).await;
        let again = bench.set_in_the_next_block(node).await.unwrap();
        assert_eq!(again.block.0, set.block.0 + 10);
    });
}

type Check = dyn Fn(&ChainError) -> bool;

/// A pool's answers, what they come to, and whether the bytes may yet be included.
#[test]
fn each_answer_of_the_pool_comes_to_its_class_and_an_unknown_one_is_shown_as_it_is() {
    let invalid = |data| Scripted::Pool { code: 1010, message: "Invalid Transaction", data };
    let outdated = |error: &ChainError| matches!(error, ChainError::Outdated(_));
    let answers: [(Scripted, &Check); 8] = [
        (invalid("Transaction is outdated"), &outdated),
        (invalid("Transaction has an ancient birth block"), &outdated),
        (invalid("Transaction has a bad signature"), &outdated),
        (
            Scripted::Pool { code: 1012, message: "Transaction is temporarily banned", data: "" },
            &outdated,
        ),
        (invalid("Custom error: 2"), &|error| matches!(error, ChainError::NoPermit(_))),
        (
            invalid("Custom error: 77"),
            &|error| matches!(error, ChainError::Refused(why) if why.contains("Custom error: 77")),
        ),
        (
            Scripted::Pool { code: 1016, message: "Immediately Dropped", data: "the pool is full" },
            &|error| matches!(error, ChainError::Unreachable(_)),
        ),
        // What a proxy before the node says is no word of the chain's.
        (Scripted::Pool { code: -32005, message: "Too many requests", data: "" }, &|error| {
            matches!(error, ChainError::Unreachable(_))
        }),
    ];
    for (answer, expected) in answers {
        Bench::connected(Node::start(small_subnet()), PATIENT, async |bench, node| {
            node.fail_next(answer.clone());
            let set = bench.set().await;
            let Err(SetError::Chain(error)) = set else { panic!("{answer:?}: {set:?}") };
            assert!(expected(&error), "{answer:?}: {error:?}");
            let open = matches!(error, ChainError::Unreachable(_) | ChainError::Outdated(_));
            assert_eq!(bench.ledger.book().intent.is_some(), open, "{answer:?}");
            node.grow();
            bench.until_block(node).await;
            // Nothing of it stands in the way of the next try.
            assert!(bench.set_in_the_next_block(node).await.is_ok(), "{answer:?}");
            assert_eq!(node.look(World::included), 1);
        });
    }
}
