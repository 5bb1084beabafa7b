//! `sn1 query`: one signed request to one axon, as Dendrite sends it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use serde_json::json;
use sn1_actors::domain::{Hotkey, Query, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};

use super::task::seconds;
use super::{json_flag, one_actor, output};
use crate::exit::{Ended, Exit};
use crate::wire::{HttpTransport, Keypair, TransportOptions, UuidSource};

pub(super) fn command() -> Command {
    let required = |name: &'static str, value: &'static str| {
        Arg::new(name).long(name).value_name(value).required(true)
    };
    Command::new("query")
        .about("Ask one axon")
        .after_help(
            "Example:\n  sn1 query --axon 127.0.0.1:8091 --axon.hotkey 5Grwva… --uri //Bob \
             --message 'Why is the sky blue?'",
        )
        .arg(required("axon", "HOST:PORT").help("where it answers"))
        .arg(required("axon.hotkey", "SS58").help("the key it holds; the request is signed for it"))
        .arg(required("message", "TEXT").help("what is asked"))
        .arg(required("uri", "URI").help("development key to sign with, for example //Bob"))
        .arg(seconds("timeout", "how long it may take").default_value("12"))
        .arg(json_flag())
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let usage = |error: &dyn std::fmt::Display| Ended::new(Exit::Usage, error);
    let keypair = Keypair::from_dev_uri(&text("uri")).map_err(|error| usage(&error))?;
    let hotkey = Hotkey::parse(&text("axon.hotkey")).map_err(|error| usage(&error))?;
    let address = resolve(&text("axon"))?;
    let seconds = matches.get_one::<f64>("timeout").copied().unwrap_or(12.0);
    let timeout = Duration::try_from_secs_f64(seconds)
        .map_err(|error| Ended::new(Exit::Usage, format!("--timeout {seconds}: {error}")))?;
    let overseer = one_actor::overseer();
    let options = TransportOptions { allow_local: true, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(Arc::new(keypair), overseer.clock(), uuids, options)?;
    let target = AxonTarget { uid: Uid(0), hotkey, address };
    let reply = transport.ask(target, Arc::new(Query::from_user(text("message"))), timeout).await;
    let answered = reply.status == StatusCode::OK;
    if matches.get_flag("json") {
        output::json(&json!({
            "status_code": reply.status,
            "status_message": reply.message,
            "completion": reply.completion,
            "process_time": reply.elapsed.as_secs_f64(),
            "error": if answered { None } else { Some(&reply.message) },
        }))?;
    } else if answered {
        output::line(&output::shown(&reply.completion, usize::MAX / 8))?;
    }
    if answered {
        return Ok(Exit::Done);
    }
    let (status, message) = (reply.status, output::shown(&reply.message, 300));
    Err(Ended::new(Exit::Failed, format!("no answer: {status} {message}")).into())
}

fn resolve(text: &str) -> Result<SocketAddr, Ended> {
    let failed = |cause: &str| {
        Ended::new(Exit::Usage, format!("--axon {text}: {cause}; expected HOST:PORT"))
    };
    let mut all = text.to_socket_addrs().map_err(|error| failed(&error.to_string()))?;
    all.next().ok_or_else(|| failed("no address"))
}
