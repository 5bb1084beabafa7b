//! How many connections one address may hold.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use parking_lot::Mutex;
use socket2::SockRef;

/// A peer that takes nothing of a reply for so long is gone.
const STALLED: Duration = Duration::from_secs(20);

/// Counts the connections of each address, and hangs up on one too many.
#[derive(Clone)]
pub(super) struct Connections {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place in the count; kept with the connection.
struct Place {
    source: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Connections {
    pub(super) fn at_most(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Counts a new connection for as long as `kept` lives.
    pub(super) fn admit(&self, stream: &dyn Any, kept: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TcpStream>() else { return };
        let socket = SockRef::from(stream);
        match stream.peer_addr().ok().and_then(|peer| self.take(source(peer.ip()))) {
            Some(place) => {
                kept.insert(place);
                if let Err(error) = socket.set_tcp_user_timeout(Some(STALLED)) {
                    tracing::debug!(%error, "a stalled connection will be noticed late");
                }
            }
            // The server sees the end of the stream and forgets it.
            None => {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }

    fn take(&self, source: IpAddr) -> Option<Place> {
        let mut open = self.open.lock();
        let count = open.entry(source).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { source, open: Arc::clone(&self.open) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

/// Who is counted together: whoever has one IPv6 address has the 2^64 beside it.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_source_its_places_and_takes_them_back() {
        let connections = Connections::at_most(2);
        let take = |ip: &str| connections.take(source(ip.parse().unwrap()));
        let held = (take("10.0.0.1"), take("::ffff:10.0.0.1"));
        assert!(held.0.is_some() && held.1.is_some() && take("10.0.0.1").is_none());
        assert!(take("10.0.0.2").is_some());
        drop(held);
        assert!(take("10.0.0.1").is_some());
        assert!(connections.open.lock().is_empty(), "nobody is remembered for ever");
    }

    #[test]
    fn counts_an_ipv6_network_as_one() {
        let of = |ip: &str| source(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
