//! The nonces that must outlive the process, in a file.
//!
//! One JSON line a mark, appended before the request is answered, and the whole replaced by what
//! still counts when it has grown to much more than that. Reading the lines again makes the same
//! [`NonceBook`]. Used by the verifier of a miner; those of a local network keep no file.
//!
//! A line is handed to the operating system, not forced to the disk: it survives the process and
//! not a power cut, after which the requests of the last half minute could be sent once more. Left
//! out: two processes on one file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::nonce::{Line, Mark, NonceBook};
use crate::whole_file;

/// The longest file that is read; what we write stays below, at a few hundred bytes a line.
const MAX_BYTES: u64 = 64 << 20;

/// So many lines may be outdated, whatever the book's size, before the file is replaced.
const SLACK: usize = 4096;

/// The file cannot be used; without it old nonces would count again.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot keep replay marks in {}: {source}; make its folder writable, or choose another \
     logging.logging_dir", .path.display()
)]
pub struct MarksError {
    path: PathBuf,
    source: io::Error,
}

/// A file of marks, open for more.
#[derive(Debug)]
pub struct MarksFile {
    path: PathBuf,
    file: File,
    /// Lines after which it is replaced.
    limit: usize,
    lines: usize,
    /// Whether its last line may be half of one.
    torn: bool,
}

impl MarksFile {
    /// Opens or creates the file, and has `book` take up what it holds at `now` since the Unix
    /// epoch. A last line that was not written to its end is left out: its request was not
    /// answered. A file that is damaged otherwise is set aside, and the book then takes everything
    /// up to `now` for forgotten.
    ///
    /// # Errors
    /// [`MarksError`] if the file cannot be read, set aside or written.
    pub fn open(path: &Path, book: &mut NonceBook, now: Duration) -> Result<Self, MarksError> {
        let mut open = || {
            match read(path)? {
                Contents::Whole(lines) => lines.iter().for_each(|line| book.restore(line, now)),
                Contents::Damaged(cause) => {
                    let aside = path.with_extension("damaged");
                    keep_aside(path, &aside)?;
                    book.distrust(now);
                    tracing::warn!(
                        file = %path.display(),
                        aside = %aside.display(),
                        cause,
                        "the file of replay marks is damaged and was set aside: callers with a \
                         bittensor older than 7.2 are refused for an hour, and until they start a \
                         new dendrite then"
                    );
                }
            }
            let (file, lines) = replace(path, book, now)?;
            let limit = limit(lines);
            Ok(Self { path: path.into(), file, limit, lines, torn: false })
        };
        open().map_err(|source| MarksError { path: path.into(), source })
    }

    /// Adds a mark that `book` will record.
    ///
    /// # Errors
    /// If it cannot be written; the request must be refused then.
    pub(super) fn append(
        &mut self,
        mark: &Mark,
        book: &NonceBook,
        now: Duration,
    ) -> io::Result<()> {
        if self.torn || self.lines >= self.limit {
            (self.file, self.lines) = replace(&self.path, book, now)?;
            self.limit = limit(self.lines);
            self.torn = false;
        }
        let line = written(&Line::Mark(mark.clone()))?;
        // Until it is known to be whole.
        self.torn = true;
        self.file.write_all(&line)?;
        self.torn = false;
        self.lines += 1;
        Ok(())
    }

    /// The disk is full: the next write takes nothing.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self) {
        self.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn limit(live: usize) -> usize {
    live.saturating_mul(2).saturating_add(SLACK)
}

fn written(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

enum Contents {
    Whole(Vec<Line>),
    Damaged(String),
}

fn read(path: &Path) -> io::Result<Contents> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Contents::Whole(Vec::new()));
        }
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(Contents::Damaged(format!("it has more than {MAX_BYTES} bytes")));
    }
    let mut lines = Vec::new();
    for (number, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice(text) {
            Ok(line) => lines.push(line),
            Err(_) if !text.ends_with(b"\n") => {}
            Err(cause) => {
                return Ok(Contents::Damaged(format!("line {}: {cause}", number + 1)));
            }
        }
    }
    Ok(Contents::Whole(lines))
}

/// Gives a damaged file a second name. It keeps its own until a new one takes its place: if there
/// was none in between, the next start would take that for the first and trust everything.
fn keep_aside(path: &Path, aside: &Path) -> io::Result<()> {
    match std::fs::remove_file(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Not every file system has links.
    std::fs::hard_link(path, aside).or_else(|_| std::fs::copy(path, aside).map(drop))
}

/// Puts a new file with what still counts in the place of the old one, readable by its owner only:
/// a crash leaves one or the other. Gives it open at its end, and its number of lines.
fn replace(path: &Path, book: &NonceBook, now: Duration) -> io::Result<(File, usize)> {
    let lines = book.lines(now);
    let mut bytes = Vec::new();
    for line in &lines {
        bytes.extend(written(line)?);
    }
    whole_file::replace(path, &bytes)?;
    let file = OpenOptions::new().append(true).open(path)?;
    Ok((file, lines.len()))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_replays;
