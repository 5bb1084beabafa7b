//! Assistant: what a miner answers, by kind.
//!
//! Axon asks it to `Respond`; it asks ModelWorker and, as an agent, ToolFetcher. The kinds other
//! than `model` and `agent` are there so that a local network has miners of plainly different worth.

mod agent;
pub mod board;
pub mod budget;
mod mock;
mod solver;
mod spoken;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::domain::{ChatMessage, Lane, Moment, Query, Sampling};
use crate::model_worker::{self, Generate};
use crate::ports::{Clock, Piece, in_time};
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::tool_fetcher::FetchContext;

use board::AnswerBoard;

/// Answer a query.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<String, RespondError>")]
pub struct Respond {
    /// What is asked.
    pub query: Query,
    /// Where a text goes piece by piece: while the model writes it, or as if somebody spoke it.
    pub pieces: Option<mpsc::Sender<Piece>>,
    /// When the caller hangs up.
    pub deadline: Moment,
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// The model or a tool failed; the cause is for the miner's own log and the caller.
    #[error("{0}")]
    Failed(String),
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The model alone.
    Model,
    /// A solver of its own for problems with one right answer; for the rest what the tools know about
    /// the question, and the model.
    Agent,
    /// As the agent, but only when four fifths of the caller's time are gone.
    Slow,
    /// The first answer to the same question that another miner of this process gave.
    Copier,
    /// The question itself.
    Echo,
    /// Always the same words.
    Phrase(String),
    /// The question, as a miner for tests of others: late and unreliable as told.
    Mock {
        /// How long it takes on average, and up to five times as long.
        delay: Duration,
        /// The part of the questions that it does not answer, from 0 to 1.
        failures: f64,
    },
}

/// How the assistant answers.
#[derive(Clone, Debug)]
pub struct AssistantConfig {
    /// What answers.
    pub kind: Kind,
    /// What the model is told about itself.
    pub system_prompt: String,
    /// How the model chooses words; the seed is set for each query.
    pub sampling: Sampling,
    /// Every answer waits at least so long.
    pub delay: Duration,
}

/// What Assistant works with, and is rebuilt from.
#[derive(Clone)]
pub struct AssistantDeps {
    /// How it answers.
    pub config: AssistantConfig,
    /// Who writes.
    pub model_worker: Port<Generate>,
    /// Who looks things up.
    pub tool_fetcher: Port<FetchContext>,
    /// Where the miners of one process see each other's answers.
    pub board: Option<AnswerBoard>,
    /// Paces answers.
    pub clock: Arc<dyn Clock>,
    /// Where answers are made.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct Assistant {
    deps: AssistantDeps,
}

impl Assistant {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: AssistantDeps) -> Self {
        Self { deps }
    }
}

impl Actor for Assistant {
    type Context = Context<Self>;
}

impl Supervised for Assistant {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<Respond>> for Assistant {
    type Result = ();

    fn handle(&mut self, job: Job<Respond>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("assistant:respond");
        let deps = self.deps.clone();
        self.deps.tasks.spawn("answer", async move {
            let _slot = job.slot;
            deps.failpoints.hit("assistant:task");
            let Respond { query, pieces, deadline } = job.message;
            let mut reply = job.reply;
            let answer = tokio::select! {
                answer = deps.answer(&query, pieces, deadline) => answer,
                // Nobody would read it.
                () = reply.abandoned() => return,
            };
            if let (Some(board), Ok(answer)) = (&deps.board, &answer)
                && deps.config.kind != Kind::Copier
            {
                board.post(&query, answer);
            }
            reply.send(answer);
        });
        self.deps.failpoints.hit("assistant:after");
    }
}

impl AssistantDeps {
    async fn answer(
        &self,
        query: &Query,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let began = self.clock.now();
        // Even the shortest sleep is a millisecond.
        if !self.config.delay.is_zero() {
            self.clock.sleep(self.config.delay).await;
        }
        match &self.config.kind {
            Kind::Echo => Ok(self.spoken(last_message(query).to_owned(), pieces, deadline).await),
            Kind::Phrase(words) => Ok(self.spoken(words.clone(), pieces, deadline).await),
            Kind::Mock { delay, failures } => {
                let chance = mock::Chance::of(seed_of(query));
                self.clock.sleep(chance.delay(*delay)).await;
                if chance.fails(*failures) {
                    let cause = "a mock miner fails as often as miner.mock_failures says";
                    return Err(RespondError::Failed(cause.into()));
                }
                let answer = format!("Mock reply to: {}", last_message(query));
                Ok(self.spoken(answer, pieces, deadline).await)
            }
            Kind::Model => {
                let (chat, sampling) = (self.chat(query), self.config.sampling);
                self.generate(chat, sampling, query, pieces, deadline).await
            }
            Kind::Agent => self.as_agent(query, pieces, deadline).await,
            Kind::Slow => {
                let answer = self.as_agent(query, None, deadline).await;
                let due = began.after(deadline.since(began).mul_f64(0.8));
                self.clock.sleep(due.since(self.clock.now())).await;
                answer
            }
            Kind::Copier => match &self.board {
                Some(board) => {
                    let patience = deadline.since(self.clock.now());
                    let answer = in_time(&*self.clock, patience, board.first(query)).await;
                    let late = || RespondError::Failed("nobody has answered yet".into());
                    answer.ok_or_else(late)
                }
                None => Err(RespondError::Failed("there is nobody to copy from".into())),
            },
        }
    }

    /// An answer that is known as a whole, in pieces for whoever wants them.
    async fn spoken(
        &self,
        answer: String,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> String {
        if let Some(pieces) = pieces {
            let left = deadline.since(self.clock.now()) / 2;
            // What no piece held is in the answer.
            in_time(&*self.clock, left, spoken::speak(&answer, &pieces, &*self.clock)).await;
        }
        answer
    }

    /// What is said, behind the operator's system prompt.
    fn chat(&self, query: &Query) -> Vec<ChatMessage> {
        let mut chat = vec![ChatMessage::system(self.config.system_prompt.clone())];
        chat.extend(query.clone().into_messages());
        chat
    }

    /// What the model writes; the same for the same question.
    async fn generate(
        &self,
        chat: Vec<ChatMessage>,
        sampling: Sampling,
        query: &Query,
        pieces: Option<mpsc::Sender<Piece>>,
        deadline: Moment,
    ) -> Result<String, RespondError> {
        let sampling = Sampling { seed: seed_of(query), ..sampling };
        let request = Generate { pieces, ..Generate::new(chat, sampling, Lane::Miner) };
        let patience = deadline.since(self.clock.now());
        match model_worker::generate(&self.model_worker, request, patience).await {
            Ok(generation) => Ok(generation.text),
            Err(error) => Err(RespondError::Failed(error.to_string())),
        }
    }
}

fn last_message(query: &Query) -> &str {
    query.messages.last().map_or("", String::as_str)
}

/// The same question gets the same answer.
fn seed_of(query: &Query) -> u64 {
    let digest = Sha256::digest(query.messages.join("\n"));
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
