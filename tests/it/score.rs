//! `sn1 score`: answers in, scores out.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use crate::harness::{Ended, Place};

const FAKE: &str = "score --model fake";

fn scored(ended: &Ended) -> Vec<Value> {
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Scores these lines.
fn score(line: &str, asked: &[Value]) -> Vec<Value> {
    let place = Place::new();
    let text: String = asked.iter().map(|asked| format!("{asked}\n")).collect();
    place.write("asked", &text);
    scored(&place.run_fed(line, "asked").expect(0))
}

fn close(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() < 1e-6)
}

#[test]
fn every_part_of_a_score_is_told() {
    let asked = json!({
        "task": "qa", "reference": "The tea is hot", "challenge": "Is the tea hot",
        "completion": "The tea is cold",
    });
    let scored = score(FAKE, &[asked]).remove(0);
    let keys: Vec<_> = scored.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["parts", "penalties", "rewards", "total"], "{scored}");
    for kind in ["rewards", "penalties"] {
        let all = scored[kind].as_object().unwrap();
        assert!(!all.is_empty() && all.values().all(Value::is_f64), "{scored}");
    }
    assert!((0.0..=1.0).contains(&scored["total"].as_f64().unwrap()), "{scored}");
    // Three of four words and two of three pairs are the same.
    for (part, shared) in [("rouge_1", 0.75), ("rouge_2", 2.0 / 3.0), ("rouge_l", 0.75)] {
        let part = &scored["parts"][part];
        let values = ["p", "r", "f"].map(|value| close(&part[value], shared));
        assert_eq!(values, [true; 3], "{part}");
    }
    assert!(scored["parts"]["ratio"].is_f64(), "{scored}");
}

#[test]
fn a_right_number_scores_all_there_is_and_a_wrong_one_nothing() {
    let asked = ["It is 12.", "It is 90."]
        .map(|text| json!({"task": "math", "reference": "12", "completion": text}));
    let scored = score(FAKE, &asked);
    assert_eq!((&scored[0]["total"], &scored[1]["total"]), (&json!(1.0), &json!(0.0)));
}

#[test]
fn answers_come_in_the_order_of_their_lines() {
    let asked = |n: u32| {
        let kind = if n.is_multiple_of(3) { "qa" } else { "math" };
        let completion = if n.is_multiple_of(2) { n.to_string() } else { "none".to_owned() };
        json!({"task": kind, "reference": n.to_string(), "completion": completion})
    };
    let asked: Vec<Value> = (1..=150).map(asked).collect();
    let scored = score(FAKE, &asked);
    assert_eq!(scored.len(), 150);
    for (asked, scored) in asked.iter().zip(&scored) {
        let right = asked["reference"] == asked["completion"];
        assert_eq!(scored["parts"]["rouge_1"]["r"], if right { 1.0 } else { 0.0 }, "{asked}");
        let kind = if asked["task"] == "qa" { "rouge_1" } else { "float_diff" };
        assert!(scored["rewards"][kind].is_f64(), "{asked} {scored}");
    }
}

#[test]
fn of_several_references_the_best_counts() {
    let of = |reference: Value| {
        let asked = json!({"task": "math", "reference": reference, "completion": "7"});
        score(FAKE, &[asked]).remove(0)
    };
    let (both, wrong) = (of(json!(["90", "7"])), of(json!("90")));
    assert!(wrong["total"].as_f64().unwrap() < 0.5, "{wrong}");
    assert_eq!(both["total"], 1.0);
    assert!(close(&both["parts"]["rouge_1"]["f"], 1.0), "{both}");
    assert_eq!(of(json!(["90", "7"])), of(json!(["7", "90"])));
}

#[test]
fn without_the_embedding_the_rest_counts_for_all_and_no_model_is_needed() {
    let text = "A reference that is said again word for word.";
    let asked = json!({"task": "qa", "reference": text, "completion": text});
    // The real models are configured, and there can be none.
    let place = Place::new().with("SN1_MODELS__DIR", "/dev/null/models");
    place.write("asked", &asked.to_string());
    place.run_fed("score", "asked").expect(4);
    let scored = scored(&place.run_fed("score --no-embed", "asked").expect(0)).remove(0);
    let names: BTreeSet<_> = scored["rewards"].as_object().unwrap().keys().collect();
    assert!(!names.is_empty() && names.iter().all(|name| *name != "relevance"), "{scored}");
    assert_eq!(scored["embedded"], false);
    assert!(close(&scored["total"], 1.0), "{scored}");
    let whole = score(FAKE, &[asked]).remove(0);
    assert!(whole["rewards"]["relevance"].is_f64() && whole["embedded"].is_null(), "{whole}");
    let asked = json!({"task": "math", "reference": "7", "completion": "7"});
    let scored = score("score --no-embed", &[asked]).remove(0);
    assert!(scored["embedded"].is_null(), "nothing is left out: {scored}");
}

#[test]
fn a_wrong_line_ends_it_after_those_before_it() {
    let good = r#"{"task": "math", "reference": "7", "completion": "7"}"#;
    for (bad, named) in [
        ("{\"task\": \"math\"", "no JSON object"),
        (r#"{"task": "math", "reference": "7"}"#, "missing field `completion`"),
        (r#"{"task": "maths", "reference": "7", "completion": "7"}"#, "`maths`"),
        (r#"{"task": "math", "reference": "7", "completion": "7", "kind": 1}"#, "`kind`"),
    ] {
        let place = Place::new();
        place.write("asked", &format!("{good}\n\n{good}\n{bad}\n{good}\n"));
        let ended = place.run_fed(FAKE, "asked");
        assert_eq!(ended.out.lines().count(), 2, "{}", ended.out);
        ended.refused(2, &["line 4: ", named, "sn1 score --help"]);
    }
}

#[test]
fn nothing_in_is_nothing_out() {
    let place = Place::new();
    place.write("asked", "\n");
    let ended = place.run_fed("score", "asked").expect(0);
    assert_eq!((ended.out, ended.err), (String::new(), String::new()));
}

#[test]
fn a_line_is_answered_while_the_next_is_not_there_yet_and_a_signal_ends_the_wait() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_sn1");
    let mut running = place.start_other(program.as_ref(), &["score", "--no-embed"]);
    for (completion, total) in [("7", "1.0"), ("none", "0.0")] {
        let asked = json!({"task": "math", "reference": "7", "completion": completion});
        writeln!(running.input(), "{asked}").unwrap();
        running.until_printed(&format!("\"total\":{total}"));
    }
    running.signal("INT");
    let ended = running.wait();
    assert_eq!((ended.code, ended.out.lines().count()), (Some(130), 2), "{}", ended.err);
}
