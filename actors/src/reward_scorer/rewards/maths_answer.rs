//! How right an answer to a mathematics problem is.

use super::exact_form::exact_form;
use super::{Measure, Reward, RewardKind, numeric};
use crate::domain::Score;

/// Rightness of an answer, under the original's name for it.
pub const FLOAT_DIFF: RewardKind = RewardKind(&Reward {
    name: "float_diff",
    about: "one less the relative difference of two numbers; right or wrong for other exact forms",
    measure: Measure::Text(|reference, completion, _| maths_answer(reference, completion)),
});

/// [`numeric::numeric_difference`] where the reference is a decimal number, and [`exact_form`]
/// where it is anything else, a fraction among it: half of it right is not half right.
#[must_use]
pub fn maths_answer(reference: &str, completion: &str) -> Score {
    if numeric::is_decimal(reference) {
        numeric::numeric_difference(reference, completion)
    } else {
        exact_form(reference, completion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_measured_and_exact_forms_are_right_or_wrong() {
        for (reference, completion, expected) in [
            ("100", "about 90", 0.9),
            ("-12.50", "It is -12.5.", 1.0),
            ("2.22e8", r"2.22 \times 10^{8}", 1.0),
            ("3/4", "0.75", 1.0),
            ("3/4", "0.74", 0.0),
            (r"\frac{3}{4}", "3/4", 1.0),
            ("0b1000", "It is 1000 in binary.", 1.0),
            ("0b1000", "It is 1001 in binary.", 0.0),
            ("2, 3", "The factors are 2, 3.", 1.0),
            ("", "42", 0.0),
        ] {
            let score = maths_answer(reference, completion).get();
            assert!((score - expected).abs() < 1e-6, "{completion:?} for {reference:?}: {score}");
        }
    }
}
