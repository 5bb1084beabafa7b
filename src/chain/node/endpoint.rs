//! Which chain is meant, where its nodes are, and whether it is a public one.
//!
//! This is the one place that knows the official addresses and what "on this machine" means: the
//! chain client connects by it, and the wallet refuses development keys by it.

use std::net::IpAddr;

use crate::config::{Loaded, NETWORKS, Origin, Place, Role};

const NETWORK: &str = "subtensor.network";
const ENDPOINT: &str = "subtensor.chain_endpoint";

/// The nodes of one chain, in the order in which they are tried; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    network: String,
    urls: Vec<String>,
    public: bool,
}

/// A setting that asks for a chain which others use too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicNetwork {
    /// The configuration key that asks for it.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Where that was written.
    pub place: Place,
}

/// `subtensor.network` has no address, and `subtensor.chain_endpoint` gives none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subtensor.network = `{network}` is no network that has an address here; it is one of finney, \
     test, archive, local, or give --subtensor.chain_endpoint"
)]
pub struct UnknownNetwork {
    /// What the key says.
    pub network: String,
}

impl Endpoints {
    /// The nodes that the settings name: those of `subtensor.chain_endpoint`, or else the network's
    /// own.
    ///
    /// # Errors
    /// [`UnknownNetwork`]; the checks of the configuration refuse such a name before.
    pub fn of(loaded: &Loaded) -> Result<Self, UnknownNetwork> {
        let subtensor = &loaded.settings.subtensor;
        let network = subtensor.network.clone();
        let urls = match subtensor.chain_endpoint.as_slice() {
            [] => vec![official(&network).ok_or(UnknownNetwork { network: network.clone() })?],
            urls => urls.to_vec(),
        };
        // A default network does not make a node on this machine a public one.
        let public = public_network(loaded).is_some() || !urls.iter().all(|url| is_local(url));
        Ok(Self { network, urls, public })
    }

    /// What `subtensor.network` says.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The addresses, `ws://` or `wss://`; never empty.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Whether others use this chain too: finney, test, archive, or any node that is not on this
    /// machine.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.public
    }
}

/// The address of a network that has a name, or the address that stands in place of a name.
fn official(network: &str) -> Option<String> {
    if is_address(network) {
        return Some(network.to_owned());
    }
    NETWORKS.iter().find(|(name, _)| *name == network).map(|(_, url)| (*url).to_owned())
}

fn is_address(text: &str) -> bool {
    text.starts_with("ws://") || text.starts_with("wss://")
}

/// The first setting that asks for a public network. The built-in defaults name finney, and so does
/// a copy of their file, as lies in the source's `config` folder; neither asks for anything.
#[must_use]
pub fn public_network(loaded: &Loaded) -> Option<PublicNetwork> {
    [NETWORK, ENDPOINT].into_iter().find_map(|key| {
        let origin = loaded.origins.find(key).filter(|origin| is_asked_for(origin))?;
        let value = texts(&origin.value).find(|value| !is_local(value))?.to_owned();
        Some(PublicNetwork { key, value, place: origin.place.clone() })
    })
}

/// The texts of a value that is one text, several or none.
fn texts(value: &serde_json::Value) -> impl Iterator<Item = &str> {
    let several = value.as_array().into_iter().flatten();
    several.filter_map(|item| item.as_str()).chain(value.as_str())
}

fn is_asked_for(origin: &Origin) -> bool {
    match &origin.place {
        Place::Default => false,
        Place::File { path, .. } => !std::fs::read_to_string(path)
            .is_ok_and(|text| Role::ALL.iter().any(|role| role.defaults() == text)),
        Place::Environment(_) | Place::Flag(_) => true,
    }
}

/// Whether a network's name or a chain's address means this machine.
#[must_use]
pub fn is_local(value: &str) -> bool {
    if value == "local" {
        return true;
    }
    let Ok(address) = reqwest::Url::parse(value) else { return false };
    let Some(host) = address.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FlagValue, Inputs, Settings};

    fn endpoints(flags: &[(&str, &str)]) -> Endpoints {
        let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        inputs.flags.values = flags
            .iter()
            .map(|(key, value)| FlagValue { key: (*key).into(), values: vec![(*value).into()] })
            .collect();
        Endpoints::of(&Settings::load(Role::Validator, &inputs).unwrap()).unwrap()
    }

    #[test]
    fn every_network_has_its_own_node() {
        for (network, url, public) in [
            ("finney", "wss://entrypoint-finney.opentensor.ai:443", true),
            ("test", "wss://test.finney.opentensor.ai:443", true),
            ("archive", "wss://archive.chain.opentensor.ai:443", true),
            ("local", "ws://127.0.0.1:9944", false),
            ("wss://node.example:443", "wss://node.example:443", true),
            ("ws://127.0.0.1:9945", "ws://127.0.0.1:9945", false),
        ] {
            let endpoints = endpoints(&[(NETWORK, network)]);
            assert_eq!(endpoints.urls(), [url]);
            assert_eq!(endpoints.is_public(), public, "{network}");
        }
    }

    #[test]
    fn only_the_host_says_whether_a_node_is_on_this_machine() {
        for local in ["local", "ws://localhost:9944", "wss://[::1]:9944/path", "ws://127.0.0.9"] {
            assert!(is_local(local), "{local}");
        }
        for other in
            ["finney", "ws://localhost.example", "ws://localhost@node.example", "", "ws://"]
        {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn endpoints_replace_the_networks_own_in_their_order() {
        let two = endpoints(&[(ENDPOINT, "wss://a.example,ws://127.0.0.1:9944")]);
        assert_eq!(two.urls(), ["wss://a.example", "ws://127.0.0.1:9944"]);
        assert!(two.is_public(), "one public node is enough");
    }

    #[test]
    fn a_node_on_this_machine_is_public_only_where_a_public_network_was_asked_for() {
        let node = (ENDPOINT, "ws://127.0.0.1:9944");
        assert!(!endpoints(&[node]).is_public());
        assert!(!endpoints(&[(NETWORK, "local"), node]).is_public());
        assert!(endpoints(&[(NETWORK, "finney"), node]).is_public());
        assert!(endpoints(&[]).is_public(), "the default network is a public one");
    }
}
