//! One given value, read as the kind that its key takes.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use figment::value::{Empty, Tag, Value};

use super::keys::{Key, Kind};
use super::problem::{ProblemKind, shortened, shown};

/// More items than this in a list were given by mistake.
const MAX_ITEMS: usize = 1_024;

/// A value as its layer has it.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// From a file.
    Toml(&'a toml::Value),
    /// From the environment or a flag: a list is separated by commas or spaces.
    Text(&'a str),
}

/// The value in the one form that every later step can rely on: integers as `u64`, numbers and
/// seconds as finite `f64`, paths without `~` where there is a home folder, an optional key that
/// is unset as nothing.
pub(super) fn read(key: &Key, given: Given<'_>, home: Option<&Path>) -> Result<Value, ProblemKind> {
    if key.optional && given.text() == Some("") {
        return Ok(Value::Empty(Tag::Default, Empty::None));
    }
    let value = match key.kind {
        Kind::Bool => given.bool().map(Value::from),
        Kind::Integer { min, max } => {
            given.integer().filter(|number| (min..=max).contains(number)).map(Value::from)
        }
        Kind::Float(range) | Kind::Seconds(range) => {
            given.float().filter(|number| range.contains(*number)).map(Value::from)
        }
        Kind::Text => given.text().map(Value::from),
        Kind::Ip => given.text().and_then(ip).map(|ip| Value::from(ip.to_string())),
        Kind::Listen => given.text().filter(|text| listen(text)).map(Value::from),
        Kind::Path => given.path(home).map(Value::from),
        Kind::PathList => given.list(|item| item.path(home)).map(Value::from),
        Kind::TextList | Kind::Repeated => {
            given.list(|item| item.text().map(str::to_owned)).map(Value::from)
        }
        Kind::FloatList(range) => {
            given.list(|item| item.float().filter(|n| range.contains(*n))).map(Value::from)
        }
    };
    value.ok_or_else(|| ProblemKind::BadValue {
        key: key.name.to_owned(),
        expected: expected(key.kind),
        found: if key.is_secret() { "***".to_owned() } else { given.shown() },
    })
}

fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

fn listen(text: &str) -> bool {
    text == "off" || text.parse::<SocketAddr>().is_ok()
}

fn expected(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Integer { min, max: u64::MAX } => format!("a whole number from {min}"),
        Kind::Integer { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Float(range) => format!("a number {range}"),
        Kind::Seconds(range) => format!("a number of seconds {range}"),
        Kind::Text => "a text".to_owned(),
        Kind::Ip => "an IP address".to_owned(),
        Kind::Listen => "an address as 127.0.0.1:9090, or off".to_owned(),
        Kind::Path => "a path".to_owned(),
        Kind::PathList => "a list of paths".to_owned(),
        Kind::TextList | Kind::Repeated => "a list of texts".to_owned(),
        Kind::FloatList(range) => format!("a list of numbers {range}"),
    }
}

impl<'a> Given<'a> {
    /// The value for a message: one line, shortened.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Text(text) => shown(text),
            Self::Toml(toml::Value::String(text)) => shown(text),
            Self::Toml(value) => shortened(&value.to_string()),
        }
    }

    fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Toml(value) => value.as_str(),
        }
    }

    fn path(self, home: Option<&Path>) -> Option<String> {
        let path = self.text().filter(|path| !path.is_empty())?;
        let expanded = match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) | (None, _) => path.into(),
        };
        expanded.to_str().map(str::to_owned)
    }

    fn bool(self) -> Option<bool> {
        match self {
            Self::Toml(value) => value.as_bool(),
            // Run scripts of the original write Python's `True`.
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
        }
    }

    fn integer(self) -> Option<u64> {
        match self {
            Self::Toml(value) => value.as_integer().and_then(|number| number.try_into().ok()),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }

    fn float(self) -> Option<f64> {
        let number = match self {
            Self::Toml(toml::Value::Integer(number)) => Some(*number as f64),
            Self::Toml(value) => value.as_float(),
            Self::Text(text) => text.trim().parse().ok(),
        };
        number.filter(|number: &f64| number.is_finite())
    }

    fn list<T>(self, item: impl Fn(Given<'_>) -> Option<T>) -> Option<Vec<T>> {
        let items: Option<Vec<T>> = match self {
            // As in the environment; a key that once took one text still does.
            Self::Toml(toml::Value::String(text)) => return Given::Text(text).list(item),
            Self::Toml(value) => {
                value.as_array()?.iter().map(|value| item(Given::Toml(value))).collect()
            }
            Self::Text(text) => text
                .split(|letter: char| letter == ',' || letter.is_whitespace())
                .filter(|part| !part.is_empty())
                .map(|part| item(Given::Text(part)))
                .collect(),
        };
        items.filter(|items| (1..=MAX_ITEMS).contains(&items.len()))
    }
}
