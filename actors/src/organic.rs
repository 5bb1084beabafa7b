//! Organic: API users' queries. It sends them on the same way as the validator's own challenges, so
//! that no miner can tell them apart, and answers with the first good answer or the best.
//!
//! The gateway asks it `AskMiners`; it pushes `Challenge` to Dendrite and hears the answers as they
//! come. RewardScorer scores the round, whether the user is still there or not, against a reference
//! that the validator's own model writes from the chat; it ends the conversation itself.

mod asker;
mod round;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot, watch};

use crate::conversation::{Conversation, ConversationLog, Tally};
use crate::dendrite::Challenge;
use crate::domain::{Answer, ConversationId, Hotkey, MinerReply, Moment, Query, Uid};
use crate::persona_agent::shaping::{ShapeBook, in_order};
use crate::ports::{Clock, Event, Journal, OrganicOutcome, in_time};
use crate::reward_scorer::judge::has_come;
use crate::reward_scorer::rewards::Measures;
use crate::runtime::{
    AskError, Credit, Credits, Failpoints, Job, Port, Promised, Reply, Slot, Tasks,
};
use crate::task_maker::references::ReferenceMaker;
use crate::task_maker::tasks::TaskKind;
use crate::text::shown::shown;

pub use asker::{Asker, Listener};

/// The first id of a user's conversation: the validator's own, counted from 0, never get there.
pub const FIRST_ID: u64 = 1 << 48;
/// What a query may take beyond the time that miners have: restarts, and settling who was best.
pub const SLACK: Duration = Duration::from_secs(10);

/// Have miners answer a user's query.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<OrganicAnswer, OrganicError>")]
pub struct AskMiners {
    /// The whole chat, the user's last message at its end.
    pub query: Query,
}

/// A miner's answer for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganicAnswer {
    /// What it wrote; not empty.
    pub text: String,
    /// The slot that answered.
    pub uid: Uid,
    /// Who held it.
    pub hotkey: Hotkey,
    /// How long the miner took.
    pub elapsed: Duration,
}

/// A user gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganicError {
    /// As many queries are under way as there may be.
    #[error("too many queries are under way; try again in a moment")]
    Overloaded,
    /// There is nobody to ask.
    #[error("no miner serves this subnet at the moment")]
    NoMiners,
    /// Everybody who was asked failed.
    #[error("none of {asked} miners answered: {cause}")]
    AllFailed {
        /// How many were asked.
        asked: usize,
        /// What one of them came to.
        cause: String,
    },
    /// Something on this side broke off; asking again may succeed.
    #[error("the query was interrupted ({0}); try again")]
    Interrupted(AskError),
}

/// Which of the miners' answers a user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choose {
    /// The first good one.
    First,
    /// The one that earned most; where the answers are not scored, the first good one.
    Best,
}

impl Choose {
    /// Every way there is.
    pub const ALL: [Self; 2] = [Self::First, Self::Best];

    /// The name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Best => "best",
        }
    }
}

/// How users' queries are taken.
#[derive(Clone, Debug)]
pub struct OrganicConfig {
    /// Users who may wait for an answer at a time.
    pub in_flight: usize,
    /// Rounds that may be under way at a time, those whose user has an answer among them. A round
    /// lasts as long as its slowest miner, at most the miners' timeout, also when nobody waits for
    /// it any more: a miner whose connection were closed then would know that a user had asked. So
    /// this number over that timeout is the rate of queries that is served whatever miners do.
    pub rounds: usize,
    /// Queries whose answers are scored at a time; those beyond are not. Users also never have more
    /// steps than this above the validator's own of the run, done and under way: a miner's friend who
    /// asks much must not decide what the averages are made of.
    pub scored: usize,
    /// Which answer a user gets.
    pub choose: Choose,
    /// Whether users' texts are written into the journal.
    pub log_texts: bool,
    /// The kind of task that a user's query is taken for.
    pub kind: TaskKind,
    /// How the answers are measured: as the configuration says for that kind.
    pub measures: Arc<Measures>,
}

/// What Organic works with, and is rebuilt from.
#[derive(Clone)]
pub struct OrganicDeps {
    /// How queries are taken.
    pub config: OrganicConfig,
    /// How long a miner may take.
    pub timeout: Duration,
    /// No more miners than this are asked at once.
    pub sample_size: usize,
    /// One for each user who waits for an answer.
    pub places: Credits,
    /// One for each round until all its answers are in and scored.
    pub credits: Credits,
    /// One for each round that is scored.
    pub scored: Credits,
    /// Users' conversations: the validator's own are counted elsewhere.
    pub log: ConversationLog,
    /// How the validator's own conversations end.
    pub own: watch::Receiver<Tally>,
    /// The next id; it outlives a restart.
    pub next_id: Arc<AtomicU64>,
    /// Where the validator's own queries learn how users' look.
    pub shapes: ShapeBook,
    /// Makes the references.
    pub references: ReferenceMaker,
    /// Where challenges go.
    pub dendrite: Port<Challenge>,
    /// Bounds waits.
    pub clock: Arc<dyn Clock>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// Where queries run.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct Organic {
    deps: OrganicDeps,
}

impl Organic {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: OrganicDeps) -> Self {
        Self { deps }
    }
}

impl Actor for Organic {
    type Context = Context<Self>;
}

impl Supervised for Organic {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<AskMiners>> for Organic {
    type Result = ();

    fn handle(&mut self, job: Job<AskMiners>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("organic:ask");
        let Job { message: AskMiners { query }, reply, slot } = job;
        if self.deps.log.tally().borrow().is_enough_under_way() {
            return reply.send(Err(OrganicError::Interrupted(AskError::Gone)));
        }
        let free = self.deps.places.try_take().zip(self.deps.credits.try_take());
        let Some((place, credit)) = free else {
            self.deps.journal.record(Event::OrganicShed);
            return reply.send(Err(OrganicError::Overloaded));
        };
        if reply.is_abandoned() {
            return;
        }
        let deps = self.deps.clone();
        self.deps.tasks.spawn("organic", async move {
            deps.failpoints.hit("organic:task");
            deps.serve(query, credit, Seat { reply, slot, place }).await;
        });
        self.deps.failpoints.hit("organic:after");
    }
}

/// Has miners answer a query, and waits until there is an answer or none to be had.
///
/// # Errors
/// [`OrganicError`] by what the user can do about it.
pub async fn ask_miners(
    organic: &Port<AskMiners>,
    query: Query,
    timeout: Duration,
) -> Result<OrganicAnswer, OrganicError> {
    // It answers within the time of miners and the slack; a restart under the question comes on top.
    let deadline = organic.within(timeout + 2 * SLACK);
    let asked = organic.ask_again(AskMiners { query }, deadline).await;
    asked.unwrap_or_else(|error| Err(OrganicError::Interrupted(error)))
}

impl OrganicDeps {
    /// Sends a query to miners, answers, and stays until all answers are in.
    async fn serve(&self, query: Query, credit: Credit, seat: Seat) {
        let began = self.clock.now();
        if !matches!(in_time(&*self.clock, SLACK, self.journal.ready()).await, Some(Ok(()))) {
            self.journal.record(Event::OrganicShed);
            return seat.leave(Err(OrganicError::Overloaded));
        }
        let id = ConversationId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let conversation = self.log.begin(id, credit);
        let scored = self.ration();
        let note = Note { conversation: id, scored: scored.is_some(), began };
        let query = in_order(query);
        self.shapes.note(&query);
        let span = conversation.span.clone();
        let (challenge, mut heard) = span.in_scope(|| self.challenge(query, conversation, scored));
        drop(span);
        self.dendrite.push(challenge).await;

        let deadline = began.after(self.timeout.saturating_add(SLACK));
        let mut desk = Desk { deps: self, note, seat: Some(seat) };
        let mut good = Vec::new();
        let mut cause = None;
        loop {
            let Some(answer) = self.by(deadline, heard.answers.recv()).await else {
                cause.get_or_insert("no answer in time".to_owned());
                break;
            };
            let Some(answer) = answer else { break };
            if !has_come(&answer.reply) {
                let MinerReply { status, message, .. } = &answer.reply;
                cause.get_or_insert_with(|| shown(&format!("{status} {message}")));
            } else if heard.best.is_some() {
                good.push(answer);
            } else {
                desk.answer(answer);
            }
        }
        drop(heard.answers_in);
        if let Some(best) = heard.best.filter(|_| !good.is_empty()) {
            let best = self.by(deadline, best).await.and_then(Result::ok);
            let at = good.iter().position(|answer| Some(answer.uid) == best);
            desk.answer(good.swap_remove(at.unwrap_or(0)));
        }
        desk.refuse(match (heard.asked.try_recv(), cause) {
            (Ok(Ok(0)), _) => OrganicError::NoMiners,
            (Ok(Ok(asked)), Some(cause)) => OrganicError::AllFailed { asked, cause },
            (Ok(Err(refused)), _) => refused,
            // The query was lost before anybody was asked, or their requests were.
            (Ok(Ok(_)), None) | (Err(_), _) => OrganicError::Interrupted(AskError::Interrupted),
        });
    }

    /// What a round is scored with, as long as users have no more than their share of the steps.
    fn ration(&self) -> Option<Credit> {
        let under_way = self.scored.out() as u64;
        let users = self.log.tally().borrow().steps + under_way;
        let most = self.own.borrow().steps + self.config.scored as u64;
        (users < most).then(|| self.scored.try_take()).flatten()
    }

    /// A query as a challenge, and where its answers are heard.
    fn challenge(
        &self,
        query: Query,
        conversation: Conversation,
        scored: Option<Credit>,
    ) -> (Challenge, Heard) {
        let OrganicConfig { choose, log_texts, kind, measures, .. } = self.config.clone();
        let chat = query.into_messages();
        let (answers_in, all_in) = oneshot::channel();
        let (tell_best, best) = oneshot::channel();
        let references = if scored.is_some() {
            let (id, turn) = (conversation.id, conversation.turn);
            // Nobody waits for the scores of a round whose user gets the first answer. So its
            // reference is begun when all have answered: it stands behind those of the validator's
            // rounds that were begun before, and miners that share the model have it to themselves.
            let begins = async move {
                if choose == Choose::First {
                    let _ = all_in.await;
                }
            };
            self.references.promise_answer(chat.clone(), id, turn, begins)
        } else {
            Promised::kept(Err("the round is not scored".to_owned()))
        };
        let best = Some(best).filter(|_| choose == Choose::Best && scored.is_some());
        let (sender, answers) = mpsc::channel(self.sample_size.max(1));
        let (tell_asked, asked) = oneshot::channel();
        let listener = Listener {
            asked: Some(tell_asked),
            answers: Some(sender),
            scored,
            best: best.is_some().then_some(tell_best),
            log_texts,
        };
        let phrasing = Arc::new(round::phrasing(chat));
        let task = Arc::new(round::task(kind, measures, phrasing.challenge.clone(), references));
        let challenge = Challenge { conversation, task, phrasing, asker: Asker::User(listener) };
        (challenge, Heard { asked, answers, best, answers_in })
    }

    async fn by<T>(&self, deadline: Moment, answer: impl Future<Output = T>) -> Option<T> {
        in_time(&*self.clock, deadline.since(self.clock.now()), answer).await
    }
}

/// What a user gets.
type Answered = Result<OrganicAnswer, OrganicError>;

/// A user who waits for an answer. The round goes on without one.
struct Seat {
    reply: Reply<Answered>,
    slot: Slot,
    place: Credit,
}

impl Seat {
    /// Makes room, and then answers: whoever has an answer may ask again at once.
    fn leave(self, answered: Answered) {
        let Self { reply, slot, place } = self;
        drop((slot, place));
        reply.send(answered);
    }
}

/// What Organic hears of a round.
struct Heard {
    /// How many are asked, or why nobody is; nothing where the query was lost before.
    asked: oneshot::Receiver<Result<usize, OrganicError>>,
    /// Each answer; it ends when no more will come.
    answers: mpsc::Receiver<Answer>,
    /// Whose answer was the best, if that is what the user gets.
    best: Option<oneshot::Receiver<Uid>>,
    /// Dropped when all answers are in.
    answers_in: oneshot::Sender<()>,
}

/// What the journal says of a query in any case.
#[derive(Clone, Copy)]
struct Note {
    conversation: ConversationId,
    scored: bool,
    began: Moment,
}

/// Answers a user once, and says so in the journal.
struct Desk<'a> {
    deps: &'a OrganicDeps,
    note: Note,
    seat: Option<Seat>,
}

impl Desk<'_> {
    fn answer(&mut self, answer: Answer) {
        let Answer { uid, hotkey, reply, .. } = answer;
        let (text, elapsed) = (reply.completion, reply.elapsed);
        self.send(Ok(OrganicAnswer { text, uid, hotkey, elapsed }));
    }

    /// Says that there is no answer, where there was none.
    fn refuse(&mut self, error: OrganicError) {
        self.send(Err(error));
    }

    fn send(&mut self, answered: Answered) {
        let Some(seat) = self.seat.take() else { return };
        let Note { conversation, scored, began } = self.note;
        let seconds = self.deps.clock.now().since(began).as_secs_f64();
        let outcome = match &answered {
            _ if seat.reply.is_abandoned() => OrganicOutcome::Gone,
            Ok(_) => OrganicOutcome::Answered,
            Err(OrganicError::NoMiners) => OrganicOutcome::NoMiners,
            Err(OrganicError::AllFailed { .. }) => OrganicOutcome::AllFailed,
            Err(OrganicError::Overloaded) => OrganicOutcome::Overloaded,
            Err(OrganicError::Interrupted(_)) => OrganicOutcome::Interrupted,
        };
        let uid = answered.as_ref().ok().map(|answer| answer.uid);
        self.deps.journal.record(Event::OrganicAnswered {
            conversation,
            outcome,
            uid,
            seconds,
            scored,
        });
        seat.leave(answered);
    }
}
