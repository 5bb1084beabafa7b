//! How near the number in an answer is to the right one.
//!
//! The original handed every word of an answer to a library that evaluates Python; here a small
//! reader of numbers looks at text and computes at most one division or power of ten.

mod numbers;

use crate::domain::Score;

/// `1 - min(|reference - answer| / (|reference| + 1e-6), 1)`; equal numbers score 1.
///
/// The answer's number is the one that it states as its answer (`the answer is 42`, `\boxed{42}`)
/// or else the last one in it; only its last 2,000 characters are read. A percent sign, a currency
/// and units are left aside: `50%` is 50. A reference that is not one number as a whole, and an
/// answer without a number, score 0.
#[must_use]
pub fn numeric_difference(reference: &str, answer: &str) -> Score {
    let (Some(right), Some(given)) = (numbers::whole(reference), numbers::answer(answer)) else {
        return Score::ZERO;
    };
    let difference = (right - given).abs() / (right.abs() + 1e-6);
    Score::new(1.0 - difference.min(1.0))
}

/// Whether a reference is a decimal number and no fraction.
pub(super) fn is_decimal(reference: &str) -> bool {
    numbers::whole(reference).is_some() && !reference.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_relative_difference() {
        for (reference, answer, expected) in [
            ("42", "The answer is 42.", 1.0),
            ("-3.5", "x = -3.5", 1.0),
            ("100", "about 90", 0.9),
            ("100", "about 110", 0.9),
            ("-100", "-90", 0.9),
            ("100", "250", 0.0),
            ("100", "-100", 0.0),
            ("0", "0", 1.0),
            ("0", "0.0000005", 0.5),
            ("1e308", "-1e308", 0.0),
            ("0.75", r"\frac{3}{4}", 1.0),
        ] {
            let score = numeric_difference(reference, answer).get();
            assert!((score - expected).abs() < 1e-6, "{answer:?} against {reference:?}: {score}");
        }
    }

    #[test]
    fn earns_nothing_where_one_side_is_no_number() {
        for (reference, answer) in [
            ("42", ""),
            ("42", "forty-two"),
            ("42", "nan inf infinity"),
            ("", "42"),
            ("forty-two", "42"),
            ("42 apples", "42"),
            ("nan", "nan"),
            ("inf", "inf"),
        ] {
            assert_eq!(numeric_difference(reference, answer), Score::ZERO, "{answer:?}");
        }
    }
}
