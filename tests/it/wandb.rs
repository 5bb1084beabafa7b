//! Runs for Weights & Biases: what the official package makes of them, where there is a Python that
//! has it (`SN1_WANDB_PYTHON`; `scripts/test.sh` makes one), and that they are in nobody's way.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::harness::Place;

const RUN: &str = "localnet --model fake --localnet.block_time 0.2 --neuron.timeout 2 --seed 7";

/// What the official package says of a folder of runs; none where there is no such package.
fn read(place: &Place, folder: &str) -> Option<Value> {
    let python = std::env::var_os("SN1_WANDB_PYTHON").filter(|path| !path.is_empty());
    let Some(python) = python.map(PathBuf::from) else {
        println!("skipped: SN1_WANDB_PYTHON names no Python that has wandb");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/wandb_reader.py");
    let ended = place.start_other(&python, &[script, place.path(folder)]).wait().expect(0);
    Some(serde_json::from_str(&ended.out).unwrap())
}

/// The journal's scored steps with nothing but the fields of the event.
fn steps(place: &Place, journal: &str) -> Vec<Map<String, Value>> {
    let lines = place.lines(journal).into_iter().filter(|line| line["event"] == "step");
    let fields = lines.map(|line| {
        let mut fields = line.as_object().unwrap().clone();
        for key in ["run_id", "seq", "schema_version", "time", "event"] {
            fields.remove(key).unwrap();
        }
        fields
    });
    fields.collect()
}

/// A row of history without what every row has; its number is given back.
fn row(of_history: &Value) -> (u64, Map<String, Value>) {
    let mut row = of_history.as_object().unwrap().clone();
    let time = row.remove("_timestamp").unwrap().as_f64().unwrap();
    let since = row.remove("_runtime").unwrap().as_f64().unwrap();
    assert!(time > 1e9 && (0.0..600.0).contains(&since), "{time} {since}");
    (row.remove("_step").unwrap().as_u64().unwrap(), row)
}

/// The package writes whole numbers without a point.
fn as_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(list) => list.iter().map(as_numbers).collect(),
        other => other.clone(),
    }
}

/// Compares what was read of the only run of a folder with the journal.
fn same(read: &Value, steps: &[Map<String, Value>]) {
    assert_eq!(read["synced"]["code"], 0, "{}", read["synced"]);
    let only = |of: &str| {
        let runs = read[of].as_object().unwrap();
        assert_eq!(runs.len(), 1, "{of}: {:?}", runs.keys());
        runs.values().next().unwrap().clone()
    };
    let (records, sent) = (only("records"), only("sent"));
    let records = records.as_array().unwrap();
    let kinds: Vec<&str> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[1], kinds[kinds.len() - 1]), ("header", "run", "exit"));
    let recorded = records.iter().filter(|record| record["type"] == "history");
    let recorded: Vec<_> = recorded.map(|record| row(&record["history"]["item"])).collect();
    let sent_rows: Vec<_> = sent["history"].as_array().unwrap().iter().map(row).collect();
    for (what, rows) in [("reads", recorded), ("sends", sent_rows)] {
        let numbers: Vec<u64> = rows.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..steps.len() as u64).collect::<Vec<_>>(), "what the package {what}");
        for ((number, row), step) in rows.into_iter().zip(steps) {
            assert!(row.keys().eq(step.keys()), "{what} {number}: {:?}", row.keys());
            for (key, value) in row {
                assert_eq!(as_numbers(&value), as_numbers(&step[&key]), "{what} {key} of {number}");
            }
        }
    }
    assert_eq!(
        (&sent["exit"], &sent["run"]["groupName"]),
        (&json!(0), &records[1]["run"]["run_group"])
    );
    let last = steps.last().unwrap();
    for key in ["task", "step_time", "best_uid"] {
        assert_eq!(sent["summary"][key], last[key], "{key}");
    }
    assert_eq!(sent["summary"]["_step"], steps.len() - 1);
}

#[test]
fn the_official_package_reads_and_sends_every_field_of_every_step() {
    let place = Place::new();
    let more =
        ["--wandb.notes", "a first try", "--wandb.project_name", "mine", "--wandb.entity", "me"];
    let line = format!("{RUN} --steps 20 --in-flight 4 --journal j.jsonl --wandb.offline");
    let ended = place.run_with(&line, &more).expect(0);
    assert!(ended.out.contains("wandb   wandb (`wandb sync` sends it)"), "{}", ended.out);
    let steps = steps(&place, "j.jsonl");
    assert_eq!(steps.len(), 20);
    exported_again_it_is_the_same(&place, &steps);
    let Some(read) = read(&place, "wandb") else { return };
    same(&read, &steps);
    let sent = read["sent"].as_object().unwrap().values().next().unwrap();
    let run = &sent["run"];
    assert_eq!(
        (&run["project"], &run["entity"], &run["notes"]),
        (&json!("mine"), &json!("me"), &json!("a first try"))
    );
    let tags = run["tags"].as_array().unwrap();
    assert!(tags.contains(&json!("netuid_1")) && tags.contains(&json!("qa")), "{tags:?}");
    let config = &sent["config"];
    assert_eq!(config["neuron"]["timeout"], 2);
    assert!(config["seed"].is_null(), "{config}");
    assert!(config["rules"].is_object() && config["version"].is_string(), "{config}");
}

fn exported_again_it_is_the_same(place: &Place, steps: &[Map<String, Value>]) {
    place.run("export j.jsonl --wandb exported").expect(0);
    place.run("export j.jsonl --wandb exported").refused(4, &["exported", "--force"]);
    place.run("export j.jsonl --wandb exported --force").expect(0);
    if let Some(read) = read(place, "exported") {
        same(&read, steps);
    }
}

#[test]
fn nothing_is_written_unless_it_is_asked_for() {
    let place = Place::new();
    for (journal, flags) in [("a/j.jsonl", ""), ("b/j.jsonl", "--wandb.offline --wandb.off")] {
        place.run(&format!("{RUN} --steps 1 --journal {journal} {flags}")).expect(0);
        assert!(!place.path(journal).with_file_name("wandb").exists(), "{flags}");
    }
    let online = place.run(&format!("{RUN} --steps 1 --wandb.online")).expect(6).err;
    assert!(online.contains("wandb.online") && online.contains("`wandb sync DIR`"), "{online}");
}

#[test]
fn a_folder_that_cannot_be_written_is_warned_of_once_and_costs_no_step() {
    let place = Place::new();
    place.write("file", "no folder");
    let line = format!("{RUN} --steps 5 --journal j.jsonl --wandb.offline --wandb.dir file/runs");
    let ended = place.run(&line).expect(0);
    assert_eq!(steps(&place, "j.jsonl").len(), 5);
    assert_eq!(ended.err.matches("wandb runs cannot be written").count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("scoring goes on") && ended.err.contains("missed=5"),
        "{}",
        ended.err
    );
}
