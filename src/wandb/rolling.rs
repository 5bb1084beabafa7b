//! The runs of a process, one after the other.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::run::Run;
use super::{About, Entry};

/// A run is ended after so long, as the original did: the next step begins another.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);
/// A run is ended when its log is so long, in bytes.
const LARGEST_RUN: u64 = 512 << 20;

/// Writes a process's entries into runs. Times are since the Unix epoch.
#[derive(Debug)]
pub struct Rolling {
    folder: PathBuf,
    about: About,
    /// The runs begun.
    parts: u32,
    current: Option<Run>,
    ended_well: bool,
}

impl Rolling {
    /// Runs in a folder. There is none before the first step.
    #[must_use]
    pub fn new(folder: PathBuf, about: About) -> Self {
        Self { folder, about, parts: 0, current: None, ended_well: false }
    }

    /// The folder of the runs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The runs begun so far.
    #[must_use]
    pub fn parts(&self) -> u32 {
        self.parts
    }

    /// The bytes of the current run, if there is one.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.current.as_ref().map(Run::bytes)
    }

    /// Writes an entry of that time.
    ///
    /// # Errors
    /// If it cannot be written: then the current run is over, and the next step begins another.
    pub fn take(&mut self, entry: &Entry, time: Duration) -> io::Result<()> {
        match entry {
            Entry::Config(more) => {
                self.about.config.extend(more.clone());
                self.with_current(time, |run| run.configure(more))
            }
            Entry::Step(step) => {
                self.roll_if_due(time)?;
                if self.current.is_none() {
                    let part = self.parts;
                    self.parts = part.saturating_add(1);
                    self.current = Some(Run::create(&self.folder, &self.about, part, time)?);
                }
                self.with_current(time, |run| run.step(step, time))
            }
            Entry::End => {
                self.ended_well = true;
                Ok(())
            }
        }
    }

    /// Ends the current run if it is long.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn roll_if_due(&mut self, time: Duration) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|run| is_long(run, time)) {
            self.finish(0, time)?;
        }
        Ok(())
    }

    /// Ends the current run, as one that others follow.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn roll(&mut self, time: Duration) -> io::Result<()> {
        self.finish(0, time)
    }

    /// Ends the current run, as the last; it says whether the process ended well.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn close(&mut self, time: Duration) -> io::Result<()> {
        self.finish(i32::from(!self.ended_well), time)
    }

    fn with_current(
        &mut self,
        time: Duration,
        write: impl FnOnce(&mut Run) -> io::Result<()>,
    ) -> io::Result<()> {
        let written = self.current.as_mut().map_or(Ok(()), write);
        if written.is_err() {
            // What it has is whole: with an end it can be sent.
            let _ = self.finish(0, time);
        }
        written
    }

    fn finish(&mut self, exit_code: i32, time: Duration) -> io::Result<()> {
        self.current.take().map_or(Ok(()), |run| run.finish(exit_code, time))
    }
}

fn is_long(run: &Run, time: Duration) -> bool {
    time.abs_diff(run.began()) >= LONGEST_RUN || run.bytes() >= LARGEST_RUN
}
