//! How many connections one address may hold, and for how long without asking anything; for our HTTP
//! servers, the axon's, the gateway's and the console's.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use parking_lot::Mutex;
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;
use socket2::{SockRef, Socket};

/// A peer that takes nothing of a reply for so long is gone.
const STALLED: Duration = Duration::from_secs(20);

/// Counts the connections of each address, hangs up on one too many, and on one that asks nothing.
///
/// The HTTP library bounds the time of a connection's first head and of silence between requests,
/// but neither that of a later head which comes byte by byte, nor that of a body which nobody reads.
#[derive(Clone)]
pub(crate) struct Connections {
    /// Of one source.
    most: usize,
    /// How long a connection may be without a request under way.
    quiet: Duration,
    clock: Arc<dyn Clock>,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    counts: HashMap<IpAddr, usize>,
    watched: HashMap<u64, Arc<Watched>>,
    next: u64,
}

/// One connection.
struct Watched {
    socket: Socket,
    /// Since when no request is under way; nothing while one is.
    quiet_since: Mutex<Option<Moment>>,
}

/// A connection's place in the count; kept with the connection.
pub(crate) struct Place {
    source: IpAddr,
    number: u64,
    watched: Arc<Watched>,
    clock: Arc<dyn Clock>,
    open: Arc<Mutex<Open>>,
}

/// A request is under way on a connection, from its head to the end of its reply.
pub(crate) struct Busy {
    watched: Arc<Watched>,
    clock: Arc<dyn Clock>,
}

impl Connections {
    pub(crate) fn new(most: usize, quiet: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { most, quiet, clock, open: Arc::default() }
    }

    /// Counts a new connection for as long as `kept` lives.
    pub(crate) fn admit(&self, stream: &dyn Any, kept: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TcpStream>() else { return };
        let socket = SockRef::from(stream);
        let place = stream.peer_addr().and_then(|peer| {
            let watched = socket.try_clone()?;
            watched.set_tcp_user_timeout(Some(STALLED))?;
            Ok(self.take(source(peer.ip()), watched))
        });
        match place {
            Ok(Some(place)) => {
                kept.insert(place);
            }
            // The server sees the end of the stream and forgets it.
            Ok(None) | Err(_) => {
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }

    /// Hangs up on every connection that has had no request for too long.
    pub(crate) fn close_quiet(&self) {
        let now = self.clock.now();
        for watched in self.open.lock().watched.values() {
            let since = *watched.quiet_since.lock();
            if since.is_some_and(|since| now.since(since) >= self.quiet) {
                let _ = watched.socket.shutdown(Shutdown::Both);
            }
        }
    }

    fn take(&self, source: IpAddr, socket: Socket) -> Option<Place> {
        let mut open = self.open.lock();
        let count = open.counts.entry(source).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let number = open.next;
        open.next += 1;
        let quiet_since = Mutex::new(Some(self.clock.now()));
        let watched = Arc::new(Watched { socket, quiet_since });
        open.watched.insert(number, Arc::clone(&watched));
        let (clock, open) = (Arc::clone(&self.clock), Arc::clone(&self.open));
        Some(Place { source, number, watched, clock, open })
    }
}

impl Place {
    /// A request has come.
    pub(crate) fn busy(&self) -> Busy {
        *self.watched.quiet_since.lock() = None;
        Busy { watched: Arc::clone(&self.watched), clock: Arc::clone(&self.clock) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.watched.quiet_since.lock() = Some(self.clock.now());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        open.watched.remove(&self.number);
        if let Some(count) = open.counts.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.counts.remove(&self.source);
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
    use socket2::{Domain, Type};

    use super::*;
    use sn1_actors::ports::TokioClock;

    #[test]
    fn gives_each_source_its_places_and_takes_them_back() {
        let clock = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
        let connections = Connections::new(2, Duration::ZERO, clock);
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let take = |ip: &str| connections.take(source(ip.parse().unwrap()), socket());
        let held = (take("10.0.0.1"), take("::ffff:10.0.0.1"));
        assert!(held.0.is_some() && held.1.is_some() && take("10.0.0.1").is_none());
        assert!(take("10.0.0.2").is_some());
        drop(held);
        assert!(take("10.0.0.1").is_some());
        let open = connections.open.lock();
        assert!(open.counts.is_empty() && open.watched.is_empty(), "nobody is kept for ever");
    }

    #[test]
    fn counts_an_ipv6_network_as_one() {
        let of = |ip: &str| source(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
