//! How right an answer to a mathematics problem is.

use super::exact_form::exact_form;
use super::numeric::Number;
use super::own_words::own_words;
use super::{Measure, Reward, RewardKind};
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Rightness of an answer, under the original's name for it.
pub const FLOAT_DIFF: RewardKind = RewardKind(&Reward {
    name: "float_diff",
    about: "one less the relative difference of two numbers; right or wrong for other exact forms",
    measure: Measure::WithChallenge(maths_answer),
});

/// [`Number::nearness`] where the reference is a decimal number, and [`exact_form`] where it is
/// anything else, a fraction among it: half of it right is not half right. A power or a root may be
/// answered by its decimals, too.
///
/// The answer is looked for in the completion's own words: what it quotes from the challenge states
/// nothing, though a number of the challenge may well be the solution.
#[must_use]
pub fn maths_answer(reference: &str, challenge: &str, completion: &str, effort: &Effort) -> Score {
    let own = own_words(challenge, completion, effort);
    let number = Number::read(reference, effort);
    if let Some(decimal) = number.filter(|number| number.is_decimal()) {
        return decimal.nearness(challenge, &own, effort);
    }
    let by_decimals = || number.is_some_and(|number| number.is_stated(challenge, &own, effort));
    match exact_form(reference, &own, effort) {
        score if score == Score::ZERO && by_decimals() => Score::ONE,
        score => score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(reference: &str, challenge: &str, completion: &str) -> f64 {
        maths_answer(reference, challenge, completion, &Effort::default()).get()
    }

    #[test]
    fn decimals_are_measured_and_exact_forms_are_right_or_wrong() {
        for (reference, completion, expected) in [
            ("42", "The answer is 42.", 1.0),
            ("-3.5", "x = -3.5", 1.0),
            ("-12.50", "It is -12.5.", 1.0),
            ("100", "about 90", 0.9),
            ("100", "about 110", 0.9),
            ("-100", "-90", 0.9),
            ("100", "250", 0.0),
            ("100", "-100", 0.0),
            ("0", "0", 1.0),
            ("0", "0.0000005", 0.5),
            ("1e308", "-1e308", 0.0),
            ("0.75", r"\frac{3}{4}", 1.0),
            ("1024", "2^10", 1.0),
            ("6.283185307179586", "2π", 1.0),
            ("2.22e8", r"2.22 \times 10^{8}", 1.0),
            ("50%", "50", 1.0),
            ("50", "It is 50 %.", 1.0),
            ("3/4", "0.75", 1.0),
            ("3/4", "0.74", 0.0),
            (r"\frac{3}{4}", "3/4", 1.0),
            ("2^10", "1024", 1.0),
            ("2^10", "2^{10}", 1.0),
            ("2^10", "1025", 0.0),
            (r"\frac{\pi}{2}", "π/2", 1.0),
            (r"\frac{\pi}{2}", "1.570796", 1.0),
            (r"\frac{\pi}{2}", "1.57", 0.0),
            (r"3\sqrt{2}", "sqrt(18)", 1.0),
            ("0b1000", "It is 1000 in binary.", 1.0),
            ("0b1000", "It is 1001 in binary.", 0.0),
            ("2, 3", "The factors are 2, 3.", 1.0),
            ("", "42", 0.0),
        ] {
            let score = score(reference, "", completion);
            assert!((score - expected).abs() < 1e-6, "{completion:?} for {reference:?}: {score}");
        }
    }

    #[test]
    fn earns_nothing_where_one_side_is_no_number() {
        for (reference, answer) in [
            ("42", ""),
            ("42", "forty-two"),
            ("42", "nan inf infinity"),
            ("42", "9**9**9"),
            ("", "42"),
            ("forty-two", "42"),
            ("42 apples", "42"),
        ] {
            assert_eq!(score(reference, "", answer), 0.0, "{answer:?}");
        }
    }

    #[test]
    fn texts_that_are_made_to_be_slow_take_a_bounded_number_of_steps() {
        for piece in ["1, ", "(x)(1)^64", "((1)", "[1 1 ", r"\frac{1}{", "mean 1 ", "1 1111 ", "a"]
        {
            let text = piece.repeat(64 * 1024 / piece.len());
            for reference in
                ["42", "2^10", "2, 2, 3", "[[1, 2], [3, 4]]", "(x + 2)(x - 9)", "0b101"]
            {
                let effort = Effort::default();
                let _ = maths_answer(reference, &text, &text, &effort);
                let _ = maths_answer(reference, "What is 7 mod 9?", &text, &effort);
                assert!(effort.spent() < 5_000_000, "{piece:?} {reference}: {}", effort.spent());
                // What was cut away was looked at, too.
                assert!(effort.spent() > 2 * text.len() as u64, "{piece:?} {reference}");
            }
        }
    }

    #[test]
    fn the_challenge_sent_back_earns_nothing_and_its_numbers_may_be_right() {
        let challenge = "How can I solve this? What is 7 mod 9?";
        for echo in [
            challenge.to_owned(),
            format!("You asked: {challenge}"),
            challenge.to_uppercase(),
            challenge.replace(' ', "\n  "),
            format!("{challenge} {challenge}"),
        ] {
            assert_eq!(score("7", challenge, &echo), 0.0, "{echo}");
        }
        for answer in ["7", "The answer is 7.", "What is 7 mod 9? 7", "7 mod 9 = 7", "9 > 7, so 7"]
        {
            assert_eq!(score("7", challenge, answer), 1.0, "{answer}");
        }
        let listed = "Which are the prime factors of 12: 2, 2, 3 or 2, 3?";
        assert_eq!(score("2, 3", listed, listed), 0.0);
        assert_eq!(score("2, 2, 3", listed, "2, 2, 3"), 1.0);
        assert_eq!(score("12", "What is 84 divided by 7?", "84/7"), 0.0);
    }
}
