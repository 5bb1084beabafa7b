//! How a try at one server can fail, by what follows from it.

use std::error::Error as _;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use sn1_actors::text::shown::shown;

use super::api_key::ApiKey;
use super::protocol;
use crate::retry_after::retry_after;

/// Why a server gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request is at fault: no server is to be tried again with it. The server is well.
    Request(String),
    /// The server knows not what is asked for: the request is at fault, or the server has another
    /// model by now.
    NotFound(String),
    /// The key is missing or refused: the user has to do something.
    Key(String),
    /// The server wants to be left alone, for a time that it may name. It is well.
    Busy {
        /// The time it names.
        rest: Option<Duration>,
        /// What it says.
        reason: String,
    },
    /// The server is well, but has not the model that is wanted.
    WrongModel(String),
    /// The server failed before any text came: another may be tried.
    Failed(String),
    /// The server failed after some text: the answer is lost.
    BrokenOff(String),
    /// Nobody takes the text that came. That is not the server's fault.
    Unread,
}

impl Failure {
    /// A failure on the way, in the words of the HTTP client's innermost error.
    pub(super) fn of_http(error: &reqwest::Error) -> Self {
        let what = if error.is_connect() { "cannot be connected to" } else { "broke off" };
        let mut cause = error.source();
        while let Some(inner) = cause.and_then(|error| error.source()) {
            cause = Some(inner);
        }
        let why =
            cause.map_or_else(String::new, |cause| format!(": {}", shown(&cause.to_string())));
        Self::Failed(format!("{what}{why}"))
    }

    /// What a reply means that is not a success, `unix` after the Unix epoch.
    pub(super) fn of_status(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        key: Option<&ApiKey>,
        unix: Duration,
    ) -> Self {
        let said = shown(&protocol::refusal(body));
        let reason = format!("status {}: {said}", status.as_u16());
        match status.as_u16() {
            // The server's words are left out: some repeat the key.
            401 | 403 => Self::Key(match key {
                Some(key) => format!(
                    "status {}: the server refuses the key in the environment variable {}",
                    status.as_u16(),
                    key.variable()
                ),
                None => format!(
                    "status {}: the server wants a key; engine.server_key_env names the \
                     environment variable that holds it",
                    status.as_u16()
                ),
            }),
            429 | 503 => Self::Busy { rest: retry_after(headers, unix), reason },
            404 => Self::NotFound(reason),
            408 => Self::Failed(reason),
            400..500 => Self::Request(reason),
            _ => Self::Failed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        Failure::of_status(status, &HeaderMap::new(), body.as_bytes(), None, Duration::ZERO)
    }

    #[test]
    fn sorts_statuses_by_what_to_do() {
        for status in [400, 405, 413, 422] {
            assert_eq!(of(status, "no"), Failure::Request(format!("status {status}: no")));
        }
        for status in [204, 302, 408, 500, 502, 504] {
            assert_eq!(of(status, "no"), Failure::Failed(format!("status {status}: no")));
        }
        assert_eq!(of(404, "no"), Failure::NotFound("status 404: no".into()));
        for status in [429, 503] {
            let reason = format!("status {status}: no");
            assert_eq!(of(status, "no"), Failure::Busy { rest: None, reason });
        }
    }

    #[test]
    fn names_the_variable_of_a_refused_key_and_repeats_nothing_of_it() {
        let key = ApiKey::new("MY_KEY", "sk-secret").unwrap();
        let headers = HeaderMap::new();
        let body = b"{\"error\": \"Incorrect API key provided: sk-secret\"}";
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
            let failure = Failure::of_status(status, &headers, body, Some(&key), Duration::ZERO);
            let Failure::Key(reason) = failure else { panic!("{status} is not about the key") };
            assert!(reason.contains("MY_KEY") && !reason.contains("secret"), "{reason}");
        }
        assert!(matches!(of(401, ""), Failure::Key(why) if why.contains("server_key_env")));
    }
}
