//! Mathematics problems made on the spot, so that a numeric answer can be scored without a source.
//!
//! The kinds and their topics follow the mathgenerator library; the statements are plain English
//! instead of LaTeX, name the wanted rounding, and lead to exactly one number. Kinds whose answer
//! is no number (sets, fractions, yes or no) are left out, since the reward compares numbers.

mod algebra;
mod arithmetic;
#[cfg(test)]
mod check;
mod computing;
mod decimal;
mod geometry;
mod kind;
mod numbers;
mod statistics;

use futures_util::future::{self, BoxFuture};
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool, ToolError, Want};

use kind::{Kind, Problem};

const NAME: &str = "maths";

const FIELDS: [&[Kind]; 6] = [
    arithmetic::KINDS,
    algebra::KINDS,
    geometry::KINDS,
    numbers::KINDS,
    statistics::KINDS,
    computing::KINDS,
];

/// Problems with one number for an answer; every kind is drawn equally often.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maths;

impl Maths {
    fn problem(random: &mut ChaCha8Rng) -> Option<Problem> {
        let kind = FIELDS.into_iter().flatten().choose(random)?;
        Some(kind.generate(random))
    }
}

impl Tool for Maths {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, kind: SourceKind) -> bool {
        kind == SourceKind::Maths
    }

    fn fetch(
        &self,
        want: Want,
        mut random: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<Context, ToolError>> {
        let problem = match want {
            Want::Random(SourceKind::Maths) => Self::problem(&mut random),
            Want::Random(_) | Want::Search(_) | Want::Title(_) => None,
        };
        let context = problem.map(Context::from).ok_or(ToolError::Nothing { tool: NAME });
        Box::pin(future::ready(context))
    }
}

impl From<Problem> for Context {
    fn from(problem: Problem) -> Self {
        Self {
            source: NAME.to_owned(),
            title: problem.subtopic.to_owned(),
            topic: problem.topic.to_owned(),
            subtopic: problem.subtopic.to_owned(),
            tags: vec![problem.topic.to_owned(), problem.kind_name.to_owned()],
            origin: None,
            body: ContextBody::Maths { problem: problem.statement, solution: problem.solution },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn fetch(want: Want, seed: u64) -> Result<Context, ToolError> {
        Maths.fetch(want, ChaCha8Rng::seed_from_u64(seed)).now_or_never().expect("is ready at once")
    }

    #[test]
    fn draws_every_kind_and_names_it_in_the_context() {
        let names: BTreeSet<&str> = FIELDS.into_iter().flatten().map(|kind| kind.name).collect();
        assert_eq!(names.len(), FIELDS.into_iter().flatten().count(), "names are unique");
        let drawn: BTreeSet<String> = (0..2000)
            .map(|seed| {
                let context = fetch(Want::Random(SourceKind::Maths), seed).unwrap();
                assert_eq!(context.source, "maths");
                assert_eq!(context.title, context.subtopic);
                assert_eq!(context.tags[0], context.topic);
                context.tags[1].clone()
            })
            .collect();
        assert_eq!(drawn, names.into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn the_same_seed_gives_the_same_problem_and_another_seed_another() {
        let draw = |seed| fetch(Want::Random(SourceKind::Maths), seed).unwrap();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn has_nothing_for_searches_and_other_kinds() {
        let nothing = Err(ToolError::Nothing { tool: "maths" });
        assert_eq!(fetch(Want::Search("What is 2 plus 2?".into()), 1), nothing);
        assert_eq!(fetch(Want::Random(SourceKind::Article), 1), nothing);
        assert!(Maths.offers(SourceKind::Maths));
        assert!(!Maths.offers(SourceKind::Question));
    }
}
