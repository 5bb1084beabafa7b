//! Files that are moved aside when they are full: `NAME` to `NAME.1`, that to `NAME.2`, and so on.
//! The journal and the log file do so.

use std::io;
use std::path::{Path, PathBuf};

/// Moves a file aside, and older ones up; of those that were moved aside `kept` are kept. Where
/// somebody else has taken the file away there is nothing to move, and the older ones stay.
///
/// # Errors
/// If one cannot be renamed.
pub(crate) fn move_aside(path: &Path, kept: u32) -> io::Result<()> {
    if !path.try_exists()? {
        return Ok(());
    }
    for n in (1..kept).rev() {
        let (from, to) = (numbered(path, n), numbered(path, n + 1));
        if from.exists() {
            std::fs::rename(from, to)?;
        }
    }
    std::fs::rename(path, numbered(path, 1))
}

/// The name of the file that was moved aside `n` times.
pub(crate) fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    PathBuf::from(name)
}
