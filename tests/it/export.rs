//! `sn1 export`: what DuckDB makes of a journal's tables, where there is a Python that has it
//! (`SN1_DUCKDB_PYTHON`; `scripts/test.sh` makes one). Runs for wandb are tested with those.

use serde_json::Value;

use crate::harness::Place;

#[test]
fn what_is_to_be_made_of_which_journal_has_to_be_said() {
    let place = Place::new();
    // A step of another version of the program is not replayed, but exported.
    let step = r#"{"run_id":"r","seq":0,"schema_version":1,"time":1.5,"event":"step","uids":[1]}"#;
    place.write("j.jsonl", &format!("no journal\n{step}\n"));
    assert!(place.run("export j.jsonl").expect(2).err.contains("--parquet"));
    let same = place.run("export j.jsonl --wandb out --parquet ./out");
    same.refused(2, &["--wandb and --parquet name the same folder"]);
    place.run("export away.jsonl --wandb out").refused(4, &["away.jsonl", "no such file"]);
    let ended = place.run("export j.jsonl --wandb out --json").expect(0);
    assert!(ended.err.contains("cannot be read") && ended.err.contains("lines=1"), "{}", ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told, serde_json::json!({"wandb": {"runs": 1, "steps": 1}, "skipped": 1}));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_build_one_that_has_it() {
    let place = Place::new();
    place.write("j.jsonl", "");
    let told = ["cargo build --release --features parquet"];
    place.run("export j.jsonl --parquet out").refused(6, &told);
    assert!(!place.path("out").exists());
}

#[cfg(feature = "parquet")]
mod parquet {
    #![expect(clippy::print_stdout, reason = "what is skipped is said")]

    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use serde_json::json;

    use super::*;

    const RUN: &str = "localnet --model fake --localnet.block_time 0.2 --localnet.tempo 9 \
                       --neuron.timeout 2 --seed 7";

    fn read(place: &Place, folder: &str) -> Option<Value> {
        let python = std::env::var_os("SN1_DUCKDB_PYTHON").filter(|path| !path.is_empty());
        let Some(python) = python.map(PathBuf::from) else {
            println!("skipped: SN1_DUCKDB_PYTHON names no Python that has duckdb");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/duckdb_reader.py");
        let ended = place.start_other(&python, &[script, place.path(folder)]).wait().expect(0);
        Some(serde_json::from_str(&ended.out).unwrap())
    }

    fn of<'a>(journal: &'a [Value], event: &str) -> Vec<&'a Value> {
        journal.iter().filter(|line| line["event"] == event).collect()
    }

    fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
        value[key].as_array().map_or(&[], Vec::as_slice)
    }

    #[test]
    fn duckdb_reads_the_rows_of_a_rotated_journal_as_they_are() {
        let place = Place::new();
        let line = format!("{RUN} --steps 12 --in-flight 4 --journal j.jsonl");
        place.run(&format!("{line} --journal.max_bytes 120000")).expect(0);
        assert!(place.path("j.jsonl.1").exists());
        let files = ["j.jsonl.4", "j.jsonl.3", "j.jsonl.2", "j.jsonl.1", "j.jsonl"];
        let files = files.into_iter().filter(|name| place.path(name).exists());
        let journal: Vec<Value> = files.flat_map(|name| place.lines(name)).collect();
        assert_eq!(journal[0]["seq"], 0, "the beginning was thrown away");

        let told = place.run("export j.jsonl --parquet out --json").json();
        let tables = &told["parquet"];
        let steps = of(&journal, "step");
        let asked: usize = steps.iter().map(|step| list(step, "uids").len()).sum();
        assert_eq!((&tables["steps"], &tables["answers"]), (&json!(12), &json!(asked)), "{told}");
        place.run("export j.jsonl --parquet out").refused(4, &["out", "--force"]);
        place.run("export j.jsonl --parquet out --force").expect(0);

        let Some(read) = read(&place, "out") else { return };
        assert_eq!(read["answers"]["columns"]["reward"], "DOUBLE");
        assert_eq!(read["steps"]["columns"]["challenge"], "VARCHAR");
        same_steps(&read, &steps);
        same_answers(&read, &steps);
        same_weights(&read, &of(&journal, "weights_set"));
        let ended = of(&journal, "conversation_ended");
        assert_eq!(list(&read["conversations"], "rows").len(), ended.len());
    }

    fn same_steps(read: &Value, steps: &[&Value]) {
        let rows = list(&read["steps"], "rows");
        assert_eq!(rows.len(), steps.len());
        for (row, step) in rows.iter().zip(steps) {
            for key in ["run_id", "seq", "time", "task", "challenge", "reference", "best", "block"]
            {
                assert_eq!(row[key], step[key], "{key}");
            }
            assert_eq!((&row["step_time"], &row["organic"]), (&step["step_time"], &json!(false)));
        }
    }

    fn same_answers(read: &Value, steps: &[&Value]) {
        let mut rows = list(&read["answers"], "rows").iter();
        let mut by_uid: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for step in steps {
            let measures = step.as_object().unwrap().iter().filter(|(key, value)| {
                value.is_array() && (key.ends_with("_reward") || key.ends_with("_penalty"))
            });
            let measures: Vec<&str> = measures.map(|(key, _)| key.as_str()).collect();
            assert!(!measures.is_empty());
            let columns = [
                ("uid", "uids"),
                ("hotkey", "hotkeys"),
                ("reward", "rewards"),
                ("completion", "completions"),
                ("status_code", "status_codes"),
                ("timing", "timings"),
            ];
            let columns = columns.into_iter().chain(measures.iter().map(|key| (*key, *key)));
            let columns: Vec<_> = columns.collect();
            for (at, uid) in list(step, "uids").iter().enumerate() {
                let row = rows.next().unwrap();
                assert_eq!(row["seq"], step["seq"]);
                for (column, key) in &columns {
                    assert_eq!(row[column], step[key][at], "{column} of uid {uid}");
                }
                let (asked, earned) = by_uid.entry(uid.to_string()).or_default();
                *asked += 1;
                *earned += step["rewards"][at].as_f64().unwrap();
            }
        }
        assert!(rows.next().is_none());
        let told = read["answers by uid"].as_object().unwrap();
        assert_eq!(told.len(), by_uid.len());
        for (uid, (asked, earned)) in by_uid {
            assert_eq!(told[&uid][0], asked, "uid {uid}");
            assert!((told[&uid][1].as_f64().unwrap() - earned).abs() < 1e-9, "uid {uid}");
        }
    }

    fn same_weights(read: &Value, sets: &[&Value]) {
        let set: usize = sets.iter().map(|set| list(set, "uids").len().max(1)).sum();
        let rows = list(&read["weights"], "rows");
        assert_eq!((rows.len(), sets.is_empty()), (set, false));
        let total: u64 = rows.iter().filter_map(|row| row["weight"].as_u64()).sum();
        let sent = sets.iter().flat_map(|set| list(set, "weights")).filter_map(Value::as_u64);
        assert_eq!(total, sent.sum::<u64>());
    }
}
