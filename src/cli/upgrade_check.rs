//! `sn1 upgrade-check`: whether another program can take over from the one that is set up here.
//!
//! Nothing is fetched, replaced or restarted. Of the candidate only what reads is run, after its hash
//! is what the operator expects: `--version`, `config check`, `config show` and `state show`.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sn1_actors::domain::Netuid;
use sn1_actors::ports::{Ledger, ScoreBook};
use tokio::task::spawn_blocking;

use super::chain::Node;
use super::state::wallets_hotkey;
use super::{flag, loaded, output, switch};
use crate::chain::node::rules;
use crate::config::{FlagValues, Role, Settings, add_config_flags, collect_flags};
use crate::exit::{Ended, Exit};
use crate::journal::SCHEMA_VERSION as JOURNAL;
use crate::ledger::{LedgerFile, SCHEMA as SCORE_BOOK};
use crate::models::process::{self, ChildError};
use crate::wiring::joining::Joining;
use crate::wiring::state_folder;

/// How long one question to the candidate may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is longer.
const LONGEST: u64 = 16 << 20;

/// What `--version` prints: of each kind of file the newest schema that is read.
pub(super) fn long_version() -> String {
    format!("{}\nscore book {SCORE_BOOK}\njournal {JOURNAL}", env!("CARGO_PKG_VERSION"))
}

pub(super) fn command() -> Command {
    let candidate = Arg::new("candidate")
        .value_name("PROGRAM")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("the sn1 that is to take over");
    let roles = [Role::Validator, Role::Miner].map(Role::as_str);
    let role = flag("role", "ROLE").default_value("validator").value_parser(roles);
    let command = Command::new("upgrade-check")
        .about("Say whether another sn1 can take over from this one; changes nothing")
        .after_help(
            "Examples:\n  sn1 upgrade-check ./sn1-new --config /etc/sn1/validator-test.toml\n  \
             sn1 upgrade-check ./sn1-new --role miner --config /etc/sn1/miner-test.toml --sha256 \
             9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\nGive the flags that \
             the role is started with. The new program is run only to read: its version, these \
             settings, and the validator's scores. Exit code 0 is yes, 1 is no or that something could \
             not be looked at; a line with ?? says what. Run it as the user who runs the neuron: \
             sudo -u sn1 sn1 upgrade-check …",
        )
        .arg(candidate)
        .arg(role.help("what it is to run as"))
        .arg(flag("sha256", "HEX").help("what its file must hash to, or it is not run at all"));
    let offline = switch("offline").help("leave out what only the chain tells");
    add_config_flags(command.arg(offline))
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let path = matches.get_one::<PathBuf>("candidate").cloned().unwrap_or_default();
    // A bare name would be read from this folder, and run from PATH.
    let path = path.canonicalize().map_err(|error| unreadable(&path, &error))?;
    let is_miner = matches.get_one::<String>("role").map(String::as_str) == Some("miner");
    let role = if is_miner { Role::Miner } else { Role::Validator };
    let settings = loaded(role, matches)?.settings;
    identify(&path, matches.get_one::<String>("sha256").map(String::as_str))?;
    let candidate = Candidate { path, role, flags: collect_flags(matches) };

    let (mut no, mut unknown) = (0, 0);
    let mut say = |finding: Finding| match finding {
        Finding::Yes(says) => output::line(&format!("ok  {says}")),
        Finding::No(says) => {
            no += 1;
            output::line(&format!("NO  {says}"))
        }
        Finding::Unknown(says) => {
            unknown += 1;
            output::line(&format!("??  {says}"))
        }
    };
    let version = candidate.version().await?;
    say(version.reads("score book", SCORE_BOOK))?;
    say(version.reads("journal", JOURNAL))?;
    say(candidate.accepts_settings().await)?;
    if role == Role::Validator {
        say(candidate.reads_scores(&settings).await)?;
        if !matches.get_flag("offline") {
            say(candidate.suits_chain(&settings).await)?;
        }
    }
    let message = match (no, unknown) {
        (0, 0) => {
            output::line("it can take over: stop this one, put it in its place, start it")?;
            return Ok(Exit::Done);
        }
        (0, unknown) => format!(
            "whether it can take over is not known: {unknown} times ?? above; mend what is missing \
             and ask again"
        ),
        (no, _) => format!("it cannot take over: {no} times NO above"),
    };
    Err(Ended::new(Exit::Failed, message).into())
}

/// One line of the answer.
enum Finding {
    Yes(String),
    No(String),
    /// It could not be looked at.
    Unknown(String),
}

impl From<Result<String, String>> for Finding {
    /// An error is a no.
    fn from(found: Result<String, String>) -> Self {
        found.map_or_else(Self::No, Self::Yes)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Ended {
    Ended::new(Exit::File, format!("{} cannot be read: {error}", path.display()))
}

/// Prints the hash of the candidate, and refuses one that is not as expected.
fn identify(path: &Path, expected: Option<&str>) -> anyhow::Result<()> {
    let unreadable = |error| unreadable(path, &error);
    let mut hash = Sha256::new();
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    std::io::copy(&mut file, &mut hash).map_err(unreadable)?;
    let hash = hex::encode(hash.finalize());
    output::line(&format!("    sha256 {hash}"))?;
    match expected {
        Some(expected) if !expected.eq_ignore_ascii_case(&hash) => {
            let message = format!("{} has not the hash {expected}: it is not run", path.display());
            Err(Ended::new(Exit::Failed, message).into())
        }
        _ => Ok(()),
    }
}

/// What the candidate says of itself.
struct Version(String);

impl Version {
    /// Whether it reads what this program writes.
    fn reads(&self, kind: &str, ours: u32) -> Finding {
        let number = |line: &str| line.strip_prefix(kind)?.trim().parse::<u32>().ok();
        match self.0.lines().find_map(number) {
            Some(theirs) if theirs >= ours => {
                Finding::Yes(format!("{kind}: it reads schema {theirs}, this one writes {ours}"))
            }
            Some(theirs) => Finding::No(format!(
                "{kind}: it reads schema {theirs} at most, this one writes {ours}"
            )),
            None => Finding::No(format!("{kind}: it does not say which schema it reads")),
        }
    }
}

/// The program that is to take over.
struct Candidate {
    path: PathBuf,
    role: Role,
    flags: FlagValues,
}

impl Candidate {
    async fn version(&self) -> anyhow::Result<Version> {
        let said = self.asked(&["--version"]).await;
        let said = said.map_err(|cause| Ended::new(Exit::Failed, cause))?;
        let first = said.lines().next().unwrap_or_default();
        if !first.starts_with("sn1 ") {
            let message = format!("{} is no sn1", self.path.display());
            return Err(Ended::new(Exit::Failed, message).into());
        }
        let ours = env!("CARGO_PKG_VERSION");
        output::line(&format!("    {}, in place of sn1 {ours}", output::shown(first, 60)))?;
        Ok(Version(said))
    }

    async fn accepts_settings(&self) -> Finding {
        let said = self.asked_of_settings("check", &[]).await;
        said.map(|_| format!("settings: a {} of it starts with these", self.role.as_str())).into()
    }

    async fn reads_scores(&self, settings: &Settings) -> Finding {
        let place = settings.netuid.ok_or("netuid is not set".to_owned()).and_then(|netuid| {
            let hotkey = wallets_hotkey(settings).map_err(|ended| ended.message)?;
            Ok(state_folder(settings, Netuid(netuid), &hotkey).join("scores.json"))
        });
        let path = match place {
            Ok(path) => path,
            Err(cause) => return Finding::Unknown(format!("scores: not looked for, as {cause}")),
        };
        match LedgerFile::look_at(path.clone()).is_there() {
            Ok(true) => self.reads_scores_at(&path).await.into(),
            Ok(false) => Finding::Yes(format!("scores: there are none yet at {}", path.display())),
            Err(error) => Finding::Unknown(format!("scores: {}: {error}", path.display())),
        }
    }

    async fn reads_scores_at(&self, path: &Path) -> Result<String, String> {
        let text = path.display().to_string();
        let before = book(path).await?;
        if before == ScoreBook::default() {
            return Ok(format!("scores: there are none yet in {text}"));
        }
        let said = self.asked(&["state", "show", "--json", "--book", &text]).await?;
        // The validator may be running, and save a step meanwhile.
        let after = book(path).await?;
        let theirs: Value =
            serde_json::from_str(&said).map_err(|error| format!("scores: {error}"))?;
        let (steps, scores) = (theirs["steps"].as_u64(), theirs["scores"].as_object());
        let has_steps = steps.filter(|steps| (before.steps..=after.steps).contains(steps));
        let (few, many) = match (before.scores.len(), after.scores.len()) {
            (one, other) if one <= other => (one, other),
            (one, other) => (other, one),
        };
        let has_scores = scores.is_some_and(|scores| (few..=many).contains(&scores.len()));
        match has_steps {
            Some(steps) if has_scores => {
                Ok(format!("scores: it reads the {steps} steps of {text}"))
            }
            _ => Err(format!("scores: it reads something else in {text} than this one")),
        }
    }

    async fn suits_chain(&self, settings: &Settings) -> Finding {
        let version = match self.sets_weights_as().await {
            Ok(version) => version,
            Err(cause) => return Finding::No(format!("chain: {cause}")),
        };
        let Ok(joining) = Joining::of(settings, "upgrade-check") else {
            let cause = "the settings name none; with --offline it is left out";
            return Finding::Unknown(format!("chain: not asked, as {cause}"));
        };
        let asked = async {
            let node = Node::connect(&joining.endpoints).await?;
            node.told(rules::read(&node.session, joining.netuid).await)
        };
        match asked.await {
            Err(ended) => Finding::Unknown(format!("chain: not known: {}", ended.message)),
            Ok(rules) if rules.weights.weights_version <= version => {
                let least = rules.weights.weights_version;
                Finding::Yes(format!("chain: it sets weights as {version}, {least} is asked for"))
            }
            Ok(rules) => {
                let least = rules.weights.weights_version;
                Finding::No(format!(
                    "chain: it sets weights as {version}, but {least} is asked for"
                ))
            }
        }
    }

    async fn sets_weights_as(&self) -> Result<u64, String> {
        let said = self.asked_of_settings("show", &["--json"]).await?;
        let shown: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let version = shown["weights.spec_version"]["value"].as_u64();
        version.ok_or_else(|| "it does not say which version it sets weights as".to_owned())
    }

    /// What `config VERB` prints for the settings that were given here.
    async fn asked_of_settings(&self, verb: &str, more: &[&str]) -> Result<String, String> {
        let mut words: Vec<String> =
            ["config", verb, "--role", self.role.as_str()].map(str::to_owned).to_vec();
        words.extend(more.iter().map(|word| (*word).to_owned()));
        for overlay in &self.flags.overlays {
            words.extend(["--config".to_owned(), overlay.display().to_string()]);
        }
        for flag in &self.flags.values {
            // A list follows its flag; a single value is tied to it, as it may begin with a dash.
            if let [value] = flag.values.as_slice() {
                words.push(format!("--{}={value}", flag.key));
                continue;
            }
            words.push(format!("--{}", flag.key));
            words.extend(flag.values.iter().cloned());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.asked(&words).await
    }

    /// What it prints, if it ends well.
    async fn asked(&self, words: &[&str]) -> Result<String, String> {
        let called = words.join(" ");
        let mut command = std::process::Command::new(&self.path);
        command.args(words);
        let Output { status, stdout, stderr } =
            process::output(command, PATIENCE, LONGEST).await.map_err(|error| match error {
                ChildError::Io(error) => format!("{}: {error}", self.path.display()),
                ChildError::TooLong => {
                    format!("`{called}` takes longer than {} seconds", PATIENCE.as_secs())
                }
            })?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&stderr);
        Err(format!("`{called}` fails: {}", output::shown(complaint.trim(), 400)))
    }
}

/// What this program reads of a score book.
async fn book(path: &Path) -> Result<ScoreBook, String> {
    let file = LedgerFile::look_at(path.to_owned());
    let loaded = spawn_blocking(move || file.load()).await.map_err(|error| error.to_string())?;
    loaded.map_err(|error| format!("scores: {error}"))
}
