//! Files with secrets: who may read them, how much is read, and how they come to be.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::WalletError;
use super::secret::Secret;

/// The largest key files, encrypted by ansible-vault, have about 3 KiB.
const LIMIT: u64 = 64 << 10;
/// Permission bits that let others than the owner in.
const OTHERS: u32 = 0o077;

/// Reads a file with a secret. A link is followed; what counts is the file behind it.
pub(super) fn read_secret(path: &Path) -> Result<Secret, WalletError> {
    read(path, true)
}

/// Reads a file with a secret whose mode does not say who may read it, as its folder does.
pub(super) fn read_credential(path: &Path) -> Result<Secret, WalletError> {
    read(path, false)
}

/// Reads a file without a secret.
pub(super) fn read_public(path: &Path) -> Result<Vec<u8>, WalletError> {
    read(path, false).map(|content| content.expose().to_vec())
}

fn read(path: &Path, secret: bool) -> Result<Secret, WalletError> {
    let failed = |cause| WalletError::Io { what: "read", path: path.to_owned(), cause };
    // To open a pipe would wait for its other end, so look first.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(WalletError::NoFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.mode() & 0o7777;
    if secret && mode & OTHERS != 0 {
        return Err(WalletError::Mode { path: path.to_owned(), mode });
    }
    if metadata.len() > LIMIT {
        return Err(WalletError::TooLarge { path: path.to_owned(), limit: LIMIT });
    }
    // Room for all of it, so that no half of a secret is left behind by a buffer that grew.
    let mut content = Vec::with_capacity(LIMIT as usize + 1);
    let read = file.take(LIMIT + 1).read_to_end(&mut content);
    let content = Secret::new(content);
    if read.map_err(failed)? as u64 > LIMIT {
        return Err(WalletError::TooLarge { path: path.to_owned(), limit: LIMIT });
    }
    Ok(content)
}

/// Whether something has the name, be it a link to nowhere.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A new file, whole and on disk, that only its owner may read and that has no name yet but one
/// for the meantime. Removed if dropped.
#[derive(Debug)]
pub(super) struct Draft {
    draft: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Writes what shall stand at `path`.
    pub(super) fn write(path: &Path, content: &[u8]) -> Result<Self, WalletError> {
        let failed = |cause| WalletError::Io { what: "write", path: path.to_owned(), cause };
        let folder = folder_of(path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut unique = [0; 8];
        getrandom::fill(&mut unique).map_err(WalletError::Random)?;
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let draft = folder.join(format!(".{name}.{}", hex::encode(unique)));
        // From here on, so that half of one is removed too.
        let new = Self { draft, path: path.to_owned() };
        write_draft(&new.draft, content).map_err(failed)?;
        Ok(new)
    }

    /// Gives it its name. Of several writers of one name one wins; the others get
    /// [`WalletError::Exists`].
    pub(super) fn place(self) -> Result<(), WalletError> {
        let path = self.path.clone();
        let folder = folder_of(&path);
        let linked = fs::hard_link(&self.draft, &path);
        // Without the draft's name the file has one name left, or none if it was not linked.
        let removed = fs::remove_file(&self.draft);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(WalletError::Exists { path })
            }
            linked => linked
                .and(removed)
                .and_then(|()| File::open(folder)?.sync_all())
                .map_err(|cause| WalletError::Io { what: "write", path: path.clone(), cause }),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nobody is left to be told; it is gone already if it was placed.
        let _ = fs::remove_file(&self.draft);
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new("."))
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}
