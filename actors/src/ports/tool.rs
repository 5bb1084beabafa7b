//! Where contexts come from.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;

use crate::domain::{Context, SourceKind};

/// What is wanted of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Any context of a kind, drawn from the random stream.
    Random(SourceKind),
    /// The context that fits a text best.
    Search(String),
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
}

/// A source of contexts.
pub trait Tool: Send + Sync {
    /// The name in `Context::source`, the journal and on the command line.
    fn name(&self) -> &'static str;

    /// Whether it has contexts of this kind.
    fn offers(&self, kind: SourceKind) -> bool;

    /// Brings one context; all its choices come from `random`.
    fn fetch(
        &self,
        want: Want,
        random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>>;
}
