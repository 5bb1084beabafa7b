//! Mathematics problems made on the spot, so that an answer can be scored without a source.
//!
//! The kinds and their topics follow the mathgenerator library; the statements are plain English
//! instead of LaTeX, name the wanted rounding or form, and lead to exactly one answer. Where the
//! library is wrong or asks for nothing, what is here is right and asks for something.

mod algebra;
mod arithmetic;
mod calculus;
#[cfg(test)]
mod check;
mod computing;
mod decimal;
mod draw;
mod exact;
mod fractions;
mod geometry;
mod kind;
mod numbers;
mod statistics;

use futures_util::future::{self, BoxFuture};
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;
use sn1_actors::domain::{Context, ContextBody, SourceKind};
use sn1_actors::ports::{Tool, ToolError, Want};

pub use kind::{Form, Kind};

const NAME: &str = "maths";

const FIELDS: [&[Kind]; 15] = [
    arithmetic::KINDS,
    fractions::KINDS,
    calculus::KINDS,
    algebra::EQUATIONS,
    algebra::POLYNOMIALS,
    algebra::VECTORS,
    geometry::FLAT,
    geometry::SOLID,
    geometry::ANGLES,
    numbers::DIVISORS,
    numbers::SEQUENCES,
    numbers::POWERS,
    numbers::EVERYDAY,
    statistics::KINDS,
    computing::KINDS,
];

/// Problems with one right answer; every kind is drawn equally often.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maths;

impl Maths {
    /// All kinds of problems.
    pub fn kinds() -> impl Iterator<Item = &'static Kind> {
        FIELDS.into_iter().flatten()
    }

    /// A problem of the kind that has this name or this title, in any case.
    pub fn of_kind(name: &str, random: &mut ChaCha8Rng) -> Option<Context> {
        let is_called =
            |kind: &&Kind| [kind.name, kind.subtopic].iter().any(|n| n.eq_ignore_ascii_case(name));
        let kind = Self::kinds().find(is_called)?;
        Some(context(kind, random))
    }
}

fn context(kind: &Kind, random: &mut ChaCha8Rng) -> Context {
    let problem = kind.generate(random);
    Context {
        source: NAME.to_owned(),
        title: kind.subtopic.to_owned(),
        topic: kind.topic.to_owned(),
        subtopic: kind.subtopic.to_owned(),
        tags: vec![kind.topic.to_owned(), kind.name.to_owned()],
        origin: None,
        body: ContextBody::Maths { problem: problem.statement, solution: problem.solution },
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
        let context = match want {
            Want::Random(SourceKind::Maths) => {
                Self::kinds().choose(&mut random).map(|kind| context(kind, &mut random))
            }
            Want::Title(name) => Self::of_kind(&name, &mut random),
            Want::Random(_) | Want::Search(..) => None,
        };
        Box::pin(future::ready(context.ok_or(ToolError::Nothing { tool: NAME })))
    }
}

#[cfg(test)]
mod tests;
