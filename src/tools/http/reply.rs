//! What a host answered, and what its status and headers mean.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use sn1_actors::text::shown::{MOST_SHOWN, shown};

use crate::retry_after::retry_after;

/// What a tool thinks of an answer.
pub(crate) enum Verdict<T> {
    /// It is what was asked for.
    Good(T),
    /// The host is well, but wants no request for a time that it may name.
    Busy {
        /// That time.
        wait: Option<Duration>,
        /// In its words.
        cause: String,
    },
    /// It is not, but another try may bring it.
    Again {
        /// What is wrong.
        cause: String,
    },
    /// It is not, and the same request will not bring it.
    Refused {
        /// What is wrong.
        cause: String,
    },
}

/// A whole answer.
pub(crate) struct Reply {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its body, decompressed.
    pub(crate) body: Vec<u8>,
    /// How long the host wants no request, by `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    /// `unix` is the time since the Unix epoch here.
    pub(super) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        body: Vec<u8>,
        unix: Duration,
    ) -> Self {
        Self { status, body, retry_after: retry_after(headers, unix) }
    }

    /// What the status alone says against the answer; `None` for a success.
    pub(crate) fn complaint<T>(&self) -> Option<Verdict<T>> {
        let said = shown(&String::from_utf8_lossy(self.body.get(..MAX_READ).unwrap_or(&self.body)));
        let cause = format!("status {}: {said}", self.status.as_u16());
        Some(match self.status.as_u16() {
            200..300 => return None,
            429 | 503 => Verdict::Busy { wait: self.retry_after, cause },
            408 | 500.. => Verdict::Again { cause },
            _ => Verdict::Refused { cause },
        })
    }
}

/// No more bytes of a body are looked at for what it says, four for each character.
const MAX_READ: usize = 4 * MOST_SHOWN;

#[cfg(test)]
mod tests {
    use reqwest::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn a_status_says_whether_to_wait_to_try_again_or_to_give_up() {
        let headers: HeaderMap = [(RETRY_AFTER, "3".parse().unwrap())].into_iter().collect();
        let of = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Reply::new(status, &headers, b"so\nit is".to_vec(), Duration::ZERO).complaint::<()>()
        };
        assert!(of(200).is_none() && of(204).is_none());
        for status in [429, 503] {
            let Some(Verdict::Busy { wait, cause }) = of(status) else { panic!("{status}") };
            assert_eq!(wait, Some(Duration::from_secs(3)));
            assert_eq!(cause, format!("status {status}: so it is"));
        }
        for status in [408, 500, 502, 504] {
            assert!(matches!(of(status), Some(Verdict::Again { .. })), "{status}");
        }
        for status in [301, 400, 401, 403, 404] {
            assert!(matches!(of(status), Some(Verdict::Refused { .. })), "{status}");
        }
    }
}
