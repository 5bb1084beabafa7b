//! The files of the keys: read with every bound, replaced whole, for their owner only.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::KeyEntry;
use crate::ledger::lock::LockError;
use crate::whole_file;

/// Neither file is larger: a key takes 400 bytes.
const LARGEST: u64 = 8 << 20;
/// No more keys are kept, those that were revoked included.
pub(super) const MOST_KEYS: usize = 10_000;

/// The keys cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file holds something else. No key is believed then, nor taken for none.
    #[error(
        "{} is damaged: {cause}; put a copy in its place, or move it away to begin anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// It cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another command changes the keys.
    #[error(transparent)]
    Locked(#[from] LockError),
}

/// Which version of a file this is: one that was replaced or written to is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// Of the file at `path`; none if there is none.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::new(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new(metadata: &std::fs::Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyDocument {
    schema: u32,
    keys: Vec<KeyEntry>,
}

/// Where the keys of a folder are.
pub(super) fn keys_path(folder: &Path) -> PathBuf {
    folder.join("keys.json")
}

/// The keys of a file, in order of age, and which version of it they are of.
pub(super) type KeysRead = (Vec<KeyEntry>, Option<Stamp>);

/// The keys at `path`; none where there is no file.
pub(super) fn read_keys(path: &Path) -> Result<KeysRead, KeyFileError> {
    let Some((KeyDocument { schema, keys }, stamp)) = read(path)? else {
        return Ok((Vec::new(), None));
    };
    let damaged = |cause: String| KeyFileError::Damaged { path: path.into(), cause };
    if schema != SCHEMA {
        return Err(damaged(format!("it is of schema {schema}, not {SCHEMA}")));
    }
    if keys.len() > MOST_KEYS {
        return Err(damaged(format!("it has more than {MOST_KEYS} keys")));
    }
    Ok((keys, Some(stamp)))
}

/// Replaces the keys at `path`.
pub(super) fn write_keys(path: &Path, keys: Vec<KeyEntry>) -> Result<(), KeyFileError> {
    write(path, &KeyDocument { schema: SCHEMA, keys })
}

/// The version of what both files hold.
pub(super) const SCHEMA: u32 = 1;

/// What a file holds, and which version of it that is; none if there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<(T, Stamp)>, KeyFileError> {
    let unusable = |cause| KeyFileError::Unusable { path: path.into(), cause };
    let damaged = |cause: String| KeyFileError::Damaged { path: path.into(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    // Of the open file: another may have its name by now.
    let stamp = Stamp::new(&file.metadata().map_err(unusable)?);
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unusable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(damaged(format!("it is larger than {LARGEST} bytes")));
    }
    let value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(Some((value, stamp)))
}

/// Puts a file in the place of the one at `path`: a crash leaves one or the other, whole.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<(), KeyFileError> {
    let put = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        let mut bytes = serde_json::to_vec_pretty(value)?;
        bytes.push(b'\n');
        whole_file::replace(path, &bytes)
    };
    put().map_err(|cause| KeyFileError::Unusable { path: path.into(), cause })
}

/// Makes the folder of the keys, for its owner only.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
