//! SN1's synapse as it stands in JSON bodies and in headers.

use serde::{Deserialize, Serialize};
use serde_json::Number;
use sn1_actors::domain::{Query, Role};

use super::headers::{self, HeaderList};

/// The class of SN1's synapse, and its path.
pub(super) const PROMPTING: &str = "PromptingSynapse";
/// The class of the same synapse where the answer is streamed, and its path.
pub(super) const STREAM_PROMPTING: &str = "StreamPromptingSynapse";
/// The class of the bare synapse, which every axon answers: a ping.
pub(super) const PING: &str = "Synapse";
/// The fields of SN1's synapse that have no default.
pub(super) const REQUIRED: [&str; 2] = ["roles", "messages"];
/// What the SDK waits when nothing else is said, in seconds.
pub(super) const DEFAULT_TIMEOUT: f64 = 12.0;

/// One end of an exchange: the SDK's `TerminalInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TerminalInfo {
    pub(super) status_code: Option<u16>,
    pub(super) status_message: Option<String>,
    pub(super) process_time: Option<f64>,
    pub(super) ip: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) version: Option<u64>,
    pub(super) nonce: Option<u64>,
    pub(super) uuid: Option<String>,
    pub(super) hotkey: Option<String>,
    pub(super) signature: Option<String>,
}

impl TerminalInfo {
    #[expect(clippy::unnecessary_wraps, reason = "a serde default has the field's type")]
    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    /// The fields that are set, in the SDK's order.
    fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("status_code", self.status_code.map(|code| code.to_string())),
            ("status_message", self.status_message.clone()),
            ("process_time", self.process_time.map(python_float)),
            ("ip", self.ip.clone()),
            ("port", self.port.map(|port| port.to_string())),
            ("version", self.version.map(|version| version.to_string())),
            ("nonce", self.nonce.map(|nonce| nonce.to_string())),
            ("uuid", self.uuid.clone()),
            ("hotkey", self.hotkey.clone()),
            ("signature", self.signature.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What every synapse has: the SDK's `Synapse`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) name: Option<String>,
    #[serde(default = "Envelope::default_timeout")]
    pub(super) timeout: Option<f64>,
    #[serde(default = "Envelope::no_size")]
    pub(super) total_size: Option<Number>,
    #[serde(default = "Envelope::no_size")]
    pub(super) header_size: Option<Number>,
    #[serde(default = "TerminalInfo::absent")]
    pub(super) dendrite: Option<TerminalInfo>,
    #[serde(default = "TerminalInfo::absent")]
    pub(super) axon: Option<TerminalInfo>,
    #[serde(default)]
    pub(super) computed_body_hash: String,
}

impl Envelope {
    /// An envelope of a class, without ends.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: Some(name.into()),
            timeout: Self::default_timeout(),
            total_size: Self::no_size(),
            header_size: Self::no_size(),
            dendrite: None,
            axon: None,
            computed_body_hash: String::new(),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a serde default has the field's type")]
    fn default_timeout() -> Option<f64> {
        Some(DEFAULT_TIMEOUT)
    }

    #[expect(clippy::unnecessary_wraps, reason = "a serde default has the field's type")]
    fn no_size() -> Option<Number> {
        Some(0.into())
    }

    /// The headers of this synapse in the SDK's order, with a body of `body_size` bytes whose hash
    /// is `body_hash`. The sizes are informational; the SDK's are those of Python objects.
    pub(super) fn headers(
        &self,
        required: &[&str],
        body_hash: &str,
        body_size: usize,
    ) -> HeaderList {
        let mut list = HeaderList::with_capacity(24);
        list.extend(self.name.clone().map(|name| ("name".into(), name)));
        list.extend(self.timeout.map(|secs| (headers::TIMEOUT.into(), python_float(secs))));
        for (prefix, end) in [(headers::AXON, &self.axon), (headers::DENDRITE, &self.dendrite)] {
            let fields = end.iter().flat_map(TerminalInfo::fields);
            list.extend(fields.map(|(name, value)| (format!("{prefix}{name}"), value)));
        }
        for field in required {
            list.push((format!("{}{field}", headers::INPUT), headers::EMPTY_LIST.into()));
        }
        let size: usize = list.iter().map(|(name, value)| name.len() + value.len()).sum();
        list.push(("header_size".into(), size.to_string()));
        list.push(("total_size".into(), (size + body_size).to_string()));
        list.push((headers::BODY_HASH.into(), body_hash.into()));
        list
    }
}

/// SN1's `PromptingSynapse`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Prompting {
    #[serde(flatten)]
    pub(super) envelope: Envelope,
    #[serde(default = "Prompting::hashed")]
    pub(super) required_hash_fields: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) messages: Vec<String>,
    #[serde(default)]
    pub(super) completion: String,
}

impl Prompting {
    fn hashed() -> Vec<String> {
        vec!["messages".into()]
    }

    /// A request.
    pub(super) fn asking(envelope: Envelope, query: &Query) -> Self {
        Self {
            envelope,
            required_hash_fields: Self::hashed(),
            roles: query.roles.iter().map(|role| role.as_str().into()).collect(),
            messages: query.messages.clone(),
            completion: String::new(),
        }
    }

    /// What is asked; nothing if there is no message. The SDK does not compare the lists and takes
    /// any role: what says nothing that we know is taken for the user's.
    pub(super) fn query(&self) -> Option<Query> {
        if self.messages.is_empty() {
            return None;
        }
        let named = self.roles.iter().map(|role| parse_role(role));
        let roles = named.chain(std::iter::repeat(Role::User)).take(self.messages.len());
        Some(Query { roles: roles.collect(), messages: self.messages.clone() })
    }
}

fn parse_role(name: &str) -> Role {
    let known = [Role::System, Role::User, Role::Assistant];
    known.into_iter().find(|role| role.as_str() == name).unwrap_or(Role::User)
}

/// A float as Python shows it: never without a point.
pub(super) fn python_float(value: f64) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::testkit;

    #[test]
    fn writes_a_request_body_with_the_sdks_fields_in_its_order() {
        let Some(vector) = testkit::reference_json("vectors/axon10.5.0_dendrite10.5.0_ok.json")
        else {
            return;
        };
        let captured = vector["request"]["body_text"].as_str().unwrap();
        let synapse: Prompting = serde_json::from_str(captured).unwrap();
        let compact = captured.replace("\": ", "\":").replace(", \"", ",\"");
        assert_eq!(serde_json::to_string(&synapse).unwrap(), compact);
    }

    #[test]
    fn writes_the_captured_headers_in_the_captured_order() {
        let Some(vector) = testkit::reference_json("vectors/axon10.5.0_dendrite10.5.0_ok.json")
        else {
            return;
        };
        let body = vector["request"]["body_text"].as_str().unwrap();
        let synapse: Prompting = serde_json::from_str(body).unwrap();
        let hash = testkit::header(&vector["request"], "computed_body_hash").unwrap();
        let written = synapse.envelope.headers(&REQUIRED, &hash, body.len());
        let captured = vector["request"]["headers"].as_array().unwrap();
        // The first captured header is Host; behind ours come those of the HTTP client.
        for (ours, theirs) in written.iter().zip(&captured[1..]) {
            assert_eq!(ours.0, theirs[0].as_str().unwrap());
            if !ours.0.ends_with("_size") {
                assert_eq!(ours.1, theirs[1].as_str().unwrap(), "{}", ours.0);
            }
        }
        assert_eq!(written.len(), 16);
    }

    #[test]
    fn fills_in_what_a_body_may_leave_out() {
        let synapse: Prompting =
            serde_json::from_str(r#"{"roles":["user"],"messages":["x"],"axon":null}"#).unwrap();
        assert_eq!(synapse.envelope.timeout, Some(12.0));
        assert_eq!(synapse.envelope.dendrite, Some(TerminalInfo::default()));
        assert_eq!(synapse.envelope.axon, None);
        assert_eq!(synapse.required_hash_fields, ["messages"]);
        assert_eq!(synapse.completion, "");
    }

    #[test]
    fn takes_for_the_users_what_names_no_role_and_asks_nothing_without_a_message() {
        let query = |body: &str| serde_json::from_str::<Prompting>(body).unwrap().query();
        let roles = |body: &str| query(body).unwrap().roles;
        assert_eq!(query(r#"{"roles":["user"],"messages":["x"]}"#), Some(Query::from_user("x")));
        assert_eq!(
            roles(r#"{"roles":["system"],"messages":["x","y"]}"#),
            [Role::System, Role::User]
        );
        assert_eq!(roles(r#"{"roles":["emperor"],"messages":["x"]}"#), [Role::User]);
        assert_eq!(roles(r#"{"roles":["assistant","user"],"messages":["x"]}"#), [Role::Assistant]);
        assert_eq!(query(r#"{"roles":["user"],"messages":[]}"#), None);
    }

    proptest! {
        #[test]
        fn never_panics_on_hostile_bodies(bytes: Vec<u8>, text in r#"[\[\]{}":,a-z0-9\\u]{0,80}"#) {
            let _ = serde_json::from_slice::<Prompting>(&bytes);
            let _ = serde_json::from_str::<Prompting>(&text);
        }

        #[test]
        fn survives_any_value_in_any_field(field in 0_usize..11, value in hostile_value()) {
            let names = ["name", "timeout", "total_size", "header_size", "dendrite", "axon",
                "computed_body_hash", "required_hash_fields", "roles", "messages", "completion"];
            let mut body = serde_json::json!({"roles": ["user"], "messages": ["x"]});
            body[names[field]] = value;
            if let Ok(synapse) = serde_json::from_value::<Prompting>(body) {
                let _ = synapse.query();
                let _ = synapse.envelope.headers(&REQUIRED, "", usize::from(u16::MAX));
            }
        }
    }

    fn hostile_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,20}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::hash_map("[a-z_]{1,12}", inner, 0..6)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }
}
