//! SIGHUP: reads the files of the configuration again, and applies what a running program can change.
//!
//! Flags and environment stay as they are. A log file is opened anew. On a terminal the signal is
//! left alone: there it means that the terminal is gone, and ends the program.

use std::io::IsTerminal;

use clap::ArgMatches;
use sn1_actors::runtime::Overseer;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::verbosity;
use crate::config::{FlagValues, Inputs, Loaded, Origins, Role, Settings, collect_flags};
use crate::telemetry::{Logs, Verbosity};

/// What is applied in every role.
const LOGGING: &[&str] = &["logging.debug", "logging.trace"];
/// What is applied in a miner besides.
const ADMISSION: &[&str] = &["axon.requests_per_second"];
/// As are all keys of this section.
const BLACKLIST: &str = "blacklist.";

/// What is read again, and how it was when it was read last.
pub(super) struct Reload {
    role: Role,
    flags: FlagValues,
    usual: Verbosity,
    logs: Logs,
    origins: Origins,
    hangups: Hangups,
}

/// The signal, from when this was made: before, it ends the program, so nothing else comes first.
pub(super) struct Hangups(Option<Signal>);

impl Hangups {
    /// Takes over the signal, unless there is a terminal.
    pub(super) fn watch() -> std::io::Result<Self> {
        match std::io::stdin().is_terminal() {
            true => Ok(Self(None)),
            false => Ok(Self(Some(signal(SignalKind::hangup())?))),
        }
    }
}

impl Reload {
    /// `loaded` is how the program began, `usual` how much it logs as a rule.
    pub(super) fn new(
        hangups: Hangups,
        role: Role,
        matches: &ArgMatches,
        loaded: &Loaded,
        usual: Verbosity,
        logs: &Logs,
    ) -> Self {
        let (flags, origins) = (collect_flags(matches), loaded.origins.clone());
        Self { role, flags, usual, logs: logs.clone(), origins, hangups }
    }

    /// Follows the signal as long as the program runs. Settings that have changed are handed to
    /// `apply`, which does what the role can do with them besides.
    pub(super) fn follow(mut self, overseer: &Overseer, apply: impl Fn(&Settings) + 'static) {
        let Some(mut hangup) = self.hangups.0.take() else { return };
        overseer.tasks().spawn("reload", async move {
            while hangup.recv().await.is_some() {
                if let Err(error) = self.logs.reopen() {
                    tracing::error!(%error, "the log cannot be opened anew and goes on where it was");
                }
                self.read_again(&apply);
            }
        });
    }

    fn read_again(&mut self, apply: &impl Fn(&Settings)) {
        let loaded = Settings::load(self.role, &Inputs::from_process(self.flags.clone()));
        let Loaded { settings, origins, .. } = match loaded {
            Ok(loaded) => loaded,
            Err(errors) => {
                tracing::error!("nothing of the configuration is changed: {errors}");
                return;
            }
        };
        let changed = changed(&self.origins, &origins);
        let (live, later): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|name| self.is_live(name));
        let mut overruled = Vec::new();
        if !live.is_empty() {
            apply(&settings);
            if !self.logs.set_verbosity(verbosity(&settings.logging, self.usual)) {
                overruled = live.iter().filter(|name| is_about_logs(name)).cloned().collect();
            }
        }
        for origin in origins.0 {
            let known = self.origins.0.iter_mut().find(|known| known.name == origin.name);
            // What needs a new start stays as this program has it, and is named the next time too.
            if let Some(known) = known.filter(|known| live.contains(&known.name)) {
                *known = origin;
            }
        }
        let applied = live.into_iter().filter(|name| !overruled.contains(name)).collect();
        tracing::warn!("the configuration is read again: {}", outcome(applied, overruled, later));
    }

    fn is_live(&self, name: &str) -> bool {
        let of_miner = ADMISSION.contains(&name) || name.starts_with(BLACKLIST);
        is_about_logs(name) || (self.role == Role::Miner && of_miner)
    }
}

/// The keys whose values are not the same.
fn changed(before: &Origins, now: &Origins) -> Vec<String> {
    let value = |origins: &Origins, name: &str| origins.find(name).map(|found| found.value.clone());
    let mut names: Vec<&String> =
        before.0.iter().chain(&now.0).map(|origin| &origin.name).collect();
    names.sort();
    names.dedup();
    let differ = names.into_iter().filter(|name| value(before, name) != value(now, name));
    differ.cloned().collect()
}

fn is_about_logs(name: &str) -> bool {
    LOGGING.contains(&name)
}

/// What came of the keys that changed.
fn outcome(applied: Vec<String>, overruled: Vec<String>, later: Vec<String>) -> String {
    let parts = [
        (applied, "applied"),
        (overruled, "changed, but RUST_LOG says how much is logged"),
        (later, "changed and needs a new start"),
    ];
    let told = parts.into_iter().filter(|(names, _)| !names.is_empty());
    let told: Vec<_> = told.map(|(names, what)| format!("{} {what}", names.join(", "))).collect();
    if told.is_empty() { "nothing has changed".to_owned() } else { told.join("; ") }
}
