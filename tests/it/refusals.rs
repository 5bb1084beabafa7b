//! Bad input: an exit code of its own kind, a line that names the thing, nothing half-written.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::harness::Place;

#[test]
fn an_unknown_flag_gets_a_suggestion() {
    let ended = Place::new().run("localnet --stepz 3").expect(2);
    assert!(ended.err.contains("--stepz") && ended.err.contains("--steps"), "{}", ended.err);
}

#[test]
fn every_bad_key_of_a_file_is_named_at_once() {
    let place = Place::new();
    let text = "[neuron]\ntimeout = \"soon\"\nsampel_size = 3\n";
    let file = place.write("wrong.toml", text).display().to_string();
    let ended = place.run_with("localnet --model fake --steps 1", &["--config", &file]).expect(2);
    for named in [
        format!("{file}:2: `neuron.timeout`"),
        format!("{file}:3: unknown key `neuron.sampel_size`; did you mean `neuron.sample_size`?"),
    ] {
        assert!(ended.err.contains(&named), "{named} is not in:\n{}", ended.err);
    }
    assert!(!place.path("state").exists(), "a run began");
}

#[test]
fn files_that_cannot_be_written_are_named_before_the_run() {
    let place = Place::new();
    let run = |file: &str| place.run(&format!("localnet --model fake --steps 1 {file}"));
    run("--journal /proc/nope/j.jsonl").refused(4, &["/proc/nope/j.jsonl", "cannot be written"]);
    run("--summary /proc/nope/s.json").refused(4, &["/proc/nope/s.json", "cannot be written"]);
}

#[test]
fn no_silent_fallback_for_what_this_build_lacks() {
    let place = Place::new();
    let cuda = place.run("localnet --model fake --steps 1 --neuron.device cuda").expect(2);
    assert!(cuda.err.contains("neuron.device") && cuda.err.contains("no CUDA"), "{}", cuda.err);
}

#[test]
fn no_network_and_no_subnet_is_joined_that_nobody_named() {
    let place = Place::new();
    let example = "--netuid 61 --subtensor.network test";
    for command in ["validator", "miner", "validator --subtensor.network test"] {
        place.run(command).refused(2, &["netuid", "there is no default", example]);
    }
    let unnamed = place.run("validator --netuid 1");
    unnamed.refused(2, &["subtensor.network", "there is no default", example]);
}

#[test]
fn an_example_in_a_refusal_has_no_flag_that_its_command_lacks() {
    let place = Place::new();
    for verb in ["show", "export"] {
        let example = format!("`sn1 state {verb} --netuid 61` is");
        place.run(&format!("state {verb}")).refused(2, &["subnet (netuid)", &example]);
    }
    let example = "`sn1 chain probe --subtensor.network test` is";
    place.run("chain probe").refused(2, &["network (subtensor.network)", example]);
}

#[test]
fn a_validator_on_a_public_network_refuses_what_is_no_good_there() {
    let line = "validator --netuid 61 --subtensor.network test --tools.sources builtin,maths";
    let ended = Place::new().run(line).expect(2);
    for named in ["not on `test`", "public.allow_small_model", "public.allow_embedded_corpus"] {
        assert!(ended.err.contains(named), "{named} is not in:\n{}", ended.err);
    }
}

#[test]
fn a_miner_without_a_wallet_names_the_file_and_what_makes_it() {
    let keyless = Place::new().run("miner --miner.kind echo --blacklist.allow_non_registered");
    keyless.refused(4, &[".bittensor/wallets/default/hotkeys/default", "`sn1 wallet new "]);
}

#[test]
fn external_miners_that_cannot_be_are_refused_by_name() {
    let refused = |miners: &[&str], texts: &[&str]| {
        let flags: Vec<&str> = miners.iter().flat_map(|text| ["--external-miner", text]).collect();
        let ended = Place::new().run_with("localnet --model fake --steps 1", &flags).expect(2);
        for text in [&["localnet.external_miners"], texts].concat() {
            assert!(ended.err.contains(text), "{miners:?} does not name {text}:\n{}", ended.err);
        }
    };
    let (alice, bob) = (
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
    );
    refused(&["127.0.0.1:9000"], &["127.0.0.1:9000", "HOST:PORT=SS58"]);
    let (one, two) = (format!("127.0.0.1:9000={alice}"), format!("127.0.0.1:9001={alice}"));
    refused(&[&one, &two], &[alice, "twice"]);
    refused(&[&one, &format!("nowhere.invalid:9000={bob}")], &["nowhere.invalid:9000", "resolved"]);
}

#[test]
fn probabilities_that_do_not_fit_the_tasks_are_refused() {
    let ended = Place::new().run("localnet --model fake --steps 1 --neuron.task_p 1,2,3").expect(2);
    assert!(ended.err.contains("neuron.task_p"), "{}", ended.err);
}

#[test]
fn a_miner_whose_port_is_taken_names_the_address() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let ended = Place::new().run(&format!(
        "miner --miner.kind echo --uri //Alice --axon.ip 127.0.0.1 --axon.port {} \
         --blacklist.allow_non_registered",
        address.port()
    ));
    let ended = ended.expect(3);
    assert!(ended.err.contains(&address.to_string()), "{}", ended.err);
}

#[test]
fn a_model_that_nobody_knows_is_named_with_those_there_are() {
    let ended = Place::new().run("localnet --steps 1 --model smollm3").expect(2);
    assert!(ended.err.contains("smollm3"), "{}", ended.err);
    assert!(ended.err.contains("smollm2-135m-instruct"), "{}", ended.err);
}

#[test]
fn a_damaged_model_file_is_named_and_left_alone() {
    let place = Place::new();
    let gguf = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
    let gguf = place.write(gguf, "GGUF and nothing that follows from it");
    let place = {
        let models = place.path("models");
        place.with("SN1_MODELS__DIR", models)
    };
    let ended = place.run_with("generate --json", &["--prompt", "hi"]);
    ended.refused(5, &[gguf.to_str().unwrap(), "it was left as it is"]);
    let net = place.run("localnet --steps 1 --summary s.json").expect(5);
    assert!(net.err.contains(gguf.to_str().unwrap()), "{}", net.err);

    assert_eq!(fs::read_to_string(&gguf).unwrap(), "GGUF and nothing that follows from it");
    let beside: Vec<_> = fs::read_dir(gguf.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "{beside:?}");
    assert!(!place.path("s.json").exists());
}
