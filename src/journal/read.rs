//! Reads a journal back, a line at a time, from the file where its first run began.
//!
//! A journal that begins in the middle of a run is read from the files that were moved aside
//! (`NAME.1` and older), but of these only what belongs to that run. `sn1 replay` and
//! `sn1 export` use it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sn1_actors::text::shown::shown;

use super::lines::{lines_of, read_line};
use super::recorded::Recorded;
use super::{KEPT, SCHEMA_VERSION};
use crate::rotation::numbered;

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the journal `{place}` cannot be read: {cause}")]
pub struct ReadError {
    /// Which file.
    pub place: String,
    /// What went wrong.
    pub cause: String,
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinePlace {
    /// In which file.
    pub file: PathBuf,
    /// Its number, from 1.
    pub number: u64,
}

/// A line of a journal.
#[derive(Debug)]
pub enum JournalLine {
    /// An event.
    Event {
        /// Of which run.
        run_id: String,
        /// Its number in the run.
        seq: u64,
        /// What happened.
        event: Recorded,
    },
    /// It is an event of a run, but not what it ought to be.
    Malformed {
        /// Of which run.
        run_id: String,
        /// Its number in the run.
        seq: u64,
        /// The event's name.
        event: String,
        /// Where it stands.
        place: LinePlace,
        /// What is wrong with it.
        cause: String,
    },
    /// It is no line of a journal.
    Unreadable {
        /// Where it stands.
        place: LinePlace,
        /// Whether it is the last one and has no end: its writer was killed, or is writing it now.
        torn: bool,
    },
}

/// What every line has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    run_id: Cow<'a, str>,
    seq: u64,
    schema_version: u32,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// One file of a journal.
struct Part {
    path: PathBuf,
    reader: BufReader<File>,
    /// Lines read.
    lines: u64,
    /// Of which run alone lines are taken.
    only: Option<String>,
}

/// A journal while it is read.
pub struct JournalReader {
    /// Oldest first.
    parts: VecDeque<Part>,
    line: Vec<u8>,
    bytes: u64,
    read: u64,
}

impl JournalReader {
    /// Opens a journal and what goes before it.
    ///
    /// # Errors
    /// [`ReadError`] if there is no such file, or one of them cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let (mut parts, mut bytes, mut only) = (VecDeque::new(), 0, None);
        let mut next = path.to_owned();
        for older in 1..=KEPT + 1 {
            let opened = Part::open(&next, only.take()).map_err(|cause| failure(&next, &cause))?;
            let Some((part, length, goes_on)) = opened else { break };
            parts.push_front(part);
            bytes += length;
            let Some(run) = goes_on else { break };
            only = Some(run);
            next = numbered(path, older);
        }
        if parts.is_empty() {
            let cause = io::Error::new(io::ErrorKind::NotFound, "there is no such file");
            return Err(failure(path, &cause));
        }
        Ok(Self { parts, line: Vec::new(), bytes, read: 0 })
    }

    /// The size of all files in bytes, when they were opened.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The line that was read last, as it stands in its file.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// [`ReadError`] if the file cannot be read, or was written by a program of another schema.
    pub fn next_line(&mut self) -> Result<Option<JournalLine>, ReadError> {
        loop {
            let is_last = self.parts.len() == 1;
            let Some(part) = self.parts.front_mut() else { return Ok(None) };
            let more = read_line(&mut part.reader, &mut self.line);
            if !more.map_err(|cause| failure(&part.path, &cause))? {
                self.parts.pop_front();
                continue;
            }
            part.lines += 1;
            self.read += self.line.len() as u64;
            if let Some(line) = part.understood(&self.line, is_last)? {
                return Ok(Some(line));
            }
        }
    }
}

impl Part {
    /// Opens a file; with its size, and the run in the middle of which it begins, if it does. None
    /// if there is no such file.
    fn open(path: &Path, only: Option<String>) -> io::Result<Option<(Self, u64, Option<String>)>> {
        let Some(mut reader) = lines_of(path)? else { return Ok(None) };
        let length = reader.get_ref().metadata()?.len();
        let mut first = Vec::new();
        read_line(&mut reader, &mut first)?;
        reader.rewind()?;
        let goes_on = serde_json::from_slice::<Head<'_>>(&first).ok().filter(|head| head.seq > 0);
        let goes_on = goes_on.map(|head| head.run_id.into_owned());
        // Another run's beginning is not looked for.
        let goes_on = goes_on.filter(|run| only.as_ref().is_none_or(|only| only == run));
        Ok(Some((Self { path: path.to_owned(), reader, lines: 0, only }, length, goes_on)))
    }

    /// What a line says; none if it is of another run than the one that is wanted.
    fn understood(&self, line: &[u8], is_last: bool) -> Result<Option<JournalLine>, ReadError> {
        let place = || LinePlace { file: self.path.clone(), number: self.lines };
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else {
            let torn = is_last && !line.ends_with(b"\n");
            return Ok(Some(JournalLine::Unreadable { place: place(), torn }));
        };
        if head.schema_version != SCHEMA_VERSION {
            let cause = format!(
                "line {} is of schema {}, and this program reads schema {SCHEMA_VERSION}; use the \
                 version of sn1 that wrote it",
                self.lines, head.schema_version
            );
            return Err(ReadError { place: self.path.display().to_string(), cause });
        }
        if self.only.as_ref().is_some_and(|only| *only != head.run_id) {
            return Ok(None);
        }
        let (run_id, seq) = (head.run_id.into_owned(), head.seq);
        Ok(Some(match Recorded::read(&head.event, line) {
            Ok(event) => JournalLine::Event { run_id, seq, event },
            Err(error) => JournalLine::Malformed {
                run_id,
                seq,
                event: head.event.into_owned(),
                place: place(),
                cause: shown(&error.to_string()),
            },
        }))
    }
}

fn failure(path: &Path, cause: &io::Error) -> ReadError {
    ReadError { place: path.display().to_string(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: &str, seq: u64, event: &str) -> String {
        format!(
            "{{\"run_id\":\"{run}\",\"seq\":{seq},\"schema_version\":1,\"time\":1.0,\
             \"event\":\"{event}\",\"steps\":1}}\n"
        )
    }

    /// Writes the files of a journal, the newest first, and reads it: `run/seq` of each event, and
    /// what is wrong with the others.
    fn read(files: &[String]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        for (n, text) in files.iter().enumerate() {
            let path = if n == 0 { path.clone() } else { numbered(&path, n as u32) };
            std::fs::write(path, text).unwrap();
        }
        let mut reader = JournalReader::open(&path).unwrap();
        let mut all = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            all.push(match line {
                JournalLine::Event { run_id, seq, .. } => format!("{run_id}/{seq}"),
                JournalLine::Malformed { event, place, .. } => {
                    format!("{event} in line {}", place.number)
                }
                JournalLine::Unreadable { place, torn: true } => format!("torn {}", place.number),
                JournalLine::Unreadable { place, torn: false } => format!("bad {}", place.number),
            });
        }
        assert_eq!(reader.bytes_read(), reader.bytes());
        all
    }

    #[test]
    fn a_journal_that_begins_in_the_middle_of_a_run_is_read_from_where_the_run_began() {
        let newest = line("b", 2, "served") + &line("c", 0, "served");
        let before = line("b", 1, "served");
        let oldest = line("a", 0, "served") + &line("b", 0, "served");
        let older_still = line("x", 0, "served");
        let files = [newest.clone(), before.clone(), oldest, older_still];
        assert_eq!(read(&files), ["b/0", "b/1", "b/2", "c/0"]);
        assert_eq!(read(&files[..2]), ["b/1", "b/2", "c/0"]);
        assert_eq!(read(&[line("c", 0, "served"), before]), ["c/0"]);
        assert_eq!(read(&[newest, line("a", 7, "served")]), ["b/2", "c/0"]);
    }

    #[test]
    fn what_is_no_line_or_no_event_of_ours_is_told_and_passed_over() {
        let torn = line("a", 3, "served");
        let text = [
            line("a", 0, "an_event_of_the_future"),
            "{}\n".to_owned(),
            line("a", 1, "averages_moved"),
            line("a", 2, "served"),
            torn.trim_end_matches("}\n").to_owned(),
        ];
        let told = ["a/0", "bad 2", "averages_moved in line 3", "a/2", "torn 5"];
        assert_eq!(read(&[text.concat()]), told);
        assert!(read(&[String::new()]).is_empty());
    }

    #[test]
    fn a_journal_that_is_not_there_or_of_another_schema_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let error = JournalReader::open(&path).err().unwrap().to_string();
        assert!(error.contains("journal.jsonl") && error.contains("no such file"), "{error}");
        let other = line("a", 0, "served").replace("\"schema_version\":1", "\"schema_version\":2");
        std::fs::write(&path, other).unwrap();
        let error = JournalReader::open(&path).unwrap().next_line().unwrap_err().to_string();
        assert!(error.contains("line 1 is of schema 2"), "{error}");
    }
}
