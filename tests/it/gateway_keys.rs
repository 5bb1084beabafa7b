//! `sn1 gateway keys`: keys are made, listed and revoked, and shown once; and what a running gateway
//! makes of them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::harness::Place;

const OF_ALICE: &str = "--netuid 1 --uri //Alice --logging.logging_dir state";

fn keys(place: &Place) -> Value {
    place.run(&format!("gateway keys list --json {OF_ALICE}")).json()
}

#[test]
fn a_key_is_shown_once_listed_by_its_first_characters_and_revoked() {
    let place = Place::new();
    let new =
        "gateway keys new --name bob --requests-per-minute 5 --concurrent 2 --tokens-per-day 900";
    let key = place.run(&format!("{new} --quiet {OF_ALICE}")).expect(0).out.trim().to_owned();
    assert!(key.starts_with("sk-sn1-") && key.len() > 45 && !key.contains(['\n', ' ']), "{key}");

    let listed = keys(&place);
    let bob = &listed["keys"][0];
    assert_eq!(bob["name"], "bob");
    assert!(key.starts_with(bob["prefix"].as_str().unwrap()), "{listed}");
    let limits = json!({"requests_per_minute": 5, "concurrent": 2, "tokens_per_day": 900});
    assert_eq!(bob["limits"], limits);
    assert_eq!(bob["used"], json!({"requests_this_minute": 0, "tokens_today": 0}));
    assert!(bob["revoked"].is_null() && bob["created"].is_u64(), "{listed}");
    let folder = listed["folder"].as_str().unwrap();
    assert!(folder.ends_with("/netuid1/validator/gateway"), "{folder}");
    let file = place.path(folder).join("keys.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&key[12..]) && !listed.to_string().contains(&key[12..]), "{text}");
    let table = place.run(&format!("gateway keys list {OF_ALICE}")).expect(0).out;
    assert!(table.contains("bob") && table.contains("0 of 900"), "{table}");

    // The same by the folder that is printed.
    let revoke = place.run_with("gateway keys revoke bob", &["--folder", folder]).expect(0);
    assert!(revoke.out.contains("is revoked"), "{}", revoke.out);
    assert!(keys(&place)["keys"][0]["revoked"].is_u64());
    let id = bob["id"].as_str().unwrap();
    let again = place.run(&format!("gateway keys revoke {id} {OF_ALICE}")).expect(0);
    assert!(again.out.contains("already"), "{}", again.out);
}

#[test]
fn a_new_key_says_all_about_itself() {
    let place = Place::new();
    let new = format!("gateway keys new {OF_ALICE} --name");
    let told = place.run(&format!("{new} one")).expect(0).out;
    let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    assert!(field("key ").starts_with("sk-sn1-"), "{told}");
    assert_eq!(field("limits"), "60 requests a minute, 8 at a time, 1000000 tokens a day");
    let told = place.run(&format!("{new} two --json")).json();
    assert!(told["key"].as_str().unwrap().starts_with(told["prefix"].as_str().unwrap()), "{told}");
    assert_eq!(keys(&place)["keys"].as_array().map(Vec::len), Some(2));
}

#[test]
fn commands_at_once_lose_no_key() {
    let place = Place::new();
    let start = |n| place.start(&format!("gateway keys new --quiet --name k{n} {OF_ALICE}"));
    let running: Vec<_> = (0..8).map(start).collect();
    for command in running {
        command.wait().expect(0);
    }
    let listed = keys(&place);
    let mut names: Vec<_> = listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"]);
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let place = Place::new();
    place
        .run("gateway keys list")
        .refused(2, &["subnet (netuid)", "sn1 gateway keys list --netuid"]);
    place.run("gateway keys list --netuid 1").refused(4, &["hotkey"]);
    let empty = place.run(&format!("gateway keys list {OF_ALICE}")).expect(0).out;
    assert!(empty.starts_with("no keys in") && empty.contains("keys new"), "{empty}");
    let new = format!("gateway keys new {OF_ALICE} --name");
    place.run(&format!("{new} bob")).expect(0);
    place.run(&format!("{new} bob")).refused(2, &["a key called `bob` already"]);
    place.run(&format!("gateway keys revoke eve {OF_ALICE}")).refused(2, &["`eve`", "keys list"]);
    place.run(&format!("{new} eve --concurrent 0")).expect(2);

    let folder = keys(&place)["folder"].as_str().unwrap().to_owned();
    place.write(&format!("{folder}/keys.json"), "nonsense");
    for verb in ["list", "revoke bob", "new --name eve"] {
        let ended = place.run(&format!("gateway keys {verb} {OF_ALICE}"));
        ended.refused(4, &["keys.json is damaged"]);
    }
    let kept = fs::read_to_string(place.path(&folder).join("keys.json")).unwrap();
    assert_eq!(kept, "nonsense");
}

/// What the gateway at a base URL replies, head and body.
fn asked(base: &str, request: &str, key: &str, body: &str) -> String {
    let host = base.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-type: \
         application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn a_local_network_prints_a_base_url_and_a_key_and_obeys_the_commands_while_it_runs() {
    let place = Place::new();
    let mut net = place.start(
        "localnet --model fake --gateway --localnet.block_time 0.2 --localnet.miners echo,phrase",
    );
    let told = net.until_printed("key sk-sn1-");
    let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let (base, key, folder) = (field("gateway "), field("key "), field("keys "));
    let models = |key: &str| asked(base, "GET /v1/models", key, "");
    assert!(models(key).starts_with("HTTP/1.1 200"), "{}", models(key));
    assert!(models("sk-sn1-other").starts_with("HTTP/1.1 401"));
    let question = json!({"model": "sn1", "messages": [{"role": "user", "content": "Why?"}]});
    let reply = asked(base, "POST /v1/chat/completions", key, &question.to_string());
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("chat.completion"), "{reply}");

    let new = "gateway keys new --quiet --requests-per-minute 1 --name few";
    let few = place.run_with(new, &["--folder", folder]).expect(0).out.trim().to_owned();
    assert!(models(&few).starts_with("HTTP/1.1 200"), "it works at once");
    place.run_with("gateway keys revoke localnet", &["--folder", folder]).expect(0);
    assert!(models(key).starts_with("HTTP/1.1 401"), "it is refused at once");
    net.signal("TERM");
    let ended = net.wait().expect(0);
    assert!(!ended.err.contains(&key[12..]), "a key is in the log");
    assert!(ended.out.contains("user generic_ins"), "a user's step is shown: {}", ended.out);
    let journal = ended.out.lines().find_map(|line| line.strip_prefix("journal ")).unwrap();
    let journal = fs::read_to_string(place.path(journal.trim())).unwrap();
    let last = journal.lines().last().unwrap();
    assert!(last.contains("\"event\":\"run_finished\""), "users come before the end: {last}");
    let listed = place.run_with("gateway keys list --json", &["--folder", folder]).json();
    let used = |n: usize| listed["keys"][n]["used"]["tokens_today"].as_u64().unwrap();
    assert!(used(0) > 0 && used(1) == 0, "{listed}");
}
