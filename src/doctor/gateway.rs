//! The gateway: somebody has a key, and keys are not shown to the network.

use super::{Case, Finding, off_thread};
use crate::config::Role;
use crate::gateway::keys;
use crate::wiring::gateway::folder;

const CHECK: &str = "gateway";

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let settings = &case.settings;
    // A local network makes its own key.
    if !settings.gateway.enabled || case.role != Role::Validator {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if let (Some(hotkey), Some(joining)) = (&case.hotkey, &case.joining) {
        let folder = folder(settings, joining.netuid, hotkey);
        let at = folder.display().to_string();
        let looked = off_thread(move || match keys::list(&folder) {
            Err(error) => Finding::of_error(CHECK, &error, &format!("look at {at}")),
            Ok(all) => match all.iter().filter(|key| key.revoked.is_none()).count() {
                0 => {
                    let seen = format!("no key is in use in {at}: nobody is let in");
                    let cure = format!("sn1 gateway keys new --name NAME --folder {at}");
                    Finding::warning(CHECK, seen, cure)
                }
                count => Finding::ok(CHECK, format!("{count} keys in use in {at}")),
            },
        });
        findings.push(case.soon(CHECK, looked).await.unwrap_or_else(|late| late));
    }
    let public = case.joining.as_ref().is_some_and(|joining| joining.endpoints.is_public());
    if public && !settings.gateway.ip.is_loopback() {
        let seen = format!(
            "it is open to other machines on {} without TLS: keys and texts can be read on their way",
            settings.gateway.ip
        );
        let cure = "put a proxy with TLS in front of it, and set gateway.ip to 127.0.0.1";
        findings.push(Finding::warning(CHECK, seen, cure));
    }
    findings
}
