//! Faults between the tool and a wiki; where there is no MediaWiki, a canned one stands in for it.

use serde_json::json;

use super::*;

type Fault = fn() -> Fate;

/// An answer to whatever the tool asks: one page.
fn canned(path: &str) -> String {
    let page = json!({
        "pageid": 1, "ns": 0, "title": "Abacus", "length": 5_000,
        "canonicalurl": "http://127.0.0.1/wiki/Abacus",
        "extract": "The abacus is a counting frame. ".repeat(50),
        "categories": [{"ns": 14, "title": "Category:Abacus"}],
        "linkshere": [{"pageid": 2, "ns": 0, "title": "Sum"}],
    });
    assert!(path.starts_with("/w/api.php?action=query&"), "{path}");
    json!({"batchcomplete": true, "query": {"pages": [page]}}).to_string()
}

async fn proxy(fate: impl Fn(usize) -> Fate + Send + 'static) -> (FaultProxy, WikipediaConfig) {
    let upstream = wiki().map_or(Upstream::Canned(canned), |api| server(&api));
    let proxy = FaultProxy::start(upstream, fate).await;
    let config = config(&format!("{}/w/api.php", proxy.url));
    (proxy, config)
}

fn too_many() -> Fate {
    Fate::Answered("429 Too Many Requests", "Retry-After: 7\r\n".into(), "Slow down, please.")
}

fn unavailable() -> Fate {
    Fate::Answered("503 Service Unavailable", String::new(), "<h1>Our servers\r\nare tired</h1>")
}

fn lagging() -> Fate {
    let error =
        r#"{"errors": [{"code": "maxlag", "text": "Waiting for db1: 9.5 seconds lagged."}]}"#;
    Fate::Answered("200 OK", "Retry-After: 5\r\nX-Database-Lag: 9\r\n".into(), error)
}

fn rate_limited() -> Fate {
    let error =
        r#"{"errors": [{"code": "ratelimited", "text": "You've exceeded your rate limit."}]}"#;
    Fate::Answered("200 OK", String::new(), error)
}

fn broken() -> Fate {
    let error =
        r#"{"errors": [{"code": "internal_api_error_DBQueryError", "text": "[x] Caught"}]}"#;
    Fate::Answered("200 OK", String::new(), error)
}

fn garbage() -> Fate {
    Fate::Answered("200 OK", String::new(), "\u{1b}[2J<html>Log in to the hotel's network</html>")
}

fn unzippable() -> Fate {
    Fate::Answered("200 OK", "Content-Encoding: gzip\r\n".into(), "this is no gzip")
}

fn round() -> Fate {
    Fate::Answered("302 Found", "Location: /w/api.php?action=query&round\r\n".into(), "")
}

fn away() -> Fate {
    Fate::Answered("302 Found", "Location: http://127.0.0.2:1/w/api.php\r\n".into(), "")
}

fn forbidden() -> Fate {
    Fate::Answered("403 Forbidden", String::new(), "Please set a user-agent.")
}

#[tokio::test]
async fn a_fault_that_passes_is_survived() {
    let faults: [Fault; 8] =
        [too_many, unavailable, lagging, rate_limited, broken, garbage, unzippable, || Fate::Cut];
    for (number, fault) in faults.into_iter().enumerate() {
        let (proxy, config) =
            proxy(move |count| if count < 2 { fault() } else { Fate::Passed }).await;
        let article = titled(&tool_with(config), "Abacus").await;
        assert_eq!(article.map(|article| article.title), Ok("Abacus".into()), "fault {number}");
        assert_eq!(proxy.paths().len(), 3, "fault {number}");
    }
}

/// What a fault that stays comes to, and the requests that were made.
async fn lasting(fault: Fault, want: Want) -> (ToolError, usize) {
    let (proxy, mut config) = proxy(move |_| fault()).await;
    // A real server may be slow as well: only one that never answers is not waited for.
    if matches!(fault(), Fate::Silent) {
        config.manners.timeout = Duration::from_millis(200) * HURRY;
    }
    let error = fetch(&tool_with(config), want, 0).await.unwrap_err();
    (error, proxy.paths().len())
}

#[tokio::test]
async fn a_fault_that_stays_is_named_after_a_few_requests() {
    let faults: [(Fault, &str, usize); 9] = [
        (broken, "internal_api_error_DBQueryError: [x] Caught", 3),
        (garbage, "not one of the MediaWiki API", 3),
        (unzippable, "garbled", 3),
        (|| Fate::Cut, "cut short", 3),
        (|| Fate::Silent, "no whole answer within", 3),
        (|| Fate::Endless, "longer than 4194304 bytes", 1),
        (round, "redirects more than 3 times", 4),
        (away, "redirects to another host, http://127.0.0.2:1", 1),
        (forbidden, "status 403: Please set a user-agent.", 1),
    ];
    for (fault, words, requests) in faults {
        for want in [Want::Title("Abacus".into()), Want::Random(SourceKind::Article)] {
            let (error, asked) = lasting(fault, want).await;
            let ToolError::Failed { tool: "wikipedia", cause } = &error else {
                panic!("{error:?}")
            };
            assert!(cause.contains(words) && !cause.contains(char::is_control), "{cause}");
            assert!(cause.chars().count() < 500, "{cause}");
            assert_eq!(asked, requests, "{cause}");
        }
    }
}

#[tokio::test]
async fn a_wiki_that_stays_busy_is_reported_as_busy() {
    let faults: [(Fault, u64, &str); 4] = [
        (too_many, 7, "status 429: Slow down, please."),
        (unavailable, 1, "status 503: <h1>Our servers  are tired</h1>"),
        (lagging, 5, "maxlag: Waiting for db1: 9.5 seconds lagged."),
        (rate_limited, 1, "ratelimited: You've exceeded your rate limit."),
    ];
    for (fault, least, words) in faults {
        let (error, asked) = lasting(fault, Want::Title("Abacus".into())).await;
        let ToolError::Busy { tool: "wikipedia", wait, cause } = error else { panic!("{error:?}") };
        assert!(wait >= Duration::from_secs(least), "{wait:?}: {cause}");
        assert!(cause.contains(words), "{cause}");
        assert_eq!(asked, 3, "{cause}");
    }
}

#[tokio::test]
async fn a_wiki_that_wants_a_long_rest_gets_it() {
    let hour = || Fate::Answered("429 Too Many Requests", "Retry-After: 3600\r\n".into(), "no");
    let (proxy, mut config) = proxy(move |_| hour()).await;
    config.manners.longest_wait = Duration::from_secs(20);
    let tool = tool_with(config);
    for _ in 0..3 {
        let error = titled(&tool, "Abacus").await.unwrap_err();
        let ToolError::Busy { wait, .. } = error else { panic!("{error:?}") };
        assert!(wait > Duration::from_secs(3_000), "{wait:?}");
    }
    assert_eq!(proxy.paths().len(), 1, "it is asked no more");
}
