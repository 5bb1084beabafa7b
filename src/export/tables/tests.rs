use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Exports lines and reads a table back, as the text of each row's values that are not null.
fn table(lines: &[Value], name: &str) -> Vec<BTreeMap<String, String>> {
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("out");
    let mut tables = Tables::begin(&target, false).unwrap();
    for line in lines {
        tables.learn(line.to_string().as_bytes());
    }
    for line in lines {
        tables.take(&object(line)).unwrap();
    }
    let rows = tables.keep().unwrap();
    let file = std::fs::File::open(target.join(format!("{name}.parquet"))).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let read: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let there = row.get_column_iter().filter(|(_, field)| **field != Field::Null);
            there.map(|(name, field)| (name.clone(), field.to_string())).collect()
        })
        .collect();
    assert_eq!(rows[name], read.len() as u64);
    read
}

fn head(event: &str, more: Value) -> Value {
    let mut line = json!({
        "run_id": "r", "seq": 3, "schema_version": 1, "time": 1.5, "event": event,
    });
    line.as_object_mut().unwrap().extend(object(&more));
    line
}

#[test]
fn an_answer_has_its_own_of_every_list_and_of_measures_that_other_tasks_lack() {
    let lines = [
        head(
            "step",
            json!({
                "conversation": 1, "turn": 0, "task": "qa", "uids": [4, 9], "rewards": [0.25, 1],
                "completions": ["So.", null], "rouge_1_raw_reward": [0.5, 0.0], "copy_of": [null, 4],
                "all_chunks_timings": [[0.1, 0.2], []], "history": [{"role": "user"}],
            }),
        ),
        head(
            "step",
            json!({
                "conversation": 2, "task": "math", "uids": [4], "rewards": [0.75], "organic": true,
                "exact_reward": [1.0], "exact_reward_timings": [0.01], "reward_timings": [0.02],
                "exact_reward_batch_time": 0.01, "Bad name_reward": [1.0],
            }),
        ),
    ];
    let answers = table(&lines, "answers");
    let cell = |row: usize, name: &str| answers[row].get(name).map(String::as_str);
    assert_eq!(answers.len(), 3);
    assert_eq!([cell(0, "uid"), cell(1, "uid"), cell(2, "uid")], [Some("4"), Some("9"), Some("4")]);
    assert_eq!((cell(0, "reward"), cell(1, "reward")), (Some("0.25"), Some("1.0")));
    assert_eq!((cell(0, "completion"), cell(1, "completion")), (Some("\"So.\""), None));
    assert_eq!(
        (cell(0, "chunks"), cell(1, "chunks"), cell(2, "chunks")),
        (Some("2"), Some("0"), None)
    );
    assert_eq!((cell(0, "copy_of"), cell(1, "copy_of")), (None, Some("4")));
    assert_eq!((cell(0, "rouge_1_raw_reward"), cell(2, "rouge_1_raw_reward")), (Some("0.5"), None));
    assert_eq!((cell(0, "exact_reward"), cell(2, "exact_reward")), (None, Some("1.0")));
    assert_eq!(
        (cell(2, "exact_reward_timings"), cell(2, "reward_timing")),
        (Some("0.01"), Some("0.02"))
    );
    assert_eq!((cell(0, "organic"), cell(2, "organic")), (Some("false"), Some("true")));
    let steps = table(&lines, "steps");
    assert_eq!((steps[0]["asked"].as_str(), steps[1]["asked"].as_str()), ("2", "1"));
    assert_eq!(steps[0]["history"], "\"[{\"role\":\"user\"}]\"");
    assert!(!steps[0].contains_key("block") && steps[0]["seq"] == "3");
}

#[test]
fn weights_are_a_row_a_uid_and_failures_are_rows_too() {
    let lines = [
        head(
            "weights_set",
            json!({"block": 7, "uids": [1, 2], "weights": [300, 100], "error": null}),
        ),
        head("weights_set", json!({"block": null, "uids": [], "weights": [], "error": "away"})),
        head(
            "actor_crashed",
            json!({
                "actor": "dendrite", "cause": "x", "restarting_in": {"secs": 1, "nanos": 500_000_000},
            }),
        ),
        head("actor_crashed", json!({"actor": "dendrite", "cause": "y", "restarting_in": null})),
        head(
            "conversation_ended",
            json!({
                "conversation": 3, "seconds": 2.5, "reason": "no_text", "cause": "z",
            }),
        ),
        head("an_event_of_the_future", json!({})),
    ];
    let weights = table(&lines, "weights");
    assert_eq!((weights[0]["share"].as_str(), weights[1]["share"].as_str()), ("0.75", "0.25"));
    assert_eq!((weights[0]["block"].as_str(), weights.len()), ("7", 3));
    assert!(weights[2]["error"].contains("away") && !weights[2].contains_key("uid"));
    let crashes = table(&lines, "crashes");
    assert_eq!((crashes[0]["restarting_in"].as_str(), crashes.len()), ("1.5", 2));
    assert!(!crashes[1].contains_key("restarting_in"));
    assert_eq!(table(&lines, "conversations")[0]["seconds"], "2.5");
    assert!(table(&lines, "steps").is_empty());
}

#[test]
fn more_than_a_group_is_written_and_read_back() {
    let step = head(
        "step",
        json!({
            "uids": vec![1; 64], "completions": vec!["x".repeat(65_536); 64], "rewards": vec![0.5; 64],
        }),
    );
    let lines = vec![step; 10];
    let answers = table(&lines, "answers");
    assert_eq!(answers.len(), 640);
    assert!(answers.iter().all(|answer| answer["completion"].len() == 65_538));
}
