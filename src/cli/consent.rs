//! Asks before something is done that costs, and turns the chain's refusals into ends.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Arg, ArgMatches};
use sn1_actors::ports::ChainError;

use super::switch;
use crate::exit::{Ended, Exit};

/// `--yes`.
pub(super) fn yes_flag() -> Arg {
    switch("yes")
        .short('y')
        .help("do not ask; without a terminal nothing is sent unless this is given")
}

/// Whether to go on: `--yes`, or a yes on the terminal. May wait for a person.
pub(super) async fn given(matches: &ArgMatches, question: &str) -> anyhow::Result<bool> {
    if matches.get_flag("yes") {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let message = "nothing was sent: there is no terminal to ask on; give --yes";
        return Err(Ended::new(Exit::Usage, message).into());
    }
    let question = format!("{question} [y/N] ");
    Ok(tokio::task::spawn_blocking(move || asked(&question)).await??)
}

fn asked(question: &str) -> std::io::Result<bool> {
    let mut terminal = std::io::stderr();
    terminal.write_all(question.as_bytes())?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The end that an error of the chain calls for.
pub(super) fn ended(error: ChainError) -> Ended {
    let exit = match &error {
        ChainError::Unreachable(_) => Exit::Chain,
        ChainError::NotRegistered(_)
        | ChainError::NoPermit(_)
        | ChainError::TooSoon { .. }
        | ChainError::Outdated(_)
        | ChainError::TooLate(_)
        | ChainError::Refused(_) => Exit::Failed,
    };
    Ended::new(exit, error)
}
