//! A process that does nothing but save, killed 500 times.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sn1_actors::ports::Ledger;

use super::LedgerFile;
use super::tests::book_of;

const FOLDER: &str = "SN1_TEST_LEDGER_FOLDER";
const CHILD: &str = "ledger::tests_kill::saves_for_ever_in_the_folder_it_is_told";
const KILLS: usize = 500;

/// The child's part: without the variable it is no test.
#[test]
fn saves_for_ever_in_the_folder_it_is_told() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let path = PathBuf::from(folder).join("scores.json");
    // The parent gave its lock back, but a process that another of its tests is just starting has
    // inherited it until it becomes another program.
    let tries = std::iter::repeat_with(|| LedgerFile::open(path.clone())).take(100_000);
    let ledger = tries.flatten().next().unwrap();
    let mut step = ledger.load().unwrap().steps;
    loop {
        println!("saved {step}");
        step += 1;
        ledger.save(&book_of(step)).unwrap();
    }
}

fn child(folder: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn five_hundred_kills_lose_nothing_that_was_saved_and_mix_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut last = 0;
    for kill in 0..KILLS {
        let mut child = child(folder.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut saved =
            lines.filter_map(|line| line.split("saved ").nth(1)?.trim().parse::<u64>().ok());
        // Seen so many saves; then anywhere within the next ones.
        let seen = saved.by_ref().nth(random.random_range(0..4)).expect("the child saves");
        for _ in 0..random.random_range(0..20_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let told = saved.last().unwrap_or(seen);
        let ledger = LedgerFile::open(folder.path().join("scores.json")).unwrap();
        let book = ledger.load().unwrap();
        assert_eq!(book, if book.steps == 0 { Default::default() } else { book_of(book.steps) });
        assert!(book.steps == told || book.steps == told + 1, "kill {kill}: {told} {}", book.steps);
        last = book.steps;
    }
    println!("{KILLS} kills, {last} saves");
    let corrupt = std::fs::read_dir(folder.path()).unwrap().flatten();
    let corrupt = corrupt.filter(|entry| entry.file_name().to_string_lossy().contains("corrupt"));
    assert_eq!(corrupt.count(), 0, "no book was ever torn");
}
