//! What must survive a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{BlockNumber, Hotkey, Score};

use super::WeightsCall;

/// A weight setting that was begun; it stays in the book until its outcome is known.
///
/// It is saved before anything is sent. After a crash it says what may have been sent, and the very
/// same bytes can be sent again: the chain takes them once at most, for they hold a nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsIntent {
    /// The block at which it was begun.
    pub begun: BlockNumber,
    /// What is to be set.
    pub call: WeightsCall,
    /// How it is sent.
    #[serde(default)]
    pub way: WeightsWay,
    /// What was signed; none where nothing was sent yet, or the chain takes calls unsigned (the
    /// local one, which forgets a call when its caller dies).
    #[serde(default)]
    pub signed: Option<SignedCall>,
}

/// How weights get on chain (chain.md §2), as its hyperparameters say in that epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsWay {
    /// In the open.
    #[default]
    Plain,
    /// As a hash first (commit-reveal v2), to be revealed in a later epoch.
    Commit(Commitment),
    /// Encrypted until a round of drand (commit-reveal v4); the chain reveals them itself.
    Timelock {
        /// The round.
        reveal_round: u64,
    },
}

/// What a commit hides, besides the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// The salt of the hash.
    pub salt: Vec<u16>,
    /// The chain's number of the epoch in which it was signed.
    pub epoch: u64,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCall {
    /// All of its bytes, as `0x` and hex digits.
    pub extrinsic: String,
    /// The account's nonce in it.
    pub nonce: u64,
    /// The first block that may include it.
    pub birth: BlockNumber,
    /// The first block that may not include it any more.
    pub death: BlockNumber,
    /// The first block of the epoch after the last one that may include it; not before `death`.
    pub epoch_end: BlockNumber,
}

/// A commit that is on chain, or may be, and has not been revealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReveal {
    /// What was committed.
    pub call: WeightsCall,
    /// What else the hash was made of, and when.
    pub commitment: Commitment,
    /// The block that the commit is in; the first that could include it, where nobody can tell.
    pub committed: BlockNumber,
}

/// The validator's memory: moving averages by hotkey, and how its weights stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreBook {
    /// Scored steps so far.
    pub steps: u64,
    /// The moving average of each hotkey that was asked, until weights were set without it.
    pub scores: BTreeMap<Hotkey, Score>,
    /// The scores come from elsewhere (`sn1 state import`): no reason to wait for more.
    #[serde(default)]
    pub imported: bool,
    /// The block of the last weight setting that the chain confirmed.
    #[serde(default)]
    pub weights_set: Option<BlockNumber>,
    /// A setting without a known outcome.
    #[serde(default)]
    pub intent: Option<WeightsIntent>,
    /// Commits that wait for their reveal, oldest first.
    #[serde(default)]
    pub reveals: Vec<PendingReveal>,
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
