//! A validator at work, from its first conversation to its last.

use sn1_actors::pacer::Pacer;
use sn1_actors::ports::JournalError;
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::Validator;

use super::signals::Signals;
use super::view::View;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::wiring::validator;

/// Runs conversations until the steps are done or somebody says stop, and lets those under way end.
pub(super) async fn run(
    overseer: &Overseer,
    validator: &Validator,
    settings: &Settings,
    signals: &mut Signals,
    view: &View,
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
        () = validator::drained(validator) => Ok(Exit::Done),
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
