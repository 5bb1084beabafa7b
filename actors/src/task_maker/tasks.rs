//! What each kind of task is: where its context comes from, what is asked, what a good answer is
//! and how it is measured. One file a kind; to add one, add its file and its arms here.
//!
//! Everything is pure: a plan is a function of the context and of a random stream.

mod math;
mod qa;
mod summarization;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::domain::{ChatMessage, Context, ContextBody, SourceKind, TaskKind, Weighted};
use crate::persona_agent::cleaners::Cleaner;

/// A text that is known, or that the model writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// It is known.
    Fixed(String),
    /// The model writes it, given these messages.
    Generated(Vec<ChatMessage>),
}

/// How the reference answer comes about.
#[derive(Clone, Debug, PartialEq)]
pub enum ReferencePlan {
    /// It is known.
    Fixed(String),
    /// The model writes it from material, once the query is known.
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

/// All that a kind of task decides about one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPlan {
    /// What the person uses the assistant for: "… to {desc}".
    pub desc: &'static str,
    /// What the person is after: "… to {goal}: {query}".
    pub goal: &'static str,
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
    /// How answers are measured; the weights sum to 1.
    pub rewards: &'static [Weighted],
    /// What takes from an answer's reward.
    pub penalties: &'static [Weighted],
    /// What is cut off of what the model writes.
    pub cleaners: &'static [Cleaner],
}

/// Where a kind of task gets its context.
#[must_use]
pub fn source(kind: TaskKind) -> SourceKind {
    match kind {
        TaskKind::Qa | TaskKind::Summarization => SourceKind::Article,
        TaskKind::Math => SourceKind::Maths,
    }
}

/// How answers to a kind of task are measured: its rewards, its penalties.
#[must_use]
pub fn measures(kind: TaskKind) -> (&'static [Weighted], &'static [Weighted]) {
    match kind {
        TaskKind::Qa => (qa::REWARDS, qa::PENALTIES),
        TaskKind::Summarization => (summarization::REWARDS, summarization::PENALTIES),
        TaskKind::Math => (math::REWARDS, &[]),
    }
}

/// Plans one task of a kind. `random` decides what its kind leaves open.
#[must_use]
pub fn plan(kind: TaskKind, context: &Context, random: &mut ChaCha8Rng) -> TaskPlan {
    match kind {
        TaskKind::Qa => qa::plan(context, random),
        TaskKind::Summarization => summarization::plan(context),
        TaskKind::Math => math::plan(context),
    }
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
        let context = if source(kind) == SourceKind::Maths { problem() } else { article() };
        plan(kind, &context, &mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn the_rewards_of_every_kind_sum_to_one() {
        for kind in TaskKind::ALL {
            let rewards = planned(*kind).rewards;
            let sum: f64 = rewards.iter().map(|weighted| weighted.weight).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{kind:?}: {sum}");
        }
    }

    #[test]
    fn a_problem_is_handed_over_unaltered_and_its_solution_is_the_reference() {
        let plan = planned(TaskKind::Math);
        assert_eq!(plan.form, ChallengeForm::LeadingTo("What is 2 plus 3?".into()));
        assert_eq!(plan.reference, ReferencePlan::Fixed("5".into()));
    }

    #[test]
    fn a_question_and_its_reference_are_drawn_from_the_same_passage() {
        let plan = planned(TaskKind::Qa);
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
