//! The commands that run one actor, on the stand-in model, and those that only look.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};

use serde_json::{Value, json};

use crate::harness::Place;

#[test]
fn config_show_tells_where_each_value_comes_from() {
    let place = Place::new().with("SN1_NEURON__TIMEOUT", "5").with("SN1_NEURON__TOP_K", "7");
    let file = place.write("more.toml", "[neuron]\nsample_size = 3\ntop_k = 9\n");
    let file = file.to_str().unwrap();
    let line = "config show --json --role localnet --steps 3";
    let shown = place.run_with(line, &["--config", file]).json();
    for (key, value, layer, source) in [
        ("neuron.timeout", json!(5.0), "environment", json!("SN1_NEURON__TIMEOUT")),
        ("neuron.top_k", json!(7), "environment", json!("SN1_NEURON__TOP_K")),
        ("neuron.sample_size", json!(3), "file", json!(file)),
        ("run.steps", json!(3), "flag", json!("--run.steps")),
        ("neuron.model_id", json!("smollm2-135m-instruct"), "default", Value::Null),
    ] {
        assert_eq!(shown[key], json!({"value": value, "layer": layer, "source": source}), "{key}");
    }
    let table = place.run(&line.replace("--json", "")).expect(0).out;
    let row = table.lines().find(|line| line.starts_with("neuron.timeout")).unwrap();
    assert!(row.ends_with("environment SN1_NEURON__TIMEOUT"), "{row}");
}

#[test]
fn a_named_source_is_asked_for_what_it_has() {
    let place = Place::new();
    assert_eq!(place.run("fetch maths --json").json()["source"], "maths");
    let flags = ["--title", "Coral reef"];
    let article = place.run_with("fetch builtin", &flags).expect(0).out;
    assert!(article.starts_with("Coral reef (") && article.contains("from builtin"), "{article}");
    let folder = env!("CARGO_MANIFEST_DIR");
    let code = place.run(&format!("fetch code --tools.code_folder {folder}/src --json")).json();
    assert_eq!((&code["source"], &code["body"]["kind"]), (&"code".into(), &"code".into()));
}

#[test]
fn a_source_that_brings_nothing_is_named_with_what_to_do() {
    let place = Place::new();
    place.run("fetch builtin --kind maths").refused(2, &["builtin", "the kind maths: ask maths"]);
    place.run("fetch wikipedia").refused(2, &["wikipedia", "tools.contact"]);
    place.run("fetch zim").refused(2, &["zim", "tools.zim_files"]);
    let nobody = "--tools.wikipedia_api http://127.0.0.1:1/w/api.php --tools.tries 1";
    place.run(&format!("fetch wikipedia {nobody}")).refused(1, &["wikipedia: "]);
    let unknown = place.run_with("fetch builtin", &["--title", "Nothing like that"]);
    unknown.refused(1, &["builtin: it knows of nothing like that"]);
}

#[test]
fn what_a_source_wrote_cannot_move_the_cursor() {
    let place = Place::new();
    let source = "fn main() {\n    // \u{202e}owned\n}\n".repeat(5);
    let file = place.write("main.rs", &source);
    let folder = file.parent().unwrap().to_str().unwrap();
    let shown = place.run_with("fetch code --tools.code_folder", &[folder]).expect(0).out;
    assert!(shown.contains("    //  owned\n"), "{shown:?}");
}

#[test]
fn a_kind_is_fetched_by_the_name_that_contexts_give_it() {
    let place = Place::new();
    let fact = place.run("fetch builtin --kind dated_fact --json").json();
    assert_eq!(fact["body"]["kind"], "dated_fact");
    let found = place.run("fetch builtin --kind dated_fact --search Lepanto --json").json();
    assert_eq!(found["title"], "Battle of Lepanto");
    let article = place.run("fetch builtin --search Nile --json").json();
    assert_eq!(article["body"]["kind"], "article");
    let both = place.run("fetch builtin --kind article --title Nile").expect(2).err;
    assert!(both.contains("'--kind <KIND>' cannot be used with '--title <TITLE>'"), "{both}");
}

#[test]
fn one_seed_fetches_one_context() {
    let place = Place::new();
    let fetch = |seed: u32| place.run(&format!("fetch --seed {seed} --json")).json();
    let context = fetch(7);
    assert!(!context["title"].as_str().unwrap().is_empty(), "{context}");
    assert_eq!(context, fetch(7));
    assert!((1..6).any(|seed| fetch(seed)["title"] != context["title"]), "one title for all seeds");
}

#[test]
fn a_maths_task_has_a_query_a_reference_and_its_rewards() {
    let line = "task math --seed 7 --json --model fake";
    let place = Place::new();
    let task = place.run(line).json();
    assert_eq!(task["task"], "math");
    for text in ["query", "reference", "topic", "context_source"] {
        assert!(task[text].as_str().is_some_and(|text| !text.is_empty()), "{text} in {task}");
    }
    assert!(task["reward_definition"].as_array().is_some_and(|all| !all.is_empty()), "{task}");
    let again = place.run(line).json();
    assert_eq!((&task["query"], &task["reference"]), (&again["query"], &again["reference"]));
}

#[test]
fn every_kind_of_task_can_be_looked_at() {
    let kinds = sn1_actors::task_maker::tasks::ALL;
    for kind in kinds {
        let task = Place::new().run(&format!("task {} --seed 7 --json --model fake", kind.name()));
        assert_eq!(task.json()["task"], kind.name());
    }
    let refused = Place::new().run("task poetry --model fake").expect(2);
    assert!(kinds.iter().all(|kind| refused.err.contains(kind.name())), "{}", refused.err);
}

#[test]
fn measures_of_a_file_count_and_are_shown() {
    let place = Place::new();
    let text = "[[tasks.math.rewards]]\nname = \"exact\"\nweight = 1\n";
    let file = place.write("mix.toml", text);
    let file = ["--config", file.to_str().unwrap()];
    place.write("answer", r#"{"task": "math", "reference": "12", "completion": "12.0"}"#);
    let task = place.run_with("task math --seed 7 --json --model fake", &file).json();
    assert_eq!(task["reward_definition"], json!([{"name": "exact", "weight": 1.0}]));
    let mixed = format!("score --model fake --config {}", file[1]);
    assert_eq!(place.run_fed(&mixed, "answer").json()["total"], 0.0);
    assert_eq!(place.run_fed("score --model fake", "answer").json()["total"], 1.0);
    let shown = place.run_with("config show --json --role localnet", &file).json();
    let value = json!([{"name": "exact", "weight": 1.0}]);
    let expected = json!({"value": value, "layer": "file", "source": file[1]});
    assert_eq!(shown["tasks.math.rewards"], expected);
    let wrong = place.write("wrong.toml", &text.replace("weight = 1", "weight = 0.5"));
    let refused = place.run_with("config show", &["--config", wrong.to_str().unwrap()]).expect(2);
    assert!(
        refused.err.contains("wrong.toml:1: the weights of `tasks.math.rewards`"),
        "{}",
        refused.err
    );
}

#[test]
fn a_challenge_comes_from_a_persona() {
    let challenge = Place::new().run("challenge qa --seed 7 --model fake --json").json();
    assert_eq!(challenge["task"], "qa");
    for text in ["query", "profile", "mood", "tone", "system_prompt", "challenge"] {
        assert!(challenge[text].as_str().is_some_and(|t| !t.is_empty()), "{text} in {challenge}");
    }
}

#[test]
fn challenges_are_measured_and_lookups_where_there_is_a_source_to_find() {
    let place = Place::new();
    let of = |kind: &str| {
        place.run(&format!("eval challenges {kind} --model fake --n 3 --seed 7 --json")).json()
    };
    let report = of("summarization");
    assert_eq!((&report["challenges"], &report["failed"]), (&json!(3), &json!(0)), "{report}");
    assert_eq!((&report["empty"], &report["verbatim"]), (&json!(0), &json!(0)), "{report}");
    assert_eq!((&report["documents"], &report["sources_among_documents"]), (&json!(40), &json!(3)));
    assert!(report["lookup_by_query"].is_number(), "{report}");
    let report = of("math");
    assert_eq!((&report["challenges"], &report["sources_among_documents"]), (&json!(3), &json!(0)));
    assert_eq!(
        (&report["lookup_by_challenge"], &report["lookup_by_query"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn models_list_says_what_is_lacking() {
    let place = Place::new();
    let files = place.run("models list --json").json();
    let files = files.as_array().unwrap();
    let of = |model: &str| files.iter().filter(|file| file["model"] == model).count();
    assert_eq!((of("smollm2-135m-instruct"), of("all-minilm-l6-v2")), (1, 3), "{files:?}");
    assert_eq!((of("zephyr-7b-beta"), of("uae-large-v1")), (13, 3), "{files:?}");
    for file in files {
        assert_eq!(file["state"], "missing");
        let path = file["path"].as_str().unwrap();
        assert!(path.starts_with(place.path("cache").to_str().unwrap()), "{path}");
    }
    assert!(!place.path("cache").exists(), "to look must not write");
}

#[test]
fn a_seed_writes_one_text_and_the_command_line_says_how() {
    let place = Place::new();
    let write = |line: &str| {
        let line = format!("generate --model fake --json {line}");
        place.run_with(&line, &["--prompt", "Why is the sky blue?"]).json()
    };
    let made = write("--seed 7 --temperature 0.9 --top-k 40 --top-p 0.9 --max-new-tokens 12");
    for key in ["prompt_ids", "generated_ids"] {
        assert!(made[key].as_array().is_some_and(|ids| !ids.is_empty()), "{key} in {made}");
    }
    assert!(made["generated_ids"].as_array().unwrap().len() <= 12, "{made}");
    assert!(made["finish_reason"] == "stop" || made["finish_reason"] == "length", "{made}");
    for key in ["prefill_tokens_per_s", "decode_tokens_per_s"] {
        assert!(made.get(key).is_some(), "{key} in {made}");
    }
    let again = write("--seed 7 --temperature 0.9 --top-k 40 --top-p 0.9 --max-new-tokens 12");
    assert_eq!(made["generated_ids"], again["generated_ids"]);
    place.run("generate --model fake --greedy --temperature 1 --prompt x").expect(2);
}

#[test]
fn texts_are_embedded_line_by_line() {
    let place = Place::new();
    place.write("texts", "\"one\"\n{\"text\": \"two\"}\n");
    let ended = place.run_fed("generate --embed --model fake", "texts").expect(0);
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&Value> = lines.iter().map(|line| &line["text"]).collect();
    assert_eq!(texts, [&json!("one"), &json!("two")]);
    for line in &lines {
        let vector = line["embedding"].as_array().unwrap();
        let length: f64 = vector.iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-3, "{line}");
    }
    place.write("wrong", "\"one\"\n{}\n");
    let ended = place.run_fed("generate --embed --model fake", "wrong").expect(2);
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    assert!(ended.err.contains("line 2 must be"), "{}", ended.err);
}

#[test]
fn a_text_is_streamed_piece_by_piece() {
    let place = Place::new();
    let line = "generate --model fake --greedy --max-new-tokens 12 --stream";
    let prompt = ["--prompt", "Why is the sky blue?"];
    let ended = place.run_with(&format!("{line} --json"), &prompt).expect(0);
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, pieces) = lines.split_last().unwrap();
    let joined: String = pieces.iter().map(|line| line["piece"].as_str().unwrap()).collect();
    assert!(pieces.len() > 1, "{}", ended.out);
    assert_eq!(last["text"], joined.as_str());
    assert!(last["generated_ids"].is_array(), "{last}");
    let plain = place.run_with(line, &prompt).expect(0).out;
    assert_eq!(plain.strip_suffix('\n'), last["text"].as_str());
}

#[test]
fn a_text_ends_before_a_stop_string() {
    let place = Place::new();
    let line = "generate --model fake --greedy --max-new-tokens 12 --json";
    let prompt = ["--prompt", "Why is the sky blue?"];
    let whole = place.run_with(line, &prompt).json();
    let text = whole["text"].as_str().unwrap();
    let stop = text.split_whitespace().nth(1).unwrap();
    let before = text.split(stop).next().unwrap().trim();
    let cut = place.run_with(line, &["--prompt", prompt[1], "--stop", "§", "--stop", stop]).json();
    assert_eq!((cut["text"].as_str(), &cut["finish_reason"]), (Some(before), &json!("stop")));
    let wrong = ["--prompt", "x", "--stop", ""];
    place.run_with("generate --model fake", &wrong).expect(2);
    place.run("generate --model fake --prompt x --repetition-penalty 0").expect(2);
}

#[test]
fn whoever_answers_is_well_unless_it_failed_itself() {
    let server = |status: &'static str| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/health/ready", listener.local_addr().unwrap());
        let answer = move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        };
        std::thread::Builder::new().spawn(answer).unwrap();
        url
    };
    let place = Place::new();
    for status in ["200 OK", "404 Not Found"] {
        let well = place.run(&format!("health {}", server(status))).expect(0).out;
        assert!(well.contains(status), "{well}");
    }
    let url = server("503 Service Unavailable");
    place.run(&format!("health {url}")).refused(1, &[&url, "503"]);
    place.run("health http://127.0.0.1:1/").refused(1, &["http://127.0.0.1:1/", "refused"]);
    place.run("health nonsense").expect(2);
}

#[test]
fn a_configuration_is_checked_without_a_wallet_or_a_chain() {
    let place = Place::new();
    for (flags, told) in [
        ("--role validator", "no subnet (netuid) is named"),
        (
            "--netuid 1 --subtensor.network finney --tools.contact a@b.org",
            "public.allow_small_model",
        ),
        ("--netuid 1 --subtensor.network local", "tools.contact"),
        ("--role miner --netuid 1 --subtensor.network test --miner.kind dead", "answers nothing"),
        (
            "--role miner --netuid 1 --subtensor.network test --tools.sources wikipedia,maths",
            "tools.contact",
        ),
        ("--role localnet --subtensor.network finney", "joins no other"),
        ("--role localnet --tools.sources maths", "needs contexts of the kind"),
    ] {
        let refused = place.run(&format!("config check {flags}")).expect(2).err;
        assert!(refused.contains(told), "{flags}: {refused}");
    }
    let taken = "config check --role miner --netuid 1 --subtensor.network test";
    assert!(place.run(taken).expect(0).out.contains("a miner starts"));
}
