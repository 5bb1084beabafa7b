//! `sn1 bench wire stub`: axons that check nothing and say the same to everybody, to measure a
//! dendrite by.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use sn1_actors::ports::Clock;
use sn1_actors::runtime::Tasks;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::message::Inbox;
use super::{ports, ports_of};
use crate::cli::seconds;
use crate::cli::signals::Signals;
use crate::cli::{one_actor, output};
use crate::exit::{Ended, Exit};

/// A completion, as an axon of SDK 10.5.0 words it.
const BODY: &str = r#"{"name":"PromptingSynapse","timeout":12.0,"total_size":0,"header_size":0,"roles":["user"],"messages":["bench"],"completion":"ok","required_hash_fields":["messages"]}"#;

pub(super) fn command() -> Command {
    Command::new("stub")
        .about("Answer on many ports without looking at the request, until interrupted")
        .after_help("Example:\n  sn1 bench wire stub --ports 1000 --delay 2")
        .args(ports())
        .arg(seconds("delay", "how long each answer takes").default_value("0"))
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let delay = matches.get_one::<f64>("delay").copied().unwrap_or_default();
    let delay = Duration::try_from_secs_f64(delay)
        .map_err(|error| Ended::new(Exit::Usage, format!("--delay {delay}: {error}")))?;
    let overseer = one_actor::overseer();
    let mut signals = Signals::watch()?;
    for port in ports_of(matches) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| unbound(port, &error))?;
        let stub = Stub { tasks: overseer.tasks().clone(), clock: overseer.clock(), delay };
        overseer.tasks().spawn("stub", stub.accept(listener));
    }
    output::line("ready")?;
    signals.next().await;
    Ok(Exit::Done)
}

fn unbound(port: u16, error: &io::Error) -> Ended {
    let advice = match error.raw_os_error() {
        Some(24) => "raise the limit of open files with `ulimit -n`",
        _ => "choose another --base",
    };
    Ended::new(Exit::Address, format!("cannot listen on port {port}: {error}; {advice}"))
}

#[derive(Clone)]
struct Stub {
    tasks: Tasks,
    clock: Arc<dyn Clock>,
    delay: Duration,
}

impl Stub {
    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let stub = self.clone();
                    self.tasks.spawn("stub", async move {
                        if let Err(error) = stub.answer(stream).await {
                            tracing::debug!(%error, "a connection broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.clock.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nname: PromptingSynapse\r\n\
             timeout: 12.0\r\nbt_header_axon_status_code: 200\r\n\
             bt_header_axon_status_message: Success\r\nbt_header_axon_process_time: 0.001\r\n\
             content-length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        let mut inbox = Inbox::default();
        while inbox.next(&mut stream).await?.is_some() {
            if !self.delay.is_zero() {
                self.clock.sleep(self.delay).await;
            }
            stream.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    }
}
