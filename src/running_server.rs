//! What our three HTTP servers, the axon's, the gateway's and the console's, have in common: the address
//! that is listened on, the server while it accepts requests, and what stops it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use sn1_actors::ports::Clock;

use crate::connections::Connections;

/// How often quiet connections are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// An address that is listened on, before anything is accepted.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Bound {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub(crate) fn to(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }
}

/// A server that accepts requests; it can be stopped only while [`serve`](Self::serve) is polled.
pub struct RunningServer {
    server: Server,
    connections: Connections,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
}

impl RunningServer {
    /// A server that has begun, the connections that it counts, and where it listens.
    pub(crate) fn new(
        server: Server,
        connections: Connections,
        clock: Arc<dyn Clock>,
        address: SocketAddr,
    ) -> Self {
        Self { server, connections, clock, address }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> ServerStopper {
        ServerStopper(self.server.handle())
    }

    /// Resolves when the server has stopped.
    ///
    /// # Errors
    /// When it failed.
    pub async fn serve(self) -> io::Result<()> {
        let Self { mut server, connections, clock, .. } = self;
        loop {
            tokio::select! {
                ended = &mut server => return ended,
                () = clock.sleep(LOOK) => connections.close_quiet(),
            }
        }
    }
}

/// Stops a server from elsewhere.
#[derive(Clone, Debug)]
pub struct ServerStopper(ServerHandle);

impl ServerStopper {
    /// Accepts nothing more, and resolves when what is under way is answered, or after the seconds
    /// that the server allows for that.
    pub async fn stop(&self) {
        self.0.stop(true).await;
    }
}
