//! `sn1 metagraph`: the neurons of a subnet as the chain has them.

use std::collections::BTreeMap;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};
use sn1_actors::dendrite::choice::left_out;
use sn1_actors::domain::{BlockNumber, Hotkey, Metagraph, Neuron, Tao, Uid};

use super::chain::Node;
use super::{json_flag, loaded, output, switch};
use crate::chain::node::metagraph::{SetWeights, read_at, weights_at};
use crate::config::{Role, Settings, add_flags_of};
use crate::exit::Exit;
use crate::wallet::{KeyKind, WalletFolder, state as key_state};
use crate::wiring::joining::Joining;

pub(super) fn command() -> Command {
    let available = switch("available").help("say of each uid why it is left out of sampling");
    let weights =
        switch("weights").help("print the weights on chain too, as each validator set them");
    let command = Command::new("metagraph")
        .about("Print the neurons of a subnet")
        .after_help(
            "Examples:\n  sn1 metagraph --netuid 1 --subtensor.network test\n  \
             sn1 metagraph --netuid 1 --available --weights --json \
             --subtensor.chain_endpoint ws://127.0.0.1:9944\n\nStake is in TAO; the stake above which \
             a validator is not asked is neuron.vpermit_tao_limit.",
        )
        .args([available, weights, json_flag()]);
    add_flags_of(command, &["", "subtensor", "wallet"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Validator, matches)?;
    let Joining { netuid, endpoints } = Joining::of(&loaded.settings, "metagraph")?;
    let node = Node::connect(&endpoints).await?;
    let session = &node.session;
    let at = node.told(session.now().await)?;
    let metagraph = node.told(read_at(session, &at, netuid).await)?;
    let weights = match matches.get_flag("weights") {
        true => Some(node.told(weights_at(session, &at, &metagraph).await)?),
        false => None,
    };
    let sampling = matches.get_flag("available").then(|| Sampling::of(&loaded.settings));
    let report = Report { metagraph: &metagraph, sampling, weights };
    if matches.get_flag("json") {
        output::json(&report.json(session.endpoint(), at.spec_version()))?;
    } else {
        report.print()?;
    }
    Ok(Exit::Done)
}

/// By what a validator of these settings decides whom it asks.
struct Sampling {
    /// Its hotkey, where there is a wallet.
    own: Option<Hotkey>,
    limit: Tao,
}

impl Sampling {
    fn of(settings: &Settings) -> Self {
        let folder = WalletFolder::new(&settings.wallet).ok();
        let address = folder.and_then(|folder| key_state(&folder, KeyKind::Hotkey).address);
        let own = address.and_then(|address| Hotkey::parse(&address).ok());
        #[expect(clippy::cast_precision_loss, reason = "no limit comes near 2^53 TAO")]
        let limit = Tao(settings.neuron.vpermit_tao_limit as f64);
        Self { own, limit }
    }

    /// Why a neuron is not asked; nothing where it may be.
    fn reason(&self, neuron: &Neuron) -> Option<String> {
        left_out(neuron, self.own.as_ref(), self.limit).map(|reason| reason.to_string())
    }
}

/// What was read, and how much of it is wanted.
struct Report<'a> {
    metagraph: &'a Metagraph,
    sampling: Option<Sampling>,
    weights: Option<Vec<SetWeights>>,
}

impl Report<'_> {
    fn json(&self, endpoint: &str, spec: u32) -> Value {
        let Metagraph { netuid, block, neurons } = self.metagraph;
        let neurons: Vec<Value> = neurons.iter().map(|neuron| self.neuron(neuron)).collect();
        let mut report = json!({
            "endpoint": endpoint,
            "spec_version": spec,
            "netuid": netuid,
            "block": block,
            "neurons": neurons,
        });
        if let Some(weights) = &self.weights {
            let by_uid: BTreeMap<u16, &Vec<(Uid, u16)>> =
                weights.iter().map(|set| (set.from.0, &set.weights)).collect();
            report["weights"] = json!(by_uid);
        }
        report
    }

    fn neuron(&self, neuron: &Neuron) -> Value {
        let mut object = json!({
            "uid": neuron.uid,
            "hotkey": neuron.hotkey,
            "coldkey": neuron.coldkey,
            "ip": neuron.axon.map(|axon| axon.ip()),
            "port": neuron.axon.map(|axon| axon.port()),
            "stake": neuron.stake,
            "validator_permit": neuron.validator_permit,
            "last_update": neuron.last_update,
            "incentive": neuron.incentive,
        });
        if let Some(sampling) = &self.sampling {
            let reason = sampling.reason(neuron);
            object["available"] = json!(reason.is_none());
            object["left_out"] = json!(reason);
        }
        object
    }

    fn print(&self) -> std::io::Result<()> {
        let Metagraph { netuid, block, neurons } = self.metagraph;
        output::line(&format!(
            "netuid {}, block {}, {} neurons",
            netuid.0,
            block.0,
            neurons.len()
        ))?;
        let mut head = format!(
            "{:>5} {:48} {:48} {:22} {:>14} {:6} {:>9} {:>9}",
            "uid", "hotkey", "coldkey", "axon", "stake", "permit", "updated", "incentive"
        );
        if self.sampling.is_some() {
            head.push_str(" available");
        }
        output::line(&head)?;
        for neuron in neurons {
            self.print_neuron(neuron)?;
        }
        for set in self.weights.iter().flatten() {
            let weights = set.weights.iter();
            let weights = weights
                .map(|(uid, w)| format!("{}:{:.4}", uid.0, f64::from(*w) / f64::from(u16::MAX)));
            let weights: Vec<String> = weights.collect();
            output::line(&format!("weights of {}: {}", set.from.0, weights.join(" ")))?;
        }
        Ok(())
    }

    fn print_neuron(&self, neuron: &Neuron) -> std::io::Result<()> {
        let axon = neuron.axon.map_or("-".to_owned(), |axon| axon.to_string());
        let permit = if neuron.validator_permit { "yes" } else { "-" };
        let updated = match neuron.last_update {
            BlockNumber(0) => "never".to_owned(),
            BlockNumber(block) => block.to_string(),
        };
        let mut line = format!(
            "{:>5} {:48} {:48} {axon:22} {:>14.4} {permit:6} {updated:>9} {:>9.5}",
            neuron.uid.0,
            neuron.hotkey.as_str(),
            neuron.coldkey.as_str(),
            neuron.stake.0,
            neuron.incentive
        );
        if let Some(sampling) = &self.sampling {
            let reason =
                sampling.reason(neuron).map_or("yes".to_owned(), |why| format!("no: {why}"));
            line.push_str(&format!(" {reason}"));
        }
        output::line(&line)
    }
}
