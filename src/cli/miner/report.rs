//! `sn1 miner report`: why validators are served or not, from the journal, also while the miner
//! writes it, and from the chain, if one is named and answers soon.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};
use sn1_actors::domain::{Hotkey, Metagraph, Neuron};

use super::NO_CHAIN;
use super::tally::{Caller, Tally};
use crate::chain::node::metagraph;
use crate::cli::chain::Node;
use crate::cli::{development_key_flag, json_flag, loaded, output};
use crate::config::{Loaded, Role, Settings, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::journal::served::ServedReader;
use crate::wallet::{KeyKind, WalletFolder, development_key, state as key_state};
use crate::wiring::joining::{Joining, chain_is_named};
use crate::wiring::journal_path;
use crate::wiring::publish::Whereabouts;
use crate::wiring::unix_time;

/// How long the chain, and then whoever tells our address, may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn command() -> Command {
    let command = Command::new("report")
        .about("Say who asked this miner, what came of it, and how it stands on the chain")
        .after_help(
            "Examples:\n  sn1 miner report --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey miner1\n  sn1 miner report --uri //Alice --json\n\nGive the \
             same wallet, network, axon, logging and journal flags as to the miner, and no others: \
             its journal is found by them. The miner may run meanwhile. Where no chain is named, or \
             it does not answer in 5 seconds, the journal alone is told.",
        )
        .arg(development_key_flag())
        .arg(json_flag());
    add_flags_of(command, &["", "subtensor", "wallet", "axon", "logging", "journal", "neuron"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let loaded = loaded(Role::Miner, matches)?;
    let settings = &loaded.settings;
    let hotkey = own_hotkey(matches, &loaded)?;
    let joining = match chain_is_named(settings) {
        true => Some(Joining::of(settings, "miner report")?),
        false => None,
    };
    let netuid = joining.as_ref().map_or(NO_CHAIN, |joining| joining.netuid);
    let journal = journal_path(settings, netuid, &hotkey);
    let chain = match &joining {
        Some(joining) => Some(OnChain::look(settings, joining).await),
        None => None,
    };
    let metagraph = chain.as_ref().and_then(|chain| chain.metagraph.as_ref().ok());
    let permitted = metagraph.map_or_else(BTreeSet::new, permitted);
    let tally = tally(&journal, permitted)?;
    let report = Report { hotkey, journal, tally, chain };
    if matches.get_flag("json") {
        output::json(&report.json())?;
    } else {
        report.print()?;
    }
    Ok(Exit::Done)
}

/// The hotkey's address; no password is asked for.
fn own_hotkey(matches: &ArgMatches, loaded: &Loaded) -> Result<Hotkey, Ended> {
    if let Some(uri) = matches.get_one::<String>("uri") {
        return development_key(loaded, uri).map(|key| key.hotkey()).map_err(Ended::from);
    }
    let folder = WalletFolder::new(&loaded.settings.wallet).map_err(Ended::from)?;
    let state = key_state(&folder, KeyKind::Hotkey);
    let address = state.address.and_then(|address| Hotkey::parse(&address).ok());
    address.ok_or_else(|| {
        let path = state.path.display();
        let message = format!(
            "there is no hotkey at {path}: name the miner's wallet with --wallet.name and \
             --wallet.hotkey"
        );
        Ended::new(Exit::Usage, message)
    })
}

/// Those whose requests the operator looks for.
fn permitted(metagraph: &Metagraph) -> BTreeSet<Hotkey> {
    let validators = metagraph.neurons.iter().filter(|neuron| neuron.validator_permit);
    validators.map(|neuron| neuron.hotkey.clone()).collect()
}

/// What the journal has; none where there is no journal.
fn tally(path: &Path, permitted: BTreeSet<Hotkey>) -> Result<Option<Tally>, Ended> {
    let failed = |cause: &dyn std::fmt::Display| Ended::new(Exit::File, cause);
    let mut reader = ServedReader::open(path).map_err(|error| failed(&error))?;
    if reader.is_empty() {
        return Ok(None);
    }
    let mut tally = Tally::new(permitted);
    while let Some(served) = reader.next_request().map_err(|error| failed(&error))? {
        tally.take(&served);
    }
    Ok(Some(tally))
}

/// What the chain says, or why it does not.
struct OnChain {
    network: String,
    metagraph: Result<Metagraph, String>,
    /// Where others ought to reach the axon.
    address: Result<SocketAddr, String>,
}

impl OnChain {
    async fn look(settings: &Settings, joining: &Joining) -> Self {
        let late = || format!("no answer in {} s", PATIENCE.as_secs());
        let read = async {
            let node = Node::connect(&joining.endpoints).await?;
            node.told(metagraph::read(&node.session, joining.netuid).await)
        };
        let whereabouts = Whereabouts::of(settings, &joining.endpoints).address();
        let (metagraph, address) = tokio::join!(
            tokio::time::timeout(PATIENCE, read),
            tokio::time::timeout(PATIENCE, whereabouts)
        );
        Self {
            network: joining.to_string(),
            metagraph: metagraph.map_or_else(|_| Err(late()), |read| read.map_err(|e| e.message)),
            address: address.map_or_else(|_| Err(late()), |read| read.map_err(|e| e.to_string())),
        }
    }

    fn json(&self, hotkey: &Hotkey) -> Value {
        let metagraph = match &self.metagraph {
            Ok(metagraph) => metagraph,
            Err(error) => return json!({"network": self.network, "error": error}),
        };
        let own = metagraph.by_hotkey(hotkey);
        let on_chain = own.and_then(|own| own.axon);
        json!({
            "network": self.network,
            "block": metagraph.block,
            "registered": own.is_some(),
            "uid": own.map(|own| own.uid),
            "on_chain_address": on_chain,
            "own_address": self.address.as_ref().ok(),
            "own_address_error": self.address.as_ref().err(),
            "address_is_ours": self.address.as_ref().ok().map(|own| on_chain == Some(*own)),
        })
    }

    /// A line each: registered? reached where?
    fn lines(&self, hotkey: &Hotkey) -> Vec<String> {
        let metagraph = match &self.metagraph {
            Ok(metagraph) => metagraph,
            Err(error) => {
                return vec![format!("chain     not asked: {}: {error}", self.network)];
            }
        };
        let mut lines = vec![format!("chain     {}, block {}", self.network, metagraph.block)];
        let Some(own) = metagraph.by_hotkey(hotkey) else {
            lines.push("registered no: `sn1 register` gives the hotkey a slot, for a fee".into());
            return lines;
        };
        lines.push(format!("registered yes, uid {}", own.uid));
        lines.push(match (own.axon, &self.address) {
            (None, _) => "address   none on the chain: no validator finds this miner".into(),
            (Some(there), Ok(ours)) if there == *ours => format!("address   {there}, which is ours"),
            (Some(there), Ok(ours)) => format!(
                "address   {there} on the chain, but ours is {ours}: run `sn1 miner`, which publishes \
                 it, or set axon.external_ip and axon.external_port"
            ),
            (Some(there), Err(error)) => format!("address   {there}; ours is unknown: {error}"),
        });
        lines
    }
}

struct Report {
    hotkey: Hotkey,
    journal: PathBuf,
    tally: Option<Tally>,
    chain: Option<OnChain>,
}

/// One line of the table: a caller, and its neuron if the chain has one.
struct Row<'a> {
    hotkey: &'a Hotkey,
    neuron: Option<&'a Neuron>,
    /// None if it never asked.
    caller: Option<&'a Caller>,
}

impl Report {
    fn metagraph(&self) -> Option<&Metagraph> {
        self.chain.as_ref().and_then(|chain| chain.metagraph.as_ref().ok())
    }

    /// Everybody who asked and every validator with a permit, who may not have: by stake.
    fn rows(&self) -> Vec<Row<'_>> {
        let metagraph = self.metagraph();
        let asked = self.tally.iter().flat_map(|tally| &tally.callers);
        let mut rows: Vec<Row<'_>> = asked
            .map(|(hotkey, caller)| {
                let neuron = metagraph.and_then(|metagraph| metagraph.by_hotkey(hotkey));
                Row { hotkey, neuron, caller: Some(caller) }
            })
            .collect();
        let silent = metagraph.into_iter().flat_map(|metagraph| &metagraph.neurons);
        let silent =
            silent.filter(|neuron| neuron.validator_permit && neuron.hotkey != self.hotkey);
        let silent: Vec<_> = silent
            .filter(|neuron| rows.iter().all(|row| *row.hotkey != neuron.hotkey))
            .map(|neuron| Row { hotkey: &neuron.hotkey, neuron: Some(neuron), caller: None })
            .collect();
        rows.extend(silent);
        let stake = |row: &Row<'_>| row.neuron.map_or(-1.0, |neuron| neuron.stake.0);
        rows.sort_by(|one, other| stake(other).total_cmp(&stake(one)));
        rows
    }

    fn json(&self) -> Value {
        let callers: Vec<Value> = self.rows().iter().map(Row::json).collect();
        let others = self.tally.as_ref().map(|tally| &tally.others);
        json!({
            "hotkey": self.hotkey,
            "journal": self.journal,
            "journal_found": self.tally.is_some(),
            "since": self.tally.as_ref().and_then(|tally| tally.since),
            "chain": self.chain.as_ref().map(|chain| chain.json(&self.hotkey)),
            "callers": callers,
            "others": others.map(of_caller),
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        output::line(&format!("hotkey    {}", self.hotkey))?;
        match &self.chain {
            Some(chain) => {
                for line in chain.lines(&self.hotkey) {
                    output::line(&line)?;
                }
            }
            None => output::line("chain     none is named (--netuid and --subtensor.network)")?,
        }
        let journal = self.journal.display();
        let Some(tally) = &self.tally else {
            output::line(&format!(
                "journal   none at {journal}: give the flags that the miner was started with"
            ))?;
            return Ok(());
        };
        let now = unix_time().as_secs_f64();
        let (answered, refused) = tally.totals();
        let since = tally.since.map_or("no requests".to_owned(), |since| {
            format!("{answered} answered, {refused} refused since {} ago", span(now - since))
        });
        output::line(&format!("journal   {journal}: {since}"))?;
        let rows = self.rows();
        if !rows.is_empty() {
            output::line(
                "\n uid        stake permit  caller                                            \
                 last asked answered refused  median",
            )?;
        }
        for row in rows {
            output::line(&row.line(now))?;
            print_reasons(row.caller)?;
        }
        if tally.others.last.is_some() {
            let (answered, refused) = (tally.others.answered, tally.others.refusals());
            output::line(&format!(
                "others, without a hotkey or too many: {answered} answered, {refused} refused"
            ))?;
            print_reasons(Some(&tally.others))?;
        }
        Ok(())
    }
}

fn print_reasons(caller: Option<&Caller>) -> anyhow::Result<()> {
    for (reason, count) in caller.into_iter().flat_map(|caller| &caller.refused) {
        output::line(&format!("     {count} refused: {reason}"))?;
    }
    Ok(())
}

impl Row<'_> {
    fn json(&self) -> Value {
        let mut object = of_caller(self.caller.unwrap_or(&Caller::default()));
        object["hotkey"] = json!(self.hotkey);
        object["uid"] = json!(self.neuron.map(|neuron| neuron.uid));
        object["stake"] = json!(self.neuron.map(|neuron| neuron.stake));
        object["validator_permit"] = json!(self.neuron.map(|neuron| neuron.validator_permit));
        object
    }

    fn line(&self, now: f64) -> String {
        let uid = self.neuron.map_or("-".to_owned(), |neuron| neuron.uid.to_string());
        let stake = self.neuron.map_or("-".to_owned(), |neuron| format!("{:.1}", neuron.stake.0));
        let permit = match self.neuron {
            Some(neuron) if neuron.validator_permit => "yes",
            Some(_) => "no",
            None => "-",
        };
        let last = self.caller.and_then(|caller| caller.last);
        let last = last.map_or("never".to_owned(), |last| format!("{} ago", span(now - last)));
        let median = self.caller.and_then(Caller::median);
        let median = median.map_or("-".to_owned(), |median| format!("{median:.2} s"));
        let answered = self.caller.map_or(0, |caller| caller.answered);
        let refused = self.caller.map_or(0, Caller::refusals);
        let hotkey = self.hotkey;
        format!(
            "{uid:>4} {stake:>12} {permit:<6}  {hotkey:<49} {last:>10} {answered:>8} {refused:>7} \
             {median:>7}"
        )
    }
}

fn of_caller(caller: &Caller) -> Value {
    json!({
        "last_request": caller.last,
        "answered": caller.answered,
        "refused": caller.refused,
        "median_latency": caller.median(),
    })
}

/// A time in its largest unit.
fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests;
