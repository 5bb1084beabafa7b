//! A miner of another process that a local network admits.

use std::fmt;

use serde::Deserialize;
use sn1_actors::domain::Hotkey;

/// Where such a miner answers, and the key that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ExternalMiner {
    /// `HOST:PORT`, not resolved yet; IPv6 addresses are in brackets.
    pub place: String,
    /// The SS58 address of its hotkey.
    pub hotkey: Hotkey,
}

impl ExternalMiner {
    /// What [`Self::parse`] takes.
    pub const FORM: &str = "HOST:PORT=SS58";

    /// Reads `HOST:PORT=SS58`.
    ///
    /// # Errors
    /// Which part of the text is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, hotkey) = text.split_once('=').ok_or("without a `=`")?;
        let (host, port) = place.rsplit_once(':').ok_or("without a port")?;
        if host.is_empty() {
            return Err("without a host".to_owned());
        }
        if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
            return Err("with an IPv6 address that is not in brackets".to_owned());
        }
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err("with a port that is no number from 1 to 65535".to_owned());
        }
        let hotkey = crate::wire::ss58::decode(hotkey)
            .map_err(|error| format!("with a hotkey that is none: {error}"))
            .and_then(|_| Hotkey::parse(hotkey).map_err(|error| error.to_string()))?;
        Ok(Self { place: place.to_owned(), hotkey })
    }
}

impl TryFrom<String> for ExternalMiner {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl fmt::Display for ExternalMiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.place, self.hotkey)
    }
}
