//! The gateway against the official OpenAI client, unmodified, where there is a Python that has it
//! (`SN1_OPENAI_PYTHON`; `scripts/test.sh` makes one).
//!
//! The gateway runs in this process, before a door that does what the user's message says.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

mod gateway;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::Place;
use gateway::{ANSWER, Gateway, KEY, Kept, MODEL};

/// The Python that has the client, if there is one.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("SN1_OPENAI_PYTHON").filter(|path| !path.is_empty());
    if python.is_none() {
        println!("skipped: SN1_OPENAI_PYTHON names no Python that has openai");
    }
    python.map(PathBuf::from)
}

/// What the client makes of all that it is to ask.
fn tell(python: &Path, gateway: &Gateway, todos: &[Value]) -> Vec<Value> {
    let place = Place::new().with("PYTHONDONTWRITEBYTECODE", "1");
    let path = place.write("todos.json", &json!(todos).to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/openai_client.py");
    let arguments = [script, gateway.url().into(), path];
    let ended = place.start_other(python, &arguments).wait().expect(0);
    let told: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), todos.len(), "{}", ended.out);
    told
}

/// A question, with further arguments.
fn ask(message: &str, more: &Value) -> Value {
    let mut ask = json!({"model": "sn1", "messages": [{"role": "user", "content": message}]});
    for (name, value) in more.as_object().unwrap() {
        ask[name] = value.clone();
    }
    json!({"key": KEY, "ask": ask})
}

fn error(told: &Value) -> (&str, &Value) {
    (told["error"].as_str().unwrap_or("none"), &told["status"])
}

#[test]
fn the_official_client_gets_models_answers_streams_and_usage() {
    let Some(python) = python() else { return };
    let gateway = Gateway::start(Kept::default());
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    let tastes = json!({"temperature": 0.2, "seed": 4, "user": "u", "top_p": 0.5});
    let told = tell(
        &python,
        &gateway,
        &[
            json!({"key": KEY}),
            ask("hello", &tastes),
            ask("hello", &json!({"max_tokens": 4})),
            ask("hello", &json!({"stop": [","]})),
            ask("hello", &streamed),
            ask("hello", &json!({"stream": true, "max_completion_tokens": 4})),
        ],
    );
    assert_eq!(told[0], json!({"models": [MODEL, "sn1"], "first": MODEL}));
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 16, "total_tokens": 17});
    let whole = json!({"text": ANSWER, "finish": "stop", "usage": usage, "model": MODEL});
    assert_eq!(told[1], whole);
    assert_eq!(
        (&told[2]["text"], &told[2]["finish"]),
        (&json!("Well met, and so "), &json!("length"))
    );
    assert_eq!((&told[3]["text"], &told[3]["finish"]), (&json!("Well met"), &json!("stop")));
    let stream = json!({"text": ANSWER, "chunks": 3, "finish": "stop", "usage": usage});
    assert_eq!(told[4], stream);
    let short =
        json!({"text": "Well met, and so ", "chunks": 1, "finish": "length", "usage": null});
    assert_eq!(told[5], short);
}

#[test]
fn the_official_client_understands_every_refusal() {
    let Some(python) = python() else { return };
    let gateway = Gateway::start(Kept::default());
    let mut wrong_key = ask("hello", &json!({}));
    wrong_key["key"] = "sk-wrong".into();
    let many = json!({"messages": vec![json!({"role": "user", "content": "x"}); 257]});
    let told = tell(
        &python,
        &gateway,
        &[
            wrong_key,
            ask("hello", &json!({"model": "gpt-4"})),
            ask("hello", &json!({"n": 2})),
            ask("hello", &many),
            ask(&"x".repeat(70_000), &json!({})),
            ask(&"word ".repeat(1_001), &json!({"stream": true})),
            ask("all fail", &json!({})),
            ask("all fail", &json!({"stream": true})),
            ask("nobody", &json!({"stream": true})),
        ],
    );
    assert_eq!(error(&told[0]), ("AuthenticationError", &json!(401)));
    assert_eq!(told[0]["code"], "invalid_api_key");
    assert_eq!(error(&told[1]), ("NotFoundError", &json!(404)));
    assert_eq!((&told[1]["code"], &told[1]["param"]), (&json!("model_not_found"), &json!("model")));
    assert_eq!(
        (error(&told[2]), &told[2]["param"]),
        (("BadRequestError", &json!(400)), &json!("n"))
    );
    assert_eq!(error(&told[3]), ("BadRequestError", &json!(400)));
    assert_eq!(error(&told[4]), ("APIStatusError", &json!(413)));
    assert_eq!(error(&told[5]), ("BadRequestError", &json!(400)));
    let code = (&told[5]["code"], &told[5]["param"]);
    assert_eq!(code, (&json!("context_length_exceeded"), &json!("messages")));
    for failed in &told[6..8] {
        assert_eq!(error(failed), ("InternalServerError", &json!(502)));
        assert_eq!(failed["code"], "upstream_unavailable");
    }
    assert_eq!(error(&told[8]), ("InternalServerError", &json!(503)));
    assert_eq!(told[8]["headers"]["retry-after"], "10");
}

#[test]
fn the_official_client_knows_how_long_to_wait_for_its_limit() {
    let Some(python) = python() else { return };
    let gateway = Gateway::start(Kept { requests_per_minute: 2, ..Kept::default() });
    let todo = ask("hello", &json!({}));
    let told = tell(&python, &gateway, &[todo.clone(), todo.clone(), todo]);
    assert_eq!(error(&told[1]), ("none", &Value::Null));
    assert_eq!(error(&told[2]), ("RateLimitError", &json!(429)));
    let headers = &told[2]["headers"];
    let wait: u64 = headers["retry-after"].as_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{headers}");
    assert_eq!(headers["x-ratelimit-remaining-requests"], "0");
}

#[test]
fn a_failure_after_the_stream_began_is_an_error_to_the_official_client() {
    let Some(python) = python() else { return };
    let gateway = Gateway::start(Kept { silence_ms: 5, ..Kept::default() });
    let told = tell(&python, &gateway, &[ask("fail when pinged", &json!({"stream": true}))]);
    // The status was 200, so that it is the class for what is told in a stream.
    assert_eq!(error(&told[0]), ("APIError", &Value::Null));
    assert_eq!(told[0]["code"], "upstream_unavailable");
    assert!(told[0]["message"].as_str().unwrap().contains("none of 3 miners"), "{}", told[0]);
}

#[test]
fn a_thousand_users_who_hang_up_leave_nothing_behind() {
    let Some(python) = python() else { return };
    let gateway = Gateway::start(Kept { silence_ms: 2, ..Kept::default() });
    let before = gateway.descriptors();
    let leave = |message: &str, leave: &str, times: u32| {
        let mut todo = ask(message, &json!({"stream": true}));
        todo["leave"] = leave.into();
        todo["times"] = times.into();
        todo
    };
    let todos = [leave("at length", "early", 1_000), leave("never", "at once", 1_000)];
    let told = tell(&python, &gateway, &todos);
    assert_eq!(told[0]["chunks"], 1, "{}", told[0]);
    assert_eq!(told[1]["chunks"], 0, "{}", told[1]);
    gateway.until_quiet(before);
    // Some may be gone before their question is at the door.
    assert!(gateway.asked() > 1_500, "{}", gateway.asked());
}
