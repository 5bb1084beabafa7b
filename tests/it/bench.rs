//! `sn1 bench`: the wire, and the real model where it was pulled.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use serde_json::Value;

use crate::harness::{Place, free_port};
use crate::real_model::models;

fn place() -> Option<Place> {
    let models = models();
    if models.is_none() {
        println!("skipped: the models are not in the cache; `sn1 models pull` gets them");
    }
    Some(Place::new().with("SN1_MODELS__DIR", models?))
}

#[test]
fn each_request_is_answered_with_a_line_and_a_wrong_one_harms_none() {
    let Some(place) = place() else { return };
    let requests = [
        r#"{"measure": "prefill", "tokens": 4}"#,
        "nonsense",
        r#"{"measure": "prefill", "tokens": 1000000}"#,
        r#"{"measure": "decode", "sequences": 2, "context": 3, "steps": 2}"#,
    ];
    place.write("requests", &requests.join("\n"));
    let line = "bench engine --serve --batch 2 --prompt-tokens 8 --threads 1";
    let ended = place.run_fed(line, "requests").expect(0);
    let answers: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 5, "{}", ended.out);
    assert_eq!((&answers[0]["engine"], &answers[0]["threads"]), (&"sn1".into(), &1.into()));
    for (answer, measured) in answers[1..].iter().zip([true, false, false, true]) {
        assert_eq!(answer["tokens_per_s"].as_f64().is_some_and(|rate| rate > 0.0), measured);
        assert_eq!(answer["error"].is_string(), !measured, "{answer}");
    }
}

#[test]
fn faithful_has_the_likeliest_token_of_f32_nearly_everywhere() {
    let Some(place) = place() else { return };
    let agreement = place.run("bench agreement --count 3 --json").json();
    assert_eq!(agreement["prompts"], 3);
    let share = |precision: &str| agreement[precision]["share"].as_f64().unwrap();
    assert!(share("faithful") >= 0.97, "{agreement}");
    assert!(share("fast") < 1.0, "{agreement}");
    assert!(agreement["faithful"]["positions"].as_u64().is_some_and(|n| n > 60), "{agreement}");
}

#[test]
fn the_stand_in_is_not_measured() {
    Place::new().run("bench engine --model fake").refused(2, &["the stand-in has no engine"]);
}

#[test]
fn the_wire_is_measured_at_both_ends() {
    let place = Place::new();
    let told = |line: &str| -> Vec<Value> {
        let out = place.run(line).expect(0).out;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let base = free_port();
    let mut stub = place.start(&format!("bench wire stub --base {base} --ports 1 --delay 0.2"));
    stub.until_printed("ready\n");
    let line = format!("bench wire dendrite --base {base} --ports 1 --rounds 2 --timeout");
    let rounds = told(&format!("{line} 10"));
    assert_eq!(rounds.len(), 2);
    for round in rounds {
        assert_eq!((&round["asked"], &round["answered"]), (&1.into(), &1.into()), "{round}");
        assert!(round["wall_s"].as_f64().is_some_and(|wall| wall >= 0.2), "{round}");
    }
    let late = &told(&format!("{line} 0.1"))[0];
    assert_eq!(late["answered"], 0, "{late}");
    assert!(late["first_failure"].as_str().is_some_and(|said| said.starts_with("408")), "{late}");
    stub.signal("TERM");
    stub.wait().expect(0);

    let port = free_port();
    let miner = |more: &str| {
        let line = format!("miner --miner.kind echo --uri //Alice --axon.ip 127.0.0.1 {more}");
        let line = format!("{line} --axon.port {port} --blacklist.allow_non_registered");
        let mut miner = place.start(&line);
        miner.until_printed("serving");
        miner
    };
    let load = format!("bench wire load --port {port} --connections 4 --requests 40");
    let running = miner("");
    let answered = &told(&load)[0];
    assert_eq!((&answered["requests"], &answered["answered"]), (&40.into(), &40.into()));
    running.signal("TERM");
    running.wait().expect(0);
    let _running = miner("--blacklist.force_validator_permit");
    let refused = &told(&load)[0];
    assert_eq!(refused["answered"], 0);
    let first = refused["first_refusal"].as_str().unwrap();
    assert!(first.starts_with("HTTP/1.1 403 "), "{first}");
}

#[test]
fn a_steps_answers_are_measured_as_reward_scorer_does_and_a_line_is_told_for_each() {
    let place = Place::new();
    let step = r#"{"reference": "It is Paris.", "challenge": "Where?", "answers": ["It is Paris.", "x", ""]}"#;
    place.write("steps", &format!("{step}\n\n{step}\n"));
    let ended = place.run_fed("bench rewards", "steps").expect(0);
    let told: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 2, "{}", ended.out);
    for told in told {
        assert!(told["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{told}");
        let totals: Vec<f64> = serde_json::from_value(told["totals"].clone()).unwrap();
        assert!((totals[0] - 1.0).abs() < 1e-6 && totals[1..] == [0.0, 0.0], "{totals:?}");
    }
    place.write("steps", &format!("{step}\n{{}}\n"));
    place.run_fed("bench rewards", "steps").refused(2, &["line 2", "reference"]);
}
