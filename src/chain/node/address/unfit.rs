//! Which addresses the internet at large does not reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not reached from the internet (the special-purpose registries of RFC 6890).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// `0.0.0.0`, `::` and the rest of `0.0.0.0/8`.
    #[error("no address of one machine")]
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    #[error("a loopback address")]
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `fc00::/7`.
    #[error("a private address")]
    Private,
    /// `169.254.0.0/16`, `fe80::/10`.
    #[error("a link-local address")]
    LinkLocal,
    /// `100.64.0.0/10`.
    #[error("an address behind a provider's NAT (CGNAT, 100.64.0.0/10)")]
    Cgnat,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    #[error("an address for documentation")]
    Documentation,
    /// `224.0.0.0/4`, `ff00::/8`.
    #[error("a multicast address")]
    Multicast,
    /// What else has no machine behind it: benchmarks, protocols, future use.
    #[error("a reserved address")]
    Reserved,
}

/// What is wrong with an address; an IPv4 address mapped into IPv6 is judged as what it is.
pub(super) fn of(ip: IpAddr) -> Option<Unfit> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => of_v4(ip),
        IpAddr::V6(ip) => of_v6(ip),
    }
}

fn of_v4(ip: Ipv4Addr) -> Option<Unfit> {
    match ip.octets() {
        [0, ..] => Some(Unfit::Unspecified),
        [100, 64..=127, ..] => Some(Unfit::Cgnat),
        _ if ip.is_loopback() => Some(Unfit::Loopback),
        _ if ip.is_private() => Some(Unfit::Private),
        _ if ip.is_link_local() => Some(Unfit::LinkLocal),
        _ if ip.is_documentation() => Some(Unfit::Documentation),
        _ if ip.is_multicast() => Some(Unfit::Multicast),
        [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => Some(Unfit::Reserved),
        _ => None,
    }
}

fn of_v6(ip: Ipv6Addr) -> Option<Unfit> {
    match ip.segments() {
        _ if ip.is_unspecified() => Some(Unfit::Unspecified),
        _ if ip.is_loopback() => Some(Unfit::Loopback),
        _ if ip.is_unique_local() => Some(Unfit::Private),
        _ if ip.is_unicast_link_local() => Some(Unfit::LinkLocal),
        _ if ip.is_multicast() => Some(Unfit::Multicast),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Unfit::Documentation),
        // Only 2000::/3 is given to machines so far.
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Unfit::Reserved),
    }
}
