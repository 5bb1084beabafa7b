//! The remote engine against a real llama.cpp server, where there is a Python that has it
//! (`SN1_TEST_PYTHON`; `scripts/test.sh` makes one) and the model was pulled.

use std::time::Duration;

use serde_json::{Value, json};
use sn1::engine::{RemoteEngine, RemoteOptions};
use sn1::wiring::system_clock;
use sn1_actors::domain::{ChatMessage, FinishReason, Generation, Sampling};
use sn1_actors::ports::{TextBackend as _, TextError, TextRequest};
use tokio::sync::mpsc;

use crate::harness::Place;
use crate::llama_server::{peer, serve};

const QUESTION: &str = "What is the capital of France?";

fn engine(servers: &[&str], model: &str) -> RemoteEngine {
    let servers = servers.iter().map(|url| (*url).to_owned()).collect();
    let options = RemoteOptions { servers, model: model.into(), ..RemoteOptions::default() };
    RemoteEngine::new(options, system_clock()).unwrap()
}

fn request(question: &str, max_new_tokens: usize, stop: &[&str]) -> TextRequest {
    let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
    let messages = vec![ChatMessage::user(question)];
    TextRequest { messages, sampling: Sampling::greedy(max_new_tokens), stop }
}

/// Asks, within a minute.
async fn ask(engine: &RemoteEngine, request: TextRequest) -> Result<Generation, TextError> {
    bounded(engine.generate(request, None)).await
}

/// Fails what hangs.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

/// What the server says to one who asks it directly and without a stream.
async fn asked_directly(url: &str, max_tokens: usize) -> String {
    let body = json!({
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0, "max_tokens": max_tokens,
    });
    let post = reqwest::Client::new().post(format!("{url}/v1/chat/completions")).json(&body);
    let reply: Value = bounded(post.send()).await.unwrap().json().await.unwrap();
    reply["choices"][0]["message"]["content"].as_str().unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_llama_cpp_server_answers_through_the_engine_as_it_does_directly() {
    let Some((python, gguf)) = peer() else { return };
    let place = Place::new();
    let (_server, url) = serve(&place, &python, &gguf);
    let engine_of = |model: &str| engine(&[&format!("{url}/v1/")], model);
    let engine = engine_of("auto");
    engine.check().await.unwrap();

    let (sender, mut receiver) = mpsc::channel(64);
    let made = bounded(engine.generate(request(QUESTION, 24, &[]), Some(sender))).await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = receiver.recv().await {
        pieces.push(piece);
    }
    assert!(pieces.len() > 4, "{pieces:?}");
    assert_eq!(pieces.concat(), made.text);
    assert_eq!(made.text, asked_directly(&url, 24).await);
    assert!(made.prefill > Duration::ZERO && made.decode > Duration::ZERO, "{made:?}");

    let short = ask(&engine, request(QUESTION, 3, &[])).await.unwrap();
    assert_eq!(short.finish_reason, FinishReason::Length);
    assert!(made.text.starts_with(&short.text), "{short:?}");

    let stop = made.text.split_whitespace().nth(2).unwrap();
    let before = made.text.split(stop).next().unwrap().trim_end();
    let stopped = ask(&engine, request(QUESTION, 24, &[stop])).await.unwrap();
    assert_eq!((stopped.text.as_str(), stopped.finish_reason), (before, FinishReason::Stop));

    let Err(TextError::NotSent(reason)) = ask(&engine_of("other"), request(QUESTION, 3, &[])).await
    else {
        panic!("it has no such model")
    };
    assert!(reason.contains("other") && reason.contains(gguf.to_str().unwrap()), "{reason}");
    let refused = ask(&engine, request(&"word ".repeat(3_000), 3, &[])).await;
    assert!(
        matches!(&refused, Err(TextError::Request(why)) if why.contains("context")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_llama_cpp_server_that_is_killed_takes_only_its_own_answers_with_it() {
    let Some((python, gguf)) = peer() else { return };
    let place = Place::new();
    let (one, one_url) = serve(&place, &python, &gguf);
    let (two, two_url) = serve(&place, &python, &gguf);
    let engine = engine(&[&one_url, &two_url], "auto");

    // The first request goes to the first server, the next one to the less busy second.
    let (sender, mut receiver) = mpsc::channel(4_096);
    let long = request("Tell a very long story about a dragon.", 1_500, &[]);
    let doomed = engine.generate(long, Some(sender));
    let other = async {
        receiver.recv().await.expect("the first piece");
        let other = ask(&engine, request(QUESTION, 24, &[]));
        one.signal("KILL");
        other.await
    };
    let (doomed, other) = bounded(async { tokio::join!(doomed, other) }).await;
    let Err(TextError::Interrupted(reason)) = &doomed else { panic!("{doomed:?}") };
    assert!(reason.contains(&one_url), "{reason}");
    assert!(!other.unwrap().text.is_empty());

    // Each second one meets the dead server first.
    for _ in 0..4 {
        assert!(!ask(&engine, request(QUESTION, 24, &[])).await.unwrap().text.is_empty());
    }
    two.signal("KILL");
    let dead = ask(&engine, request(QUESTION, 24, &[])).await;
    assert!(
        matches!(&dead, Err(TextError::Unavailable(why)) if why.contains(&two_url)),
        "{dead:?}"
    );
}
