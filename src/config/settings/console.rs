//! `console.*` and `health.*`: where a run can be looked at, and when it is not ready.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::seconds;

/// `console.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Where the metrics, health and a validator's page are served; `None` is nowhere.
    #[serde(deserialize_with = "listen")]
    pub listen: Option<SocketAddr>,
}

/// `health.*`: beyond one of these a neuron is not ready.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The oldest newest block.
    #[serde(deserialize_with = "seconds")]
    pub max_head_age: Duration,
    /// The oldest weights, in blocks.
    pub max_weights_age: u64,
    /// The longest time that the model does nothing although it is asked.
    #[serde(deserialize_with = "seconds")]
    pub max_model_silence: Duration,
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" { Ok(None) } else { text.parse().map(Some).map_err(serde::de::Error::custom) }
}
