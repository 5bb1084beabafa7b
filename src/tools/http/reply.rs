//! What a host answered, and what its status and headers mean.

use std::time::{Duration, SystemTime};

use actix_web::http::header::HttpDate;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The most of a foreign text that is passed on, in characters.
const MAX_SHOWN: usize = 200;

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
const MAX_READ: usize = 4 * MAX_SHOWN;

/// The time of `Retry-After`: in seconds, or up to a date. That is compared with the host's own
/// date where it gives one, so that clocks need not agree.
fn retry_after(headers: &HeaderMap, unix: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let too_large = seconds.is_sign_positive().then_some(Duration::MAX);
        return Duration::try_from_secs_f64(seconds)
            .ok()
            .or(too_large)
            .filter(|_| !seconds.is_nan());
    }
    let until = date(headers, &RETRY_AFTER)?;
    Some(until.saturating_sub(date(headers, &DATE).unwrap_or(unix)))
}

/// A header's date, since the Unix epoch.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    let date: HttpDate = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    SystemTime::from(date).duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// A foreign text made fit to be shown: one line, no control characters, shortened.
pub(crate) fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.trim().chars().take(MAX_SHOWN).map(plain).collect();
    if text.trim().chars().nth(MAX_SHOWN).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pairs: &[(HeaderName, &str)]) -> Option<Duration> {
        let headers = pairs.iter().map(|(name, text)| (name.clone(), text.parse().unwrap()));
        retry_after(&headers.collect(), Duration::from_secs(784_111_777))
    }

    #[test]
    fn retry_after_is_understood_in_seconds_and_as_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait(&[(RETRY_AFTER, "7")]), seconds(7));
        assert_eq!(wait(&[(RETRY_AFTER, "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(wait(&[(RETRY_AFTER, "1e99")]), Some(Duration::MAX));
        // The date of the test's clock is Sun, 06 Nov 1994 08:49:37 GMT.
        assert_eq!(wait(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:50:07 GMT")]), seconds(30));
        assert_eq!(wait(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:00:00 GMT")]), seconds(0));
        let skewed = [
            (RETRY_AFTER, "Wed, 21 Oct 2026 07:28:10 GMT"),
            (DATE, "Wed, 21 Oct 2026 07:28:00 GMT"),
        ];
        assert_eq!(wait(&skewed), seconds(10));
        for text in ["-1", "NaN", "", "soon", "Wed, 21 Oct"] {
            assert_eq!(wait(&[(RETRY_AFTER, text)]), None, "{text}");
        }
    }

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
