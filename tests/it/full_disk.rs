//! Disks that are full: a run goes on, says so, and takes up its record when there is room again.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Place, Running, free_port};

/// What the run writes lies here, on a disk of its own.
const DISK: &str = "disk";

/// Whether a process here may have a disk of its own.
fn may_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs none {}", folder.path().display());
    let tried = Command::new("unshare").args(["-Urm", "sh", "-c", &mount]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// A small disk that only the program sees; it lasts as long as this.
struct Disk(File);

impl Disk {
    /// Starts the program with one mounted at [`DISK`].
    fn under(place: &Place, line: &str) -> Running {
        fs::create_dir(place.path(DISK)).unwrap();
        let mount = format!("mount -t tmpfs -o size=2m none {DISK}");
        let run = format!("{mount} && exec {} {line}", env!("CARGO_BIN_EXE_sn1"));
        place.start_other(Path::new("unshare"), &["-Urm", "sh", "-c", &run])
    }

    /// The disk of a program that writes on it.
    fn of(run: &Running, place: &Place) -> Self {
        let within = place.path(DISK);
        let within = within.strip_prefix("/").unwrap();
        let root = PathBuf::from(format!("/proc/{}/root", run.id()));
        Self(File::open(root.join(within)).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.0.as_raw_fd()))
    }

    /// Leaves no room on it.
    fn fill(&self) {
        let mut filler = File::create(self.path("filler")).unwrap();
        while filler.write(&[0; 4_096]).is_ok() {}
        while filler.write(&[0]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }
}

fn events<'a>(journal: &'a [Value], name: &str) -> Vec<&'a Value> {
    journal.iter().filter(|line| line["event"] == name).collect()
}

#[test]
fn a_full_disk_costs_the_record_of_that_time_and_nothing_else() {
    if !may_mount() {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    let port = free_port();
    let place = Place::new().with("XDG_STATE_HOME", DISK);
    let mut net = Disk::under(
        &place,
        &format!(
            "localnet --model fake --seed 7 --localnet.block_time 0.2 --localnet.miners echo,phrase \
             --localnet.miner_delay 0.1 --summary summary.json --journal {DISK}/j.jsonl \
             --wandb.offline --console.listen 127.0.0.1:{port}"
        ),
    );
    net.until_printed("console http");
    let disk = Disk::of(&net, &place);
    net.until(&disk.path("j.jsonl"), r#""event":"averages_moved""#);
    let steps = || crate::console::metric(port, "sn1_steps_total{asker=\"validator\"}");
    disk.fill();
    net.until_logged("j.jsonl` cannot be written: No space left on device");
    net.until_logged("scores are kept in memory only");
    net.until_logged("wandb runs cannot be written");
    // The run goes on all the same.
    let enough = steps().unwrap() + 20.0;
    net.until_true("twenty more steps", || steps() >= Some(enough));
    assert!(crate::console::metric(port, "sn1_journal_unwritten_events_total") > Some(50.0));
    disk.make_room();
    net.signal("TERM");
    let ended = net.wait_as_a_supervisor().expect(0);
    assert!(ended.err.contains("is written again"), "{}", ended.err);

    fs::copy(disk.path("j.jsonl"), place.path("j.jsonl")).unwrap();
    let journal = place.lines("j.jsonl");
    let gaps = events(&journal, "events_missing");
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0]["cause"].as_str().unwrap().contains("No space left"), "{gaps:?}");
    // Every line that is missing is told of, and by numbers nothing else is.
    let (missing, last) = (gaps[0]["missing"].as_u64().unwrap(), journal.last().unwrap());
    assert_eq!(last["event"], "run_finished");
    assert_eq!(last["seq"].as_u64().unwrap() + 1, journal.len() as u64 + missing);
    let scored = place.json("summary.json")["steps"].as_u64().unwrap();
    assert!(scored >= enough as u64 && (events(&journal, "step").len() as u64) < scored);

    let book = ended.out.lines().find_map(|line| line.strip_prefix("scores  ")).unwrap();
    let book = Path::new(book).strip_prefix(DISK).unwrap().to_str().unwrap().to_owned();
    fs::copy(disk.path(&book), place.path("scores.json")).unwrap();
    let book = place.run("state show --json --book scores.json").json();
    assert_eq!(book["steps"], scored);
    let replay = place.run("replay j.jsonl").expect(0).out;
    assert!(replay.contains(&format!("{missing} of its events were never written")), "{replay}");
}

#[test]
fn a_journal_and_a_log_that_no_disk_takes_cost_no_step() {
    let place = Place::new();
    let line = "localnet --model fake --seed 7 --localnet.block_time 0.2 --localnet.miners echo \
                --steps 5 --journal /dev/full --logging.file /dev/full --summary s.json";
    let ended = place.run(line).expect(4);
    assert!(ended.err.contains("the journal `/dev/full` cannot be written: No space left"));
    assert!(ended.out.contains("miner    uid  weight"), "{}", ended.out);
    assert_eq!(place.json("s.json")["steps"], 5);
}

#[test]
fn a_summary_that_cannot_be_written_is_told_when_all_else_is_done() {
    let place = Place::new();
    place.write("s.json", "{}");
    let mut net = place.start(
        "localnet --model fake --seed 7 --localnet.block_time 0.2 --localnet.miners echo \
         --journal j.jsonl --summary s.json",
    );
    net.until(&place.path("j.jsonl"), r#""event":"step""#);
    fs::remove_file(place.path("s.json")).unwrap();
    fs::create_dir(place.path("s.json")).unwrap();
    net.signal("TERM");
    let ended = net.wait_as_a_supervisor().expect(4);
    assert!(ended.err.contains("the summary s.json cannot be written"), "{}", ended.err);
    let journal = place.lines("j.jsonl");
    assert_eq!(journal.last().unwrap()["event"], "run_finished");
    let ended = events(&journal, "conversation_ended");
    assert_eq!(ended.len(), events(&journal, "task_made").len());
}
