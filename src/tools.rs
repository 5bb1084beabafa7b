//! The sources of contexts, behind `ports::Tool`.
//!
//! What is here works without a network: problems made on the spot ([`Maths`]) and a small corpus
//! inside the program ([`Corpus`]). Everybody has that corpus, so miners can learn it by heart: it
//! is for first runs and tests, and no ground for a real subnet.

mod article_rules;
mod cache;
mod code_folder;
mod corpus;
mod day_lines;
mod html;
mod http;
pub mod maths;
mod records;
pub mod search;
mod stackexchange;
mod wikipedia;
mod zim;

pub use self::zim::{ZimError, ZimFile};
pub use code_folder::{CodeFolder, CodeFolderError};
pub use corpus::Corpus;
pub use http::{HttpError, Manners};
pub use maths::Maths;
pub use records::CorpusError;
pub use stackexchange::{StackExchange, StackExchangeError, StackExchangeOptions};
pub use wikipedia::{Wikipedia, WikipediaConfig, WikipediaError};
