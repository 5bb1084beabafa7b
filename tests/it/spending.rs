//! Commands that cost: what they refuse before anything is sent.
//!
//! Those that come to ask a chain need `TEST_CHAIN=ws://…`, a node as `chain_writes` describes it.

use sn1::ledger::lock::InstanceLock;
use sn1::wire::Keypair;
use sn1_actors::domain::Netuid;

use crate::harness::Place;

#[test]
fn weights_by_hand_must_be_numbers_for_uids_that_are_named_once() {
    let place = Place::new();
    for (line, why) in [
        ("--uids 3,4 --values 1", "2 uids but 1 values"),
        ("--uids 3,3 --values 1,2", "3 is there twice"),
        ("--uids 3,4 --values 1,NaN", "give numbers from 0"),
        ("--uids 3,4 --values 1,-1", "give numbers from 0"),
        ("--uids 3,4 --values 0,0", "at least one must be more than 0"),
    ] {
        let ended = place.run(&format!("weights set {line} --uri //Bob")).expect(2);
        assert!(ended.err.contains(why), "{line}: {}", ended.err);
    }
}

#[test]
fn a_development_key_signs_nothing_on_a_public_network() {
    let place = Place::new();
    for line in [
        "register --uri //Alice --hotkey //Alice//hot --netuid 61 --subtensor.network test --yes",
        "weights set --uids 1 --values 1 --uri //Alice --netuid 1 --subtensor.network finney --yes",
        "query --uid 1 --message hello --uri //Alice --netuid 1 --subtensor.network finney",
    ] {
        let ended = place.run(line).expect(2);
        assert!(ended.err.contains("known to everybody"), "{line}: {}", ended.err);
    }
}

#[test]
fn a_chain_that_nobody_answers_for_is_an_end_that_may_be_started_again() {
    let place = Place::new();
    let nowhere = "--netuid 1 --subtensor.chain_endpoint ws://127.0.0.1:1";
    for line in [
        "register --uri //Alice --hotkey //Alice//hot --yes",
        "weights set --uids 1 --values 1 --uri //Alice --yes",
        "weights show --uri //Alice",
    ] {
        let ended = place.run(&format!("{line} {nowhere}")).expect(7);
        assert!(ended.err.contains("ws://127.0.0.1:1"), "{line}: {}", ended.err);
    }
}

#[test]
fn weights_by_hand_are_not_set_beside_a_validator_of_the_same_hotkey() {
    let place = Place::new();
    let hotkey = Keypair::from_dev_uri("//Bob").unwrap().hotkey();
    let folder = place.path("locks of a validator");
    let _validator = InstanceLock::of_hotkey(&folder, &hotkey, Netuid(1)).unwrap();
    let folder = folder.to_str().unwrap().to_owned();
    let line = "weights set --uids 1 --values 1 --uri //Bob --yes \
                --subtensor.chain_endpoint ws://127.0.0.1:1";
    let set = |netuid: &str| {
        place.run_with(line, &["--netuid", netuid, "--logging.logging_dir", &folder])
    };
    let refused = set("1").expect(4);
    let holder = format!("process {} has hotkey {hotkey} on subnet 1 (", std::process::id());
    assert!(refused.err.contains(&holder), "{}", refused.err);
    assert!(refused.err.contains("stop it first"), "{}", refused.err);
    set("2").expect(7);
}

#[test]
fn a_neuron_of_a_subnet_that_is_not_there_ends() {
    let Ok(url) = std::env::var("TEST_CHAIN") else {
        eprintln!("skipped: TEST_CHAIN names no node");
        return;
    };
    let place = Place::new();
    let chain = format!("--netuid 4077 --subtensor.chain_endpoint {url} --uri //Validator0//hot");
    for line in [
        "miner --miner.kind echo",
        "validator --model fake --neuron.axon_off --tools.sources builtin,maths",
    ] {
        let ended = place.run(&format!("{line} {chain}")).expect(2);
        assert!(ended.err.contains("check --netuid"), "{line}: {}", ended.err);
    }
}

#[test]
fn nothing_that_costs_is_sent_without_a_yes() {
    let Ok(url) = std::env::var("TEST_CHAIN") else {
        eprintln!("skipped: TEST_CHAIN names no node");
        return;
    };
    let place = Place::new();
    let chain = format!("--netuid 1 --subtensor.chain_endpoint {url}");
    let unasked =
        place.run(&format!("register --uri //Alice --hotkey //unasked {chain}")).expect(2);
    assert!(unasked.out.contains("cost") && unasked.err.contains("--yes"), "{}", unasked.err);
    let dear = "register --uri //Alice --hotkey //unasked --max-burn 0.000000001 --yes";
    let dear = place.run(&format!("{dear} {chain}")).expect(1);
    assert!(dear.err.contains("more than --max-burn"), "{}", dear.err);
    let dry = "weights set --uids 1 --values 1 --uri //Validator0//hot --dry-run";
    let dry = place.run(&format!("{dry} {chain}")).expect(0);
    assert!(dry.out.contains("in the open\nnothing was sent"), "{}", dry.out);
}
