//! One request, from its head to its reply.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;

use super::body::{self, BodyFault, Parsed};
use super::class::{Class, Route};

use super::head::Head;
use super::reply::{self, Replier};
use super::streaming::{self, Answering};
use super::{AxonDoor, AxonKnock, Refusal, Seat};
use crate::connections::{Busy, Place};
use crate::wire::body_hash;
use crate::wire::synapse::Prompting;

/// The most bytes of headers, of one request. The SDK's have some 1,500.
const MAX_HEADERS: usize = 8 << 10;

/// What the server's thread holds.
pub(super) struct Axon {
    pub(super) replier: Replier,
    pub(super) clock: Arc<dyn Clock>,
    /// The longest request body that is read, in bytes.
    pub(super) max_body: usize,
    pub(super) door: AxonDoor,
}

pub(super) async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    axon: web::Data<Axon>,
) -> HttpResponse {
    let started = axon.clock.now();
    let busy = request.conn_data::<Place>().map(Place::busy);
    match axon.enter(&request, started).await {
        Ok((head, seat)) => {
            let caller = Caller { head: &head, seat, busy, started };
            axon.serve(&request, payload, caller).await
        }
        // What is still coming of the body is the HTTP library's matter: it reads on for a second,
        // so that the caller sees the reply and not a reset.
        Err(response) => response,
    }
}

/// Somebody who was let in.
struct Caller<'a> {
    head: &'a Head,
    seat: Seat,
    /// Kept until the reply has ended; a stream goes on after the handler.
    busy: Option<Busy>,
    started: Moment,
}

impl Axon {
    /// Everything that is decided without the body. The error is the reply.
    async fn enter(
        &self,
        request: &HttpRequest,
        started: Moment,
    ) -> Result<(Head, Seat), HttpResponse> {
        if size_of(request.headers()) > MAX_HEADERS {
            return Err(reply::detail(431, "Request Header Fields Too Large"));
        }
        let class = match Route::of(request.path()) {
            Route::To(class) => class,
            Route::TooDeep => return Err(reply::detail(404, "Not Found")),
            Route::Unknown(name) => return Err(self.replier.unknown(&name, started)),
        };
        if !matches!(*request.method(), Method::POST | Method::GET) {
            return Err(reply::detail(405, "Method Not Allowed"));
        }
        // A few bytes of gzip can stand for gigabytes.
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(reply::detail(415, "Unsupported Media Type"));
        }
        let peer = request.peer_addr();
        let head = peer.and_then(|peer| Head::parse(class, request.headers(), peer));
        let head = head.ok_or_else(|| self.replier.unreadable(started))?;
        let knock = AxonKnock { head: head.signed.clone(), ping: class == Class::Ping };
        match self.in_time(&head, started, (self.door)(knock)).await {
            Ok(seat) => Ok((head, seat)),
            Err(refusal) => Err(self.replier.refused(&head, &refusal, started)),
        }
    }

    /// Reads what a caller that was let in asks, and has it answered.
    async fn serve(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
        caller: Caller<'_>,
    ) -> HttpResponse {
        let Caller { head, started, .. } = caller;
        let outcome = match body::read(request, payload, head.class, self.max_body).await {
            Ok(Parsed::Ping(ping)) => {
                let signed = head.is_signed_for(&body_hash::of_nothing());
                signed.map(|()| self.replier.pong(*ping, started))
            }
            Ok(Parsed::Prompting(synapse)) => self.complete(caller, *synapse).await,
            Err(BodyFault::TooLong) => return reply::detail(413, "Request Entity Too Large"),
            Err(BodyFault::TooSlow) => return reply::detail(408, "Request Timeout"),
            Err(BodyFault::NotJson { at, error }) => return reply::not_json(at, &error),
            Err(BodyFault::Malformed(why)) => {
                tracing::debug!(why, "refused a malformed request");
                Err(Refusal::internal(why))
            }
        };
        outcome.unwrap_or_else(|refusal| self.replier.refused(head, &refusal, started))
    }

    async fn complete(
        &self,
        caller: Caller<'_>,
        synapse: Prompting,
    ) -> Result<HttpResponse, Refusal> {
        let Caller { head, seat, busy, started } = caller;
        let query = synapse.query().ok_or_else(|| Refusal::internal("nothing is asked"))?;
        head.is_signed_for(&body_hash::of_messages(&query.messages))?;
        if head.class != Class::StreamPrompting {
            let completion = self.in_time(head, started, seat(query, None)).await?;
            return Ok(self.replier.completed(synapse, completion, started));
        }
        let (sender, pieces) = streaming::channel();
        let answer = self.in_time(head, started, seat(query, Some(sender)));
        let mut answering = Answering::new(Box::pin(answer), pieces);
        // Until there is a text, there can still be a refusal.
        let first = answering.next().await.transpose()?;
        Ok(self.replier.streamed(synapse, answering.from(first, busy), started))
    }

    /// The caller is gone after its timeout; nobody would read the answer.
    fn in_time<T, F>(
        &self,
        head: &Head,
        started: Moment,
        answer: F,
    ) -> impl Future<Output = Result<T, Refusal>> + use<T, F>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let timeout = head.signed.timeout;
        let left = timeout.saturating_sub(self.clock.now().since(started));
        async move {
            let answered = tokio::time::timeout(left, answer).await;
            answered.unwrap_or_else(|_| Err(Refusal::timed_out(timeout)))
        }
    }
}

/// The bytes of a head, as they came.
fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
