//! TaskMaker: draws a kind of task, grounds it in a context and gives it a query and references.
//!
//! The pacer sends it `Tick`; it asks ToolFetcher and ModelWorker, and pushes `TaskReady` to
//! PersonaAgent. References take longest, so it does not wait for them: the task travels on with a
//! promise of them, and they are made while the miners think.

pub mod passage;
mod question;
pub mod references;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use rand::RngCore;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tracing::{Instrument as _, debug_span};

use crate::conversation::Conversation;
use crate::domain::{
    ChatMessage, Context as SourceContext, ConversationId, Lane, Purpose, RunSeed, Sampling,
    SourceKind, Turn,
};
use crate::model_worker::{Generate, generate};
use crate::persona_agent::TaskReady;
use crate::persona_agent::cleaners::clean;
use crate::ports::{Clock, Event, Journal, Stopped, Want};
use crate::reward_scorer::rewards::Measures;
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::spans::TARGET;
use crate::tool_fetcher::{self, FetchContext, FetchError};

use passage::{prompt, with_query};
use question::question;
use references::{PromisedReferences, ReferenceMaker};
use tasks::{ChallengeForm, TaskKind, TaskPlan, Text};

/// Begin a conversation.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Tick {
    /// The conversation, with its credit.
    pub conversation: Conversation,
}

/// A task, ready but for its references.
#[derive(Clone, Debug)]
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
        let span = debug_span!(target: TARGET, parent: &conversation.span, "task");
        let making = async move {
            let _slot = slot;
            deps.failpoints.hit("task_maker:task");
            let tell = |event| deps.journal.record(event);
            match deps.workshop.make(conversation.id, &tell).await {
                Ok(task) => {
                    conversation.span.record("task", task.kind.name());
                    deps.journal.record(Event::TaskMade {
                        conversation: conversation.id,
                        task: task.kind,
                        source: task.context.source.clone(),
                        topic: task.context.topic.clone(),
                        query: task.query.clone(),
                    });
                    let ready = TaskReady { conversation, task: Arc::new(task) };
                    deps.persona_agent.push(ready).await;
                }
                Err(stopped) => conversation.end(stopped),
            }
        };
        self.deps.workshop.tasks.spawn("task", making.instrument(span));
        self.deps.failpoints.hit("task_maker:after");
    }
}

/// Contexts that are tried for a kind of task before another kind is.
const CONTEXTS: u64 = 3;
/// So often the model may try to ask a question.
const QUESTION_TRIES: u64 = 3;

/// Why a task was not made.
enum Missed {
    /// The context is no good for it; another may be.
    Context(String),
    /// No tool brought one of the kind of source that was drawn.
    Source(String),
    /// No tool has any of the kinds of source that are left to it.
    Nobody(String),
    /// The model did not answer.
    Model(String),
}

impl Workshop {
    /// Makes the task of a conversation; its references are still under way when it returns.
    ///
    /// A context that is no good for the kind of task that was drawn is passed over for another, and
    /// after three of them the kind is; a kind of source that brings nothing is passed over at once,
    /// with all kinds of task that have no other. `tell` hears of each in an
    /// [`Event::TaskPassedOver`].
    ///
    /// # Errors
    /// [`Stopped`] with why there is no task: the model did not answer, or every kind was passed
    /// over.
    pub async fn make(
        &self,
        conversation: ConversationId,
        tell: &dyn Fn(Event),
    ) -> Result<Task, Stopped> {
        let mut kinds = self.config.kinds.clone();
        let mut draw = self.seed.stream(conversation, Turn(0), Purpose::TaskKind);
        let mut dry = Vec::new();
        let mut attempt = 0;
        let mut last = "no kind of task is configured".to_owned();
        while let Some(share) = draw_kind(&kinds, &mut draw) {
            for _ in 0..CONTEXTS {
                let had_others =
                    left(share.kind, &dry).len() < share.kind.definition().sources.len();
                let cause = match self.attempt(&share, &mut dry, conversation, attempt).await {
                    Ok(task) => return Ok(task),
                    Err(Missed::Model(cause)) => return Err(Stopped::NoText(cause)),
                    // Why it is passed over was told when its other source brought nothing.
                    Err(Missed::Nobody(_)) if had_others => break,
                    Err(Missed::Context(cause) | Missed::Source(cause) | Missed::Nobody(cause)) => {
                        cause
                    }
                };
                attempt += 1;
                last = format!("{}: {cause}", share.kind.name());
                tell(Event::TaskPassedOver { conversation, task: share.kind, cause });
                if left(share.kind, &dry).is_empty() {
                    break;
                }
            }
            kinds.retain(|other| other.kind != share.kind && !left(other.kind, &dry).is_empty());
        }
        Err(Stopped::NoContext(last))
    }

    /// One try with one context; each has a stream of its own, the first that of the conversation.
    /// Kinds of source that bring nothing are added to the dry ones, and none of these is asked.
    async fn attempt(
        &self,
        share: &TaskShare,
        dry: &mut Vec<SourceKind>,
        conversation: ConversationId,
        attempt: u64,
    ) -> Result<Task, Missed> {
        let stream = |purpose| {
            let mut stream = self.seed.stream(conversation, Turn(0), purpose);
            stream.set_stream(attempt);
            stream
        };
        let TaskShare { kind, measures, .. } = share.clone();
        let began = self.clock.now();
        let context = self.fetch(kind, dry, stream(Purpose::Context)).await?;
        let context_time = self.clock.now().since(began);

        let mut choices = stream(Purpose::Query);
        let plan = (kind.definition().plan)(&context, &mut choices);
        let mut plan = plan.map_err(|unfit| Missed::Context(unfit.to_string()))?;
        let began = self.clock.now();
        let query = self.query(&mut plan, choices.next_u64()).await?;
        let query_time = self.clock.now().since(began);

        let references = self.references().promise(&plan, &query, conversation, Turn(0));
        Ok(Task { kind, context, context_time, query, query_time, plan, measures, references })
    }

    /// The plan's query, never empty; a plan that was waiting for it is completed.
    async fn query(&self, plan: &mut TaskPlan, seed: u64) -> Result<String, Missed> {
        let query = match &plan.query {
            Text::Fixed(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
            Text::Generated(messages) => {
                let text = self.write(messages, seed).await.map_err(Missed::Model)?;
                cleaned(&text)
            }
            Text::Question { material, instruction, otherwise } => {
                let asked = self.asked(material, instruction, seed).await?;
                Some(asked.unwrap_or_else(|| otherwise.clone()))
            }
        };
        let query = query.ok_or_else(|| Missed::Context("its query is empty".to_owned()))?;
        if let (Text::Generated(_), ChallengeForm::LeadingTo { text, .. }) =
            (&plan.query, &mut plan.form)
        {
            *text = with_query(text, &query);
        }
        Ok(query)
    }

    /// The model's question about the material; `None` if it asks none in a few tries.
    async fn asked(
        &self,
        material: &str,
        instruction: &str,
        seed: u64,
    ) -> Result<Option<String>, Missed> {
        let messages = prompt(material, instruction);
        for attempt in 0..QUESTION_TRIES {
            let text = self.write(&messages, seed.wrapping_add(attempt)).await;
            let found = question(&text.map_err(Missed::Model)?, material);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// A context of one of the kinds of source that the task can be grounded in. One that no tool has
    /// is not waited for, so the next is asked.
    async fn fetch(
        &self,
        kind: TaskKind,
        dry: &mut Vec<SourceKind>,
        mut random: ChaCha8Rng,
    ) -> Result<SourceContext, Missed> {
        let mut sources = left(kind, dry);
        sources.shuffle(&mut random);
        let mut cause = "it has no source left".to_owned();
        for source in sources {
            let (want, random) = (Want::Random(source), random.clone());
            let patience = self.config.context_patience;
            match tool_fetcher::fetch(&self.tool_fetcher, want, random, patience).await {
                Ok(context) => return Ok(context),
                Err(error) => {
                    dry.push(source);
                    cause = error.to_string();
                    if !matches!(error, FetchError::NoTool(_)) {
                        return Err(Missed::Source(cause));
                    }
                }
            }
        }
        Err(Missed::Nobody(cause))
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

/// The kinds of source that a kind of task can be grounded in and that are not dry.
fn left(kind: TaskKind, dry: &[SourceKind]) -> Vec<SourceKind> {
    let sources = kind.definition().sources.iter().copied();
    sources.filter(|source| !dry.contains(source)).collect()
}

/// One of the kinds, by their probabilities; `None` if there is none that can be drawn.
fn draw_kind(kinds: &[TaskShare], draw: &mut ChaCha8Rng) -> Option<TaskShare> {
    let index = WeightedIndex::new(kinds.iter().map(|share| share.probability)).ok()?;
    kinds.get(index.sample(draw)).cloned()
}

/// What the model wrote, cleaned; `None` if nothing is left.
fn cleaned(text: &str) -> Option<String> {
    Some(clean(text)).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;
