//! Reading what an axon replied. Pure: bytes in, completion or failure out.

use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use serde::Deserialize;
use serde_json::Value;

use super::WireError;
use crate::wire::headers::{AXON, AXON_STATUS_CODE, AXON_STATUS_MESSAGE, DENDRITE, INTEGERS};

/// The longest header line that the SDK's HTTP client reads.
const MAX_HEADER: usize = 8190;

/// The part of a reply's body that is used. Roles and messages must be there, as the SDK insists,
/// but are our own and not taken from the reply.
#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "roles")]
    _roles: Vec<String>,
    #[serde(rename = "messages")]
    _messages: Vec<String>,
    #[serde(default)]
    completion: String,
    #[serde(default)]
    axon: Value,
}

/// Refuses a head that the SDK would not read, and a packed body: nobody was asked to pack it, and
/// a small one can be huge inside.
pub(super) fn check_head(headers: &HeaderMap) -> Result<(), WireError> {
    if let Some((name, _)) = headers.iter().find(|(_, value)| value.len() > MAX_HEADER) {
        let reason = format!("header {name:.64} is longer than {MAX_HEADER}");
        return Err(WireError::BadResponse(reason));
    }
    let packed = headers.get_all(CONTENT_ENCODING).iter().find(|value| *value != "identity");
    match packed {
        Some(value) => Err(WireError::malformed(&format!("unexpected content encoding {value:?}"))),
        None => Ok(()),
    }
}

/// Whether raw text follows the head (wire.md §9), rather than a synapse or an error in JSON.
pub(super) fn is_stream(status: u16, headers: &HeaderMap) -> bool {
    status == 200 && !is_json(headers)
}

/// Refuses a stream whose head does not say that the axon succeeded.
pub(super) fn check_stream(headers: &HeaderMap) -> Result<(), WireError> {
    check_integers(headers)?;
    match status_code(headers)? {
        Some(200) => Ok(()),
        Some(code) => Err(WireError::refused(code, &said_message(headers).unwrap_or_default())),
        None => Err(WireError::NoStatus),
    }
}

pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The completion, if status, headers and body agree that there is one.
pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<String, WireError> {
    if (300..400).contains(&status) {
        return Err(WireError::malformed("a redirection, which is not followed"));
    }
    if !is_json(headers) {
        return Err(WireError::malformed("unexpected content type"));
    }
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(WireError::malformed("the body is no JSON object"));
    }
    check_integers(headers)?;
    let said = status_code(headers)?;
    let message = said_message(headers);
    if status != 200 {
        let body: Value = parse(body)?;
        let message = message.or_else(|| text_of(&body["message"])).unwrap_or_default();
        let said = said.filter(|code| *code != 200).unwrap_or(status);
        return Err(WireError::refused(said, &message));
    }
    let reply: Reply = parse(body)?;
    let in_body = || reply.axon["status_code"].as_u64().and_then(|code| u16::try_from(code).ok());
    match said.or_else(in_body) {
        Some(200) => Ok(reply.completion),
        Some(code) => {
            let message = message.or_else(|| text_of(&reply.axon["status_message"]));
            Err(WireError::refused(code, &message.unwrap_or_default()))
        }
        None => Err(WireError::NoStatus),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, WireError> {
    serde_json::from_slice(body).map_err(|error| WireError::malformed(&error.to_string()))
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Refuses integers that are none, as the SDK does.
fn check_integers(headers: &HeaderMap) -> Result<(), WireError> {
    for prefix in [AXON, DENDRITE] {
        for field in INTEGERS {
            let name = format!("{prefix}{field}");
            let Some(value) = headers.get(&name) else { continue };
            if value.to_str().ok().and_then(|text| text.trim().parse::<i128>().ok()).is_none() {
                return Err(WireError::malformed(&format!("header {name} is no integer")));
            }
        }
    }
    Ok(())
}

fn said_message(headers: &HeaderMap) -> Option<String> {
    // The SDK reads headers as UTF-8, whatever HTTP says.
    let value = headers.get(AXON_STATUS_MESSAGE)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn status_code(headers: &HeaderMap) -> Result<Option<u16>, WireError> {
    let Some(value) = headers.get(AXON_STATUS_CODE) else { return Ok(None) };
    let code = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    code.map(Some).ok_or_else(|| WireError::malformed("the axon status code is out of range"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn passes_on_a_bounded_message_of_the_axon() {
        let long = "m".repeat(4000);
        let headers = head(&[JSON, (AXON_STATUS_CODE, "403"), (AXON_STATUS_MESSAGE, &long)]);
        let error = read(403, &headers, b"{}").unwrap_err();
        assert_eq!(error.status().0, 403);
        assert_eq!(error.to_string(), "m".repeat(256));
    }

    #[test]
    fn believes_no_success_that_the_http_status_denies() {
        let headers = head(&[JSON, (AXON_STATUS_CODE, "200")]);
        assert_eq!(read(500, &headers, b"{}").unwrap_err().status().0, 500);
    }

    #[test]
    fn takes_no_list_for_a_synapse() {
        let headers = head(&[JSON, (AXON_STATUS_CODE, "200")]);
        let error = read(200, &headers, br#"[["user"],["x"],"completion"]"#).unwrap_err();
        assert_eq!(error.status().0, 422);
    }

    #[test]
    fn refuses_status_codes_out_of_range() {
        for code in ["-1", "65536", "99999999999999999999"] {
            let headers = head(&[JSON, (AXON_STATUS_CODE, code)]);
            assert_eq!(read(500, &headers, b"{}").unwrap_err().status().0, 422, "{code}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_hostile_replies(
            status in 100_u16..600,
            code in "[ -~]{0,8}",
            message: Vec<u8>,
            body: Vec<u8>,
            text in r#"\{[\[\]{}":,a-z0-9\\u]{0,80}"#,
        ) {
            let mut headers = head(&[JSON, (AXON_STATUS_CODE, &code)]);
            if let Ok(value) = hyper::header::HeaderValue::from_bytes(&message) {
                headers.insert(AXON_STATUS_MESSAGE, value);
            }
            let _ = read(status, &headers, &body);
            let _ = read(status, &headers, text.as_bytes());
        }
    }
}
