//! How a book is replaced, as a list of steps: a crash stops between two of them, or within a write.
//!
//! A list, because the tests carry out every beginning of it.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::beside;

/// One thing to do on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The folder is there.
    Folder(PathBuf),
    /// The file has this text, or any beginning of it after a crash.
    Write(PathBuf, Vec<u8>),
    /// The file's text is on disk.
    Sync(PathBuf),
    /// The first has the name of the second; if there is no first, nothing happens.
    Rename(PathBuf, PathBuf),
    /// The folder's names are on disk.
    SyncFolder(PathBuf),
}

/// Puts `text` at `path` and what was there at `…previous`. The text is whole and on disk before it
/// has the name; between the renames there is only the previous book.
pub(super) fn of(path: &Path, text: Vec<u8>) -> Vec<Step> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    let new = beside(path, "new");
    vec![
        Step::Folder(folder.clone()),
        Step::Write(new.clone(), text),
        Step::Sync(new.clone()),
        Step::Rename(path.to_owned(), beside(path, "previous")),
        Step::Rename(new, path.to_owned()),
        Step::SyncFolder(folder),
    ]
}

impl Step {
    /// Does it.
    pub(super) fn carry_out(&self) -> io::Result<()> {
        match self {
            Self::Folder(folder) => DirBuilder::new().recursive(true).create(folder),
            // The salts of commits are a secret until they are revealed.
            Self::Write(path, text) => {
                let mut options = File::options();
                options.write(true).create(true).truncate(true).mode(0o600);
                options.open(path)?.write_all(text)
            }
            Self::Sync(path) => File::options().write(true).open(path)?.sync_all(),
            Self::Rename(from, to) => match std::fs::rename(from, to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                renamed => renamed,
            },
            Self::SyncFolder(folder) => File::open(folder)?.sync_all(),
        }
    }
}
