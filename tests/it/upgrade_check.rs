//! `sn1 upgrade-check`: what it says of a program that is to take over.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::harness::Place;

const SN1: &str = env!("CARGO_BIN_EXE_sn1");
const FLAGS: &str =
    "--netuid 61 --subtensor.chain_endpoint ws://127.0.0.1:1 --tools.contact a@b.org";

/// A program that says what a script of the shell says; `sn1` is this one.
fn candidate(place: &Place, script: &str) -> PathBuf {
    let path = place.write("candidate", &format!("#!/bin/sh\nsn1={SN1}\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn this_very_program_can_take_over() {
    let place = Place::new();
    place.run("wallet new hotkey").expect(0);
    let line = format!("upgrade-check {SN1} --offline {FLAGS} --wandb.notes=-dashed");
    let checked = place.run(&line).expect(0).out;
    let no_scores = "ok  scores: there are none yet";
    for says in ["sha256 ", "ok  score book", "ok  journal", "ok  settings", no_scores] {
        assert!(checked.contains(says), "{says}: {checked}");
    }
    assert!(checked.contains("it can take over") && !checked.contains("chain"), "{checked}");
    let miner = format!("upgrade-check {SN1} --role miner --netuid 61 --subtensor.network test");
    place.run(&miner).expect(0);
}

#[test]
fn what_could_not_be_looked_at_is_no_yes() {
    let place = Place::new();
    let line = |more: &str| format!("upgrade-check {SN1} {FLAGS} {more}");
    let unknown = |more: &str, says: &str| {
        let ended = place.run(&line(more)).expect(1);
        assert!(ended.out.contains(says) && !ended.out.contains("NO"), "{says}: {}", ended.out);
        assert!(ended.err.contains("is not known"), "{}", ended.err);
    };
    unknown("--offline", "??  scores: not looked for, as there is no hotkey");
    place.run("wallet new hotkey").expect(0);
    unknown("", "??  chain: not known");
    place.write("file", "");
    // As of a folder that this user may not look into, which nothing keeps root out of.
    unknown("--offline --logging.logging_dir file", "??  scores: ");
}

#[test]
fn a_bare_name_is_the_file_of_this_folder_and_no_program_of_path() {
    let place = Place::new();
    std::fs::rename(candidate(&place, "echo sn1 9.0.0-here"), place.path("true")).unwrap();
    let ended = place.run(&format!("upgrade-check true {FLAGS}")).expect(1);
    assert!(ended.out.contains("9.0.0-here"), "{}", ended.out);
}

#[test]
fn another_hash_is_not_run_and_another_program_is_named() {
    let place = Place::new();
    let path = candidate(&place, "touch was_run; echo sn1 9");
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let line = format!("upgrade-check {} {FLAGS}", path.display());
    let refused = place.run(&format!("{line} --sha256 {hash}")).expect(1);
    assert!(refused.err.contains("it is not run") && !place.path("was_run").exists());
    let path = candidate(&place, "echo something 1.0");
    let other = place.run(&format!("upgrade-check {} {FLAGS}", path.display())).expect(1);
    assert!(other.err.contains("is no sn1"), "{}", other.err);
    place.run(&format!("upgrade-check {}/none {FLAGS}", path.display())).refused(4, &["none"]);
}

#[test]
fn a_program_that_lacks_a_setting_or_a_schema_cannot_take_over() {
    let place = Place::new();
    let older = r#"case $1 in
        --version) printf 'sn1 0.0.1\nscore book 1\n' ;;
        config) test "$2" = show && exec $sn1 "$@"; echo 'unknown key' >&2; exit 2 ;;
        *) exec $sn1 "$@" ;;
        esac"#;
    let path = candidate(&place, older);
    let ended = place.run(&format!("upgrade-check {} {FLAGS}", path.display())).expect(1);
    for says in ["NO  score book: it reads schema 1", "NO  journal: it does not say", "unknown key"]
    {
        assert!(ended.out.contains(says), "{says}: {}", ended.out);
    }
    assert!(ended.err.contains("3 times NO"), "{}", ended.err);
}

#[test]
fn the_scores_of_the_validator_are_read_by_the_program_that_takes_over() {
    let place = Place::new();
    place.run("wallet new hotkey").expect(0);
    let hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let state = format!(
        r#"{{"kind": "sn1 state", "schema": 1, "steps": 7, "scores": {{"{hotkey}": 0.5}}}}"#
    );
    place.write("state.json", &state);
    place.run("state import state.json --netuid 61").expect(0);
    let line = |path: &str| format!("upgrade-check {path} --offline {FLAGS}");
    let read = place.run(&line(SN1)).expect(0).out;
    assert!(read.contains("ok  scores: it reads the 7 steps"), "{read}");
    // A running validator saves a step while the new program looks.
    place.write("next.json", &state.replace("\"steps\": 7", "\"steps\": 8"));
    let import = "$sn1 state import next.json --netuid 61 --replace >&2";
    let during = format!("case $1 in state) {import} || exit 9 ;; esac; exec $sn1 \"$@\"");
    let path = candidate(&place, &during);
    let read = place.run(&line(path.to_str().unwrap())).expect(0).out;
    assert!(read.contains("ok  scores: it reads the 8 steps"), "{read}");
    let path = candidate(&place, "case $1 in state) echo '{}' ;; *) exec $sn1 \"$@\" ;; esac");
    let other = place.run(&line(path.to_str().unwrap())).expect(1).out;
    assert!(other.contains("NO  scores: it reads something else"), "{other}");
}
