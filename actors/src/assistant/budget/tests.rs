use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::pending;

use super::*;
use crate::domain::{ChatMessage, FinishReason, Sampling};

/// A book in memory, of which all clones are the same; it can be told to fail.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<(Spending, bool)>>);

impl SpendingBook for Paper {
    fn load(&self) -> Result<Spending, BookError> {
        Ok(self.0.lock().0)
    }

    fn save(&self, spending: Spending) -> Result<(), BookError> {
        let mut paper = self.0.lock();
        if paper.1 {
            return Err(BookError { place: "paper".into(), cause: "full".into() });
        }
        paper.0 = spending;
        Ok(())
    }
}

struct Calendar(Mutex<u64>);

impl Clock for Calendar {
    fn now(&self) -> crate::domain::Moment {
        crate::domain::Moment(Duration::ZERO)
    }

    fn unix(&self) -> Duration {
        Duration::from_secs(*self.0.lock() * DAY_SECONDS + 5)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

/// Bills as told by the question, or never answers.
struct Writer;

impl TextBackend for Writer {
    fn generate(
        &self,
        request: TextRequest,
        _: Option<mpsc::Sender<Piece>>,
    ) -> BoxFuture<'static, Result<Generation, TextError>> {
        let asked = request.messages[0].content.clone();
        Box::pin(async move {
            match asked.as_str() {
                "hang" => pending().await,
                "refuse" => Err(TextError::Request("no such model".into())),
                "away" => Err(TextError::NotSent("it rests".into())),
                "dead" => Err(TextError::Unavailable("refused".into())),
                "break" => Err(TextError::Interrupted("reset".into())),
                bill => Ok(Generation {
                    text: "yes".into(),
                    prompt_ids: Vec::new(),
                    generated_ids: Vec::new(),
                    billed_tokens: bill.parse().ok(),
                    finish_reason: FinishReason::Stop,
                    queued: Duration::ZERO,
                    prefill: Duration::ZERO,
                    decode: Duration::ZERO,
                }),
            }
        })
    }

    fn capacity(&self) -> usize {
        4
    }
}

struct Bench {
    paper: Paper,
    calendar: Arc<Calendar>,
}

impl Bench {
    fn new() -> Self {
        Self { paper: Paper::default(), calendar: Arc::new(Calendar(Mutex::new(20_000))) }
    }

    /// As a process that begins: it knows nothing but the book.
    fn open(&self, cap: u64) -> Capped {
        let clock = Arc::clone(&self.calendar) as Arc<dyn Clock>;
        let budget = DailyBudget::open(cap, Box::new(self.paper.clone()), clock).unwrap();
        Capped::new(Arc::new(Writer), budget)
    }

    fn spent(&self) -> u64 {
        self.paper.0.lock().0.tokens
    }
}

/// May take 50 tokens for the text and 17 or 18 for the question.
fn request(asked: &str) -> TextRequest {
    let sampling = Sampling { max_new_tokens: 50, ..Sampling::ORIGINAL };
    TextRequest { messages: vec![ChatMessage::user(asked)], sampling, stop: Vec::new() }
}

fn ask(capped: &Capped, asked: &str) -> Option<Result<Generation, TextError>> {
    capped.generate(request(asked), None).now_or_never()
}

#[test]
fn what_is_billed_is_spent_and_beyond_the_cap_answers_fail_with_the_cause() {
    let bench = Bench::new();
    let capped = bench.open(100);
    assert!(ask(&capped, "30").unwrap().is_ok());
    assert_eq!(bench.spent(), 30);
    assert!(ask(&capped, "10").unwrap().is_ok());
    assert_eq!(bench.spent(), 40);
    let refused = ask(&capped, "10").unwrap().unwrap_err().to_string();
    assert!(refused.contains("40 of the 100 tokens of openai.daily_tokens"), "{refused}");
    assert_eq!(bench.spent(), 40);
}

#[test]
fn the_count_survives_a_restart_and_ends_with_the_day_but_not_when_the_clock_is_set_back() {
    let bench = Bench::new();
    assert!(ask(&bench.open(100), "60").unwrap().is_ok());
    assert!(ask(&bench.open(100), "1").unwrap().is_err());
    *bench.calendar.0.lock() -= 1;
    assert!(ask(&bench.open(100), "1").unwrap().is_err());
    *bench.calendar.0.lock() += 2;
    assert!(ask(&bench.open(100), "1").unwrap().is_ok());
    assert_eq!(bench.spent(), 1);
}

#[test]
fn a_text_whose_bill_is_not_known_costs_what_it_may_at_most() {
    for asked in ["hang", "break", "dead", "no bill"] {
        let bench = Bench::new();
        let _ = ask(&bench.open(1_000), asked);
        assert_eq!(bench.spent(), 50 + 16 + asked.len() as u64 / 2, "{asked}");
    }
    for asked in ["refuse", "away"] {
        let bench = Bench::new();
        let _ = ask(&bench.open(1_000), asked);
        assert_eq!(bench.spent(), 0, "{asked}");
    }
}

#[test]
fn requests_under_way_count_together() {
    let bench = Bench::new();
    let capped = bench.open(140);
    let mut first = capped.generate(request("hang"), None);
    assert!((&mut first).now_or_never().is_none());
    let mut second = capped.generate(request("hang"), None);
    assert!((&mut second).now_or_never().is_none());
    assert!(ask(&capped, "1").unwrap().is_err());
}

#[test]
fn nothing_is_spent_that_cannot_be_written_down() {
    let bench = Bench::new();
    let capped = bench.open(1_000);
    bench.paper.0.lock().1 = true;
    let refused = ask(&capped, "1").unwrap().unwrap_err().to_string();
    assert!(refused.contains("paper: full"), "{refused}");
}
