//! When Dendrite asks, through its doors: challenges go in, and rounds come out of the transport.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "test code outside of a test function"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::{Actor, Context, Handler, Supervised};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sn1_actors::conversation::ConversationLog;
use sn1_actors::dendrite::rhythm::Rhythm;
use sn1_actors::dendrite::{Challenge, Dendrite, DendriteConfig, DendriteDeps};
use sn1_actors::domain::{
    Answer, ContextBody, ConversationId, Metagraph, MinerReply, Moment, Persona, Purpose, Query,
    RunSeed, StatusCode, Tao, Turn,
};
use sn1_actors::organic::{Asker, Listener, OrganicError};
use sn1_actors::persona_agent::Phrasing;
use sn1_actors::ports::{AxonTarget, Chain, Clock, Event, MinerTransport, Stopped};
use sn1_actors::reward_scorer::Round;
use sn1_actors::runtime::{Credits, Inbox, Job, Port, Promised, RestartPolicy, Tasks};
use sn1_actors::task_maker::Task;
use sn1_actors::task_maker::tasks::{ChallengeForm, ReferencePlan, TaskKind, TaskPlan, Text};
use sn1_actors::testkit::{FakeChain, Stage, context, hotkey};
use tokio::sync::{mpsc, oneshot, watch};

const SEED: RunSeed = RunSeed(7);
const MEAN: Duration = Duration::from_millis(500);
/// The stage's clock tells no moments that are closer to each other.
const TICK: Duration = Duration::from_millis(1);
/// So many miners there are; each round asks one.
const MINERS: u16 = 4;
/// Longer than any of these tests has something to wait for.
const LONG: Duration = Duration::from_secs(120);

/// Answers at once, and writes down who was asked what, and when.
struct Recorder {
    clock: Arc<dyn Clock>,
    asked: Mutex<Vec<(Moment, u16, String)>>,
}

impl MinerTransport for Recorder {
    fn ask(
        &self,
        target: AxonTarget,
        query: Arc<Query>,
        _: Duration,
    ) -> BoxFuture<'static, MinerReply> {
        let asked = (self.clock.now(), target.uid.0, query.messages.concat());
        self.asked.lock().push(asked);
        std::future::ready(MinerReply::failure(StatusCode::UNAVAILABLE, "no")).boxed()
    }
}

/// Hears a round to its end; every round is a step.
struct Scorer(Tasks);

impl Actor for Scorer {
    type Context = Context<Self>;
}

impl Supervised for Scorer {}

impl Handler<Job<Round>> for Scorer {
    type Result = ();

    fn handle(&mut self, job: Job<Round>, _: &mut Context<Self>) {
        self.0.spawn("scored", async move {
            let Job { message: mut round, slot, .. } = job;
            while round.answers.recv().await.is_some() {}
            round.conversation.count_step();
            round.conversation.end(Stopped::Completed);
            drop(slot);
        });
    }
}

/// Dendrite with both its neighbours.
struct Field {
    stage: Stage,
    challenges: Port<Challenge>,
    miners: Arc<Recorder>,
    log: ConversationLog,
    credits: Credits,
    next: AtomicU64,
    _metagraph: watch::Sender<Arc<Metagraph>>,
}

/// A user who waits for a challenge's answers.
struct User {
    asked: oneshot::Receiver<Result<usize, OrganicError>>,
    answers: mpsc::Receiver<Answer>,
}

impl Field {
    async fn start(stage: &Stage, rhythm: Duration) -> Self {
        let (clock, tasks) = (Arc::clone(&stage.clock), stage.overseer.tasks().clone());
        let metagraph = FakeChain::new(Arc::clone(&clock), MINERS).metagraph().await.unwrap();
        let (sender, metagraph) = watch::channel(Arc::new(metagraph));
        let scorer = Inbox::<Scorer>::open("reward_scorer", Arc::clone(&clock));
        let dendrite = Inbox::<Dendrite>::open("dendrite", Arc::clone(&clock));
        let challenges = dendrite.port(100);
        let miners = Arc::new(Recorder { clock: Arc::clone(&clock), asked: Mutex::default() });
        let config = DendriteConfig {
            sample_size: 1,
            timeout: Duration::from_secs(10),
            vpermit_tao_limit: Tao(4_096.0),
            unique_coldkeys: false,
            unique_ips: false,
            own: hotkey(0),
            rhythm,
        };
        let deps = DendriteDeps {
            config,
            transport: Arc::clone(&miners) as _,
            metagraph,
            reward_scorer: scorer.port(100),
            seed: SEED,
            clock: Arc::clone(&clock),
            journal: Arc::clone(&stage.journal) as _,
            tasks: tasks.clone(),
            failpoints: stage.failpoints.clone(),
        };
        stage.overseer.supervise(scorer, RestartPolicy::LIGHT, Scorer(tasks));
        stage.overseer.supervise(dendrite, RestartPolicy::LIGHT, Dendrite::new(deps));
        Self {
            challenges,
            miners,
            log: ConversationLog::new(Arc::clone(&stage.journal) as _, clock),
            credits: stage.overseer.credits(100),
            next: AtomicU64::new(0),
            stage: stage.clone(),
            _metagraph: sender,
        }
    }

    async fn challenge(&self, text: &str, asker: Asker) {
        let id = ConversationId(self.next.fetch_add(1, Ordering::Relaxed));
        let conversation = self.log.begin(id, self.credits.take().await);
        let (task, phrasing) = (Arc::new(task(text)), Arc::new(phrasing(text)));
        self.challenges.push(Challenge { conversation, task, phrasing, asker }).await;
    }

    /// A challenge of the validator's own.
    async fn own(&self, text: &str) {
        self.challenge(text, Asker::Persona).await;
    }

    async fn user(&self, text: &str) -> User {
        let (tell, asked) = oneshot::channel();
        let (sender, answers) = mpsc::channel(usize::from(MINERS));
        let listener = Listener {
            asked: Some(tell),
            answers: Some(sender),
            scored: None,
            best: None,
            log_texts: true,
        };
        self.challenge(text, Asker::User(listener)).await;
        User { asked, answers }
    }

    async fn pass(&self, time: Duration) {
        self.stage.clock.sleep(time).await;
    }

    /// When rounds went out.
    fn moments(&self) -> Vec<Moment> {
        self.miners.asked.lock().iter().map(|(at, ..)| *at).collect()
    }

    /// What went out, in order.
    fn texts(&self) -> Vec<String> {
        self.asked().into_iter().map(|(text, _)| text).collect()
    }

    /// What went out, and to whom.
    fn asked(&self) -> Vec<(String, u16)> {
        self.miners.asked.lock().iter().map(|(_, uid, text)| (text.clone(), *uid)).collect()
    }

    /// How conversations ended.
    fn ends(&self, how: &Stopped) -> usize {
        let events = self.stage.journal.events().into_iter();
        events
            .filter(
                |event| matches!(event, Event::ConversationEnded { stopped, .. } if stopped == how),
            )
            .count()
    }

    /// Checks that nothing is left of anything.
    async fn settled(&self) {
        self.pass(LONG).await;
        assert_eq!((self.credits.out(), self.challenges.in_use()), (0, 0));
        assert_eq!(self.stage.overseer.kill().fault(), None);
    }
}

fn task(text: &str) -> Task {
    let kind = TaskKind::named("qa").expect("there is such a kind");
    Task {
        kind,
        context: context("", "", "", ContextBody::Article { sections: Vec::new() }),
        context_time: Duration::ZERO,
        query: text.to_owned(),
        query_time: Duration::ZERO,
        plan: TaskPlan {
            query: Text::Fixed(text.to_owned()),
            reference: ReferencePlan::Generated { material: String::new(), instructions: &[] },
            form: ChallengeForm::Phrased,
        },
        measures: Arc::new(kind.default_measures()),
        references: Promised::kept(Err("there is none".to_owned())),
    }
}

fn phrasing(text: &str) -> Phrasing {
    Phrasing {
        persona: Persona { profile: String::new(), mood: String::new(), tone: String::new() },
        goal: text.to_owned(),
        history: Vec::new(),
        challenge: text.to_owned(),
        sent: None,
        attempts: Vec::new(),
        time: Duration::ZERO,
        system_prompt: String::new(),
    }
}

/// The gaps of a rhythm with these tests' seed.
fn gaps() -> impl Iterator<Item = Duration> {
    let random = SEED.stream(ConversationId(0), Turn(0), Purpose::Rhythm);
    let mut rhythm = Rhythm::<()>::new(MEAN, random);
    std::iter::from_fn(move || Some(rhythm.next_gap()))
}

/// When the first beats are.
fn beats(number: usize) -> Vec<Moment> {
    let mut at = Moment::default();
    let beat = |gap| {
        at = at.after(gap);
        at
    };
    gaps().map(beat).take(number).collect()
}

/// Whether something happened at a moment, as exactly as the clock tells.
fn is_at(found: Moment, at: Moment) -> bool {
    found >= at && found.since(at) <= TICK
}

#[test]
fn without_a_rhythm_every_challenge_goes_at_once() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, Duration::ZERO).await;
        for n in 0..20 {
            field.own(&format!("own {n}")).await;
            drop(field.user(&format!("user {n}")).await);
        }
        field.pass(TICK).await;
        let moments = field.moments();
        assert_eq!(moments.len(), 40, "those whose user has gone, too");
        assert!(moments.iter().all(|at| *at == moments[0] && at.0 < 3 * TICK), "{moments:?}");
        field.settled().await;
    });
}

#[test]
fn with_one_the_moments_of_rounds_do_not_depend_on_who_asks() {
    let moments = |own: usize, users: usize| {
        let mut moments = Vec::new();
        Stage::play(async |stage: Stage| {
            let field = Field::start(&stage, MEAN).await;
            let mut listening = Vec::new();
            for n in 0..own.max(users) {
                if n < own {
                    field.own(&format!("own {n}")).await;
                }
                if n < users {
                    listening.push(field.user(&format!("user {n}")).await);
                }
            }
            field.settled().await;
            moments = field.moments();
        });
        moments
    };
    let (own, users, both) = (moments(10, 0), moments(0, 10), moments(5, 5));
    assert_eq!(own.len(), 10);
    assert_eq!((&users, &both), (&own, &own));
    let beats = beats(10);
    let matches = own.iter().zip(&beats).all(|(found, at)| is_at(*found, *at));
    assert!(matches, "{own:?} are not {beats:?}");
}

#[test]
fn challenges_that_come_late_and_alone_still_go_at_the_beats() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        let mut listening = Vec::new();
        for n in 0..12 {
            // One, none, two, ...
            if n % 2 == 0 {
                field.own(&format!("own {n}")).await;
            }
            if n % 3 == 2 {
                listening.push(field.user(&format!("user {n}")).await);
            }
            field.pass(Duration::from_millis(977)).await;
        }
        field.settled().await;
        let (moments, beats) = (field.moments(), beats(100));
        assert_eq!(moments.len(), 10);
        for moment in moments {
            assert!(beats.iter().any(|at| is_at(moment, *at)), "{moment:?} is no beat");
        }
    });
}

#[test]
fn whom_a_round_asks_is_drawn_at_its_beat_and_not_in_the_order_of_challenges() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        field.own("own").await;
        let mut user = field.user("user").await;
        field.settled().await;
        assert_eq!(field.texts(), ["user", "own"], "a user waits");
        let challenged = |event| match event {
            Event::Challenged { challenge, uids, .. } => Some((challenge, uids[0].0)),
            _ => None,
        };
        let told: Vec<_> = stage.journal.events().into_iter().filter_map(challenged).collect();
        let asked = field.asked();
        assert_eq!(told, asked);
        assert_ne!(asked[0].1, asked[1].1);
        assert_eq!(user.asked.try_recv(), Ok(Ok(1)));
        assert_eq!(user.answers.recv().await.map(|answer| answer.uid.0), Some(asked[0].1));
    });
}

#[test]
fn a_crash_costs_the_challenge_in_hand_and_none_that_waits() {
    for place in ["dendrite:challenge", "dendrite:after", "dendrite:beat", "dendrite:task"] {
        println!("crash at {place}");
        Stage::play(async |stage: Stage| {
            stage.failpoints.arm(place, 2);
            let field = Field::start(&stage, MEAN).await;
            for n in 0..8 {
                field.own(&format!("own {n}")).await;
            }
            field.settled().await;
            // What waits already when the handler crashes behind it is safe.
            let lost = usize::from(place != "dendrite:after");
            let (texts, dropped) = (field.texts(), field.ends(&Stopped::Dropped));
            assert_eq!((texts.len(), dropped), (8 - lost, lost), "{place}: {texts:?}");
        });
    }
}

#[test]
fn after_restarts_one_beat_follows_the_other_as_before() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        for n in 0..40 {
            field.own(&format!("own {n}")).await;
        }
        for crash in 0..3 {
            stage.failpoints.arm("dendrite:challenge", 40 + crash);
            field.own("lost").await;
            field.pass(Duration::from_secs(2)).await;
        }
        let before = field.moments().len();
        field.settled().await;
        let moments = field.moments();
        assert_eq!((moments.len(), field.ends(&Stopped::Dropped)), (40, 3));
        let last: Vec<Duration> =
            moments[before..].windows(2).map(|two| two[1].since(two[0])).collect();
        assert!(last.len() > 10, "{before} of 40 went during the crashes");
        // Each restart draws one gap anew; from then on they are the stream's, one after the other.
        let gaps: Vec<Duration> = gaps().take(60).collect();
        let follow = |gaps: &[Duration]| {
            last.iter().zip(gaps).all(|(found, gap)| found.abs_diff(*gap) <= TICK)
        };
        assert!(gaps.windows(last.len()).any(follow), "{last:?} are not of {gaps:?}");
    });
}

#[test]
fn a_user_too_many_hears_so_at_once_and_the_validator_s_own_have_their_places() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        let mut users = Vec::new();
        for n in 0..12 {
            users.push(field.user(&format!("user {n}")).await);
            field.own(&format!("own {n}")).await;
        }
        field.pass(TICK).await;
        let refused = users.iter_mut().filter_map(|user| user.asked.try_recv().ok()).count();
        // Ten have their turn within five seconds, on average.
        assert_eq!(refused, 2);
        assert_eq!(users[0].answers.try_recv().unwrap_err(), mpsc::error::TryRecvError::Empty);
        field.settled().await;
        assert_eq!((field.texts().len(), field.ends(&Stopped::Dropped)), (22, 2));
    });
}

#[test]
fn a_user_who_has_gone_takes_nobody_s_turn() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        for n in 0..5 {
            drop(field.user(&format!("gone {n}")).await);
        }
        field.own("own").await;
        field.settled().await;
        assert_eq!(field.texts(), ["own"]);
        assert!(is_at(field.moments()[0], beats(1)[0]));
    });
}

#[test]
fn at_the_end_of_a_run_the_validator_s_own_that_wait_are_given_up_and_users_have_their_turns() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        let mut listening = Vec::new();
        for n in 0..30 {
            field.own(&format!("own {n}")).await;
            if n < 3 {
                listening.push(field.user(&format!("user {n}")).await);
            }
        }
        field.log.want(Some(0));
        // Nothing goes but at beats.
        field.pass(beats(4)[3].0 + 2 * TICK).await;
        assert_eq!(field.texts(), ["user 0", "user 1", "user 2"]);
        assert_eq!(field.credits.out(), 0, "nobody waits any longer");
        assert_eq!(field.ends(&Stopped::Dropped), 30);
        field.settled().await;
    });
}

#[test]
fn the_kill_switch_waits_for_nothing_that_waits() {
    Stage::play(async |stage: Stage| {
        let field = Field::start(&stage, MEAN).await;
        for n in 0..30 {
            field.own(&format!("own {n}")).await;
        }
        // The stage stops everyone now, and no credit may be left out.
    });
}
