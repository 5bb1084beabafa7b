//! Dendrite: asks the miners. Every miner of a step is asked at once, each in a task of its own,
//! and each answer goes on by itself as it arrives. Who is asked is drawn in the order in which the
//! challenges come, so that everybody has a turn.
//!
//! PersonaAgent and Organic push `Challenge` to it; it pushes `Round` to RewardScorer at once, with
//! the stream of answers that are still to come. On whose behalf it asks makes no difference to what
//! it sends, to whom and when: a user only hears the answers as well.
//!
//! With a rhythm, challenges wait here, and one goes at each beat; whom it asks is drawn then. The
//! next beat is a future of the actor's context, which a restart drops and `started` makes anew: there
//! is always one. What waits outlives the restart. When the run ends, the validator's own challenges
//! that wait are given up at the next beat, as no miner has done anything for them and the operator
//! waits; users' go at their beats, as they wait too.

pub mod choice;
pub mod rhythm;

use std::sync::Arc;
use std::time::Duration;

use actix::fut::ActorFutureExt;
use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised, WrapFuture};
use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, Span, debug_span, field};

use crate::conversation::Conversation;
use crate::domain::{
    Answer, BlockNumber, ConversationId, Hotkey, Metagraph, Moment, Purpose, RunSeed, Tao, Turn,
    Uid,
};
use crate::organic::{Asker, OrganicError};
use crate::persona_agent::Phrasing;
use crate::ports::{AxonTarget, Clock, Event, Journal, MinerTransport, Stopped};
use crate::reward_scorer::Round;
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::spans::TARGET;
use crate::task_maker::Task;

use self::choice::Rotation;
use self::rhythm::{Kind, Rhythm};

/// Ask the miners.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Challenge {
    /// The conversation.
    pub conversation: Conversation,
    /// What it is about.
    pub task: Arc<Task>,
    /// What is asked.
    pub phrasing: Arc<Phrasing>,
    /// On whose behalf.
    pub asker: Asker,
}

/// A miner that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its slot.
    pub uid: Uid,
    /// Who held it then.
    pub hotkey: Hotkey,
}

/// Who is asked, and how long for.
#[derive(Clone, Debug)]
pub struct DendriteConfig {
    /// So many miners are asked in each step, or all if there are fewer.
    pub sample_size: usize,
    /// How long a miner may take.
    pub timeout: Duration,
    /// A validator with more stake than this is not asked.
    pub vpermit_tao_limit: Tao,
    /// Whether no two that are asked in one step may share a coldkey.
    pub unique_coldkeys: bool,
    /// Whether no two that are asked in one step may share an IP address.
    pub unique_ips: bool,
    /// This validator's own key; it never asks itself.
    pub own: Hotkey,
    /// The time from one round to the next, on average, if rounds go out in a rhythm of their own;
    /// zero sends each at once.
    pub rhythm: Duration,
}

/// What Dendrite works with, and is rebuilt from.
#[derive(Clone)]
pub struct DendriteDeps {
    /// Who is asked.
    pub config: DendriteConfig,
    /// Reaches miners.
    pub transport: Arc<dyn MinerTransport>,
    /// Who there is.
    pub metagraph: watch::Receiver<Arc<Metagraph>>,
    /// Where rounds go.
    pub reward_scorer: Port<Round>,
    /// Decides who is drawn.
    pub seed: RunSeed,
    /// Times rounds.
    pub clock: Arc<dyn Clock>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// Where requests run.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct Dendrite {
    deps: DendriteDeps,
    /// Forgotten by a restart: everybody is then due again.
    rotation: Rotation,
    /// What waits for its beat, each with its place in the mailbox; a restart keeps it.
    rhythm: Rhythm<Job<Challenge>>,
    /// When the next beat is.
    due: Moment,
}

impl Dendrite {
    /// A new one, which has asked nobody yet.
    #[must_use]
    pub fn new(deps: DendriteDeps) -> Self {
        let random = deps.seed.stream(ConversationId(0), Turn(0), Purpose::Rhythm);
        let rhythm = Rhythm::new(deps.config.rhythm, random);
        Self { rotation: Rotation::default(), rhythm, due: deps.clock.now(), deps }
    }

    /// Whom the next step of a conversation asks, and the block of the metagraph that says so.
    fn choose(&mut self, conversation: &Conversation) -> (Vec<AxonTarget>, BlockNumber) {
        let deps = &self.deps;
        let metagraph = Arc::clone(&deps.metagraph.borrow());
        let random = deps.seed.stream(conversation.id, conversation.turn, Purpose::Uids);
        (self.rotation.draw(&metagraph, &deps.config, random), metagraph.block)
    }

    /// Sends a challenge out now.
    fn send(&mut self, job: Job<Challenge>) {
        let deps = self.deps.clone();
        let Job { message: mut challenge, slot, .. } = job;
        let (targets, block) = self.choose(&challenge.conversation);
        let Conversation { span, turn, .. } = &challenge.conversation;
        let (turn, asked) = (i64::from(turn.0), targets.len() as i64);
        let span = debug_span!(target: TARGET, parent: span, "round", turn, asked);
        let asking = async move {
            let _slot = slot;
            deps.failpoints.hit("dendrite:task");
            challenge.asker.tell_asked(Ok(targets.len()));
            if targets.is_empty() {
                return challenge.conversation.end(Stopped::NoMiners);
            }
            deps.journal.record(challenged(&challenge, &targets));
            let round = deps.open(challenge, targets, block);
            deps.reward_scorer.push(round).await;
        };
        self.deps.tasks.spawn("round", asking.instrument(span));
    }

    /// Lets a challenge wait for its beat.
    fn hold(&mut self, job: Job<Challenge>) {
        let kind = if job.message.asker.is_user() { Kind::User } else { Kind::Own };
        if let Err(mut refused) = self.rhythm.push(kind, job) {
            refused.message.asker.tell_asked(Err(OrganicError::Overloaded));
        }
    }

    /// Waits for the next beat, which is due a gap after the last, however long that took. A beat that
    /// was missed is not made up for: those that would follow one another then would be the
    /// validator's own, as no user was heard meanwhile.
    fn await_beat(&mut self, ctx: &mut Context<Self>) {
        let now = self.deps.clock.now();
        self.due = self.due.after(self.rhythm.next_gap());
        if self.due < now {
            self.due = now.after(self.rhythm.next_gap());
        }
        let pause = self.deps.clock.sleep(self.due.since(now));
        ctx.spawn(pause.into_actor(self).map(|(), dendrite, ctx| {
            dendrite.await_beat(ctx);
            dendrite.beat();
        }));
    }

    /// Sends what has its turn. Those that nobody wants any more do not take it from others.
    fn beat(&mut self) {
        while let Some(job) = self.rhythm.beat() {
            self.deps.failpoints.hit("dendrite:beat");
            let Challenge { conversation, asker, .. } = &job.message;
            let wanted = if asker.is_user() { asker.listens() } else { conversation.is_wanted() };
            if wanted {
                return self.send(job);
            }
        }
    }
}

impl Actor for Dendrite {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.rhythm.holds_back() {
            self.await_beat(ctx);
        }
    }
}

impl Supervised for Dendrite {
    fn restarting(&mut self, _: &mut Context<Self>) {
        self.rotation = Rotation::default();
    }
}

impl Handler<Job<Challenge>> for Dendrite {
    type Result = ();

    fn handle(&mut self, job: Job<Challenge>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("dendrite:challenge");
        if self.rhythm.holds_back() {
            self.hold(job);
        } else {
            self.send(job);
        }
        self.deps.failpoints.hit("dendrite:after");
    }
}

/// A challenge that leaves, as the journal has it.
fn challenged(challenge: &Challenge, targets: &[AxonTarget]) -> Event {
    let Challenge { conversation, phrasing, asker, .. } = challenge;
    let withheld = asker.withholds_texts();
    Event::Challenged {
        conversation: conversation.id,
        turn: conversation.turn,
        challenge: if withheld { String::new() } else { phrasing.challenge.clone() },
        uids: targets.iter().map(|target| target.uid).collect(),
        organic: asker.is_user(),
    }
}

impl DendriteDeps {
    /// Sends the whole conversation to every target and opens the round of their answers.
    fn open(&self, challenge: Challenge, targets: Vec<AxonTarget>, block: BlockNumber) -> Round {
        let Challenge { conversation, task, phrasing, mut asker } = challenge;
        let query = Arc::new(phrasing.query());
        let (sender, answers) = mpsc::channel(targets.len());
        let listener = asker.take_listener();
        let opened = self.clock.now();
        let mut asked = Vec::with_capacity(targets.len());
        for target in targets {
            asked.push(Asked { uid: target.uid, hotkey: target.hotkey.clone() });
            let (uid, hotkey) = (target.uid, target.hotkey.clone());
            let reply = self.transport.ask(target, Arc::clone(&query), self.config.timeout);
            let (sender, clock) = (sender.clone(), Arc::clone(&self.clock));
            let listener = listener.clone();
            let status = field::Empty;
            let span = debug_span!(target: TARGET, "query", uid = i64::from(uid.0), status);
            // What became of it is in the journal only where it is scored, and no trace says more.
            let noted = if asker.is_scored() { span.clone() } else { Span::none() };
            let query = async move {
                let reply = reply.await;
                noted.record("status", i64::from(reply.status.0));
                let arrived = clock.now().since(opened);
                let answer = Answer { uid, hotkey, reply, arrived };
                if let Some(listener) = listener {
                    // It has a place for everybody who is asked; one that is gone misses it.
                    let _ = listener.try_send(answer.clone());
                }
                // Nobody listens only if the round was dropped; its conversation has ended then.
                let _ = sender.send(answer).await;
            };
            self.tasks.spawn("query", query.instrument(span));
        }
        Round { conversation, task, phrasing, asker, asked, answers, opened, block }
    }
}
