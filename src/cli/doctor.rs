//! `sn1 doctor`: what would stop the neuron or cost it, and the cure of each.

use std::io::IsTerminal;

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{development_key_flag, json_flag, output, role, role_flag, switch};
use crate::config::{Inputs, Settings, add_config_flags, collect_flags};
use crate::doctor::{Finding, Verdict, Visit, examine};
use crate::exit::Exit;
use crate::wiring::system_clock;

pub(super) fn command() -> Command {
    let offline = switch("offline").help("ask nobody else: no chain, sources or model servers");
    let command = Command::new("doctor")
        .about("Look for what would stop a neuron or cost it, and name the cure")
        .after_help(
            "Examples:\n  sn1 doctor --netuid 61 --subtensor.network test --wallet.name alice\n  \
             sn1 doctor --role miner --config miner.toml --json\n  \
             sn1 doctor --role localnet --offline\n\nThe flags are those that the neuron is started \
             with. Nothing is changed or sent to the chain. A neuron that runs has its key and ports \
             itself, which counts as failing: another could not be started. Ends with 0 where nothing is failing, \
             warnings or not, else with 1. Run it as the user who runs the neuron, as in `sudo -u sn1 \
             sn1 doctor …`: root may write everything. It takes some 15 seconds where it waits for the chain's \
             next block or for what does not answer.",
        )
        .args([role_flag(), offline, json_flag(), development_key_flag()]);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let (role, offline) = (role(matches), matches.get_flag("offline"));
    let loaded = Settings::load(role, &Inputs::from_process(collect_flags(matches)));
    let uri = matches.get_one::<String>("uri").cloned();
    let findings = examine(role, loaded, Visit { offline, uri, clock: system_clock() }).await;
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let [ok, warnings, failing] = [Verdict::Ok, Verdict::Warning, Verdict::Failing].map(count);
    if matches.get_flag("json") {
        output::json(&json!({
            "role": role.as_str(),
            "offline": offline,
            "ok": ok,
            "warnings": warnings,
            "failing": failing,
            "findings": findings,
        }))?;
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for finding in &findings {
            output::line(&shown(finding, colours))?;
        }
        output::line(&format!("{failing} failing, {warnings} warnings, {ok} ok"))?;
    }
    Ok(if failing > 0 { Exit::Failed } else { Exit::Done })
}

/// A line, and the cure below it.
fn shown(finding: &Finding, colours: bool) -> String {
    let Finding { check, verdict, seen, cure } = finding;
    let (on, off) = match (colours, verdict) {
        (false, _) => ("", ""),
        (true, Verdict::Ok) => ("\x1b[32m", "\x1b[0m"),
        (true, Verdict::Warning) => ("\x1b[33m", "\x1b[0m"),
        (true, Verdict::Failing) => ("\x1b[31m", "\x1b[0m"),
    };
    let cure = cure.as_ref().map(|cure| format!("\n         cure: {cure}")).unwrap_or_default();
    format!("{on}{verdict:8}{off} {check}: {seen}{cure}")
}
