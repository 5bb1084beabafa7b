//! How near the number in an answer is to the right one.
//!
//! The original handed every word of an answer to a library that evaluates Python; here a small
//! reader of our own looks for numbers and closed forms and works nothing out.

mod closed_form;
mod literal;
mod numbers;
mod scan;
#[cfg(test)]
mod tests;

use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

use closed_form::Nature;

/// What is off by less than this part is equal, where a form may be answered by a decimal.
const TOLERANCE: f64 = 1e-6;

/// A reference that is a number.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    value: f64,
    nature: Nature,
}

impl Number {
    /// The number that a reference is as a whole: `42`, `-1,000.5`, `50%`, `2^10`, `\frac{\pi}{2}`.
    /// A percent sign is left aside as it is in an answer.
    #[must_use]
    pub fn read(reference: &str, effort: &Effort) -> Option<Self> {
        numbers::whole(reference, effort).map(|(value, nature)| Self { value, nature })
    }

    /// Whether it is written out as a decimal number.
    pub(super) fn is_decimal(self) -> bool {
        self.nature == Nature::Literal
    }

    /// `1 - min(|reference - answer| / (|reference| + 1e-6), 1)`; equal numbers score 1, and an
    /// answer without a number 0.
    ///
    /// The answer's number is the one that it states as its answer (`the answer is 42`,
    /// `\boxed{42}`) or else the last one in it; only its last 2,000 characters are read. A percent
    /// sign, a currency and units are left aside: `50%` is 50. A form that is put together from
    /// neighbouring numbers of the challenge alone, such as `84/7` for "What is 84 divided by 7?", is
    /// none.
    #[must_use]
    pub fn nearness(self, challenge: &str, answer: &str, effort: &Effort) -> Score {
        let Some(given) = numbers::answer(challenge, answer, effort) else { return Score::ZERO };
        let difference = (self.value - given).abs() / (self.value.abs() + 1e-6);
        Score::new(1.0 - difference.min(1.0))
    }

    /// Whether an answer states this power or root in whatever way, to at least six digits.
    pub(super) fn is_stated(self, challenge: &str, answer: &str, effort: &Effort) -> bool {
        self.nature > Nature::Fraction
            && self.nearness(challenge, answer, effort).get() >= 1.0 - TOLERANCE
    }
}
