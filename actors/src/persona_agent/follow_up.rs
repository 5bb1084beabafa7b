//! What a person makes of the best answer: whether it is enough, and what it asks next.
//!
//! A miner wrote the answer, so it is data: cut, without control characters, and between marks of
//! its own in a prompt. The model reads it all the same, and may be talked into a judgement or into
//! words: the guard sees to it that those are a short question about what the person is after, in
//! which the answer excuses nothing.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{ChatMessage, Role, Sampling};
use crate::task_maker::Task;
use crate::task_maker::tasks::{ChallengeForm, ReferencePlan};
use crate::text::shown::cut;

use super::guard::Flaw;
use super::paraphrase::manner::Dress;
use super::phraser::{BestAnswer, Phrasing};
use super::prompt::{described, framed};
use super::words::folded;

/// Of an answer, so many characters go on in the conversation.
const ANSWER_CHARACTERS: usize = 1_500;
/// Of an answer, a goal and a question, so many characters go into a prompt.
const PROMPT_CHARACTERS: usize = 600;

/// How a judgement is written: one word, the likeliest.
pub(super) const JUDGEMENT: Sampling =
    Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, max_new_tokens: 4, ..Sampling::ORIGINAL };

const JUDGE: &str = "You say whether a person who asked an assistant has got what the person \
                     wanted. Answer with one word: yes or no.";
const JUDGED: [(&str, &str); 2] = [
    (
        "A lazy student wanted: What causes the tides? The assistant answered: «I do not know.»",
        "no",
    ),
    (
        "A polite teacher wanted: Where does tea grow? The assistant answered: «Mostly in warm and \
         rainy hills, as in Assam and Yunnan.»",
        "yes",
    ),
];
const FRAME: &str = "You turn notes into the next message that a person would type to an \
                     assistant, after an answer that was not enough. Write only the message: one \
                     short question, never an answer.";
const EXAMPLES: [(&str, &str); 1] = [(
    "Person: an annoyed student who talks in a rushed tone. Wanted: What causes the tides in the \
     oceans? The assistant answered: «The tides rise and fall twice a day.» It was not enough.",
    "ok but what actually makes the tides rise and fall?",
)];
/// What people ask on when they wanted to learn something.
const MORE: &[&str] = &[
    "can you say more about {}?",
    "what else is there to know about {}?",
    "could you explain {} in more detail?",
    "what matters most about {}?",
    "that's a bit thin, what more is there about {}?",
    "can you put it more clearly, what about {}?",
    "what did you leave out about {}?",
    "how would you explain {} to a beginner?",
    "what are the facts about {}?",
];
/// What people ask on when there is one right answer, or a text of theirs that it goes by.
pub(super) const CHECK: &[&str] = &[
    "are you sure about that answer?",
    "can you check that again?",
    "that doesn't look right to me, can you redo it?",
    "can you go through it once more?",
    "how did you get there, and what's the final answer?",
    "could you double-check and give me the final answer?",
    "what's your final answer?",
    "can you do it again, more carefully?",
    "would you try once more from the start?",
];

/// A question that was asked and the best answer to it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// What the conversation is about.
    pub task: &'a Task,
    /// What was asked.
    pub phrasing: &'a Phrasing,
    /// What was answered.
    pub best: &'a BestAnswer,
}

impl Exchange<'_> {
    /// All that was said so far, the answer last.
    pub(super) fn history(&self) -> Vec<ChatMessage> {
        let mut history = self.phrasing.history.clone();
        history.push(ChatMessage::user(self.phrasing.challenge.clone()));
        let content = cut(&self.best.text, ANSWER_CHARACTERS);
        history.push(ChatMessage { role: Role::Assistant, content });
        history
    }

    /// Who wanted what, and got what.
    fn told(&self, wanted: &str) -> String {
        let short = |text: &str| cut(text, PROMPT_CHARACTERS);
        // Marks inside would end the quotation.
        let answer = short(&self.best.text).replace(['«', '»'], "\"");
        let asked = match self.phrasing.history.is_empty() {
            true => String::new(),
            false => format!(" Asked last: {}", short(&self.phrasing.challenge)),
        };
        let goal = short(&self.phrasing.goal);
        format!("{wanted}: {goal}{asked} The assistant answered: «{answer}»")
    }
}

/// The messages that make the model judge whether an answer is enough.
pub(super) fn judgement(exchange: &Exchange<'_>) -> Vec<ChatMessage> {
    let who = described(&exchange.phrasing.persona);
    let note = exchange.told(&format!("Someone, {who}, wanted"));
    framed(JUDGE, &JUDGED, note, None)
}

/// Whether a judgement is anything but a clear no.
pub(super) fn is_yes(judgement: &str) -> bool {
    folded(judgement).first().is_none_or(|word| word != "no")
}

/// The messages that make the model ask on as the person.
pub(super) fn messages(exchange: &Exchange<'_>, flaw: Option<&Flaw>) -> Vec<ChatMessage> {
    let who = described(&exchange.phrasing.persona);
    let note = exchange.told(&format!("Person: {who}. Wanted"));
    framed(FRAME, &EXAMPLES, format!("{note} It was not enough."), flaw)
}

/// What small models repeat instead: the messages that they were shown.
pub(super) fn examples() -> [&'static str; EXAMPLES.len()] {
    EXAMPLES.map(|(_, message)| message)
}

/// Asks on without a model, in words that were not said before.
pub(super) fn without_model(
    exchange: &Exchange<'_>,
    history: &[ChatMessage],
    random: &mut ChaCha8Rng,
) -> String {
    let plan = &exchange.task.plan;
    let ways = match (&plan.reference, &plan.form) {
        (ReferencePlan::Fixed(_), _) | (_, ChallengeForm::LeadingTo { .. }) => CHECK,
        (ReferencePlan::Generated { .. }, ChallengeForm::Phrased) => MORE,
    };
    let topic = cut(&exchange.task.context.topic, PROMPT_CHARACTERS);
    let ways: Vec<String> = ways.iter().map(|way| way.replace("{}", &topic)).collect();
    // What the miner said does not decide what is left to be said.
    let asked = || history.iter().filter(|message| message.role == Role::User);
    let is_new = |way: &&String| !asked().any(|before| before.content.contains(way.as_str()));
    let new: Vec<&String> = ways.iter().filter(is_new).collect();
    let left = if new.is_empty() { ways.iter().collect() } else { new };
    let way = left[random.random_range(0..left.len())];
    Dress::draw(&exchange.phrasing.persona, random).put_on(way)
}

#[cfg(test)]
mod tests;
