//! Is a file in the cache the right one?
//!
//! To hash gigabytes at each start would take seconds to minutes, so a file that was hashed once
//! gets a stamp beside it: size, time of last change, digest. As long as these fit, the file counts
//! as verified; else it is hashed again.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::blocking::Cancel;
use super::catalogue::{Model, ModelFile};
use super::digest::Digest;
use super::error::{Cause, Failure, HandFile, ModelError};

/// The list of hashes seen first, in a model's folder.
pub(super) const RECORD: &str = "sha256.toml";

const MAX_SMALL_BYTES: u64 = 1 << 20;
const CHUNK: usize = 1 << 20;

/// A file of a model, and how it stands in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// Its name.
    pub name: String,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// How it stands.
    pub state: FileState,
    /// Its size on disk in bytes, or else its declared size if pinned.
    pub bytes: Option<u64>,
}

/// How a file of a model stands in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is not there.
    Missing,
    /// Something of the right size is there that was not hashed yet, or has changed since.
    Present,
    /// It is there, it has the right digest, and it has not changed since that was found.
    Verified,
    /// Another file is there.
    Wrong {
        /// Its size or digest.
        actual: String,
        /// The size or digest of the right one.
        expected: String,
    },
}

/// The digests that were seen first, of files that the catalogue does not pin.
pub(super) type Records = BTreeMap<String, Digest>;

/// What a right file looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) bytes: Option<u64>,
    pub(super) sha256: Option<Digest>,
}

impl Expected {
    pub(super) fn of(file: &ModelFile, records: &Records) -> Self {
        Self { bytes: file.bytes, sha256: file.sha256.or_else(|| records.get(&file.name).copied()) }
    }
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    mtime_seconds: u64,
    mtime_nanoseconds: u32,
    sha256: Digest,
}

impl Stamp {
    /// None where the file system keeps no usable time: such a file is hashed every time.
    fn new(metadata: &Metadata, sha256: Digest) -> Option<Self> {
        let mtime = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let (mtime_seconds, mtime_nanoseconds) = (mtime.as_secs(), mtime.subsec_nanos());
        Some(Self { bytes: metadata.len(), mtime_seconds, mtime_nanoseconds, sha256 })
    }
}

/// How `file` stands, without hashing it.
pub(super) fn glance(
    folder: &Path,
    file: &ModelFile,
    records: &Records,
) -> Result<FileStatus, ModelError> {
    let path = folder.join(&file.name);
    let expected = Expected::of(file, records);
    let status =
        |state, bytes| FileStatus { name: file.name.clone(), path: path.clone(), state, bytes };
    let wrong = |actual: String, expected: String| FileState::Wrong { actual, expected };
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(status(FileState::Missing, file.bytes));
        }
        Err(cause) => return Err(ModelError::Cache { path, cause }),
    };
    let state = if !found.is_file() {
        wrong("no contents, being no regular file".into(), "a file".into())
    } else if expected.bytes.is_some_and(|bytes| bytes != found.len()) {
        let wanted = expected.bytes.unwrap_or_default();
        wrong(format!("{} bytes", found.len()), format!("{wanted} bytes"))
    } else if expected.sha256.is_some_and(|sha256| stamped(&path, &found, sha256)) {
        FileState::Verified
    } else {
        FileState::Present
    };
    Ok(status(state, Some(found.len())))
}

/// How `file` stands, hashing it where that is not known (`force`: in any case). A right file is
/// stamped, and recorded if it was not pinned; in a cache that cannot be written, it is simply
/// hashed again the next time.
pub(super) fn look(
    folder: &Path,
    file: &ModelFile,
    records: &mut Records,
    force: bool,
    cancel: &Cancel,
) -> Result<FileStatus, Failure> {
    let mut status = glance(folder, file, records).map_err(Failure::Stop)?;
    let hash = match status.state {
        FileState::Missing | FileState::Wrong { .. } => false,
        FileState::Present => true,
        FileState::Verified => force,
    };
    if !hash {
        return Ok(status);
    }
    // Taken before the file is read: a change meanwhile must make the stamp misfit.
    let found = fs::metadata(&status.path)
        .map_err(|cause| Failure::Stop(ModelError::Cache { path: status.path.clone(), cause }))?;
    let actual = hash_file(&status.path, cancel)?;
    let expected = Expected::of(file, records).sha256;
    if let Some(expected) = expected.filter(|expected| *expected != actual) {
        status.state = wrong_digest(actual, expected);
        // A stamp that fits all the same is of a file that was changed behind its time's back.
        let _ = fs::remove_file(stamp_path(&status.path));
        return Ok(status);
    }
    if let Err(error) = remember(folder, file, records, &found, actual) {
        tracing::debug!(
            "{} will be hashed again at the next start: {error}",
            status.path.display()
        );
    }
    status.state = FileState::Verified;
    Ok(status)
}

/// How `file` stands, hashed anew, leaving no trace: a right file stays unverified where nothing says
/// what its digest has to be.
pub(super) fn inspect(
    folder: &Path,
    file: &ModelFile,
    records: &Records,
    cancel: &Cancel,
) -> Result<FileStatus, Failure> {
    let status = glance(folder, file, records).map_err(Failure::Stop)?;
    if matches!(status.state, FileState::Missing | FileState::Wrong { .. }) {
        return Ok(status);
    }
    let actual = hash_file(&status.path, cancel)?;
    let state = match Expected::of(file, records).sha256 {
        Some(expected) if expected != actual => wrong_digest(actual, expected),
        Some(_) => FileState::Verified,
        None => FileState::Present,
    };
    Ok(FileStatus { state, ..status })
}

fn wrong_digest(actual: Digest, expected: Digest) -> FileState {
    FileState::Wrong { actual: format!("sha256 {actual}"), expected: format!("sha256 {expected}") }
}

/// Checks a fresh file at `fresh` and moves it into its place in `folder`.
///
/// A file that is not the right one stays where it is: it is the caller's to remove.
pub(super) fn settle(
    fresh: &Path,
    folder: &Path,
    file: &ModelFile,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let mut records = read_records(folder).map_err(Failure::Stop)?;
    let expected = Expected::of(file, &records);
    let io = |cause| Failure::write(fresh, 0, cause);
    let found = fs::metadata(fresh).map_err(io)?;
    check_size(file, found.len()).map_err(Failure::Source)?;
    let actual = hash_file(fresh, cancel)?;
    if let Some(expected) = expected.sha256.filter(|expected| *expected != actual) {
        return Err(Failure::Source(Cause::Hash { file: file.name.clone(), expected, actual }));
    }
    // The data must be on disk before the name is: a crash in between would leave an empty file
    // of the right name.
    fs::File::open(fresh).and_then(|file| file.sync_all()).map_err(io)?;
    cancel.check()?;
    let path = folder.join(&file.name);
    fs::rename(fresh, &path).map_err(|cause| Failure::write(&path, 0, cause))?;
    remember(folder, file, &mut records, &found, actual)
        .map_err(|cause| Failure::write(&path, 0, cause))
}

/// Refuses a size that is not the pinned one, or that no model file may have.
pub(super) fn check_size(file: &ModelFile, actual: u64) -> Result<(), Cause> {
    match file.bytes {
        Some(expected) if actual != expected => {
            Err(Cause::Size { file: file.name.clone(), expected, actual })
        }
        None if actual > super::MAX_FILE_BYTES => Err(Cause::Other(format!(
            "{} has {actual} bytes there, more than the 64 GiB that are taken",
            file.name
        ))),
        Some(_) | None => Ok(()),
    }
}

/// The files of `model` that are not in `folder`, and what would be right there.
pub(super) fn wanted(folder: &Path, missing: &[&ModelFile], records: &Records) -> Vec<HandFile> {
    let hand = |file: &&ModelFile| {
        let Expected { bytes, sha256 } = Expected::of(file, records);
        HandFile { path: folder.join(&file.name), bytes, sha256 }
    };
    missing.iter().map(hand).collect()
}

/// Every file of `model`, without hashing.
pub(super) fn glance_all(folder: &Path, model: &Model) -> Result<Vec<FileStatus>, ModelError> {
    let records = read_records(folder)?;
    model.files.iter().map(|file| glance(folder, file, &records)).collect()
}

pub(super) fn read_records(folder: &Path) -> Result<Records, ModelError> {
    let path = folder.join(RECORD);
    match read_small(&path) {
        Ok(Some(text)) => toml::from_str(&text)
            .map_err(|error| ModelError::Record { path, reason: error.message().to_owned() }),
        Ok(None) => Ok(Records::new()),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(ModelError::Record { path, reason: error.to_string() })
        }
        Err(cause) => Err(ModelError::Cache { path, cause }),
    }
}

fn remember(
    folder: &Path,
    file: &ModelFile,
    records: &mut Records,
    found: &Metadata,
    sha256: Digest,
) -> std::io::Result<()> {
    if file.sha256.is_none() && records.insert(file.name.clone(), sha256) != Some(sha256) {
        let text = toml::to_string(records).map_err(std::io::Error::other)?;
        write_small(&folder.join(RECORD), &text)?;
    }
    if let Some(stamp) = Stamp::new(found, sha256) {
        let text = toml::to_string(&stamp).map_err(std::io::Error::other)?;
        write_small(&stamp_path(&folder.join(&file.name)), &text)?;
    }
    Ok(())
}

fn stamped(path: &Path, found: &Metadata, sha256: Digest) -> bool {
    // A stamp that cannot be read or understood is no error: the file is hashed instead.
    let stamp = read_small(&stamp_path(path)).ok().flatten();
    let stamp = stamp.and_then(|text| toml::from_str::<Stamp>(&text).ok());
    stamp.is_some() && stamp == Stamp::new(found, sha256)
}

fn stamp_path(path: &Path) -> PathBuf {
    hidden(path, "stamp")
}

/// A file of our own that goes with `path`: `.<name>.<suffix>` beside it. No catalogue file can
/// have such a name.
pub(super) fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

fn hash_file(path: &Path, cancel: &Cancel) -> Result<Digest, Failure> {
    let io = |cause| Failure::Stop(ModelError::Cache { path: path.to_owned(), cause });
    let mut file = fs::File::open(path).map_err(io)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        cancel.check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Digest::new(hasher.finalize().into())),
            Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(io(cause)),
        }
    }
}

/// The text of a small file of our own; None if there is none.
pub(super) fn read_small(path: &Path) -> std::io::Result<Option<String>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(MAX_SMALL_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Writes a small file of our own as a whole or not at all.
pub(super) fn write_small(path: &Path, text: &str) -> std::io::Result<()> {
    // The process id keeps two processes that verify the same cache from sharing the name.
    let fresh = hidden(path, &format!("{}.new", std::process::id()));
    fs::write(&fresh, text)?;
    fs::rename(&fresh, path)
}
