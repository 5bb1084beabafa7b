//! `sn1 bench wire load`: how many signed requests an axon answers a second, and at what cost.
//!
//! All requests are signed before the first is sent: on a small machine the load takes its time
//! from the axon that is measured.

use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures_util::future::{join_all, try_join_all};
use serde_json::json;
use sn1_actors::ports::Clock;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::message::Inbox;
use super::{AXON, DENDRITE, number, number_of};
use crate::cli::bench::cpu::cpu_time;
use crate::cli::{flag, one_actor, output};
use crate::exit::Exit;
use crate::wire::verify::signed_text;
use crate::wire::{Keypair, PROTOCOL_VERSION, UuidSource, body_hash};

/// How old a signature may become on its way through the queue; also what the SDK's axon allows.
const TIMEOUT: &str = "600.0";
/// What is asked, in bytes.
const PROMPT: usize = 200;

pub(super) fn command() -> Command {
    let port = flag("port", "PORT")
        .required(true)
        .value_parser(value_parser!(u16).range(1..))
        .help("where the axon of //Alice is, on loopback");
    let pid = flag("pid", "PID")
        .value_parser(value_parser!(u32))
        .help("the axon's process; its CPU time is told too");
    let latencies = Arg::new("latencies")
        .long("latencies")
        .action(ArgAction::SetTrue)
        .help("tell how long each answer took");
    Command::new("load")
        .about("Send signed requests to an axon as fast as it answers; prints a line of JSON")
        .after_help("Example:\n  sn1 bench wire load --port 8091 --requests 20000")
        .args([
            port,
            pid,
            latencies,
            number("connections", "32", 1..=1_000, "connections, each with a request at a time"),
            number("requests", "1000", 1..=1_000_000, "requests in total"),
        ])
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
    let axon = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let spent = || cpu_time(matches.get_one::<u32>("pid").copied()?);
    let clock = one_actor::overseer().clock();
    let requests = number_of(matches, "requests");
    let signed = RefCell::new(signed(axon, requests, &*clock)?.into_iter());

    let streams = (0..number_of(matches, "connections")).map(|_| TcpStream::connect(axon));
    let streams = try_join_all(streams).await;
    let streams = streams.with_context(|| format!("no axon on port {port}"))?;
    let (began, spent_before) = (clock.now(), spent());
    let sent = streams.into_iter().map(|stream| send(stream, &signed, &*clock));
    let tallies = join_all(sent).await;
    let (wall, spent_after) = (clock.now().since(began), spent());

    let mut tally = Tally::default();
    tallies.into_iter().for_each(|part| tally.add(part));
    let cpu = spent_after.zip(spent_before).map(|(after, before)| after.saturating_sub(before));
    let per_request = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(tally.answered);
    let mut line = json!({
        "requests": requests,
        "answered": tally.answered,
        "wall_s": wall.as_secs_f64(),
        "per_s": f64::from(tally.answered) / wall.as_secs_f64(),
        "axon_cpu_ms": cpu.map(per_request),
        "first_refusal": tally.refusal,
    });
    if matches.get_flag("latencies") {
        line["latencies_s"] = tally.latencies_s.into();
    }
    output::line(&line.to_string())?;
    Ok(Exit::Done)
}

#[derive(Default)]
struct Tally {
    answered: u32,
    latencies_s: Vec<f64>,
    /// Status line and headers of one that was refused, or how the axon hung up.
    refusal: Option<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.latencies_s.extend(other.latencies_s);
        self.refusal = self.refusal.take().or(other.refusal);
    }
}

/// Sends what is left, one request after the other, until one is refused: then an axon may hang up.
async fn send(
    mut stream: TcpStream,
    left: &RefCell<impl Iterator<Item = Vec<u8>>>,
    clock: &dyn Clock,
) -> Tally {
    let mut inbox = Inbox::default();
    let mut tally = Tally::default();
    loop {
        let Some(request) = left.borrow_mut().next() else { return tally };
        let began = clock.now();
        match exchange(&mut stream, &mut inbox, &request).await {
            Ok(head) if head.starts_with(b"HTTP/1.1 200 ") => {
                tally.answered += 1;
                tally.latencies_s.push(clock.now().since(began).as_secs_f64());
            }
            refused => {
                let said = refused.map(|head| String::from_utf8_lossy(head).into_owned());
                tally.refusal = Some(said.unwrap_or_else(|error| error.to_string()));
                return tally;
            }
        }
    }
}

/// Sends a request and gives the head of its reply.
async fn exchange<'a>(
    stream: &mut TcpStream,
    inbox: &'a mut Inbox,
    request: &[u8],
) -> io::Result<&'a [u8]> {
    stream.write_all(request).await?;
    inbox.next(stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Requests that a dendrite of the SDK could have sent, each with a uuid of its own: some overtake
/// others on their way. They are to be sent in the order of their nonces all the same: an axon of
/// ours remembers so many strangers, and takes nothing older than what it forgot.
fn signed(axon: SocketAddr, count: u32, clock: &dyn Clock) -> anyhow::Result<Vec<Vec<u8>>> {
    let own = Keypair::from_dev_uri(AXON)?.hotkey();
    let caller = Keypair::from_dev_uri(DENDRITE)?;
    let hotkey = caller.hotkey();
    let messages = ["m".repeat(PROMPT)];
    let body = json!({
        "name": "PromptingSynapse", "timeout": 600.0, "total_size": 0, "header_size": 0,
        "computed_body_hash": "", "required_hash_fields": ["messages"],
        "roles": ["user"], "messages": messages, "completion": "",
    });
    let (hash, body) = (body_hash::of_messages(&messages), body.to_string());
    let (ip, port, length) = (axon.ip(), axon.port(), body.len());
    let uuids = UuidSource::from_entropy();
    let request = |_| {
        let uuid = uuids.next();
        let nonce = u64::try_from(clock.unix().as_nanos())?;
        let text = signed_text(nonce, hotkey.as_str(), own.as_str(), &uuid, &hash);
        let signature = caller.sign_hex(&text);
        let request = format!(
            "POST /PromptingSynapse HTTP/1.1\r\nHost: {axon}\r\nname: PromptingSynapse\r\n\
             timeout: {TIMEOUT}\r\nbt_header_axon_ip: {ip}\r\nbt_header_axon_port: {port}\r\n\
             bt_header_axon_hotkey: {own}\r\nbt_header_dendrite_ip: 127.0.0.2\r\n\
             bt_header_dendrite_version: {PROTOCOL_VERSION}\r\n\
             bt_header_dendrite_nonce: {nonce}\r\nbt_header_dendrite_uuid: {uuid}\r\n\
             bt_header_dendrite_hotkey: {hotkey}\r\n\
             bt_header_dendrite_signature: {signature}\r\nbt_header_input_obj_roles: W10=\r\n\
             bt_header_input_obj_messages: W10=\r\nheader_size: 640\r\ntotal_size: 4000\r\n\
             computed_body_hash: {hash}\r\nAccept: */*\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        Ok(request.into_bytes())
    };
    (0..count).map(request).collect()
}
