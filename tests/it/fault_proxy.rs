//! Stands between a client and a server and lets some requests go wrong, for what a real server
//! cannot be made to do.

#![expect(clippy::panic, reason = "a server that cannot be reached fails its test")]

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What becomes of a request.
pub(crate) enum Fate {
    /// The server answers.
    Passed,
    /// The server answers, with the first text in the path replaced by the second.
    PassedWith(&'static str, &'static str),
    /// The server answers, and the second half of that is lost.
    Cut,
    /// The connection stays open and silent.
    Silent,
    /// Bytes without an end.
    Endless,
    /// A status with these headers, and this body.
    Answered(&'static str, String, &'static str),
}

/// Who answers what is passed.
#[derive(Clone)]
pub(crate) enum Upstream {
    /// The server at an address without a path.
    Server(String),
    /// JSON by the path with its query.
    Canned(fn(&str) -> String),
}

/// A proxy on a port of its own; it ends when dropped.
pub(crate) struct FaultProxy {
    pub(crate) url: String,
    paths: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl FaultProxy {
    /// `fate` gets the number of requests before this one.
    pub(crate) async fn start(
        upstream: Upstream,
        fate: impl Fn(usize) -> Fate + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let paths = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        let seen = Arc::clone(&paths);
        let fate = Arc::new(Mutex::new(fate));
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let (seen, fate) = (Arc::clone(&seen), Arc::clone(&fate));
                let upstream = upstream.clone();
                connections.spawn(async move {
                    let Some(request) = Request::read(&mut connection).await else { return };
                    let fate = {
                        let mut seen = seen.lock();
                        seen.push(request.path.clone());
                        fate.lock()(seen.len() - 1)
                    };
                    serve(connection, request, fate, upstream).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { url, paths, _task: task }
    }

    /// The paths, with their queries, of all requests so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.paths.lock().clone()
    }
}

struct Request {
    path: String,
    accepts: String,
}

impl Request {
    async fn read(connection: &mut TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let accepts =
            head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
                name.eq_ignore_ascii_case("accept-encoding").then(|| value.to_owned())
            });
        let path = head.split(' ').nth(1)?.to_owned();
        Some(Self { path, accepts: accepts.unwrap_or_default() })
    }
}

async fn serve(mut connection: TcpStream, request: Request, fate: Fate, upstream: Upstream) {
    let answer = match fate {
        Fate::Passed => passed(&request.path, &request.accepts, upstream).await,
        Fate::PassedWith(from, to) => {
            passed(&request.path.replace(from, to), &request.accepts, upstream).await
        }
        Fate::Cut => {
            let whole = passed(&request.path, &request.accepts, upstream).await;
            whole[..whole.len() / 2].to_vec()
        }
        Fate::Silent => {
            // Until the client goes away.
            let _ = connection.read_u8().await;
            return;
        }
        Fate::Endless => {
            let head = head("200 OK", "Content-Type: application/json\r\n");
            let mut written = connection.write_all(head.as_bytes()).await;
            while written.is_ok() {
                written = connection.write_all(&[b' '; 65_536]).await;
            }
            return;
        }
        Fate::Answered(status, headers, body) => {
            let headers = format!("{headers}Content-Length: {}\r\n", body.len());
            [head(status, &headers).as_bytes(), body.as_bytes()].concat()
        }
    };
    // The client may go away at any time.
    let _ = connection.write_all(&answer).await;
    let _ = connection.shutdown().await;
}

/// What the server says, compressed as it came.
async fn passed(path: &str, accepts: &str, upstream: Upstream) -> Vec<u8> {
    let server = match upstream {
        Upstream::Canned(answer) => {
            let body = answer(path);
            let headers = format!("Content-Length: {}\r\n", body.len());
            return [head("200 OK", &headers).as_bytes(), body.as_bytes()].concat();
        }
        Upstream::Server(server) => server,
    };
    let client = reqwest::Client::builder().no_gzip().no_deflate().no_proxy();
    let get = client.timeout(Duration::from_secs(60)).build().unwrap().get(server + path);
    let reply = match get.header("accept-encoding", accepts).send().await {
        Ok(reply) => reply,
        Err(error) => panic!("the server behind the proxy is gone: {error}"),
    };
    let mut headers = String::new();
    for name in ["content-type", "content-encoding"] {
        if let Some(value) = reply.headers().get(name) {
            headers += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
    }
    let status = reply.status().to_string();
    let body = reply.bytes().await.unwrap();
    headers += &format!("Content-Length: {}\r\n", body.len());
    [head(&status, &headers).as_bytes(), &body].concat()
}

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n")
}
