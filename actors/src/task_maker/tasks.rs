//! What each kind of task is: where its context comes from, what is asked, what a good answer is
//! and how it is measured.
//!
//! To add a kind, add its file, which exports a [`TaskKind`] as `TASK`, and its line in the table
//! below; configuration, commands and journal take it from there. Everything is pure: a plan is a
//! function of the context and of a random stream.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::domain::{ChatMessage, Context, ContextBody, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{Measures, Weighted};

/// Declares the files and collects what they export, so that a kind takes one line.
macro_rules! table {
    ($($kind:ident)+) => {
        $(mod $kind;)+

        /// Every kind there is.
        pub const ALL: &[TaskKind] = &[$($kind::TASK),+];
    };
}

table! {
    qa
    summarization
    math
}

/// What a kind of task is.
pub struct Definition {
    /// The name in configuration, on the command line and in the journal.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// What the person uses the assistant for: "… to {desc}".
    pub desc: &'static str,
    /// What the person is after: "… to {goal}: {query}".
    pub goal: &'static str,
    /// What grounds it.
    pub source: SourceKind,
    /// How answers are measured unless configured otherwise; the weights sum to 1.
    pub rewards: &'static [Weighted],
    /// What takes from an answer's reward unless configured otherwise.
    pub penalties: &'static [Weighted],
    /// Plans one task; the random stream decides what the kind leaves open. A context that no task
    /// of the kind can be made of is refused.
    pub plan: fn(&Context, &mut ChaCha8Rng) -> Result<TaskPlan, Unfit>,
}

/// A context that no task of the kind can be made of, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no task can be made of `{title}`: {cause}")]
pub struct Unfit {
    /// The context's title.
    pub title: String,
    /// What it lacks.
    pub cause: &'static str,
}

impl Unfit {
    /// A context that lacks something.
    #[must_use]
    pub fn new(context: &Context, cause: &'static str) -> Self {
        Self { title: context.title.clone(), cause }
    }
}

/// A kind of task: a row of the table. Two are equal if their names are.
#[derive(Clone, Copy)]
pub struct TaskKind(&'static Definition);

impl TaskKind {
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The name in configuration, on the command line and in the journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// All that it is.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0
    }

    /// How its answers are measured unless configured otherwise.
    #[must_use]
    pub fn default_measures(self) -> Measures {
        Measures { rewards: self.0.rewards.to_vec(), penalties: self.0.penalties.to_vec() }
    }
}

impl PartialEq for TaskKind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for TaskKind {}

impl PartialOrd for TaskKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TaskKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for TaskKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for TaskKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TaskKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("there is no task `{name}`")))
    }
}

/// A text that is known, or that the model writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// It is known.
    Fixed(String),
    /// The model writes it, given these messages.
    Generated(Vec<ChatMessage>),
}

/// How the reference answers come about.
#[derive(Clone, Debug, PartialEq)]
pub enum ReferencePlan {
    /// They are known; at least one.
    Fixed(Vec<String>),
    /// The model writes one from material, once the query is known.
    Generated {
        /// What kind of answer is wanted.
        frame: &'static str,
        /// What it is to be drawn from.
        material: String,
    },
}

/// How a query becomes a challenge.
#[derive(Clone, Debug, PartialEq)]
pub enum ChallengeForm {
    /// The person's words are all of it.
    Phrased,
    /// The person's words lead up to a text that must not be altered.
    LeadingTo(String),
}

/// What a kind of task decides about one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPlan {
    /// What the task is about.
    pub topic: String,
    /// A narrower subject.
    pub subtopic: String,
    /// What is asked.
    pub query: Text,
    /// What a good answer is.
    pub reference: ReferencePlan,
    /// How the challenge is formed.
    pub form: ChallengeForm,
    /// What is cut off of what the model writes.
    pub cleaners: &'static [Cleaner],
}

/// Puts a question on top of material to a model, framed by what kind of answer is wanted.
#[must_use]
pub fn ask_with(frame: &str, material: &str, question: &str) -> Vec<ChatMessage> {
    vec![
        ChatMessage::system(frame),
        ChatMessage::user(format!("Context:\n{material}\n\nQuestion: {question}")),
    ]
}

/// Some neighbouring sections of an article, from a random one on, up to about `words` words.
fn excerpt(context: &Context, words: usize, random: &mut ChaCha8Rng) -> String {
    let ContextBody::Article { sections } = &context.body else {
        return first_words(&context.text(), words);
    };
    let start = if sections.is_empty() { 0 } else { random.random_range(0..sections.len()) };
    let mut text = String::new();
    for section in sections.iter().skip(start) {
        let together = text.split_whitespace().count() + section.text.split_whitespace().count();
        if !text.is_empty() && together > words {
            break;
        }
        text.push_str(&section.text);
        text.push('\n');
    }
    first_words(&text, words)
}

/// The first `words` words, up to the end of a sentence where there is one in their second half.
fn first_words(text: &str, words: usize) -> String {
    let kept: Vec<&str> = text.split_whitespace().take(words + 1).collect();
    if kept.len() <= words {
        return kept.join(" ");
    }
    let cut = kept[..words].join(" ");
    match cut.rfind(['.', '?', '!']) {
        Some(end) if end >= cut.len() / 2 => cut[..=end].to_owned(),
        _ => cut,
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::domain::Section;

    fn article() -> Context {
        let section = |heading: Option<&str>, word: &str| Section {
            heading: heading.map(Into::into),
            text: format!("{}.", vec![word; 80].join(" ")),
        };
        Context {
            source: "test".into(),
            title: "Tea".into(),
            topic: "Tea".into(),
            subtopic: "Drinks".into(),
            tags: Vec::new(),
            origin: None,
            body: ContextBody::Article {
                sections: vec![section(None, "lead"), section(Some("History"), "history")],
            },
        }
    }

    fn problem() -> Context {
        Context {
            source: "maths".into(),
            title: "addition".into(),
            topic: "Basic maths".into(),
            subtopic: "addition".into(),
            tags: Vec::new(),
            origin: None,
            body: ContextBody::Maths { problem: "What is 2 plus 3?".into(), solution: "5".into() },
        }
    }

    fn planned(kind: TaskKind) -> TaskPlan {
        let definition = kind.definition();
        let context = if definition.source == SourceKind::Maths { problem() } else { article() };
        (definition.plan)(&context, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn the_rewards_of_every_kind_sum_to_one() {
        for kind in ALL {
            let rewards = kind.default_measures().rewards;
            let sum: f64 = rewards.iter().map(|weighted| weighted.weight).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{kind:?}: {sum}");
        }
    }

    #[test]
    fn a_problem_is_handed_over_unaltered_and_its_solution_is_the_reference() {
        let plan = planned(math::TASK);
        assert_eq!(plan.form, ChallengeForm::LeadingTo("What is 2 plus 3?".into()));
        assert_eq!(plan.reference, ReferencePlan::Fixed(vec!["5".into()]));
    }

    #[test]
    fn a_question_and_its_reference_are_drawn_from_the_same_passage() {
        let plan = planned(qa::TASK);
        let (Text::Generated(messages), ReferencePlan::Generated { material, .. }) =
            (plan.query, plan.reference)
        else {
            panic!("both are written by the model")
        };
        assert!(messages[1].content.contains(&material));
    }

    #[test]
    fn an_excerpt_ends_with_a_sentence_and_keeps_within_its_words() {
        let text = format!("{}. {}", vec!["a"; 60].join(" "), vec!["b"; 60].join(" "));
        let cut = first_words(&text, 100);
        assert!(cut.ends_with("a.") && cut.split_whitespace().count() == 60, "{cut}");
        assert_eq!(first_words("one two", 5), "one two");
        let mut random = ChaCha8Rng::seed_from_u64(3);
        assert!(excerpt(&article(), 50, &mut random).split_whitespace().count() <= 50);
    }
}
