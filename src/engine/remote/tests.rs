//! The engine against servers that work, and that fail as servers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sn1_actors::domain::FinishReason;
use sn1_actors::ports::{TextBackend, TextRequest, TokioClock};
use tokio::sync::{Notify, mpsc};

use super::tests_support::*;
use super::{ApiKey, RemoteEngine, RemoteError, RemoteOptions};

/// Asks for pieces as well; gives the result and the pieces.
async fn ask_streaming(engine: &RemoteEngine, request: TextRequest) -> (Outcome, Vec<String>) {
    let (sender, mut receiver) = mpsc::channel(64);
    let result = bounded(engine.generate(request, Some(sender))).await;
    let mut pieces = Vec::new();
    while let Some(piece) = receiver.recv().await {
        pieces.push(piece);
    }
    (result, pieces)
}

#[tokio::test]
async fn streams_pieces_that_joined_are_the_text() {
    let server = server(|_, _| {
        let rest = [text(" Paris"), text(" \n"), end("length")].concat();
        let begun = begun(&["\n", "It is"]);
        Reply::Script(vec![
            Act::Send(begun),
            Act::Pause(Duration::from_millis(30)),
            Act::Send(rest),
        ])
    })
    .await;
    let api_key = Some(ApiKey::new("KEY", "sk-1").unwrap());
    let options = RemoteOptions { api_key, ..options(&[&server.url]) };
    let clock = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
    let engine = RemoteEngine::new(options, clock).unwrap();
    let (made, pieces) = ask_streaming(&engine, request()).await;
    let made = made.unwrap();
    assert_eq!(pieces, ["It is", " Paris"]);
    assert_eq!((made.text.as_str(), made.finish_reason), ("It is Paris", FinishReason::Length));
    assert!(made.prompt_ids.is_empty() && made.generated_ids.is_empty());
    assert!(made.decode >= Duration::from_millis(30), "{made:?}");
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer sk-1")));
    let expected = json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
        ],
        "temperature": 0.7, "top_p": 0.95, "top_k": 50, "min_p": 0.0,
        "repetition_penalty": 1.0, "repeat_penalty": 1.0,
        "max_tokens": 8, "seed": 9,
    });
    assert_eq!(chats(&server), [expected]);
}

#[tokio::test]
async fn joins_characters_that_were_split_between_reads() {
    let server = server(|_, _| {
        let whole = [begun(&["né日本"]), end("stop")].concat();
        let at = whole.windows(2).position(|two| two == "é".as_bytes()).unwrap();
        let pause = || Act::Pause(Duration::from_millis(10));
        let part = |from: usize, to: usize| Act::Send(whole[from..to].to_vec());
        let parts = vec![
            part(0, at + 1),
            pause(),
            part(at + 1, at + 3),
            pause(),
            part(at + 3, whole.len()),
        ];
        Reply::Script(parts)
    })
    .await;
    assert_eq!(text_of(&engine(&[&server]).0).await, "né日本");
}

#[tokio::test]
async fn goes_to_another_server_when_one_dies_before_the_first_token() {
    let good = server(|_, _| said(&["good"])).await;
    let chunked = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
    let broken = answer("200 OK", chunked, b"5\r\ndata:");
    for reply in [begun(&[]), broken, Vec::new(), json_reply("500 Oops", "{}")] {
        let bad = server(move |_, _| Reply::Raw(reply.clone())).await;
        let (made, pieces) = ask_streaming(&engine(&[&bad, &good]).0, request()).await;
        assert_eq!((made.unwrap().text.as_str(), pieces.concat().as_str()), ("good", "good"));
        assert_eq!(chats(&bad).len(), 1);
    }
    let (engine, _) = engine_with(options(&[&dead_address().await, &good.url]));
    assert_eq!(text_of(&engine).await, "good");
}

#[tokio::test]
async fn a_death_amid_the_answer_interrupts_it_and_no_other() {
    let gate = Arc::new(Notify::new());
    let opened = gate.clone();
    let server = server(move |_, before| match before {
        0 => Reply::Script(vec![
            Act::Send(begun(&["whole"])),
            Act::Wait(gate.clone()),
            Act::Send(end("stop")),
        ]),
        _ => Reply::Raw(begun(&["ha"])),
    })
    .await;
    let other = self::server(|_, _| said(&["other"])).await;
    let (engine, _) = engine_with(RemoteOptions { in_flight: 2, ..options(&[&server.url]) });
    let whole = ask(&engine);
    let broken = async {
        server.until_open(1).await;
        let outcome = ask_streaming(&engine, request()).await;
        opened.notify_one();
        outcome
    };
    let (whole, (broken, pieces)) = tokio::join!(whole, broken);
    assert_eq!(pieces, ["ha"]);
    interrupted(broken, &[&server.url, "before the answer"]);
    assert_eq!(whole.unwrap().text, "whole");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn an_interrupted_answer_is_not_begun_again_elsewhere() {
    let bad = server(|_, _| Reply::Raw(begun(&["ha"]))).await;
    let good = server(|_, _| said(&["good"])).await;
    let (engine, _) = engine(&[&bad, &good]);
    interrupted(ask(&engine).await, &[]);
    assert!(good.seen().is_empty());
}

#[tokio::test]
async fn says_why_when_all_servers_are_dead() {
    let (one, two) = (dead_address().await, dead_address().await);
    let (engine, _) = engine_with(options(&[&one, &two]));
    for _ in 0..3 {
        unavailable(ask(&engine).await, &[&one, &two, "cannot be connected to"]);
    }
    let Err(RemoteError::NoServer(reason)) = bounded(engine.check()).await else { panic!() };
    says(&reason, &[&one, &two]);
}

#[tokio::test]
async fn a_busy_server_rests_as_long_as_it_wants_while_another_works() {
    let busy = server(|_, before| match before {
        0 => Reply::Raw(answer("429 Slow down", "Retry-After: 7\r\nContent-Length: 0\r\n", b"")),
        _ => said(&["rested"]),
    })
    .await;
    let other = server(|_, _| said(&["other"])).await;
    let (engine, clock) = engine(&[&busy, &other]);
    for _ in 0..4 {
        assert_eq!(text_of(&engine).await, "other");
    }
    assert_eq!(chats(&busy).len(), 1);
    clock.advance(Duration::from_secs(7));
    let texts = [text_of(&engine).await, text_of(&engine).await];
    assert!(texts.contains(&"rested".to_owned()), "{texts:?}");
}

#[tokio::test]
async fn waits_for_the_only_server_to_rest_if_the_patience_lasts() {
    let server = server(|_, before| match before {
        0 => Reply::Raw(answer("503 Loading", "Retry-After: 4\r\nContent-Length: 0\r\n", b"")),
        1 => said(&["rested"]),
        _ => Reply::Raw(answer("503 Loading", "Retry-After: 6\r\nContent-Length: 0\r\n", b"")),
    })
    .await;
    let (engine, _) = engine(&[&server]);
    let made = ask(&engine).await.unwrap();
    assert_eq!((made.text.as_str(), made.queued), ("rested", Duration::from_secs(4)));
    unavailable(ask(&engine).await, &["status 503"]);
    assert_eq!(chats(&server).len(), 3);
}

#[tokio::test]
async fn asks_a_server_no_more_that_failed_often_and_again_after_a_while() {
    let server = server(|_, before| match before {
        0..3 => Reply::Raw(json_reply("500 Oops", r#"{"error": {"message": "no luck"}}"#)),
        _ => said(&["well"]),
    })
    .await;
    let (engine, clock) = engine(&[&server]);
    for asked in [1, 2, 2, 2] {
        unavailable(ask(&engine).await, &["status 500: no luck"]);
        assert_eq!(chats(&server).len(), asked);
    }
    // The trial fails: the second rest is twice as long.
    clock.advance(Duration::from_secs(10));
    unavailable(ask(&engine).await, &["no luck"]);
    clock.advance(Duration::from_secs(19));
    unavailable(ask(&engine).await, &["no luck"]);
    assert_eq!(chats(&server).len(), 3);
    clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        assert_eq!(text_of(&engine).await, "well");
    }
}

#[tokio::test]
async fn never_has_more_in_flight_than_allowed() {
    let slow = |_: &Seen, _: usize| {
        let rest = [text("x"), end("stop")].concat();
        Reply::Script(vec![
            Act::Send(stream_head()),
            Act::Pause(Duration::from_millis(20)),
            Act::Send(rest),
        ])
    };
    let (one, two) = (server(slow).await, server(slow).await);
    let options = RemoteOptions { in_flight: 3, ..options(&[&one.url, &two.url]) };
    let (engine, _) = engine_with(options);
    assert_eq!(engine.capacity(), 6);
    let all = join_all((0..24).map(|_| ask(&engine))).await;
    assert!(all.iter().all(|made| made.as_ref().unwrap().text == "x"));
    assert_eq!((one.most_at_once(), two.most_at_once()), (3, 3));
}

#[tokio::test]
async fn names_the_models_of_a_server_that_has_not_the_wanted_one() {
    let wrong = server_of(&["x", "y"], |_, _| said(&["wrong"])).await;
    let (engine, _) = engine(&[&wrong]);
    unavailable(ask(&engine).await, &[&wrong.url, "has not the model m but x, y"]);
    let Err(RemoteError::NoServer(reason)) = engine.check().await else { panic!() };
    says(&reason, &["x, y"]);
    assert!(chats(&wrong).is_empty());

    let right = server(|_, _| said(&["right"])).await;
    let (engine, _) = self::engine(&[&wrong, &right]);
    engine.check().await.unwrap();
    for _ in 0..3 {
        assert_eq!(text_of(&engine).await, "right");
    }
}

#[tokio::test]
async fn notices_when_a_server_comes_to_have_another_model() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path == "/v1/chat/completions" {
            return Reply::Raw(json_reply("404 Not Found", r#"{"detail": "no model m"}"#));
        }
        let name = if asked.fetch_add(1, Ordering::SeqCst) == 0 { "m" } else { "n" };
        Reply::Raw(json_reply("200 OK", &json!({"data": [{"id": name}]}).to_string()))
    })
    .await;
    let (engine, _) = engine(&[&server]);
    refused(ask(&engine).await, &["no model m"]);
    unavailable(ask(&engine).await, &["has not the model m but n"]);
}

#[tokio::test]
async fn takes_the_only_model_of_a_server_when_none_is_wanted() {
    let server = server_of(&["/models/a.gguf"], |_, _| said(&["x"])).await;
    for model in ["", "auto"] {
        let options = RemoteOptions { model: model.into(), ..options(&[&server.url]) };
        assert_eq!(text_of(&engine_with(options).0).await, "x");
    }
    assert!(chats(&server).iter().all(|body| body["model"] == "/models/a.gguf"));
}

#[tokio::test]
async fn leaves_out_fields_that_a_server_does_not_know() {
    let server = server(|seen, _| {
        if String::from_utf8_lossy(&seen.body).contains("top_k") {
            let refusal = r#"{"error": {"message": "Unrecognized argument supplied: top_k"}}"#;
            return Reply::Raw(json_reply("400 Bad Request", refusal));
        }
        said(&["plain"])
    })
    .await;
    let (engine, _) = engine(&[&server]);
    assert_eq!(text_of(&engine).await, "plain");
    assert_eq!(text_of(&engine).await, "plain");
    assert_eq!(chats(&server).len(), 3);
}

#[tokio::test]
async fn understands_a_server_that_does_not_stream() {
    let server = server(|_, _| {
        let choice = json!({"message": {"content": " All at once. "}, "finish_reason": "length"});
        Reply::Raw(json_reply("200 OK", &json!({"choices": [choice]}).to_string()))
    })
    .await;
    let (made, pieces) = ask_streaming(&engine(&[&server]).0, request()).await;
    let made = made.unwrap();
    assert_eq!((made.text.as_str(), made.finish_reason), ("All at once.", FinishReason::Length));
    assert_eq!(pieces, ["All at once."]);
}

#[tokio::test]
async fn a_request_at_fault_is_tried_nowhere_else() {
    let refusal = r#"{"error": {"message": "too long a prompt"}}"#;
    let picky = server(move |_, _| Reply::Raw(json_reply("400 Bad Request", refusal))).await;
    let other = server(|_, _| said(&["x"])).await;
    let (engine, _) = engine(&[&picky, &other]);
    refused(ask(&engine).await, &["too long a prompt"]);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn names_the_variable_of_a_key_that_is_refused() {
    let server = Server::start(|_, _| Reply::Raw(json_reply("401 No", r#""sk-1 is wrong""#))).await;
    let api_key = Some(ApiKey::new("MY_KEY", "sk-1").unwrap());
    let (engine, _) = engine_with(RemoteOptions { api_key, ..options(&[&server.url]) });
    let result = ask(&engine).await;
    assert!(!format!("{result:?} {:?}", engine.0.options).contains("sk-1"));
    refused(result, &["MY_KEY"]);
}

#[tokio::test]
async fn ends_at_a_stop_string_that_the_server_overlooks() {
    let server = server(|_, _| Reply::Stall(begun(&["one. User", ": two"]))).await;
    let request = TextRequest { stop: vec!["User:".into()], ..request() };
    let (made, pieces) = ask_streaming(&engine(&[&server]).0, request).await;
    let made = made.unwrap();
    assert_eq!((made.text.as_str(), made.finish_reason), ("one.", FinishReason::Stop));
    assert_eq!(pieces.concat(), "one.");
    server.until_open(0).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_closes_its_connection() {
    for reply in [Vec::new(), begun(&["x"])] {
        let server = server(move |_, _| Reply::Stall(reply.clone())).await;
        let options =
            RemoteOptions { idle_timeout: Duration::from_secs(9), ..options(&[&server.url]) };
        let (engine, _) = engine_with(options);
        engine.check().await.unwrap();
        tokio::select! {
            result = ask(&engine) => panic!("{result:?}"),
            () = server.until_open(1) => {}
        }
        server.until_open(0).await;
        assert_eq!(engine.0.servers[0].load(), 0);
    }
}

#[tokio::test]
async fn a_thousand_cancelled_requests_leave_every_place_free() {
    let server = server(|_, before| match before {
        0..320 => Reply::Stall(Vec::new()),
        _ => said(&["free"]),
    })
    .await;
    let first_token_timeout = Duration::from_secs(60);
    let options = RemoteOptions { in_flight: 16, first_token_timeout, ..options(&[&server.url]) };
    let (engine, _) = engine_with(options);
    engine.check().await.unwrap();
    for _ in 0..20 {
        // 16 are in flight, 34 wait for a place.
        let many = join_all((0..50).map(|_| engine.generate(request(), None)));
        tokio::select! {
            _ = many => panic!("a request ended"),
            () = server.until_open(16) => {}
        }
        server.until_open(0).await;
        assert_eq!(engine.0.servers[0].load(), 0);
    }
    let all = join_all((0..16).map(|_| ask(&engine))).await;
    assert!(all.iter().all(|made| made.as_ref().unwrap().text == "free"));
}

#[tokio::test]
async fn a_trial_that_is_given_up_does_not_keep_the_server_shut() {
    let server = server(|_, before| match before {
        0 | 1 => Reply::Raw(Vec::new()),
        2 => Reply::Stall(Vec::new()),
        _ => said(&["well"]),
    })
    .await;
    let (engine, clock) = engine(&[&server]);
    for _ in 0..2 {
        unavailable(ask(&engine).await, &[]);
    }
    clock.advance(Duration::from_secs(10));
    tokio::select! {
        result = ask(&engine) => panic!("{result:?}"),
        () = async {
            while chats(&server).len() < 3 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    assert_eq!(text_of(&engine).await, "well");
}

#[tokio::test]
async fn the_watch_finds_a_server_that_came_back() {
    let server = server(|_, before| match before {
        0 | 1 => Reply::Raw(Vec::new()),
        _ => said(&["well"]),
    })
    .await;
    let (engine, clock) = engine(&[&server]);
    for _ in 0..2 {
        unavailable(ask(&engine).await, &[]);
    }
    clock.advance(Duration::from_secs(10));
    let asked = server.seen().len();
    tokio::select! {
        () = engine.watch() => {}
        () = async {
            while engine.0.servers[0].model(super::Moment::default(), Duration::MAX).is_none() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    assert!(server.seen().len() > asked);
    assert_eq!(chats(&server).len(), 2);
    assert_eq!(text_of(&engine).await, "well");
}

#[tokio::test]
async fn does_not_hang_on_one_who_does_not_read_and_forgives_one_who_left() {
    let server = server(|_, _| said(&["a", "b", "c", "d"])).await;
    let (engine, _) = engine(&[&server]);
    let (sender, receiver) = mpsc::channel(1);
    let result = bounded(engine.generate(request(), Some(sender.clone()))).await;
    interrupted(result, &["nobody took"]);
    drop(receiver);
    let made = bounded(engine.generate(request(), Some(sender))).await.unwrap();
    assert_eq!(made.text, "abcd");
}
