//! The sources of contexts, behind `ports::Tool`.
//!
//! Two of them ask public servers: [`Wikipedia`] for articles and dated facts, [`StackExchange`] for
//! questions with their answers. Both go through one polite client with [`Manners`]. The others work
//! without a network: [`ZimFile`] reads an encyclopedia from a file, [`CodeFolder`] source files from
//! a folder, [`Maths`] makes problems on the spot, and [`Corpus`] is a small collection inside the
//! program. Everybody has that corpus, so miners can learn it by heart: it is for first runs and
//! tests, and no ground for a real subnet.
//!
//! Left out: which source is asked when, and what is fetched ahead of need; that is ToolFetcher's.

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
