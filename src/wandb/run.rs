//! One run: a folder with a log.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use prost::Message;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sn1_actors::domain::Date;

use super::About;
use super::log::Log;
use super::record::{
    Config, Exit, Header, History, HistoryStep, Item, Kind, Record, RunRecord, Summary, Timestamp,
    VersionInfo,
};

/// The oldest release of wandb that is to read the log; the package itself writes this too.
const OLDEST_READER: &str = "0.70.0";
/// A longer tag is refused by the service.
const LONGEST_TAG: usize = 64;
const DAY: u64 = 86_400;

/// A run that is being written. Every record is handed to the system at once, so that after a crash
/// only the end is missing.
#[derive(Debug)]
pub(super) struct Run {
    log: Log,
    began: Duration,
    records: i64,
    steps: i64,
}

impl Run {
    /// Begins a run in a folder of its own under `parent`; `part` is its number among those of the
    /// group and `began` is since the Unix epoch.
    ///
    /// # Errors
    /// If it cannot be written, or is there already.
    pub(super) fn create(
        parent: &Path,
        about: &About,
        part: u32,
        began: Duration,
    ) -> io::Result<Self> {
        let id = id(about, part);
        let folder = parent.join(format!("offline-run-{}-{id}", moment(began)));
        fs::create_dir_all(parent)?;
        fs::create_dir(&folder)?;
        Self::begin(&folder, id, about, part, began).inspect_err(|_| {
            // One that holds no run would be one more for each try.
            let _ = fs::remove_dir_all(&folder);
        })
    }

    fn begin(
        folder: &Path,
        id: String,
        about: &About,
        part: u32,
        began: Duration,
    ) -> io::Result<Self> {
        let log = Log::create(&folder.join(format!("run-{id}.wandb")))?;
        let mut run = Self { log, began, records: 0, steps: 0 };
        let version_info = VersionInfo {
            producer: format!("sn1 {}", env!("CARGO_PKG_VERSION")),
            min_consumer: OLDEST_READER.to_owned(),
        };
        run.append(Kind::Header(Header { version_info: Some(version_info) }))?;
        run.append(Kind::Run(RunRecord {
            run_id: id,
            entity: about.entity.clone(),
            project: about.project.clone(),
            config: Some(Config { update: items(&about.config) }),
            run_group: about.group.clone(),
            display_name: format!("{}-{part}", about.group),
            notes: about.notes.clone(),
            tags: tags(&about.tags),
            start_time: Some(timestamp(began)),
        }))?;
        Ok(run)
    }

    /// When it began, since the Unix epoch.
    pub(super) fn began(&self) -> Duration {
        self.began
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.log.length()
    }

    /// Adds to what is known of the run.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn configure(&mut self, config: &Map<String, Value>) -> io::Result<()> {
        self.append(Kind::Config(Config { update: items(config) }))
    }

    /// Adds a step that was scored at a time since the Unix epoch.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn step(&mut self, step: &Map<String, Value>, time: Duration) -> io::Result<()> {
        let num = self.steps;
        let clock = json!({
            "_step": num,
            "_timestamp": time.as_secs_f64(),
            "_runtime": time.saturating_sub(self.began).as_secs_f64(),
        });
        let clock = clock.as_object().into_iter().flatten();
        let history = step.iter().chain(clock.clone());
        let history = History {
            item: history.map(|(key, value)| item(key, value)).collect(),
            step: Some(HistoryStep { num }),
        };
        self.append(Kind::History(history))?;
        // Lists and long texts would be there twice.
        let short = step.iter().filter(|(_, value)| value.is_number() || value.is_boolean());
        let task = step.get_key_value("task");
        let update = short.chain(task).chain(clock).map(|(key, value)| item(key, value)).collect();
        self.append(Kind::Summary(Summary { update }))?;
        self.steps += 1;
        Ok(())
    }

    /// Ends the run at a time since the Unix epoch, with the exit code of its process.
    ///
    /// # Errors
    /// If that cannot be written.
    pub(super) fn finish(mut self, exit_code: i32, time: Duration) -> io::Result<()> {
        let runtime = time.saturating_sub(self.began).as_secs();
        let runtime = i32::try_from(runtime).unwrap_or(i32::MAX);
        self.append(Kind::Exit(Exit { exit_code, runtime }))
    }

    fn append(&mut self, kind: Kind) -> io::Result<()> {
        let record = Record { num: self.records + 1, kind: Some(kind) };
        self.log.append(&record.encode_to_vec())?;
        self.records += 1;
        Ok(())
    }
}

/// Eight letters and digits that no other run of the project has.
fn id(about: &About, part: u32) -> String {
    let tags = about.tags.join(",");
    let digest = Sha256::digest(format!("{}/{tags}/{part}", about.group));
    let symbols = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let symbol = |byte: &u8| char::from(symbols[usize::from(*byte) % symbols.len()]);
    digest.iter().take(8).map(symbol).collect()
}

/// As the names of folders have it, in UTC.
fn moment(time: Duration) -> String {
    let (day, second) = (time.as_secs() / DAY, time.as_secs() % DAY);
    let date = Date::of_unix_day(day).map(|date| date.to_string().replace('-', ""));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{}_{hour:02}{minute:02}{second:02}", date.unwrap_or_default())
}

fn timestamp(time: Duration) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or_default();
    Timestamp { seconds, nanos: time.subsec_nanos().cast_signed() }
}

fn tags(tags: &[String]) -> Vec<String> {
    let cut = |tag: &String| tag.chars().take(LONGEST_TAG).collect::<String>();
    tags.iter().map(cut).filter(|tag| !tag.is_empty()).collect()
}

fn items(fields: &Map<String, Value>) -> Vec<Item> {
    fields.iter().map(|(key, value)| item(key, value)).collect()
}

fn item(key: &str, value: &Value) -> Item {
    Item { key: key.to_owned(), value_json: value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_s_folder_is_named_after_its_moment_and_its_id() {
        let parent = tempfile::tempdir().unwrap();
        let about = About { group: "g".into(), ..About::default() };
        let began = Duration::from_secs(1_795_959_092);
        Run::create(parent.path(), &about, 3, began).unwrap();
        let id = id(&about, 3);
        let folder = parent.path().join(format!("offline-run-20261129_133132-{id}"));
        assert!(folder.join(format!("run-{id}.wandb")).is_file());
        assert!(id.len() == 8 && id != super::id(&about, 4));
        assert!(Run::create(parent.path(), &about, 3, began).is_err());
    }
}
