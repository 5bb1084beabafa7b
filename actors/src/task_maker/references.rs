//! Reference answers: what a good answer says, made while the miners think.
//!
//! TaskMaker uses it for the first turn of a conversation, PersonaAgent for those that follow, and
//! Organic for what users ask.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::RngCore;
use tracing::{Instrument as _, debug_span};

use crate::domain::{ChatMessage, ConversationId, Lane, Purpose, RunSeed, Sampling, Turn};
use crate::model_worker::{Generate, generate};
use crate::ports::Clock;
use crate::runtime::{Port, Promise, Promised, Tasks};
use crate::spans::{TARGET, part};

use super::cleaned;
use super::passage::{prompt, with_query};
use super::tasks::{ReferencePlan, TaskPlan};

/// The reference answers to a query, and how long they took to make.
#[derive(Clone, Debug, PartialEq)]
pub struct References {
    /// What good answers say, each enough by itself; at least one.
    pub texts: Vec<String>,
    /// Zero if they were known from the start.
    pub time: Duration,
}

/// References that are there, or under way; in the end there may be a cause why there are none.
pub type PromisedReferences = Promised<Result<Arc<References>, String>>;

/// Makes reference answers.
#[derive(Clone)]
pub struct ReferenceMaker {
    /// How the model words them; the seed is set for each.
    pub sampling: Sampling,
    /// How long one may take.
    pub patience: Duration,
    /// Who writes them.
    pub model_worker: Port<Generate>,
    /// Decides their wording.
    pub seed: RunSeed,
    /// Times them.
    pub clock: Arc<dyn Clock>,
    /// Where they are made.
    pub tasks: Tasks,
}

impl ReferenceMaker {
    /// Begins to make the references to a query of one turn. One that fails is missed by nobody as
    /// long as there is another.
    #[must_use]
    pub fn promise(
        &self,
        plan: &TaskPlan,
        query: &str,
        conversation: ConversationId,
        turn: Turn,
    ) -> PromisedReferences {
        let (material, instructions) = match &plan.reference {
            ReferencePlan::Fixed(texts) => {
                let texts = texts.clone();
                return Promised::kept(Ok(Arc::new(References { texts, time: Duration::ZERO })));
            }
            ReferencePlan::Generated { material, instructions } => (material, *instructions),
        };
        let mut seeds = self.seed.stream(conversation, turn, Purpose::Reference);
        let requests = instructions.iter().map(|instruction| {
            let messages = prompt(material, &with_query(instruction, query));
            let sampling = Sampling { seed: seeds.next_u64(), ..self.sampling };
            Generate::new(messages, sampling, Lane::Reference)
        });
        self.make(requests.collect(), std::future::ready(()))
    }

    /// A reference that is the model's own answer to a chat; it is begun once `begins` resolves.
    #[must_use]
    pub fn promise_answer(
        &self,
        chat: Vec<ChatMessage>,
        conversation: ConversationId,
        turn: Turn,
        begins: impl Future<Output = ()> + 'static,
    ) -> PromisedReferences {
        let seed = self.seed.stream(conversation, turn, Purpose::Reference).next_u64();
        let sampling = Sampling { seed, ..self.sampling };
        self.make(vec![Generate::new(chat, sampling, Lane::Reference)], begins)
    }

    /// Has all of them written, once it may.
    fn make(
        &self,
        requests: Vec<Generate>,
        begins: impl Future<Output = ()> + 'static,
    ) -> PromisedReferences {
        let (promise, promised) = Promise::new();
        let maker = self.clone();
        let span = part(|| debug_span!(target: TARGET, "reference"));
        let making = async move {
            begins.await;
            let began = maker.clock.now();
            let texts = join_all(requests.into_iter().map(|request| maker.write(request)));
            let (texts, failed): (Vec<_>, Vec<_>) =
                texts.await.into_iter().partition(Result::is_ok);
            let texts: Vec<String> = texts.into_iter().flatten().collect();
            let time = maker.clock.now().since(began);
            promise.fulfil(match failed.into_iter().find_map(Result::err) {
                Some(cause) if texts.is_empty() => Err(cause),
                Some(_) | None => Ok(Arc::new(References { texts, time })),
            });
        };
        self.tasks.spawn("reference", making.instrument(span));
        promised
    }

    async fn write(&self, request: Generate) -> Result<String, String> {
        let written = generate(&self.model_worker, request, self.patience).await;
        let text = written.map_err(|error| error.to_string())?.text;
        cleaned(&text).ok_or_else(|| "the model wrote nothing".to_owned())
    }
}
