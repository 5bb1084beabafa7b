//! Writing replies as the SDK's axon of 10.5.0 does.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::Stream;
use serde::Serialize;
use serde_json::json;
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;

use super::Refusal;
use super::class::Class;
use super::head::Head;
use super::streaming::CutOff;
use crate::wire::synapse::{Envelope, PING, Prompting, REQUIRED};
use crate::wire::{Keypair, PROTOCOL_VERSION, UuidSource, body_hash, headers};

/// The longest text in a reply's header; the SDK's client reads up to 8190.
const MAX_HEADER: usize = 1024;

/// Writes replies in the name of one axon.
pub(super) struct Replier {
    keypair: Arc<Keypair>,
    clock: Arc<dyn Clock>,
    uuids: Arc<UuidSource>,
    /// The axon's own, the same in all its replies.
    uuid: String,
}

impl Replier {
    pub(super) fn new(
        keypair: Arc<Keypair>,
        clock: Arc<dyn Clock>,
        uuids: Arc<UuidSource>,
    ) -> Self {
        let uuid = uuids.next();
        Self { keypair, clock, uuids, uuid }
    }

    /// The caller's synapse, with the completion filled in.
    pub(super) fn completed(
        &self,
        mut synapse: Prompting,
        completion: String,
        started: Moment,
    ) -> HttpResponse {
        let hash = body_hash::of_messages(&synapse.messages);
        synapse.completion = completion;
        self.succeed(&mut synapse.envelope, started);
        echo(&synapse.envelope, &synapse, &REQUIRED, &hash)
    }

    /// The head of the caller's synapse, and then the completion as it comes.
    pub(super) fn streamed(
        &self,
        mut synapse: Prompting,
        text: impl Stream<Item = Result<Bytes, CutOff>> + 'static,
        started: Moment,
    ) -> HttpResponse {
        let hash = body_hash::of_messages(&synapse.messages);
        self.succeed(&mut synapse.envelope, started);
        // The sizes are for information only, and nobody knows how long the text will be.
        let mut response = head(200, &synapse.envelope, &REQUIRED, &hash, 0);
        response.insert_header((CONTENT_TYPE, "text/event-stream")).streaming(text)
    }

    /// The caller's ping.
    pub(super) fn pong(&self, mut envelope: Envelope, started: Moment) -> HttpResponse {
        self.succeed(&mut envelope, started);
        echo(&envelope, &envelope, &[], &body_hash::of_nothing())
    }

    /// A refusal of a request whose head could be read.
    pub(super) fn refused(&self, head: &Head, refusal: &Refusal, started: Moment) -> HttpResponse {
        let mut envelope = head.envelope.clone();
        let caller = head.signed.hotkey.clone().unwrap_or_else(|| "None".into());
        let axon = envelope.axon.get_or_insert_default();
        let nonce = u64::try_from(self.clock.unix().as_nanos()).unwrap_or(u64::MAX);
        let own = axon.hotkey.clone().unwrap_or_else(|| "None".into());
        let text = format!("{nonce}.{caller}.{own}.{}", self.uuid);
        axon.version = Some(PROTOCOL_VERSION);
        axon.nonce = Some(nonce);
        axon.uuid = Some(self.uuid.clone());
        axon.signature = Some(self.keypair.sign_hex(&text));
        let class = head.class;
        self.refuse(envelope, refusal, class.required(), &class.empty_hash(), started)
    }

    /// A refusal of a request whose headers make no synapse.
    pub(super) fn unreadable(&self, started: Moment) -> HttpResponse {
        let hash = body_hash::of_nothing();
        self.refuse(
            Envelope::named(PING),
            &Refusal::internal("the headers make no synapse"),
            &[],
            &hash,
            started,
        )
    }

    /// A refusal of a synapse that we do not have.
    pub(super) fn unknown(&self, name: &str, started: Moment) -> HttpResponse {
        let name = headers::clean(name, MAX_HEADER);
        let known = Class::ALL.map(|class| format!("'{}'", class.name())).join(", ");
        let message = format!("Synapse name '{name}' not found. Available synapses [{known}]");
        let refusal = Refusal::new(404, message);
        let hash = body_hash::of_nothing();
        self.refuse(Envelope::named(PING), &refusal, &[], &hash, started)
    }

    fn refuse(
        &self,
        mut envelope: Envelope,
        refusal: &Refusal,
        required: &[&str],
        hash: &str,
        started: Moment,
    ) -> HttpResponse {
        let status = if (400..600).contains(&refusal.status) { refusal.status } else { 500 };
        let message = if refusal.message.is_empty() {
            format!("Internal Server Error #{}", self.uuids.next())
        } else {
            headers::clean(&refusal.message, MAX_HEADER)
        };
        let body = json!({ "message": &message });
        self.finish(&mut envelope, status, message, started);
        write(status, &envelope, &body, required, hash)
    }

    fn succeed(&self, envelope: &mut Envelope, started: Moment) {
        self.finish(envelope, 200, "Success".into(), started);
    }

    fn finish(&self, envelope: &mut Envelope, status: u16, message: String, started: Moment) {
        let axon = envelope.axon.get_or_insert_default();
        axon.status_code = Some(status);
        axon.status_message = Some(message);
        axon.process_time = Some(self.clock.now().since(started).as_secs_f64());
    }
}

fn echo(
    envelope: &Envelope,
    synapse: &impl Serialize,
    required: &[&str],
    hash: &str,
) -> HttpResponse {
    write(200, envelope, synapse, required, hash)
}

fn write(
    status: u16,
    envelope: &Envelope,
    body: &impl Serialize,
    required: &[&str],
    hash: &str,
) -> HttpResponse {
    let Ok(body) = serde_json::to_vec(body) else {
        return detail(500, "Internal Server Error");
    };
    let mut response = head(status, envelope, required, hash, body.len());
    response.insert_header((CONTENT_TYPE, "application/json")).body(body)
}

fn head(
    status: u16,
    envelope: &Envelope,
    required: &[&str],
    hash: &str,
    body_size: usize,
) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(code(status));
    for (name, value) in envelope.headers(required, hash, body_size) {
        let value = HeaderValue::from_str(&headers::clean(&value, MAX_HEADER));
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) {
            response.insert_header((name, value));
        }
    }
    response
}

/// A reply of the web framework that the SDK is built on, without synapse headers.
pub(super) fn detail(status: u16, text: &str) -> HttpResponse {
    plain(status, &json!({ "detail": text }))
}

/// The same for a body that is no JSON.
pub(super) fn not_json(at: usize, error: &str) -> HttpResponse {
    let fault = json!({
        "type": "json_invalid",
        "loc": ["body", at],
        "msg": "JSON decode error",
        "input": {},
        "ctx": { "error": headers::clean(error, 256) },
    });
    plain(422, &json!({ "detail": [fault] }))
}

fn plain(status: u16, body: &serde_json::Value) -> HttpResponse {
    let mut response = HttpResponse::build(code(status));
    if status == 405 {
        response.insert_header((ALLOW, "GET, POST"));
    }
    response.insert_header((CONTENT_TYPE, "application/json")).body(body.to_string())
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
