//! The engine against servers that mean harm or are beside themselves: everything ends, in time and
//! in memory.

use std::time::Duration;

use serde_json::json;

use super::tests_support::*;

async fn ask_one_that_says(reply: impl Fn() -> Reply + Send + 'static) -> Outcome {
    let server = server(move |_, _| reply()).await;
    ask(&engine(&[&server]).0).await
}

#[tokio::test]
async fn reads_no_endless_line() {
    let endless = || Reply::Endless([stream_head(), b"data: ".to_vec()].concat(), vec![b'x'; 4096]);
    unavailable(ask_one_that_says(endless).await, &["sent more than"]);
    let after_text = || Reply::Endless(begun(&["x"]), vec![b'x'; 4096]);
    interrupted(ask_one_that_says(after_text).await, &["sent more than"]);
}

#[tokio::test]
async fn reads_no_endless_answer() {
    unavailable(
        ask_one_that_says(|| Reply::Endless(stream_head(), b": ping\n\n".repeat(100))).await,
        &["sent more than"],
    );
    interrupted(
        ask_one_that_says(|| Reply::Endless(stream_head(), text("more ").repeat(100))).await,
        &["sent more than"],
    );
    let json = || answer("200 OK", "Content-Type: application/json\r\n", b"");
    unavailable(
        ask_one_that_says(move || Reply::Endless(json(), vec![b' '; 4096])).await,
        &["sent more than"],
    );
    let refusal = || answer("400 No", "Content-Type: application/json\r\n", b"");
    unavailable(
        ask_one_that_says(move || Reply::Endless(refusal(), vec![b' '; 4096])).await,
        &["sent more than"],
    );
}

#[tokio::test]
async fn takes_no_garbage_for_an_answer() {
    for garbage in [
        b"data: {nonsense\n\n".to_vec(),
        b"data: \xff\xfe\n\n".to_vec(),
        b"data: 7\n\n".to_vec(),
        b"data: {\"choices\": 7}\n\n".to_vec(),
        event(&json!({"choices": [{"delta": {"content": ["a"]}}]})),
    ] {
        let shown = String::from_utf8_lossy(&garbage).into_owned();
        let reply = [stream_head(), garbage].concat();
        let result = ask_one_that_says(move || Reply::Raw(reply.clone())).await;
        let Err(error) = result else { panic!("{shown} is an answer: {result:?}") };
        says(&error.to_string(), &["sent garbage"]);
    }
    for reply in [
        b"SSH-2.0-x\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>".to_vec(),
        json_reply("200 OK", "[]"),
        json_reply("200 OK", r#"{"choices": []}"#),
    ] {
        unavailable(ask_one_that_says(move || Reply::Raw(reply.clone())).await, &[]);
    }
}

/// Bytes one at a time, each well within any timeout, for some ten seconds.
fn drip(head: &[u8], drop: &[u8]) -> Reply {
    let mut acts = vec![Act::Send(head.to_vec())];
    for _ in 0..400 {
        acts.push(Act::Pause(Duration::from_millis(25)));
        acts.push(Act::Send(drop.to_vec()));
    }
    Reply::Script(acts)
}

#[tokio::test]
async fn is_not_kept_waiting_by_drips_that_say_nothing() {
    for drop in [b":" as &[u8], b": ping\n\n", b"data: {\"choices\": []}\n\n"] {
        let before = move || drip(&stream_head(), drop);
        unavailable(ask_one_that_says(before).await, &["sent no text within 500ms"]);
        let after = move || drip(&begun(&["x"]), drop);
        interrupted(ask_one_that_says(after).await, &["fell silent for 300ms"]);
    }
}

#[tokio::test]
async fn a_slow_but_steady_answer_is_bounded_as_a_whole() {
    let server = server(|_, _| drip(&stream_head(), &text("x "))).await;
    let mut options = options(&[&server.url]);
    options.total_timeout = Duration::from_millis(700);
    interrupted(ask(&engine_with(options).0).await, &["took longer than 700ms"]);
}

#[tokio::test]
async fn a_server_cannot_ask_to_rest_for_ever() {
    for time in ["99999999999999999999", "inf"] {
        let head = format!("Retry-After: {time}\r\nContent-Length: 0\r\n");
        let server = server(move |_, before| match before {
            0 => Reply::Raw(answer("429 No", &head, b"")),
            _ => said(&["rested"]),
        })
        .await;
        let (engine, clock) = engine(&[&server]);
        unavailable(ask(&engine).await, &["status 429"]);
        clock.advance(Duration::from_secs(59));
        assert_eq!(text_of(&engine).await, "rested", "its patience covers the last second");
    }
}

#[tokio::test]
async fn a_list_of_models_is_bounded_as_well() {
    let json = || answer("200 OK", "Content-Type: application/json\r\n", b"");
    let endless = Server::start(move |_, _| Reply::Endless(json(), vec![b' '; 4096])).await;
    unavailable(ask(&engine(&[&endless]).0).await, &["sent more than"]);
    let silent = Server::start(|_, _| Reply::Stall(Vec::new())).await;
    unavailable(ask(&engine(&[&silent]).0).await, &["sent no list of models within 500ms"]);
    let html = Server::start(|_, _| Reply::Raw(json_reply("404 No", "no such page"))).await;
    unavailable(ask(&engine(&[&html]).0).await, &["has no list of models: status 404"]);
}

#[tokio::test]
async fn follows_no_redirect() {
    let goal = server(|_, _| said(&["goal"])).await;
    let location = format!("Location: {}/v1/chat/completions\r\nContent-Length: 0\r\n", goal.url);
    let server = server(move |_, _| Reply::Raw(answer("307 Go", &location, b""))).await;
    unavailable(ask(&engine(&[&server]).0).await, &["status 307"]);
    assert!(goal.seen().is_empty());
}

#[tokio::test]
async fn understands_errors_within_a_stream() {
    let error = |code: u16| event(&json!({"error": {"message": "no\u{1b}[2J", "code": code}}));
    let reply = move |code| [stream_head(), error(code)].concat();
    refused(ask_one_that_says(move || Reply::Raw(reply(400))).await, &["no [2J"]);
    unavailable(ask_one_that_says(move || Reply::Raw(reply(500))).await, &["no [2J"]);
    let late = move || Reply::Raw([begun(&["x"]), error(400)].concat());
    interrupted(ask_one_that_says(late).await, &["no [2J"]);
    let abort = || Reply::Raw([begun(&["x"]), end("abort")].concat());
    interrupted(ask_one_that_says(abort).await, &["gave up: abort"]);
}
