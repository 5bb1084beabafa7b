//! `sn1 chain`: what the chain's runtime has; and how commands connect to it.

use std::time::Duration;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{json_flag, loaded, output};
use crate::chain::node::endpoint::Endpoints;
use crate::chain::node::failure::Failure;
use crate::chain::node::probe::{self, ItemKind};
use crate::chain::node::session::Session;
use crate::config::{Role, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::wiring::joining;

/// How long a command waits for a node's answer.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) fn command() -> Command {
    let probe = Command::new("probe")
        .about("List which of the calls, storage and runtime APIs that sn1 uses the chain has")
        .after_help(
            "Examples:\n  sn1 chain probe --subtensor.network test\n  \
             sn1 chain probe --subtensor.chain_endpoint ws://127.0.0.1:9944 --json",
        )
        .arg(json_flag());
    Command::new("chain")
        .about("Look at the chain's runtime")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(add_flags_of(probe, &["subtensor"]))
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some(("probe", matches)) = matches.subcommand() else {
        return Err(Ended::new(Exit::Usage, "see `sn1 chain --help`").into());
    };
    let settings = loaded(Role::Validator, matches)?.settings;
    let node = Node::connect(&joining::endpoints(&settings, "chain probe")?).await?;
    let at = node.told(node.session.now().await)?;
    let (spec, block) = (at.spec_version(), at.block_number());
    let items = probe::items(at.metadata_ref());
    let endpoint = node.session.endpoint();
    if matches.get_flag("json") {
        output::json(&json!({
            "endpoint": endpoint,
            "genesis": node.session.genesis(),
            "block": block,
            "spec_version": spec,
            "items": items,
        }))?;
        return Ok(Exit::Done);
    }
    let genesis = node.session.genesis();
    output::line(&format!("endpoint  {endpoint}\ngenesis   {genesis:?}"))?;
    output::line(&format!("block     {block}\nspec      {spec}"))?;
    for item in items {
        let kind = match item.kind {
            ItemKind::Call => "call",
            ItemKind::Storage => "storage",
            ItemKind::RuntimeApi => "runtime API",
            ItemKind::Constant => "constant",
        };
        let present = if item.present { "yes" } else { "-" };
        output::line(&format!("{kind:<12} {present:<4} {}", item.name))?;
    }
    Ok(Exit::Done)
}

/// A node that a command asks.
pub(super) struct Node {
    /// The connection.
    pub(super) session: Session,
    network: String,
}

impl Node {
    /// Connects to the first node of the settings that answers.
    pub(super) async fn connect(endpoints: &Endpoints) -> Result<Self, Ended> {
        let network = endpoints.network().to_owned();
        let session = Session::first(endpoints.urls(), PATIENCE).await.map_err(|failure| {
            let message = format!(
                "the chain cannot be reached ({network}): {failure}; check the network, or give \
                 another --subtensor.chain_endpoint"
            );
            Ended::new(Exit::Chain, message)
        })?;
        Ok(Self { session, network })
    }

    /// What the node answered, or an end that names the node, what went wrong and what to do.
    pub(super) fn told<T>(&self, answer: Result<T, Failure>) -> Result<T, Ended> {
        answer.map_err(|failure| {
            let next = match &failure {
                Failure::Missing { .. } => "check --netuid and --subtensor.network",
                _ => "try again, or give another --subtensor.chain_endpoint",
            };
            let (endpoint, network) = (self.session.endpoint(), &self.network);
            Ended::new(Exit::Chain, format!("{endpoint} ({network}): {failure}; {next}"))
        })
    }
}
