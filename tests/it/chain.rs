//! Commands that look at a chain. Those that need a node ask the one of `TEST_CHAIN`, as
//! `ws://127.0.0.1:9944`, and say that they are skipped without it.

use crate::harness::Place;

#[test]
fn a_chain_that_nobody_answers_for_is_named_with_every_node() {
    let flags = "--subtensor.chain_endpoint ws://127.0.0.1:1,ws://127.0.0.1:2";
    for command in ["metagraph --netuid 1", "chain probe"] {
        let ended = Place::new().run(&format!("{command} {flags}"));
        ended.refused(7, &["ws://127.0.0.1:1", "ws://127.0.0.1:2", "--subtensor.chain_endpoint"]);
    }
}

#[test]
fn a_network_without_an_address_is_a_wrong_key() {
    let ended = Place::new().run("metagraph --subtensor.network finny").expect(2);
    assert!(
        ended.err.contains("subtensor.network") && ended.err.contains("finney"),
        "{}",
        ended.err
    );
}

#[test]
fn a_real_node_is_probed_and_its_subnet_shown() {
    let Ok(chain) = std::env::var("TEST_CHAIN") else {
        println!("skipped: TEST_CHAIN names no node");
        return;
    };
    let place = Place::new();
    let node = format!("--subtensor.network local --subtensor.chain_endpoint {chain}");
    let probe: serde_json::Value =
        serde_json::from_str(&place.run(&format!("chain probe --json {node}")).expect(0).out)
            .unwrap();
    let items = probe["items"].as_array().unwrap();
    let set_weights = items.iter().find(|item| item["name"] == "SubtensorModule.set_weights");
    assert_eq!(set_weights.unwrap()["present"], true);
    let shown = place.run(&format!("metagraph --netuid 1 --available --weights --json {node}"));
    let metagraph: serde_json::Value = serde_json::from_str(&shown.expect(0).out).unwrap();
    let neurons = metagraph["neurons"].as_array().unwrap();
    assert!(!neurons.is_empty());
    for (uid, neuron) in neurons.iter().enumerate() {
        assert_eq!(neuron["uid"], uid);
        assert_eq!(neuron["available"], neuron["left_out"].is_null());
    }
    place.run(&format!("metagraph --netuid 4095 {node}")).refused(7, &[&chain, "no subnet 4095"]);
}
