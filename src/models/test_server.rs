//! Tests only: a small HTTP server that answers as it is told (the remote engine's tests use it
//! too), and the folders and catalogues that the store's tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::{Catalogue, Digest, Environment, PullOptions, Store};

/// A request that the server got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What the server writes before it closes the connection.
pub(crate) enum Reply {
    /// These bytes.
    Raw(Vec<u8>),
    /// These, then the second again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These, then silence until the client goes away.
    Stall(Vec<u8>),
    /// One after the other.
    Script(Vec<Act>),
}

/// A part of what the server does.
pub(crate) enum Act {
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Does nothing for a while.
    Pause(Duration),
    /// Does nothing until the gate is opened or the client goes away.
    Wait(Arc<Notify>),
}

/// A server on a port of its own; it ends when dropped, with all connections.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: watch::Sender<usize>,
    most: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Server {
    /// `answer` gets the request and how many came before it.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (open, most) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
        let answer = Arc::new(Mutex::new(answer));
        let mut task = JoinSet::new();
        let (log, count, peak) = (seen.clone(), open.clone(), most.clone());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let (log, count, peak) = (log.clone(), count.clone(), peak.clone());
                let answer = answer.clone();
                connections.spawn(async move {
                    let Some(request) = read(&mut connection).await else { return };
                    let _open = Open::new(count, &peak);
                    let reply = {
                        let mut log = log.lock();
                        log.push(request.clone());
                        answer.lock()(&request, log.len() - 1)
                    };
                    write(connection, reply).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { url, seen, open, most, _task: task }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// The most requests that were being answered at a time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Waits until so many requests are being answered; fails if that takes long.
    pub(crate) async fn until_open(&self, wanted: usize) {
        let mut open = self.open.subscribe();
        let wait = open.wait_for(|open| *open == wanted);
        let found = tokio::time::timeout(Duration::from_secs(10), wait).await;
        found.expect("the requests do not get to that number").unwrap();
    }
}

/// A request that is being answered.
struct Open(watch::Sender<usize>);

impl Open {
    fn new(open: watch::Sender<usize>, peak: &AtomicUsize) -> Self {
        open.send_modify(|open| {
            *open += 1;
            peak.fetch_max(*open, Ordering::SeqCst);
        });
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

async fn read(connection: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let mut seen = Seen { path, head, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body.resize(length, 0);
    connection.read_exact(&mut seen.body).await.ok()?;
    Some(seen)
}

async fn write(mut connection: TcpStream, reply: Reply) {
    // The client may go away at any time: that is what some tests are about.
    let _ = match reply {
        Reply::Raw(bytes) => connection.write_all(&bytes).await,
        Reply::Endless(head, body) => {
            let mut result = connection.write_all(&head).await;
            while result.is_ok() {
                result = connection.write_all(&body).await;
            }
            result
        }
        Reply::Stall(bytes) => {
            let _ = connection.write_all(&bytes).await;
            connection.read_u8().await.map(|_| ())
        }
        Reply::Script(acts) => {
            let mut result = Ok(());
            for act in acts {
                result = match act {
                    _ if result.is_err() => break,
                    Act::Send(bytes) => connection.write_all(&bytes).await,
                    Act::Pause(time) => {
                        tokio::time::sleep(time).await;
                        Ok(())
                    }
                    Act::Wait(gate) => tokio::select! {
                        () = gate.notified() => Ok(()),
                        gone = connection.read_u8() => gone.map(|_| ()),
                    },
                };
            }
            result
        }
    };
    let _ = connection.shutdown().await;
}

/// An answer without a body, or with one that is given as it should be sent.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The whole of `body`.
pub(super) fn whole(body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("Content-Length: {}\r\nETag: \"v1\"\r\n", body.len()), body)
}

/// What of `body` was asked for.
pub(super) fn ranged(request: &Seen, body: &[u8]) -> Vec<u8> {
    let Some(range) = request.header("range") else { return whole(body) };
    let start: usize =
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    let rest = &body[start..];
    let (last, total) = (body.len() - 1, body.len());
    let headers = format!(
        "Content-Length: {}\r\nContent-Range: bytes {start}-{last}/{total}\r\n",
        rest.len()
    );
    answer("206 Partial Content", &headers, rest)
}

/// More than two of the download's buffers.
pub(super) fn body() -> Vec<u8> {
    (0..2_500_000_u32).map(|i| (i % 251) as u8).collect()
}

pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// `[[models.files]]` for a file of these bytes.
pub(super) fn pinned(name: &str, bytes: &[u8]) -> String {
    format!("{{ name = '{name}', bytes = {}, sha256 = '{}' }}", bytes.len(), sha256(bytes))
}

pub(super) const HUB: &str = "{ from = 'hub', repository = 'org/repo', revision = 'main' }";

/// A catalogue with the model `m` (alias `em`) of these files and sources.
pub(super) fn catalogue(files: &[String], sources: &[&str]) -> Catalogue {
    let (files, sources) = (files.join(", "), sources.join(", "));
    Catalogue::from_toml(&format!(
        "[[models]]\nname = 'm'\naliases = ['em']\nkind = 'text'\nlicence = 'MIT'\n\
         files = [{files}]\nsources = [{sources}]\n"
    ))
    .unwrap()
}

/// A folder for one test, with a cache in it.
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path beside the cache.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the folder of the model `m`.
    pub(super) fn in_cache(&self, name: &str) -> PathBuf {
        self.folder.path().join("cache/m").join(name)
    }

    /// Writes a file and the folders above it.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// An executable shell script. It is written by another process: were it open for writing here
    /// while some other test forks, it could not be run ("text file busy").
    pub(super) fn script(&self, name: &str, text: &str) -> PathBuf {
        let (draft, script) = (self.beside(&format!("{name}.draft")), self.beside(name));
        fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
        let copied =
            std::process::Command::new("install").arg("-m755").arg(&draft).arg(&script).status();
        assert!(copied.unwrap().success());
        script
    }

    /// An environment that reaches nothing outside of this place.
    pub(super) fn environment(&self) -> Environment {
        Environment {
            hf_home: Some(self.beside("hf")),
            hf_endpoint: Some("http://127.0.0.1:1".into()),
            python: self.beside("no-python"),
            df: self.beside("no-df"),
            ..Environment::default()
        }
    }

    pub(super) fn store(&self, catalogue: Catalogue, environment: Environment) -> Store {
        Store::open(self.beside("cache"), catalogue, environment)
    }

    /// A store whose hub is `server`.
    pub(super) fn store_at(&self, server: &Server, files: &[String]) -> Store {
        let environment =
            Environment { hf_endpoint: Some(server.url.clone()), ..self.environment() };
        self.store(catalogue(files, &[HUB]), environment)
    }

    /// The names in the model's folder, without the lock.
    pub(super) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.in_cache("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }
}

/// Three attempts without a wait.
pub(super) fn quick() -> PullOptions {
    PullOptions { attempts: 3, backoff: Duration::ZERO, ..PullOptions::default() }
}
