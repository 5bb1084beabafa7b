//! The score book on disk: one JSON file, replaced as a whole.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use sn1_actors::ports::{Ledger, LedgerError, ScoreBook};

/// A score book in a file.
#[derive(Clone, Debug)]
pub struct LedgerFile {
    path: PathBuf,
}

impl LedgerFile {
    /// The book at `path`, which need not exist yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    fn failure(&self, cause: impl ToString) -> LedgerError {
        LedgerError { place: self.path.display().to_string(), cause: cause.to_string() }
    }

    /// A file beside the book takes the new text and then its name: a crash leaves one or the other.
    fn replace(&self, text: &[u8]) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        // The rename itself is on disk only when the folder is.
        File::open(folder)?.sync_all()
    }
}

impl Ledger for LedgerFile {
    fn load(&self) -> Result<ScoreBook, LedgerError> {
        match std::fs::read(&self.path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|cause| self.failure(cause)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(ScoreBook::default()),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn save(&self, book: &ScoreBook) -> Result<(), LedgerError> {
        let text = serde_json::to_vec_pretty(book).map_err(|cause| self.failure(cause))?;
        self.replace(&text).map_err(|cause| self.failure(cause))
    }
}

#[cfg(test)]
mod tests {
    use sn1_actors::domain::Score;
    use sn1_actors::testkit::hotkey;

    use super::*;

    #[test]
    fn a_book_comes_back_as_it_was_saved_and_none_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = LedgerFile::at(folder.path().join("state/scores.json"));
        assert_eq!(ledger.load().unwrap(), ScoreBook::default());
        let mut book = ScoreBook { steps: 7, ..ScoreBook::default() };
        book.scores.insert(hotkey(3), Score::new(0.1 + 0.2));
        ledger.save(&book).unwrap();
        assert_eq!(ledger.load().unwrap(), book);
    }

    #[test]
    fn a_damaged_book_is_never_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.json");
        std::fs::write(&path, "{\"steps\": 7, \"scores\": {").unwrap();
        let error = LedgerFile::at(path.clone()).load().unwrap_err();
        assert_eq!(error.place, path.display().to_string());
    }
}
