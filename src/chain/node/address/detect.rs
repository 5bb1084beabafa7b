//! Asks the internet which address it sees.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, StatusCode, redirect};
use tokio::time::timeout;

/// Well-known services that answer with the caller's address as plain text and nothing else.
pub const SERVICES: [&str; 3] =
    ["https://checkip.amazonaws.com", "https://api.ipify.org", "https://ipv4.icanhazip.com"];

/// An address in text is never longer, with spaces and the end of line.
const MOST_BYTES: usize = 64;

/// How the internet is asked.
#[derive(Clone, Debug)]
pub struct Detection<'a> {
    /// The services; one that lies is outvoted by two that do not.
    pub services: &'a [&'a str],
    /// How long each is waited for; all are asked at once.
    pub patience: Duration,
}

impl Default for Detection<'static> {
    /// [`SERVICES`], five seconds.
    fn default() -> Self {
        Self { services: &SERVICES, patience: Duration::from_secs(5) }
    }
}

/// Why the services do not tell the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undetected {
    /// Not one gives an address; what is wrong with each.
    #[error("no service tells it ({})", .0.join("; "))]
    NoAnswer(Vec<String>),
    /// They see different addresses, and no majority the same, as behind several gateways.
    #[error("services see different addresses ({})", shown(.0))]
    Disagreement(Vec<IpAddr>),
    /// The client cannot be set up.
    #[error("no HTTP client: {0}")]
    Client(String),
}

fn shown(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Detection<'_> {
    /// The address that more than half of the services that answer see.
    ///
    /// The question is asked over the protocol in which the axon listens at `listening`: a machine
    /// has one address of each, and only one of them leads to the axon. Listening everywhere, it is
    /// IPv4, which more neurons reach.
    ///
    /// # Errors
    /// [`Undetected`].
    pub async fn ask(&self, listening: IpAddr) -> Result<IpAddr, Undetected> {
        let any = match listening.to_canonical() {
            IpAddr::V6(ip) if !ip.is_unspecified() => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let client = Client::builder()
            .local_address(any)
            // A proxy's address is not ours.
            .no_proxy()
            .redirect(redirect::Policy::none())
            // An address is short.
            .no_gzip()
            .no_deflate()
            .user_agent(concat!("sn1/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Undetected::Client(error.to_string()))?;
        let answers = self.services.iter().map(|service| self.seen_by(&client, service, any));
        let (seen, failures): (Vec<_>, Vec<_>) =
            join_all(answers).await.into_iter().partition(Result::is_ok);
        let seen: Vec<IpAddr> = seen.into_iter().filter_map(Result::ok).collect();
        if seen.is_empty() {
            return Err(Undetected::NoAnswer(
                failures.into_iter().filter_map(Result::err).collect(),
            ));
        }
        elected(seen)
    }

    /// The address that one service sees; or what is wrong, with the service's name.
    async fn seen_by(&self, client: &Client, service: &str, any: IpAddr) -> Result<IpAddr, String> {
        let answer = match timeout(self.patience, answer(client, service)).await {
            Ok(answer) => answer.map_err(|cause| format!("{service}: {cause}"))?,
            Err(_) => return Err(format!("{service}: no answer in {:?}", self.patience)),
        };
        let ip: Option<IpAddr> = answer.trim().parse().ok();
        ip.filter(|ip| ip.is_ipv4() == any.is_ipv4())
            .ok_or_else(|| format!("{service}: the answer is no address of the kind asked for"))
    }
}

/// The text that a service answers with.
async fn answer(client: &Client, service: &str) -> Result<String, String> {
    let mut response = client.get(service).send().await.map_err(|error| root_cause(&error))?;
    if response.status() != StatusCode::OK {
        return Err(format!("status {}", response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| root_cause(&error))? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err("the answer is too long for an address".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| "the answer is no text".to_owned())
}

/// What lies at the bottom of a client's error: its own text only repeats the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The address that more than half of the answers name.
fn elected(seen: Vec<IpAddr>) -> Result<IpAddr, Undetected> {
    let mut votes = BTreeMap::new();
    for ip in &seen {
        *votes.entry(*ip).or_insert(0_usize) += 1;
    }
    let winner = votes.iter().find(|(_, count)| **count * 2 > seen.len());
    winner.map(|(ip, _)| *ip).ok_or(Undetected::Disagreement(votes.into_keys().collect()))
}
