//! A validator at work, from its first conversation to its last.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::join;
use sn1_actors::pacer::Pacer;
use sn1_actors::ports::{JournalError, in_time};
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::Validator;

use super::signals::Signals;
use super::view::View;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::wiring::validator;

/// How long the gateway's last replies may take to leave.
const LAST_REPLIES: Duration = Duration::from_secs(2);

/// Runs conversations until the steps are done or somebody says stop, and lets those under way end.
pub(super) async fn run(
    overseer: &Overseer,
    validator: &Validator,
    settings: &Settings,
    signals: &mut Signals,
    view: &View,
    door: Option<&ServerStopper>,
) -> anyhow::Result<Exit> {
    let pacer = Pacer { steps: settings.run.steps, ..validator.pacer.clone() };
    let unwritable = |error: JournalError| Ended::new(Exit::File, error);
    tokio::select! {
        done = pacer.run() => done.map_err(unwritable)?,
        () = signals.next() => {
            validator.log.want(Some(0));
            view.say("stopping after the conversations under way; Ctrl-C again ends at once");
        }
        () = overseer.kill().dead() => {}
    }
    tokio::select! {
        // A fault drops the conversations too, and must not be taken for their end.
        biased;
        () = overseer.kill().dead() => ended(overseer),
        () = signals.next() => Ok(Exit::Interrupted),
        ((), ()) = join(
            validator::drained(validator),
            closed(overseer, validator, settings.neuron.timeout, door),
        ) => Ok(Exit::Done),
    }
}

/// Stops the gateway, and lets the users who are in it have their answers: what comes after is the
/// end of the scores, the journal and the program.
async fn closed(
    overseer: &Overseer,
    validator: &Validator,
    timeout: Duration,
    door: Option<&ServerStopper>,
) {
    let Some(door) = door else { return };
    let clock = overseer.clock();
    let mut stopping = pin!(door.stop());
    let mut drained = pin!(validator::users_drained(&*clock, validator, timeout));
    let all = tokio::select! {
        () = &mut stopping => drained.await,
        all = &mut drained => {
            // The last replies leave. Connections that are only kept open are not waited for.
            let _ = in_time(&*clock, LAST_REPLIES, stopping).await;
            all
        }
    };
    if !all {
        tracing::warn!("some users' queries are still under way at the end and are broken off");
    }
}

/// How a program ends whose parts are stopped.
///
/// # Errors
/// The fault that stopped them, if it was one.
pub(super) fn ended(overseer: &Overseer) -> anyhow::Result<Exit> {
    let Some(fault) = overseer.kill().fault() else { return Ok(Exit::Done) };
    let message = format!("{}: {}", fault.part, fault.cause);
    Err(Ended::new(fault.kind.into(), message).into())
}
