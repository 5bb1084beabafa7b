//! How many tokens a day a miner may have written elsewhere, at its operator's expense.
//!
//! [`Capped`] stands before a backend that charges. What a request may cost at most is written down
//! before it is sent, and put right when the bill is known: a process that dies, or a caller who
//! hangs up, leaves the estimate behind, so that the cap holds whatever happens. Where the account
//! is kept is behind [`SpendingBook`]; the program has a file.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::domain::Generation;
use crate::ports::{Clock, Piece, TextBackend, TextError, TextRequest};

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// What a chat's frame takes, for each message.
const MESSAGE_TOKENS: usize = 16;
/// A token has as many bytes at least, in nearly any text.
const TOKEN_BYTES: usize = 2;

/// What was spent on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// The day in UTC, counted from the Unix epoch.
    pub day: u64,
    /// Tokens of prompts and texts.
    pub tokens: u64,
}

/// The account cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account of spent tokens, {place}: {cause}")]
pub struct BookError {
    /// Where it is kept.
    pub place: String,
    /// What is wrong, and what to do about it.
    pub cause: String,
}

/// Where the account is kept, for one miner alone.
pub trait SpendingBook: Send + Sync {
    /// What was written down last; nothing at first.
    ///
    /// # Errors
    /// [`BookError`] if there is something that cannot be read.
    fn load(&self) -> Result<Spending, BookError>;

    /// Writes down what was spent; whole or not at all.
    ///
    /// # Errors
    /// [`BookError`] if it is not on disk.
    fn save(&self, spending: Spending) -> Result<(), BookError>;
}

/// No more tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The day's tokens may not suffice.
    #[error(
        "{spent} of the {cap} tokens of openai.daily_tokens are spent and this answer may take \
         {wanted}; the next day begins at 00:00 UTC"
    )]
    Spent {
        /// Tokens that are gone.
        spent: u64,
        /// Tokens a day.
        cap: u64,
        /// What the request may take.
        wanted: u64,
    },
    /// Nothing is spent that is not written down.
    #[error(transparent)]
    Book(#[from] BookError),
}

/// The day's tokens. It is shared by all requests, and outlives a restart of whoever makes them.
pub struct DailyBudget {
    cap: u64,
    clock: Arc<dyn Clock>,
    book: Box<dyn SpendingBook>,
    spending: Mutex<Spending>,
}

impl DailyBudget {
    /// A budget of so many tokens a day, less what the book says was spent today.
    ///
    /// # Errors
    /// [`BookError`] if the book cannot be read.
    pub fn open(
        cap: u64,
        book: Box<dyn SpendingBook>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BookError> {
        let spending = Mutex::new(book.load()?);
        Ok(Self { cap, clock, book, spending })
    }

    /// Takes what a request may cost out of the day's tokens.
    fn reserve(&self, wanted: u64) -> Result<Reserved<'_>, BudgetError> {
        let today = self.clock.unix().as_secs() / DAY_SECONDS;
        let mut spending = self.spending.lock();
        // A clock that is set back opens no new day.
        let day = today.max(spending.day);
        let spent = if day == spending.day { spending.tokens } else { 0 };
        if spent.saturating_add(wanted) > self.cap {
            return Err(BudgetError::Spent { spent, cap: self.cap, wanted });
        }
        let with = Spending { day, tokens: spent.saturating_add(wanted) };
        self.book.save(with)?;
        *spending = with;
        Ok(Reserved { budget: self, day, wanted })
    }
}

/// What one request has taken out.
struct Reserved<'a> {
    budget: &'a DailyBudget,
    day: u64,
    wanted: u64,
}

impl Reserved<'_> {
    /// Puts the estimate right.
    fn settle(self, billed: u64) {
        let mut spending = self.budget.spending.lock();
        if spending.day != self.day {
            return;
        }
        spending.tokens = spending.tokens.saturating_sub(self.wanted).saturating_add(billed);
        // The estimate stands in the book if this fails, and the next request says why.
        if let Err(error) = self.budget.book.save(*spending) {
            tracing::warn!("{error}");
        }
    }
}

/// A backend whose texts are paid for out of a [`DailyBudget`].
pub struct Capped {
    backend: Arc<dyn TextBackend>,
    budget: Arc<DailyBudget>,
}

impl Capped {
    /// The backend, within the budget.
    #[must_use]
    pub fn new(backend: Arc<dyn TextBackend>, budget: DailyBudget) -> Self {
        Self { backend, budget: Arc::new(budget) }
    }
}

impl TextBackend for Capped {
    fn generate(
        &self,
        request: TextRequest,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let (backend, budget) = (Arc::clone(&self.backend), Arc::clone(&self.budget));
        Box::pin(async move {
            let reserved = budget.reserve(at_most(&request));
            let reserved = reserved.map_err(|error| TextError::Request(error.to_string()))?;
            let written = backend.generate(request, pieces).await;
            match &written {
                Ok(generation) => {
                    if let Some(billed) = generation.billed_tokens {
                        reserved.settle(billed);
                    }
                }
                // It was refused or never sent, so nothing is charged.
                Err(TextError::Request(_) | TextError::NotSent(_)) => reserved.settle(0),
                // It may have been sent, and a server charges what it reads and writes even if
                // nothing of it arrives.
                Err(TextError::Unavailable(_) | TextError::Interrupted(_)) => {}
            }
            written
        })
    }

    fn capacity(&self) -> usize {
        self.backend.capacity()
    }
}

/// What a request costs at most.
fn at_most(request: &TextRequest) -> u64 {
    let tokens = |text: &str| text.len() / TOKEN_BYTES + MESSAGE_TOKENS;
    let prompt: usize = request.messages.iter().map(|message| tokens(&message.content)).sum();
    u64::try_from(prompt.saturating_add(request.sampling.max_new_tokens)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
