//! Which chain is meant, where its nodes are, and whether it is a public one.
//!
//! This is the one place that knows the official addresses and what "on this machine" means: the
//! chain client connects by it, and the wallet refuses development keys by it.

use crate::config::{Loaded, NETWORKS, Place, Subtensor};
use crate::loopback::is_loopback;

/// The hash of the main network's block 0.
const FINNEY_GENESIS: [u8; 32] = [
    0x2f, 0x05, 0x55, 0xcc, 0x76, 0xfc, 0x28, 0x40, 0xa2, 0x5a, 0x6e, 0xa3, 0xb9, 0x63, 0x71, 0x46,
    0x80, 0x6f, 0x1f, 0x44, 0xb0, 0x90, 0xc1, 0x75, 0xff, 0xde, 0x2a, 0x7e, 0x5a, 0xb3, 0x6c, 0x03,
];

const NETWORK: &str = "subtensor.network";
const ENDPOINT: &str = "subtensor.chain_endpoint";

/// The nodes of one chain, in the order in which they are tried; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    name: String,
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

impl Endpoints {
    /// The nodes that the settings name: those of `subtensor.chain_endpoint`, or else the network's
    /// own. None where they name neither.
    #[must_use]
    pub fn of(settings: &Subtensor) -> Option<Self> {
        let Subtensor { network, chain_endpoint } = settings;
        let urls = match (chain_endpoint.as_slice(), network) {
            ([], Some(network)) => vec![official(network)?],
            (urls, _) => urls.to_vec(),
        };
        let name = network.clone().or_else(|| urls.first().cloned())?;
        // A node of a public network may well run on this machine.
        let public = !network.iter().chain(&urls).all(|asked| is_local(asked));
        Some(Self { name, urls, public })
    }

    /// What `subtensor.network` says, or else the first address.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.name
    }

    /// The addresses, `ws://` or `wss://`; never empty.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Whether a chain that begins with this block may be the one that is meant. A node of finney on
    /// this machine, or a tunnel to one, passes for local until it shows its first block.
    #[must_use]
    pub fn admits(&self, genesis: [u8; 32]) -> bool {
        self.public || genesis != FINNEY_GENESIS
    }

    /// Whether this is the first block of another chain than the one that is named: the main network's
    /// where another was asked for, or any other where that was. Of the others no first block is known.
    #[must_use]
    pub fn is_another_chain(&self, genesis: [u8; 32]) -> bool {
        let names_main = matches!(self.name.as_str(), "finney" | "archive");
        let names_other = !self.public || self.name == "test";
        match genesis == FINNEY_GENESIS {
            true => names_other,
            false => names_main,
        }
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

/// The first setting that asks for a public network.
#[must_use]
pub fn public_network(loaded: &Loaded) -> Option<PublicNetwork> {
    [NETWORK, ENDPOINT].into_iter().find_map(|key| {
        let origin = loaded.origins.find(key)?;
        let value = texts(&origin.value).find(|value| !is_local(value))?.to_owned();
        Some(PublicNetwork { key, value, place: origin.place.clone() })
    })
}

/// The texts of a value that is one text, several or none.
fn texts(value: &serde_json::Value) -> impl Iterator<Item = &str> {
    let several = value.as_array().into_iter().flatten();
    several.filter_map(|item| item.as_str()).chain(value.as_str())
}

/// Whether a network's name or a chain's address means this machine.
#[must_use]
pub fn is_local(value: &str) -> bool {
    if value == "local" {
        return true;
    }
    reqwest::Url::parse(value).is_ok_and(|address| is_loopback(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(network: Option<&str>, urls: &[&str]) -> Option<Endpoints> {
        let chain_endpoint = urls.iter().map(|url| (*url).to_owned()).collect();
        Endpoints::of(&Subtensor { network: network.map(str::to_owned), chain_endpoint })
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
            let endpoints = endpoints(Some(network), &[]).unwrap();
            assert_eq!((endpoints.network(), endpoints.urls()), (network, &[url.to_owned()][..]));
            assert_eq!(endpoints.is_public(), public, "{network}");
        }
    }

    #[test]
    fn there_is_no_default() {
        assert_eq!(endpoints(None, &[]), None);
    }

    #[test]
    fn endpoints_replace_the_networks_own_in_their_order() {
        let two = endpoints(Some("local"), &["wss://a.example", "ws://127.0.0.1:9944"]).unwrap();
        assert_eq!(two.urls(), ["wss://a.example", "ws://127.0.0.1:9944"]);
        assert!(two.is_public(), "one public node is enough");
    }

    #[test]
    fn a_node_on_this_machine_is_public_only_where_a_public_network_was_asked_for() {
        let node = ["ws://127.0.0.1:9944"];
        assert!(!endpoints(None, &node).unwrap().is_public());
        assert!(!endpoints(Some("local"), &node).unwrap().is_public());
        assert!(endpoints(Some("finney"), &node).unwrap().is_public());
    }

    #[test]
    fn the_main_network_on_this_machine_is_not_taken_for_a_local_chain() {
        let node = ["ws://127.0.0.1:9944"];
        let (unnamed, finney) = (endpoints(None, &node), endpoints(Some("finney"), &node));
        assert!(!unnamed.clone().unwrap().admits(FINNEY_GENESIS));
        assert!(unnamed.unwrap().admits([7; 32]), "a development chain");
        assert!(finney.unwrap().admits(FINNEY_GENESIS));
    }

    #[test]
    fn a_node_of_another_chain_than_the_one_that_is_named_is_told() {
        let node = ["wss://node.example"];
        for (network, main, other) in [
            (Some("finney"), false, true),
            (Some("archive"), false, true),
            (Some("test"), true, false),
            (None, false, false),
        ] {
            let endpoints = endpoints(network, &node).unwrap();
            assert_eq!(endpoints.is_another_chain(FINNEY_GENESIS), main, "{network:?}");
            assert_eq!(endpoints.is_another_chain([7; 32]), other, "{network:?}");
        }
        let local = endpoints(Some("local"), &[]).unwrap();
        assert!(local.is_another_chain(FINNEY_GENESIS) && !local.is_another_chain([7; 32]));
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
}
