//! Room on the disks: for what a journal grows to, and for models that are still to be pulled.

use std::path::{Path, PathBuf};

use super::state::{folders, nearest, parent};
use super::{Case, DISK_PATIENCE, Finding, off_thread, size};
use crate::journal::{KEPT, MOST_FILES};
use crate::models::{Environment, space};
use crate::rotation::numbered;
use crate::wiring::{journal_path, localnet::runs_folder};

const CHECK: &str = "disk";
/// With less, not even scores can be saved.
const LEAST: u64 = 64 << 20;

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let journal = journal(case);
    let most = case.settings.journal.max_bytes.saturating_mul(MOST_FILES);
    let needed = most.saturating_sub(taken(case, &journal).await);
    let folder = parent(&journal);
    let cure = format!(
        "free some, lower journal.max_bytes (there are up to {MOST_FILES} such files), or set \
         journal.file"
    );
    let mut findings = vec![room(case, &folder, needed, "the journal may grow by", &cure).await];
    // The first is where scores are; often the journal is below it.
    let elsewhere =
        folders(case).into_iter().take(1).filter(|(state, _)| !folder.starts_with(state));
    for (folder, _) in elsewhere {
        let cure = "free some, or set logging.logging_dir to a folder on another disk";
        findings.push(room(case, &folder, LEAST, "scores and keys take up to", cure).await);
    }
    findings
}

fn journal(case: &Case) -> PathBuf {
    match (&case.hotkey, &case.joining) {
        (Some(hotkey), Some(joining)) => journal_path(&case.settings, joining.netuid, hotkey),
        _ => case.settings.journal.file.clone().unwrap_or_else(|| match case.role {
            crate::config::Role::Localnet => runs_folder().join("journal.jsonl"),
            _ => case.settings.logging.logging_dir.join("journal.jsonl"),
        }),
    }
}

/// What the journal's files have already.
async fn taken(case: &Case, journal: &Path) -> u64 {
    let journal = journal.to_owned();
    let looked = off_thread(move || {
        let older = (1..=KEPT).map(|number| numbered(&journal, number));
        let files = std::iter::once(journal.clone()).chain(older);
        files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    });
    case.soon(CHECK, looked).await.unwrap_or(0)
}

/// Whether a folder's file system has so much room.
pub(super) async fn room(
    case: &Case,
    folder: &Path,
    needed: u64,
    what: &str,
    cure: &str,
) -> Finding {
    let wanted = folder.to_owned();
    let there = match case.soon(CHECK, off_thread(move || nearest(&wanted))).await {
        Ok(there) => there,
        Err(late) => return late,
    };
    let df = Environment::default().df;
    match case.bounded(CHECK, DISK_PATIENCE, space::free(&df, &there)).await {
        Ok(free) => judge(folder, free, needed, what, cure),
        Err(late) => late,
    }
}

fn judge(folder: &Path, free: Option<u64>, needed: u64, what: &str, cure: &str) -> Finding {
    let at = folder.display();
    let Some(free) = free else {
        let seen = format!("how much is free for {at} is not known: `df` does not tell");
        return Finding::warning(CHECK, seen, format!("look yourself: df {at}"));
    };
    let seen = format!("{} free for {at}, and {what} {}", size(free), size(needed));
    match free {
        free if free < LEAST => Finding::failing(CHECK, seen, cure),
        free if free < needed => Finding::warning(CHECK, seen, cure),
        _ => Finding::ok(CHECK, seen),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_disk_is_full_or_will_be_or_is_not() {
        let verdict = |free, needed| judge(Path::new("/x"), free, needed, "", "free some").verdict;
        assert_eq!(verdict(Some(LEAST - 1), 0), Verdict::Failing);
        assert_eq!(verdict(Some(LEAST), LEAST + 1), Verdict::Warning);
        assert_eq!(verdict(Some(LEAST), LEAST), Verdict::Ok);
        assert_eq!(verdict(None, 0), Verdict::Warning);
    }
}
