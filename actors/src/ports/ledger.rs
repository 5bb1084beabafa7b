//! What must survive a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{BlockNumber, Hotkey, Score};

/// A weight setting that was begun; it stays in the book until its outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsIntent {
    /// The block at which it was begun.
    pub begun: BlockNumber,
}

/// The validator's memory: moving averages by hotkey, and how its weights stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreBook {
    /// Scored steps so far.
    pub steps: u64,
    /// The moving average of each hotkey that was ever asked.
    pub scores: BTreeMap<Hotkey, Score>,
    /// The block of the last weight setting that the chain confirmed.
    pub weights_set: Option<BlockNumber>,
    /// A setting without a known outcome.
    pub intent: Option<WeightsIntent>,
}

/// The book could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the score book `{place}` cannot be used: {cause}")]
pub struct LedgerError {
    /// Where it is.
    pub place: String,
    /// What went wrong.
    pub cause: String,
}

/// Keeps the score book.
pub trait Ledger: Send + Sync {
    /// The last book saved, or an empty one if there is none.
    ///
    /// # Errors
    /// [`LedgerError`] where a book is there but cannot be read: it is never taken for an empty one.
    fn load(&self) -> Result<ScoreBook, LedgerError>;

    /// Replaces the book as a whole: after a crash either the old one or the new one is there.
    ///
    /// # Errors
    /// [`LedgerError`] where it cannot be written.
    fn save(&self, book: &ScoreBook) -> Result<(), LedgerError>;
}
