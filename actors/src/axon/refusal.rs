//! Why a request has no answer, in the words of the SDK's axon (wire.md §6).

use std::time::Duration;

/// A request that was not answered. The HTTP server makes the reply of it, Axon the journal's line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {}", self.for_the_operator())]
pub struct Refusal {
    /// The HTTP status, 400 to 599; anything else becomes 500.
    pub status: u16,
    /// What the caller is told; what a header cannot hold is replaced. If empty, the caller is
    /// told `Internal Server Error #uuid`, as by the SDK.
    pub message: String,
    /// What failed inside, which is the operator's matter and not the caller's.
    cause: Option<String>,
}

impl Refusal {
    /// A refusal that hides nothing.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), cause: None }
    }

    /// The caller is not welcome: 403.
    #[must_use]
    pub fn blacklisted(reason: &str) -> Self {
        Self::new(403, format!("Forbidden. Key is blacklisted: {reason}."))
    }

    /// The caller is not who it says: 401.
    #[must_use]
    pub fn not_verified(cause: &str) -> Self {
        Self::new(401, format!("Not Verified with error: {cause}"))
    }

    /// No answer in time: 408.
    #[must_use]
    pub fn timed_out(timeout: Duration) -> Self {
        Self::new(408, format!("Response timeout after: {:?}s", timeout.as_secs_f64()))
    }

    /// Enough wait already: 503.
    #[must_use]
    pub fn full() -> Self {
        Self::new(503, "Too many requests are waiting.")
    }

    /// Something of ours failed: 500, without telling the caller what.
    #[must_use]
    pub fn internal(cause: impl Into<String>) -> Self {
        Self { status: 500, message: String::new(), cause: Some(cause.into()) }
    }

    /// What the journal says.
    #[must_use]
    pub fn for_the_operator(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }
}
