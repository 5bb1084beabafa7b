//! `sn1 query`: one signed request to one axon, as Dendrite sends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use sn1_actors::domain::{Hotkey, MinerReply, Query, Role, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};
use tokio::sync::mpsc;

use super::chain::Node;
use super::{
    development_key_or_wallet_flag, flag, json_flag, loaded, one_actor, output, seconds,
    signing_key, switch,
};
use crate::chain::node::metagraph;
use crate::config::{Role as Config, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::wire::{HttpTransport, Keypair, TransportOptions, UuidSource, resolve};
use crate::wiring::joining::Joining;

/// Pieces of text that may wait to be printed.
const PIECES: usize = 64;

pub(super) fn command() -> Command {
    let axon = flag("axon", "HOST:PORT").required_unless_present("uid").conflicts_with("uid");
    let hotkey = flag("axon.hotkey", "SS58").required_unless_present("uid").conflicts_with("uid");
    let uid = flag("uid", "N").value_parser(value_parser!(u16));
    let message = flag("message", "TEXT").required(true).action(ArgAction::Append);
    let role = flag("role", "ROLE").action(ArgAction::Append);
    let names = [Role::System, Role::User, Role::Assistant].map(Role::as_str);
    let stream = switch("stream");
    let command = Command::new("query")
        .about("Ask one axon")
        .after_help(
            "Examples:\n  sn1 query --axon 127.0.0.1:8091 --axon.hotkey 5Grwva… --uri //Bob \
             --message 'Why is the sky blue?'\n  sn1 query --axon 127.0.0.1:8091 \
             --axon.hotkey 5Grwva… --uri //Bob --stream \\\n    --role system --message 'Be brief.' \
             --role user --message 'Why is the sky blue?'",
        )
        .arg(axon.help("where it answers"))
        .arg(hotkey.help("the key it holds; the request is signed for it"))
        .arg(uid.help("the slot it holds, on the chain of --netuid and --subtensor.network"))
        .arg(message.help("what is asked; several make a conversation"))
        .arg(role.value_parser(names).help("who says it, once for each message; else the user"))
        .arg(stream.help("ask by the streaming synapse, and print the answer as it comes"))
        .arg(seconds("timeout", "how long it may take").default_value("12"))
        .arg(development_key_or_wallet_flag())
        .arg(json_flag());
    add_flags_of(command, &["", "subtensor", "wallet"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let seconds = matches.get_one::<f64>("timeout").copied().unwrap_or(12.0);
    let timeout = Duration::try_from_secs_f64(seconds)
        .map_err(|error| Ended::new(Exit::Usage, format!("--timeout {seconds}: {error}")))?;
    let query = Arc::new(conversation(matches)?);
    let Asking { target, keypair, allow_local } = match matches.get_one::<u16>("uid") {
        Some(uid) => on_chain(Uid(*uid), matches).await?,
        None => by_address(matches).await?,
    };
    let overseer = one_actor::overseer();
    let options = TransportOptions { allow_local, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(Arc::new(keypair), overseer.clock(), uuids, options);
    let asked = Asked { json: matches.get_flag("json"), streamed: matches.get_flag("stream") };
    if asked.streamed {
        let (sender, pieces) = mpsc::channel(PIECES);
        let reply = transport.stream(target, query, timeout, sender);
        let (reply, chunks) = tokio::join!(reply, asked.follow(pieces));
        asked.tell(&reply, &chunks?)
    } else {
        asked.tell(&transport.ask(target, query, timeout).await, &[])
    }
}

/// How the answer is wanted.
#[derive(Clone, Copy)]
struct Asked {
    json: bool,
    streamed: bool,
}

impl Asked {
    /// Takes the pieces as they come, and prints them unless there is to be one object.
    async fn follow(self, mut pieces: mpsc::Receiver<String>) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        while let Some(piece) = pieces.recv().await {
            if !self.json {
                output::part(&output::lines_of(&piece))?;
            }
            all.push(piece);
        }
        if !self.json && !all.is_empty() {
            output::line("")?;
        }
        Ok(all)
    }

    /// Says what the reply was.
    fn tell(self, reply: &MinerReply, chunks: &[String]) -> anyhow::Result<Exit> {
        let answered = reply.status == StatusCode::OK;
        if self.json {
            let mut object = json!({
                "status_code": reply.status,
                "status_message": reply.message,
                "completion": reply.completion,
                "process_time": reply.elapsed.as_secs_f64(),
                "error": if answered { None } else { Some(&reply.message) },
            });
            if self.streamed {
                object["chunks"] = Value::from(chunks);
            }
            output::json(&object)?;
        } else if answered && !self.streamed {
            output::line(&output::lines_of(&reply.completion))?;
        }
        if answered {
            return Ok(Exit::Done);
        }
        let (status, message) = (reply.status, output::shown(&reply.message, 300));
        Err(Ended::new(Exit::Failed, format!("no answer: {status} {message}")).into())
    }
}

/// The messages with their roles, in the order in which they were given.
fn conversation(matches: &ArgMatches) -> Result<Query, Ended> {
    let given = |name: &str| -> Vec<String> {
        matches.get_many(name).into_iter().flatten().cloned().collect()
    };
    let (messages, names) = (given("message"), given("role"));
    if names.is_empty() {
        return Ok(Query { roles: vec![Role::User; messages.len()], messages });
    }
    if names.len() != messages.len() {
        let (roles, messages) = (names.len(), messages.len());
        let message = format!(
            "{roles} times --role and {messages} times --message; give one --role for each \
             --message, or none"
        );
        return Err(Ended::new(Exit::Usage, message));
    }
    let role = |name: &String| match name.as_str() {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        _ => Role::User,
    };
    Ok(Query { roles: names.iter().map(role).collect(), messages })
}

/// Whom to ask, and who asks.
struct Asking {
    target: AxonTarget,
    keypair: Keypair,
    /// Whether the axon may be on this machine or its network.
    allow_local: bool,
}

/// The axon that the caller names, wherever it is; no chain is asked.
async fn by_address(matches: &ArgMatches) -> anyhow::Result<Asking> {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let hotkey = Hotkey::parse(text("axon.hotkey"))
        .map_err(|error| Ended::new(Exit::Usage, format!("--axon.hotkey: {error}")))?;
    let place = text("axon");
    let address: SocketAddr = resolve(place).await.map_err(|error| {
        Ended::new(Exit::Usage, format!("--axon {place}: {error}; expected HOST:PORT"))
    })?;
    let target = AxonTarget { uid: Uid(0), hotkey, address };
    let keypair = match matches.get_one::<String>("uri") {
        Some(uri) => Keypair::from_dev_uri(uri).map_err(|error| Ended::new(Exit::Usage, error))?,
        None => signing_key(matches, &loaded(Config::Validator, matches)?).await?,
    };
    Ok(Asking { target, keypair, allow_local: true })
}

/// The neuron in a slot, as the chain has it now. What a public chain says does not lead into this
/// machine's network, and development keys sign nothing there.
async fn on_chain(uid: Uid, matches: &ArgMatches) -> anyhow::Result<Asking> {
    let loaded = loaded(Config::Validator, matches)?;
    let Joining { netuid, endpoints } = Joining::of(&loaded.settings, "query")?;
    let keypair = signing_key(matches, &loaded).await?;
    let node = Node::connect(&endpoints).await?;
    let metagraph = node.told(metagraph::read(&node.session, netuid).await)?;
    let neuron = metagraph.neurons.get(usize::from(uid.0)).ok_or_else(|| {
        let most = metagraph.neurons.len();
        Ended::new(Exit::Usage, format!("subnet {netuid} has {most} neurons, and no uid {uid}"))
    })?;
    let address = neuron.axon.ok_or_else(|| {
        let hotkey = &neuron.hotkey;
        Ended::new(Exit::Failed, format!("uid {uid} ({hotkey}) has no axon on the chain"))
    })?;
    let target = AxonTarget { uid, hotkey: neuron.hotkey.clone(), address };
    Ok(Asking { target, keypair, allow_local: !endpoints.is_public() })
}
