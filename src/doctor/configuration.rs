//! What is wrong with the configuration, and what a start would refuse by it alone.

use super::Finding;
use crate::config::{ConfigErrors, Loaded, Place, Problem, Role, Settings, Warning};
use crate::wiring::joining::{self, Joining};
use crate::wiring::{miner, safety, tools};

/// Every problem and warning, each with its place.
pub(super) fn read(loaded: &Result<Loaded, ConfigErrors>) -> Vec<Finding> {
    const CHECK: &str = "configuration";
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(errors) => {
            let failing = |problem: &Problem| {
                Finding::failing(CHECK, format!("{problem}"), where_to(&problem.place))
            };
            return errors.0.iter().map(failing).collect();
        }
    };
    let warning =
        |warning: &Warning| Finding::warning(CHECK, warning.to_string(), where_to(&warning.place));
    let mut findings: Vec<Finding> = loaded.warnings.iter().map(warning).collect();
    if findings.is_empty() {
        let all = &loaded.origins.0;
        let own = all.iter().filter(|origin| origin.place != Place::Default).count();
        let seen = format!("{} settings, {own} of them not the built-in ones", all.len());
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

fn where_to(place: &Place) -> String {
    match place {
        Place::Default => "`sn1 config show` prints what is in effect".to_owned(),
        Place::File { .. } => format!("change {place}"),
        Place::Environment(name) => format!("change or unset the variable {name}"),
        Place::Flag(flag) => format!("change or leave out {flag}"),
    }
}

/// The subnet that the settings name, and what is wrong where they name none though the role is on
/// a chain.
pub(super) fn joining(role: Role, settings: &Settings) -> (Option<Joining>, Option<Finding>) {
    let joining = match role {
        Role::Localnet => return (None, None),
        Role::Validator => Joining::of(settings, "validator").map(Some),
        Role::Miner => joining::of_miner(settings),
    };
    match joining {
        Ok(Some(joining)) => {
            let seen = joining.to_string();
            (Some(joining), Some(Finding::ok("network", seen)))
        }
        Ok(None) => {
            let seen = "no chain: whoever asks is served";
            (None, Some(Finding::ok("network", seen)))
        }
        Err(refused) => {
            let cure = "set netuid and subtensor.network";
            (None, Some(Finding::failing("network", refused.message, cure)))
        }
    }
}

/// What else a start refuses.
pub(super) fn refusals(role: Role, settings: &Settings, joining: Option<&Joining>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if role == Role::Miner {
        let alone = miner::works_alone(settings.miner.kind);
        findings.extend(alone.err().map(|refused| {
            Finding::failing("miner", refused.message, "set miner.kind, for example to agent")
        }));
        return findings;
    }
    if let Err(refused) = tools::check_tasks(settings) {
        let cure = "add such a source to tools.sources, or leave the task out of neuron.tasks";
        findings.push(Finding::failing("tasks", refused.message, cure));
    }
    if let Some(joining) = joining.filter(|joining| joining.endpoints.is_public()) {
        let network = joining.endpoints.network();
        let reasons = safety::reasons(settings);
        if reasons.is_empty() {
            findings.push(Finding::ok("safety", format!("nothing that {network} forbids")));
        }
        findings.extend(reasons.iter().map(|reason| Finding::of_error("safety", reason, "")));
    }
    findings
}
