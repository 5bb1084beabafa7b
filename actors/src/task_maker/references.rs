//! Reference answers: what a good answer says, made while the miners think.
//!
//! TaskMaker uses it for the first turn of a conversation, PersonaAgent for those that follow.

use std::sync::Arc;
use std::time::Duration;

use rand::RngCore;

use crate::domain::{ConversationId, Lane, Purpose, RunSeed, Sampling, Turn};
use crate::model_worker::{Generate, generate};
use crate::ports::Clock;
use crate::runtime::{Port, Promise, Promised, Tasks};

use super::clean_or_fail;
use super::tasks::{self, ReferencePlan, TaskPlan};

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
    /// Begins to make the references to a query of one turn.
    #[must_use]
    pub fn promise(
        &self,
        plan: &TaskPlan,
        query: &str,
        conversation: ConversationId,
        turn: Turn,
    ) -> PromisedReferences {
        let messages = match &plan.reference {
            ReferencePlan::Fixed(texts) => {
                let texts = texts.clone();
                return Promised::kept(Ok(Arc::new(References { texts, time: Duration::ZERO })));
            }
            ReferencePlan::Generated { frame, material } => tasks::ask_with(frame, material, query),
        };
        let seed = self.seed.stream(conversation, turn, Purpose::Reference).next_u64();
        let request = Generate::new(messages, Sampling { seed, ..self.sampling }, Lane::Reference);
        let (promise, promised) = Promise::new();
        let (maker, cleaners) = (self.clone(), plan.cleaners);
        self.tasks.spawn("reference", async move {
            let began = maker.clock.now();
            let written = generate(&maker.model_worker, request, maker.patience).await;
            let text = written.map_err(|error| error.to_string());
            let text = text.and_then(|written| clean_or_fail(&written.text, cleaners));
            let time = maker.clock.now().since(began);
            promise.fulfil(text.map(|text| Arc::new(References { texts: vec![text], time })));
        });
        promised
    }
}
