//! Connections that wait for the next request to the same axon.
//!
//! Nobody drives a connection while it waits, and no task sweeps the pool: whoever comes drops what
//! waited too long, and looks at a connection before it is used. A validator that asks nobody for a
//! while therefore holds up to [`MAX_IDLE`] sockets of peers that hung up, until it asks again or
//! the transport is dropped; that is bounded, and costs the peers nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::domain::Moment;
use sn1_actors::ports::Clock;

use super::connection::Connection;

/// Python axons hang up on a connection that was idle for 5 seconds (wire.md §7); leave earlier.
const MAX_IDLE_TIME: Duration = Duration::from_secs(4);
/// The most connections that wait for the same axon; further ones are those of a burst.
const MAX_IDLE_EACH: usize = 2;
/// The most that wait in all: one for each neuron of a subnet, a quarter of the files that a process
/// may usually open.
const MAX_IDLE: usize = 256;

/// Idle connections, a bounded number for a bounded time.
pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    /// The oldest first.
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Moment,
}

impl Pool {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, idle: Mutex::default() }
    }

    /// A connection on which this axon waits for a request, as far as one can know.
    pub(super) async fn take(&self, address: SocketAddr) -> Option<Connection> {
        while let Some(mut connection) = self.newest(address) {
            // The runtime looks at its sockets between tasks; before, it may not know what came.
            tokio::task::yield_now().await;
            if connection.is_idle().await {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps the connection for the next request, if it can carry one.
    pub(super) async fn put(&self, mut connection: Connection) {
        if !connection.is_idle().await {
            return;
        }
        let mut idle = self.idle.lock();
        let since = self.clock.now();
        let mut dropped = expired(&mut idle, since);
        let address = connection.address();
        let mut same = (0..idle.len()).filter(|at| idle[*at].connection.address() == address);
        let oldest = same.next().filter(|_| same.count() + 1 >= MAX_IDLE_EACH);
        let oldest = oldest.or((idle.len() >= MAX_IDLE).then_some(0));
        dropped.extend(oldest.and_then(|at| idle.remove(at)));
        idle.push_back(Idle { connection, since });
        // Nobody has to wait while sockets are closed.
        drop(idle);
    }

    fn newest(&self, address: SocketAddr) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let _dropped_after_the_lock = expired(&mut idle, self.clock.now());
        let at = idle.iter().rposition(|idle| idle.connection.address() == address);
        let found = at.and_then(|at| idle.remove(at));
        drop(idle);
        Some(found?.connection)
    }
}

/// Takes out what has waited too long.
fn expired(idle: &mut VecDeque<Idle>, now: Moment) -> Vec<Idle> {
    let end = idle.partition_point(|idle| now.since(idle.since) >= MAX_IDLE_TIME);
    idle.drain(..end).collect()
}
