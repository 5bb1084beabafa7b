//! `gateway.*`: the door for API users.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use sn1_actors::organic::Choose;

use super::{none_is_empty, seconds};

/// How API users' queries are taken and answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Whether there is one.
    pub enabled: bool,
    /// Address to listen on.
    pub ip: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Origins whose web pages may ask.
    #[serde(default, deserialize_with = "none_is_empty")]
    pub cors_origins: Vec<String>,
    /// Which answer a user gets.
    pub choose: Choose,
    /// Queries under way at a time, from 1.
    pub in_flight: usize,
    /// The time from one round of queries to the next, on average: rounds go out at moments that do
    /// not depend on who asks. Zero sends each at once.
    #[serde(deserialize_with = "seconds")]
    pub rhythm: Duration,
    /// The longest request, in bytes.
    pub max_body: usize,
    /// Queries whose answers are scored at a time, and more in all than the validator has steps of its
    /// own; those beyond are not.
    pub scored: usize,
    /// Write users' texts into the journal.
    pub log_texts: bool,
}
