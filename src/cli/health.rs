//! `sn1 health`: whether a server of this program answers, for supervisors that have no curl.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use super::{output, seconds};
use crate::exit::{Ended, Exit};

pub(super) fn command() -> Command {
    let url = Arg::new("url")
        .value_name("URL")
        .required(true)
        .help("what is asked: the axon, the console's /health/live or /health/ready, the gateway");
    Command::new("health")
        .about("Ask a server whether it is well; the exit code says so")
        .after_help(
            "Examples:\n  sn1 health http://127.0.0.1:8091/\n  sn1 health --timeout 2 \
             http://127.0.0.1:8080/v1/models\n\nWhoever answers is well, also with a refusal (4xx), \
             but not with a failure of its own (5xx). Exit code 0 is well, 1 is not.",
        )
        .arg(seconds("timeout", "how long the answer may take").default_value("5"))
        .arg(url)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let seconds = matches.get_one::<f64>("timeout").copied().unwrap_or(5.0);
    let timeout = Duration::try_from_secs_f64(seconds)
        .map_err(|error| Ended::new(Exit::Usage, format!("--timeout {seconds}: {error}")))?;
    let url = matches.get_one::<String>("url").map_or("", String::as_str);
    let client = reqwest::Client::builder().timeout(timeout).no_proxy().build()?;
    // Only the head of the answer is waited for: /events of a console has no end.
    let answer = client.get(url).send().await;
    let answer = answer.map_err(|error| {
        let exit = if error.is_builder() { Exit::Usage } else { Exit::Failed };
        Ended::new(exit, format!("{url}: {}", cause(&error)))
    })?;
    let status = answer.status();
    if status.is_server_error() {
        return Err(Ended::new(Exit::Failed, format!("{url} answers {status}")).into());
    }
    output::line(&format!("{url} answers {status}"))?;
    Ok(Exit::Done)
}

/// What lies under an error, which itself only says that there was one.
fn cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
