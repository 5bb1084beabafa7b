//! What is known of text: where sentences end and where code stands.
//!
//! Pure. Tasks cut their material by it, cleaners prune by it, rewards find code by it.

pub mod fences;
pub mod sentences;
