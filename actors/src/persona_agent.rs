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
        let messages = prompt::challenge(persona, task.kind.definition(), &task.plan, &task.query);
        let told = [messages.first(), messages.last()];
        let told: Vec<&str> = told.into_iter().flatten().map(|m| m.content.as_str()).collect();
        let system_prompt = told.join("\n");

        let began = self.clock.now();
        let sampling = Sampling { seed, ..self.config.sampling };
        let request = Generate::new(messages, sampling, Lane::Validator);
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

/// The challenge from the person's words. One that is empty never leaves, nor one that lost what
/// it is about: the query stands in, or follows.
fn form(words: &str, form: &ChallengeForm, query: &str) -> String {
    let words = words.trim();
    match form {
        ChallengeForm::Phrased if words.is_empty() => query.to_owned(),
        ChallengeForm::Phrased if shares_a_subject(words, query) => words.to_owned(),
        ChallengeForm::Phrased => format!("{words} {query}"),
        ChallengeForm::LeadingTo(text) if words.is_empty() => text.clone(),
        ChallengeForm::LeadingTo(text) if words.contains(text.as_str()) => words.to_owned(),
        ChallengeForm::LeadingTo(text) => format!("{words}\n\n{text}"),
    }
}

/// Whether two texts have one of the longer words in common, in any inflection of its end.
fn shares_a_subject(words: &str, query: &str) -> bool {
    /// Shorter words, and these, are about nothing.
    const SHORT: usize = 5;
    const EMPTY: [&str; 10] = [
        "about",
        "which",
        "where",
        "their",
        "there",
        "could",
        "would",
        "these",
        "between",
        "following",
    ];
    let stem = |word: &str| -> Option<String> {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let long = word.chars().count() >= SHORT && !EMPTY.contains(&word.as_str());
        long.then(|| word.chars().take(SHORT).collect())
    };
    let wanted: Vec<String> = query.split_whitespace().filter_map(stem).collect();
    let said: Vec<String> = words.split_whitespace().filter_map(stem).collect();
    let short = |word: &str| word.to_lowercase();
    if wanted.is_empty() {
        // A query of short words only, such as the title `Nile`, must be there as it is.
        return short(words).contains(short(query).trim());
    }
    wanted.iter().any(|word| said.contains(word))
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
        let phrased = ChallengeForm::Phrased;
        let query = "What is the main function of the suspension bridge?";
        assert_eq!(form("  ", &phrased, query), query);
        assert_eq!(form("Please, no.", &phrased, query), format!("Please, no. {query}"));
        let kept = "so what do suspended bridges do?";
        assert_eq!(form(kept, &phrased, query), kept);
        assert_eq!(form("sum up the nile pls", &phrased, "Nile"), "sum up the nile pls");
        assert_eq!(form("sum it up", &phrased, "Nile"), "sum it up Nile");
        assert_eq!(form("Help!", &problem, "q"), "Help!\n\nWhat is 2 plus 3?");
        assert_eq!(form("Hm, What is 2 plus 3?", &problem, "q"), "Hm, What is 2 plus 3?");
    }
}
