//! PersonaAgent: plays the human. It draws a persona, words the challenge, and decides after each
//! turn whether the goal is reached.
//!
//! TaskMaker pushes `TaskReady` to it, RewardScorer `TurnScored`; it asks ModelWorker for the words
//! and pushes `Challenge` to Dendrite. In this version a conversation has one turn.

pub mod cleaners;
pub mod prompt;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, Supervised};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;

use crate::conversation::Conversation;
use crate::dendrite::Challenge;
use crate::domain::{
    ConversationId, Lane, Mood, Persona, Profile, Purpose, RunSeed, Sampling, Tone, Turn,
};
use crate::model_worker::{Generate, generate};
use crate::ports::{Clock, Stopped};
use crate::runtime::{Failpoints, Job, Port, Tasks};
use crate::task_maker::Task;
use crate::task_maker::tasks::ChallengeForm;

use cleaners::clean;

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
}

/// How a human put the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrasing {
    /// Who asked.
    pub persona: Persona,
    /// What was asked; never empty.
    pub challenge: String,
    /// How long the wording took.
    pub time: Duration,
    /// The prompt that made the persona speak.
    pub system_prompt: String,
}

/// How humans are played.
#[derive(Clone, Debug)]
pub struct PersonaAgentConfig {
    /// How the model words challenges; the seed is set for each.
    pub sampling: Sampling,
    /// How long the wording may take.
    pub patience: Duration,
}

/// Finds a human's words; `sn1 challenge` uses it without the actor.
#[derive(Clone)]
pub struct Phraser {
    /// How humans are played.
    pub config: PersonaAgentConfig,
    /// Who finds the words.
    pub model_worker: Port<Generate>,
    /// Decides every draw.
    pub seed: RunSeed,
    /// Times the wording.
    pub clock: Arc<dyn Clock>,
}

/// What PersonaAgent works with, and is rebuilt from.
#[derive(Clone)]
pub struct PersonaAgentDeps {
    /// Finds the words.
    pub phraser: Phraser,
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
        self.deps.tasks.spawn("challenge", async move {
            let _slot = slot;
            deps.failpoints.hit("persona_agent:task");
            match deps.phraser.phrase(conversation.id, conversation.turn, &task).await {
                Ok(phrasing) => {
                    let phrasing = Arc::new(phrasing);
                    deps.dendrite.push(Challenge { conversation, task, phrasing }).await;
                }
                Err(cause) => conversation.end(Stopped::NoText(cause)),
            }
        });
        self.deps.failpoints.hit("persona_agent:after");
    }
}

impl Handler<Job<TurnScored>> for PersonaAgent {
    type Result = ();

    fn handle(&mut self, job: Job<TurnScored>, _: &mut Context<Self>) {
        self.deps.failpoints.hit("persona_agent:turn_scored");
        job.message.conversation.end(Stopped::Completed);
    }
}

impl Phraser {
    /// Puts a task's query the way a random human would.
    ///
    /// # Errors
    /// Why there are no words, as text for the journal.
    pub async fn phrase(
        &self,
        conversation: ConversationId,
        turn: Turn,
        task: &Task,
    ) -> Result<Phrasing, String> {
        let stream = |purpose| self.seed.stream(conversation, turn, purpose);
        let persona = draw(&mut stream(Purpose::Persona));
        let seed = stream(Purpose::Challenge).next_u64();
        let messages = prompt::challenge(persona, &task.plan, &task.query);
        let system_prompt = messages.first().map(|m| m.content.clone()).unwrap_or_default();

        let began = self.clock.now();
        let sampling = Sampling { seed, ..self.config.sampling };
        let request = Generate { messages, sampling, lane: Lane::Validator };
        let words = generate(&self.model_worker, request, self.config.patience).await;
        let words = words.map_err(|error| error.to_string())?.text;
        let time = self.clock.now().since(began);

        let challenge = form(&clean(&words, task.plan.cleaners), &task.plan.form, &task.query);
        Ok(Phrasing { persona, challenge, time, system_prompt })
    }
}

/// One of the 594 personas, each as likely as any other.
fn draw(random: &mut ChaCha8Rng) -> Persona {
    fn one<T: Copy>(all: &[T], random: &mut ChaCha8Rng) -> T {
        all[random.random_range(0..all.len())]
    }
    Persona {
        profile: one(Profile::ALL, random),
        mood: one(Mood::ALL, random),
        tone: one(Tone::ALL, random),
    }
}

/// The challenge from the person's words. One that is empty never leaves: the query stands in.
fn form(words: &str, form: &ChallengeForm, query: &str) -> String {
    let words = if words.trim().is_empty() { query } else { words.trim() };
    match form {
        ChallengeForm::Phrased => words.to_owned(),
        ChallengeForm::LeadingTo(text) if words.contains(text.as_str()) => words.to_owned(),
        ChallengeForm::LeadingTo(text) => format!("{words}\n\n{text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn every_mood_tone_and_profile_is_drawn() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let drawn: Vec<Persona> = (0..2_000).map(|_| draw(&mut random)).collect();
        let count = |word: fn(&Persona) -> &'static str| {
            drawn.iter().map(word).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(count(|p| p.profile.as_str()), Profile::ALL.len());
        assert_eq!(count(|p| p.mood.as_str()), Mood::ALL.len());
        assert_eq!(count(|p| p.tone.as_str()), Tone::ALL.len());
    }

    #[test]
    fn a_challenge_is_never_empty_and_never_loses_its_problem() {
        let problem = ChallengeForm::LeadingTo("What is 2 plus 3?".into());
        assert_eq!(form("  ", &ChallengeForm::Phrased, "the query"), "the query");
        assert_eq!(form("Help!", &problem, "q"), "Help!\n\nWhat is 2 plus 3?");
        assert_eq!(form("Hm, What is 2 plus 3?", &problem, "q"), "Hm, What is 2 plus 3?");
    }
}
