//! The Stack Exchange tool against a stand-in with the API's shapes, faults among them. No real
//! server of the API can be had.

#![expect(clippy::panic, reason = "a helper that cannot go on fails its test")]

mod clock;
mod stand_in;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};
use sn1::engine::ApiKey;
use sn1::tools::{Manners, StackExchange, StackExchangeError, StackExchangeOptions};
use sn1_actors::domain::{Context, ContextBody, Origin, SourceKind};
use sn1_actors::ports::{Tool as _, ToolError, Want};

use clock::HandClock;
use stand_in::{Coding, Fault, Rules, StandIn, answer, question};

/// An hour, after which a used-up quota is looked at again, and the margin.
const QUOTA_LOOK: Duration = Duration::from_secs(3_602);

struct Bench {
    clock: Arc<HandClock>,
    stand_in: StandIn,
    tool: StackExchange,
}

impl Bench {
    async fn new(rules: Rules) -> Self {
        Self::with(rules, |_| {}).await
    }

    async fn with(rules: Rules, change: impl Fn(&mut StackExchangeOptions)) -> Self {
        let clock = Arc::new(HandClock::default());
        let stand_in = StandIn::start(rules, Arc::clone(&clock)).await;
        let mut options = StackExchangeOptions {
            base_url: stand_in.url.clone(),
            manners: Manners {
                timeout: Duration::from_secs(8),
                ..Manners::polite("test@example.org")
            },
            ..StackExchangeOptions::stack_overflow("test@example.org")
        };
        options.pages = 1;
        change(&mut options);
        let tool = StackExchange::new(options, clock.clone()).unwrap();
        Self { clock, stand_in, tool }
    }

    async fn draw(&self, seed: u64) -> Result<Context, ToolError> {
        let random = ChaCha8Rng::seed_from_u64(seed);
        self.tool.fetch(Want::Random(SourceKind::Question), random).await
    }

    /// For how long it wants no request.
    async fn busy(&self) -> (Duration, String) {
        match self.draw(0).await {
            Err(ToolError::Busy { wait, cause, .. }) => (wait, cause),
            other => panic!("it is not busy: {other:?}"),
        }
    }

    async fn failed(&self) -> String {
        match self.draw(0).await {
            Err(ToolError::Failed { cause, .. }) => cause,
            other => panic!("it does not fail: {other:?}"),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.stand_in.asked()
    }
}

/// So many good questions, each with an accepted answer.
fn rules(count: u64) -> Rules {
    let questions = (1..=count).map(|id| question(id, 50, Some(id + 1_000))).collect();
    let answers = (1..=count).map(|id| answer(id + 1_000, id, 20)).collect();
    Rules { questions, answers, ..Rules::default() }
}

#[tokio::test]
async fn a_batch_of_questions_costs_three_requests_at_most() {
    let mut rules = rules(60);
    for id in 61..=100 {
        rules.questions.push(question(id, 40, None));
        rules.answers.push(answer(id + 1_000, id, 3));
        rules.answers.push(answer(id + 2_000, id, 9));
    }
    let bench = Bench::new(rules).await;
    let mut drawn = BTreeSet::new();
    for seed in 0..100 {
        let context = bench.draw(seed).await.unwrap();
        let ContextBody::Question { answer, .. } = &context.body else { panic!("{context:?}") };
        let id: u64 = context.title.strip_prefix("How do I do thing ").unwrap().parse().unwrap();
        // The accepted answer, else the best one.
        let best = if id <= 60 { id + 1_000 } else { id + 2_000 };
        assert!(answer.starts_with(&format!("Answer {best}:")), "{id}: {answer}");
        drawn.insert(id);
    }
    assert_eq!(drawn.len(), 100, "none is drawn twice");
    let asked = bench.asked();
    assert_eq!(asked.len(), 3, "{asked:#?}");
    assert!(asked.iter().all(|path| path.contains("filter=withbody")), "{asked:#?}");

    bench.draw(100).await.unwrap();
    assert_eq!(bench.asked().len(), 6, "the pool was used up");
}

#[tokio::test]
async fn a_question_comes_as_people_read_it_and_with_its_authors() {
    let mut asked = question(7, 31, Some(8));
    asked["title"] = json!("Why is &quot;a &lt; b&quot; &amp; not <b>?");
    asked["body"] = json!(
        "<p>I have <code>Vec&lt;T&gt;</code>:</p>\n<pre class=\"lang-rust\"><code>fn f() {\n    g();\n}\n</code></pre>"
    );
    asked["owner"]["display_name"] = json!("A&#237;da");
    asked["tags"] = json!(["rust", "generics"]);
    let mut answered = answer(8, 7, 20);
    answered["owner"] = json!({ "user_type": "does_not_exist", "display_name": "user123" });
    answered["content_license"] = json!("CC BY-SA 3.0");
    answered["body"] = json!("<p>Because.</p><ul><li>one</li><li>two</li></ul>");
    let rules = Rules { questions: vec![asked], answers: vec![answered], ..Rules::default() };
    let context = Bench::new(rules).await.draw(1).await.unwrap();
    let expected = Context {
        source: "stackexchange".into(),
        title: "Why is \"a < b\" & not ?".into(),
        topic: "Why is \"a < b\" & not ?".into(),
        subtopic: "rust".into(),
        tags: vec!["rust".into(), "generics".into()],
        origin: Some(Origin {
            url: "https://stackoverflow.com/questions/7/x".into(),
            author: Some("Aída (question), user123 (answer)".into()),
            license: Some("CC BY-SA 4.0 (question), CC BY-SA 3.0 (answer)".into()),
        }),
        body: ContextBody::Question {
            question:
                "Why is \"a < b\" & not ?\n\nI have `Vec<T>`:\n\n```\nfn f() {\n    g();\n}\n```"
                    .into(),
            answer: "Because.\n\n- one\n- two".into(),
        },
    };
    assert_eq!(context, expected);
}

#[tokio::test]
async fn what_is_lowly_rated_unanswered_or_broken_is_passed_over() {
    let mut rules = rules(1);
    rules.questions.push(question(2, 9, Some(1_002)));
    rules.answers.push(answer(1_002, 2, 9));
    let mut unanswered = question(3, 99, None);
    unanswered["answer_count"] = json!(0);
    rules.questions.push(unanswered);
    rules.questions.extend([json!({}), json!("text"), json!({ "question_id": -4 })]);
    // Says that it has an answer, but none comes; one that has no text; one that is too long.
    rules.questions.push(question(4, 99, None));
    for id in [5, 6] {
        rules.questions.push(question(id, 99, Some(1_000 + id)));
        rules.answers.push(answer(1_000 + id, id, 1));
    }
    let last = rules.answers.len() - 1;
    rules.answers[last - 1]["body"] = json!("<p> </p>");
    rules.answers[last]["body"] = json!("x".repeat(100_000));
    // The owners are gone altogether.
    rules.questions[0].as_object_mut().unwrap().remove("owner");
    rules.answers[0].as_object_mut().unwrap().remove("owner");
    let bench = Bench::new(rules).await;
    for seed in 0..4 {
        let context = bench.draw(seed).await.unwrap();
        assert_eq!(context.title, "How do I do thing 1");
        assert_eq!(context.origin.unwrap().author, None);
    }
}

#[tokio::test]
async fn nothing_to_draw_from_is_told_from_a_failure() {
    let bench = Bench::new(Rules::default()).await;
    let nothing = Err(ToolError::Nothing { tool: "stackexchange" });
    assert_eq!(bench.draw(0).await, nothing);
    assert_eq!(bench.asked().len(), 2, "an empty page is asked for twice at most");

    let mut without_answers = rules(5);
    without_answers.answers.clear();
    assert_eq!(Bench::new(without_answers).await.draw(0).await, nothing);

    for want in [
        Want::Random(SourceKind::Article),
        Want::Search(SourceKind::Article, "x".into()),
        Want::Title("x".into()),
    ] {
        let random = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(bench.tool.fetch(want, random).await, nothing);
    }
    assert_eq!(bench.asked().len(), 2, "for these nothing is asked");
}

#[tokio::test]
async fn pages_behind_the_last_are_not_asked_for_again() {
    let bench = Bench::with(rules(150), |options| options.pages = 25).await;
    let mut empty = 0;
    for seed in 0..400 {
        match bench.draw(seed).await {
            Ok(_) => {}
            Err(ToolError::Nothing { .. }) => empty += 1,
            other => panic!("{other:?}"),
        }
    }
    let pages: Vec<u32> = bench
        .asked()
        .iter()
        .filter_map(|path| path.split_once("&page=")?.1.split('&').next()?.parse().ok())
        .collect();
    assert!(pages.iter().filter(|page| **page > 2).count() <= 5, "{pages:?}");
    assert!(pages.contains(&1) && pages.contains(&2) && empty <= 3, "{pages:?}");
}

#[tokio::test]
async fn a_backoff_is_obeyed_by_method() {
    let bench = Bench::new(Rules { backoff_every: Some(1), ..rules(2) }).await;
    let mut waits = 0;
    for seed in 0..10 {
        // First the questions, then their answers ask for a rest.
        while let Err(error) = bench.draw(seed).await {
            let ToolError::Busy { wait, cause, .. } = error else { panic!("{error:?}") };
            assert!(
                wait <= Duration::from_secs(12) && cause.contains("back off"),
                "{wait:?} {cause}"
            );
            let asked = bench.asked().len();
            bench.clock.pass(wait - Duration::from_millis(1));
            bench.busy().await;
            assert_eq!(bench.asked().len(), asked, "nothing is sent meanwhile");
            bench.clock.pass(Duration::from_millis(1));
            waits += 1;
        }
    }
    assert_eq!(bench.asked().len(), 10, "two requests for each batch of two");
    assert_eq!(waits, 8, "for each request but the first two");
    assert_eq!(bench.stand_in.violations(), 0);
}

#[tokio::test]
async fn when_the_quota_is_used_up_nothing_is_sent_for_an_hour() {
    let bench = Bench::new(Rules { quota: 2, ..rules(1) }).await;
    bench.draw(0).await.unwrap();
    let (wait, cause) = bench.busy().await;
    assert!(cause.contains("quota") && wait <= QUOTA_LOOK, "{cause} {wait:?}");
    bench.clock.pass(wait - Duration::from_secs(1));
    bench.busy().await;
    assert_eq!(bench.asked().len(), 2);

    // It is looked once, and told for how long.
    bench.clock.pass(Duration::from_secs(1));
    let (wait, cause) = bench.busy().await;
    assert_eq!(wait, Duration::from_secs(82_218));
    assert!(cause.contains("too many requests from this IP"), "{cause}");
    bench.clock.pass(wait - Duration::from_secs(1));
    bench.busy().await;
    assert_eq!(bench.asked().len(), 3);

    bench.stand_in.change(|rules| rules.quota = 100);
    bench.clock.pass(Duration::from_secs(1));
    bench.draw(0).await.unwrap();
}

#[tokio::test]
async fn throttles_and_bans_are_left_in_peace() {
    let error = |id: i64, name: &str, message: &str| {
        Fault::Error(400, json!({ "error_id": id, "error_name": name, "error_message": message }))
    };
    for (fault, least) in [
        (error(502, "throttle_violation", "Violation of backoff parameter"), 60),
        (error(502, "throttle_violation", "more requests available in 7 seconds"), 7),
        (error(502, "throttle_violation", "slow down"), 60),
        (error(503, "temporarily_unavailable", "try again later"), 60),
        (Fault::Html(503), 60),
        (Fault::Html(429), 60),
    ] {
        let name = format!("{fault:?}");
        let bench = Bench::new(rules(1)).await;
        bench.stand_in.next([fault]);
        let (wait, _) = bench.busy().await;
        assert!(wait >= Duration::from_secs(least + 1), "{name}: {wait:?}");
        bench.busy().await;
        assert_eq!(bench.asked().len(), 1, "{name}: it is not asked again");
        bench.clock.pass(wait);
        assert!(bench.draw(0).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn refusals_are_told_with_the_cause_and_not_repeated() {
    for (id, name, message) in [
        (400, "bad_parameter", "No site found for name `x`"),
        (401, "access_token_required", "this needs a token"),
        (403, "access_denied", "page above 25 requires access token or app key"),
        (404, "no_method", "no method found with this name"),
        (405, "key_required", "this needs a key"),
    ] {
        let bench = Bench::new(rules(1)).await;
        let body = json!({ "error_id": id, "error_name": name, "error_message": message });
        bench.stand_in.next([Fault::Error(400, body)]);
        let cause = bench.failed().await;
        assert!(cause.contains(name) && cause.contains(message), "{cause}");
        assert!(cause.contains("correct the site or the key"), "{cause}");
        assert_eq!(bench.asked().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    let internal = || {
        let body = json!({ "error_id": 500, "error_name": "internal_error", "error_message": "x" });
        Fault::Error(400, body)
    };
    let bench = Bench::new(rules(1)).await;
    bench.stand_in.next([internal(), Fault::Html(502)]);
    bench.draw(0).await.unwrap();
    bench.stand_in.next([Fault::Garbage, Fault::Cut]);
    bench.draw(0).await.unwrap();

    let bench = Bench::new(rules(1)).await;
    for fault in [internal(), Fault::Garbage, Fault::Cut, Fault::Html(502), Fault::Html(200)] {
        let name = format!("{fault:?}");
        let before = bench.asked().len();
        bench.stand_in.next([fault.clone(), fault.clone(), fault]);
        let cause = bench.failed().await;
        assert!(!cause.contains('\u{1b}') && cause.len() < 600, "{name}: {cause}");
        assert_eq!(bench.asked().len(), before + 3, "{name}");
    }
    bench.stand_in.next([Fault::Endless]);
    assert!(bench.failed().await.contains("longer than"));
    bench.draw(0).await.unwrap();
}

#[tokio::test]
async fn questions_whose_answers_could_not_be_had_are_not_asked_for_again() {
    let bench = Bench::new(rules(3)).await;
    let refused = json!({ "error_id": 503, "error_name": "temporarily_unavailable" });
    bench.stand_in.after(1, Fault::Error(400, refused));
    let (wait, _) = bench.busy().await;
    bench.clock.pass(wait);
    bench.draw(0).await.unwrap();
    let asked = bench.asked();
    assert_eq!(asked.iter().filter(|path| path.contains("/questions?")).count(), 1, "{asked:#?}");
    assert_eq!(asked.len(), 3, "{asked:#?}");
}

#[tokio::test]
async fn every_coding_of_answers_is_understood() {
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Plain] {
        Bench::new(Rules { coding, ..rules(1) }).await.draw(0).await.unwrap();
    }
}

#[tokio::test]
async fn the_key_is_sent_if_there_is_one() {
    let bench = Bench::with(rules(1), |options| options.key = Some(key())).await;
    bench.draw(0).await.unwrap();
    assert!(bench.asked().iter().all(|path| path.ends_with("&key=k%2Bey%28%28")));
}

fn key() -> ApiKey {
    ApiKey::new("MY_KEY", "k+ey((").unwrap()
}

#[tokio::test]
async fn the_key_is_shown_nowhere_even_where_the_server_repeats_it() {
    let told = json!({
        "error_id": 400, "error_name": "bad_parameter", "error_message": "no /2.3?key=k%2Bey%28%28",
    });
    let plain = json!({ "error_id": 502, "error_name": "throttle", "error_message": "k+ey((" });
    let long = format!("{}/2.3?key=k%2bey%28%28", "x".repeat(185));
    for fault in [
        Fault::Error(400, told),
        Fault::Error(400, plain),
        Fault::Error(403, json!("GET /2.3?key=k%2Bey%28%28 is forbidden")),
        Fault::Error(429, json!("GET /2.3?key=k%2Bey%28%28, slow down")),
        // Cut where it would show a part of the key.
        Fault::Error(403, json!(long)),
    ] {
        let bench = Bench::with(rules(1), |options| options.key = Some(key())).await;
        bench.stand_in.next([fault]);
        let error = bench.draw(0).await.unwrap_err().to_string();
        assert!(!error.contains("k+") && !error.contains("k%2"), "{error}");
        assert!(error.contains('…'), "{error}");
    }
    let options = StackExchangeOptions {
        key: Some(key()),
        ..StackExchangeOptions::stack_overflow("test@example.org")
    };
    assert!(!format!("{options:?}").contains("k+ey"), "{options:?}");
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let error = |change: fn(&mut StackExchangeOptions)| {
        let mut options = StackExchangeOptions::stack_overflow("test@example.org");
        change(&mut options);
        StackExchange::new(options, Arc::new(HandClock::default())).err().unwrap()
    };
    for url in ["", "api.stackexchange.com", "file:///etc/passwd", "mailto:x@example.org"] {
        let mut options = StackExchangeOptions::stack_overflow("test@example.org");
        options.base_url = url.into();
        let error = StackExchange::new(options, Arc::new(HandClock::default())).err().unwrap();
        assert!(matches!(error, StackExchangeError::Url { .. }), "{url}: {error}");
    }
    assert_eq!(error(|options| options.pages = 0), StackExchangeError::Pages(0));
    assert_eq!(error(|options| options.pages = 26), StackExchangeError::Pages(26));
    assert!(matches!(error(|options| options.manners.tries = 0), StackExchangeError::Http(_)));
}

#[tokio::test]
async fn the_reference_answers_are_understood() {
    let Some(folder) = std::env::var_os("TEST_FIXTURES") else {
        println!("skipped: TEST_FIXTURES is not set");
        return;
    };
    let folder = std::path::Path::new(&folder).join("stackexchange");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let file = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let whole = |name| Fault::Error(200, file(name));
    let bench = Bench::new(Rules::default()).await;
    bench.stand_in.next([whole("questions.page1.json"), whole("answers.1001.withbody.json")]);
    let context = bench.draw(0).await.unwrap();
    assert_eq!(context.title, "Why does a \"while\" loop with a float counter never end?");
    assert_eq!(context.origin.unwrap().author.unwrap(), "Ada (question), Grace (answer)");
    let ContextBody::Question { answer, .. } = context.body else { panic!("no question") };
    assert!(answer.contains("```\nlet mut i = 0;\nwhile i < 10 { i += 1; }\n```"), "{answer}");

    let bench = Bench::new(Rules::default()).await;
    bench.stand_in.next([whole("questions.backoff.json"), whole("answers.empty.json")]);
    bench.stand_in.next([whole("answers.empty.json")]);
    assert!(bench.busy().await.1.contains("back off"));

    for (name, wait) in [
        ("error.502.throttle_ip.json", Some(82_218)),
        ("error.502.backoff.json", Some(62)),
        ("error.503.json", Some(62)),
        ("error.400.bad_parameter.json", None),
        ("error.404.no_method.json", None),
    ] {
        let bench = Bench::new(Rules::default()).await;
        bench.stand_in.next([Fault::Error(400, file(name))]);
        match wait {
            Some(seconds) => {
                assert_eq!(bench.busy().await.0, Duration::from_secs(seconds), "{name}");
            }
            None => assert!(bench.failed().await.contains("error 40"), "{name}"),
        }
    }
}
