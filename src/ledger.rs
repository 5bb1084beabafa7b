//! The score book on disk, whole after any crash.
//!
//! A book is a file with a checksum (`seal`); a new one is written beside it, synced, and takes its
//! name, and the one before stays as `…previous` (`save_plan`). A book that is damaged all the same
//! is kept as `…corrupt-N`, and the previous one is used. Whoever writes holds a lock ([`lock`]).
//!
//! [`portable`] is the same state as a document for people and other machines, [`torch`] reads what
//! the original validator left. `sn1 localnet`, the validator and `sn1 state` use this.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sn1_actors::ports::{Ledger, LedgerError, ScoreBook};

pub mod lock;
pub mod portable;
mod save_plan;
mod seal;
pub mod torch;

use lock::{InstanceLock, LockError};
pub use seal::SCHEMA;
use seal::Unusable;

/// No book is larger: it would have half a million hotkeys.
const LARGEST: u64 = 64 << 20;
/// So many damaged books are kept; the last number is used again.
const KEPT_CORRUPT: u32 = 100;

/// A score book in a file.
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    /// Without it the file is only looked at.
    lock: Option<InstanceLock>,
}

impl LedgerFile {
    /// To look at the book at `path`, which need not be there. It cannot be saved to, and nothing on
    /// disk is touched.
    #[must_use]
    pub fn look_at(path: PathBuf) -> Self {
        Self { path, lock: None }
    }

    /// To read and write the book at `path`, which need not be there yet, as the only one.
    ///
    /// # Errors
    /// [`LockError`] where another process has it, or the folder cannot be written.
    pub fn open(path: PathBuf) -> Result<Self, LockError> {
        let lock = InstanceLock::take(
            beside(&path, "lock"),
            format!("the score book {}", path.display()),
        )?;
        Ok(Self { path, lock: Some(lock) })
    }

    /// Whether there is a book, or, between two renames of a save, the one before it.
    ///
    /// # Errors
    /// If the folder cannot be looked into.
    pub fn is_there(&self) -> io::Result<bool> {
        Ok(self.path.try_exists()? || beside(&self.path, "previous").try_exists()?)
    }

    fn failure(&self, cause: impl ToString) -> LedgerError {
        LedgerError { place: self.path.display().to_string(), cause: cause.to_string() }
    }

    /// Takes the previous book in place of one that cannot be used.
    fn fall_back(&self, broken: &Unusable) -> Result<ScoreBook, LedgerError> {
        let previous = beside(&self.path, "previous");
        let book = match read(&previous) {
            Ok(Some(book)) => book,
            Ok(None) => {
                return Err(self.failure(format!(
                    "{broken}, and there is no previous one; import a copy with `sn1 state import \
                     --replace`, or move the file away to begin with no scores"
                )));
            }
            Err(worse) => {
                return Err(self.failure(format!(
                    "{broken}; nor can {}: {worse}; import a copy with `sn1 state import \
                     --replace`, or move both away to begin with no scores",
                    previous.display()
                )));
            }
        };
        let (path, step) = (self.path.display(), book.steps);
        if self.lock.is_some() {
            let aside = self.set_aside().map_err(|cause| self.failure(cause))?;
            let aside = aside.display();
            tracing::error!(
                "the score book {path} is {broken}: it is kept as {aside}, and the previous one, of \
                 step {step}, is used"
            );
        } else {
            tracing::warn!("the score book {path} is {broken}: this is the previous one");
        }
        Ok(book)
    }

    /// Gives a damaged book a name of its own.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let name = |n: u32| beside(&self.path, &format!("corrupt-{n}"));
        let free = (1..KEPT_CORRUPT).map(name).find(|path| !path.exists());
        let aside = free.unwrap_or_else(|| name(KEPT_CORRUPT));
        std::fs::rename(&self.path, &aside)?;
        Ok(aside)
    }
}

impl Ledger for LedgerFile {
    fn load(&self) -> Result<ScoreBook, LedgerError> {
        match read(&self.path) {
            Ok(Some(book)) => Ok(book),
            // Between two renames of a save there is only the previous one.
            Ok(None) => match read(&beside(&self.path, "previous")) {
                Ok(book) => Ok(book.unwrap_or_default()),
                Err(broken) => Err(self.failure(format!("its previous one is {broken}"))),
            },
            Err(broken @ Unusable::Damaged(_)) => self.fall_back(&broken),
            Err(broken @ (Unusable::TooNew(_) | Unusable::Unreadable(_))) => {
                Err(self.failure(broken))
            }
        }
    }

    fn save(&self, book: &ScoreBook) -> Result<(), LedgerError> {
        if self.lock.is_none() {
            return Err(self.failure("it was opened to be looked at"));
        }
        let text = seal::seal(book).map_err(|cause| self.failure(cause))?;
        save_plan::of(&self.path, text)
            .iter()
            .try_for_each(save_plan::Step::carry_out)
            .map_err(|cause| self.failure(cause))
    }
}

/// The book in a file; none if there is no file.
fn read(path: &Path) -> Result<Option<ScoreBook>, Unusable> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unusable::Unreadable(error.to_string())),
    };
    let mut text = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut text);
    read.map_err(|error| Unusable::Unreadable(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(Unusable::Damaged(format!("it is larger than {LARGEST} bytes")));
    }
    seal::unseal(&text).map(Some)
}

/// The name of a file that belongs to the one at `path`: `scores.json` and `scores.json.lock`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_kill;
