//! The folders that a neuron writes into, and whether another process has its key.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sn1_actors::ports::Ledger;

use super::{Case, Finding, off_thread};
use crate::config::Role;
use crate::ledger::LedgerFile;
use crate::ledger::lock::InstanceLock;
use crate::models::process;
use crate::wiring::localnet::runs_folder;
use crate::wiring::{journal_path, state_folder};

const STATE: &str = "state";
const LOCK: &str = "lock";
const FOLDER: &str = "logging.logging_dir";
const JOURNAL: &str = "journal.file";
const LOG: &str = "logging.file";

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folders = folders(case);
    for (folder, key) in &folders {
        findings.push(writable(case, folder, key).await);
    }
    let (files, book) = (files(case), book(case));
    let looked = off_thread(move || {
        let of_files = files.iter().filter_map(|(file, key)| of_file(file, key));
        let all = of_files.chain(book.and_then(of_book));
        all.chain(as_root(folders.iter().map(|(folder, _)| folder))).collect()
    });
    findings.extend(case.soon(STATE, looked).await.unwrap_or_else(|late| vec![late]));
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
    let log = settings.logging.file.as_deref().map(|file| (parent(file), LOG));
    if case.role == Role::Localnet {
        let journal = settings.journal.file.as_deref().map(|file| (parent(file), JOURNAL));
        return [(runs_folder(), "the variable XDG_STATE_HOME")]
            .into_iter()
            .chain(journal)
            .chain(log)
            .collect();
    }
    let mut folders = vec![(settings.logging.logging_dir.clone(), FOLDER)];
    if let (Some(hotkey), Some(joining)) = (&case.hotkey, &case.joining) {
        // An earlier run may have left it to another user.
        let own = state_folder(settings, joining.netuid, hotkey);
        let journal = parent(&journal_path(settings, joining.netuid, hotkey));
        if journal != own {
            folders.push((journal, JOURNAL));
        }
        folders.push((own, FOLDER));
    }
    folders.extend(log);
    folders
}

/// The files that a start opens to write, if they are there, each with the key that names it: an
/// earlier run may have left them to another user.
fn files(case: &Case) -> Vec<(PathBuf, &'static str)> {
    let settings = &case.settings;
    let log = settings.logging.file.clone().map(|file| (file, LOG));
    let Some((netuid, hotkey)) = case.neuron() else {
        return settings
            .journal
            .file
            .clone()
            .map(|file| (file, JOURNAL))
            .into_iter()
            .chain(log)
            .collect();
    };
    let own = state_folder(settings, netuid, hotkey);
    let lock = InstanceLock::path_of_hotkey(&settings.logging.logging_dir, hotkey, netuid);
    let mut files = vec![(journal_path(settings, netuid, hotkey), JOURNAL), (lock, FOLDER)];
    match case.role {
        Role::Validator => files.push((own.join("scores.json.lock"), FOLDER)),
        Role::Miner => files.push((own.join("openai_tokens.lock"), FOLDER)),
        Role::Localnet => {}
    }
    files.extend(log);
    files
}

/// What is wrong with a file that is to be written, which is opened as a start would and left alone.
fn of_file(file: &Path, key: &str) -> Option<Finding> {
    let at = file.display();
    let opened = match file.metadata() {
        // Nobody may read from it yet, which a start would wait for.
        Ok(metadata) if metadata.file_type().is_fifo() => return None,
        Ok(_) => OpenOptions::new().append(true).open(file).map(drop),
        Err(error) => Err(error),
    };
    let error = match opened {
        Ok(()) => return None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        // What stands in the place of a folder is told of the folder.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return None,
        Err(error) => error,
    };
    let cure = format!("give it to the user that runs sn1 (`chown USER {at}`), or set {key}");
    Some(Finding::failing(STATE, format!("{at} cannot be written: {error}"), cure))
}

/// Where a validator keeps its scores.
fn book(case: &Case) -> Option<LedgerFile> {
    let (netuid, hotkey) = case.neuron().filter(|_| case.role == Role::Validator)?;
    let folder = state_folder(&case.settings, netuid, hotkey);
    Some(LedgerFile::look_at(folder.join("scores.json")))
}

/// What is wrong with the scores, which a start would refuse.
fn of_book(book: LedgerFile) -> Option<Finding> {
    match book.is_there() {
        Ok(false) => return None,
        // What stands in the place of a folder is told of the folder.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return None,
        Ok(true) | Err(_) => {}
    }
    // A damaged one names its own cure.
    let cure = "update sn1 where the scores are a newer one's; else give the file to the user that \
                runs sn1";
    match book.load() {
        Ok(book) => Some(Finding::ok(STATE, format!("scores of {} steps", book.steps))),
        Err(error) => Some(Finding::of_error(STATE, &error, cure)),
    }
}

/// Root is let everywhere, which says nothing of the user that the folders belong to.
fn as_root<'a>(mut folders: impl Iterator<Item = &'a PathBuf>) -> Option<Finding> {
    // The process's own folder there belongs to its effective user; elsewhere nothing is known.
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let (there, owner) = folders.find_map(|folder| {
        let there = nearest(folder);
        let owner = there.metadata().ok()?.uid();
        (owner != 0).then_some((there, owner))
    })?;
    let seen = format!(
        "this is root, who may write everywhere, and {} belongs to user {owner}: whether that one \
         can write was not looked at",
        there.display()
    );
    let cure = format!("look as the user who runs the neuron: sudo -u '#{owner}' sn1 doctor …");
    Some(Finding::warning("user", seen, cure))
}

/// The folder of a file.
pub(super) fn parent(file: &Path) -> PathBuf {
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
