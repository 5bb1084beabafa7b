//! A validator at work, from its first conversation to its last.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::join;
use sn1_actors::pacer::Pacer;
use sn1_actors::ports::{JournalError, in_time};
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::Validator;

use super::signals::{AtOnce, DRAIN, Hurry, Signals, Stop};
use super::view::View;
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::running_server::ServerStopper;
use crate::wiring::validator;

/// How long the gateway's last replies may take to leave.
const LAST_REPLIES: Duration = Duration::from_secs(2);
/// How long conversations that are broken off may take to say so.
const BREAKING_OFF: Duration = Duration::from_secs(1);

/// What a stop waits for.
const CONVERSATIONS: &str = "the conversations under way";

/// How a run came to its end.
pub(super) enum End {
    /// Its conversations have ended, or were broken off as there was no time; what follows has so
    /// much of it.
    InOrder(Hurry),
    /// A second signal ended it at once.
    AtOnce,
}

/// Runs conversations until the steps are done or somebody says stop, and lets those under way end.
pub(super) async fn run(
    overseer: &Overseer,
    validator: &Validator,
    settings: &Settings,
    signals: &mut Signals,
    view: &View,
    door: Option<&ServerStopper>,
) -> anyhow::Result<End> {
    let pacer = Pacer { steps: settings.run.steps, ..validator.pacer.clone() };
    let unwritable = |error: JournalError| Ended::new(Exit::Failed, error);
    let clock = overseer.clock();
    let mut hurry = Hurry::NONE;
    tokio::select! {
        done = pacer.run() => done.map_err(unwritable)?,
        stop = signals.next() => {
            validator.log.want(Some(0));
            hurry = Hurry::from_now(stop, &*clock);
            view.say(&stopping(stop, CONVERSATIONS, DRAIN));
        }
        () = overseer.kill().dead() => {}
    }
    let closed = closed(overseer, validator, settings.neuron.timeout, door);
    let all = join(validator::drained(validator), closed);
    let first = |stop| view.say(&stopping(stop, CONVERSATIONS, DRAIN));
    let drained = hurry.heeding(signals, DRAIN, &*clock, first, all);
    let drained = tokio::select! {
        // A fault drops the conversations too, and must not be taken for their end.
        biased;
        () = overseer.kill().dead() => return ended(overseer).map(|_| End::InOrder(Hurry::NONE)),
        drained = drained => drained,
    };
    match drained {
        Err(AtOnce) => return Ok(End::AtOnce),
        Ok(Some(_)) => {}
        Ok(None) => tracing::warn!("conversations that are still under way are broken off"),
    }
    Ok(End::InOrder(hurry))
}

/// What is said to who says stop while something is under way that may last so long after that.
pub(super) fn stopping(stop: Stop, under_way: &str, limit: Duration) -> String {
    match stop {
        Stop::Person => format!("stopping after {under_way}; Ctrl-C again ends at once"),
        Stop::Supervisor => {
            format!("stopping after {under_way}, in {} s at most", limit.as_secs())
        }
    }
}

/// Stops all actors, and lets conversations that are broken off by that say so in the journal.
pub(super) async fn stop_actors(overseer: &Overseer, validator: &Validator) {
    overseer.kill().stop();
    let mut users = validator.organic_log.tally();
    let all = join(validator::drained(validator), users.wait_for(|tally| tally.under_way() == 0));
    if in_time(&*overseer.clock(), BREAKING_OFF, all).await.is_none() {
        tracing::warn!("the journal does not have the end of some conversations");
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
