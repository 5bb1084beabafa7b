use std::path::PathBuf;

use prost::Message;
use serde_json::json;

use super::super::About;
use super::super::record::{Kind, Record};
use super::*;

const HOUR: u64 = 3_600;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * HOUR)
}

fn series(folder: &Path, max_bytes: u64) -> Series {
    let about = About { group: "g".into(), project: "p".into(), ..About::default() };
    Series::new(Rolling::new(folder.to_owned(), about), max_bytes)
}

/// A series for a folder on a disk that cannot be written until the file in its place is removed.
fn on_a_bad_disk(place: &Path) -> (PathBuf, Series) {
    let disk = place.join("disk");
    fs::write(&disk, "no folder").unwrap();
    let series = series(&disk.join("wandb"), 1 << 30);
    (disk, series)
}

fn step(n: u64) -> Entry {
    Entry::Step(json!({"task": "qa", "n": n}).as_object().unwrap().clone())
}

/// The records of each run of a folder, the oldest first. None is longer than a block.
fn runs(folder: &Path) -> Vec<Vec<Kind>> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(file).unwrap();
        let (mut rest, mut records) = (&bytes[7..], Vec::new());
        while let [_, _, _, _, low, high, _, more @ ..] = rest {
            let (record, more) = more.split_at(usize::from(u16::from_le_bytes([*low, *high])));
            records.push(Record::decode(record).unwrap().kind.unwrap());
            rest = more;
        }
        records
    };
    folders.into_iter().map(read).collect()
}

/// The `_step` of every step, and the exit code.
fn told(run: &[Kind]) -> (Vec<i64>, Option<i32>) {
    let steps = run.iter().filter_map(|kind| match kind {
        Kind::History(history) => history.step.map(|step| step.num),
        _ => None,
    });
    let exit = run.iter().find_map(|kind| match kind {
        Kind::Exit(exit) => Some(exit.exit_code),
        _ => None,
    });
    (steps.collect(), exit)
}

#[test]
fn a_new_run_begins_after_a_day_and_knows_what_the_first_knew() {
    let place = tempfile::tempdir().unwrap();
    let mut series = series(place.path(), 1 << 30);
    let config = json!({"seed": 7}).as_object().unwrap().clone();
    series.take(&Entry::Config(config), hours(1));
    assert_eq!(runs(place.path()).len(), 0, "a run without steps");
    for (n, hour) in [2, 25, 26, 27].into_iter().enumerate() {
        assert!(series.take(&step(n as u64), hours(hour)));
    }
    series.take(&Entry::End, hours(28));
    series.close(hours(28));
    let runs = runs(place.path());
    let told: Vec<_> = runs.iter().map(|run| told(run)).collect();
    assert_eq!(told, [(vec![0, 1], Some(0)), (vec![0, 1], Some(0))]);
    let ids: Vec<_> = runs
        .iter()
        .map(|run| {
            let Kind::Run(run) = &run[1] else { panic!("no run record") };
            let config = &run.config.as_ref().unwrap().update[0];
            assert_eq!((config.key.as_str(), config.value_json.as_str()), ("seed", "7"));
            assert_eq!(run.run_group, "g");
            run.run_id.clone()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_process_that_did_not_end_well_leaves_a_run_that_says_so() {
    let place = tempfile::tempdir().unwrap();
    let mut series = series(place.path(), 1 << 30);
    series.take(&step(0), hours(1));
    series.close(hours(2));
    assert_eq!(told(&runs(place.path())[0]), (vec![0], Some(1)));
}

#[test]
fn a_folder_that_comes_back_is_written_again_after_a_while() {
    let place = tempfile::tempdir().unwrap();
    let (disk, mut series) = on_a_bad_disk(place.path());
    series.probe(hours(1));
    assert!(!series.take(&step(0), hours(1)));
    fs::remove_file(&disk).unwrap();
    assert!(!series.take(&step(1), hours(1) + NEXT_TRY / 2), "the disk is not asked at every step");
    assert_eq!(series.failing.as_ref().map(|failing| failing.missing), Some(2));
    assert!(series.take(&step(2), hours(1) + NEXT_TRY));
    assert!(series.failing.is_none() && series.take(&step(3), hours(2)));
    series.close(hours(2));
    assert_eq!(told(&runs(&disk.join("wandb"))[0]), (vec![0, 1], Some(1)));
}

#[test]
fn a_clock_that_is_set_back_puts_off_no_try() {
    let place = tempfile::tempdir().unwrap();
    let (disk, mut series) = on_a_bad_disk(place.path());
    assert!(!series.take(&step(0), hours(10)));
    fs::remove_file(&disk).unwrap();
    assert!(series.take(&step(1), hours(1)));
}

#[test]
fn runs_take_no_more_of_the_disk_than_they_may_until_some_are_removed() {
    let place = tempfile::tempdir().unwrap();
    let mut series = series(place.path(), 2_000);
    let mut written = 0;
    while series.take(&step(written), hours(1)) {
        written += 1;
    }
    assert!(written > 3, "{written}");
    assert!(!series.take(&step(0), hours(2)));
    let run = fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(told(&runs(place.path())[0]).1, Some(0), "what is full can be sent");
    fs::remove_dir_all(run).unwrap();
    assert!(series.take(&step(0), hours(3)));
}
