//! `sn1 miner` and `sn1 query`: two processes that speak the wire.

use serde_json::{Value, json};

use crate::harness::{Place, Running, free_port};

pub(crate) const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const CHARLIE: &str = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y";
pub(crate) const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const DAVE: &str = "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy";
const EVE: &str = "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw";
pub(crate) const JOURNAL: &str = ".bittensor/miners/default/5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY/netuid1/miner/\
     journal.jsonl";

/// A miner that repeats what it is asked, and its port.
fn echo(place: &Place) -> (Running, u16) {
    miner(place, "--miner.kind echo")
}

/// A miner of //Alice on no chain, and its port.
pub(crate) fn miner(place: &Place, flags: &str) -> (Running, u16) {
    let port = free_port();
    let mut miner = place.start(&format!(
        "miner --uri //Alice --axon.ip 127.0.0.1 --axon.port {port} \
         --blacklist.allow_non_registered {flags}"
    ));
    let printed = miner.until_printed("\n");
    assert_eq!(printed, format!("serving {ALICE} on 127.0.0.1:{port}\n"));
    (miner, port)
}

/// Asks; gives the exit code and what was printed.
pub(crate) fn ask(place: &Place, port: u16, hotkey: &str) -> (Option<i32>, Value) {
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
    let served = place.lines(JOURNAL);
    let first = served.iter().find(|line| line["event"] == "served").unwrap();
    assert_eq!((&first["status"], &first["completion"]), (&json!(200), &json!("hi")));
}

#[test]
fn a_port_where_nobody_listens_is_a_503() {
    // Nothing that draws a free port gets this one.
    let (code, answer) = ask(&Place::new(), 1, ALICE);
    assert_eq!((code, &answer["status_code"]), (Some(1), &json!(503)), "{answer}");
}

#[test]
fn a_report_tells_who_asked_while_the_miner_runs() {
    let place = Place::new();
    let none = place.run("miner report --uri //Alice").expect(0);
    assert!(none.out.contains("journal   none at"), "{}", none.out);

    let (mut miner, port) =
        miner(&place, &format!("--miner.kind echo --blacklist.hotkeys {CHARLIE}"));
    ask(&place, port, ALICE);
    let charlie = format!("query --axon 127.0.0.1:{port} --axon.hotkey {ALICE} --uri //Charlie");
    let refused = place.run_with(&charlie, &["--message", "hi"]).expect(1);
    assert!(refused.err.contains("403") && refused.err.contains("miner's list"), "{}", refused.err);
    miner.until(&place.path(JOURNAL), "miner's list");

    let report = place.run("miner report --uri //Alice --json").json();
    assert_eq!((&report["hotkey"], &report["chain"]), (&json!(ALICE), &Value::Null));
    let row = |hotkey: &str| {
        let callers = report["callers"].as_array().unwrap();
        callers.iter().find(|row| row["hotkey"] == hotkey).unwrap()
    };
    let (bob, charlie) = (row(BOB), row(CHARLIE));
    assert_eq!((&bob["answered"], &bob["refused"]), (&json!(1), &json!({})));
    assert!(bob["median_latency"].is_number() && bob["last_request"].is_number(), "{bob}");
    let reason = "403 Forbidden. Key is blacklisted: Hotkey is on the miner's list.";
    assert_eq!((&charlie["answered"], &charlie["refused"]), (&json!(0), &json!({reason: 1})));
    let table = place.run("miner report --uri //Alice").expect(0).out;
    assert!(table.contains("1 answered, 1 refused") && table.contains(reason), "{table}");
}

#[test]
fn a_report_without_its_chain_tells_what_the_journal_has() {
    let place = Place::new();
    let (mut miner, port) = echo(&place);
    ask(&place, port, ALICE);
    miner.until(&place.path(JOURNAL), "\"served\"");
    let away = "miner report --uri //Alice --json --netuid 1 --subtensor.chain_endpoint \
                ws://127.0.0.1:1";
    let report = place.run(away).json();
    assert!(report["chain"]["error"].is_string(), "{report}");
    assert_eq!(report["callers"][0]["hotkey"], BOB);
}

#[test]
fn a_check_says_what_came_back_and_what_a_failure_means() {
    let place = Place::new();
    let (_open, port) = echo(&place);
    let check = |port: u16| place.run(&format!("miner check --uri //Alice --axon.port {port}"));
    let well = check(port).expect(0);
    assert!(well.out.contains("(axon.*)") && well.out.contains("answered in"), "{}", well.out);

    let (_closed, port) = miner(&place, "--miner.kind echo --blacklist.force_validator_permit");
    let refused = check(port).expect(1);
    let let_in = format!("--blacklist.allow_hotkeys {ALICE}");
    assert!(refused.err.contains("403") && refused.err.contains(&let_in), "{}", refused.err);
    let open = format!("--miner.kind echo --blacklist.force_validator_permit {let_in}");
    let (_open, port) = miner(&place, &open);
    check(port).expect(0);

    // Nothing that draws a free port gets this one.
    let nobody = check(1).expect(1);
    assert!(nobody.err.contains("503") && nobody.err.contains("firewall"), "{}", nobody.err);
}

#[test]
fn flags_of_the_miner_are_not_lost_before_a_subcommand() {
    let ended = Place::new().run("miner --uri //Alice report").expect(2);
    assert!(ended.err.contains("report"), "{}", ended.err);
}

#[test]
fn ctrl_c_lets_an_answer_under_way_end() {
    let place = Place::new();
    let flags = "--miner.kind model --neuron.model_id fake --neuron.max_tokens 1000";
    let (miner, port) = miner(&place, flags);
    let mut asking = place.start_with(
        &format!(
            "query --axon 127.0.0.1:{port} --axon.hotkey {ALICE} --uri //Bob --stream --timeout 60"
        ),
        &["--message", "Tell me a long story."],
    );
    // Its first words are there, so it is under way.
    asking.until_printed(" ");
    miner.signal("INT");
    let ended = asking.wait().expect(0);
    miner.wait().expect(0);
    let served = place.lines(JOURNAL);
    let served = served.iter().find(|line| line["event"] == "served").unwrap();
    assert_eq!(served["status"], 200);
    assert_eq!(served["completion"].as_str().unwrap().trim(), ended.out.trim());
}

/// A chain that nobody answers for.
const AWAY: &str = "ws://127.0.0.1:1";

/// Has a miner of //Alice find, in place of its chain, a subnet of it and these hotkeys, each with its
/// stake and, if it has one, a permit.
fn subnet_seen_last(place: &Place, others: &[(&str, f64, bool)]) {
    let mut neurons = vec![(ALICE, 5.0, false)];
    neurons.extend(others);
    let neurons: Vec<Value> = (0..)
        .zip(neurons)
        .map(|(uid, (hotkey, stake, permit)): (u16, _)| {
            json!({
                "uid": uid, "hotkey": hotkey, "coldkey": hotkey, "stake": stake, "axon": null,
                "validator_permit": permit, "last_update": 0, "incentive": 0.0,
            })
        })
        .collect();
    let kept = json!({
        "network": AWAY, "time": 1_700_000_000,
        "metagraph": {"netuid": 1, "block": 9, "neurons": neurons},
    });
    place.write(&JOURNAL.replace("journal.jsonl", "metagraph.json"), &kept.to_string());
}

/// A miner of //Alice on that subnet, and its port.
fn miner_of_it(place: &Place, flags: &str) -> (Running, u16) {
    let port = free_port();
    let mut miner = place.start(&format!(
        "miner --uri //Alice --axon.ip 127.0.0.2 --axon.port {port} --netuid 1 \
         --subtensor.chain_endpoint {AWAY} {flags}"
    ));
    miner.until_printed(&format!("serving {ALICE} on 127.0.0.2:{port}\n"));
    (miner, port)
}

/// The beginning of a query to it.
fn to_it(port: u16, uri: &str) -> String {
    format!("query --axon 127.0.0.2:{port} --axon.hotkey {ALICE} --uri {uri} --json")
}

fn status_for(place: &Place, port: u16, uri: &str) -> Value {
    let ended = place.run_with(&to_it(port, uri), &["--message", "hi"]);
    serde_json::from_str::<Value>(&ended.out).unwrap()["status_code"].clone()
}

#[test]
fn a_miner_whose_chain_is_away_serves_by_the_subnet_it_saw_last_and_no_other() {
    let place = Place::new();
    subnet_seen_last(&place, &[(BOB, 5.0, true)]);
    let (miner, port) = miner_of_it(&place, "--miner.kind echo");
    let status = |uri: &str| status_for(&place, port, uri);
    assert_eq!((status("//Bob"), status("//Charlie")), (json!(200), json!(403)));
    miner.signal("TERM");
    let ended = miner.wait().expect(0);
    assert!(ended.err.contains("the chain is away: serving by the metagraph of"), "{}", ended.err);
}

#[test]
fn of_callers_with_different_stake_the_poor_are_refused_unless_they_are_on_the_list() {
    let place = Place::new();
    subnet_seen_last(
        &place,
        &[(BOB, 1_000.0, true), (CHARLIE, 10.0, true), (DAVE, 10.0, true), (EVE, 1_000.0, false)],
    );
    let (_miner, port) = miner_of_it(
        &place,
        &format!(
            "--miner.kind echo --blacklist.min_stake 100 --blacklist.force_validator_permit \
             --blacklist.allow_hotkeys {DAVE}"
        ),
    );
    let statuses = ["//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"]
        .map(|uri| status_for(&place, port, uri));
    assert_eq!(statuses, [200, 403, 200, 403, 403].map(|status| json!(status)));
}

#[test]
fn of_callers_that_wait_the_one_with_most_stake_is_answered_first() {
    let place = Place::new();
    subnet_seen_last(
        &place,
        &[(BOB, 1.0, true), (CHARLIE, 10.0, true), (DAVE, 1_000.0, true), (EVE, 100.0, true)],
    );
    // One answer at a time; this question's takes three times the mean, by when all have asked.
    let flags = "--miner.kind mock --miner.mock_delay 2 --axon.max_workers 1";
    let (miner, port) = miner_of_it(&place, flags);
    let asking = ["//Bob", "//Charlie", "//Dave", "//Eve"].map(|uri| {
        place.start_with(&format!("{} --timeout 120", to_it(port, uri)), &["--message", "coffee"])
    });
    for asking in asking {
        asking.wait().expect(0);
    }
    miner.signal("TERM");
    miner.wait().expect(0);
    let lines = place.lines(JOURNAL);
    let served = lines.iter().filter(|line| line["event"] == "served");
    let served: Vec<&str> = served.map(|line| line["hotkey"].as_str().unwrap()).collect();
    // Whoever came first did not wait.
    let mut waited = vec![DAVE, EVE, CHARLIE, BOB];
    waited.retain(|hotkey| *hotkey != served[0]);
    assert_eq!(served[1..], waited);
}
