//! A journal in the files that other tools read.
//!
//! A journal is read a line at a time, and what is made of it is there as a whole or not at all. It
//! leaves out what nobody looks at in such tools: the journal stays the record of all that happened.
//! `sn1 export` uses it.

mod new_folder;
#[cfg(not(feature = "parquet"))]
mod no_tables;
mod runs;
#[cfg(feature = "parquet")]
mod tables;

use serde_json::{Map, Value};

use crate::journal::read::ReadError;

pub use new_folder::NewFolder;
#[cfg(not(feature = "parquet"))]
pub use no_tables::Tables;
pub use runs::{Exported, Runs};
#[cfg(feature = "parquet")]
pub use tables::Tables;

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// The program was built without what it takes.
    #[error(
        "this build writes no parquet files; build one that does with `cargo build --release \
         --features parquet`"
    )]
    NotBuilt,
    /// The folder for it cannot be written.
    #[error("`{place}` cannot be written: {cause}")]
    Folder {
        /// The folder.
        place: String,
        /// What went wrong, and what may help.
        cause: String,
    },
}

/// A line of the journal that can be exported; none if it is not of that form.
#[must_use]
pub fn fields(line: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(line).ok()
}
