//! Reading a request's body, bounded in size and time.

use std::time::Duration;

use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::class::Class;
use crate::wire::synapse::{Envelope, Prompting};

/// How long a body may take.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Why a body is no synapse; each has a reply of its own.
#[derive(Debug)]
pub(super) enum BodyFault {
    /// Longer than we read.
    TooLong,
    /// It did not arrive in time.
    TooSlow,
    /// Not JSON.
    NotJson {
        /// The column at which that showed.
        at: usize,
        /// What was wrong.
        error: String,
    },
    /// Absent, of another content type, or JSON of another shape.
    Malformed(&'static str),
}

/// A body that is a synapse.
pub(super) enum Parsed {
    Prompting(Box<Prompting>),
    Ping(Box<Envelope>),
}

pub(super) async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    class: Class,
    limit: usize,
) -> Result<Parsed, BodyFault> {
    if declared_length(request).is_some_and(|length| length > limit as u64) {
        return Err(BodyFault::TooLong);
    }
    let collected = tokio::time::timeout(ARRIVAL, collect(payload, limit));
    let bytes = collected.await.unwrap_or(Err(BodyFault::TooSlow))?;
    if bytes.is_empty() {
        return Err(BodyFault::Malformed("the body is empty"));
    }
    if !is_json(request) {
        return Err(BodyFault::Malformed("the content type is not application/json"));
    }
    // The SDK names a synapse by its class, whatever the body says.
    let name = Some(class.name().into());
    match class {
        Class::Prompting | Class::StreamPrompting => {
            let mut synapse: Box<Prompting> = parse(&bytes)?;
            synapse.envelope.name = name;
            Ok(Parsed::Prompting(synapse))
        }
        Class::Ping => {
            let mut envelope: Box<Envelope> = parse(&bytes)?;
            envelope.name = name;
            Ok(Parsed::Ping(envelope))
        }
    }
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, BodyFault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyFault::Malformed("the body broke off"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(BodyFault::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

fn is_json(request: &HttpRequest) -> bool {
    let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyFault> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => BodyFault::Malformed("the body has another shape"),
        Category::Syntax | Category::Eof | Category::Io => {
            BodyFault::NotJson { at: error.column(), error: error.to_string() }
        }
    })
}
