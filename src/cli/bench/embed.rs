//! `sn1 bench embed`: how many texts a second the embedding model does.
//!
//! Rounds can be asked for one by one, so that another program's may lie between them:
//! `scripts/bench/embed_peer.py` does that.

use std::fs;
use std::io::{self, BufRead};
use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgMatches, Command, value_parser};
use serde_json::json;
use sn1_actors::ports::Clock;

use crate::cli::{flag, json_flag, output, settings, switch};
use crate::config::{Role, add_config_flags};
use crate::engine::Embedder;
use crate::exit::{Ended, Exit};
use crate::models::PullOptions;
use crate::wiring::model::{ended, store};
use crate::wiring::system_clock;

/// The largest file of texts that is read, in bytes.
const MAX_TEXT_BYTES: u64 = 64 << 20;

pub(super) fn command() -> Command {
    let texts = flag("texts", "FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("one JSON string a line");
    let folder = flag("folder", "FOLDER")
        .value_parser(value_parser!(PathBuf))
        .help("the model's files; those of neuron.embedder_id when left out");
    let rounds = flag("rounds", "N")
        .default_value("5")
        .value_parser(value_parser!(u16).range(1..=10_000))
        .help("how often all texts are embedded, after once for warming up");
    let paced = switch("paced")
        .conflicts_with("rounds")
        .help("a round for each line on standard input; prints the seconds that each takes");
    let command = Command::new("embed")
        .about("Measure the embedding model")
        .after_help("Example:\n  sn1 bench embed --texts texts.jsonl --threads 2 --json")
        .args([texts, folder, rounds, paced, json_flag()]);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let folder = match matches.get_one::<PathBuf>("folder") {
        Some(folder) => folder.clone(),
        None => {
            let options = PullOptions::default();
            store(&settings)?.ensure(&settings.neuron.embedder_id, &options).await.map_err(ended)?
        }
    };
    let texts = matches.get_one::<PathBuf>("texts").map(read_texts).transpose()?;
    let texts = texts.unwrap_or_default();
    let mut embedder = Embedder::load(&folder, settings.engine.threads)
        .map_err(|error| Ended::new(Exit::Model, error))?;
    let clock = system_clock();
    let mut round = || measure(&mut embedder, &*clock, &texts);
    round()?;
    if matches.get_flag("paced") {
        output::line("ready")?;
        for line in io::stdin().lock().lines() {
            line.context("cannot read standard input")?;
            output::line(&round()?.to_string())?;
        }
        return Ok(Exit::Done);
    }
    let rounds = matches.get_one::<u16>("rounds").copied().unwrap_or(1);
    let mut seconds = (0..rounds).map(|_| round()).collect::<anyhow::Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    let per_second = texts.len() as f64 / median;
    if matches.get_flag("json") {
        output::json(&json!({
            "texts": texts.len(),
            "threads": embedder.threads(),
            "rounds": seconds.len(),
            "median_s": median,
            "texts_per_s": per_second,
        }))?;
    } else {
        output::line(&format!("{} texts: {per_second:.1} texts per second", texts.len()))?;
    }
    Ok(Exit::Done)
}

fn read_texts(path: &PathBuf) -> anyhow::Result<Vec<String>> {
    let refused = |cause: String| Ended::new(Exit::File, format!("{}: {cause}", path.display()));
    let size = fs::metadata(path).map_err(|e| refused(e.to_string()))?.len();
    if size > MAX_TEXT_BYTES {
        return Err(refused(format!("it is larger than {MAX_TEXT_BYTES} bytes")).into());
    }
    let lines = fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let texts: Vec<String> = lines
        .lines()
        .enumerate()
        .map(|(i, line)| {
            serde_json::from_str(line).map_err(|e| refused(format!("line {}: {e}", i + 1)))
        })
        .collect::<Result<_, _>>()?;
    if texts.is_empty() {
        return Err(refused("it has no texts".into()).into());
    }
    Ok(texts)
}

/// The seconds that all texts take.
fn measure(embedder: &mut Embedder, clock: &dyn Clock, texts: &[String]) -> anyhow::Result<f64> {
    let started = clock.now();
    embedder.embed(texts).map_err(|error| Ended::new(Exit::Failed, error))?;
    Ok(clock.now().since(started).as_secs_f64())
}
