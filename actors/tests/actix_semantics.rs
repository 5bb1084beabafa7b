//! What actix 0.13.5 really does, on the points that the runtime kit is built around.
//!
//! Each test pins one behaviour that the kit works around or leans on; a new version of actix that
//! changes one of them fails here first.

#![expect(clippy::disallowed_methods, reason = "these tests pin what the banned calls do")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "test code outside of a test function")]

#[path = "actix_semantics/mailbox.rs"]
mod mailbox;
#[path = "actix_semantics/panics.rs"]
mod panics;
#[path = "actix_semantics/restarts.rs"]
mod restarts;
#[path = "actix_semantics/subject.rs"]
mod subject;
#[path = "actix_semantics/timers.rs"]
mod timers;
