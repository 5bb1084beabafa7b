use reqwest::Method;
use serde_json::{Value, json};
use sn1_actors::organic::OrganicError;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::testkit::*;
use super::*;

const ANSWER: &str = "Very well, thank you; and you?";

fn answering() -> FakeDoor {
    FakeDoor::saying(Ok(ANSWER.into()))
}

#[test]
fn a_completion_has_the_shape_of_the_protocol() {
    let door = FakeDoor::new(|query| async move {
        assert_eq!(query, Query::from_user("How are you?"));
        Ok(ANSWER.to_owned())
    });
    serve(parts(&door), options(), async |caller| {
        let reply = caller.ask(&question()).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
        let mut completion = reply.json();
        let id = completion["id"].take();
        assert!(id.as_str().unwrap().starts_with("chatcmpl-"), "{id}");
        let expected = json!({
            "id": null, "object": "chat.completion", "created": UNIX, "model": MODEL,
            "system_fingerprint": null,
            "choices": [{
                "index": 0, "logprobs": null, "finish_reason": "stop",
                "message": {"role": "assistant", "content": ANSWER, "refusal": null},
            }],
            "usage": {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9},
        });
        assert_eq!(completion, expected);
        let again = caller.ask(&question()).await.json();
        assert_ne!(again["id"], id);
    });
}

#[test]
fn an_answer_ends_where_its_user_wants() {
    serve(parts(&answering()), options(), async |caller| {
        let cut = async |change: Value| {
            let completion = caller.ask(&but(&change)).await.json();
            let choice = &completion["choices"][0];
            let text = choice["message"]["content"].as_str().unwrap().to_owned();
            let tokens = completion["usage"]["completion_tokens"].as_u64().unwrap();
            (text, choice["finish_reason"].as_str().unwrap().to_owned(), tokens)
        };
        let stopped = cut(json!({"stop": [";", "thank"]})).await;
        assert_eq!(stopped, ("Very well, ".into(), "stop".into(), 2));
        let short = cut(json!({"max_tokens": 3})).await;
        assert_eq!(short, ("Very well, thank ".into(), "length".into(), 3));
    });
}

#[test]
fn the_subnet_is_a_model_of_two_names() {
    serve(parts(&answering()), options(), async |caller| {
        let listed = caller.get("/v1/models").await.json();
        let model =
            |id: &str| json!({"id": id, "object": "model", "created": UNIX, "owned_by": "sn1"});
        assert_eq!(listed, json!({"object": "list", "data": [model(MODEL), model("sn1")]}));
        for path in ["/v1/models/lab/zephyr", "/v1/models/lab%2Fzephyr"] {
            assert_eq!(caller.get(path).await.json(), model(MODEL), "{path}");
        }
        for path in ["/v1/models/gpt-4", "/v1/models/%ff"] {
            assert_eq!(caller.get(path).await.error(), (404, "model_not_found".into()), "{path}");
        }
        let other = caller.ask(&but(&json!({"model": "gpt-4"}))).await;
        assert_eq!(other.error(), (404, "model_not_found".into()));
    });
}

#[test]
fn nothing_but_health_and_the_document_is_told_without_a_key() {
    serve(parts(&answering()), options(), async |caller| {
        let stranger = async |path: &str| Replied::read(caller.stranger(Method::GET, path)).await;
        assert_eq!(stranger("/health").await.json(), json!({"status": "ok"}));
        assert_eq!(stranger("/openapi.json").await.json()["openapi"], "3.1.0");
        assert_eq!(stranger("/v1/models").await.error(), (401, "invalid_api_key".into()));
        let with = async |name: &str, value: &str| {
            Replied::read(caller.stranger(Method::GET, "/v1/models").header(name, value)).await
        };
        for (name, value) in
            [("authorization", "bearer  sk-sn1-test "), ("api-key", KEY), ("API-Key", KEY)]
        {
            assert_eq!(with(name, value).await.status, 200, "{name}: {value}");
        }
        for value in ["Bearer wrong", "Bearer ", "Bearer", "Basic c2stc24xLXRlc3Q=", "sk-sn1-test"]
        {
            let refused = with("authorization", value).await;
            assert_eq!(refused.error(), (401, "invalid_api_key".into()), "{value}");
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            assert!(!refused.text.contains("wrong"), "a key is not said back: {}", refused.text);
        }
    });
}

#[test]
fn a_chat_that_cannot_be_scored_reaches_no_miner_and_costs_nothing() {
    let door = FakeDoor::saying(Ok(ANSWER.into()));
    let gateway = GatewayParts { reader: reader(3), ..parts(&door) };
    serve(gateway, options(), async |caller| {
        let chat = |earlier: &str| {
            json!({"messages": [
                {"role": "assistant", "content": earlier},
                {"role": "user", "content": "How are"},
            ]})
        };
        assert_eq!(caller.ask(&but(&chat("Well."))).await.status, 200);
        let left =
            |reply: &Replied| reply.header("x-ratelimit-remaining-tokens").map(str::to_owned);
        let before = left(&caller.get("/v1/models").await);
        for stream in [false, true] {
            let mut long = but(&chat("Very well."));
            long["stream"] = stream.into();
            let refused = caller.ask(&long).await;
            assert_eq!(refused.error(), (400, "context_length_exceeded".into()));
            let error = refused.json()["error"].take();
            assert_eq!(
                (&error["type"], &error["param"]),
                (&json!("invalid_request_error"), &json!("messages"))
            );
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("maximum context length is 3 tokens"), "{message}");
        }
        assert_eq!(left(&caller.get("/v1/models").await), before);
        assert!(before.is_some());
    });
    let unfit = |_: &Query| Err(Unreadable::Unfit("roles must alternate".into()));
    let silent = FakeDoor::silent();
    let reader = ModelReader { read: Arc::new(unfit), ..reader(3) };
    serve(GatewayParts { reader, ..parts(&silent) }, options(), async |caller| {
        let refused = caller.ask(&question()).await;
        assert_eq!(refused.error(), (400, Value::Null));
        assert!(refused.text.contains("roles must alternate"), "{}", refused.text);
    });
}

/// A request for a completion, up to its body.
fn head(headers: &str) -> Vec<u8> {
    format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n").into_bytes()
}

#[test]
fn a_stranger_is_refused_before_the_body_comes() {
    serve(parts(&answering()), options(), async |caller| {
        let mut stream = TcpStream::connect(caller.address).await.unwrap();
        stream.write_all(&head("content-length: 1000")).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
    });
}

#[test]
fn requests_that_are_none_are_refused_as_the_protocol_does() {
    serve(parts(&answering()), options(), async |caller| {
        assert_eq!(caller.get("/v1/nothing").await.error(), (404, "unknown_url".into()));
        for (method, path, allowed) in
            [(Method::GET, CHAT, "POST"), (Method::DELETE, "/v1/models", "GET")]
        {
            let refused = Replied::read(caller.request(method, path)).await;
            assert_eq!(refused.error(), (405, "method_not_allowed".into()));
            assert_eq!(refused.header("allow"), Some(allowed));
        }
        let post = |body: String| caller.request(Method::POST, CHAT).body(body);
        let good = question().to_string();
        let plain = Replied::read(post(good.clone()).header("content-type", "text/plain")).await;
        assert_eq!(plain.error(), (415, "unsupported_media_type".into()));
        let json =
            |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
        let zipped = Replied::read(json(post(good)).header("content-encoding", "gzip")).await;
        assert_eq!(zipped.error(), (415, "unsupported_media_type".into()));
        let long = Replied::read(json(post("x".repeat(5_000)))).await;
        assert_eq!(long.error(), (413, "request_too_large".into()));
        let field = caller.ask(&but(&json!({"n": 2}))).await;
        assert_eq!(
            (field.error(), &field.json()["error"]["param"]),
            ((400, Value::Null), &json!("n"))
        );
    });
}

#[test]
fn a_body_of_unknown_length_is_read_no_further_than_allowed() {
    serve(parts(&answering()), options(), async |caller| {
        let head = head(&format!(
            "authorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked"
        ));
        let mut stream = TcpStream::connect(caller.address).await.unwrap();
        stream.write_all(&head).await.unwrap();
        stream.write_all(format!("1388\r\n{}\r\n", "x".repeat(5_000)).as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 413");
    });
}

#[test]
fn a_key_that_is_used_up_is_told_so_and_for_how_long() {
    let keys = ring(2, 16, 1_000);
    serve(GatewayParts { keys, ..parts(&answering()) }, options(), async |caller| {
        let first = caller.ask(&question()).await;
        let told = ["limit-requests", "remaining-requests", "reset-requests", "limit-tokens"]
            .map(|name| first.header(&format!("x-ratelimit-{name}")));
        assert_eq!(told, [Some("2"), Some("1"), Some("20s"), Some("1000")]);
        assert_eq!(first.header("x-ratelimit-remaining-tokens"), Some("991"));
        caller.ask(&question()).await;
        let refused = caller.ask(&question()).await;
        assert_eq!(refused.error(), (429, "rate_limit_exceeded".into()));
        assert_eq!(refused.header("retry-after"), Some("20"));
        assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
    });
    let keys = ring(10, 16, 5);
    serve(GatewayParts { keys, ..parts(&answering()) }, options(), async |caller| {
        assert_eq!(caller.ask(&question()).await.status, 200);
        let refused = caller.ask(&question()).await;
        assert_eq!((refused.error().0, refused.header("retry-after")), (429, Some("46400")));
        assert_eq!(refused.header("x-ratelimit-remaining-tokens"), Some("0"));
    });
}

#[test]
fn what_the_miners_come_to_has_a_status() {
    let failed = OrganicError::AllFailed { asked: 5, cause: "a\r\n\u{1b}[2Jb".into() };
    for (error, status, retry_after) in [
        (failed, 502, None),
        (OrganicError::NoMiners, 503, Some("10")),
        (OrganicError::Overloaded, 503, Some("1")),
    ] {
        serve(parts(&FakeDoor::saying(Err(error))), options(), async |caller| {
            for stream in [false, true] {
                let refused = caller.ask(&but(&json!({"stream": stream}))).await;
                assert_eq!(refused.error(), (status, "upstream_unavailable".into()));
                assert_eq!(refused.header("retry-after"), retry_after);
                let message = refused.json()["error"]["message"].take();
                assert!(!message.as_str().unwrap().contains(char::is_control), "{message}");
            }
        });
    }
    let hasty = GatewayOptions { patience: Duration::from_millis(50), ..options() };
    serve(parts(&FakeDoor::silent()), hasty, async |caller| {
        let late = caller.ask(&question()).await;
        assert_eq!(late.error(), (504, "upstream_timeout".into()));
    });
}

#[test]
fn tokens_are_charged_for_answers_and_for_hanging_up_but_not_for_failures() {
    let door = FakeDoor::new(|query| async move {
        match query.messages[0].as_str() {
            "fail" => Err(OrganicError::NoMiners),
            "wait for ever" => std::future::pending().await,
            _ => Ok("one two".to_owned()),
        }
    });
    let keys = ring(1_000, 16, 1_000);
    let left = keys.clone();
    let left = move || left.admit(Some(KEY)).unwrap().limits().tokens_left;
    serve(GatewayParts { keys, ..parts(&door) }, options(), async |caller| {
        let ask = |text: &str| but(&json!({"messages": [{"role": "user", "content": text}]}));
        caller.ask(&ask("fail")).await;
        assert_eq!(left(), 1_000);
        caller.ask(&ask("say it")).await;
        assert_eq!(left(), 996);
        let request = caller.request(Method::POST, CHAT).json(&ask("wait for ever"));
        tokio::select! {
            _ = request.send() => unreachable!(),
            () = door.until_running(1) => {}
        }
        until(|| left() == 993).await;
    });
}

#[test]
fn a_user_who_hangs_up_frees_the_place_and_gives_up_the_answer() {
    let door = FakeDoor::silent();
    let keys = ring(1_000_000, 1, 1_000);
    let place = keys.clone();
    serve(GatewayParts { keys, ..parts(&door) }, options(), async |caller| {
        for _ in 0..3 {
            let request = caller.request(Method::POST, CHAT).json(&question());
            let refused = async {
                door.until_running(1).await;
                caller.ask(&question()).await
            };
            // Dropped, the client closes its connection.
            let refused = tokio::select! {
                _ = request.send() => unreachable!(),
                refused = refused => refused,
            };
            assert_eq!((refused.error().0, refused.header("retry-after")), (429, Some("1")));
            door.until_running(0).await;
            until(|| place.admit(Some(KEY)).is_ok()).await;
        }
    });
}

#[test]
fn web_pages_may_ask_if_their_origin_is_named() {
    let named = "https://chat.example";
    let origins = vec![named.to_owned(), "http://localhost:3000".to_owned()];
    let allowing = GatewayOptions { cors_origins: origins, ..options() };
    let preflight = async |caller: &Caller, origin: &str| {
        let request = caller.stranger(Method::OPTIONS, CHAT).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request =
            request.header("access-control-request-headers", "authorization,x-stainless-os");
        Replied::read(request).await
    };
    const ALLOWED: &str = "access-control-allow-origin";
    serve(parts(&answering()), allowing, async |caller| {
        let allowed = preflight(&caller, named).await;
        assert_eq!((allowed.status, allowed.header(ALLOWED)), (200, Some(named)));
        assert_eq!(preflight(&caller, "https://evil.example").await.header(ALLOWED), None);
        let request = caller.request(Method::POST, CHAT).json(&question()).header("origin", named);
        let reply = Replied::read(request).await;
        assert_eq!((reply.status, reply.header(ALLOWED)), (200, Some(named)));
        let exposed = reply.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("retry-after"), "{exposed}");
    });
    serve(parts(&answering()), options(), async |caller| {
        assert_eq!(preflight(&caller, named).await.header(ALLOWED), None);
    });
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let taken = GatewayServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = GatewayServer::bind(taken.address()).unwrap_err();
    assert!(error.to_string().contains("choose another gateway.port"), "{error}");
    for none in ["*", "chat.example", "https://chat.example/", "null", "file:///", "https://a b"] {
        let server = GatewayServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let wrong = GatewayOptions { cors_origins: vec![none.into()], ..options() };
        let error = server.run(parts(&answering()), wrong).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("no origin")), "{none}");
    }
}

#[test]
fn what_is_under_way_is_answered_before_it_stops() {
    let release = Arc::new(Notify::new());
    let wait = Arc::clone(&release);
    let door = FakeDoor::new(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok("late".to_owned())
        }
    });
    actix_rt::System::new().block_on(async {
        let server = GatewayServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let running = server.run(parts(&door), options()).unwrap();
        let (address, stopper) = (running.address(), running.stopper());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let caller = Caller { address, http };
        let stop = async {
            door.until_running(1).await;
            // Polled in this order: the door answers once the server was told to stop.
            tokio::join!(stopper.stop(), async { release.notify_one() });
        };
        let asked = question();
        let (served, reply, ()) = tokio::join!(running.serve(), caller.ask(&asked), stop);
        served.unwrap();
        assert_eq!(reply.json()["choices"][0]["message"]["content"], "late");
        assert!(TcpStream::connect(address).await.is_err());
    });
}
