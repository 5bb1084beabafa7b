//! Free space, asked from POSIX `df`, so that a pull fails before it fills the disk.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::{Failure, ModelError};
use super::process;

const BOUND: Duration = Duration::from_secs(10);
const MAX_OUTPUT: u64 = 64 << 10;

/// Refuses when the file system of `folder` has less than `needed` bytes free for `what`. Where
/// `df` is missing, hangs or speaks in riddles, the pull goes on: a full disk is noticed later too.
pub(super) async fn check(
    df: &Path,
    folder: &Path,
    what: &Path,
    needed: u64,
) -> Result<(), Failure> {
    match free(df, folder).await {
        Some(available) if available < needed => {
            Err(Failure::Stop(ModelError::Space { path: what.to_owned(), needed, available }))
        }
        Some(_) => Ok(()),
        None => {
            tracing::debug!("free space of {} is unknown", folder.display());
            Ok(())
        }
    }
}

/// The bytes that whoever asks may still write into the file system of `folder`, which has to be
/// there; none where `df` does not tell.
pub(crate) async fn free(df: &Path, folder: &Path) -> Option<u64> {
    let mut command = Command::new(df);
    command.arg("-Pk").arg("--").arg(folder).env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (status, stdout) = process::run(command, BOUND, || ()).await.ok()?;
    let mut text = String::new();
    stdout?.take(MAX_OUTPUT).read_to_string(&mut text).ok()?;
    status.success().then(|| parse(&text)).flatten()
}

/// The available bytes in `df -Pk`'s table. Device and mount point may hold blanks, so the columns
/// are found by their shape: three numbers and a percentage.
fn parse(text: &str) -> Option<u64> {
    let columns: Vec<&str> = text.lines().nth(1)?.split_whitespace().collect();
    columns.windows(4).find_map(|window| {
        let [blocks, used, available, capacity] = window else { return None };
        blocks.parse::<u64>().ok()?;
        used.parse::<u64>().ok()?;
        capacity.ends_with('%').then_some(())?;
        available.parse::<u64>().ok()?.checked_mul(1024)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_available_column_although_names_hold_blanks() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        assert_eq!(parse(&format!("{head}/dev/sda1 100 60 40 60% /\n")), Some(40 * 1024));
        assert_eq!(
            parse(&format!("{head}//nas/my share 100 60 7 60% /mnt/my 1 share\n")),
            Some(7 * 1024)
        );
    }

    #[test]
    fn knows_nothing_of_other_output() {
        for text in ["", "one line", "head\nbroken", "head\n/dev/x 1 2 99999999999999999999 3% /"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
