//! Checks problems by what their statement says, never by what the generator knew.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::kind::{Form, Kind, Problem};

/// For a kind whose answers are numbers: its name, and whether an answer is right for the whole
/// numbers of the statement, in order.
pub(super) type NumberCheck = (&'static str, fn(&[i64], f64) -> bool);

/// For any other kind: its name, and whether an answer is right for the statement.
pub(super) type ExactCheck = (&'static str, fn(&str, &str) -> bool);

const SAMPLES: u64 = 500;

/// Draws problems of every kind of a field. Each kind must have its check: those whose answers are
/// numbers in `numbers`, the others in `exact`, both in the order of the table.
pub(super) fn verify(kinds: &[Kind], numbers: &[NumberCheck], exact: &[ExactCheck]) {
    let (with_numbers, others): (Vec<&Kind>, Vec<&Kind>) =
        kinds.iter().partition(|kind| kind.form == Form::Number);
    same_names(&with_numbers, numbers.iter().map(|check| check.0));
    same_names(&others, exact.iter().map(|check| check.0));

    for (kind, (_, right)) in with_numbers.into_iter().zip(numbers) {
        for problem in problems(kind) {
            let answer: f64 = problem.solution.parse().unwrap();
            let part = problem.solution.split_once('.').map_or("", |(_, part)| part);
            let decimals = part.chars().take_while(char::is_ascii_digit).count();
            let asks = problem.statement.ends_with(" Round to two decimals.");
            assert!(if asks { decimals == 2 } else { decimals <= 2 }, "{problem:?}");
            assert!(
                answer.is_finite() && answer != 0.0,
                "a reference of 0 scores badly: {problem:?}"
            );
            assert!(right(&whole_numbers(&problem.statement), answer), "{problem:?}");
        }
    }
    for (kind, (_, right)) in others.into_iter().zip(exact) {
        for problem in problems(kind) {
            assert!(right(&problem.statement, &problem.solution), "{problem:?}");
        }
    }
}

fn same_names<'a>(kinds: &[&Kind], checks: impl Iterator<Item = &'a str>) {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(kinds.join(" "), checks.collect::<Vec<_>>().join(" "));
}

fn problems(kind: &Kind) -> impl Iterator<Item = Problem> {
    (0..SAMPLES).map(|seed| kind.generate(&mut ChaCha8Rng::seed_from_u64(seed)))
}

/// Whether `answer` is `exact` to two decimals.
pub(super) fn near(answer: f64, exact: f64) -> bool {
    (answer - exact).abs() <= 0.005 + 1e-12 * exact.abs() + 1e-12
}

/// The whole numbers of a text; a minus before one, with or without a space, belongs to it.
pub(super) fn whole_numbers(text: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut negative = false;
    let mut current: Option<i64> = None;
    for c in text.chars().chain(['.']) {
        match (c.to_digit(10), current) {
            (Some(digit), value) => current = Some(value.unwrap_or(0) * 10 + i64::from(digit)),
            (None, Some(value)) => {
                found.push(if negative { -value } else { value });
                current = None;
                negative = c == '-';
            }
            (None, None) => negative = c == '-' || (negative && c == ' '),
        }
    }
    found
}

/// The numbers of an answer such as `(-1.50, 2.25)`, if all have two decimals.
pub(super) fn decimals(answer: &str) -> Vec<f64> {
    let parts = answer.trim_matches(['(', ')']).split(", ");
    let number = |part: &str| match part.split_once('.') {
        Some((_, decimals)) if decimals.len() == 2 => part.parse().ok(),
        _ => None,
    };
    parts.map(number).collect::<Option<_>>().unwrap_or_default()
}

/// The value of a polynomial as people write it, `-(1/2)x^3 + x - 4`, for an x.
pub(super) fn polynomial_at(text: &str, x: f64) -> f64 {
    let text = text.replace(" - ", " + -");
    text.split(" + ").map(|term| term_at(term, x)).sum()
}

fn term_at(term: &str, x: f64) -> f64 {
    let (factor, power) = match term.split_once('x') {
        Some((factor, "")) => (factor, 1),
        Some((factor, power)) => (factor, power.strip_prefix('^').unwrap().parse().unwrap()),
        None => (term, 0),
    };
    let factor = match factor.replace(['(', ')'], "").as_str() {
        "" => 1.0,
        "-" => -1.0,
        factor => match factor.split_once('/') {
            Some((above, below)) => above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap(),
            None => factor.parse().unwrap(),
        },
    };
    factor * x.powi(power)
}

#[test]
fn evaluates_polynomials() {
    assert_eq!(polynomial_at("-(1/2)x^3 + x - 4", 2.0), -6.0);
    assert_eq!(polynomial_at("-x^2 - 3/4", 0.5), -1.0);
}

#[test]
fn reads_the_numbers_of_a_statement() {
    assert_eq!(whole_numbers("Solve 3x - 7 = -14, (2, 5)."), [3, -7, -14, 2, 5]);
}
