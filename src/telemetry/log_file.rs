//! A log in a file, which is moved aside when it is full and opened anew when somebody else moved it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

use crate::rotation::move_aside;

/// Of the files before the current one, so many are kept.
const KEPT: u32 = 4;

/// The file. Clones write the same one.
#[derive(Clone)]
pub(super) struct LogFile(Arc<Mutex<Open>>);

struct Open {
    path: PathBuf,
    max_bytes: u64,
    file: File,
    bytes: u64,
}

impl LogFile {
    /// Opens a log, and the folders to it; an existing one is continued. A new one begins at
    /// `max_bytes`.
    ///
    /// # Errors
    /// If it cannot be written, which it names.
    pub(super) fn open(path: PathBuf, max_bytes: u64) -> io::Result<Self> {
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder.map_err(|error| named(&path, &error))?;
        let (file, bytes) = open(&path)?;
        Ok(Self(Arc::new(Mutex::new(Open { path, max_bytes, file, bytes }))))
    }

    /// Goes on in the file that has the name now, or in a new one.
    ///
    /// # Errors
    /// If that cannot be written, which it names; the file that was open goes on.
    pub(super) fn reopen(&self) -> io::Result<()> {
        self.0.lock().reopen()
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    let opened = opened.and_then(|file| file.metadata().map(|data| (file, data.len())));
    opened.map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the log {} cannot be written: {error}", path.display()))
}

impl Open {
    fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.bytes) = open(&self.path)?;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.max_bytes {
            // Where it cannot be moved, a log that grows is better than none.
            let _ = move_aside(&self.path, KEPT).and_then(|()| self.reopen());
        }
        self.file.write_all(line)?;
        self.bytes += length;
        Ok(())
    }
}

/// Takes whole lines: the subscriber writes each at once.
impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().write(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::numbered;

    fn log(folder: &tempfile::TempDir) -> (LogFile, PathBuf) {
        let path = folder.path().join("deep/sn1.log");
        (LogFile::open(path.clone(), 10).unwrap(), path)
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_full_log_moves_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (log, path) = log(&folder);
        for line in 0..7 {
            (&log).write_all(format!("line {line}\n").as_bytes()).unwrap();
        }
        assert_eq!(
            (text(&path), text(&numbered(&path, 1))),
            ("line 6\n".into(), "line 5\n".into())
        );
        assert_eq!(text(&numbered(&path, KEPT)), "line 2\n");
        assert!(!numbered(&path, KEPT + 1).exists());
        let again = LogFile::open(path.clone(), 20).unwrap();
        (&again).write_all(b"line 7\n").unwrap();
        assert_eq!(text(&path), "line 6\nline 7\n", "it is continued");
    }

    #[test]
    fn a_log_that_somebody_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (log, path) = log(&folder);
        (&log).write_all(b"before\n").unwrap();
        std::fs::rename(&path, path.with_extension("old")).unwrap();
        (&log).write_all(b"x\n").unwrap();
        log.reopen().unwrap();
        (&log).write_all(b"after\n").unwrap();
        assert_eq!(
            (text(&path.with_extension("old")), text(&path)),
            ("before\nx\n".into(), "after\n".into())
        );
    }

    #[test]
    fn a_log_that_somebody_took_away_is_opened_anew_when_it_is_full_and_older_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (log, path) = log(&folder);
        for line in 0..3 {
            (&log).write_all(format!("line {line}\n").as_bytes()).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        (&log).write_all(b"line 3\n").unwrap();
        assert_eq!(text(&path), "line 3\n");
        assert_eq!(text(&numbered(&path, 1)), "line 1\n");
        assert!(text(&numbered(&path, 2)) == "line 0\n" && !numbered(&path, 3).exists());
    }

    #[test]
    fn a_log_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = LogFile::open(folder.path().to_owned(), 10).err().unwrap().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
        let (log, path) = log(&folder);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = log.reopen().unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}
