//! PersonaAgent: plays the human. It draws a persona, words the challenge, and decides after each
//! turn whether the goal is reached; if not, it asks on.
//!
//! TaskMaker pushes `TaskReady` to it, RewardScorer `TurnScored`; it asks ModelWorker for the words
//! and for the references of the turns that follow, and pushes `Challenge` to Dendrite.

pub mod cleaners;
pub mod follow_up;
pub mod guard;
pub mod paraphrase;
mod phraser;
pub mod prompt;
pub mod shaping;
mod words;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use rand_chacha::ChaCha8Rng;
use tracing::{Instrument as _, debug_span};

use crate::conversation::Conversation;
use crate::dendrite::Challenge;
use crate::domain::{Purpose, Turn};
use crate::organic::Asker;
use crate::ports::Stopped;
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::spans::TARGET;
use crate::task_maker::Task;
use crate::task_maker::references::ReferenceMaker;

use follow_up::Exchange;
use shaping::Wardrobe;

pub use phraser::{BestAnswer, Goal, PersonaAgentConfig, Phraser, Phrasing, Rejected};

/// A task is ready to be asked about.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct TaskReady {
    /// The conversation.
    pub conversation: Conversation,
    /// What it is about.
    pub task: Arc<Task>,
}

/// All answers of a turn are scored.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct TurnScored {
    /// The conversation.
    pub conversation: Conversation,
    /// What it is about.
    pub task: Arc<Task>,
    /// What was asked.
    pub phrasing: Arc<Phrasing>,
    /// The answer that earned most; none if nobody answered.
    pub best: Option<BestAnswer>,
}

/// What PersonaAgent works with, and is rebuilt from.
#[derive(Clone)]
pub struct PersonaAgentDeps {
    /// Finds the words.
    pub phraser: Phraser,
    /// Makes the references of the turns that follow.
    pub references: ReferenceMaker,
    /// What challenges are made to look like users' queries with; none where there are no users.
    pub wardrobe: Option<Wardrobe>,
    /// Where challenges go.
    pub dendrite: Port<Challenge>,
    /// Where conversations' work runs.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct PersonaAgent {
    deps: PersonaAgentDeps,
}

impl PersonaAgent {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: PersonaAgentDeps) -> Self {
        Self { deps }
    }
}

impl Actor for PersonaAgent {
    type Context = Context<Self>;
}

impl Supervised for PersonaAgent {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<TaskReady>> for PersonaAgent {
    type Result = ();

    fn handle(&mut self, job: Job<TaskReady>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("persona_agent:task_ready");
        let deps = self.deps.clone();
        let Job { message: TaskReady { conversation, task }, slot, .. } = job;
        let turn = i64::from(conversation.turn.0);
        let span = debug_span!(target: TARGET, parent: &conversation.span, "challenge", turn);
        let phrasing = async move {
            let _slot = slot;
            deps.failpoints.hit("persona_agent:task");
            match deps.phraser.phrase(conversation.id, conversation.turn, &task).await {
                Ok(phrasing) => {
                    let phrasing = Arc::new(deps.dressed(phrasing, &conversation, &task));
                    let asker = Asker::Persona;
                    deps.dendrite.push(Challenge { conversation, task, phrasing, asker }).await;
                }
                Err(cause) => conversation.end(Stopped::NoText(cause)),
            }
        };
        self.deps.tasks.spawn("challenge", phrasing.instrument(span));
        self.deps.failpoints.hit("persona_agent:after");
    }
}

impl Handler<Job<TurnScored>> for PersonaAgent {
    type Result = ();

    fn handle(&mut self, job: Job<TurnScored>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("persona_agent:turn_scored");
        let deps = self.deps.clone();
        let Conversation { span, turn, .. } = &job.message.conversation;
        let span = debug_span!(target: TARGET, parent: span, "decide", turn = i64::from(turn.0));
        let deciding = async move {
            let _slot = job.slot;
            deps.failpoints.hit("persona_agent:decide");
            deps.decide(job.message).await;
        };
        self.deps.tasks.spawn("decide", deciding.instrument(span));
        self.deps.failpoints.hit("persona_agent:after_turn");
    }
}

impl PersonaAgentDeps {
    /// A first turn in the shape of a user's query, where there are users.
    fn dressed(&self, phrasing: Phrasing, conversation: &Conversation, task: &Task) -> Phrasing {
        let Some(wardrobe) = &self.wardrobe else { return phrasing };
        wardrobe.first(phrasing, task, &mut self.shape_stream(conversation))
    }

    fn shape_stream(&self, conversation: &Conversation) -> ChaCha8Rng {
        self.phraser.seed.stream(conversation.id, conversation.turn, Purpose::Shape)
    }

    /// Ends the conversation, or asks on. Where nobody answered there is nothing to ask on about.
    async fn decide(&self, scored: TurnScored) {
        let TurnScored { mut conversation, task, phrasing, best } = scored;
        let next = conversation.turn.0.saturating_add(1);
        let may_go_on = next < self.phraser.config.max_turns && conversation.may_go_on();
        let over = |conversation: Conversation, best: Option<&BestAnswer>| {
            if let Some(wardrobe) = &self.wardrobe {
                wardrobe.keep(&task, &phrasing, best);
            }
            conversation.end(Stopped::Completed);
        };
        let Some(best) = best.as_ref().filter(|_| may_go_on) else {
            return over(conversation, best.as_ref());
        };
        let exchange = Exchange { task: &task, phrasing: &phrasing, best };
        if self.phraser.is_reached(conversation.id, conversation.turn, &exchange).await {
            return over(conversation, Some(best));
        }
        let before = phrasing.query();
        let shape = self.wardrobe.as_ref().map(|wardrobe| wardrobe.shape_after(&before));
        if shape == Some(None) {
            return over(conversation, Some(best));
        }
        conversation.turn = Turn(next);
        let mut next = self.phraser.follow_up(conversation.id, conversation.turn, &exchange).await;
        if let Some((wardrobe, shape)) = self.wardrobe.as_ref().zip(shape.flatten()) {
            let random = &mut self.shape_stream(&conversation);
            next = wardrobe.next(next, &shape, before, &task, random);
        }
        let phrasing = next;
        let query = phrasing.challenge.clone();
        // Whoever writes the reference has not heard the conversation.
        let question = format!("{}\n{query}", phrasing.goal);
        let references =
            self.references.promise(&task.plan, &question, conversation.id, conversation.turn);
        let none = Duration::ZERO;
        let task =
            Task { query, references, context_time: none, query_time: none, ..Task::clone(&task) };
        let (task, phrasing) = (Arc::new(task), Arc::new(phrasing));
        self.failpoints.hit("persona_agent:follow_up");
        let asker = Asker::Persona;
        self.dendrite.push(Challenge { conversation, task, phrasing, asker }).await;
    }
}
