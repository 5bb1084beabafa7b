//! One request of a user, from its head to its reply.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use sn1_actors::ports::in_time;
use sn1_actors::text::shown::shown;

use super::completion::Completion;
use super::error::ApiError;
use super::keys::Admission;
use super::reply::{self, Ticket};
use super::request::{ChatRequest, Streaming};
use super::sse::{self, Held, Source};
use super::{ALIAS, GatewayParts, openapi};
use crate::connections::{Busy, Place};

/// How long a body may take.
const ARRIVAL: Duration = Duration::from_secs(10);

/// What the server's thread holds.
pub(super) struct Gateway {
    pub(super) parts: GatewayParts,
    /// The longest request body that is read, in bytes.
    pub(super) max_body: usize,
    /// How long a stream may be silent.
    pub(super) silence: Duration,
    /// How long an answer may take.
    pub(super) patience: Duration,
    /// Seconds since the Unix epoch when it began to serve.
    pub(super) since: u64,
}

type Shared = web::Data<Gateway>;

pub(super) async fn health(request: HttpRequest) -> HttpResponse {
    let _busy = busy(&request);
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

pub(super) async fn document(request: HttpRequest) -> HttpResponse {
    let _busy = busy(&request);
    HttpResponse::Ok().content_type("application/json").body(openapi::DOCUMENT)
}

pub(super) async fn models(request: HttpRequest, gateway: Shared) -> HttpResponse {
    let _busy = busy(&request);
    let listed = gateway
        .admit(request.headers())
        .map(|admission| ok(&admission).json(reply::models(gateway.names(), gateway.since)));
    listed.unwrap_or_else(|error| error.reply())
}

pub(super) async fn model(
    request: HttpRequest,
    name: Result<web::Path<String>, actix_web::Error>,
    gateway: Shared,
) -> HttpResponse {
    let _busy = busy(&request);
    let found = gateway.admit(request.headers()).and_then(|admission| {
        let name = name.map_or_else(|_| String::new(), web::Path::into_inner);
        if !gateway.names().contains(&name.as_str()) {
            return Err(ApiError::Model(shown(&name)));
        }
        Ok(ok(&admission).json(reply::model(&name, gateway.since)))
    });
    found.unwrap_or_else(|error| error.reply())
}

pub(super) async fn chat(
    request: HttpRequest,
    payload: web::Payload,
    gateway: Shared,
) -> HttpResponse {
    let busy = busy(&request);
    // Whoever has no key has nothing read.
    let answered = match gateway.admit(request.headers()) {
        Ok(admission) => {
            gateway.into_inner().chat(&request, payload, Rc::new(admission), busy).await
        }
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| error.reply())
}

pub(super) async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let _busy = busy(&request);
    ApiError::Path.reply()
}

impl Gateway {
    /// The names of the model.
    fn names(&self) -> Vec<&str> {
        let own = self.parts.model.as_str();
        if own == ALIAS { vec![ALIAS] } else { vec![own, ALIAS] }
    }

    fn admit(&self, headers: &HeaderMap) -> Result<Admission, ApiError> {
        self.parts.keys.admit(key(headers)).map_err(ApiError::Key)
    }

    async fn chat(
        self: Arc<Self>,
        request: &HttpRequest,
        payload: web::Payload,
        admission: Rc<Admission>,
        busy: Option<Busy>,
    ) -> Result<HttpResponse, ApiError> {
        let body = self.read(request.headers(), payload).await?;
        let asked = ChatRequest::parse(&body, &self.names())?;
        drop(body);
        let ticket = Ticket {
            id: format!("chatcmpl-{}", self.parts.uuids.next().replace('-', "")),
            created: self.parts.clock.unix().as_secs(),
            model: self.parts.model.clone(),
        };
        let streaming = asked.stream;
        let completing = Arc::clone(&self).complete(asked, Rc::clone(&admission));
        match streaming {
            None => {
                let completion = completing.await?;
                Ok(ok(&admission).json(ticket.whole(&completion)))
            }
            Some(streaming) => {
                let completing = Box::pin(completing);
                self.stream(completing, ticket, streaming, (busy, admission)).await
            }
        }
    }

    /// Begins a stream, as late as possible: until then there can still be a status that says what
    /// is wrong.
    async fn stream(
        &self,
        mut completing: sse::Completing,
        ticket: Ticket,
        streaming: Streaming,
        held: Held,
    ) -> Result<HttpResponse, ApiError> {
        let (clock, every) = (Arc::clone(&self.parts.clock), self.silence);
        let source = match in_time(&*clock, every, &mut completing).await {
            Some(completion) => Source::There(completion?),
            None => Source::Waiting { completing, clock, every },
        };
        let mut reply = ok(&held.1);
        reply.content_type("text/event-stream; charset=utf-8");
        reply.insert_header((CACHE_CONTROL, "no-cache"));
        // Asks nginx to pass on each piece as it comes.
        reply.insert_header(("x-accel-buffering", "no"));
        Ok(reply.streaming(sse::stream(source, ticket, streaming, held)))
    }

    async fn read(&self, headers: &HeaderMap, payload: web::Payload) -> Result<Bytes, ApiError> {
        // A few bytes of gzip can stand for gigabytes.
        if headers.contains_key(CONTENT_ENCODING) || !is_json(headers) {
            return Err(ApiError::MediaType);
        }
        if declared_length(headers).is_some_and(|length| length > self.max_body as u64) {
            return Err(ApiError::TooLong(self.max_body));
        }
        let read = payload.to_bytes_limited(self.max_body);
        let read = in_time(&*self.parts.clock, ARRIVAL, read).await.ok_or(ApiError::TooSlow)?;
        let read = read.map_err(|_| ApiError::TooLong(self.max_body))?;
        read.map_err(|_| ApiError::body("the body broke off"))
    }

    /// Has a request answered, and its tokens charged.
    async fn complete(
        self: Arc<Self>,
        asked: ChatRequest,
        admission: Rc<Admission>,
    ) -> Result<Completion, ApiError> {
        let ChatRequest { query, ends, .. } = asked;
        let read = Arc::clone(&self.parts.reader.read);
        let (query, read) = compute(move || {
            let read = read(&query);
            (query, read)
        })
        .await?;
        let prompt_tokens = read.map_err(ApiError::Unreadable)? as u64;
        let mut bill = Bill { admission: &admission, tokens: prompt_tokens };
        let answering = (self.parts.door)(query);
        let answered = in_time(&*self.parts.clock, self.patience, answering).await;
        let answered = answered.map(|answer| answer.map_err(ApiError::Upstream));
        let answer = answered.unwrap_or(Err(ApiError::Late(self.patience)));
        let answer = answer.inspect_err(|_| bill.tokens = 0)?;
        let count = Arc::clone(&self.parts.reader.count);
        let completion =
            compute(move || Completion::new(answer.text, &ends, prompt_tokens, &count)).await?;
        bill.tokens += completion.tokens;
        Ok(completion)
    }
}

/// What a request costs its key, charged when it ends. A user who hangs up pays for having asked,
/// and one whom nobody answers pays nothing.
struct Bill<'a> {
    admission: &'a Admission,
    tokens: u64,
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        self.admission.spend(self.tokens);
    }
}

/// Counting the tokens of a long text takes a while, which the other users must not wait for.
async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    web::block(work).await.map_err(|_| ApiError::Fault)
}

fn ok(admission: &Admission) -> HttpResponseBuilder {
    let mut reply = HttpResponse::Ok();
    reply::tell_limits(&mut reply, &admission.limits());
    reply
}

/// Marks the connection as in use until it is dropped.
fn busy(request: &HttpRequest) -> Option<Busy> {
    request.conn_data::<Place>().map(Place::busy)
}

/// The key that was presented, in either of the two headers that clients use.
fn key(headers: &HeaderMap) -> Option<&str> {
    let bearer = || {
        let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    };
    let own = || headers.get("api-key")?.to_str().ok().map(str::trim);
    bearer().or_else(own).filter(|key| !key.is_empty())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
