//! What an agent works out itself: problems with one right answer, in the words in which people and
//! the maths tools pose them. Pure.
//!
//! It recognises, and does not guess: where a problem is not read for certain there is no solution,
//! and the model answers. Nothing is evaluated but four operations, powers and factorials of numbers
//! of bounded size. Left out: calculus, polynomials, trigonometry and sets.

mod equations;
mod expression;
mod geometry;
mod matrices;
mod numbers;
mod sequences;
mod statistics;
mod words;

use numbers::Numbers;

/// No problem is longer, in bytes; the end of a longer text is looked at, where the problem is.
const LONGEST: usize = 2_000;

/// A kind of problem: the words that begin it, and how it is solved from what follows them.
struct Kind {
    begins: &'static str,
    solve: fn(&Problem<'_>) -> Option<String>,
}

/// A problem that begins with known words.
struct Problem<'a> {
    /// What follows the words, in lower case.
    rest: &'a str,
    /// The numbers in it, in order.
    numbers: Numbers,
}

impl Problem<'_> {
    /// Its numbers, if it has as many.
    fn exactly<const N: usize>(&self) -> Option<[f64; N]> {
        self.numbers.all().try_into().ok()
    }

    /// Its numbers, if there are any and all are whole.
    fn whole(&self) -> Option<Vec<i128>> {
        let numbers = self.numbers.all();
        let whole: Option<Vec<i128>> =
            numbers.iter().map(|number| numbers::whole(*number)).collect();
        whole.filter(|whole| !whole.is_empty())
    }

    /// The numbers of its first sentence, if that has nothing else: several numbers of a chatty
    /// message are not all of the problem.
    fn list(&self) -> Option<Vec<f64>> {
        numbers::list(self.rest)
    }

    /// The same, if all are whole.
    fn whole_list(&self) -> Option<Vec<i128>> {
        self.list()?.into_iter().map(numbers::whole).collect()
    }

    /// A result in the form that is asked for.
    fn shown(&self, value: f64) -> Option<String> {
        numbers::shown(value, self.rest)
    }
}

/// The solution in words, such as `The answer is 42.`; `None` where the text poses no problem that
/// is known for certain.
pub(super) fn solve(text: &str) -> Option<String> {
    let from = crate::text::boundary::floor(text, text.len().saturating_sub(LONGEST));
    let text = text.get(from..)?.to_lowercase();
    let found = known(&text).or_else(|| expression::asked(&text))?;
    Some(format!("The answer is {found}."))
}

fn known(text: &str) -> Option<String> {
    let fields = [
        words::KINDS,
        equations::KINDS,
        matrices::KINDS,
        geometry::KINDS,
        sequences::KINDS,
        statistics::KINDS,
    ];
    for kind in fields.into_iter().flatten() {
        let Some((_, rest)) = text.rsplit_once(kind.begins) else { continue };
        let problem = Problem { rest, numbers: Numbers::of(rest) };
        if let Some(found) = (kind.solve)(&problem) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests;
