//! Who may use the gateway, and how much.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No key was presented.
    #[error("no API key was given: send it as `Authorization: Bearer KEY`")]
    Missing,
    /// No such key, or one that was revoked.
    #[error("the API key is not known, or was revoked")]
    Unknown,
    /// The key's requests of this minute are used up.
    #[error("more than {most} requests a minute with this key")]
    TooManyRequests {
        /// How many there may be.
        most: u32,
        /// When to ask again.
        retry_after: Duration,
    },
    /// As many of the key's requests are under way as there may be.
    #[error("more than {most} requests at a time with this key")]
    TooManyAtOnce {
        /// How many there may be.
        most: u32,
    },
    /// The key's tokens of this day are used up.
    #[error("the {most} tokens a day of this key are used up")]
    TokensUsedUp {
        /// How many there are.
        most: u64,
        /// When there are some again.
        retry_after: Duration,
    },
}

/// How much of a key's limits is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any minute.
    pub requests_per_minute: u32,
    /// How many of them are left.
    pub requests_left: u32,
    /// When all of them are there again.
    pub resets_in: Duration,
    /// Tokens in a day.
    pub tokens_per_day: u64,
    /// How many of them are left.
    pub tokens_left: u64,
}

/// A stand-in: one key, in memory.
#[derive(Clone)]
pub struct KeyRing(Arc<Stub>);

struct Stub {
    key: String,
    most: Limits,
    at_once: u32,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    requests: u32,
    under_way: u32,
    tokens: u64,
}

impl KeyRing {
    /// A ring of one key.
    #[must_use]
    pub fn stub(key: &str, most: Limits, at_once: u32) -> Self {
        Self(Arc::new(Stub { key: key.to_owned(), most, at_once, used: Mutex::default() }))
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// [`KeyRefusal`] when the key is none, or used up.
    pub fn admit(&self, presented: Option<&str>) -> Result<Admission, KeyRefusal> {
        let stub = &self.0;
        let presented = presented.ok_or(KeyRefusal::Missing)?;
        if presented != stub.key {
            return Err(KeyRefusal::Unknown);
        }
        let mut used = stub.used.lock();
        if used.requests >= stub.most.requests_per_minute {
            let most = stub.most.requests_per_minute;
            return Err(KeyRefusal::TooManyRequests { most, retry_after: stub.most.resets_in });
        }
        if used.under_way >= stub.at_once {
            return Err(KeyRefusal::TooManyAtOnce { most: stub.at_once });
        }
        if used.tokens >= stub.most.tokens_per_day {
            let most = stub.most.tokens_per_day;
            return Err(KeyRefusal::TokensUsedUp { most, retry_after: stub.most.resets_in });
        }
        used.requests += 1;
        used.under_way += 1;
        drop(used);
        Ok(Admission(Arc::clone(stub)))
    }
}

/// A request that was let in; its place is free again when this is dropped.
pub struct Admission(Arc<Stub>);

impl Admission {
    /// Counts tokens of the request.
    pub fn spend(&self, tokens: u64) {
        self.0.used.lock().tokens += tokens;
    }

    /// What is left of the key.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let used = self.0.used.lock();
        let most = self.0.most;
        Limits {
            requests_left: most.requests_per_minute.saturating_sub(used.requests),
            tokens_left: most.tokens_per_day.saturating_sub(used.tokens),
            ..most
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.used.lock().under_way -= 1;
    }
}
