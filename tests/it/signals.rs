//! Ctrl-C and SIGTERM: the first drains, SIGTERM for a bounded time; the second ends at once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc;
use std::time::Duration;

use crate::harness::Place;
use crate::miner::{ALICE, JOURNAL, miner};

/// Nothing that is waited for here takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
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

#[test]
fn sigterm_in_the_middle_of_a_step_ends_in_time_and_keeps_what_was_scored() {
    let place = Place::new();
    // Of two miners one is asked in a step: one answers at once, and the other one not today.
    let mut net = place.start(&format!(
        "{ENDLESS} --localnet.miners echo,mock --miner.mock_delay 3000 --neuron.sample_size 1 \
         --neuron.timeout 3600 --neuron.num_concurrent_forwards 2"
    ));
    let events =
        |journal: &str, event: &str| journal.matches(&format!(r#""event":"{event}""#)).count();
    net.until_so(&place.path("j.jsonl"), "a step that is scored and two under way", |journal| {
        let scored = events(journal, "step");
        scored > 0 && events(journal, "challenged") >= scored + 2
    });
    net.signal("TERM");
    let ended = net.wait_as_a_supervisor().expect(0);

    assert!(ended.err.contains("are broken off"), "{}", ended.err);
    let journal = place.lines("j.jsonl");
    let of = |event: &str| journal.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let ends = of("conversation_ended");
    assert_eq!(ends.len(), of("task_made").len(), "a conversation has no end");
    assert!(ends.iter().any(|end| end["reason"] == "dropped"), "{ends:?}");
    let last = journal.last().unwrap();
    assert_eq!(
        (&last["event"], &last["steps"]),
        (&"run_finished".into(), &of("step").len().into())
    );
    let book = ended.out.lines().find_map(|line| line.strip_prefix("scores  ")).unwrap();
    let book = place.run_with("state show --json --book", &[book]).json();
    assert_eq!(book["steps"], of("step").len());
    assert!(!book["scores"].as_object().unwrap().is_empty(), "{book}");
}

#[test]
fn sigterm_in_a_run_of_crashes_and_outages_ends_in_time_and_keeps_what_was_scored() {
    let place = Place::new();
    let mut net = place.start(&format!(
        "{ENDLESS} --localnet.miners echo,phrase --localnet.crash_every 1 --localnet.outage 2 \
         --localnet.outage_every 3 --neuron.num_concurrent_forwards 4"
    ));
    net.until_so(&place.path("j.jsonl"), "crashes and steps", |journal| {
        let count = |event: &str| journal.matches(&format!(r#""event":"{event}""#)).count();
        count("actor_crashed") >= 3 && count("averages_moved") >= 10
    });
    net.signal("TERM");
    let ended = net.wait_as_a_supervisor().expect(0);

    let journal = place.lines("j.jsonl");
    let of = |event: &str| journal.iter().filter(|line| line["event"] == event).count();
    assert_eq!(journal.last().unwrap()["event"], "run_finished");
    // One that was lost before its task was made has an end too.
    let ids = |event: &str| {
        let of_event = journal.iter().filter(|line| line["event"] == event);
        of_event.map(|line| line["conversation"].as_u64().unwrap()).collect::<BTreeSet<_>>()
    };
    assert!(ids("task_made").is_subset(&ids("conversation_ended")), "a conversation has no end");
    assert_eq!(ids("conversation_ended").len(), of("conversation_ended"), "one ended twice");
    let book = ended.out.lines().find_map(|line| line.strip_prefix("scores  ")).unwrap();
    let book = place.run_with("state show --json --book", &[book]).json();
    assert_eq!(book["steps"], of("averages_moved"));
    assert!(of("step") - of("averages_moved") <= of("actor_crashed"), "steps were lost");
}

/// A model server that never comes to an answer; says on the channel when it is asked for one.
fn endless_model() -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (address, (asked, told)) = (listener.local_addr().unwrap(), mpsc::channel());
    let serve = move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            if line.contains("/v1/models") {
                let models = r#"{"object":"list","data":[{"id":"gpt-4o-mini","object":"model"}]}"#;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{models}", models.len())
                    .unwrap();
            } else {
                let _ = asked.send(());
                kept.push(stream);
            }
        }
    };
    std::thread::Builder::new().spawn(serve).unwrap();
    (address, told)
}

#[test]
fn sigterm_while_a_miner_answers_ends_in_time_and_the_journal_has_the_request() {
    let place = Place::new().with("OPENAI_API_KEY", "sk-none");
    let (model, asked) = endless_model();
    let flags = format!("--miner.kind openai --openai.base_url http://{model}");
    let (miner, port) = miner(&place, &flags);
    let ask = format!("query --axon 127.0.0.1:{port} --axon.hotkey {ALICE} --uri //Bob");
    let asking = place.start_with(&format!("{ask} --timeout 600"), &["--message", "Why?"]);
    asked.recv_timeout(PATIENCE).unwrap();
    miner.signal("TERM");
    miner.wait_as_a_supervisor().expect(0);
    asking.wait().expect(1);
    let journal = place.lines(JOURNAL);
    let served: Vec<_> = journal.iter().filter(|line| line["event"] == "served").collect();
    assert_eq!((served.len(), &served[0]["status"]), (1, &408.into()), "{journal:?}");
}

#[test]
fn systemd_is_told_when_it_is_ready_alive_and_stopping() {
    let socket = tempfile::tempdir().unwrap();
    let path = socket.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let place = Place::new().with("NOTIFY_SOCKET", &path).with("WATCHDOG_USEC", "200000");
    let net = place.start(&format!("{ENDLESS} --localnet.miners echo"));
    let told = || {
        let mut text = [0; 64];
        let length = systemd.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    assert_eq!((told(), told()), ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
    net.signal("TERM");
    let last = std::iter::repeat_with(told).find(|told| told != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    net.wait().expect(0);
}
