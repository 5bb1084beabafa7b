//! `sn1 weights show`: what the scores of a book come to on chain, as WeightSetter works it out.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use sn1_actors::domain::{
    BlockNumber, Coldkey, Hyperparameters, Metagraph, Netuid, Neuron, Tao, Uid,
};
use sn1_actors::ports::{Ledger, ScoreBook};
use sn1_actors::weight_setter::emit::{Emission, emission};

use super::{json_flag, output};
use crate::exit::{Ended, Exit};
use crate::ledger::LedgerFile;

pub(super) fn command() -> Command {
    let book = Arg::new("book")
        .long("book")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("a score book (scores.json); a run of localnet prints where its own is");
    let show = Command::new("show")
        .about("Print every moving average and the weight it comes to")
        .after_help("Example:\n  sn1 weights show --book scores.json")
        .args([book, json_flag()]);
    Command::new("weights")
        .about("Look at scores and weights")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(show)
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some(("show", matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 weights --help`").into());
    };
    let path = matches.get_one::<PathBuf>("book").context("--book is required")?;
    if !path.exists() {
        let message = format!("there is no score book at {}", path.display());
        return Err(Ended::new(Exit::File, message).into());
    }
    let book = LedgerFile::look_at(path.clone()).load();
    let book = book.map_err(|error| Ended::new(Exit::File, error))?;
    let metagraph = everyone(&book)?;
    let (uids, values) = match emission(&book.scores, &metagraph, &NO_RULES) {
        Emission::Weights { uids, values } => (uids, values),
        Emission::NothingEarned => (Vec::new(), Vec::new()),
    };
    let weight = |uid: Uid| {
        let place = uids.iter().position(|other| *other == uid);
        place.and_then(|place| values.get(place)).copied().unwrap_or(0)
    };
    let rows = metagraph.neurons.iter().zip(book.scores.values());
    if matches.get_flag("json") {
        let rows = rows.map(|(neuron, score)| {
            json!({"hotkey": neuron.hotkey, "score": score, "weight": weight(neuron.uid)})
        });
        let rows: Vec<_> = rows.collect();
        output::json(&json!({
            "steps": book.steps,
            "weights_set": book.weights_set,
            "miners": rows,
        }))?;
        return Ok(Exit::Done);
    }
    output::line(&format!("{} steps", book.steps))?;
    for (neuron, score) in rows {
        let (hotkey, weight) = (&neuron.hotkey, weight(neuron.uid));
        output::line(&format!("{hotkey}  {:.4}  {weight:>5}", score.get()))?;
    }
    Ok(Exit::Done)
}

/// No subnet is asked, so none of its rules binds.
const NO_RULES: Hyperparameters = Hyperparameters {
    tempo: 0,
    weights_rate_limit: 0,
    min_allowed_weights: 0,
    max_weight_limit: u16::MAX,
    weights_version: 0,
};

/// Everyone in the book, as if the subnet were made of them.
fn everyone(book: &ScoreBook) -> anyhow::Result<Metagraph> {
    let mut neurons = Vec::new();
    for (n, hotkey) in book.scores.keys().enumerate() {
        neurons.push(Neuron {
            uid: Uid(u16::try_from(n).context("the book has more hotkeys than a subnet")?),
            hotkey: hotkey.clone(),
            coldkey: Coldkey::parse(hotkey.as_str())?,
            stake: Tao(0.0),
            validator_permit: false,
            axon: None,
            last_update: BlockNumber(0),
            incentive: 0.0,
        });
    }
    Ok(Metagraph { netuid: Netuid(1), block: BlockNumber(0), neurons })
}
