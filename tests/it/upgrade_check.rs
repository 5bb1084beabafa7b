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
    let checked = place.run(&format!("upgrade-check {SN1} {FLAGS}")).expect(0).out;
    for says in ["sha256 ", "ok  score book", "ok  journal", "ok  settings", "it can take over"] {
        assert!(checked.contains(says), "{says}: {checked}");
    }
    assert!(checked.contains("chain: not known"), "{checked}");
    let miner = format!("upgrade-check {SN1} --role miner --netuid 61 --subtensor.network test");
    place.run(&miner).expect(0);
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
    let line = |path: &str| format!("upgrade-check {path} {FLAGS}");
    let read = place.run(&line(SN1)).expect(0).out;
    assert!(read.contains("ok  scores: it reads the 7 steps"), "{read}");
    let path = candidate(&place, "case $1 in state) echo '{}' ;; *) exec $sn1 \"$@\" ;; esac");
    let other = place.run(&line(path.to_str().unwrap())).expect(1).out;
    assert!(other.contains("NO  scores: it reads something else"), "{other}");
}
