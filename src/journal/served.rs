//! The requests that a miner dealt with, as its journal has them.
//!
//! Other events, and lines that are none, are passed over: the miner may be writing the last line
//! now. `sn1 miner report` reads it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Deserialize;

use super::KEPT;
use super::lines::{lines_of, read_line};
use super::read::ReadError;
use crate::rotation::numbered;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// When it was over, in seconds since the Unix epoch.
    pub time: f64,
    /// Who said that they asked; of a request that was refused it may be any text.
    pub hotkey: String,
    /// How it ended.
    pub status: u16,
    /// In words.
    pub message: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

#[derive(Deserialize)]
struct Line<'a> {
    time: f64,
    #[serde(borrow)]
    event: Cow<'a, str>,
    hotkey: String,
    status: u16,
    message: String,
    seconds: f64,
}

/// The requests of a journal and of the files that were moved aside, oldest first.
pub struct ServedReader {
    parts: VecDeque<BufReader<File>>,
    line: Vec<u8>,
}

impl ServedReader {
    /// Opens the files of a journal; a journal that is not there has none.
    ///
    /// # Errors
    /// [`ReadError`] if one cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let (mut parts, mut known) = (VecDeque::new(), Vec::new());
        // Newest first: a file that is moved aside meanwhile is met again, and not missed.
        for n in 0..=KEPT {
            let part = if n == 0 { path.to_owned() } else { numbered(path, n) };
            let failure = |cause: std::io::Error| ReadError {
                place: part.display().to_string(),
                cause: cause.to_string(),
            };
            let Some(reader) = lines_of(&part).map_err(failure)? else { continue };
            let inode = reader.get_ref().metadata().map_err(failure)?.ino();
            if !known.contains(&inode) {
                known.push(inode);
                parts.push_front(reader);
            }
        }
        Ok(Self { parts, line: Vec::new() })
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The next request; none at the end.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn next_request(&mut self) -> std::io::Result<Option<Served>> {
        while let Some(part) = self.parts.front_mut() {
            if !read_line(part, &mut self.line)? {
                self.parts.pop_front();
                continue;
            }
            let line = serde_json::from_slice::<Line<'_>>(&self.line).ok();
            if let Some(line) = line.filter(|line| line.event == "served") {
                let Line { time, hotkey, status, message, seconds, .. } = line;
                return Ok(Some(Served { time, hotkey, status, message, seconds }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: u32, event: &str) -> String {
        format!(
            "{{\"run_id\":\"a\",\"seq\":{time},\"schema_version\":1,\"time\":{time}.0,\
             \"event\":\"{event}\",\"hotkey\":\"5x\",\"status\":200,\"message\":\"Success\",\
             \"prompt\":\"p\",\"completion\":\"c\",\"seconds\":0.5}}\n"
        )
    }

    #[test]
    fn requests_of_all_files_are_read_oldest_first_and_all_else_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        assert!(ServedReader::open(&path).unwrap().is_empty());
        let torn = line(4, "served");
        let newest = line(3, "served") + "no line\n{}\n" + torn.trim_end_matches("}\n");
        std::fs::write(&path, newest).unwrap();
        std::fs::write(numbered(&path, 1), line(2, "served")).unwrap();
        std::fs::write(numbered(&path, 2), line(0, "served") + &line(1, "other")).unwrap();
        let mut reader = ServedReader::open(&path).unwrap();
        let mut times = Vec::new();
        while let Some(served) = reader.next_request().unwrap() {
            assert_eq!((served.status, served.message.as_str()), (200, "Success"));
            times.push(served.time);
        }
        assert_eq!(times, [0.0, 2.0, 3.0]);
    }
}
