//! Which chain is meant.

use serde::Deserialize;

use super::none_is_empty;

/// `subtensor.*`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subtensor {
    /// Name of the network; `None` is none yet.
    #[serde(default)]
    pub network: Option<String>,
    /// `ws://` or `wss://` addresses that replace the network's own, in the order in which they are
    /// tried; none takes the network's own.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub chain_endpoint: Vec<String>,
}

/// The networks that have a name, and their official nodes.
pub const NETWORKS: &[(&str, &str)] = &[
    ("finney", "wss://entrypoint-finney.opentensor.ai:443"),
    ("test", "wss://test.finney.opentensor.ai:443"),
    ("archive", "wss://archive.chain.opentensor.ai:443"),
    ("local", "ws://127.0.0.1:9944"),
];
