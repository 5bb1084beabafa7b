//! RewardScorer: measures every answer against the reference, as it arrives, and closes the step.
//!
//! Dendrite pushes `Round` to it. It asks ModelWorker for embeddings, pushes `StepScored` to
//! WeightSetter (every miner that was asked, zeros included) and `TurnScored` to PersonaAgent.

pub mod combine;
pub mod rewards;
mod step_event;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use tokio::sync::mpsc;

use crate::conversation::Conversation;
use crate::dendrite::Asked;
use crate::domain::{Answer, BlockNumber, MinerReply, Moment, Role, Score, StatusCode};
use crate::model_worker::{Embed, ModelError};
use crate::persona_agent::{BestAnswer, Phrasing, TurnScored};
use crate::ports::{Clock, Event, Journal, Stopped};
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::task_maker::Task;
use crate::task_maker::references::References;
use crate::task_maker::tasks::ReferencePlan;
use crate::weight_setter::StepScored;

use combine::{Breakdown, Component};
use rewards::{Measure, Measures, Weighted};

/// Most texts of a conversation that answers are held against.
const MOST_SAID: usize = 16;

/// A challenge is with the miners; their answers will come through the stream.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Round {
    /// The conversation.
    pub conversation: Conversation,
    /// What it is about.
    pub task: Arc<Task>,
    /// What was asked, and as whom.
    pub phrasing: Arc<Phrasing>,
    /// Who was asked.
    pub asked: Vec<Asked>,
    /// Their answers, in order of arrival; it ends when no more will come.
    pub answers: mpsc::Receiver<Answer>,
    /// When they were asked.
    pub opened: Moment,
    /// As of which block they were chosen.
    pub block: BlockNumber,
}

/// An answer and all that was measured of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Who answered, and what.
    pub answer: Answer,
    /// The components and the total.
    pub breakdown: Breakdown,
    /// How long the measuring took.
    pub time: Duration,
}

/// Measures answers; `sn1 score` uses it without the actor.
#[derive(Clone)]
pub struct Bench {
    /// Embeds texts.
    pub model_worker: Port<Embed>,
    /// How long an embedding may take.
    pub patience: Duration,
    /// Times the measuring.
    pub clock: Arc<dyn Clock>,
}

/// What RewardScorer works with, and is rebuilt from.
#[derive(Clone)]
pub struct RewardScorerDeps {
    /// Measures answers.
    pub bench: Bench,
    /// Where rewards go.
    pub weight_setter: Port<StepScored>,
    /// Where conversations go on.
    pub persona_agent: Port<TurnScored>,
    /// What happened.
    pub journal: Arc<dyn Journal>,
    /// Where scoring runs.
    pub tasks: Tasks,
    /// For tests.
    pub failpoints: Failpoints,
}

/// The actor.
pub struct RewardScorer {
    deps: RewardScorerDeps,
}

impl RewardScorer {
    /// A new one; it has no state to lose.
    #[must_use]
    pub fn new(deps: RewardScorerDeps) -> Self {
        Self { deps }
    }
}

impl Actor for RewardScorer {
    type Context = Context<Self>;
}

impl Supervised for RewardScorer {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = Self::new(self.deps.clone());
    }
}

impl Handler<Job<Round>> for RewardScorer {
    type Result = ();

    fn handle(&mut self, job: Job<Round>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("reward_scorer:round");
        let deps = self.deps.clone();
        self.deps.tasks.spawn("score", async move {
            let _slot = job.slot;
            deps.failpoints.hit("reward_scorer:task");
            deps.close(job.message).await;
        });
        self.deps.failpoints.hit("reward_scorer:after");
    }
}

impl RewardScorerDeps {
    /// Scores a round to its end and sends on what came of it.
    async fn close(&self, mut round: Round) {
        match self.score(&mut round).await {
            Ok((references, scored)) => {
                let now = self.bench.clock.now();
                let event = step_event::step_event(&round, &references, &scored, now);
                self.journal.record(Event::Step(event));
                round.conversation.count_step();
                let best = best_answer(&scored);
                let rewards = scored
                    .into_iter()
                    .map(|scored| (scored.answer.hotkey, scored.breakdown.total))
                    .collect();
                self.weight_setter.push(StepScored { rewards }).await;
                let Round { conversation, task, phrasing, .. } = round;
                self.persona_agent.push(TurnScored { conversation, task, phrasing, best }).await;
            }
            Err(cause) => round.conversation.end(Stopped::NoText(cause)),
        }
    }

    /// Every asked miner's score, in the order in which they were asked.
    async fn score(&self, round: &mut Round) -> Result<(Arc<References>, Vec<Scored>), String> {
        let references =
            round.task.references.wait().await.map_err(|broken| broken.to_string())??;
        let measures = &round.task.measures;
        let said = said(&round.task.plan.reference, &round.phrasing);
        let judge = self.bench.judge(measures, &references.texts, &said);
        let judge = judge.await;
        let judge = judge.map_err(|error| error.to_string())?;
        let mut by_uid = BTreeMap::new();
        while let Some(answer) = round.answers.recv().await {
            let scored = judge.score(answer).await.map_err(|error| error.to_string())?;
            self.journal.record(Event::AnswerScored {
                conversation: round.conversation.id,
                turn: round.conversation.turn,
                uid: scored.answer.uid,
                hotkey: scored.answer.hotkey.clone(),
                reward: scored.breakdown.total,
            });
            by_uid.insert(scored.answer.uid, scored);
        }
        let scored = round.asked.iter().map(|asked| {
            by_uid.remove(&asked.uid).unwrap_or_else(|| self.silent(asked, &round.task))
        });
        Ok((references, scored.collect()))
    }

    /// A miner whose request was lost on our side: it earns nothing, as silence does.
    fn silent(&self, asked: &Asked, task: &Task) -> Scored {
        let reply = MinerReply {
            completion: String::new(),
            status: StatusCode::UNAVAILABLE,
            message: "the request was lost".into(),
            elapsed: Duration::ZERO,
        };
        let answer = Answer { uid: asked.uid, hotkey: asked.hotkey.clone(), reply };
        Scored { answer, breakdown: nothing(&task.measures), time: Duration::ZERO }
    }
}

impl Bench {
    /// Gets ready to score answers to one challenge. Of several references the one counts by which
    /// an answer earns most, measure by measure.
    ///
    /// `said` is what was said before the answer, oldest first: the first of it is what all of the
    /// conversation is about, the last the challenge. A penalty is the highest over all of it.
    ///
    /// # Errors
    /// [`ModelError`] if the references cannot be embedded.
    pub async fn judge<'a>(
        &'a self,
        measures: &'a Measures,
        references: &'a [String],
        said: &'a [&'a str],
    ) -> Result<Judge<'a>, ModelError> {
        let anchors = if measures.embed() {
            let penalised = measures.penalties.iter().any(|penalty| penalty.kind.embeds());
            let said = if penalised { said } else { &[] };
            let mut texts = references.to_vec();
            texts.extend(said.iter().map(|text| (*text).to_owned()));
            texts.push(String::new());
            Some(Anchors::of(self.embed(texts).await?, references.len(), said.len())?)
        } else {
            None
        };
        Ok(Judge { bench: self, measures, references, said, anchors })
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let deadline = self.model_worker.within(self.patience);
        let embedded = self.model_worker.ask_again(Embed { texts }, deadline).await;
        embedded.map_err(ModelError::NoAnswer)?
    }
}

/// The embeddings that answers are held against.
struct Anchors {
    references: Vec<Vec<f32>>,
    /// None where no penalty needs them.
    said: Vec<Vec<f32>>,
    empty: Vec<f32>,
}

impl Anchors {
    /// The vectors are those of so many references, of so many texts said and of the empty text.
    fn of(mut vectors: Vec<Vec<f32>>, references: usize, said: usize) -> Result<Self, ModelError> {
        match vectors.pop() {
            Some(empty) if vectors.len() == references + said => {
                let said = vectors.split_off(references);
                Ok(Self { references: vectors, said, empty })
            }
            _ => Err(ModelError::Failed("an embedding is missing".into())),
        }
    }
}

/// Scores the answers to one challenge.
pub struct Judge<'a> {
    bench: &'a Bench,
    measures: &'a Measures,
    references: &'a [String],
    said: &'a [&'a str],
    anchors: Option<Anchors>,
}

impl Judge<'_> {
    /// Measures one answer. One that did not come, or is empty, earns nothing and costs nothing.
    ///
    /// # Errors
    /// [`ModelError`] if it cannot be embedded.
    pub async fn score(&self, answer: Answer) -> Result<Scored, ModelError> {
        let began = self.bench.clock.now();
        let breakdown = if has_come(&answer.reply) {
            self.measure(&answer.reply.completion).await?
        } else {
            nothing(self.measures)
        };
        Ok(Scored { answer, breakdown, time: self.bench.clock.now().since(began) })
    }

    async fn measure(&self, completion: &str) -> Result<Breakdown, ModelError> {
        let vector = match &self.anchors {
            Some(_) => self.bench.embed(vec![completion.to_owned()]).await?.pop(),
            None => None,
        };
        let first = self.said.first().copied().unwrap_or_default();
        let against = |measure: &Weighted, text: &str, anchor: Option<&Vec<f32>>| match measure
            .kind
            .measure()
        {
            Measure::Text(of) => of(text, completion),
            Measure::WithChallenge(of) => of(text, first, completion),
            Measure::Embedding(of) => match (anchor, &vector, &self.anchors) {
                (Some(anchor), Some(vector), Some(anchors)) => of(anchor, vector, &anchors.empty),
                _ => Score::ZERO,
            },
        };
        let highest = |measure: &Weighted, texts: &[&str], anchors: Option<&Vec<Vec<f32>>>| {
            let anchor = |at| anchors.and_then(|anchors: &Vec<Vec<f32>>| anchors.get(at));
            let scores =
                texts.iter().enumerate().map(|(at, text)| against(measure, text, anchor(at)));
            let score =
                scores.fold(Score::ZERO, |best, next| if next > best { next } else { best });
            Component { measure: *measure, score }
        };
        let references: Vec<&str> = self.references.iter().map(String::as_str).collect();
        let anchors = self.anchors.as_ref();
        let reward = |measure: &Weighted| {
            highest(measure, &references, anchors.map(|anchors| &anchors.references))
        };
        let penalty =
            |measure: &Weighted| highest(measure, self.said, anchors.map(|anchors| &anchors.said));
        let Measures { rewards, penalties } = self.measures;
        Ok(Breakdown::new(
            rewards.iter().map(reward).collect(),
            penalties.iter().map(penalty).collect(),
        ))
    }
}

/// What an answer of this turn may not be made of, oldest first and the challenge last. What the
/// person was told counts too, unless the reference is the same in every turn: then the right answer
/// may have been given already, or nearly, and must be free to come again.
fn said<'a>(reference: &ReferencePlan, phrasing: &'a Phrasing) -> Vec<&'a str> {
    let counts = |role: Role| match (role, reference) {
        (Role::User, _) | (Role::Assistant, ReferencePlan::Generated { .. }) => true,
        (Role::Assistant, ReferencePlan::Fixed(_)) | (Role::System, _) => false,
    };
    let before = phrasing.history.iter().filter(|message| counts(message.role));
    let mut said: Vec<&str> = before.map(|message| message.content.as_str()).collect();
    said.push(&phrasing.challenge);
    // The first is what it is all about; of the others the oldest are the least likely to be copied.
    let left_out = 1..said.len().saturating_sub(MOST_SAID).saturating_add(1);
    said.drain(left_out);
    said
}

/// The breakdown of an answer that is not there.
fn nothing(measures: &Measures) -> Breakdown {
    let zero = |measure: &Weighted| Component { measure: *measure, score: Score::ZERO };
    let Measures { rewards, penalties } = measures;
    Breakdown::new(rewards.iter().map(zero).collect(), penalties.iter().map(zero).collect())
}

/// What a person reads of a turn.
fn best_answer(scored: &[Scored]) -> Option<BestAnswer> {
    let Scored { answer, breakdown, .. } = best(scored)?;
    Some(BestAnswer { text: answer.reply.completion.clone(), reward: breakdown.total })
}

/// Of the answers that came, the one that earned most; among equals the one of the miner that was
/// asked earliest.
fn best(scored: &[Scored]) -> Option<&Scored> {
    let came = scored.iter().filter(|scored| has_come(&scored.answer.reply));
    came.reduce(|best, next| if next.breakdown.total > best.breakdown.total { next } else { best })
}

/// Whether a reply has words that can be measured.
fn has_come(reply: &MinerReply) -> bool {
    reply.status == StatusCode::OK && !reply.completion.trim().is_empty()
}

#[cfg(test)]
mod tests;
