//! The text source of an `openai` miner: one server, within a budget of tokens a day.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sn1_actors::assistant::budget::{BookError, Capped, DailyBudget, Spending, SpendingBook};
use sn1_actors::model_worker::TextSource;
use sn1_actors::ports::TextBackend;
use sn1_actors::runtime::Overseer;
use sn1_actors::wiring::ModelParts;

use super::{model, remote};
use crate::config::Settings;
use crate::exit::{Ended, Exit};
use crate::ledger::lock::{InstanceLock, LockError};
use crate::whole_file;

/// The account in the state folder, and who may write it.
const BOOK: &str = "openai_tokens.json";
const LOCK: &str = "openai_tokens.lock";
/// No account is longer.
const LONGEST: u64 = 1_024;

/// Gets the server ready that the settings name. The account of what it was paid is kept in
/// `folder`, which nobody else may use meanwhile. Nothing is embedded: the stand-in would do that.
///
/// # Errors
/// If the key is not set, the server cannot be used, or the account cannot be read.
pub async fn open(
    settings: &Settings,
    folder: &Path,
    overseer: &Overseer,
) -> anyhow::Result<ModelParts> {
    let server = remote::openai(settings, overseer.clock())?;
    server.check().await.map_err(|error| Ended::new(Exit::Failed, error))?;
    overseer.tasks().spawn("model_servers", server.watch());
    let backend: Arc<dyn TextBackend> = match settings.openai.daily_tokens {
        0 => server,
        cap => {
            let book = Box::new(SpendingFile::open(folder).map_err(Ended::from)?);
            let budget = DailyBudget::open(cap, book, overseer.clock());
            let budget = budget.map_err(|error| Ended::new(Exit::File, error))?;
            Arc::new(Capped::new(server, budget))
        }
    };
    let mut fake = settings.clone();
    model::FAKE.clone_into(&mut fake.neuron.model_id);
    Ok(ModelParts { text: TextSource::Remote(backend), ..model::open(&fake, overseer).await? })
}

/// The account in a file, whole after any crash.
struct SpendingFile {
    path: PathBuf,
    _lock: InstanceLock,
}

impl SpendingFile {
    /// The account in a folder, for this process alone: two would each spend all of the tokens.
    fn open(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(BOOK);
        let what = format!("the account {}", path.display());
        let lock = InstanceLock::take(folder.join(LOCK), what)?;
        Ok(Self { path, _lock: lock })
    }

    fn failure(&self, cause: impl ToString) -> BookError {
        BookError { place: self.path.display().to_string(), cause: cause.to_string() }
    }
}

impl SpendingBook for SpendingFile {
    fn load(&self) -> Result<Spending, BookError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Spending::default()),
            opened => opened.map_err(|error| self.failure(error))?,
        };
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(|error| self.failure(error))?;
        serde_json::from_slice(&text).map_err(|error| {
            self.failure(format!("{error}; remove it, and today's count begins at 0"))
        })
    }

    fn save(&self, spending: Spending) -> Result<(), BookError> {
        let text = serde_json::to_vec(&spending).map_err(|error| self.failure(error))?;
        whole_file::replace(&self.path, &text).map_err(|error| self.failure(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_again_and_a_damaged_one_is_not_taken_for_an_empty_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let folder = folder.path().join("state");
        let path = folder.join(BOOK);
        let book = SpendingFile::open(&folder).unwrap();
        assert_eq!(book.load().unwrap(), Spending::default());
        for tokens in [7, 8] {
            book.save(Spending { day: 20_000, tokens }).unwrap();
        }
        drop(book);
        let book = SpendingFile::open(&folder).unwrap();
        assert_eq!(book.load().unwrap(), Spending { day: 20_000, tokens: 8 });
        std::fs::write(&path, "{\"day\": 20000").unwrap();
        let error = book.load().unwrap_err().to_string();
        assert!(error.contains(BOOK) && error.contains("remove it"), "{error}");
    }

    #[test]
    fn an_account_is_one_miners_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let first = SpendingFile::open(folder.path()).unwrap();
        let refused = SpendingFile::open(folder.path()).err().unwrap().to_string();
        assert!(refused.contains(BOOK) && refused.contains("stop it first"), "{refused}");
        drop(first);
        assert!(SpendingFile::open(folder.path()).is_ok());
    }

    #[test]
    fn an_account_that_cannot_be_kept_is_an_error() {
        let folder = tempfile::TempDir::new().unwrap();
        let book = SpendingFile::open(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join(BOOK)).unwrap();
        assert!(book.save(Spending::default()).is_err());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(SpendingFile::open(&file).is_err());
    }
}
