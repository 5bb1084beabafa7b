//! The folders that a neuron writes into, and whether another process has its key.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Case, Finding, off_thread};
use crate::config::Role;
use crate::ledger::lock::InstanceLock;
use crate::models::process;
use crate::wiring::localnet::runs_folder;
use crate::wiring::{journal_path, state_folder};

const STATE: &str = "state";
const LOCK: &str = "lock";

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, key) in folders(case) {
        findings.push(writable(case, &folder, key).await);
    }
    if let (Some(hotkey), Some(joining)) = (case.hotkey.clone(), &case.joining) {
        let (folder, netuid) = (case.settings.logging.logging_dir.clone(), joining.netuid);
        let looked =
            off_thread(move || match InstanceLock::holder_of_hotkey(&folder, &hotkey, netuid) {
                Ok(None) => {
                    Finding::ok(LOCK, format!("no other process has {hotkey} on subnet {netuid}"))
                }
                Ok(Some(holder)) => {
                    let seen = format!("{holder} runs with hotkey {hotkey} on subnet {netuid}");
                    let cure =
                        "stop it before another is started; leave it if it is the one you want";
                    Finding::failing(LOCK, seen, cure)
                }
                Err(error) => {
                    let seen =
                        format!("whether another process has the hotkey is not known: {error}");
                    Finding::warning(
                        LOCK,
                        seen,
                        format!("look at {}", folder.join("locks").display()),
                    )
                }
            });
        findings.push(case.soon(LOCK, looked).await.unwrap_or_else(|late| late));
    }
    findings
}

/// The folders that are written into, each with the key that names it.
pub(super) fn folders(case: &Case) -> Vec<(PathBuf, &'static str)> {
    let settings = &case.settings;
    if case.role == Role::Localnet {
        let journal = settings.journal.file.as_deref().map(|file| (parent(file), "journal.file"));
        return [(runs_folder(), "the variable XDG_STATE_HOME")]
            .into_iter()
            .chain(journal)
            .collect();
    }
    let mut folders = vec![(settings.logging.logging_dir.clone(), "logging.logging_dir")];
    if let (Some(hotkey), Some(joining)) = (&case.hotkey, &case.joining) {
        // An earlier run may have left it to another user.
        let own = state_folder(settings, joining.netuid, hotkey);
        let journal = parent(&journal_path(settings, joining.netuid, hotkey));
        if journal != own {
            folders.push((journal, "journal.file"));
        }
        folders.push((own, "logging.logging_dir"));
    }
    folders
}

fn parent(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// The folder itself, or the nearest above it that there is.
pub(super) fn nearest(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok());
    there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

async fn writable(case: &Case, folder: &Path, key: &str) -> Finding {
    let wanted = folder.to_owned();
    let found = off_thread(move || {
        let there = nearest(&wanted);
        let is_folder = there.is_dir();
        (there, is_folder)
    });
    let (there, is_folder) = match case.soon(STATE, found).await {
        Ok(found) => found,
        Err(late) => return late,
    };
    let (shown, at) = (folder.display(), there.display());
    if !is_folder {
        let seen = format!("{shown} cannot be made: {at} is no folder");
        return Finding::failing(STATE, seen, format!("set {key} to a folder, or move {at} away"));
    }
    // Asks the kernel, for this user, on this file system; to try would leave a trace.
    let mut command = Command::new("sh");
    command.args(["-c", "test -w \"$1\" && test -x \"$1\"", "sh"]).arg(&there);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match process::run(command, super::DISK_PATIENCE, || ()).await {
        Ok((status, _)) if status.success() => {
            Finding::ok(STATE, format!("{shown} can be written"))
        }
        Ok((status, _)) if status.code() == Some(1) => {
            let seen = format!("{at} cannot be written by this user");
            Finding::failing(
                STATE,
                seen,
                format!("give it to the user that runs sn1, or set {key}"),
            )
        }
        Ok(_) | Err(_) => {
            let seen = format!("whether {at} can be written is not known: `sh` does not tell");
            Finding::warning(STATE, seen, format!("try `touch {at}/x`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_that_is_there_is_looked_at() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(nearest(&home.path().join("a/b/c")), home.path());
        assert_eq!(nearest(home.path()), home.path());
        assert_eq!(nearest(Path::new("no-such-folder/x")), Path::new("."));
        assert_eq!(parent(Path::new("journal.jsonl")), Path::new("."));
    }
}
