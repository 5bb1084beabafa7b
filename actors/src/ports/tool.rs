//! Where contexts come from.

use std::time::Duration;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Context, SourceKind};

/// What is wanted of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Any context of a kind, drawn from the random stream.
    Random(SourceKind),
    /// The context of a kind that fits a text best.
    Search(SourceKind, String),
    /// The context of that title.
    Title(String),
}

/// Why a tool brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// It has none of that kind; another tool may.
    #[error("`{tool}` has nothing of that kind")]
    Nothing {
        /// Which tool.
        tool: &'static str,
    },
    /// It failed; a later try may succeed.
    #[error("`{tool}` failed: {cause}")]
    Failed {
        /// Which tool.
        tool: &'static str,
        /// What went wrong.
        cause: String,
    },
    /// It asked to be left alone for a while: it is overloaded, or a quota is used up.
    #[error("`{tool}` wants no request for {wait:?}: {cause}")]
    Busy {
        /// Which tool.
        tool: &'static str,
        /// For how long.
        wait: Duration,
        /// In its words.
        cause: String,
    },
    /// Too many requests of ours wait for it already, which says nothing against it.
    #[error("`{tool}` was not asked: {cause}")]
    Crowded {
        /// Which tool.
        tool: &'static str,
        /// Where they wait.
        cause: String,
    },
}

/// A source of contexts.
pub trait Tool: Send + Sync {
    /// The name in `Context::source`, the journal and on the command line.
    fn name(&self) -> &'static str;

    /// Whether a fetch may have to wait for a network or a disk, so that contexts are better fetched
    /// before they are needed.
    fn is_slow(&self) -> bool;

    /// Whether it has contexts of this kind.
    fn offers(&self, kind: SourceKind) -> bool;

    /// Brings one context; all its choices come from `random`. The future may be dropped at any
    /// time, and several may run at once: pools ask one at a time, lookups as they come.
    fn fetch(
        &self,
        want: Want,
        random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>>;
}
