//! Conversations that the last run of a journal began and did not end: a process that is killed ends
//! nothing. They are ended in its name when the journal is opened again, so that in each run those
//! that began and those that ended are the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Deserialize;
use sn1_actors::domain::ConversationId;
use sn1_actors::ports::{Event, Stopped};

use super::lines::{LONGEST_LINE, lines_of, read_line};

/// More conversations than this are never under way.
const MOST: usize = 65_536;
/// What may still be told of a conversation when it has ended, since others do it: it does not begin
/// anew by that.
const AFTERWARDS: [&str; 2] = ["averages_moved", "organic_answered"];
/// What every line of a journal begins with.
const BEGINNING: &[u8] = b"{\"run_id\":";

/// What the last run of a journal left.
#[derive(Debug, Default, PartialEq)]
pub(super) struct LastRun {
    /// Which run it was.
    pub(super) run_id: String,
    /// The number of its next line.
    pub(super) seq: u64,
    /// Its conversations that have not ended, each as the event that ends it.
    pub(super) unended: Vec<Event>,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    run_id: Cow<'a, str>,
    seq: u64,
    #[serde(default)]
    time: f64,
    #[serde(borrow)]
    event: Cow<'a, str>,
    conversation: Option<u64>,
}

/// Reads a journal once from its beginning, a line at a time; and `before` it the file that was
/// moved aside last, where a run goes on from there. A conversation that is under way over more
/// files than two is not looked for. A file that is no journal, and one that is not there, have no
/// last run.
///
/// # Errors
/// If one cannot be read.
pub(super) fn last_run(path: &Path, before: &Path) -> io::Result<LastRun> {
    let mut run = Run::default();
    if goes_on(path)? {
        run.read(before)?;
    }
    run.read(path)?;
    Ok(run.ended())
}

/// Whether a journal begins in the middle of a run, or with nothing.
fn goes_on(path: &Path) -> io::Result<bool> {
    let (mut reader, mut line) = (lines_of(path)?, Vec::new());
    let Some(reader) = &mut reader else { return Ok(true) };
    if !read_line(reader, &mut line)? {
        return Ok(true);
    }
    Ok(serde_json::from_slice::<Line<'_>>(&line).is_ok_and(|first| first.seq > 0))
}

/// The run that the lines so far belong to.
#[derive(Default)]
struct Run {
    run_id: String,
    seq: u64,
    time: f64,
    /// When each conversation under way was first heard of.
    begun: BTreeMap<u64, f64>,
}

impl Run {
    fn read(&mut self, path: &Path) -> io::Result<()> {
        let Some(mut reader) = lines_of(path)? else { return Ok(()) };
        let mut line = Vec::new();
        while read_line(&mut reader, &mut line)? {
            if let Ok(read) = serde_json::from_slice::<Line<'_>>(&line) {
                self.take(&read);
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &Line<'_>) {
        if self.run_id != line.run_id {
            *self = Self { run_id: line.run_id.clone().into_owned(), ..Self::default() };
        }
        self.seq = line.seq.saturating_add(1);
        self.time = self.time.max(line.time);
        let Some(conversation) = line.conversation else { return };
        match &*line.event {
            "conversation_ended" => {
                self.begun.remove(&conversation);
            }
            event if AFTERWARDS.contains(&event) => {}
            _ if self.begun.len() < MOST => {
                self.begun.entry(conversation).or_insert(line.time);
            }
            _ => {}
        }
    }

    fn ended(self) -> LastRun {
        let end = |(id, began): (u64, f64)| Event::ConversationEnded {
            conversation: ConversationId(id),
            seconds: (self.time - began).max(0.0),
            stopped: Stopped::CutShort,
        };
        let unended = self.begun.into_iter().map(end).collect();
        LastRun { run_id: self.run_id, seq: self.seq, unended }
    }
}

/// Makes the last line of a file end. One of ours that was torn while it was written is taken off:
/// what is left of it nobody can read, and it would spoil the line after it.
///
/// # Errors
/// If the file cannot be read or written.
pub(super) fn mend_end(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let begins = last_line(&mut file, length)?;
    if begins == length {
        return Ok(());
    }
    file.seek(SeekFrom::Start(begins))?;
    let mut torn = Vec::new();
    (&file).take(LONGEST_LINE).read_to_end(&mut torn)?;
    let is_whole = serde_json::from_slice::<Line<'_>>(&torn).is_ok();
    let known = torn.len().min(BEGINNING.len());
    if !is_whole && torn.get(..known) == BEGINNING.get(..known) {
        return file.set_len(begins);
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(b"\n")
}

/// Where the last line begins: at the end, if the one before it is ended.
fn last_line(file: &mut File, length: u64) -> io::Result<u64> {
    const BLOCK: u64 = 1 << 16;
    let (mut end, mut block) = (length, Vec::new());
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        (&*file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, lines).unwrap();
        (folder, path)
    }

    fn line(run: &str, seq: u64, event: &str, conversation: u64) -> String {
        format!(
            "{{\"run_id\":\"{run}\",\"seq\":{seq},\"time\":{}.0,\"event\":\"{event}\",\
             \"conversation\":{conversation}}}\n",
            100 + seq
        )
    }

    fn unended(run: &LastRun) -> Vec<(u64, f64)> {
        let each = |event: &Event| match event {
            Event::ConversationEnded { conversation, seconds, stopped: Stopped::CutShort } => {
                (conversation.0, *seconds)
            }
            other => panic!("{other:?}"),
        };
        run.unended.iter().map(each).collect()
    }

    #[test]
    fn only_what_the_last_run_began_and_did_not_end_is_left() {
        let text = [
            line("a", 0, "task_made", 1),
            line("b", 0, "task_made", 1),
            line("b", 1, "challenged", 1),
            line("b", 2, "task_made", 2),
            line("b", 3, "conversation_ended", 1),
            line("b", 4, "step", 3),
            "no journal line\n".to_owned(),
        ];
        let (_folder, path) = journal(&text.concat());
        let last_run = |path: &Path| last_run(path, &path.with_extension("1")).unwrap();
        let run = last_run(&path);
        assert_eq!((run.run_id.as_str(), run.seq), ("b", 5));
        assert_eq!(unended(&run), [(2, 2.0), (3, 0.0)]);
        assert_eq!(last_run(&path.with_extension("none")), LastRun::default());
        assert_eq!(last_run(Path::new("/dev/full")), LastRun::default());
    }

    #[test]
    fn a_user_s_conversation_ends_once_although_more_is_told_of_it_then() {
        let first = 1 << 48;
        let text = [
            line("a", 0, "challenged", first),
            line("a", 1, "conversation_ended", first),
            line("a", 2, "averages_moved", first),
            line("a", 3, "organic_answered", first),
            line("a", 4, "challenged", first + 1),
            line("a", 5, "organic_answered", first + 1),
        ];
        let (_folder, path) = journal(&text.concat());
        let run = last_run(&path, &path.with_extension("1")).unwrap();
        assert_eq!(unended(&run), [(first + 1, 1.0)]);
    }

    #[test]
    fn a_run_is_followed_into_the_file_that_was_moved_aside() {
        let before = [
            line("a", 0, "task_made", 9),
            line("b", 0, "task_made", 1),
            line("b", 1, "task_made", 2),
        ];
        let (_before, before) = journal(&before.concat());
        let left = |now: &[String]| {
            let (_now, now) = journal(&now.concat());
            let run = last_run(&now, &before).unwrap();
            (run.run_id.clone(), run.seq, unended(&run))
        };
        assert_eq!(left(&[]), ("b".into(), 2, vec![(1, 1.0), (2, 0.0)]));
        let ended = line("b", 2, "conversation_ended", 1);
        assert_eq!(left(&[ended]), ("b".into(), 3, vec![(2, 1.0)]));
        // A run that begins here left nothing there.
        assert_eq!(left(&[line("b", 0, "task_made", 3)]), ("b".into(), 1, vec![(3, 0.0)]));
    }

    #[test]
    fn a_torn_line_of_ours_goes_and_anything_else_stays() {
        let whole = line("a", 0, "task_made", 1);
        for (torn, left) in [
            ("", String::new()),
            ("{\"ru", String::new()),
            ("{\"run_id\":\"a\",\"seq\":1,\"eve", String::new()),
            (whole.trim_end(), whole.clone()),
            ("some text", "some text\n".to_owned()),
        ] {
            let (_folder, path) = journal(&format!("{whole}{torn}"));
            mend_end(&path).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{whole}{left}"), "{torn}");
        }
    }

    #[test]
    fn a_torn_line_may_be_longer_than_a_block() {
        let torn = format!("{{\"run_id\":\"{}", "x".repeat(200_000));
        let (_folder, path) = journal(&format!("{}{torn}", line("a", 0, "task_made", 1)));
        mend_end(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
