use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// A TLS server with a certificate that nobody has signed but itself.
struct Stranger {
    process: Child,
    port: String,
    _folder: tempfile::TempDir,
}

impl Stranger {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-days", "2"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: there is no openssl that makes certificates");
            return None;
        }
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-key"])
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let accepts =
            lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned));
        let port = accepts.unwrap().rsplit(':').next().unwrap().to_owned();
        Some(Self { process, port, _folder: folder })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_an_error_and_no_panic() {
    // Another library of the program has a crypto provider of its own.
    drop(reqwest::Client::builder().build().unwrap());
    let Some(stranger) = Stranger::start() else { return };
    let url = format!("wss://localhost:{}", stranger.port);
    let failure = Session::open(&url, PATIENCE).await.err().unwrap();
    let Failure::Transport { cause, .. } = &failure else { panic!("{failure:?}") };
    assert!(cause.to_lowercase().contains("certificate"), "{cause}");
}

#[tokio::test]
async fn names_every_node_that_does_not_answer() {
    let urls = ["ws://127.0.0.1:1".to_owned(), "ws://127.0.0.1:2".to_owned()];
    let failure = Session::first(&urls, PATIENCE).await.err().unwrap().to_string();
    for url in &urls {
        assert!(failure.contains(url.as_str()), "{failure}");
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_is_late() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    let failure = Session::open(&url, Duration::from_millis(50)).await.err().unwrap();
    assert_eq!(failure, Failure::Late { what: "connecting" });
}

#[test]
fn what_a_node_writes_stays_in_its_line() {
    let hostile = format!("a\x1b[2J\nb{}", "x".repeat(1_000));
    let shown = shown(&hostile);
    assert_eq!(shown.chars().count(), LONGEST_CAUSE);
    assert!(shown.starts_with("a [2J bx"), "{shown}");
}
