//! TaskMaker: draws a kind of task, grounds it in a context and gives it a query and references.
//!
//! The pacer sends it `Tick`; it asks ToolFetcher and ModelWorker, and pushes `TaskReady` to
//! PersonaAgent. References take longest, so it does not wait for them: the task travels on with a
//! promise of them, and they are made while the miners think.

pub mod references;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use rand::RngCore;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;

use crate::conversation::Conversation;
use crate::domain::{
    ChatMessage, Context as SourceContext, ConversationId, Lane, Purpose, RunSeed, Sampling, Turn,
};
use crate::model_worker::{Generate, generate};
use crate::persona_agent::TaskReady;
use crate::persona_agent::cleaners::{Cleaner, clean};
use crate::ports::{Clock, Event, Journal, Stopped, Want};
use crate::reward_scorer::rewards::Measures;
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::tool_fetcher::{self, FetchContext};

use references::{PromisedReferences, ReferenceMaker};
use tasks::{TaskKind, TaskPlan, Text};

/// Begin a conversation.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Tick {
    /// The conversation, with its credit.
    pub conversation: Conversation,
}

/// A task, ready but for its references.
#[derive(Debug)]
pub struct Task {
    /// Its kind.
    pub kind: TaskKind,
    /// What it is grounded in.
    pub context: SourceContext,
    /// How long the context took.
    pub context_time: Duration,
    /// What the person wants to know.
    pub query: String,
    /// How long the query took.
    pub query_time: Duration,
    /// Everything else that its kind decides.
    pub plan: TaskPlan,
    /// How answers are measured.
    pub measures: Arc<Measures>,
    /// The reference answers, or why there are none.
    pub references: PromisedReferences,
}

/// A kind of task that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskShare {
    /// Which.
    pub kind: TaskKind,
    /// How often, relative to the others.
    pub probability: f64,
    /// How its answers are measured.
    pub measures: Arc<Measures>,
}

/// How tasks are made.
#[derive(Clone, Debug)]
pub struct TaskMakerConfig {
    /// Which kinds are asked; at least one has a probability above zero.
    pub kinds: Vec<TaskShare>,
    /// How the model words queries and references; the seed is set for each.
    pub sampling: Sampling,
    /// How long a context may take.
    pub context_patience: Duration,
    /// How long a text may take.
    pub text_patience: Duration,
}

/// Makes tasks; `sn1 task` uses it without the actor.
#[derive(Clone)]
pub struct Workshop {
    /// How tasks are made.
    pub config: TaskMakerConfig,
    /// Where contexts come from.
    pub tool_fetcher: Port<FetchContext>,
    /// Who writes queries and references.
    pub model_worker: Port<Generate>,
    /// Decides every draw.
    pub seed: RunSeed,
    /// Times the parts.
    pub clock: Arc<dyn Clock>,
    /// Where conversations' work runs.
    pub tasks: Tasks,
}

/// What TaskMaker works with, and is rebuilt from.
#[derive(Clone)]
pub struct TaskMakerDeps {
    /// Makes the tasks.
    pub workshop: Workshop,
    /// Where tasks go.
    pub persona_agent: Port<TaskReady>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct TaskMaker {
    deps: TaskMakerDeps,
}

impl TaskMaker {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: TaskMakerDeps) -> Self {
        Self { deps }
    }
}

impl Actor for TaskMaker {
    type Context = Context<Self>;
}

impl Supervised for TaskMaker {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<Tick>> for TaskMaker {
    type Result = ();

    fn handle(&mut self, job: Job<Tick>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("task_maker:tick");
        let deps = self.deps.clone();
        let Job { message: Tick { conversation }, slot, .. } = job;
        self.deps.workshop.tasks.spawn("task", async move {
            let _slot = slot;
            deps.failpoints.hit("task_maker:task");
            match deps.workshop.make(conversation.id).await {
                Ok(task) => {
                    deps.journal.record(Event::TaskMade {
                        conversation: conversation.id,
                        task: task.kind,
                        source: task.context.source.clone(),
                        topic: task.plan.topic.clone(),
                        query: task.query.clone(),
                    });
                    let ready = TaskReady { conversation, task: Arc::new(task) };
                    deps.persona_agent.push(ready).await;
                }
                Err(stopped) => conversation.end(stopped),
            }
        });
        self.deps.failpoints.hit("task_maker:after");
    }
}

impl Workshop {
    /// Makes the task of a conversation; its references are still under way when it returns.
    ///
    /// # Errors
    /// [`Stopped`] with why there is no task.
    pub async fn make(&self, conversation: ConversationId) -> Result<Task, Stopped> {
        let TaskShare { kind, measures, .. } = self.draw_kind(conversation)?;
        let began = self.clock.now();
        let context = self.fetch(kind, conversation).await?;
        let context_time = self.clock.now().since(began);

        let mut choices = self.seed.stream(conversation, Turn(0), Purpose::Query);
        let plan = (kind.definition().plan)(&context, &mut choices);
        let plan = plan.map_err(|unfit| Stopped::NoContext(unfit.to_string()))?;
        let began = self.clock.now();
        let query = match &plan.query {
            Text::Fixed(text) => text.clone(),
            Text::Generated(messages) => {
                let text = self.write(messages, choices.next_u64()).await;
                let text = text.map_err(Stopped::NoText)?;
                clean_or_fail(&text, plan.cleaners).map_err(Stopped::NoText)?
            }
        };
        let query_time = self.clock.now().since(began);

        let references = self.references().promise(&plan, &query, conversation, Turn(0));
        Ok(Task { kind, context, context_time, query, query_time, plan, measures, references })
    }

    fn draw_kind(&self, conversation: ConversationId) -> Result<TaskShare, Stopped> {
        let kinds = &self.config.kinds;
        let mut draw = self.seed.stream(conversation, Turn(0), Purpose::TaskKind);
        let index = WeightedIndex::new(kinds.iter().map(|share| share.probability))
            .map_err(|cause| Stopped::NoContext(format!("task probabilities: {cause}")))?;
        let drawn = kinds.get(index.sample(&mut draw)).cloned();
        drawn.ok_or_else(|| Stopped::NoContext("no kind of task is configured".into()))
    }

    async fn fetch(
        &self,
        kind: TaskKind,
        conversation: ConversationId,
    ) -> Result<SourceContext, Stopped> {
        let want = Want::Random(kind.definition().source);
        let random = self.seed.stream(conversation, Turn(0), Purpose::Context);
        let patience = self.config.context_patience;
        let fetched = tool_fetcher::fetch(&self.tool_fetcher, want, random, patience).await;
        fetched.map_err(|error| Stopped::NoContext(error.to_string()))
    }

    /// Makes the references; PersonaAgent has its own, for the turns that follow.
    #[must_use]
    pub fn references(&self) -> ReferenceMaker {
        ReferenceMaker {
            sampling: self.config.sampling,
            patience: self.config.text_patience,
            model_worker: self.model_worker.clone(),
            seed: self.seed,
            clock: Arc::clone(&self.clock),
            tasks: self.tasks.clone(),
        }
    }

    async fn write(&self, messages: &[ChatMessage], seed: u64) -> Result<String, String> {
        let sampling = Sampling { seed, ..self.config.sampling };
        let request = Generate::new(messages.to_vec(), sampling, Lane::Validator);
        let written = generate(&self.model_worker, request, self.config.text_patience).await;
        written.map(|generation| generation.text).map_err(|error| error.to_string())
    }
}

fn clean_or_fail(text: &str, cleaners: &[Cleaner]) -> Result<String, String> {
    let cleaned = clean(text, cleaners);
    if cleaned.trim().is_empty() {
        return Err("the model wrote nothing".into());
    }
    Ok(cleaned)
}
