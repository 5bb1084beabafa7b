//! One process at a time: for a score book, and for a hotkey on a subnet.
//!
//! The kernel's lock on an open file, not the existence of one: the kernel gives it back when its
//! holder dies, however it dies. The file holds the number of the process for whoever is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use sn1_actors::domain::{Hotkey, Netuid};

use crate::exit::{Ended, Exit};

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process is at work.
    #[error("{holder} has {what} ({}); stop it first", path.display())]
    Held {
        /// What cannot be had.
        what: String,
        /// Who has it.
        holder: String,
        /// The file of the lock.
        path: PathBuf,
    },
    /// The file cannot be made or locked.
    #[error(
        "{} cannot be locked: {cause}; keep state in a folder that can be written, on a file system \
         that has locks",
        path.display()
    )]
    Unusable {
        /// The file of the lock.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

impl From<LockError> for Ended {
    fn from(error: LockError) -> Self {
        Self::new(Exit::File, error)
    }
}

/// Held for as long as it lives. The file stays behind: to remove it would let a third process lock
/// a new file of that name while a second holds the old.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// The lock of a hotkey on a subnet, in a folder that all neurons of this machine share, as
    /// `logging.logging_dir`. Two processes that sign with one hotkey would undo each other's
    /// weights and take each other's nonces.
    ///
    /// # Errors
    /// [`LockError`] where another process has it, or the folder cannot be written.
    pub fn of_hotkey(folder: &Path, hotkey: &Hotkey, netuid: Netuid) -> Result<Self, LockError> {
        let path = Self::path_of_hotkey(folder, hotkey, netuid);
        Self::take(path, format!("hotkey {hotkey} on subnet {netuid}"))
    }

    /// The file of that lock.
    pub(crate) fn path_of_hotkey(folder: &Path, hotkey: &Hotkey, netuid: Netuid) -> PathBuf {
        folder.join("locks").join(format!("{hotkey}.netuid{netuid}.lock"))
    }

    /// Who has the lock of a hotkey on a subnet; nobody where it is free. Nothing on disk is touched;
    /// the lock is shared for an instant.
    ///
    /// # Errors
    /// Where the file is there and cannot be looked at.
    pub fn holder_of_hotkey(
        folder: &Path,
        hotkey: &Hotkey,
        netuid: Netuid,
    ) -> std::io::Result<Option<String>> {
        let mut file = match File::open(Self::path_of_hotkey(folder, hotkey, netuid)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Locks the file at `path`, which is made; `what` is for the error.
    pub(crate) fn take(path: PathBuf, what: String) -> Result<Self, LockError> {
        let mut file = match open(&path) {
            Ok(file) => file,
            Err(cause) => return Err(LockError::Unusable { path, cause }),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { what, holder: holder(&mut file), path });
            }
            Err(TryLockError::Error(cause)) => return Err(LockError::Unusable { path, cause }),
        }
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        if let Err(error) = noted {
            tracing::warn!("{}: {error}; it is locked all the same", path.display());
        }
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

/// Who noted itself in the file; whoever has just taken the lock may not have yet.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        (Ok(_) | Err(_), _) => "another process".to_owned(),
    }
}
