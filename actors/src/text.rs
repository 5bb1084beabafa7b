//! What is known of text: where sentences end, where code stands, which words it has, and how a
//! stranger's words are shown.
//!
//! Pure. Tasks cut their material by it, cleaners prune by it, rewards find code and compare words by
//! it, messages quote by it.

pub mod boundary;
pub mod fences;
pub mod plain_words;
pub mod roman;
pub mod sentences;
pub mod shown;
pub mod terms;
