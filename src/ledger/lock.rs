//! One process at a time: for a score book, and for a hotkey on a subnet.
//!
//! The kernel's lock on an open file, not the existence of one: the kernel gives it back when its
//! holder dies, however it dies. The file holds the number of the process for whoever is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use sn1_actors::domain::{Hotkey, Netuid};
use sn1_actors::ports::LedgerError;

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
    /// [`LedgerError`] where another process has it, or the folder cannot be written.
    pub fn of_hotkey(folder: &Path, hotkey: &Hotkey, netuid: Netuid) -> Result<Self, LedgerError> {
        let path = folder.join("locks").join(format!("{hotkey}.netuid{netuid}.lock"));
        Self::take(&path, &format!("hotkey {hotkey} on subnet {netuid}"))
    }

    /// Locks the file at `path`, which is made; `what` is for the error.
    pub(super) fn take(path: &Path, what: &str) -> Result<Self, LedgerError> {
        let failure = |cause: String| LedgerError { place: path.display().to_string(), cause };
        let mut file = open(path).map_err(|error| failure(error.to_string()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file);
                return Err(failure(format!("{holder} has {what}; stop it first")));
            }
            Err(TryLockError::Error(error)) => {
                return Err(failure(format!(
                    "it cannot be locked ({error}); keep state on a file system that has locks"
                )));
            }
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
