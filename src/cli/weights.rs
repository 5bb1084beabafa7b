//! `sn1 weights`: what the scores of a book come to on chain, as WeightSetter works it out; what is
//! on chain; and setting weights by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use sn1_actors::domain::{
    BlockNumber, Coldkey, Hotkey, Hyperparameters, Metagraph, Netuid, Neuron, Score, Tao, Uid,
};
use sn1_actors::ports::{Ledger, ScoreBook};
use sn1_actors::weight_setter::emit::mend::mended;
use sn1_actors::weight_setter::emit::{Emission, emission};

use super::chain::Node;
use super::{development_key_or_wallet_flag, flag, json_flag, loaded, output, signing_key};
use crate::chain::node::neuron;
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::ledger::LedgerFile;
use crate::wiring::joining::Joining;

mod follow;
mod set;

pub(super) fn command() -> Command {
    let book = flag("book", "FILE")
        .value_parser(value_parser!(PathBuf))
        .help("a score book (scores.json); a run of localnet prints where its own is");
    let show = Command::new("show")
        .about("Print the averages of a book and the weights they come to, or the weights on chain")
        .after_help(
            "Examples:\n  sn1 weights show --book scores.json\n  \
             sn1 weights show --netuid 61 --subtensor.network test --wallet.name alice\n\n\
             The chain is asked where a network is named or no book is; --book shows both.",
        )
        .args([book, development_key_or_wallet_flag(), json_flag()]);
    Command::new("weights")
        .about("Look at scores and weights, or set weights")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(add_flags_of(show, SECTIONS))
        .subcommand(set::command())
}

/// The keys of the commands: the subnet's number is one without a section.
const SECTIONS: &[&str] = &["", "subtensor", "wallet"];

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    match matches.subcommand() {
        Some(("show", matches)) => show(matches).await,
        Some(("set", matches)) => Box::pin(set::run(matches)).await,
        _ => Err(Ended::new(Exit::Usage, "see `sn1 weights --help`").into()),
    }
}

async fn show(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let book = matches.get_one::<PathBuf>("book");
    let asked = ["netuid", "subtensor.network", "subtensor.chain_endpoint"];
    let asked = asked.iter().any(|flag| matches.contains_id(flag));
    let book = book.map(|path| Shown::read(path.as_path())).transpose()?;
    let chain = if asked || book.is_none() { Some(OnChain::read(matches).await?) } else { None };
    if matches.get_flag("json") {
        let mut shown = book.as_ref().map_or_else(|| json!({}), Shown::json);
        if let (Some(chain), Some(shown)) = (chain, shown.as_object_mut()) {
            shown.insert("on_chain".into(), chain.json());
        }
        output::json(&shown)?;
        return Ok(Exit::Done);
    }
    if let Some(book) = book {
        book.print()?;
    }
    if let Some(chain) = chain {
        chain.print()?;
    }
    Ok(Exit::Done)
}

/// A score book, with the weights that it comes to.
struct Shown {
    book: ScoreBook,
    metagraph: Metagraph,
    weights: Vec<(Uid, u16)>,
}

impl Shown {
    fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            let message = format!("there is no score book at {}", path.display());
            return Err(Ended::new(Exit::File, message).into());
        }
        let book = LedgerFile::look_at(path.to_owned()).load();
        let book = book.map_err(|error| Ended::new(Exit::File, error))?;
        let metagraph = everyone(&book)?;
        let weights = match as_sent(&book.scores, &metagraph, &NO_RULES) {
            Emission::Weights { uids, values } => uids.into_iter().zip(values).collect(),
            Emission::NothingEarned => Vec::new(),
        };
        Ok(Self { book, metagraph, weights })
    }

    fn weight(&self, uid: Uid) -> u16 {
        let found = self.weights.iter().find(|(other, _)| *other == uid);
        found.map_or(0, |(_, weight)| *weight)
    }

    fn json(&self) -> Value {
        let rows = self.metagraph.neurons.iter().zip(self.book.scores.values());
        let rows = rows.map(|(neuron, score)| {
            let weight = self.weight(neuron.uid);
            json!({"hotkey": neuron.hotkey, "score": score, "weight": weight})
        });
        let rows: Vec<_> = rows.collect();
        json!({"steps": self.book.steps, "weights_set": self.book.weights_set, "miners": rows})
    }

    fn print(&self) -> anyhow::Result<()> {
        output::line(&format!("{} steps", self.book.steps))?;
        for (neuron, score) in self.metagraph.neurons.iter().zip(self.book.scores.values()) {
            let (hotkey, weight) = (&neuron.hotkey, self.weight(neuron.uid));
            output::line(&format!("{hotkey}  {:.4}  {weight:>5}", score.get()))?;
        }
        Ok(())
    }
}

/// What a hotkey has on chain.
struct OnChain {
    netuid: Netuid,
    uid: Uid,
    last_update: Option<BlockNumber>,
    weights: Vec<(Uid, u16)>,
}

impl OnChain {
    async fn read(matches: &ArgMatches) -> anyhow::Result<Self> {
        let loaded = loaded(Role::Validator, matches)?;
        let Joining { netuid, endpoints } = Joining::of(&loaded.settings, "weights show")?;
        let key = signing_key(matches, &loaded).await?;
        let node = Node::connect(&endpoints).await?;
        let (session, at) = (&node.session, node.told(node.session.now().await)?);
        let uid = node.told(neuron::uid(session, &at, netuid, key.public()).await)?;
        let Some(uid) = uid else {
            let message = format!("{} is not registered on subnet {netuid}", key.hotkey());
            return Err(Ended::new(Exit::Failed, message).into());
        };
        Ok(Self {
            netuid,
            uid,
            last_update: node.told(neuron::last_update(session, &at, netuid, uid).await)?,
            weights: node.told(neuron::weights(session, &at, netuid, uid).await)?,
        })
    }

    fn json(&self) -> Value {
        let weights =
            self.weights.iter().map(|(uid, weight)| json!({"uid": uid, "weight": weight}));
        let weights: Vec<_> = weights.collect();
        json!({
            "netuid": self.netuid,
            "uid": self.uid,
            "last_update": self.last_update,
            "weights": weights,
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let (uid, netuid) = (self.uid, self.netuid);
        let when = self.last_update.map_or("never set".to_owned(), |block| {
            format!("last registered, set or committed in block {}", block.0)
        });
        output::line(&format!("on chain: uid {uid} of subnet {netuid}, {when}"))?;
        for (uid, weight) in &self.weights {
            output::line(&format!("uid {:>5}  {weight:>5}", uid.0))?;
        }
        Ok(())
    }
}

/// The weights that scores come to, as a validator sends them.
fn as_sent(
    scores: &BTreeMap<Hotkey, Score>,
    metagraph: &Metagraph,
    rules: &Hyperparameters,
) -> Emission {
    mended(emission(scores, metagraph, rules), scores, metagraph, rules)
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
