//! Compares raw requests of two kinds by everything but what differs from request to request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Values that differ in each request; only their format counts.
const ANEW: [&str; 4] = ["nonce", "uuid", "signature", "body_hash"];
/// Values that grow with the text.
const SIZES: [&str; 2] = ["content-length", "total_size"];

/// A request as it came through a socket.
#[derive(Clone, Debug)]
pub(crate) struct CapturedRequest {
    pub(crate) line: String,
    /// Names and values as they were written, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The other end of its connection.
    pub(crate) from: SocketAddr,
}

/// The header that says who is asked.
const MINER: &str = "bt_header_axon_hotkey";

impl CapturedRequest {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The request at the beginning of some bytes, once all of it is there, and its length.
    pub(crate) fn parse(bytes: &[u8], from: SocketAddr) -> Option<(Self, usize)> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let line = lines.next()?.to_owned();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            (name.to_owned(), value.to_owned())
        };
        let headers: Vec<_> = lines.map(pair).collect();
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length?.1.parse().ok()?;
        let body = body.get(..length)?.to_owned();
        Some((Self { line, headers, body, from }, head.len() + 4 + length))
    }
}

/// Something that is so in requests of one kind and never in those of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StructuralDifference {
    /// What it is about.
    pub(crate) facet: String,
    pub(crate) only_first: BTreeSet<String>,
    pub(crate) only_second: BTreeSet<String>,
}

impl fmt::Display for StructuralDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.facet)?;
        for (which, only) in [("first", &self.only_first), ("second", &self.only_second)] {
            if !only.is_empty() {
                let only: Vec<_> = only.iter().map(String::as_str).collect();
                write!(f, ": only in the {which}: {}", only.join(" | "))?;
            }
        }
        Ok(())
    }
}

/// What differs between two kinds of requests, by the name of what it is about.
///
/// A facet is one side of a request: the order of its headers, the value of one of them, the keys of
/// its body. Of each facet, the sets of what occurs in both kinds are compared.
pub(crate) fn compare(
    first: &[CapturedRequest],
    second: &[CapturedRequest],
) -> Vec<StructuralDifference> {
    let (first, second) = (facets(first), facets(second));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let none = BTreeSet::new();
    let difference = |facet: &String| {
        let a = first.get(facet).unwrap_or(&none);
        let b = second.get(facet).unwrap_or(&none);
        (a != b).then(|| StructuralDifference {
            facet: facet.clone(),
            only_first: a - b,
            only_second: b - a,
        })
    };
    names.into_iter().filter_map(difference).collect()
}

type Facets = BTreeMap<String, BTreeSet<String>>;

fn facets(requests: &[CapturedRequest]) -> Facets {
    let mut all = Facets::new();
    let mut note = |facet: String, value: String| {
        all.entry(facet).or_default().insert(value);
    };
    // How often each miner is asked the same. No round asks one twice, and any two rounds have a miner
    // in common: they are as many as the requests of the one that is asked most often.
    let mut rounds = BTreeMap::<String, BTreeMap<&str, usize>>::new();
    for request in requests {
        note("request line".into(), request.line.clone());
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        note("headers".into(), names.join(", "));
        for (name, value) in &request.headers {
            note(format!("header: {name}"), form(name, value));
        }
        let Ok(body) = serde_json::from_str::<Ordered>(&request.body) else {
            note("body".into(), "no JSON".into());
            continue;
        };
        let mut keys = Vec::new();
        body.visit("", &mut |path, leaf| {
            keys.push(path.to_owned());
            if let Some(leaf) = leaf {
                note(format!("body: {path}"), form(path, &leaf));
            }
        });
        note("body keys".into(), keys.join(", "));
        let compact = request.body.len() == body.compact().len();
        note("body spacing".into(), if compact { "compact" } else { "spaced" }.into());
        let miner = request.header(MINER).unwrap_or_default();
        *rounds.entry(body.asked()).or_default().entry(miner).or_default() += 1;
    }
    for asked in rounds.into_values() {
        let (all, rounds) = (asked.values().sum::<usize>(), asked.values().max().copied());
        let each = all as f64 / rounds.unwrap_or(1) as f64;
        note("fan-out".into(), each.to_string());
    }
    all
}

/// A value without what differs in each request.
fn form(name: &str, value: &str) -> String {
    if SIZES.contains(&name) {
        let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        return if number { "a number" } else { value }.to_owned();
    }
    if !ANEW.iter().any(|end| name.ends_with(end)) {
        return value.to_owned();
    }
    // The digit at this place is the version of a UUID.
    let kept = if name.ends_with("uuid") { 14 } else { usize::MAX };
    let digits = value.chars().enumerate();
    digits.map(|(at, c)| if c.is_ascii_hexdigit() && at != kept { 'x' } else { c }).collect()
}

/// JSON whose keys stay in their order.
enum Ordered {
    /// As it is written; of a text in quotes.
    Leaf(String),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl Ordered {
    /// Hands on each key with its path, and what stands there if that is no object. Of what is said
    /// only the type counts.
    fn visit(&self, path: &str, each: &mut dyn FnMut(&str, Option<String>)) {
        match self {
            Self::Object(fields) => {
                if !path.is_empty() {
                    each(path, None);
                }
                for (key, value) in fields {
                    let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    value.visit(&inner, each);
                }
            }
            Self::List(items) if path == "roles" || path == "messages" => {
                let kinds: BTreeSet<_> = items.iter().map(|item| item.kind(path)).collect();
                each(path, Some(kinds.into_iter().collect::<Vec<_>>().join("+")));
            }
            other => each(path, Some(other.compact())),
        }
    }

    fn kind(&self, path: &str) -> String {
        match self {
            Self::Leaf(text) if text.starts_with('"') && path == "messages" => "a text".into(),
            Self::Leaf(text) if text.starts_with('"') => "a role".into(),
            other => other.compact(),
        }
    }

    fn compact(&self) -> String {
        let joined = |parts: Vec<String>| parts.join(",");
        match self {
            Self::Leaf(text) => text.clone(),
            Self::List(items) => format!("[{}]", joined(items.iter().map(Self::compact).collect())),
            Self::Object(fields) => {
                let field = |(key, value): &(String, Self)| format!("{key:?}:{}", value.compact());
                format!("{{{}}}", joined(fields.iter().map(field).collect()))
            }
        }
    }

    /// What is asked, as it is written.
    fn asked(&self) -> String {
        let Self::Object(fields) = self else { return String::new() };
        let messages = fields.iter().find(|(key, _)| key == "messages");
        messages.map(|(_, value)| value.compact()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Leaf("null".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Leaf(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf(format!("{value:?}")))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Ordered, E> {
        serde_json::to_string(value).map(Ordered::Leaf).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Ordered::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Ordered, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Ordered::Object(fields))
    }
}
