//! `sn1 localnet`: the whole loop in one process.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Place, free_port};

/// Blocks are short so that no test waits long for the chain's rate limit on weights.
const RUN: &str = "localnet --model fake --localnet.block_time 0.2";

fn steps(journal: &[Value]) -> Vec<&Value> {
    journal.iter().filter(|line| line["event"] == "step").collect()
}

#[test]
fn scores_its_miners_and_says_how_it_went() {
    let place = Place::new();
    let ended = place
        .run(&format!(
            "{RUN} --steps 3 --seed 7 --neuron.timeout 3 --summary s.json --journal j.jsonl"
        ))
        .expect(0);

    let summary = place.json("s.json");
    assert_eq!(summary["steps"], 3);
    assert!(summary["wall_s"].as_f64().unwrap() > 0.0, "{summary}");
    assert!((1..=4).contains(&summary["peak_in_flight"].as_u64().unwrap()), "{summary}");
    assert_eq!(summary["restarts"], json!({}));
    let peaks = summary["mailbox_peak"].as_object().unwrap();
    assert!(!peaks.is_empty() && peaks.values().all(Value::is_u64), "{summary}");

    let miners = summary["miners"].as_array().unwrap();
    let kinds: Vec<_> = miners.iter().map(|miner| miner["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["agent", "model", "copier", "echo", "phrase", "slow", "dead"]);
    let total: f64 = miners.iter().map(|miner| miner["weight"].as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-9, "the weights sum to {total}");
    for miner in miners {
        let hotkey = miner["hotkey"].as_str().unwrap();
        assert!((0.0..=1.0).contains(&miner["score"].as_f64().unwrap()), "{miner}");
        assert!(miner["uid"].is_u64() && hotkey.starts_with('5'), "{miner}");
        let answered = miner["answered"].as_u64().unwrap();
        match miner["kind"].as_str().unwrap() {
            "dead" => assert_eq!((answered, &miner["weight"]), (0, &json!(0.0))),
            "echo" | "phrase" => assert!((1..=3).contains(&answered), "{miner}"),
            _ => assert!(answered <= 3, "{miner}"),
        }
        assert!(ended.out.contains(hotkey), "no weight is printed for {hotkey}:\n{}", ended.out);
    }

    let journal = place.lines("j.jsonl");
    let seqs: Vec<_> = journal.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..journal.len() as u64).collect::<Vec<_>>());
    for line in &journal {
        assert_eq!(line["run_id"], journal[0]["run_id"]);
        assert_eq!(line["schema_version"], 1);
    }
    assert_eq!((&journal[0]["event"], &journal[0]["seed"]), (&json!("run_started"), &json!(7)));
    assert_eq!(journal.last().unwrap()["event"], "run_finished");
    let steps = steps(&journal);
    assert_eq!(steps.len(), 3);
    for step in steps {
        step_has_the_fields_of_the_original(step);
    }
}

fn step_has_the_fields_of_the_original(step: &Value) {
    for text in [
        "task",
        "desc",
        "goal",
        "query",
        "reference",
        "topic",
        "subtopic",
        "challenge",
        "profile",
        "mood",
        "tone",
        "system_prompt",
        "best",
    ] {
        assert!(step[text].is_string(), "{text} in {step}");
    }
    for number in [
        "block",
        "step_time",
        "forward_time",
        "query_time",
        "reference_time",
        "context_time",
        "challenge_time",
    ] {
        assert!(step[number].is_number(), "{number} in {step}");
    }
    // Everyone who was asked has an entry in every list, the silent as well.
    for list in
        ["uids", "hotkeys", "completions", "timings", "status_codes", "status_messages", "rewards"]
    {
        assert_eq!(step[list].as_array().map(Vec::len), Some(7), "{list} in {step}");
    }
    let fields = step.as_object().unwrap();
    assert!(fields.keys().any(|key| key.ends_with("_raw_reward")), "{step}");
}

#[test]
fn one_seed_gives_the_same_conversations_however_many_are_in_flight() {
    let place = Place::new();
    let told = |in_flight: u32| {
        let journal = format!("{in_flight}.jsonl");
        place
            .run(&format!(
                "{RUN} --steps 6 --seed 11 --persona.max_turns 1 --in-flight {in_flight} --journal {journal} \
                 --localnet.miners echo,phrase --summary {in_flight}.json"
            ))
            .expect(0);
        assert_eq!(place.json(&format!("{in_flight}.json"))["peak_in_flight"], in_flight);
        let journal = place.lines(&journal);
        let conversation = |step: &Value| {
            let keys = [
                "task",
                "context_source",
                "topic",
                "subtopic",
                "query",
                "reference",
                "challenge",
                "profile",
                "mood",
                "tone",
                "system_prompt",
            ];
            (step["conversation"].as_u64().unwrap(), keys.map(|key| step[key].clone()))
        };
        steps(&journal).into_iter().map(conversation).collect::<BTreeMap<_, _>>()
    };
    let (one, six) = (told(1), told(6));
    assert_eq!(one.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(one, six);
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let place = Place::new();
    let start = |name: &str| {
        place.start(&format!(
            "{RUN} --steps 2 --seed 7 --localnet.miners echo,phrase,model --summary {name}.json"
        ))
    };
    let (one, other) = (start("one"), start("other"));
    let (one, other) = (one.wait().expect(0), other.wait().expect(0));
    assert_eq!(
        (&place.json("one.json")["steps"], &place.json("other.json")["steps"]),
        (&json!(2), &json!(2))
    );
    let place_of = |out: &str, what: &str| {
        out.lines().find_map(|line| line.strip_prefix(what)).unwrap().trim().to_owned()
    };
    for what in ["journal ", "scores "] {
        assert_ne!(place_of(&one.out, what), place_of(&other.out, what));
    }
}

#[test]
fn leaves_a_score_book_that_weights_show_reads() {
    let place = Place::new();
    let ended = place.run(&format!("{RUN} --steps 4 --seed 7 --localnet.miners echo,phrase,model"));
    let ended = ended.expect(0);
    let book = ended.out.lines().find_map(|line| line.strip_prefix("scores ")).unwrap().trim();
    let shown = place.run_with("weights show --json", &["--book", book]).json();
    assert_eq!(shown["steps"], 4);
    let miners = shown["miners"].as_array().unwrap();
    assert_eq!(miners.len(), 3, "{shown}");
    let weights: Vec<_> = miners.iter().map(|miner| miner["weight"].as_u64().unwrap()).collect();
    assert_eq!(weights.iter().max(), Some(&65_535), "{shown}");
    assert!(place.run_with("weights show", &["--book", book]).expect(0).out.starts_with("4 steps"));
}

#[test]
fn admits_a_miner_of_another_process() {
    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let place = Place::new();
    let port = free_port();
    let mut miner = place.start(&format!(
        "miner --miner.kind echo --uri //Alice --axon.ip 127.0.0.1 --axon.port {port} \
         --blacklist.allow_non_registered"
    ));
    miner.until_printed("serving");
    let ended = place
        .run(&format!(
            "{RUN} --steps 3 --seed 7 --neuron.timeout 3 --localnet.miners phrase,dead \
             --external-miner localhost:{port}={ALICE} --summary s.json --journal j.jsonl"
        ))
        .expect(0);
    assert!(ended.out.contains("3:external"), "{}", ended.out);
    let summary = place.json("s.json");
    let miners = summary["miners"].as_array().unwrap();
    let kinds: Vec<_> = miners.iter().map(|miner| miner["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["phrase", "dead", "external"]);
    let external = &miners[2];
    assert_eq!((&external["hotkey"], &external["answered"]), (&json!(ALICE), &json!(3)));
    assert!(external["score"].as_f64().unwrap() > 0.0, "{external}");
    assert!(external["weight"].as_f64().unwrap() > 0.0, "{external}");
    let row = ended.out.lines().find(|line| line.starts_with("external")).unwrap();
    assert!(row.ends_with(ALICE), "{row}");
    let journal = place.lines("j.jsonl");
    for step in steps(&journal) {
        let at = step["hotkeys"].as_array().unwrap().iter().position(|key| key == ALICE).unwrap();
        assert_eq!(step["completions"][at], step["challenge"], "it echoes");
    }
}
