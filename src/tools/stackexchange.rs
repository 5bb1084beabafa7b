//! Questions of Stack Overflow and its sister sites with their best answers, over the Stack
//! Exchange API 2.3.
//!
//! A batch of a hundred questions costs two or three requests: the page of questions, the accepted
//! answers, and the best answers of the questions that accepted none. The batch is kept, and most
//! draws cost no request. The questions are drawn from the best ones by votes, as the original's
//! were; the original took the titles alone.

mod api;
mod posts;
mod rests;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, SourceKind};
use sn1_actors::ports::{Clock, Tool, ToolError, Want};
use tokio::sync::Mutex;

use super::http::{Http, HttpError, Manners};
use crate::engine::ApiKey;
use api::Api;
use posts::{Answer, Question};

const NAME: &str = "stackexchange";
/// The API gives no more at a time, and takes no more identifiers.
const BATCH: usize = 100;
/// Without a key the API refuses pages behind.
const MOST_PAGES: u32 = 25;
/// So many pages are asked for, for one question with an answer.
const ROUNDS: usize = 2;

/// Which questions, and how they are asked for.
#[derive(Clone, Debug)]
pub struct StackExchangeOptions {
    /// Where the API is, its version included.
    pub base_url: String,
    /// The site, as the API names it.
    pub site: String,
    /// An application's key, for 10 000 requests a day instead of 300.
    pub key: Option<ApiKey>,
    /// Questions with fewer votes are left out.
    pub least_score: i64,
    /// Drawn from so many pages of the best questions, 1 to 25; a page has a hundred.
    pub pages: u32,
    /// How it is asked. Its answers have up to a hundred posts each.
    pub manners: Manners,
}

impl StackExchangeOptions {
    /// Stack Overflow's best five hundred questions, as the original asked for.
    #[must_use]
    pub fn stack_overflow(contact: impl Into<String>) -> Self {
        Self {
            base_url: "https://api.stackexchange.com/2.3".into(),
            site: "stackoverflow".into(),
            key: None,
            least_score: 10,
            pages: 5,
            manners: Manners::polite(contact),
        }
    }
}

/// Options that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackExchangeError {
    /// The address of the API.
    #[error(
        "`{url}` is no address of a Stack Exchange API: {cause}; set one like https://api.stackexchange.com/2.3"
    )]
    Url {
        /// What was set.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The number of pages.
    #[error("{0} pages of questions cannot be asked for; set 1 to {MOST_PAGES}")]
    Pages(u32),
    /// How it is asked.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// The questions of one site.
pub struct StackExchange {
    site: Arc<Site>,
}

struct Site {
    api: Api,
    least_score: i64,
    /// Held while the pool is filled, so that it is filled once.
    pool: Mutex<Pool>,
}

/// What was fetched and not yet given away; never more than a batch of each.
struct Pool {
    /// Questions are drawn from so many pages.
    pages: u32,
    /// Questions whose answers are not there yet, by identifier.
    waiting: HashMap<u64, Question>,
    ready: Vec<(Question, Answer)>,
}

impl StackExchange {
    /// A site; nothing is asked yet.
    ///
    /// # Errors
    /// [`StackExchangeError`] names the option that makes no sense.
    pub fn new(
        options: StackExchangeOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StackExchangeError> {
        if !(1..=MOST_PAGES).contains(&options.pages) {
            return Err(StackExchangeError::Pages(options.pages));
        }
        let http = Http::new(options.manners, Arc::clone(&clock))?;
        let api = Api::new(http, clock, &options.base_url, options.site, options.key)?;
        let pool = Pool { pages: options.pages, waiting: HashMap::new(), ready: Vec::new() };
        let site = Site { api, least_score: options.least_score, pool: Mutex::new(pool) };
        Ok(Self { site: Arc::new(site) })
    }
}

impl Tool for StackExchange {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn offers(&self, kind: SourceKind) -> bool {
        kind == SourceKind::Question
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let site = Arc::clone(&self.site);
        // For pauses, whose number must not change the choices.
        let mut jitter = random.clone();
        jitter.set_stream(random.get_stream().wrapping_add(1));
        async move {
            match want {
                Want::Random(SourceKind::Question) => site.draw(&mut random, &mut jitter).await,
                Want::Random(_) | Want::Search(..) | Want::Title(_) => Err(nothing()),
            }
        }
        .boxed()
    }
}

impl Site {
    async fn draw(
        &self,
        random: &mut ChaCha8Rng,
        jitter: &mut ChaCha8Rng,
    ) -> Result<Context, ToolError> {
        let mut pool = self.pool.lock().await;
        for round in 0.. {
            // Some of the pairs may turn out to have no text.
            while !pool.ready.is_empty() {
                let drawn = random.random_range(0..pool.ready.len());
                let (question, answer) = pool.ready.swap_remove(drawn);
                if let Some(context) = posts::context(question, answer, self.api.site()) {
                    return Ok(context);
                }
            }
            if round == ROUNDS {
                break;
            }
            self.fill(&mut pool, random, jitter).await?;
        }
        Err(nothing())
    }

    /// Fetches a batch. What was fetched before a request failed is kept, and the next call goes on
    /// from there.
    async fn fill(
        &self,
        pool: &mut Pool,
        random: &mut ChaCha8Rng,
        jitter: &mut ChaCha8Rng,
    ) -> Result<(), ToolError> {
        if pool.waiting.is_empty() {
            let page = random.random_range(1..=pool.pages);
            let answered = self.api.questions(page, jitter).await?;
            if !answered.has_more {
                // Behind it there are none; if it is empty itself, none are on it either.
                let last = if answered.items.is_empty() { page - 1 } else { page };
                pool.pages = last.max(1);
            }
            let questions: Vec<Question> = answered.items;
            let fits = |question: &Question| question.fits(self.least_score);
            let fitting = questions.into_iter().filter(fits).take(BATCH);
            pool.waiting = fitting.map(|question| (question.question_id, question)).collect();
        }

        let accepted: Vec<u64> =
            pool.waiting.values().filter_map(|question| question.accepted_answer_id).collect();
        if !accepted.is_empty() {
            let answers = self.api.answers(accepted, jitter).await?;
            // An accepted answer that did not come was deleted: another one may do.
            for question in pool.waiting.values_mut() {
                question.accepted_answer_id = None;
            }
            pool.pair(answers);
        }
        if !pool.waiting.is_empty() {
            let questions = pool.waiting.keys().copied().collect();
            let answers = self.api.answers_of(questions, jitter).await?;
            pool.pair(answers);
            // Their answers are behind the first page, or they have none.
            pool.waiting.clear();
        }
        Ok(())
    }
}

impl Pool {
    /// Gives each waiting question the first of the answers that is its own.
    fn pair(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            if let Some(question) = self.waiting.remove(&answer.question_id) {
                self.ready.push((question, answer));
            }
        }
    }
}

fn nothing() -> ToolError {
    ToolError::Nothing { tool: NAME }
}
