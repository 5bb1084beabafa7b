//! `sn1 state`: a state that moves from machine to machine, and the original's `state.pt`.

use std::path::PathBuf;

use serde_json::json;

use crate::harness::Place;

/// Made by torch (`scripts/oracles/torch_state.py`).
const STATE_PT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/state/state.pt");
const HOTKEY: &str = "5AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4";

fn book(place: &Place, name: &str) -> PathBuf {
    place.path(&format!("{name}/scores.json"))
}

#[test]
fn a_state_pt_goes_in_and_comes_out_the_same_on_another_machine() {
    let place = Place::new();
    let (here, there) = (book(&place, "here"), book(&place, "there"));
    let (here, there) = (here.to_str().unwrap(), there.to_str().unwrap());
    let told = place.run_with("state import", &[STATE_PT, "--book", here]).expect(0).out;
    assert!(told.starts_with("812 steps and the scores of 8 hotkeys are now in"), "{told}");
    let first = place.run_with("state show --json", &["--book", here]).json();
    assert_eq!((&first["steps"], &first["imported"]), (&json!(812), &json!(true)));
    assert!((first["scores"][HOTKEY].as_f64().unwrap() - 0.05).abs() < 1e-8, "{first}");

    place.run_with("state export --out state.json", &["--book", here]).expect(0);
    place.run_with("state import state.json", &["--book", there]).expect(0);
    let second = place.run_with("state show --json", &["--book", there]).json();
    for part in ["steps", "scores", "weights_set", "imported"] {
        assert_eq!(first[part], second[part], "{part}");
    }
    let shown = place.run_with("state show", &["--book", there]).expect(0).out;
    let row = format!("{HOTKEY}  0.0500");
    assert!(shown.contains("steps    812, imported\nweights  never\n"), "{shown}");
    assert_eq!(shown.lines().nth(3), Some(row.as_str()), "the best comes first");
    let weights = place.run_with("weights show", &["--book", there]).expect(0).out;
    assert!(weights.contains(&format!("{row}  65535")), "{weights}");
}

#[test]
fn what_is_there_is_replaced_only_when_told_and_then_kept_as_previous() {
    let place = Place::new();
    let path = book(&place, "here");
    let path = path.to_str().unwrap();
    place.run_with("state import", &[STATE_PT, "--book", path]).expect(0);
    let again = place.run_with("state import", &[STATE_PT, "--book", path]);
    again.refused(2, &["812 steps", "--replace"]);
    place.run_with("state import --replace", &[STATE_PT, "--book", path]).expect(0);
    place.run_with("state export", &["--book", path, "--out", path]).refused(4, &["exists"]);
    std::fs::write(path, "nonsense").unwrap();
    let shown = place.run_with("state show --json", &["--book", path]);
    assert!(shown.err.contains("this is the previous one"), "{}", shown.err);
    assert_eq!(shown.json()["steps"], 812);
}

#[test]
fn says_what_is_wrong_with_a_file_that_is_no_state() {
    let place = Place::new();
    let path = book(&place, "here");
    let path = path.to_str().unwrap();
    place.write("other.json", "{\"kind\": \"sn1 score book\", \"schema\": 2}");
    let import = |file: &str| place.run_with("state import", &[file, "--book", path]);
    import("other.json").refused(4, &["other.json", "its kind is not"]);
    import("missing.pt").refused(4, &["missing.pt"]);
    place.write("half.pt", "PK\u{3}\u{4} and then nothing");
    import("half.pt").refused(4, &["half.pt", "no state.pt"]);
    place.run_with("state show", &["--book", path]).refused(4, &["there are no scores at"]);
    place.run("state show").refused(2, &["netuid", "there is no default"]);
    place.run("state show --netuid 1").refused(4, &["hotkey"]);
}
