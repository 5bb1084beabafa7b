use sn1_actors::domain::{BlockNumber, Coldkey, Netuid, Tao, Uid};

use super::*;
use crate::journal::served::Served;

fn hotkey(n: u16) -> Hotkey {
    Hotkey::parse(&format!("5{}", format!("{n:047}").replace('0', "A"))).unwrap()
}

/// A subnet on which 1 is this miner, 2 and 3 have permits, and 4 has none.
fn metagraph() -> Metagraph {
    let neuron = |n: u16| Neuron {
        uid: Uid(n - 1),
        hotkey: hotkey(n),
        coldkey: Coldkey::parse(hotkey(n).as_str()).unwrap(),
        stake: Tao(f64::from(n)),
        validator_permit: n == 2 || n == 3,
        axon: Some(([203, 0, 113, 1], 8091).into()),
        last_update: BlockNumber(0),
        incentive: 0.0,
    };
    Metagraph { netuid: Netuid(1), block: BlockNumber(7), neurons: (1..=4).map(neuron).collect() }
}

fn report(metagraph: Result<Metagraph, String>, address: &str) -> Report {
    let mut tally = Tally::default();
    for (n, status, message) in [(2, 200, "Success"), (2, 503, "full"), (9, 403, "Forbidden")] {
        let (hotkey, message) = (hotkey(n).as_str().to_owned(), message.to_owned());
        tally.take(&Served { time: 5.0, hotkey, status, message, seconds: 0.5 });
    }
    let address = address.parse().map_err(|_| "nobody knows".to_owned());
    let chain = OnChain { network: "subnet 1 on test".into(), metagraph, address };
    Report {
        hotkey: hotkey(1),
        journal: "journal.jsonl".into(),
        tally: Some(tally),
        chain: Some(chain),
    }
}

#[test]
fn validators_with_a_permit_are_told_of_even_if_they_never_asked() {
    let json = report(Ok(metagraph()), "203.0.113.1:8091").json();
    let callers = json["callers"].as_array().unwrap();
    let told: Vec<_> =
        callers.iter().map(|row| (row["hotkey"].clone(), row["answered"].clone())).collect();
    let expected = [(3, 0), (2, 1), (9, 0)].map(|(n, count)| (json!(hotkey(n)), json!(count)));
    assert_eq!(told, expected);
    assert_eq!(callers[1]["refused"], json!({"503 full": 1}));
    assert_eq!(callers[1]["median_latency"], 0.5);
    assert_eq!((&callers[0]["last_request"], &callers[2]["uid"]), (&Value::Null, &Value::Null));
    assert_eq!(json["chain"]["registered"], true);
    assert_eq!(json["chain"]["address_is_ours"], true);
}

#[test]
fn an_address_on_the_chain_that_is_not_ours_is_told_with_what_to_do() {
    let other = report(Ok(metagraph()), "203.0.113.2:8091");
    assert_eq!(other.json()["chain"]["address_is_ours"], false);
    let lines = other.chain.unwrap().lines(&hotkey(1)).join("\n");
    assert!(
        lines.contains("203.0.113.1:8091 on the chain, but ours is 203.0.113.2:8091"),
        "{lines}"
    );
    let unknown = report(Ok(metagraph()), "-").json();
    assert_eq!(unknown["chain"]["address_is_ours"], Value::Null);
    assert_eq!(unknown["chain"]["own_address_error"], "nobody knows");
}

#[test]
fn a_chain_that_does_not_answer_and_a_hotkey_that_is_on_none_are_told() {
    let away = report(Err("no answer in 5 s".into()), "-");
    assert_eq!(away.json()["chain"]["error"], "no answer in 5 s");
    assert_eq!(away.rows().len(), 2);
    let stranger = Metagraph { neurons: metagraph().neurons[1..].to_vec(), ..metagraph() };
    let stranger = report(Ok(stranger), "-");
    assert_eq!(stranger.json()["chain"]["registered"], false);
    assert!(stranger.chain.unwrap().lines(&hotkey(1))[1].contains("sn1 register"));
}

#[test]
fn a_span_is_told_in_its_largest_unit() {
    assert_eq!([59.0, 600.0, 86_400.0, 864_000.0].map(span), ["59 s", "10 min", "24 h", "10 d"]);
}
