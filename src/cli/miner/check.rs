//! `sn1 miner check`: asks our own axon, at the address that validators have, and says what came back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use serde_json::json;
use sn1_actors::domain::{Hotkey, MinerReply, Query, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport};

use super::ON_CHAIN;
use crate::chain::node::metagraph;
use crate::cli::chain::Node;
use crate::cli::{
    development_key_flag, json_flag, loaded, one_actor, output, seconds, signing_key,
};
use crate::config::{Role, Settings, add_flags_of};
use crate::exit::{Ended, Exit};
use crate::wire::{HttpTransport, TransportOptions, UuidSource};
use crate::wiring::joining::{Joining, chain_is_named, registered};

/// What is asked.
const QUESTION: &str = "Are you there? Answer in one word.";

pub(super) fn command() -> Command {
    let command = Command::new("check")
        .about("Ask our own axon as a validator would, and say what came back")
        .after_help(
            "Examples:\n  sn1 miner check --netuid 61 --subtensor.network test --wallet.name alice \
             --wallet.hotkey miner1\n  sn1 miner check --uri //Alice --axon.port 8091\n\nWhere a \
             chain is named it is asked at the address that the chain has, else at that of axon.*. \
             The request is signed with the miner's own key: a miner that serves validators only \
             refuses it (403), which shows that it is reached.",
        )
        .arg(seconds("timeout", "how long it may take").default_value("12"))
        .arg(development_key_flag())
        .arg(json_flag());
    add_flags_of(command, &["", "subtensor", "wallet", "axon"])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let seconds = matches.get_one::<f64>("timeout").copied().unwrap_or(12.0);
    let timeout = Duration::try_from_secs_f64(seconds)
        .map_err(|error| Ended::new(Exit::Usage, format!("--timeout {seconds}: {error}")))?;
    let loaded = loaded(Role::Miner, matches)?;
    let settings = &loaded.settings;
    let keypair = signing_key(matches, &loaded).await?;
    let hotkey = keypair.hotkey();
    let Door { address, named_by, allow_local } = door(settings, &hotkey).await?;
    if !matches.get_flag("json") {
        output::line(&format!("asking {address} ({named_by}) as {hotkey}"))?;
    }
    let overseer = one_actor::overseer();
    let options = TransportOptions { allow_local, ..TransportOptions::default() };
    let uuids = Arc::new(UuidSource::from_entropy());
    let transport = HttpTransport::new(Arc::new(keypair), overseer.clock(), uuids, options);
    let target = AxonTarget { uid: Uid(0), hotkey: hotkey.clone(), address };
    let reply = transport.ask(target, Arc::new(Query::from_user(QUESTION)), timeout).await;
    let advice = advice(&reply, &hotkey);
    if matches.get_flag("json") {
        output::json(&json!({
            "hotkey": hotkey,
            "address": address,
            "address_from": named_by,
            "status_code": reply.status,
            "status_message": reply.message,
            "completion": reply.completion,
            "process_time": reply.elapsed.as_secs_f64(),
            "advice": advice,
        }))?;
    } else if reply.status == StatusCode::OK {
        let (text, took) = (output::shown(&reply.completion, 200), reply.elapsed.as_secs_f64());
        output::line(&format!("answered in {took:.2} s: {text}"))?;
    }
    match advice {
        None => Ok(Exit::Done),
        Some(advice) => {
            let (status, message) = (reply.status, output::shown(&reply.message, 200));
            Err(Ended::new(Exit::Failed, format!("no answer: {status} {message}: {advice}")).into())
        }
    }
}

/// Where our axon is to be found.
struct Door {
    address: SocketAddr,
    /// Who says so.
    named_by: &'static str,
    /// Whether it may be on this machine or its network.
    allow_local: bool,
}

async fn door(settings: &Settings, hotkey: &Hotkey) -> anyhow::Result<Door> {
    if !chain_is_named(settings) {
        return Ok(Door { address: configured(settings), named_by: "axon.*", allow_local: true });
    }
    let Joining { netuid, endpoints } = Joining::of(settings, "miner check")?;
    let node = Node::connect(&endpoints).await?;
    let metagraph = node.told(metagraph::read(&node.session, netuid).await)?;
    let own = registered(&metagraph, hotkey)?;
    let address = own.axon.ok_or_else(|| {
        let uid = own.uid;
        let message = format!(
            "uid {uid} ({hotkey}) has no axon on the chain, so no validator finds it: run `sn1 \
             miner`, which publishes its address, and look at its log if this stays so for minutes"
        );
        Ended::new(Exit::Failed, message)
    })?;
    Ok(Door { address, named_by: ON_CHAIN, allow_local: !endpoints.is_public() })
}

/// The address of the settings; every address of this machine is this machine.
fn configured(settings: &Settings) -> SocketAddr {
    let axon = &settings.axon;
    let ip = axon.external_ip.unwrap_or(axon.ip);
    let ip = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
    SocketAddr::from((ip, axon.external_port.unwrap_or(axon.port)))
}

/// The likely cause of a failure and what to do; none where there is an answer.
fn advice(reply: &MinerReply, own: &Hotkey) -> Option<String> {
    let says = |words: &str| reply.message.contains(words);
    let let_in =
        format!("to let this check in, run the miner with --blacklist.allow_hotkeys {own}");
    Some(match reply.status.0 {
        200 => return None,
        401 => "somebody is there who does not take our signature: another hotkey than ours holds \
                that address, or the clocks of the two machines differ; compare the hotkey that `sn1 \
                miner` prints, and the time"
            .to_owned(),
        403 if says("Unrecognized hotkey") => format!(
            "the axon is reached and works, but the miner's subnet does not have our own key: it \
             runs on no chain or another one, or the key is not registered (`sn1 register`); {let_in}"
        ),
        403 => format!(
            "the axon is reached and works; its blacklist refuses our own key, as it would any \
             caller like us (no permit, low stake or named); {let_in}"
        ),
        404 => "something answers there that is no miner of this subnet: check axon.port and where \
                the port is forwarded to"
            .to_owned(),
        408 => "no answer in time: a firewall drops what comes to that port, or the miner is too \
                slow; `sn1 miner report` shows whether the request came in and how long answers take"
            .to_owned(),
        429 => "we ask more often than axon.requests_per_second allows: wait some seconds".to_owned(),
        503 if says("waiting") => "the miner is reached and full: validators with more stake go \
                                   first; raise axon.max_workers or answer faster"
            .to_owned(),
        503 => "nobody is reached there: see that `sn1 miner` runs, that the port is open in the \
                firewall and forwarded; some routers lead no machine to its own outer address, so \
                try `sn1 query --axon` from elsewhere too"
            .to_owned(),
        500.. => "the miner failed inside: its journal and log say at what".to_owned(),
        _ => "it is no answer that this program knows: `sn1 query` shows it whole".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_cause_and_a_next_step_and_an_answer_has_none() {
        let own = Hotkey::parse("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap();
        let advice = |status: u16, message: &str| {
            let reply = MinerReply {
                completion: String::new(),
                status: StatusCode(status),
                message: message.to_owned(),
                elapsed: Duration::ZERO,
                pieces: Vec::new(),
            };
            advice(&reply, &own).unwrap_or_default()
        };
        for (status, message, expected) in [
            (401, "Not Verified", "clocks"),
            (403, "Forbidden. Key is blacklisted: Unrecognized hotkey.", "not registered"),
            (403, "Forbidden. Key is blacklisted: No validator permit.", "works; its blacklist"),
            (404, "", "axon.port"),
            (408, "", "firewall"),
            (429, "", "requests_per_second"),
            (500, "", "journal"),
            (503, "Too many requests are waiting.", "full"),
            (503, "Service unavailable", "forwarded"),
        ] {
            let advice = advice(status, message);
            assert!(advice.contains(expected), "{status} {message}: {advice}");
        }
        assert!(advice(403, "").contains(&format!("--blacklist.allow_hotkeys {own}")));
        assert_eq!(advice(200, ""), "");
    }
}
