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
use crate::whole_file;

/// The account in the state folder.
const BOOK: &str = "openai_tokens.json";
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
            let book = Box::new(SpendingFile(folder.join(BOOK)));
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
struct SpendingFile(PathBuf);

impl SpendingFile {
    fn failure(&self, cause: impl ToString) -> BookError {
        BookError { place: self.0.display().to_string(), cause: cause.to_string() }
    }
}

impl SpendingBook for SpendingFile {
    fn load(&self) -> Result<Spending, BookError> {
        let file = match File::open(&self.0) {
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
        whole_file::replace(&self.0, &text).map_err(|error| self.failure(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_again_and_a_damaged_one_is_not_taken_for_an_empty_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("state").join(BOOK);
        let book = SpendingFile(path.clone());
        assert_eq!(book.load().unwrap(), Spending::default());
        for tokens in [7, 8] {
            book.save(Spending { day: 20_000, tokens }).unwrap();
        }
        assert_eq!(SpendingFile(path.clone()).load().unwrap(), Spending { day: 20_000, tokens: 8 });
        std::fs::write(&path, "{\"day\": 20000").unwrap();
        let error = book.load().unwrap_err().to_string();
        assert!(error.contains(BOOK) && error.contains("remove it"), "{error}");
    }

    #[test]
    fn an_account_that_cannot_be_kept_is_an_error() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(SpendingFile(file.join(BOOK)).save(Spending::default()).is_err());
    }
}
