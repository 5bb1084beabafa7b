//! SIGHUP: what a running program takes over of its configuration, and its log.

use serde_json::Value;

use crate::harness::{Place, Running};
use crate::miner::{ALICE, BOB, ask, miner};

const LOG: &str = "logs/sn1.log";

/// Has the program read its files again; gives what it logs about that.
fn read_again(place: &Place, miner: &mut Running, config: &str, says: &str) -> String {
    place.write("miner.toml", config);
    miner.signal("HUP");
    miner.until(&place.path(LOG), says)
}

#[test]
fn a_miner_takes_over_whom_it_serves_and_names_what_needs_a_new_start() {
    let place = Place::new();
    let config = place.write("miner.toml", "");
    let flags = format!("--miner.kind echo --logging.file {LOG} --config {}", config.display());
    let (mut miner, port) = miner(&place, &flags);
    assert_eq!(ask(&place, port, ALICE).1["status_code"], 200);

    let refusing = format!("blacklist.hotkeys = ['{BOB}']\nneuron.top_k = 7\n");
    let told = read_again(&place, &mut miner, &refusing, "blacklist.hotkeys applied");
    assert!(told.contains("neuron.top_k changed and needs a new start"), "{told}");
    assert_eq!(ask(&place, port, ALICE).1["status_code"], 403);

    // One mistake, and nothing is taken over: neither the mistake nor the rest.
    let wrong = "blacklist.min_stake = 'much'\n";
    let told = read_again(&place, &mut miner, wrong, "nothing of the configuration is changed");
    assert!(told.contains("miner.toml:1") && told.contains("blacklist.min_stake"), "{told}");
    assert_eq!(ask(&place, port, ALICE).1["status_code"], 403);

    read_again(&place, &mut miner, "logging.trace = true\n", "logging.trace applied");
    assert_eq!(ask(&place, port, ALICE).1["status_code"], 200);
    miner.until(&place.path(LOG), "TRACE");
    miner.signal("TERM");
    let ended = miner.wait().expect(0);
    assert_eq!(ended.err, "", "the log is in the file alone");
}

#[test]
fn a_level_that_rust_log_goes_before_is_not_said_to_be_applied() {
    let place = Place::new().with("RUST_LOG", "info");
    let config = place.write("miner.toml", "");
    let flags = format!("--miner.kind echo --logging.file {LOG} --config {}", config.display());
    let (mut miner, _) = miner(&place, &flags);
    let told = read_again(&place, &mut miner, "logging.trace = true\n", "logging.trace changed");
    assert!(told.contains("RUST_LOG says how much is logged"), "{told}");
    assert!(!told.contains("applied"), "{told}");
    miner.signal("TERM");
    miner.wait().expect(0);
}

#[test]
fn a_log_that_was_moved_away_goes_on_in_a_new_file_of_json_lines() {
    let place = Place::new();
    let config = place.write("miner.toml", "logging.format = 'json'\n");
    let flags = format!("--miner.kind echo --logging.file {LOG} --config {}", config.display());
    let (mut miner, _) = miner(&place, &flags);
    miner.signal("HUP");
    miner.until(&place.path(LOG), "nothing has changed");
    std::fs::rename(place.path(LOG), place.path("logs/old.log")).unwrap();
    let after = "logging.format = 'json'\nlogging.trace = true\n";
    read_again(&place, &mut miner, after, "logging.trace applied");
    miner.signal("TERM");
    miner.wait().expect(0);
    for (file, says) in [("logs/old.log", "nothing has changed"), (LOG, "logging.trace applied")] {
        let lines = place.lines(file);
        let message = |line: &Value| line["fields"]["message"].as_str().unwrap_or("").to_owned();
        assert!(lines.iter().any(|line| message(line).contains(says)), "{file}: {lines:?}");
        assert!(lines.iter().all(|line| line["level"].is_string()), "{file}");
    }
}

#[test]
fn a_validator_goes_on_after_a_signal_and_a_log_that_cannot_be_written_is_a_file_s_fault() {
    let place = Place::new();
    let mut net = place.start(
        "localnet --model fake --seed 7 --localnet.block_time 0.2 --journal j.jsonl \
         --localnet.miners echo --logging.file net.log",
    );
    net.until(&place.path("j.jsonl"), r#""event":"step""#);
    net.signal("HUP");
    net.until(&place.path("net.log"), "nothing has changed");
    net.signal("TERM");
    net.wait().expect(0);
    place.run("localnet --logging.file /dev/null/log").refused(4, &["/dev/null/log"]);
}
