//! An axon's HTTP server in front of its actor.

use std::net::SocketAddr;
use std::sync::Arc;

use sn1_actors::axon::Admit;
use sn1_actors::runtime::{AskError, Overseer, Port};

use crate::exit::{Ended, Exit};
use crate::wire::server::AxonStopper;
use crate::wire::{AxonHandler, AxonOptions, AxonRefusal, AxonServer, Keypair, UuidSource};

/// Serves an axon: every request is put to `admit`. Gives its address and what stops it.
///
/// # Errors
/// If the address cannot be listened on.
pub fn serve(
    overseer: &Overseer,
    address: SocketAddr,
    keypair: Arc<Keypair>,
    admit: Port<Admit>,
) -> anyhow::Result<(SocketAddr, AxonStopper)> {
    let bound = AxonServer::bind(address).map_err(|error| Ended::new(Exit::Address, error))?;
    let uuids = Arc::new(UuidSource::from_entropy());
    let handler = handler(admit);
    let running = bound.run(keypair, overseer.clock(), uuids, AxonOptions::default(), handler)?;
    let (address, stopper) = (running.address(), running.stopper());
    overseer.tasks().spawn("http", async move {
        if let Err(error) = running.serve().await {
            tracing::error!(%error, "the axon's HTTP server ended");
        }
    });
    Ok((address, stopper))
}

fn handler(admit: Port<Admit>) -> AxonHandler {
    Arc::new(move |call| {
        let admit = admit.clone();
        Box::pin(async move {
            let timeout = call.head.timeout;
            let deadline = admit.within(timeout);
            let message = Admit { head: call.head, query: call.query };
            match admit.ask(message, deadline).await {
                Ok(Ok(completion)) => Ok(completion),
                Ok(Err(refusal)) => {
                    Err(AxonRefusal { status: refusal.status, message: refusal.message })
                }
                Err(AskError::Deadline) => Err(AxonRefusal::timed_out(timeout)),
                Err(AskError::Interrupted | AskError::Gone) => Err(AxonRefusal::internal()),
            }
        })
    })
}
