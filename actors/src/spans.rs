//! Spans of conversations, for whoever collects traces: one conversation is one trace.
//!
//! Each stage's span is a child of its conversation's, which travels with the conversation. They hold
//! ids, names, counts and statuses, and never a text. They have a target of their own, by which a
//! collector takes them and nothing else, and the level debug, so that a log at its usual level pays
//! nothing for them. Their numbers are i64, which is what collectors take for numbers. Left out: who
//! exports them, which is the program's business.

use tracing::Span;

/// The target of every span of a conversation.
pub const TARGET: &str = "sn1::conversation";

/// A part of the stage that is under way; none where no conversation is, as in a miner.
pub(crate) fn part(span: impl FnOnce() -> Span) -> Span {
    let stage = Span::current();
    let within = stage.metadata().is_some_and(|metadata| metadata.target() == TARGET);
    if within { span() } else { Span::none() }
}
