//! Which address a neuron publishes for its axon: what the configuration says, else what can be told
//! from where it listens, else what the internet sees ([`detect`]).
//!
//! An address that nobody else reaches is never published on a public network: the neuron would look
//! well and get no request. Whether the port is open is not tried here: nobody outside is asked to.

mod detect;
mod unfit;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use detect::{Detection, SERVICES, Undetected};
pub use unfit::Unfit;

/// Who is on the chain, which decides who has to reach the axon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Anybody on the internet.
    Public,
    /// Programs on this machine or near it, as with a development chain. Nothing outside is asked.
    Local,
}

/// The part of `axon.*` that is about addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxonPlace {
    /// `axon.ip`, where the axon listens.
    pub ip: IpAddr,
    /// `axon.port`, where it listens.
    pub port: u16,
    /// `axon.external_ip`, what to publish.
    pub external_ip: Option<IpAddr>,
    /// `axon.external_port`, what to publish; the port where it listens, if it is not set.
    pub external_port: Option<u16>,
}

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `axon.external_ip`.
    ExternalIp,
    /// `axon.ip`.
    Ip,
    /// The services that were asked.
    Detected,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ExternalIp => "axon.external_ip =",
            Self::Ip => "axon.ip =",
            Self::Detected => "the address that the internet sees,",
        })
    }
}

/// Why no address is published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nobody outside reaches it.
    #[error(
        "{from} {ip} cannot be published on a public network: it is {unfit}, so that no other \
         neuron reaches it; set axon.external_ip to the address at which the internet reaches this \
         machine"
    )]
    Unreachable {
        /// Where it is from.
        from: Source,
        /// The address.
        ip: IpAddr,
        /// What is wrong with it.
        unfit: Unfit,
    },
    /// The chain takes no such address.
    #[error(
        "{from} {ip} cannot be published: the chain refuses exactly this address; set \
         axon.external_ip to another one of this machine (with axon.ip = 0.0.0.0 127.0.0.2 will do \
         on a local chain)"
    )]
    RefusedByChain {
        /// Where it is from.
        from: Source,
        /// The address.
        ip: IpAddr,
    },
    /// The chain takes no port 0.
    #[error("{key} = 0 cannot be published: set it to the port at which others reach this axon")]
    NoPort {
        /// The setting.
        key: &'static str,
    },
    /// The address is not set, and could not be found out.
    #[error(
        "the address to publish could not be found out: {0}; set axon.external_ip to the address at \
         which the internet reaches this machine"
    )]
    Undetected(#[from] Undetected),
}

/// The address to publish. Asks the services of `detection` only on a public network, and only where
/// neither `axon.external_ip` nor `axon.ip` says it.
///
/// # Errors
/// [`AddressError`], whose text names the setting, its value, what is wrong and what to do.
pub async fn published(
    place: AxonPlace,
    network: Network,
    detection: &Detection<'_>,
) -> Result<SocketAddr, AddressError> {
    let (ip, source) = match from_settings(place, network) {
        Some(known) => known,
        None => (detection.ask(place.ip).await?, Source::Detected),
    };
    checked(ip, source, place, network)
}

/// The address to publish, where the settings say it.
fn from_settings(place: AxonPlace, network: Network) -> Option<(IpAddr, Source)> {
    if let Some(ip) = place.external_ip {
        return Some((ip, Source::ExternalIp));
    }
    match network {
        // Unspecified means every address: on the same machine this one, which the chain takes.
        Network::Local if place.ip.is_unspecified() => Some((LOCAL, Source::Ip)),
        Network::Local => Some((place.ip, Source::Ip)),
        // An axon that listens at one public address is reached there and nowhere else.
        Network::Public => unfit::of(place.ip).is_none().then_some((place.ip, Source::Ip)),
    }
}

/// What an axon on the chain's own machine publishes: the chain refuses 127.0.0.1 (chain.md §2).
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Refuses what nobody reaches, and what the chain would refuse.
fn checked(
    ip: IpAddr,
    source: Source,
    place: AxonPlace,
    network: Network,
) -> Result<SocketAddr, AddressError> {
    let (port, key) = match place.external_port {
        Some(port) => (port, "axon.external_port"),
        None => (place.port, "axon.port"),
    };
    if port == 0 {
        return Err(AddressError::NoPort { key });
    }
    // An IPv4 address in IPv6's clothes is published as what it is.
    let plain = ip.to_canonical();
    match (network, unfit::of(plain)) {
        (Network::Public, Some(unfit)) => {
            Err(AddressError::Unreachable { from: source, ip, unfit })
        }
        _ if refused_by_chain(plain) => Err(AddressError::RefusedByChain { from: source, ip }),
        _ => Ok(SocketAddr::from((plain, port))),
    }
}

/// The addresses that `serve_axon` refuses (chain.md §2).
fn refused_by_chain(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST, Ipv4Addr::BROADCAST].contains(&ip)
        }
        IpAddr::V6(ip) => [Ipv6Addr::UNSPECIFIED, Ipv6Addr::LOCALHOST].contains(&ip),
    }
}

#[cfg(test)]
mod tests;
