//! Contexts, and plans as texts, for the tests of the kinds.

use std::time::Duration;

use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::domain::{ContextBody, Section};
use crate::reward_scorer::combine::{Breakdown, Component};
use crate::reward_scorer::effort::Effort;
use crate::task_maker::passage::{prompt, with_query};
use crate::testkit::context;

pub(crate) fn article() -> Context {
    let section = |heading: Option<&str>, text: &str| Section {
        heading: heading.map(Into::into),
        text: text.into(),
    };
    let sections = vec![
        section(None, "Tea is a drink made of leaves. It has been traded by sea since 1610."),
        section(
            Some("History"),
            "The Dutch brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold \
             it from 1657 on in his coffee house.",
        ),
        section(
            Some("Cultivation"),
            "In India Robert Bruce found wild tea plants in Assam in 1823. The first gardens of \
             Darjeeling were laid out in 1841 by Archibald Campbell.",
        ),
        section(
            Some("Trade"),
            "A duty on tea led to a famous protest in Boston in 1773. The clipper Cutty Sark was \
             built by Hercules Linton in 1869 to bring tea home faster.",
        ),
        section(
            Some("Preparation"),
            "Black tea is made with boiling water, and green tea with cooler water. In 1908 Thomas \
             Sullivan sent out his samples in small bags of silk.",
        ),
    ];
    context("Tea", "Tea", "Drinks", ContextBody::Article { sections })
}

/// An article of which little can be made.
pub(crate) fn stub() -> Context {
    let sections =
        vec![Section { heading: None, text: "Tea is nice. It is green. It is hot.".into() }];
    context("Tea", "Tea", "Drinks", ContextBody::Article { sections })
}

pub(crate) fn problem() -> Context {
    let body = ContextBody::Maths { problem: "What is 2 plus 3?".into(), solution: "5".into() };
    context("addition", "Basic maths", "addition", body)
}

pub(crate) fn fact(date: &str, section: &str, text: &str) -> Context {
    let (date, text) = (date.into(), text.into());
    context("Moon", "Moon", section, ContextBody::DatedFact { date, section: section.into(), text })
}

const QUESTION: &str = "How do I keep tea fresh?\n\nMine has no smell after a month on the shelf. \
                        Does the tin matter, or the light?";
const ANSWER: &str = "Keep it in a closed tin, away from light and from spices. Air takes its smell \
                      within weeks.";

pub(crate) fn question(question: &str, answer: &str) -> Context {
    let (question, answer) = (question.into(), answer.into());
    let body = ContextBody::Question { question, answer };
    context("How do I keep tea fresh?", "How do I keep tea fresh?", "storage", body)
}

pub(crate) fn code(text: &str) -> Context {
    let (language, text) = ("Python".into(), text.into());
    context("sum.py", "Python", "sum.py", ContextBody::Code { language, text })
}

/// A context that the kind has use for.
pub(crate) fn fitting(kind: TaskKind) -> Context {
    of_source(kind.definition().sources[0])
}

/// A context of one kind of source, that every kind of task has use for that is grounded in such.
pub(crate) fn of_source(source: SourceKind) -> Context {
    match source {
        SourceKind::Maths => problem(),
        SourceKind::DatedFact => {
            fact("1969-07-20", "Events", "Two astronauts land on the Moon and walk on it.")
        }
        SourceKind::Code => code(
            "def mean(values):\n    total = 0\n    for value in values:\n        total += value\n\
             \x20   if len(values) == 0:\n        return None\n    return total / len(values)\n",
        ),
        SourceKind::Article => article(),
        SourceKind::Question => question(QUESTION, ANSWER),
    }
}

pub(crate) fn planned(kind: TaskKind, context: &Context, seed: u64) -> Result<TaskPlan, Unfit> {
    (kind.definition().plan)(context, &mut ChaCha8Rng::seed_from_u64(seed))
}

/// All that a plan says to the model and to the person, to be compared with what it should be. What
/// is the same each time stands there once: the frame and the examples are left out of a prompt,
/// and material and query that were shown are `…`.
pub(crate) fn shown(plan: &TaskPlan, query: &str) -> String {
    let asked = |messages: &[ChatMessage]| {
        let shared = prompt("", "");
        assert_eq!(messages[..messages.len() - 1], shared[..shared.len() - 1], "another frame");
        messages[messages.len() - 1].content.clone()
    };
    let query_shown = match &plan.query {
        Text::Fixed(text) => text.clone(),
        Text::Generated(messages) => asked(messages),
        Text::Question { material, instruction, otherwise } => {
            format!("{}\nor: {otherwise}", asked(&prompt(material, instruction)))
        }
    };
    let mut text = format!("# query\n{query_shown}\n");
    match &plan.reference {
        ReferencePlan::Fixed(texts) => {
            text.push_str(&format!("# reference\n{}\n", texts.join("\nor\n")));
        }
        ReferencePlan::Generated { material, instructions } => {
            for instruction in *instructions {
                let wanted = asked(&prompt(material, &with_query(instruction, query)));
                let wanted = match wanted.strip_prefix(material.trim()) {
                    Some(rest) if text.contains(material.trim()) => format!("…{rest}"),
                    _ => wanted,
                };
                text.push_str(&format!("# reference\n{wanted}\n"));
            }
        }
    }
    if let ChallengeForm::LeadingTo { text: pasted, .. } = &plan.form {
        let pasted = match query_shown.strip_suffix(pasted.as_str()) {
            Some("") => "the query".to_owned(),
            Some(before) => format!("the query without: {before}"),
            None => pasted.clone(),
        };
        text.push_str(&format!("# pasted\n{pasted}\n"));
    }
    text
}

/// What an answer earns of the rewards that need no model, and what the penalties leave of it.
pub(crate) fn earns(kind: TaskKind, reference: &str, challenge: &str, answer: &str) -> f64 {
    let Measures { rewards, penalties, .. } = kind.default_measures();
    let effort = Effort::default();
    let component = |measure: &Weighted, against: &str| {
        let score = measure.kind.without_model(against, challenge, answer, &effort)?;
        Some(Component { measure: *measure, score, time: Duration::ZERO })
    };
    let rewards: Vec<Component> =
        rewards.iter().filter_map(|measure| component(measure, reference)).collect();
    let penalties = penalties.iter().filter_map(|measure| component(measure, challenge)).collect();
    let weights: f64 = rewards.iter().map(|component| component.measure.weight).sum();
    Breakdown::new(rewards, penalties).total.get() / weights
}
