//! The console as a browser, Prometheus and a supervisor see it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Ended, Place, Running, free_port};
use crate::miner::{self, ALICE};

/// What a test that waits for too long fails by.
const PATIENCE: Duration = Duration::from_secs(120);
/// Enough viewers to see what one leaves behind.
const VIEWERS: usize = 100;

/// A local network or a miner with a console; it runs until it is stopped.
struct Watched {
    place: Place,
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
        Self { place, run, port }
    }

    /// A miner of //Alice on no chain, and its axon's port.
    fn miner(flags: &str) -> (Self, u16) {
        let (place, port, axon) = (Place::new(), free_port(), free_port());
        let mut run = place.start(&format!(
            "miner --uri //Alice --axon.ip 127.0.0.1 --axon.port {axon} \
             --blacklist.allow_non_registered --console.listen 127.0.0.1:{port} {flags}"
        ));
        run.until_printed(&format!(
            "metrics http://127.0.0.1:{port}/metrics\nserving {ALICE} on 127.0.0.1:{axon}\n"
        ));
        (Self { place, run, port }, axon)
    }

    fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    fn ask(&self, method: &str, path: &str) -> (String, String) {
        ask(self.port, method, path)
    }

    /// A request to what the machine is called.
    fn ask_as(&self, host: &str, method: &str, path: &str) -> (String, String) {
        ask_as(host, self.port, method, path)
    }

    fn json(&self, path: &str) -> (bool, Value) {
        let (head, body) = self.ask("GET", path);
        (head.starts_with("HTTP/1.1 200"), serde_json::from_str(&body).unwrap())
    }

    /// A viewer that has read what was said to it until all the texts were in it.
    fn view(&self, texts: &[&str]) -> (TcpStream, String) {
        let mut stream = self.connect();
        write!(stream, "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
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
    ask_as(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string(), port, method, path)
}

/// A request to what the machine is called.
fn ask_as(host: &str, port: u16, method: &str, path: &str) -> (String, String) {
    let mut stream = connect(port);
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

/// A model server that is there for a miner's start, and then fails; it ends with the tests.
fn model_that_writes_nothing() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            let asks_for_models = head.next().is_some_and(|line| line.starts_with("GET"));
            head.find(String::is_empty);
            let models = r#"{"object":"list","data":[{"id":"gpt-4o-mini","object":"model"}]}"#;
            let (status, body) =
                if asks_for_models { ("200 OK", models) } else { ("500 Dead", "") };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n");
            // Whoever asked may be gone.
            let _ = write!(stream, "{head}connection: close\r\n\r\n{body}");
        }
    };
    std::thread::Builder::new().name("model".to_owned()).spawn(answer).unwrap();
    address
}

#[test]
fn shows_a_run_from_its_first_step_to_its_end() {
    let net = Watched::start("");
    assert_eq!(net.metric("sn1_registered"), Some(1.0));
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
    // A web page whose name suddenly means this machine gets nothing.
    let (head, body) = net.ask_as("evil.example", "GET", "/metrics");
    assert!(head.starts_with("HTTP/1.1 421") && !body.contains("sn1_"), "{head}");
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
fn a_miner_counts_whom_it_served_and_says_that_it_is_ready() {
    let (watched, axon) = Watched::miner("--miner.kind echo");
    let served = || watched.metric("sn1_served_total{status=\"200\"}");
    assert_eq!(served(), None);
    let (code, answer) = miner::ask(&watched.place, axon, ALICE);
    assert_eq!(code, Some(0), "{answer}");
    assert_eq!(served(), Some(1.0));
    let metric = |name: &str| watched.metric(name).unwrap();
    assert_eq!(metric("sn1_served_seconds_count"), 1.0);
    assert_eq!(metric("sn1_mailbox_messages_total{port=\"axon.Admit\"}"), 1.0);
    assert_eq!(metric("sn1_actor_up{actor=\"axon\"}"), 1.0);
    assert_eq!(metric("sn1_actor_restarts_total{actor=\"assistant\"}"), 0.0);
    assert!(metric("process_resident_memory_bytes") > 1e6 && metric("process_open_fds") > 3.0);

    let (live, said) = watched.json("/health/live");
    assert!(live, "{said}");
    let (ready, said) = watched.json("/health/ready");
    // It is on no chain, needs no model, and sets no weights.
    let checks = said["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!((ready, names), (true, vec!["axon"]), "{said}");
    let (_, metrics) = watched.ask("GET", "/metrics");
    for absent in ["sn1_weights", "sn1_chain", "sn1_registered", "sn1_model", "sn1_conversations_"]
    {
        let found = metrics.lines().find(|line| line.starts_with(absent) && !line.contains('#'));
        assert_eq!(found, None);
    }
    for path in ["/", "/events"] {
        let (head, body) = watched.ask("GET", path);
        assert!(head.starts_with("HTTP/1.1 404") && body.contains("has no page"), "{head}{body}");
    }
    watched.run.signal("TERM");
    watched.run.wait_as_a_supervisor().expect(0);
}

#[test]
fn a_miner_whose_model_writes_nothing_is_not_ready() {
    let model = model_that_writes_nothing();
    let (watched, axon) = Watched::miner(&format!(
        "--miner.kind openai --openai.base_url http://{model} --openai.key_env HOME"
    ));
    assert!(watched.json("/health/ready").0);
    for _ in 0..3 {
        let (code, answer) = miner::ask(&watched.place, axon, ALICE);
        assert_eq!((code, &answer["status_code"]), (Some(1), &500.into()), "{answer}");
    }
    let (ready, said) = watched.json("/health/ready");
    let failing = said["checks"].as_array().unwrap().iter().find(|check| check["ok"] == false);
    assert_eq!((ready, &failing.unwrap()["name"]), (false, &"model".into()), "{said}");
    watched.run.signal("TERM");
    watched.run.wait_as_a_supervisor().expect(0);
}

#[test]
fn a_run_without_a_console_listens_nowhere() {
    let place = Place::new();
    let line = "localnet --neuron.model_id fake --seed 7 --steps 1 --localnet.miners echo \
                --console.listen off";
    let mut run = place.start(line);
    run.until_printed("rewards by uid");
    // Its one miner's axon, and nothing else.
    assert_eq!(run.listens_at(), 1);
    let ended = run.wait().expect(0);
    assert!(!ended.out.contains("console"), "{}", ended.out);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
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
