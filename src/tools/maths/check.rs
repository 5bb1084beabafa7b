//! Checks problems by what their statement says, never by what the generator knew.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::kind::Kind;

/// A kind's name, and whether an answer is right for the numbers of the statement, in order.
pub(super) type Check = (&'static str, fn(&[i64], f64) -> bool);

/// Draws 500 problems of every kind of a field; each kind must have its check, in the same order.
pub(super) fn verify(kinds: &[Kind], checks: &[Check]) {
    let names = |name: &[&'static str]| name.join(" ");
    assert_eq!(
        names(&kinds.iter().map(|kind| kind.name).collect::<Vec<_>>()),
        names(&checks.iter().map(|check| check.0).collect::<Vec<_>>()),
    );
    for (kind, (_, right)) in kinds.iter().zip(checks) {
        for seed in 0..500 {
            let problem = kind.generate(&mut ChaCha8Rng::seed_from_u64(seed));
            let answer: f64 = problem.solution.parse().unwrap();
            let decimals = problem.solution.split_once('.').map_or(0, |(_, part)| part.len());
            let asks = problem.statement.ends_with(" Round to two decimals.");
            assert!(if asks { decimals == 2 } else { decimals <= 2 }, "{problem:?}");
            assert!(
                answer.is_finite() && answer != 0.0,
                "a reference of 0 scores badly: {problem:?}"
            );
            assert!(right(&numbers(&problem.statement), answer), "{problem:?}");
        }
    }
}

/// Whether `answer` is `exact` to two decimals.
pub(super) fn near(answer: f64, exact: f64) -> bool {
    (answer - exact).abs() <= 0.005 + 1e-9 * exact.abs()
}

/// The whole numbers of a text; a minus before one, with or without a space, belongs to it.
fn numbers(statement: &str) -> Vec<i64> {
    let mut found = Vec::new();
    let mut negative = false;
    let mut current: Option<i64> = None;
    for c in statement.chars().chain(['.']) {
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

#[test]
fn reads_the_numbers_of_a_statement() {
    assert_eq!(numbers("Solve 3x - 7 = -14, (2, 5)."), [3, -7, -14, 2, 5]);
}
