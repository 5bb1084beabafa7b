//! RewardScorer: measures every answer against the reference, as it arrives, and closes the step.
//!
//! Dendrite pushes `Round` to it. It asks ModelWorker for embeddings, pushes `StepScored` to
//! WeightSetter (every miner that was asked, zeros included) and `TurnScored` to PersonaAgent. A
//! user's round it scores the same way, if it is to be scored at all, and ends it itself.

pub mod closing;
pub mod combine;
pub mod effort;
pub mod judge;
pub mod rewards;
pub mod rules;
pub mod said;
mod step_event;
mod subsequence;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use tokio::sync::mpsc;
use tracing::{Instrument as _, debug_span};

use crate::conversation::Conversation;
use crate::dendrite::Asked;
use crate::domain::{Answer, BlockNumber, MinerReply, Moment, StatusCode};
use crate::model_worker::ModelError;
use crate::organic::{Asker, Listener};
use crate::persona_agent::{BestAnswer, Phrasing, TurnScored};
use crate::ports::{Event, Journal, Stopped};
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::spans::TARGET;
use crate::task_maker::Task;
use crate::task_maker::references::References;
use crate::weight_setter::StepScored;

use closing::{Candidate, ClosingRules, Verdict};
use judge::{Bench, Judge, Measured};
use rewards::Measures;
use said::said;

/// Answers that are measured together, if so many have come.
const MOST_AT_ONCE: usize = 64;

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
    /// On whose behalf.
    pub asker: Asker,
    /// Who was asked.
    pub asked: Vec<Asked>,
    /// Their answers, in order of arrival; it ends when no more will come.
    pub answers: mpsc::Receiver<Answer>,
    /// When they were asked.
    pub opened: Moment,
    /// As of which block they were chosen.
    pub block: BlockNumber,
}

/// An answer, all that was measured of it, and what it earns.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Who answered, and what.
    pub answer: Answer,
    /// What was measured.
    pub measured: Measured,
    /// What came of it when the step was closed.
    pub verdict: Verdict,
}

/// What RewardScorer works with, and is rebuilt from.
#[derive(Clone)]
pub struct RewardScorerDeps {
    /// Measures answers.
    pub bench: Bench,
    /// How steps are closed.
    pub closing: ClosingRules,
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
        let Conversation { span, turn, .. } = &job.message.conversation;
        let span = debug_span!(target: TARGET, parent: span, "score", turn = i64::from(turn.0));
        let scoring = async move {
            let _slot = job.slot;
            deps.failpoints.hit("reward_scorer:task");
            deps.close(job.message).await;
        };
        self.deps.tasks.spawn("score", scoring.instrument(span));
        self.deps.failpoints.hit("reward_scorer:after");
    }
}

impl RewardScorerDeps {
    /// Scores a round to its end and sends on what came of it.
    async fn close(&self, mut round: Round) {
        if !round.asker.is_scored() {
            while round.answers.recv().await.is_some() {}
            return round.conversation.end(Stopped::Completed);
        }
        match self.score(&mut round).await {
            Ok((references, scored)) => {
                let now = self.bench.clock.now();
                let event = step_event::step_event(&round, &references, &scored, now);
                self.journal.record(Event::Step(event));
                round.conversation.count_step();
                self.pass_on(round, scored).await;
            }
            Err(cause) => {
                // A model's server may quote what it was asked.
                let withheld = round.asker.withholds_texts();
                let cause = if withheld { "withheld".to_owned() } else { cause };
                round.conversation.end(Stopped::NoText(cause));
            }
        }
    }

    /// Sends on what a step came to: every reward, and the best answer to whoever asked.
    async fn pass_on(&self, round: Round, scored: Vec<Scored>) {
        let Round { conversation, task, phrasing, asker, .. } = round;
        let best_uid = best(&scored).map(|best| best.answer.uid);
        let best = best_answer(&scored);
        let rewards = scored.into_iter().map(|s| (s.answer.hotkey, s.verdict.reward)).collect();
        let step = StepScored { conversation: conversation.id, turn: conversation.turn, rewards };
        self.weight_setter.push(step).await;
        match asker {
            Asker::Persona => {
                self.persona_agent.push(TurnScored { conversation, task, phrasing, best }).await;
            }
            Asker::User(Listener { best: tell, .. }) => {
                if let Some((tell, uid)) = tell.zip(best_uid) {
                    // A user who is gone hears nothing.
                    let _ = tell.send(uid);
                }
                conversation.end(Stopped::Completed);
            }
        }
    }

    /// Every asked miner's score, in the order in which they were asked.
    async fn score(&self, round: &mut Round) -> Result<(Arc<References>, Vec<Scored>), String> {
        let references =
            round.task.references.wait().await.map_err(|broken| broken.to_string())??;
        let judge = self.judge(round, &references).await.map_err(|error| error.to_string())?;
        let mut by_uid = BTreeMap::new();
        let mut arrived = Vec::new();
        // What comes while others are measured is measured together.
        while round.answers.recv_many(&mut arrived, MOST_AT_ONCE).await > 0 {
            for answer in &mut arrived {
                cut(&mut answer.reply.completion);
            }
            let replies = arrived.iter().map(|answer| answer.reply.clone()).collect();
            let measured = judge.measure(replies).await.map_err(|error| error.to_string())?;
            for (answer, measured) in arrived.drain(..).zip(measured) {
                self.journal.record(Event::AnswerScored {
                    conversation: round.conversation.id,
                    turn: round.conversation.turn,
                    uid: answer.uid,
                    hotkey: answer.hotkey.clone(),
                    reward: measured.breakdown.total,
                });
                by_uid.insert(answer.uid, (answer, measured));
            }
        }
        let of_asked = round.asked.iter().map(|asked| {
            by_uid.remove(&asked.uid).unwrap_or_else(|| silent(asked, &round.task.measures))
        });
        let (rules, measures, measured) =
            (self.closing, Arc::clone(&round.task.measures), of_asked.collect());
        let closed = self.bench.tasks.compute("close", move || closed(&rules, &measures, measured));
        let scored = closed.await.ok_or("the step could not be closed")?;
        Ok((references, scored))
    }

    async fn judge(&self, round: &Round, references: &References) -> Result<Judge, ModelError> {
        let Round { task, phrasing, .. } = round;
        let said = said(task.plan.reference.is_static(), &phrasing.history, &phrasing.challenge);
        self.bench.judge(Arc::clone(&task.measures), references.texts.clone(), said).await
    }
}

/// Leaves of an answer what is measured: a miner has the memory and the journal of a validator for
/// no more.
fn cut(completion: &mut String) {
    let measured = judge::measured_part(completion).len();
    completion.truncate(measured);
    completion.shrink_to_fit();
}

/// Closes a step of which everything is measured.
fn closed(
    rules: &ClosingRules,
    measures: &Measures,
    measured: Vec<(Answer, Measured)>,
) -> Vec<Scored> {
    let candidates: Vec<Candidate<'_>> = measured
        .iter()
        .map(|(answer, measured)| Candidate {
            uid: answer.uid,
            completion: &answer.reply.completion,
            total: measured.breakdown.total,
            elapsed: answer.reply.elapsed,
            arrived: answer.arrived,
        })
        .collect();
    let verdicts = closing::close(rules, measures, &candidates);
    let scored = measured.into_iter().zip(verdicts);
    scored.map(|((answer, measured), verdict)| Scored { answer, measured, verdict }).collect()
}

/// A miner whose request was lost on our side: it earns nothing, as silence does.
fn silent(asked: &Asked, measures: &Measures) -> (Answer, Measured) {
    let reply = MinerReply::failure(StatusCode::UNAVAILABLE, "the request was lost");
    let Asked { uid, hotkey } = asked.clone();
    let answer = Answer { uid, hotkey, reply, arrived: Duration::ZERO };
    (answer, Measured { breakdown: judge::nothing(measures), time: Duration::ZERO })
}

/// What a person reads of a turn.
fn best_answer(scored: &[Scored]) -> Option<BestAnswer> {
    let Scored { answer, verdict, .. } = best(scored)?;
    Some(BestAnswer { text: answer.reply.completion.clone(), reward: verdict.reward })
}

/// Of the answers that came, the one that earned most; among equals the one of the miner that was
/// asked earliest.
fn best(scored: &[Scored]) -> Option<&Scored> {
    let came = scored.iter().filter(|scored| judge::has_come(&scored.answer.reply));
    came.reduce(|best, next| if next.verdict.reward > best.verdict.reward { next } else { best })
}

#[cfg(test)]
mod tests;
