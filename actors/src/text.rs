//! What is known of text: where sentences end and where code stands.
//!
//! Pure. Tasks cut their material by it, cleaners prune by it, rewards find code by it, and messages
//! show foreign words by it.

pub mod fences;
pub mod line;
pub mod sentences;
