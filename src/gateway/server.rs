//! The gateway's HTTP server: an address, bounds, and what answers at which path.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::{App, HttpServer, Route, web};
use reqwest::Url;
use sn1_actors::text::shown::shown;

use super::error::ApiError;
use super::users::{self, Gateway};
use super::{GatewayParts, reply};
use crate::connections::Connections;
use crate::running_server::{Bound, RunningServer};

/// How long a connection is kept for another request.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a request's head may take.
const HEAD_ARRIVAL: Duration = Duration::from_secs(5);
/// How long requests under way may take when the server stops.
const SHUTDOWN_SECS: u64 = 60;
/// How long a browser remembers what an origin may do.
const REMEMBER_SECS: usize = 3_600;

/// Why the gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another gateway.port")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// What should be the origin of web pages is none.
    #[error(
        "gateway.cors_origins: `{0}` is no origin; write it as https://HOST or https://HOST:PORT"
    )]
    Origin(String),
    /// The server cannot start, or failed while it ran.
    #[error("the gateway's HTTP server failed: {0}")]
    Run(#[from] std::io::Error),
}

/// The bounds of a gateway, and whose web pages may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayOptions {
    /// The most connections at a time; more wait to be accepted. Each has one request under way.
    pub max_connections: usize,
    /// The most connections of one address, or of one IPv6 network of 64 bits; the next one is
    /// closed at once. Behind a proxy all users have one address.
    pub max_connections_per_address: usize,
    /// How long a connection may be without a request under way, be it silent or not.
    pub max_quiet: Duration,
    /// The longest request body that is read, in bytes.
    pub max_body: usize,
    /// How long a stream may be silent: so long an error keeps its status, then the stream begins
    /// with a ping, and has one as often.
    pub silence: Duration,
    /// How long an answer may take.
    pub patience: Duration,
    /// Origins whose web pages may ask, each as `https://HOST:PORT`.
    pub cors_origins: Vec<String>,
}

impl Default for GatewayOptions {
    /// 1,024 connections, all of one address if need be, each 65 seconds without a request, bodies
    /// of up to 1 MiB, pings after 10 seconds, answers within 120, and no web page's origin.
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            max_connections_per_address: 1_024,
            max_quiet: KEEP_ALIVE + HEAD_ARRIVAL,
            max_body: 1 << 20,
            silence: Duration::from_secs(10),
            patience: Duration::from_secs(120),
            cors_origins: Vec::new(),
        }
    }
}

/// An address that is listened on, before anything is accepted.
#[derive(Debug)]
pub struct GatewayServer(Bound);

impl GatewayServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// [`GatewayError::Bind`] when the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, GatewayError> {
        Bound::to(address).map(Self).map_err(|source| GatewayError::Bind { address, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Starts to serve, with one thread of its own. Must be called within an actix `System`.
    ///
    /// # Errors
    /// [`GatewayError::Origin`] for what is no origin, [`GatewayError::Run`] when the server cannot
    /// start.
    pub fn run(
        self,
        parts: GatewayParts,
        options: GatewayOptions,
    ) -> Result<RunningServer, GatewayError> {
        let origins = options.cors_origins;
        if let Some(none) = origins.iter().find(|origin| !is_origin(origin)) {
            return Err(GatewayError::Origin(shown(none)));
        }
        let clock = Arc::clone(&parts.clock);
        let (most, quiet) = (options.max_connections_per_address, options.max_quiet);
        let connections = Connections::new(most, quiet, Arc::clone(&clock));
        let watched = connections.clone();
        let gateway = web::Data::new(Gateway {
            since: clock.unix().as_secs(),
            parts,
            max_body: options.max_body,
            silence: options.silence,
            patience: options.patience,
        });
        let app =
            move || App::new().app_data(gateway.clone()).configure(routes).wrap(cors(&origins));
        let server = HttpServer::new(app)
            .workers(1)
            .max_connections(options.max_connections)
            .on_connect(move |stream, kept| connections.admit(stream, kept))
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_ARRIVAL)
            .client_disconnect_timeout(Duration::from_secs(1))
            // A user who closes their side is gone, and so is the wait for them.
            .h1_allow_half_closed(false)
            .shutdown_timeout(SHUTDOWN_SECS)
            .disable_signals()
            .listen(self.0.listener)?
            .run();
        Ok(RunningServer::new(server, watched, clock, self.0.address))
    }
}

/// What answers at which path.
fn routes(app: &mut web::ServiceConfig) {
    let only = |path: &'static str, method: Method, allowed: &'static str, handler: Route| {
        let refuse = move || std::future::ready(ApiError::Method(allowed).reply());
        let handler = handler.method(method);
        web::resource(path).route(handler).default_service(web::to(refuse))
    };
    let get = |path, handler| only(path, Method::GET, "GET", handler);
    app.service(get("/health", web::to(users::health)))
        .service(get("/openapi.json", web::to(users::document)))
        .service(get("/v1/models", web::to(users::models)))
        .service(get("/v1/models/{name:.+}", web::to(users::model)))
        .service(only("/v1/chat/completions", Method::POST, "POST", web::to(users::chat)))
        .default_service(web::to(users::nothing_here));
}

/// What web pages may do: nothing, unless they are of one of these origins.
fn cors(origins: &[String]) -> Cors {
    let told = [
        "retry-after",
        reply::LIMIT_REQUESTS,
        reply::LEFT_REQUESTS,
        reply::RESET_REQUESTS,
        reply::LIMIT_TOKENS,
        reply::LEFT_TOKENS,
        reply::RESET_TOKENS,
    ];
    let none = Cors::default()
        .allowed_methods([Method::GET, Method::POST])
        .allow_any_header()
        .expose_headers(told)
        .max_age(REMEMBER_SECS);
    origins.iter().fold(none, |cors, origin| cors.allowed_origin(origin))
}

/// Whether a text is what browsers send as an origin.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == text)
}
