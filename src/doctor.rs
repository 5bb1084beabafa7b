//! `sn1 doctor`: looks for what would stop a neuron, or make it earn less than it could, and names the
//! cure.
//!
//! [`examine`] makes every check that a role needs, those that wait at the same time and each within a
//! deadline. A check that cannot be made is a warning that says why. Nothing is changed: no folder is
//! made, nothing is signed or sent to the chain, no model is pulled, nobody is asked for a password,
//! and no coldkey is opened.
//!
//! Left out: whether the internet reaches the axon's port, which only others could tell, and a file
//! system that never answers: its check is given up, and the program waits for it when it ends.

mod chain;
mod clock;
mod configuration;
mod disk;
mod gateway;
mod machine;
mod models;
mod neuron;
mod ports;
mod sources;
mod state;
mod wallet;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all, ready};
use serde::Serialize;
use sn1_actors::domain::{Hotkey, Netuid};
use sn1_actors::ports::{Clock, in_time};
use sn1_actors::text::shown::harmless;
use tokio::task::spawn_blocking;

use crate::config::{ConfigErrors, Loaded, Role, Settings};
use crate::wiring::joining::Joining;

/// A check that takes longer is given up. A chain's next block is waited for nearly as long.
const PATIENCE: Duration = Duration::from_secs(14);
/// What lies on this machine's disks is there sooner, or not at all.
const DISK_PATIENCE: Duration = Duration::from_secs(5);
/// Characters of a line; more is a stranger's text.
const LONGEST: usize = 600;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it ought to be.
    Ok,
    /// It works, but not as well as it could, or it could not be looked at.
    Warning,
    /// A start would be refused, or the neuron would earn nothing.
    Failing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failing => "failing",
        })
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, by a name that stays; several lines may be of one check.
    pub check: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was seen, in one line.
    pub seen: String,
    /// The next step, in one line; none where all is well.
    pub cure: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, seen: impl AsRef<str>) -> Self {
        Self { check, verdict: Verdict::Ok, seen: line(seen.as_ref()), cure: None }
    }

    fn warning(check: &'static str, seen: impl AsRef<str>, cure: impl AsRef<str>) -> Self {
        let (seen, cure) = (line(seen.as_ref()), Some(line(cure.as_ref())));
        Self { check, verdict: Verdict::Warning, seen, cure }
    }

    fn failing(check: &'static str, seen: impl AsRef<str>, cure: impl AsRef<str>) -> Self {
        Self { verdict: Verdict::Failing, ..Self::warning(check, seen, cure) }
    }

    /// Of an error, whose text ends with the next step, as the errors of this program do; where it
    /// does not, the cure is `otherwise`.
    fn of_error(check: &'static str, error: &dyn fmt::Display, otherwise: &str) -> Self {
        let text = error.to_string();
        let (seen, cure) = match (text.rsplit_once("; "), text.rsplit_once(": set ")) {
            (Some((seen, cure)), _) => (seen, cure.to_owned()),
            (None, Some((seen, rest))) => (seen, format!("set {rest}")),
            (None, None) => (text.as_str(), otherwise.to_owned()),
        };
        Self::failing(check, seen, cure)
    }

    fn or_warning(self) -> Self {
        Self { verdict: self.verdict.min(Verdict::Warning), ..self }
    }
}

/// One line without control characters, cut: paths, nodes and sources write into it.
fn line(text: &str) -> String {
    let words: String = text.chars().take(LONGEST).map(harmless).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How it is looked.
pub struct Visit {
    /// Nobody else is asked: no chain, no source on a network, no model server.
    pub offline: bool,
    /// The development key that the neuron is started with in place of its wallet, as `//Alice`.
    pub uri: Option<String>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What the checks are about.
struct Case {
    role: Role,
    settings: Settings,
    /// The subnet that the settings name, if they name one.
    joining: Option<Joining>,
    /// The neuron's key, where it can be told without a password.
    hotkey: Option<Hotkey>,
    offline: bool,
    clock: Arc<dyn Clock>,
}

/// Makes every check of a role, in a fixed order. With a configuration that cannot be read there is
/// nothing else to look at.
pub async fn examine(
    role: Role,
    loaded: Result<Loaded, ConfigErrors>,
    visit: Visit,
) -> Vec<Finding> {
    let mut findings = configuration::read(&loaded);
    let Ok(loaded) = loaded else { return findings };
    let (joining, refused) = configuration::joining(role, &loaded.settings);
    findings.extend(refused);
    findings.extend(configuration::refusals(role, &loaded.settings, joining.as_ref()));
    let Visit { offline, uri, clock } = visit;
    let settings = loaded.settings.clone();
    let mut case = Case { role, settings, joining, hotkey: None, offline, clock };
    if role != Role::Localnet {
        let looked = off_thread(move || wallet::look(&loaded, uri.as_deref()));
        let (of_wallet, hotkey) = case.soon("wallet", looked).await.unwrap_or_else(untold);
        findings.extend(of_wallet);
        case.hotkey = hotkey;
    }
    let case = &case;
    let groups: Vec<LocalBoxFuture<'_, Vec<Finding>>> = vec![
        Box::pin(state::look(case)),
        Box::pin(disk::look(case)),
        Box::pin(machine::look(case)),
        Box::pin(ready(ports::look(case))),
        Box::pin(models::look(case)),
        Box::pin(sources::look(case)),
        Box::pin(gateway::look(case)),
        Box::pin(chain::look(case)),
    ];
    findings.extend(join_all(groups).await.into_iter().flatten());
    findings
}

fn untold(finding: Finding) -> (Vec<Finding>, Option<Hotkey>) {
    (vec![finding], None)
}

impl Case {
    /// The neuron, where its subnet and its key are known.
    fn neuron(&self) -> Option<(Netuid, &Hotkey)> {
        Some((self.joining.as_ref()?.netuid, self.hotkey.as_ref()?))
    }

    /// What a check comes to, if it does in time.
    async fn bounded<T>(
        &self,
        check: &'static str,
        patience: Duration,
        answer: impl Future<Output = T>,
    ) -> Result<T, Finding> {
        in_time(&*self.clock, patience, answer).await.ok_or_else(|| {
            let seen = format!("not known: nothing came in {} s", patience.as_secs());
            Finding::warning(check, seen, "try again; what hangs may be overloaded or away")
        })
    }

    /// As [`Self::bounded`], of what lies on this machine and may not be looked at by a thread that
    /// has others to serve.
    async fn soon<T>(
        &self,
        check: &'static str,
        looked: impl Future<Output = Option<T>>,
    ) -> Result<T, Finding> {
        self.bounded(check, DISK_PATIENCE, looked).await?.ok_or_else(|| {
            let cure = "report it with this line as a fault of sn1";
            Finding::warning(check, "not known: the check itself broke off", cure)
        })
    }
}

/// Runs what may wait for a disk; nothing comes of what panics.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    spawn_blocking(work).await.ok()
}

/// A number of bytes, for people.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes = bytes as f64;
    if bytes >= 1e9 { format!("{:.1} GB", bytes / 1e9) } else { format!("{:.1} MB", bytes / 1e6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_is_what_an_errors_text_ends_with() {
        let of = |text: &str| {
            let finding = Finding::of_error("x", &text, "look");
            (finding.seen, finding.cure.unwrap())
        };
        let parted = |seen: &str, cure: &str| (seen.to_owned(), cure.to_owned());
        assert_eq!(of("a; b: c; do d"), parted("a; b: c", "do d"));
        assert_eq!(of("a names none: set --b"), parted("a names none", "set --b"));
        assert_eq!(of("a"), parted("a", "look"));
    }

    #[test]
    fn a_stranger_writes_one_line() {
        let finding = Finding::ok("x", format!("a\u{1b}[2J\n{}", "b".repeat(9_000)));
        assert!(finding.seen.starts_with("a [2J b") && finding.seen.len() <= LONGEST);
    }
}
