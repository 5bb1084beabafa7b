//! Looks through a folder for source files, within bounds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::languages;

/// Folders inside folders.
const DEEPEST: usize = 24;
/// Entries looked at, whatever they are; those behind are as if they were not there.
const MOST_ENTRIES: usize = 400_000;
/// Source files kept.
const MOST_FILES: usize = 100_000;

/// Folders of what others wrote or programs made; so are all whose names begin with a dot.
const NOT_OURS: [&str; 21] = [
    "__pycache__",
    "bin",
    "bower_components",
    "build",
    "cmake-build-debug",
    "deps",
    "dist",
    "dist-packages",
    "external",
    "generated",
    "node_modules",
    "obj",
    "out",
    "pods",
    "site-packages",
    "target",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "venv",
];
/// How names of files end or go on that programs made.
const MADE: [&str; 9] = [
    ".bundle.",
    ".designer.",
    ".freezed.",
    ".g.",
    ".generated.",
    ".min.",
    ".pb.",
    "_pb2.",
    "_pb2_grpc.",
];

/// A file that may fit.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SourceFile {
    /// Below the folder.
    pub(super) path: PathBuf,
    pub(super) language: &'static str,
}

/// The source files below a folder, sorted by path. Folders inside that cannot be read are passed
/// over.
pub(super) fn source_files(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut entries = 0;
    let mut open = vec![(PathBuf::new(), fs::read_dir(root)?)];
    while let Some((folder, listing)) = open.last_mut() {
        let Some(entry) = listing.next() else {
            open.pop();
            continue;
        };
        entries += 1;
        if entries > MOST_ENTRIES || files.len() >= MOST_FILES {
            tracing::warn!(folder = %root.display(), "too large: only a part of it is used");
            break;
        }
        // The type is that of the entry itself: a link is neither file nor folder.
        let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))
        else {
            continue;
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(entry.file_name());
        if kind.is_dir() && is_ours(&name) && open.len() < DEEPEST {
            if let Ok(listing) = fs::read_dir(entry.path()) {
                open.push((path, listing));
            }
        } else if let Some(language) = languages::language(&name).filter(|_| kind.is_file())
            && !is_made(&name)
        {
            files.push(SourceFile { path, language });
        }
    }
    files.sort();
    Ok(files)
}

fn is_ours(folder: &str) -> bool {
    !folder.starts_with('.') && !NOT_OURS.contains(&folder.to_lowercase().as_str())
}

fn is_made(file: &str) -> bool {
    let name = file.to_lowercase();
    name.starts_with('.') || MADE.iter().any(|mark| name.contains(mark))
}
