//! Finds a person's words with the model, and without it where the model's would not do.
//!
//! PersonaAgent uses it for every turn of a conversation, `sn1 challenge` for one.

use std::sync::Arc;
use std::time::Duration;

use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::domain::{
    Cast, ChatMessage, ConversationId, Lane, Persona, Purpose, Query, Role, RunSeed, Sampling,
    Score, Turn,
};
use crate::model_worker::{Generate, generate};
use crate::ports::Clock;
use crate::runtime::Port;
use crate::task_maker::Task;
use crate::task_maker::tasks::ChallengeForm;
use crate::text::shown::cut;

use super::cleaners::clean;
use super::follow_up::{self, Exchange};
use super::guard::{self, Flaw};
use super::paraphrase::paraphrase;
use super::prompt;

/// The model may word a thing so many times more if the guard refuses it.
const AGAIN: usize = 2;
/// Of words that may not leave, so many characters are kept for the journal.
const KEPT_CHARACTERS: usize = 400;

/// How a person's turn of the conversation is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrasing {
    /// Who asks: the same person in every turn.
    pub persona: Persona,
    /// What the person is after: the query of the first turn.
    pub goal: String,
    /// What was said before, oldest first; empty in the first turn.
    pub history: Vec<ChatMessage>,
    /// What is asked; never empty.
    pub challenge: String,
    /// What miners are sent, where that is more than the two above: the same in the shape of a
    /// user's query. Nobody else needs it; answers are measured by what was really said.
    pub sent: Option<Query>,
    /// What the model wrote before, and why it did not leave.
    pub attempts: Vec<Rejected>,
    /// How long the wording took.
    pub time: Duration,
    /// The prompt that made the persona speak.
    pub system_prompt: String,
}

impl Phrasing {
    /// What miners are sent: the whole conversation, the challenge last, and what makes it look like
    /// a user's.
    #[must_use]
    pub fn query(&self) -> Query {
        if let Some(sent) = &self.sent {
            return sent.clone();
        }
        let (roles, messages) =
            self.history.iter().map(|message| (message.role, message.content.clone())).unzip();
        let mut query = Query { roles, messages };
        query.roles.push(Role::User);
        query.messages.push(self.challenge.clone());
        query
    }
}

/// Words that did not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The words, cut.
    pub words: String,
    /// What is wrong with them.
    pub flaw: String,
}

/// The best answer of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct BestAnswer {
    /// What the miner wrote; not empty.
    pub text: String,
    /// What it earned.
    pub reward: Score,
}

/// When a person has what it wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// When the best answer earned so much.
    Reward(Score),
    /// When the model says so in the person's place.
    Judgement,
}

/// How humans are played.
#[derive(Clone, Debug)]
pub struct PersonaAgentConfig {
    /// Everybody who may ask.
    pub cast: Cast,
    /// When a person has what it wants.
    pub goal: Goal,
    /// A person asks no more often than this in one conversation.
    pub max_turns: u8,
    /// How the model words challenges; the seed is set for each.
    pub sampling: Sampling,
    /// How long each wording may take.
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

/// What the model made of one thing to say.
struct Draft {
    words: Option<String>,
    attempts: Vec<Rejected>,
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
        let persona = self.config.cast.draw(&mut stream(Purpose::Persona));
        let (plan, query) = (&task.plan, task.query.as_str());
        let messages = |flaw: Option<&Flaw>| {
            prompt::challenge(&persona, task.kind.definition(), &task.context, plan, query, flaw)
        };
        let check = |words: &str| guard::check(words, &plan.form, query, &task.context.topic);
        let began = self.clock.now();
        let seeds = stream(Purpose::Challenge);
        let draft = self.draft(seeds, &messages, &check).await?;
        let time = self.clock.now().since(began);
        let challenge = match draft.words {
            Some(words) => form(&words, &plan.form),
            None => {
                let mut random = stream(Purpose::Paraphrase);
                paraphrase(&persona, &plan.form, query, &task.context.topic, &mut random)
            }
        };
        let system_prompt = told(&messages(None));
        Ok(Phrasing {
            goal: query.to_owned(),
            history: Vec::new(),
            sent: None,
            attempts: draft.attempts,
            persona,
            challenge,
            time,
            system_prompt,
        })
    }

    /// Whether the person has what it wants. A judgement that is not clear is a yes: a conversation
    /// does not go on for want of a word.
    pub async fn is_reached(
        &self,
        conversation: ConversationId,
        turn: Turn,
        exchange: &Exchange<'_>,
    ) -> bool {
        match self.config.goal {
            Goal::Reward(enough) => exchange.best.reward >= enough,
            Goal::Judgement => {
                let seed = self.seed.stream(conversation, turn, Purpose::Goal).next_u64();
                let sampling = Sampling { seed, ..follow_up::JUDGEMENT };
                let messages = follow_up::judgement(exchange);
                let judged = self.write(messages, sampling).await;
                judged.map_or(true, |word| follow_up::is_yes(&word))
            }
        }
    }

    /// What the person asks next; `turn` is the new one. Where the model has no words, others are
    /// there.
    pub async fn follow_up(
        &self,
        conversation: ConversationId,
        turn: Turn,
        exchange: &Exchange<'_>,
    ) -> Phrasing {
        let stream = |purpose| self.seed.stream(conversation, turn, purpose);
        let Exchange { phrasing, task, .. } = *exchange;
        let history = exchange.history();
        let messages = |flaw: Option<&Flaw>| follow_up::messages(exchange, flaw);
        let check = |words: &str| {
            guard::check_follow_up(words, &history, &phrasing.goal, &task.context.topic)
        };
        let began = self.clock.now();
        let seeds = stream(Purpose::Challenge);
        let draft = self.draft(seeds, &messages, &check).await;
        let Draft { words, attempts } =
            draft.unwrap_or_else(|_| Draft { words: None, attempts: Vec::new() });
        let time = self.clock.now().since(began);
        let without_model =
            || follow_up::without_model(exchange, &history, &mut stream(Purpose::Paraphrase));
        Phrasing {
            persona: phrasing.persona.clone(),
            goal: phrasing.goal.clone(),
            challenge: words.unwrap_or_else(without_model),
            system_prompt: told(&messages(None)),
            history,
            sent: None,
            attempts,
            time,
        }
    }

    /// Has the model word something until the guard lets it through, or the tries are used up.
    async fn draft(
        &self,
        mut seeds: ChaCha8Rng,
        messages: &dyn Fn(Option<&Flaw>) -> Vec<ChatMessage>,
        check: &dyn Fn(&str) -> Result<(), Flaw>,
    ) -> Result<Draft, String> {
        let (mut attempts, mut flaw) = (Vec::new(), None);
        for _ in 0..=AGAIN {
            let sampling = Sampling { seed: seeds.next_u64(), ..self.config.sampling };
            let written = self.write(messages(flaw.as_ref()), sampling).await?;
            let words = clean(&written).trim().to_owned();
            match check(&words) {
                Ok(()) => return Ok(Draft { words: Some(words), attempts }),
                Err(found) => {
                    let words = cut(&words, KEPT_CHARACTERS);
                    attempts.push(Rejected { words, flaw: found.to_string() });
                    flaw = Some(found);
                }
            }
        }
        Ok(Draft { words: None, attempts })
    }

    async fn write(
        &self,
        messages: Vec<ChatMessage>,
        sampling: Sampling,
    ) -> Result<String, String> {
        let request = Generate::new(messages, sampling, Lane::Validator);
        let words = generate(&self.model_worker, request, self.config.patience).await;
        words.map(|generation| generation.text).map_err(|error| error.to_string())
    }
}

/// The challenge of a person's words: the text that they lead to stands unaltered at the end.
fn form(words: &str, form: &ChallengeForm) -> String {
    match form {
        ChallengeForm::LeadingTo { text, .. } => format!("{words}\n\n{text}"),
        ChallengeForm::Phrased => words.to_owned(),
    }
}

/// The frame and the note of a prompt, for the journal.
fn told(messages: &[ChatMessage]) -> String {
    let told = [messages.first(), messages.last()];
    told.into_iter().flatten().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n")
}
