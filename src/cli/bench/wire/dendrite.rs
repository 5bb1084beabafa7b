//! `sn1 bench wire dendrite`: how long many miners at once take, and what they cost.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use futures_util::future::join_all;
use serde_json::json;
use sn1_actors::domain::{Query, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};

use super::{AXON, DENDRITE, number, number_of, ports, ports_of};
use crate::cli::bench::cpu::cpu_time;
use crate::cli::seconds;
use crate::cli::{one_actor, output};
use crate::exit::{Ended, Exit};
use crate::wire::{HttpTransport, Keypair, TransportOptions, UuidSource};

pub(super) fn command() -> Command {
    Command::new("dendrite")
        .about("Ask an axon on each port at once; prints a line of JSON for each round")
        .after_help("Example:\n  sn1 bench wire dendrite --ports 1000 --timeout 10")
        .args(ports())
        .arg(seconds("timeout", "how long each may take").default_value("10"))
        .arg(number("rounds", "1", 1..=1_000, "how often; each round begins without connections"))
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let timeout = matches.get_one::<f64>("timeout").copied().unwrap_or_default();
    let timeout = Duration::try_from_secs_f64(timeout)
        .map_err(|error| Ended::new(Exit::Usage, format!("--timeout {timeout}: {error}")))?;
    let hotkey = Keypair::from_dev_uri(AXON)?.hotkey();
    let target = |port| AxonTarget {
        uid: Uid(0),
        hotkey: hotkey.clone(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    };
    let targets: Vec<AxonTarget> = ports_of(matches).map(target).collect();
    for _ in 0..number_of(matches, "rounds") {
        round(&targets, timeout).await?;
    }
    Ok(Exit::Done)
}

async fn round(targets: &[AxonTarget], timeout: Duration) -> anyhow::Result<()> {
    let clock = one_actor::overseer().clock();
    let options = TransportOptions { allow_local: true, ..TransportOptions::default() };
    let (keypair, uuids) = (Keypair::from_dev_uri(DENDRITE)?, UuidSource::from_entropy());
    let transport =
        HttpTransport::new(Arc::new(keypair), Arc::clone(&clock), Arc::new(uuids), options);
    let query = Arc::new(Query::from_user("bench"));
    let spent = || cpu_time(std::process::id());
    let (began, spent_before) = (clock.now(), spent());
    let asked =
        targets.iter().map(|target| transport.ask(target.clone(), Arc::clone(&query), timeout));
    let replies = join_all(asked).await;
    let (wall, spent_after) = (clock.now().since(began), spent());
    let answered = replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
    let failed = replies.iter().find(|reply| reply.status != StatusCode::OK);
    let cpu = spent_after.zip(spent_before).map(|(after, before)| after.saturating_sub(before));
    let line = json!({
        "asked": replies.len(),
        "answered": answered,
        "wall_s": wall.as_secs_f64(),
        "cpu_s": cpu.map(|cpu| cpu.as_secs_f64()),
        "first_failure": failed.map(|reply| format!("{} {}", reply.status, reply.message)),
    });
    Ok(output::line(&line.to_string())?)
}
