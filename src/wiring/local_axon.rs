//! An axon's HTTP server in front of its actor.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sn1_actors::axon::{Admit, Knock, Refusal};
use sn1_actors::runtime::{AskError, Fault, FaultKind, Overseer};
use sn1_actors::wiring::Miner;

use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::wire::{AxonDoor, AxonOptions, AxonServer, Keypair, Seat, UuidSource};

/// Serves an axon: every request is put to whoever stands behind the door. Gives its address and
/// what stops it.
///
/// # Errors
/// If the address cannot be listened on.
pub fn serve(
    overseer: &Overseer,
    address: SocketAddr,
    keypair: Arc<Keypair>,
    options: AxonOptions,
    door: AxonDoor,
) -> anyhow::Result<(SocketAddr, ServerStopper)> {
    let bound = AxonServer::bind(address).map_err(|error| Ended::new(Exit::Address, error))?;
    let uuids = Arc::new(UuidSource::from_entropy());
    let running = bound.run(keypair, overseer.clock(), uuids, options, door)?;
    let (address, stopper) = (running.address(), running.stopper());
    let kill = overseer.kill().clone();
    overseer.tasks().spawn("http", async move {
        // Whoever is not reachable any more must not look as if it served.
        if let Err(error) = running.serve().await {
            let (kind, part) = (FaultKind::GaveUp, "the axon's HTTP server".into());
            kill.trip(Fault { kind, part, cause: error.to_string() });
        }
    });
    Ok((address, stopper))
}

/// A door that lets nobody in, and tells everybody why.
#[must_use]
pub fn closed(why: &'static str) -> AxonDoor {
    Arc::new(move |_| Box::pin(ready(Err(Refusal::new(404, why)))))
}

/// A miner's door: knocks at its actor, and gives whoever that lets in a seat there.
#[must_use]
pub fn door(miner: Miner) -> AxonDoor {
    let Miner { knock, admit } = miner;
    Arc::new(move |caller| {
        let (knock, admit) = (knock.clone(), admit.clone());
        Box::pin(async move {
            let timeout = caller.head.timeout;
            let deadline = knock.within(timeout);
            let message = Knock { head: caller.head, ping: caller.ping };
            let pass = flatten(knock.ask(message, deadline).await, timeout)?;
            let seat: Seat = Box::new(move |query, pieces| {
                Box::pin(async move {
                    flatten(admit.ask(Admit { pass, query, pieces }, deadline).await, timeout)
                })
            });
            Ok(seat)
        })
    })
}

fn flatten<T>(
    answer: Result<Result<T, Refusal>, AskError>,
    timeout: Duration,
) -> Result<T, Refusal> {
    answer.unwrap_or_else(|error| {
        Err(match error {
            AskError::Deadline => Refusal::timed_out(timeout),
            AskError::Interrupted | AskError::Gone => Refusal::internal(error.to_string()),
        })
    })
}
