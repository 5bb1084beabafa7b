//! The console as a browser, Prometheus and a supervisor see it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Ended, Place, Running, free_port};

/// What a test that waits for too long fails by.
const PATIENCE: Duration = Duration::from_secs(120);
/// Enough viewers to see what one leaves behind.
const VIEWERS: usize = 100;

/// A local network with a console; it runs until it is stopped.
struct Watched {
    _place: Place,
    run: Running,
    port: u16,
}

impl Watched {
    fn start(flags: &str) -> Self {
        let (place, port) = (Place::new(), free_port());
        let line = format!(
            "localnet --neuron.model_id fake --seed 7 --localnet.miners echo,phrase \
             --journal j.jsonl --console.listen 127.0.0.1:{port} {flags}"
        );
        let mut run = place.start(&line);
        run.until_printed(&format!("console http://127.0.0.1:{port}/"));
        Self { _place: place, run, port }
    }

    fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    fn ask(&self, method: &str, path: &str) -> (String, String) {
        ask(self.port, method, path)
    }

    fn json(&self, path: &str) -> (bool, Value) {
        let (head, body) = self.ask("GET", path);
        (head.starts_with("HTTP/1.1 200"), serde_json::from_str(&body).unwrap())
    }

    /// A viewer that has read what was said to it until all the texts were in it.
    fn view(&self, texts: &[&str]) -> (TcpStream, String) {
        let mut stream = self.connect();
        write!(stream, "GET /events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let said = read_until(&mut stream, texts);
        (stream, said)
    }

    fn metric(&self, name: &str) -> Option<f64> {
        metric(self.port, name)
    }

    fn stop(self) -> Ended {
        self.run.signal("INT");
        self.run.wait()
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request to a console, and the reply's head and body.
fn ask(port: u16, method: &str, path: &str) -> (String, String) {
    let mut stream = connect(port);
    let host = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a metric by the console at a port.
pub(crate) fn metric(port: u16, name: &str) -> Option<f64> {
    let (_, text) = ask(port, "GET", "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

fn read_until(stream: &mut TcpStream, texts: &[&str]) -> String {
    let (mut said, mut bytes) = (Vec::new(), [0; 1 << 16]);
    loop {
        let more = stream.read(&mut bytes).unwrap();
        assert!(more > 0, "the stream ended before {texts:?}");
        said.extend_from_slice(&bytes[..more]);
        let so_far = String::from_utf8_lossy(&said);
        if texts.iter().all(|text| so_far.contains(text)) {
            return so_far.into_owned();
        }
    }
}

/// The data of the last message of a kind.
fn last(said: &str, kind: &str) -> Value {
    let (_, after) = said.rsplit_once(&format!("event: {kind}\ndata: ")).unwrap();
    serde_json::from_str(after.lines().next().unwrap()).unwrap()
}

#[test]
fn shows_a_run_from_its_first_step_to_its_end() {
    let net = Watched::start("");
    let step = "\"event\":\"step\"";
    let (mut early, said) = net.view(&["event: state", "event: history", step, "averages_moved"]);
    let state = last(&said, "state");
    assert_eq!((&state["role"], &state["miners"][0]["kind"]), (&"localnet".into(), &"echo".into()));
    assert_eq!(state["actors"].as_array().unwrap().len(), 12);
    assert!(
        state["ports"].as_array().unwrap().iter().any(|port| port["port"] == "dendrite.Challenge")
    );
    // Who comes later is told what was.
    let (_late, said) = net.view(&[step]);
    let history = last(&said, "history");
    assert!(!history["scores"].as_array().unwrap().is_empty());

    net.run.signal("INT");
    let mut rest = String::new();
    early.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("event: bye"), "{}", &rest[rest.len().saturating_sub(500)..]);
    net.run.wait().expect(0);
}

#[test]
fn only_shows_and_only_its_own() {
    let net = Watched::start("");
    let (head, page) = net.ask("GET", "/");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none';"), "{head}");
    assert!(page.contains("<title>"), "{page}");
    let status = |method, path| net.ask(method, path).0.lines().next().unwrap().to_owned();
    assert!(status("POST", "/metrics").contains("405"));
    assert!(status("DELETE", "/").contains("405"));
    assert!(status("GET", "/nothing").contains("404"));
    assert!(status("GET", "/../Cargo.toml").contains("404"));
    net.stop().expect(0);
}

#[test]
fn viewers_who_leave_cost_nothing() {
    let net = Watched::start("");
    net.view(&["event: state"]);
    let open = || net.metric("process_open_fds").unwrap();
    let before = open();
    for _ in 0..VIEWERS {
        drop(net.view(&["event: state"]));
    }
    // Each is noticed with the next message, a second later at most.
    let (mut viewer, _) = net.view(&["event: state"]);
    let mut left = open();
    for _ in 0..30 {
        if left < before + 10.0 {
            break;
        }
        read_until(&mut viewer, &["event: state"]);
        left = open();
    }
    assert!(left < before + 10.0, "{before} before, {left} after {VIEWERS} viewers");
    net.stop().expect(0);
}

#[test]
fn viewers_who_read_nothing_hold_nobody_up() {
    let net = Watched::start("--localnet.block_time 0.2");
    let stuck: Vec<TcpStream> = (0..VIEWERS / 5)
        .map(|_| {
            let mut stream = net.connect();
            write!(stream, "GET /events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let steps = || net.metric("sn1_steps_total{asker=\"validator\"}").unwrap_or_default();
    let (mut viewer, _) = net.view(&["event: state"]);
    let enough = steps() + 100.0;
    while steps() < enough {
        read_until(&mut viewer, &["event: state", "\"event\":\"step\""]);
    }
    // Those who come later are served, and a run ends although nobody has read that it does.
    net.view(&["event: state"]);
    net.run.signal("TERM");
    net.run.wait_as_a_supervisor().expect(0);
    drop(stuck);
}

#[test]
fn says_what_makes_it_unready() {
    let net = Watched::start(
        "--localnet.outage 3600 --localnet.outage_every 6 --health.max_head_age 2 \
         --localnet.crash_every 1",
    );
    let (mut viewer, _) = net.view(&["event: state"]);
    loop {
        let (ready, said) = net.json("/health/ready");
        assert_eq!(said["ready"], ready);
        if !ready {
            let checks = said["checks"].as_array().unwrap();
            let failing = checks.iter().find(|check| check["ok"] == false).unwrap();
            if failing["name"] == "blocks" {
                break;
            }
        }
        read_until(&mut viewer, &["event: state"]);
    }
    let (live, said) = net.json("/health/live");
    assert!(live, "{said}");
    let (_, metrics) = net.ask("GET", "/metrics");
    assert!(metrics.ends_with("# EOF\n"));
    assert!(metrics.contains("sn1_check_ok{check=\"blocks\"} 0"), "{metrics}");
}

#[test]
fn a_run_without_a_console_listens_nowhere() {
    let place = Place::new();
    let line = "localnet --neuron.model_id fake --seed 7 --steps 1 --localnet.miners echo \
                --console.listen off";
    let ended = place.run(line).expect(0);
    assert!(!ended.out.contains("console"), "{}", ended.out);
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place
        .run(&format!("localnet --neuron.model_id fake --steps 1 --console.listen {address}"))
        .refused(3, &[&address, "console.listen"]);
    let ended = place.run("localnet --console.listen 9090").expect(2);
    assert!(
        ended.err.contains("`console.listen` must be an address as 127.0.0.1:9090"),
        "{}",
        ended.err
    );
}
