//! `sn1 miner` and `sn1 query`: two processes that speak the wire.

use serde_json::{Value, json};

use crate::harness::{Place, Running, free_port};

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const CHARLIE: &str = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y";

/// A miner that repeats what it is asked, and its port.
fn echo(place: &Place) -> (Running, u16) {
    let port = free_port();
    let mut miner = place.start(&format!(
        "miner --miner.kind echo --uri //Alice --axon.ip 127.0.0.1 --axon.port {port} \
         --blacklist.allow_non_registered"
    ));
    let printed = miner.until_printed("\n");
    assert_eq!(printed, format!("serving {ALICE} on 127.0.0.1:{port}\n"));
    (miner, port)
}

/// Asks; gives the exit code and what was printed.
fn ask(place: &Place, port: u16, hotkey: &str) -> (Option<i32>, Value) {
    let ended = place.run(&format!(
        "query --axon 127.0.0.1:{port} --axon.hotkey {hotkey} --uri //Bob --message hi --json"
    ));
    (ended.code, serde_json::from_str(&ended.out).unwrap())
}

#[test]
fn a_miner_answers_a_signed_query_and_no_other() {
    let place = Place::new();
    let (miner, port) = echo(&place);

    let (code, answer) = ask(&place, port, ALICE);
    assert_eq!(code, Some(0), "{answer}");
    assert_eq!((&answer["status_code"], &answer["completion"]), (&json!(200), &json!("hi")));
    assert_eq!(answer["error"], Value::Null);

    let (code, refusal) = ask(&place, port, CHARLIE);
    assert_eq!((code, &refusal["status_code"]), (Some(1), &json!(401)), "{refusal}");
    assert_eq!(refusal["completion"], "");

    miner.signal("TERM");
    miner.wait().expect(0);
    let journal = format!(".bittensor/miners/default/{ALICE}/netuid1/miner/journal.jsonl");
    let served = place.lines(&journal);
    let first = served.iter().find(|line| line["event"] == "served").unwrap();
    assert_eq!((&first["status"], &first["completion"]), (&json!(200), &json!("hi")));
}

#[test]
fn a_port_where_nobody_listens_is_a_503() {
    // Nothing that draws a free port gets this one.
    let (code, answer) = ask(&Place::new(), 1, ALICE);
    assert_eq!((code, &answer["status_code"]), (Some(1), &json!(503)), "{answer}");
}
