//! Ctrl-C and SIGTERM: the first drains, the second ends at once.

use crate::harness::Place;

/// Endless, and quick to set its last weights.
const ENDLESS: &str = "localnet --model fake --seed 7 --localnet.block_time 0.2 --journal j.jsonl";

fn drains_on(signal: &str) {
    let place = Place::new();
    let mut net = place.start(&format!(
        "{ENDLESS} --localnet.miners echo,phrase --localnet.miner_delay 0.3 --summary s.json"
    ));
    net.until(&place.path("j.jsonl"), r#""event":"step""#);
    net.signal(signal);
    let ended = net.wait().expect(0);

    assert!(ended.out.contains("stopping after the conversations under way"), "{}", ended.out);
    assert!(ended.out.contains("miner    uid  weight"), "no summary is printed:\n{}", ended.out);
    let steps = place.json("s.json")["steps"].as_u64().unwrap();
    assert!(steps >= 1);
    let journal = place.lines("j.jsonl");
    let of = |event: &str| journal.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!(of("run_finished").len(), 1);
    assert_eq!(of("step").len() as u64, steps);
    let ends = of("conversation_ended");
    assert_eq!(ends.len(), of("task_made").len(), "a conversation was left under way");
    assert!(ends.iter().all(|end| end["reason"] == "completed"), "{ends:?}");
}

#[test]
fn ctrl_c_lets_the_conversations_under_way_end() {
    drains_on("INT");
}

#[test]
fn sigterm_lets_the_conversations_under_way_end() {
    drains_on("TERM");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let place = Place::new();
    let mut net = place.start(&format!(
        "{ENDLESS} --localnet.miners echo --localnet.miner_delay 3000 --neuron.timeout 3600"
    ));
    net.until(&place.path("j.jsonl"), r#""event":"challenged""#);
    net.signal("INT");
    net.until_printed("stopping after the conversations under way");
    net.signal("INT");
    net.wait().expect(130);
}
