//! Why a user gets no completion, as the official clients expect to be told.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use sn1_actors::organic::OrganicError;
use sn1_actors::text::shown::shown;

use super::Unreadable;
use super::keys::KeyRefusal;
use super::reply::{self, LEFT_REQUESTS, LEFT_TOKENS, LIMIT_REQUESTS, LIMIT_TOKENS};
use super::reply::{RESET_REQUESTS, RESET_TOKENS};

/// How long a user should wait where nothing better is known.
const A_MOMENT: Duration = Duration::from_secs(1);
/// How long a user should wait until miners may have come back.
const A_WHILE: Duration = Duration::from_secs(10);

/// Why there is no completion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ApiError {
    /// The key does not let the request in.
    #[error("{0}")]
    Key(KeyRefusal),
    /// A field of the request is wrong, or asks for what there is not.
    #[error("{message}")]
    Field {
        /// Which one; nothing where it is the body as a whole.
        param: Option<String>,
        /// What to change.
        message: String,
    },
    /// There is no such model.
    #[error("the model `{0}` does not exist; GET /v1/models lists those that do")]
    Model(String),
    /// There is nothing at this path.
    #[error("there is nothing at this address; GET /openapi.json describes what there is")]
    Path,
    /// The path takes another method.
    #[error("this address takes {0} alone")]
    Method(&'static str),
    /// The body is no plain JSON.
    #[error("send the request as plain `application/json`, without a content encoding")]
    MediaType,
    /// The body is too long.
    #[error("the request is longer than {0} bytes")]
    TooLong(usize),
    /// The chat cannot be read, so that no answer to it could be scored.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// The body did not come in time.
    #[error("the request did not arrive in time")]
    TooSlow,
    /// The miners have no answer.
    #[error("{}", shown(&.0.to_string()))]
    Upstream(OrganicError),
    /// No answer came in time.
    #[error("no miner's answer was there within {} s", .0.as_secs())]
    Late(Duration),
    /// A fault of ours.
    #[error("the gateway failed; try again")]
    Fault,
}

/// What kind of error a status and a code stand for, in the words of the protocol.
struct Class {
    status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
}

impl ApiError {
    /// A field is wrong.
    pub(super) fn field(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Field { param: Some(param.into()), message: message.into() }
    }

    /// The body as a whole is wrong.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::Field { param: None, message: message.into() }
    }

    fn class(&self) -> Class {
        let class = |status, kind, code| Class { status, kind, code: Some(code) };
        let wrong = |status, code| class(status, "invalid_request_error", code);
        match self {
            Self::Key(KeyRefusal::Missing | KeyRefusal::Unknown) => {
                wrong(StatusCode::UNAUTHORIZED, "invalid_api_key")
            }
            Self::Key(KeyRefusal::TooManyRequests { .. } | KeyRefusal::TooManyAtOnce { .. }) => {
                class(StatusCode::TOO_MANY_REQUESTS, "requests", "rate_limit_exceeded")
            }
            Self::Key(KeyRefusal::TokensUsedUp { .. }) => {
                class(StatusCode::TOO_MANY_REQUESTS, "tokens", "rate_limit_exceeded")
            }
            Self::Field { .. } | Self::Unreadable(Unreadable::Unfit(_)) => {
                Class { code: None, ..wrong(StatusCode::BAD_REQUEST, "") }
            }
            Self::Model(_) => wrong(StatusCode::NOT_FOUND, "model_not_found"),
            Self::Path => wrong(StatusCode::NOT_FOUND, "unknown_url"),
            Self::Method(_) => wrong(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::MediaType => wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::TooLong(_) => wrong(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large"),
            Self::Unreadable(Unreadable::TooLong { .. }) => {
                wrong(StatusCode::BAD_REQUEST, "context_length_exceeded")
            }
            Self::TooSlow => wrong(StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::Upstream(OrganicError::AllFailed { .. }) => {
                class(StatusCode::BAD_GATEWAY, "server_error", "upstream_unavailable")
            }
            Self::Upstream(
                OrganicError::NoMiners | OrganicError::Overloaded | OrganicError::Interrupted(_),
            ) => class(StatusCode::SERVICE_UNAVAILABLE, "server_error", "upstream_unavailable"),
            Self::Late(_) => class(StatusCode::GATEWAY_TIMEOUT, "server_error", "upstream_timeout"),
            Self::Fault => {
                class(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal_error")
            }
        }
    }

    /// The error object, as it stands in a reply of its own and in a stream that has begun.
    pub(super) fn object(&self) -> Value {
        let Class { kind, code, .. } = self.class();
        let param = match self {
            Self::Field { param, .. } => param.as_deref(),
            // The official clients look for the model's name under this parameter.
            Self::Model(_) => Some("model"),
            Self::Unreadable(_) => Some("messages"),
            _ => None,
        };
        json!({"error": {
            "message": self.to_string(), "type": kind, "param": param, "code": code,
        }})
    }

    /// The reply.
    pub(super) fn reply(&self) -> HttpResponse {
        let Class { status, code, .. } = self.class();
        tracing::debug!(status = status.as_u16(), code, "refused a user's request");
        let mut reply = HttpResponse::build(status);
        let mut after = |wait: Duration| {
            reply.insert_header((RETRY_AFTER, reply::seconds(wait)));
        };
        match self {
            Self::Key(KeyRefusal::Missing | KeyRefusal::Unknown) => {
                reply.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            Self::Key(KeyRefusal::TooManyRequests { most, retry_after }) => {
                after(*retry_after);
                let reset = format!("{}s", reply::seconds(*retry_after));
                reply.insert_header((LIMIT_REQUESTS, *most));
                reply.insert_header((LEFT_REQUESTS, 0));
                reply.insert_header((RESET_REQUESTS, reset));
            }
            Self::Key(KeyRefusal::TooManyAtOnce { .. }) => after(A_MOMENT),
            Self::Key(KeyRefusal::TokensUsedUp { most, retry_after }) => {
                after(*retry_after);
                let reset = format!("{}s", reply::seconds(*retry_after));
                reply.insert_header((LIMIT_TOKENS, *most));
                reply.insert_header((LEFT_TOKENS, 0));
                reply.insert_header((RESET_TOKENS, reset));
            }
            Self::Upstream(OrganicError::Overloaded | OrganicError::Interrupted(_)) => {
                after(A_MOMENT);
            }
            Self::Upstream(OrganicError::NoMiners) => after(A_WHILE),
            Self::Method(allowed) => {
                reply.insert_header((ALLOW, *allowed));
            }
            Self::Field { .. }
            | Self::Model(_)
            | Self::Path
            | Self::MediaType
            | Self::TooLong(_)
            | Self::Unreadable(_)
            | Self::TooSlow
            | Self::Upstream(OrganicError::AllFailed { .. })
            | Self::Late(_)
            | Self::Fault => {}
        }
        reply.json(self.object())
    }
}
