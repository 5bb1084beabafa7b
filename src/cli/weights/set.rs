//! `sn1 weights set`: sets weights by hand, once, the way the subnet wants them.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::{ArgMatches, Command, value_parser};
use sn1_actors::domain::{Hotkey, Metagraph, Netuid, Score, Uid};
use sn1_actors::ports::{PendingReveal, PreparedWeights, WeightsCall, WeightsWay};
use sn1_actors::weight_setter::emit::Emission;

use super::super::chain::Node;
use super::super::{
    consent, development_key_or_wallet_flag, flag, loaded, output, signing_key, switch,
};
use super::follow::Follow;
use super::{SECTIONS, as_sent};
use crate::chain::node::{metagraph, rules, weights};
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::ledger::lock::InstanceLock;
use crate::wire::Keypair;
use crate::wiring::joining::Joining;

pub(super) fn command() -> Command {
    let list = |name, value| flag(name, value).required(true).value_delimiter(',');
    let uids = list("uids", "N,…").value_parser(value_parser!(u16)).help("whom they are for");
    let values = list("values", "X,…")
        .value_parser(value_parser!(f64))
        .help("how much each is to get, in any unit: only their shares count");
    let dry = switch("dry-run");
    let dry = dry.help("show what would be sent, and send nothing");
    let command = Command::new("set")
        .about("Set weights by hand, once")
        .after_help(
            "Example:\n  sn1 weights set --uids 3,4 --values 1.0,0.5 --netuid 61 \
             --subtensor.network test --wallet.name alice\n\n\
             The values are brought in line with the subnet's rules as a validator does it. Where \
             the subnet wants a commit first, the command stays until it can reveal it, which may \
             take hours; ended before, the commit expires and the weights on chain stay. It refuses \
             while a validator of the same hotkey runs on this machine; one on another sets its own \
             weights again.",
        )
        .args([uids, values, dry, development_key_or_wallet_flag(), consent::yes_flag()]);
    // The folder of the locks is among the keys of logging.
    add_flags_of(command, &[SECTIONS, &["logging"]].concat())
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let wanted = wanted(matches)?;
    let loaded = loaded(Role::Validator, matches)?;
    let Joining { netuid, endpoints } = Joining::of(&loaded.settings, "weights set")?;
    let key = signing_key(matches, &loaded).await?;
    let dry = matches.get_flag("dry-run");
    let folder = &loaded.settings.logging.logging_dir;
    let lock = (!dry).then(|| InstanceLock::of_hotkey(folder, &key.hotkey(), netuid));
    let _lock = lock.transpose().map_err(Ended::from)?;
    let node = Node::connect(&endpoints).await?;
    let call = call(&node, netuid, &wanted).await?;
    let shown = prepared(&node, &key, &call).await?;
    let endpoint = node.session.endpoint();
    output::line(&format!("subnet  {netuid} at {endpoint}\nhotkey  {}", key.hotkey()))?;
    for (uid, value) in call.uids.iter().zip(&call.values) {
        output::line(&format!("uid {:>5}  {value:>5}", uid.0))?;
    }
    output::line(&format!("way     {}", described(&shown.way)))?;
    if dry {
        output::line("nothing was sent")?;
        return Ok(Exit::Done);
    }
    if !consent::given(matches, "Send it?").await? {
        return Err(Ended::new(Exit::Failed, "nothing was sent").into());
    }
    // Signed anew: whoever was asked may have taken longer than what is signed is good for.
    let PreparedWeights { way, signed } = prepared(&node, &key, &call).await?;
    if std::mem::discriminant(&way) != std::mem::discriminant(&shown.way) {
        let message = "nothing was sent: the subnet has just changed how it takes weights";
        return Err(Ended::new(Exit::Failed, message).into());
    }
    let signed = signed.context("the chain takes no signed calls")?;
    if let WeightsWay::Commit(commitment) = &way {
        output::delivered(&format!("salt    {:?}", commitment.salt))?;
    }
    let mut follow = Follow { endpoints: &endpoints, node, key: &key };
    let block = follow.sent(&call, &signed).await?;
    match way {
        WeightsWay::Plain => output::line(&format!("set in block {}", block.0))?,
        WeightsWay::Timelock { .. } => {
            output::line(&format!("committed in block {}; the chain reveals them itself", block.0))?
        }
        WeightsWay::Commit(commitment) => {
            let reveal = PendingReveal { call, commitment, committed: block };
            output::line(&format!(
                "committed in block {}; waiting for the epoch of the reveal",
                block.0
            ))?;
            let block = follow.revealed(&reveal).await?;
            output::line(&format!("revealed as of block {}", block.0))?;
        }
    }
    Ok(Exit::Done)
}

/// Signs a setting, in the way that the subnet wants now. Sends nothing.
async fn prepared(
    node: &Node,
    key: &Keypair,
    call: &WeightsCall,
) -> anyhow::Result<PreparedWeights> {
    let salt = weights::draw_salt().context("the system gives no random numbers")?;
    let prepared = weights::prepare_weights(&node.session, key, call, salt).await;
    Ok(prepared.map_err(consent::ended)?)
}

fn described(way: &WeightsWay) -> String {
    match way {
        WeightsWay::Plain => "in the open".to_owned(),
        WeightsWay::Commit(commitment) => {
            format!("a commit in epoch {}, revealed by this command later", commitment.epoch)
        }
        WeightsWay::Timelock { reveal_round } => {
            format!("encrypted until round {reveal_round} of drand")
        }
    }
}

/// What each uid is to get.
fn wanted(matches: &ArgMatches) -> Result<BTreeMap<Uid, f64>, Ended> {
    let wrong = |message: String| Err(Ended::new(Exit::Usage, message));
    let uids: Vec<u16> = matches.get_many("uids").into_iter().flatten().copied().collect();
    let values: Vec<f64> = matches.get_many("values").into_iter().flatten().copied().collect();
    if uids.len() != values.len() {
        let (uids, values) = (uids.len(), values.len());
        return wrong(format!("{uids} uids but {values} values: give each uid one"));
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite() || **value < 0.0) {
        return wrong(format!("--values {value}: give numbers from 0"));
    }
    if values.iter().all(|value| *value == 0.0) {
        return wrong("--values: at least one must be more than 0".to_owned());
    }
    let mut wanted = BTreeMap::new();
    for (uid, value) in uids.into_iter().zip(values) {
        if wanted.insert(Uid(uid), value).is_some() {
            return wrong(format!("--uids: {uid} is there twice"));
        }
    }
    Ok(wanted)
}

/// The call that these shares come to by the subnet's rules.
async fn call(
    node: &Node,
    netuid: Netuid,
    wanted: &BTreeMap<Uid, f64>,
) -> anyhow::Result<WeightsCall> {
    let metagraph = node.told(metagraph::read(&node.session, netuid).await)?;
    let rules = node.told(rules::read(&node.session, netuid).await)?.weights;
    let scores = scores(&metagraph, wanted)?;
    let Emission::Weights { uids, values } = as_sent(&scores, &metagraph, &rules) else {
        return Err(Ended::new(Exit::Failed, "these values come to no weights").into());
    };
    Ok(WeightsCall { netuid, uids, values, version_key: rules.weights_version })
}

fn scores(
    metagraph: &Metagraph,
    wanted: &BTreeMap<Uid, f64>,
) -> Result<BTreeMap<Hotkey, Score>, Ended> {
    let most = wanted.values().copied().fold(0.0, f64::max);
    let mut scores = BTreeMap::new();
    for (uid, value) in wanted {
        let neuron = metagraph.neurons.iter().find(|neuron| neuron.uid == *uid);
        let Some(neuron) = neuron else {
            let message = format!("--uids: subnet {} has no uid {uid}", metagraph.netuid);
            return Err(Ended::new(Exit::Usage, message));
        };
        scores.insert(neuron.hotkey.clone(), Score::new(value / most));
    }
    Ok(scores)
}
