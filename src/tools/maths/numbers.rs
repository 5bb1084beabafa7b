//! Divisors, series and conversions.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "misc";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "gcd", "GCD (Greatest Common Divisor)", gcd),
    Kind::new(TOPIC, Form::Number, "lcm", "LCM (Least Common Multiple)", lcm),
    Kind::new(
        TOPIC,
        Form::Number,
        "arithmetic_progression_term",
        "AP Term Calculation",
        progression_term,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "arithmetic_progression_sum",
        "AP Sum Calculation",
        progression_sum,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "celsius_to_fahrenheit",
        "Celsius To Fahrenheit",
        celsius_to_fahrenheit,
    ),
];

fn gcd(random: &mut ChaCha8Rng) -> Posed {
    let common = random.random_range(2..=30);
    let (a, b) = (common * random.random_range(1..=30), common * random.random_range(1..=30));
    Posed::new(format!("What is the greatest common divisor of {a} and {b}?"), divisor(a, b))
}

fn lcm(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(2..=60), random.random_range(2..=60));
    Posed::new(format!("What is the least common multiple of {a} and {b}?"), a / divisor(a, b) * b)
}

fn progression_term(random: &mut ChaCha8Rng) -> Posed {
    let Progression { first, step, count } = Progression::draw(random);
    Posed::new(
        format!(
            "What is term number {count} of the arithmetic progression {first}, {}, {} and so on?",
            first + step,
            first + 2 * step
        ),
        first + (count - 1) * step,
    )
}

fn progression_sum(random: &mut ChaCha8Rng) -> Posed {
    let Progression { first, step, count } = Progression::draw(random);
    Posed::new(
        format!(
            "What is the sum of the first {count} terms of the arithmetic progression {first}, {}, \
             {} and so on?",
            first + step,
            first + 2 * step
        ),
        count * (2 * first + (count - 1) * step) / 2,
    )
}

fn celsius_to_fahrenheit(random: &mut ChaCha8Rng) -> Posed {
    let celsius = random.random_range(-50..=100);
    Posed::new(
        format!("How many degrees Fahrenheit are {celsius} degrees Celsius?"),
        decimal::exact_hundredths(celsius * 180 + 3200),
    )
}

struct Progression {
    first: i64,
    step: i64,
    count: i64,
}

impl Progression {
    /// Rising and positive, so that no term and no sum is 0.
    fn draw(random: &mut ChaCha8Rng) -> Self {
        Self {
            first: random.random_range(1..=100),
            step: random.random_range(1..=50),
            count: random.random_range(5..=60),
        }
    }
}

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::verify;

    /// The terms by adding up, from the first two terms of the statement.
    fn terms(n: &[i64]) -> impl Iterator<Item = i64> {
        assert_eq!(n[2] - n[1], n[3] - n[2], "the three terms are evenly spaced");
        let (first, step) = (n[1], n[2] - n[1]);
        std::iter::successors(Some(first), move |term| Some(term + step))
    }

    #[test]
    fn every_kind_is_right_by_trial() {
        verify(
            KINDS,
            &[
                ("gcd", |n, answer| {
                    let divides = |d: &i64| n[0] % d == 0 && n[1] % d == 0;
                    (1..=n[0].min(n[1])).rev().find(divides) == Some(answer as i64)
                }),
                ("lcm", |n, answer| {
                    (1..).map(|k| k * n[0]).find(|m| m % n[1] == 0) == Some(answer as i64)
                }),
                ("arithmetic_progression_term", |n, term| {
                    terms(n).nth(n[0] as usize - 1) == Some(term as i64)
                }),
                ("arithmetic_progression_sum", |n, sum| {
                    terms(n).take(n[0] as usize).sum::<i64>() == sum as i64
                }),
                ("celsius_to_fahrenheit", |n, fahrenheit| {
                    ((fahrenheit - 32.0) / 1.8 - n[0] as f64).abs() < 1e-9
                }),
            ],
            &[],
        );
    }
}
