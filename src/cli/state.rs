//! `sn1 state`: the validator's score book, looked at, carried elsewhere and brought in.

use std::fs::{File, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use sn1_actors::domain::{Hotkey, Score};
use sn1_actors::ports::{Ledger, ScoreBook};

use super::chain::Node;
use super::{flag, json_flag, output, settings, switch};
use crate::chain::node::metagraph::read_at;
use crate::chain::node::neuron;
use crate::config::{Role, Settings, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::ledger::LedgerFile;
use crate::ledger::portable::PortableState;
use crate::ledger::torch;
use crate::wallet::{KeyKind, WalletFolder, state as key_state};
use crate::wiring::joining::{self, Joining};
use crate::wiring::state_folder;

/// The settings that say whose book is meant.
const BOOK: &[&str] = &["", "wallet", "logging"];
const BOOK_AND_CHAIN: &[&str] = &["", "wallet", "logging", "subtensor"];
/// A state is smaller by far.
const LARGEST_IMPORT: u64 = 64 << 20;

pub(super) fn command() -> Command {
    let show = with_book(Command::new("show"), BOOK)
        .about("Print steps, averages, and how the weights stand")
        .after_help(
            "Example:\n  sn1 state show --netuid 61 --wallet.name alice --wallet.hotkey validator1",
        )
        .arg(json_flag());
    let out = flag("out", "FILE")
        .value_parser(value_parser!(PathBuf))
        .help("a new file; standard output when left out");
    let export = with_book(Command::new("export"), BOOK)
        .about("Print the state as a JSON document, for `sn1 state import` elsewhere")
        .after_help(
            "Example:\n  sn1 state export --out state.json\n\nThe document holds steps, scores by \
             hotkey, the block of the last weights, and the salts of commits that are not revealed: \
             keep it to yourself until they are.",
        )
        .arg(out);
    let file = Arg::new("file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .required_unless_present("from-chain")
        .help("what to bring in");
    let chain = switch("from-chain")
        .conflicts_with("file")
        .help("take the weights that the hotkey has on chain for scores");
    let replace =
        switch("replace").help("also over a book that has scores; it is kept as …previous");
    let import = with_book(Command::new("import"), BOOK_AND_CHAIN)
        .about("Bring in a document of `sn1 state export`, the original's state.pt, or weights on chain")
        .after_help(
            "Examples:\n  sn1 state import state.json\n  sn1 state import \
             ~/.bittensor/miners/default/default/netuid1/validator/state.pt\n  sn1 state import \
             --from-chain --netuid 61 --subtensor.network test --wallet.name alice\n\nThe validator \
             must not be running. A state.pt is parsed and never run. Weights on chain are shares of \
             the largest, which becomes a score of 1: the order of miners is kept, not their scores. A \
             weight setting under way on this machine stays.",
        )
        .args([file, chain, replace]);

    Command::new("state")
        .about("Scores and weights that a validator keeps: show, export and import them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([show, export, import])
}

fn with_book(command: Command, sections: &[&str]) -> Command {
    let book = flag("book", "FILE")
        .value_parser(value_parser!(PathBuf))
        .help("a score book (scores.json); that of the wallet's hotkey when left out");
    add_flags_of(command.arg(book), sections)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 state --help`").into());
    };
    let path = match matches.get_one::<PathBuf>("book") {
        Some(path) => path.clone(),
        None => book_of_wallet(&settings(Role::Validator, matches)?, &format!("state {verb}"))?,
    };
    match verb {
        "show" => show(&path, matches.get_flag("json")),
        "export" => export(&path, matches.get_one::<PathBuf>("out")),
        _ => {
            let state = if matches.get_flag("from-chain") {
                on_chain(&settings(Role::Validator, matches)?).await?
            } else {
                in_file(matches.get_one::<PathBuf>("file").context("FILE is required")?)?
            };
            import(&path, state, matches.get_flag("replace"))
        }
    }
}

/// Where the validator of these settings keeps its book. The key itself is not opened.
fn book_of_wallet(settings: &Settings, command: &str) -> Result<PathBuf, Ended> {
    let netuid = joining::netuid(settings, command)?;
    Ok(state_folder(settings, netuid, &wallets_hotkey(settings)?).join("scores.json"))
}

/// The address of the wallet's hotkey.
pub(super) fn wallets_hotkey(settings: &Settings) -> Result<Hotkey, Ended> {
    let folder = WalletFolder::new(&settings.wallet).map_err(Ended::from)?;
    let Some(address) = key_state(&folder, KeyKind::Hotkey).address else {
        return Err(Ended::from(folder.missing(KeyKind::Hotkey)));
    };
    Hotkey::parse(&address).map_err(|error| Ended::new(Exit::File, error))
}

fn look(path: &Path) -> Result<ScoreBook, Ended> {
    let book = LedgerFile::look_at(path.to_owned()).load();
    let book = book.map_err(|error| Ended::new(Exit::File, error))?;
    if book == ScoreBook::default() {
        let message =
            format!("there are no scores at {}; --book names another score book", path.display());
        return Err(Ended::new(Exit::File, message));
    }
    Ok(book)
}

fn show(path: &Path, json: bool) -> anyhow::Result<Exit> {
    let book = look(path)?;
    if json {
        // What a commit hides is not shown.
        let intent = book.intent.as_ref().map(|intent| {
            let uids = intent.call.uids.len();
            json!({"begun": intent.begun, "uids": uids, "signed": intent.signed.is_some()})
        });
        output::json(&json!({
            "book": path,
            "steps": book.steps,
            "imported": book.imported,
            "weights_set": book.weights_set,
            "intent": intent,
            "commits_to_reveal": book.reveals.len(),
            "scores": book.scores,
        }))?;
        return Ok(Exit::Done);
    }
    let came = if book.imported { ", imported" } else { "" };
    output::line(&format!("book     {}\nsteps    {}{came}", path.display(), book.steps))?;
    let set = book.weights_set.map_or("never".to_owned(), |block| format!("in block {block}"));
    output::line(&format!("weights  {set}"))?;
    if let Some(intent) = &book.intent {
        let (begun, uids) = (intent.begun, intent.call.uids.len());
        let sent = if intent.signed.is_some() { "signed, outcome unknown" } else { "not sent" };
        output::line(&format!("under way since block {begun}: weights for {uids} uids, {sent}"))?;
    }
    if !book.reveals.is_empty() {
        output::line(&format!("commits to be revealed: {}", book.reveals.len()))?;
    }
    let mut scores: Vec<_> = book.scores.iter().collect();
    scores.sort_by(|(_, a), (_, b)| b.get().total_cmp(&a.get()));
    for (hotkey, score) in scores {
        output::line(&format!("{hotkey}  {:.4}", score.get()))?;
    }
    Ok(Exit::Done)
}

fn export(path: &Path, out: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let book = look(path)?;
    if book.intent.is_some() {
        tracing::warn!("a weight setting is under way; it is no part of the document");
    }
    let state = PortableState::of(&book);
    let Some(out) = out else {
        output::json(&state)?;
        return Ok(Exit::Done);
    };
    let text = serde_json::to_string_pretty(&state)?;
    // Salts are a secret until they are revealed.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Ended::new(Exit::File, format!("{}: {error}", out.display())))?;
    Ok(Exit::Done)
}

/// What a file holds.
fn in_file(file: &Path) -> Result<PortableState, Ended> {
    let failure = |cause: String| Ended::new(Exit::File, format!("{}: {cause}", file.display()));
    let mut text = Vec::new();
    File::open(file)
        .and_then(|file| file.take(LARGEST_IMPORT).read_to_end(&mut text))
        .map_err(|error| failure(error.to_string()))?;
    if torch::is_zip(&text) {
        torch::read(Cursor::new(text)).map_err(|error| failure(error.to_string()))
    } else {
        PortableState::read(&text).map_err(|error| failure(error.to_string()))
    }
}

/// The weights that the wallet's hotkey has on chain, each as a part of the largest.
async fn on_chain(settings: &Settings) -> Result<PortableState, Ended> {
    let hotkey = wallets_hotkey(settings)?;
    let Joining { netuid, endpoints } = Joining::of(settings, "state import --from-chain")?;
    let node = Node::connect(&endpoints).await?;
    let at = node.told(node.session.now().await)?;
    let metagraph = node.told(read_at(&node.session, &at, netuid).await)?;
    let uid = joining::registered(&metagraph, &hotkey)?.uid;
    let weights = node.told(neuron::weights(&node.session, &at, netuid, uid).await)?;
    if weights.is_empty() {
        let message = format!("uid {uid} ({hotkey}) has no weights on chain");
        return Err(Ended::new(Exit::Failed, message));
    }
    let scores = weights.into_iter().filter_map(|(to, weight)| {
        let neuron = metagraph.neurons.get(usize::from(to.0))?;
        Some((neuron.hotkey.clone(), Score::new(f64::from(weight) / f64::from(u16::MAX))))
    });
    Ok(PortableState::from_scores(0, scores.collect()))
}

/// Brings a state in.
fn import(path: &Path, state: PortableState, replace: bool) -> anyhow::Result<Exit> {
    let unwritable = |error| Ended::new(Exit::File, error);
    let ledger = LedgerFile::open(path.to_owned()).map_err(Ended::from)?;
    let here = match ledger.load() {
        Ok(book) if book.scores.is_empty() || replace => book,
        Ok(book) => {
            let message = format!(
                "{} has {} steps and scores of its own; `--replace` brings these in all the same",
                path.display(),
                book.steps
            );
            return Err(Ended::new(Exit::Usage, message).into());
        }
        Err(error) if replace => {
            tracing::warn!(%error, "nothing of it is taken over");
            ScoreBook::default()
        }
        Err(error) => return Err(unwritable(error).into()),
    };
    let (steps, hotkeys) = (state.steps, state.scores.len());
    ledger.save(&state.into_book(here)).map_err(unwritable)?;
    let path = path.display();
    output::line(&format!("{steps} steps and the scores of {hotkeys} hotkeys are now in {path}"))?;
    Ok(Exit::Done)
}
