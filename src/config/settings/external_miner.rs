//! A miner of another process that a local network admits.

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

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn reads_names_and_addresses_of_both_kinds() {
        for place in ["127.0.0.1:9000", "miner.example:1", "[::1]:65535"] {
            let miner = ExternalMiner::parse(&format!("{place}={ALICE}")).unwrap();
            assert_eq!((miner.place.as_str(), miner.hotkey.as_str()), (place, ALICE));
        }
    }

    #[test]
    fn says_which_part_is_wrong() {
        for (text, wrong) in [
            (String::new(), "without a `=`"),
            ("127.0.0.1:9000".to_owned(), "without a `=`"),
            (format!("127.0.0.1={ALICE}"), "without a port"),
            (format!(":9000={ALICE}"), "without a host"),
            (format!("::1:9000={ALICE}"), "brackets"),
            (format!("127.0.0.1:0={ALICE}"), "1 to 65535"),
            (format!("127.0.0.1:65536={ALICE}"), "1 to 65535"),
            (format!("127.0.0.1:x={ALICE}"), "1 to 65535"),
            ("127.0.0.1:1=".to_owned(), "Length is bad"),
            (format!("127.0.0.1:1={}", ALICE.replace('Q', "R")), "Invalid checksum"),
            (format!("127.0.0.1:1={ALICE}={ALICE}"), "hotkey"),
        ] {
            let error = ExternalMiner::parse(&text).unwrap_err();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
