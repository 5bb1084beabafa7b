//! Answers that their users want as a stream.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sn1_actors::organic::OrganicError;
use tokio::sync::Notify;

use super::testkit::*;
use super::*;

const ANSWER: &str = "There is a first line of it.\nAnd there is a second line, which is longer.";
/// So long a stream is silent in these tests.
const SILENCE: Duration = Duration::from_millis(30);

fn soon() -> GatewayOptions {
    GatewayOptions { silence: SILENCE, ..options() }
}

/// A door that answers when it is told to.
fn gated(answer: Answer) -> (FakeDoor, Arc<Notify>) {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let door = FakeDoor::new(move |_| {
        let (answer, opened) = (answer.clone(), Arc::clone(&opened));
        async move {
            opened.notified().await;
            answer
        }
    });
    (door, gate)
}

/// What a stream comes to whose answer is there after the first ping.
async fn ask_late(caller: &Caller, gate: &Notify, body: &Value) -> Replied {
    let mut reply = caller.request(Method::POST, CHAT).json(body).send().await.unwrap();
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let mut bytes = reply.chunk().await.unwrap().unwrap().to_vec();
    gate.notify_one();
    while let Some(more) = reply.chunk().await.unwrap() {
        bytes.extend(more);
    }
    Replied { status, headers, text: String::from_utf8(bytes).unwrap() }
}

fn streamed(include_usage: bool) -> Value {
    but(&json!({"stream": true, "stream_options": {"include_usage": include_usage}}))
}

/// What the frames of a stream carry, after its pings; the last one as it is.
fn frames(reply: &Replied) -> (usize, Vec<Value>, String) {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(reply.text.ends_with("\n\n"), "{}", reply.text);
    let events: Vec<&str> = reply.text.trim_end().split("\n\n").collect();
    let pings = events.iter().take_while(|event| **event == ": ping").count();
    let data: Vec<&str> =
        events[pings..].iter().map(|event| event.strip_prefix("data: ").unwrap()).collect();
    let (last, before) = data.split_last().unwrap();
    let before = before.iter().map(|data| serde_json::from_str(data).unwrap());
    (pings, before.collect(), (*last).to_owned())
}

fn text(frames: &[Value]) -> String {
    let texts = frames.iter().filter_map(|frame| frame["choices"][0]["delta"]["content"].as_str());
    texts.collect()
}

#[test]
fn a_stream_has_the_frames_of_the_protocol() {
    let door = FakeDoor::saying(Ok(ANSWER.into()));
    serve(parts(&door), options(), async |caller| {
        let reply = caller.ask(&streamed(true)).await;
        assert_eq!(reply.header("x-ratelimit-limit-requests"), Some("10000"));
        let (pings, frames, last) = frames(&reply);
        assert_eq!((pings, last.as_str()), (0, "[DONE]"));
        let frame = |choices: Value, usage: Value| {
            json!({
                "id": frames[0]["id"], "object": "chat.completion.chunk", "created": UNIX,
                "model": MODEL, "system_fingerprint": null, "choices": choices, "usage": usage,
            })
        };
        let chunk = |delta: Value, finish: Value| {
            let choice =
                json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
            frame(json!([choice]), Value::Null)
        };
        let role = json!({"role": "assistant", "content": "", "refusal": null});
        let usage = json!({"prompt_tokens": 3, "completion_tokens": 16, "total_tokens": 19});
        let expected = [
            chunk(role, Value::Null),
            chunk(json!({"content": "There is a first line of "}), Value::Null),
            chunk(json!({"content": "it.\nAnd there is a second "}), Value::Null),
            chunk(json!({"content": "line, which is longer."}), Value::Null),
            chunk(json!({}), json!("stop")),
            frame(json!([]), usage),
        ];
        assert_eq!(frames, expected);
    });
}

#[test]
fn a_stream_whose_usage_nobody_wants_has_none_and_ends_where_its_user_wants() {
    let door = FakeDoor::saying(Ok(ANSWER.into()));
    serve(parts(&door), options(), async |caller| {
        let asked = but(&json!({"stream": true, "max_tokens": 8}));
        let (_, frames, last) = frames(&caller.ask(&asked).await);
        assert!(frames.iter().all(|frame| frame.get("usage").is_none()), "{frames:?}");
        assert_eq!(text(&frames), "There is a first line of it.\nAnd ");
        let finish = &frames.last().unwrap()["choices"][0]["finish_reason"];
        assert_eq!((finish, last.as_str()), (&json!("length"), "[DONE]"));
    });
}

#[test]
fn a_late_answer_comes_after_pings() {
    let (door, gate) = gated(Ok(ANSWER.into()));
    serve(parts(&door), soon(), async |caller| {
        let reply = ask_late(&caller, &gate, &streamed(false)).await;
        let (pings, frames, last) = frames(&reply);
        assert!(pings > 0);
        assert_eq!((text(&frames).as_str(), last.as_str()), (ANSWER, "[DONE]"));
    });
}

#[test]
fn a_failure_after_pings_is_told_and_never_a_clean_end() {
    let failed = OrganicError::AllFailed { asked: 3, cause: "timed out".into() };
    let told = "none of 3 miners answered: timed out";
    let expected = json!({"error": {
        "message": told, "type": "server_error", "param": null, "code": "upstream_unavailable",
    }});
    let (door, gate) = gated(Err(failed));
    serve(parts(&door), soon(), async |caller| {
        let reply = ask_late(&caller, &gate, &streamed(true)).await;
        let (pings, frames, last) = frames(&reply);
        assert!(pings > 0 && frames.is_empty(), "{frames:?}");
        assert_eq!(serde_json::from_str::<Value>(&last).unwrap(), expected);
    });
}

#[test]
fn a_user_who_hangs_up_on_a_stream_frees_the_place_and_gives_up_the_answer() {
    let door = FakeDoor::silent();
    let keys = ring(1_000_000, 1, 1_000);
    let place = keys.clone();
    serve(GatewayParts { keys, ..parts(&door) }, soon(), async |caller| {
        for _ in 0..5 {
            let request = caller.request(Method::POST, CHAT).json(&streamed(false));
            let mut reply = request.send().await.unwrap();
            assert_eq!(reply.status(), 200);
            assert!(reply.chunk().await.unwrap().unwrap().starts_with(b": ping"));
            door.until_running(1).await;
            assert_eq!(caller.get("/v1/models").await.status, 429, "the stream holds the place");
            drop(reply);
            door.until_running(0).await;
            until(|| place.admit(Some(KEY)).is_ok()).await;
        }
    });
}
