//! The ports that are listened on: free, and allowed to this user.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::{Case, Finding};
use crate::config::Role;

const CHECK: &str = "ports";

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let settings = &case.settings;
    let axon = match case.role {
        Role::Validator => !settings.neuron.axon_off,
        Role::Miner => true,
        // Its miners take any that are free.
        Role::Localnet => false,
    };
    let gateway = case.role != Role::Miner && settings.gateway.enabled;
    let (axon_at, gateway_at) = (&settings.axon, &settings.gateway);
    let mut wanted = Vec::new();
    if axon {
        wanted.push(("axon.port", SocketAddr::from((axon_at.ip, axon_at.port))));
    }
    if gateway {
        wanted.push(("gateway.port", SocketAddr::from((gateway_at.ip, gateway_at.port))));
    }
    wanted.extend(settings.console.listen.map(|address| ("console.listen", address)));
    let mut findings = Vec::new();
    for (at, (key, address)) in wanted.iter().enumerate() {
        let one = wanted[..at].iter().find(|(_, other)| clash(*address, *other));
        findings.extend(one.map(|(other, _)| {
            let seen = format!("{other} and {key} are both {}", address.port());
            Finding::failing(CHECK, seen, format!("set {key} to another one"))
        }));
    }
    findings.extend(wanted.iter().map(|(key, address)| judge(key, *address, listen(*address))));
    findings
}

/// Whether two addresses cannot both be listened on.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (any || one.ip() == other.ip())
}

/// Listens for an instant, in the way of the servers.
fn listen(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

fn judge(key: &str, address: SocketAddr, tried: io::Result<()>) -> Finding {
    let Err(error) = tried else {
        return Finding::ok(CHECK, format!("{address} ({key}) is free"));
    };
    let port = address.port();
    let (seen, cure) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            format!("{address} ({key}) is taken by another process"),
            format!("stop what listens there (`ss -ltnp sport = :{port}` names it), or set {key}"),
        ),
        io::ErrorKind::PermissionDenied => (
            format!("{address} ({key}) is not allowed to this user: it is below 1024"),
            format!("set {key} to one from 1024 on, or give the program CAP_NET_BIND_SERVICE"),
        ),
        io::ErrorKind::AddrNotAvailable => (
            format!(
                "{} ({}) is no address of this machine",
                address.ip(),
                key.replace("port", "ip")
            ),
            format!(
                "set {} to one of this machine, or to 0.0.0.0 for all",
                key.replace("port", "ip")
            ),
        ),
        _ => (format!("{address} ({key}) cannot be listened on: {error}"), format!("set {key}")),
    };
    Finding::failing(CHECK, seen, cure)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn why_a_port_cannot_be_had_decides_the_cure() {
        let at = SocketAddr::from(([127, 0, 0, 1], 80));
        let of = |kind: io::ErrorKind| judge("axon.port", at, Err(kind.into()));
        assert!(of(io::ErrorKind::PermissionDenied).cure.unwrap().contains("CAP_NET_BIND_SERVICE"));
        assert!(of(io::ErrorKind::AddrNotAvailable).cure.unwrap().contains("axon.ip"));
        assert!(of(io::ErrorKind::AddrInUse).cure.unwrap().contains(":80"));
        assert_eq!(judge("axon.port", at, Ok(())).verdict, Verdict::Ok);
    }
}
