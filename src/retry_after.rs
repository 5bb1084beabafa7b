//! How long a server wants to be left alone, by its header `Retry-After`; for all that ask servers.

use std::time::{Duration, SystemTime};

use actix_web::http::header::HttpDate;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The time of `Retry-After`: in seconds, or up to a date. That is compared with the host's own
/// date where it gives one, so that clocks need not agree. `unix` is the time since the Unix epoch
/// here.
pub(crate) fn retry_after(headers: &HeaderMap, unix: Duration) -> Option<Duration> {
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
        for text in ["1e99", "99999999999999999999999", "inf"] {
            assert_eq!(wait(&[(RETRY_AFTER, text)]), Some(Duration::MAX), "{text}");
        }
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
}
