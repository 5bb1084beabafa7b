//! `sn1 upgrade-check`: whether another program can take over from the one that is set up here.
//!
//! Nothing is fetched, replaced or restarted. Of the candidate only what reads is run, after its hash
//! is what the operator expects: `--version`, `config check`, `config show` and `state show`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sn1_actors::domain::Netuid;
use sn1_actors::ports::{Ledger, in_time};
use tokio::task::spawn_blocking;

use super::chain::Node;
use super::state::wallets_hotkey;
use super::{flag, loaded, output};
use crate::chain::node::rules;
use crate::config::{FlagValues, Role, Settings, add_config_flags, collect_flags};
use crate::exit::{Ended, Exit};
use crate::journal::SCHEMA_VERSION as JOURNAL;
use crate::ledger::{LedgerFile, SCHEMA as SCORE_BOOK};
use crate::wiring::joining::Joining;
use crate::wiring::{state_folder, system_clock};

/// How long one question to the candidate may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether it has answered.
const LOOK: Duration = Duration::from_millis(20);
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
             sn1 upgrade-check ./sn1-new --role miner --config /etc/sn1/miner.toml --sha256 \
             9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\nGive the flags that \
             the role is started with. The new program is run only to read: its version, these \
             settings, and the validator's scores. Exit code 0 is yes, 1 is no.",
        )
        .arg(candidate)
        .arg(role.help("what it is to run as"))
        .arg(flag("sha256", "HEX").help("what its file must hash to, or it is not run at all"));
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let path = matches.get_one::<PathBuf>("candidate").cloned().unwrap_or_default();
    let is_miner = matches.get_one::<String>("role").map(String::as_str) == Some("miner");
    let role = if is_miner { Role::Miner } else { Role::Validator };
    let settings = loaded(role, matches)?.settings;
    identify(&path, matches.get_one::<String>("sha256").map(String::as_str))?;
    let candidate = Candidate { path, role, flags: collect_flags(matches) };

    let mut no = 0;
    let mut say = |finding: Result<String, String>| {
        no += usize::from(finding.is_err());
        match finding {
            Ok(says) => output::line(&format!("ok  {says}")),
            Err(says) => output::line(&format!("NO  {says}")),
        }
    };
    let version = candidate.version().await?;
    say(version.reads("score book", SCORE_BOOK))?;
    say(version.reads("journal", JOURNAL))?;
    say(candidate.accepts_settings().await)?;
    if role == Role::Validator {
        say(candidate.reads_scores(&settings).await)?;
        say(candidate.suits_chain(&settings).await)?;
    }
    if no == 0 {
        output::line("it can take over: stop this one, put it in its place, start it")?;
        return Ok(Exit::Done);
    }
    Err(Ended::new(Exit::Failed, format!("it cannot take over: {no} times NO above")).into())
}

/// Prints the hash of the candidate, and refuses one that is not as expected.
fn identify(path: &Path, expected: Option<&str>) -> anyhow::Result<()> {
    let unreadable = |error: std::io::Error| {
        Ended::new(Exit::File, format!("{} cannot be read: {error}", path.display()))
    };
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
    fn reads(&self, kind: &str, ours: u32) -> Result<String, String> {
        let number = |line: &str| line.strip_prefix(kind)?.trim().parse::<u32>().ok();
        match self.0.lines().find_map(number) {
            Some(theirs) if theirs >= ours => {
                Ok(format!("{kind}: it reads schema {theirs}, this one writes {ours}"))
            }
            Some(theirs) => {
                Err(format!("{kind}: it reads schema {theirs} at most, this one writes {ours}"))
            }
            None => Err(format!("{kind}: it does not say which schema it reads")),
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

    async fn accepts_settings(&self) -> Result<String, String> {
        let said = self.asked_of_settings("check", &[]).await;
        said.map(|_| format!("settings: a {} of it starts with these", self.role.as_str()))
    }

    async fn reads_scores(&self, settings: &Settings) -> Result<String, String> {
        let place = settings.netuid.ok_or("netuid is not set".to_owned()).and_then(|netuid| {
            let hotkey = wallets_hotkey(settings).map_err(|ended| ended.message)?;
            Ok(state_folder(settings, Netuid(netuid), &hotkey).join("scores.json"))
        });
        let path = match place {
            Ok(path) if path.exists() => path,
            Ok(path) => return Ok(format!("scores: there are none yet at {}", path.display())),
            Err(cause) => return Ok(format!("scores: not looked for, as {cause}")),
        };
        let ours = LedgerFile::look_at(path.clone()).load().map_err(|error| error.to_string())?;
        let text = path.display().to_string();
        let said = self.asked(&["state", "show", "--json", "--book", &text]).await?;
        let theirs: Value =
            serde_json::from_str(&said).map_err(|error| format!("scores: {error}"))?;
        let (steps, scores) = (theirs["steps"].as_u64(), theirs["scores"].as_object());
        if steps == Some(ours.steps) && scores.map(serde_json::Map::len) == Some(ours.scores.len())
        {
            return Ok(format!("scores: it reads the {} steps of {text}", ours.steps));
        }
        Err(format!("scores: it reads something else in {text} than this one"))
    }

    async fn suits_chain(&self, settings: &Settings) -> Result<String, String> {
        let said = self.asked_of_settings("show", &["--json"]).await?;
        let shown: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let version = shown["weights.spec_version"]["value"].as_u64();
        let version = version.ok_or("chain: it does not say which version it sets weights as")?;
        let Ok(joining) = Joining::of(settings, "upgrade-check") else {
            return Ok("chain: not asked, as the settings name none".to_owned());
        };
        let asked = async {
            let node = Node::connect(&joining.endpoints).await?;
            node.told(rules::read(&node.session, joining.netuid).await)
        };
        match asked.await {
            Err(ended) => Ok(format!("chain: not known: {}", ended.message)),
            Ok(rules) if rules.weights.weights_version <= version => {
                let least = rules.weights.weights_version;
                Ok(format!("chain: it sets weights as {version}, and {least} is asked for"))
            }
            Ok(rules) => {
                let least = rules.weights.weights_version;
                Err(format!("chain: it sets weights as {version}, but {least} is asked for"))
            }
        }
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
            // Repeated flags are repeated; a list follows its flag at once.
            words.push(format!("--{}", flag.key));
            words.extend(flag.values.iter().cloned());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.asked(&words).await
    }

    /// What it prints, if it ends well.
    async fn asked(&self, words: &[&str]) -> Result<String, String> {
        let called = words.join(" ");
        let child = std::process::Command::new(&self.path)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| format!("{}: {error}", self.path.display()))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = (spawn_blocking(|| text_of(out)), spawn_blocking(|| text_of(err)));
        let clock = system_clock();
        let ended = in_time(&*clock, PATIENCE, async {
            loop {
                match child.try_wait() {
                    Ok(None) => clock.sleep(LOOK).await,
                    Ok(Some(status)) => return status.success(),
                    Err(_) => return false,
                }
            }
        });
        let Some(well) = ended.await else {
            // It has ended by itself, or is ended here.
            let _ = child.kill().and_then(|()| child.wait());
            return Err(format!("`{called}` takes longer than {} seconds", PATIENCE.as_secs()));
        };
        let (out, err) = (out.await.unwrap_or_default(), err.await.unwrap_or_default());
        if well {
            return Ok(out);
        }
        Err(format!("`{called}` fails: {}", output::shown(err.trim(), 400)))
    }
}

/// What comes out of a pipe, as far as anybody wants it.
fn text_of(pipe: Option<impl Read>) -> String {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        // What cannot be read is missed by whoever reads the text.
        let _ = pipe.take(LONGEST).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}
