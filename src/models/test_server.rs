//! Tests only: a small HTTP server that answers as it is told, and the folders and catalogues that
//! the store's tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Catalogue, Digest, Environment, PullOptions, Store};

/// A request that the server got.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    head: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What the server writes before it closes the connection.
pub(super) enum Reply {
    /// These bytes.
    Raw(Vec<u8>),
    /// These, then the second again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// These, then silence until the client goes away.
    Stall(Vec<u8>),
}

/// A server on a port of its own; it ends when dropped. One connection at a time.
pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _task: JoinSet<()>,
}

impl Server {
    /// `answer` gets the request and how many came before it.
    pub(super) async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                if let Some(request) = read(&mut connection).await {
                    let before = log.lock().len();
                    log.lock().push(request.clone());
                    write(connection, answer(&request, before)).await;
                }
            }
        });
        Self { url, seen, _task: task }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }
}

async fn read(connection: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    Some(Seen { path, head })
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
    };
    let _ = connection.shutdown().await;
}

/// An answer without a body, or with one that is given as it should be sent.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
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
