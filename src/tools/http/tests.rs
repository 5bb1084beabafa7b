use futures_util::future::{BoxFuture, join_all};
use rand_chacha::rand_core::SeedableRng;
use sn1_actors::domain::Moment;

use super::*;
use crate::models::test_server::{Reply as Act, Seen, Server, answer};

/// Only what is waited for on the network passes in real time; all other sleep is noted and over.
#[derive(Default)]
struct NotedClock {
    now: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

const TIMEOUT: Duration = Duration::from_millis(700);
const LONGEST_WAIT: Duration = Duration::from_secs(19);
/// A pause between requests that is longer than that.
const SELDOM: Duration = Duration::from_secs(32);

impl Clock for NotedClock {
    fn now(&self) -> Moment {
        Moment(*self.now.lock())
    }

    fn unix(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        if [TIMEOUT, LONGEST_WAIT, SELDOM * TURNS].contains(&delay) {
            return Box::pin(tokio::time::sleep(delay));
        }
        *self.now.lock() += delay;
        self.slept.lock().push(delay);
        Box::pin(tokio::task::yield_now())
    }
}

fn manners() -> Manners {
    Manners {
        timeout: TIMEOUT,
        longest_wait: LONGEST_WAIT,
        max_bytes: 1_000,
        ..Manners::polite("mail@example.org")
    }
}

fn http() -> (Http, Arc<NotedClock>) {
    let clock = Arc::new(NotedClock::default());
    (Http::new(manners(), clock.clone()).unwrap(), clock)
}

async fn get(http: &Http, url: &str) -> Result<String, FetchError> {
    let mut jitter = ChaCha8Rng::seed_from_u64(1);
    let judge = |reply: Reply| match reply.complaint() {
        Some(verdict) => verdict,
        None => Verdict::Good(String::from_utf8(reply.body).unwrap()),
    };
    let (url, headers) = (url.parse().unwrap(), HeaderMap::new());
    let get = http.get(&url, &headers, &mut jitter, judge);
    tokio::time::timeout(Duration::from_secs(15), get).await.expect("it hangs")
}

fn ok(body: &[u8]) -> Act {
    Act::Raw(answer("200 OK", &format!("Content-Length: {}\r\n", body.len()), body))
}

fn status(status: &str, headers: &str) -> Act {
    Act::Raw(answer(status, &format!("{headers}Content-Length: 2\r\n"), b"no"))
}

/// Replies in this order, the last one for ever.
async fn server(replies: Vec<fn() -> Act>) -> Server {
    Server::start(move |_: &Seen, count| replies[count.min(replies.len() - 1)]()).await
}

fn failed(result: Result<String, FetchError>) -> String {
    match result {
        Err(FetchError::Failed { cause }) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn says_who_asks_and_keeps_a_pause_between_requests() {
    let server = server(vec![|| ok(b"well")]).await;
    let (http, clock) = http();
    for _ in 0..3 {
        assert_eq!(get(&http, &server.url).await, Ok("well".into()));
    }
    let agent = server.seen()[0].header("user-agent").unwrap().to_owned();
    assert!(agent.starts_with("sn1/") && agent.contains("(mail@example.org)"), "{agent}");
    assert!(server.seen()[0].header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!(*clock.slept.lock(), [Duration::from_secs(1); 2]);
}

#[tokio::test]
async fn a_host_that_is_seldom_asked_is_waited_for() {
    let server = server(vec![|| ok(b"well")]).await;
    let clock = Arc::new(NotedClock::default());
    let seldom = Manners { requests_per_second: SELDOM.as_secs_f64().recip(), ..manners() };
    let http = Http::new(seldom, clock.clone()).unwrap();
    for _ in 0..3 {
        assert_eq!(get(&http, &server.url).await, Ok("well".into()));
    }
    assert_eq!(*clock.slept.lock(), [SELDOM; 2]);
}

#[tokio::test]
async fn has_one_request_in_flight_to_a_host() {
    let server = server(vec![|| ok(b"well")]).await;
    let (http, _) = http();
    let answers = join_all((0..5).map(|_| get(&http, &server.url))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!((server.seen().len(), server.most_at_once()), (5, 1));
}

#[tokio::test]
async fn a_turn_that_does_not_come_is_not_laid_to_the_host() {
    let server = server(vec![|| Act::Stall(Vec::new())]).await;
    let manners = Manners {
        timeout: LONGEST_WAIT,
        longest_wait: TIMEOUT,
        requests_per_second: 1e6,
        ..manners()
    };
    let http = Http::new(manners, Arc::new(NotedClock::default())).unwrap();
    let cause = format!("too many requests wait for their turn at {}", server.url);
    tokio::select! {
        biased;
        first = get(&http, &server.url) => panic!("{first:?}"),
        second = get(&http, &server.url) => assert_eq!(second, Err(FetchError::Crowded { cause })),
    }
}

#[tokio::test]
async fn tries_again_after_growing_pauses_and_gives_up_in_the_end() {
    let flaky = server(vec![
        || status("500 Oops", ""),
        || Act::Raw(answer("200 OK", "Content-Length: 99\r\n", b"half")),
        || ok(b"well"),
    ])
    .await;
    let (http, clock) = http();
    assert_eq!(get(&http, &flaky.url).await, Ok("well".into()));
    let pauses: Vec<f64> = clock.slept.lock().iter().map(Duration::as_secs_f64).collect();
    let [first, second] = pauses[..] else { panic!("{pauses:?}") };
    assert!((1.0..1.5).contains(&first) && (2.0..3.0).contains(&second), "{pauses:?}");

    let broken = server(vec![|| status("502 Oops", "")]).await;
    assert_eq!(failed(get(&http, &broken.url).await), "status 502: no");
    assert_eq!(broken.seen().len(), 3);
}

#[tokio::test]
async fn asks_but_once_for_what_is_refused() {
    let server = server(vec![|| status("404 Not Found", "")]).await;
    assert_eq!(failed(get(&http().0, &server.url).await), "status 404: no");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn waits_as_long_as_a_host_asks_for() {
    let server =
        server(vec![|| status("429 Slow Down", "Retry-After: 7\r\n"), || ok(b"well")]).await;
    let (http, clock) = http();
    assert_eq!(get(&http, &server.url).await, Ok("well".into()));
    assert_eq!(*clock.slept.lock(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn reports_a_long_rest_at_once_and_keeps_it() {
    let server = server(vec![|| status("503 Later", "Retry-After: 600\r\n"), || ok(b"well")]).await;
    let (http, clock) = http();
    let busy = |seconds| {
        let wait = Duration::from_secs(seconds);
        Err(FetchError::Busy { wait, cause: "status 503: no".into() })
    };
    assert_eq!(get(&http, &server.url).await, busy(600));
    *clock.now.lock() += Duration::from_secs(100);
    assert_eq!(get(&http, &server.url).await, busy(500));
    assert_eq!(server.seen().len(), 1);
    *clock.now.lock() += Duration::from_secs(500);
    assert_eq!(get(&http, &server.url).await, Ok("well".into()));
}

#[tokio::test]
async fn a_host_that_is_always_busy_is_reported_as_busy() {
    let server = server(vec![|| status("429 Slow Down", "")]).await;
    let (http, _) = http();
    assert!(matches!(get(&http, &server.url).await, Err(FetchError::Busy { .. })));
    assert_eq!(server.seen().len(), 3);

    let eternal = self::server(vec![|| status("429 No", "Retry-After: 1e99\r\n")]).await;
    let busy = Err(FetchError::Busy { wait: LONGEST_REST, cause: "status 429: no".into() });
    assert_eq!(get(&http, &eternal.url).await, busy);
}

/// 64 KiB of zeros, compressed.
const BOMB: &str = "1f8b0800000000000203edc101010000008090feafee080a000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000006aeb8e97d700000100";

#[tokio::test]
async fn reads_no_more_than_so_much_of_an_answer() {
    let bodies: [fn() -> Act; 2] = [
        || Act::Endless(answer("200 OK", "", b""), vec![b'x'; 500]),
        || Act::Raw(answer("200 OK", "Content-Encoding: gzip\r\n", &hex::decode(BOMB).unwrap())),
    ];
    for body in bodies {
        let server = server(vec![body]).await;
        let cause = failed(get(&http().0, &server.url).await);
        assert_eq!(cause, "the answer is longer than 1000 bytes");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn waits_so_long_for_an_answer_that_does_not_come_or_does_not_end() {
    let silent: [fn() -> Act; 2] = [
        || Act::Stall(Vec::new()),
        || Act::Stall(answer("200 OK", "Content-Length: 99\r\n", b"half")),
    ];
    for reply in silent {
        let server = server(vec![reply]).await;
        let cause = failed(get(&http().0, &server.url).await);
        assert_eq!(cause, "no whole answer within 700ms");
        assert_eq!(server.seen().len(), 3);
    }
}

#[tokio::test]
async fn garbled_answers_and_dead_hosts_are_named() {
    let garbled: fn() -> Act =
        || Act::Raw(answer("200 OK", "Content-Encoding: gzip\r\n", b"this is not gzip at all"));
    let garbled = server(vec![garbled]).await;
    let cause = failed(get(&http().0, &garbled.url).await);
    assert!(cause.contains("garbled"), "{cause}");
    let noise = server(vec![|| Act::Raw(b"\x00\x01what?".to_vec())]).await;
    let cause = failed(get(&http().0, &noise.url).await);
    assert!(cause.contains("broke off"), "{cause}");
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cause = failed(get(&http().0, &format!("http://{dead}")).await);
    assert!(cause.contains("cannot connect"), "{cause}");
}

#[tokio::test]
async fn follows_a_redirect_on_the_host_and_none_that_leads_away_or_round() {
    let moved = server(vec![|| status("302 Found", "Location: /b\r\n"), || ok(b"well")]).await;
    assert_eq!(get(&http().0, &moved.url).await, Ok("well".into()));
    assert_eq!(moved.seen()[1].path, "/b");

    let other = server(vec![|| ok(b"stolen")]).await;
    let url = other.url.clone();
    let away =
        Server::start(move |_, _| status("302 Found", &format!("Location: {url}\r\n"))).await;
    let cause = failed(get(&http().0, &away.url).await);
    assert_eq!(cause, format!("it redirects to another host, {}", other.url));
    assert!(other.seen().is_empty() && away.seen().len() == 1);

    let round = server(vec![|| status("302 Found", "Location: /\r\n")]).await;
    assert_eq!(failed(get(&http().0, &round.url).await), "it redirects more than 3 times");
    assert_eq!(round.seen().len(), 4);
}

#[test]
fn manners_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut Manners)| {
        let mut manners = manners();
        change(&mut manners);
        Http::new(manners, Arc::new(NotedClock::default())).err().unwrap().to_string()
    };
    assert!(refused(|m| m.requests_per_second = 0.0).contains("requests per second"));
    assert!(refused(|m| m.requests_per_second = f64::NAN).contains("requests per second"));
    assert!(refused(|m| m.in_flight = 0).contains("at least"));
    assert!(refused(|m| m.tries = 0).contains("at least"));
    assert!(refused(|m| m.contact = "a\nb".into()).contains("contact"));
    assert!(refused(|m| m.contact = " ".into()).contains("contact"));
}
