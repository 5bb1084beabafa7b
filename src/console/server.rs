//! The console's HTTP server.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, guard, web};
use futures_util::{Stream, StreamExt, stream};
use include_dir::{Dir, include_dir};
use serde_json::json;
use sn1_actors::ports::Clock;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::feed::{Feed, Frame};
use super::vitals::Vitals;
use super::{health, scrape, state};
use crate::connections::{Busy, Connections, Place};
use crate::running_server::{Bound, RunningServer};

/// How long a connection is kept for another request.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a request's head may take.
const HEAD_ARRIVAL: Duration = Duration::from_secs(5);
/// The most viewers and scrapers at a time.
const MOST: usize = 256;
/// How long streams may take to end when the server stops.
const SHUTDOWN_SECS: u64 = 1;
/// How often a viewer is told the state.
const TELL: Duration = Duration::from_secs(1);
/// The main thread beats every second; so long without a beat it hangs.
const STILL: Duration = Duration::from_secs(30);
/// Nothing but our own page's own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a miner says where a validator has its page.
const NO_PAGE: &str = "a miner has no page: here are /metrics, /health/live and /health/ready; `sn1 miner report` shows \
     who asked it";

/// The page's files.
static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/console/page");

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another console.listen")]
pub struct BindError {
    /// Where.
    address: SocketAddr,
    /// Why not.
    source: std::io::Error,
}

/// An address that is listened on, before anything is answered.
#[derive(Debug)]
pub struct ConsoleServer(Bound);

/// What the server tells of: nothing yet while the program starts, which may take minutes.
pub type Subject = Arc<OnceLock<Arc<Vitals>>>;

/// What the server tells. Without a feed there is no page.
struct Console {
    subject: Subject,
    clock: Arc<dyn Clock>,
    feed: Option<Feed>,
    /// When the program began, in seconds since the Unix epoch.
    started: f64,
}

impl ConsoleServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        Bound::to(address).map(Self).map_err(|source| BindError { address, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Starts to serve, with one thread of its own: with a feed the page too, which is a validator's.
    /// Must be called within an actix `System`.
    ///
    /// # Errors
    /// When the server cannot start.
    pub fn run(
        self,
        subject: Subject,
        feed: Option<Feed>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<RunningServer> {
        // A stream is under way as long as somebody looks, and is not quiet.
        let quiet = KEEP_ALIVE + HEAD_ARRIVAL;
        let connections = Connections::new(MOST, quiet, Arc::clone(&clock));
        let watched = connections.clone();
        let routes = if feed.is_some() { with_page } else { without_page };
        let started = clock.unix().saturating_sub(clock.now().0).as_secs_f64();
        let console = web::Data::new(Console { subject, clock: Arc::clone(&clock), feed, started });
        let local = self.0.address.ip().is_loopback();
        let app = move || {
            let guarded = web::scope("").guard(guard::fn_guard(move |request| {
                !local || request.head().headers().get(header::HOST).is_none_or(is_local)
            }));
            App::new()
                .app_data(console.clone())
                .wrap(headers())
                .service(guarded.configure(routes))
                .default_service(web::to(elsewhere))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(MOST)
            .on_connect(move |stream, kept| connections.admit(stream, kept))
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_ARRIVAL)
            .client_disconnect_timeout(Duration::from_secs(1))
            .h1_allow_half_closed(false)
            .shutdown_timeout(SHUTDOWN_SECS)
            .disable_signals()
            .listen(self.0.listener)?
            .run();
        Ok(RunningServer::new(server, watched, clock, self.0.address))
    }
}

fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CACHE_CONTROL, "no-store"))
}

fn with_page(app: &mut web::ServiceConfig) {
    for file in PAGE.files() {
        let Some((path, kind)) = file.path().to_str().and_then(served_as) else { continue };
        let content = file.contents();
        let file = move || async move { HttpResponse::Ok().content_type(kind).body(content) };
        app.service(only_get(&path, web::to(file)));
    }
    app.service(only_get("/events", web::to(events)));
    figures(app);
    app.default_service(web::to(|| async { plain(StatusCode::NOT_FOUND, "nothing here") }));
}

fn without_page(app: &mut web::ServiceConfig) {
    figures(app);
    app.default_service(web::to(|| async { plain(StatusCode::NOT_FOUND, NO_PAGE) }));
}

fn figures(app: &mut web::ServiceConfig) {
    app.service(only_get("/metrics", web::to(metrics)))
        .service(only_get("/health/live", web::to(live)))
        .service(only_get("/health/ready", web::to(ready)));
}

/// Where a file of the page is served, and as what; nothing for what is no part of it.
fn served_as(name: &str) -> Option<(String, &'static str)> {
    if name == "index.html" {
        return Some(("/".to_owned(), "text/html; charset=utf-8"));
    }
    let kind = match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => return None,
    };
    Some((format!("/{name}"), kind))
}

fn only_get(path: &str, handler: actix_web::Route) -> actix_web::Resource {
    let refused = || async {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "the console only shows");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        response
    };
    web::resource(path).route(handler.method(Method::GET)).default_service(web::to(refused))
}

/// Whether a host is this machine by a name that nobody else can give to an address: a web page of
/// somebody else's, whose own name suddenly means this machine, must not read the console.
fn is_local(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok()
}

async fn elsewhere() -> HttpResponse {
    plain(StatusCode::MISDIRECTED_REQUEST, "the console is at an IP address or at localhost")
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(text)
}

async fn metrics(console: web::Data<Console>) -> HttpResponse {
    let scraped = match console.subject.get() {
        Some(vitals) => scrape::scrape(vitals, console.started),
        None => scrape::starting(console.started),
    };
    match scraped {
        Ok(text) => HttpResponse::Ok().content_type(scrape::CONTENT_TYPE).body(text),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written"),
    }
}

/// Whether it is alive: what runs the actors still beats.
async fn live(console: web::Data<Console>) -> HttpResponse {
    let Some(vitals) = console.subject.get() else {
        return HttpResponse::Ok().json(json!({"live": true, "starting": true}));
    };
    let still = vitals.snapshot().still;
    let live = still < STILL;
    let status = if live { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let said = json!({"live": live, "last_beat_s": still.as_secs_f64()});
    HttpResponse::build(status).json(said)
}

async fn ready(console: web::Data<Console>) -> HttpResponse {
    let Some(vitals) = console.subject.get() else {
        return HttpResponse::ServiceUnavailable().json(json!({"ready": false, "starting": true}));
    };
    let checks = vitals.snapshot().checks;
    let ready = health::ready(&checks);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(json!({"ready": ready, "checks": checks}))
}

async fn events(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    let Some(feed) = &console.feed else { return plain(StatusCode::NOT_FOUND, NO_PAGE) };
    let Some(vitals) = console.subject.get() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the program is starting");
    };
    let busy = request.conn_data::<Place>().map(Place::busy);
    let told = told(Arc::clone(vitals), Arc::clone(&console.clock), feed, busy);
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/event-stream")).streaming(told)
}

/// What a viewer is told: the state, what was, and then what comes.
fn told(
    vitals: Arc<Vitals>,
    clock: Arc<dyn Clock>,
    feed: &Feed,
    busy: Option<Busy>,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + use<> {
    let (kept, live) = feed.join();
    let (scores, weights) = vitals
        .tap()
        .board()
        .read(|standing| (standing.score_history.clone(), standing.weight_history.clone()));
    let history = json!({"scores": scores, "weights": weights});
    let first = [
        Bytes::from_static(b"retry: 1000\n\n"),
        message("state", &state::state(&vitals).to_string()),
        message("history", &history.to_string()),
    ];
    // Each is written when it is its turn: all of them are megabytes.
    let kept = stream::iter(kept).map(|kept| frame(&kept));
    let viewer = Viewer { vitals, clock, live, missed: 0, next: None, over: false, _busy: busy };
    let then = stream::unfold(viewer, |mut viewer| async move {
        let said = viewer.next().await?;
        Some((said, viewer))
    });
    stream::iter(first).chain(kept).chain(then).map(Ok)
}

struct Viewer {
    vitals: Arc<Vitals>,
    clock: Arc<dyn Clock>,
    live: broadcast::Receiver<Frame>,
    missed: u64,
    next: Option<futures_util::future::BoxFuture<'static, ()>>,
    over: bool,
    /// A stream is no quiet connection.
    _busy: Option<Busy>,
}

impl Viewer {
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        let Self { live, next, clock, .. } = self;
        let due = next.get_or_insert_with(|| clock.sleep(TELL));
        tokio::select! {
            () = due => {
                self.next = None;
                Some(message("state", &state::state(&self.vitals).to_string()))
            }
            frame_or_lag = live.recv() => match frame_or_lag {
                Ok(seen) => {
                    self.over = matches!(seen, Frame::Bye(_));
                    Some(frame(&seen))
                }
                Err(RecvError::Lagged(missed)) => {
                    self.missed += missed;
                    self.vitals.tap().miss(missed);
                    Some(message("missed", &json!({"missed": self.missed}).to_string()))
                }
                Err(RecvError::Closed) => None,
            },
        }
    }
}

fn frame(frame: &Frame) -> Bytes {
    match frame {
        Frame::Journal { id, data } => {
            Bytes::from(format!("id: {id}\nevent: journal\ndata: {data}\n\n"))
        }
        Frame::Bye(why) => message("bye", &json!({"reason": why}).to_string()),
    }
}

/// JSON has no line breaks of its own.
fn message(event: &str, data: &str) -> Bytes {
    Bytes::from(format!("event: {event}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_give_away_are_this_machine() {
        for (host, local) in [
            ("127.0.0.1:9090", true),
            ("localhost:9090", true),
            ("localhost", true),
            ("[::1]:9090", true),
            ("10.0.0.7", true),
            ("evil.example:9090", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:9090", false),
            ("", false),
        ] {
            assert_eq!(is_local(&HeaderValue::from_static(host)), local, "{host}");
        }
    }
}
