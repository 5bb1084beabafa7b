//! Numbers as computers meet them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "computer_science";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "binary_to_decimal", "Binary to Decimal", binary_to_decimal),
    Kind::new(TOPIC, Form::Number, "modulo_division", "Modulo Division", modulo),
    Kind::new(TOPIC, Form::Number, "nth_fibonacci_number", "nth Fibonacci number", fibonacci),
];

fn binary_to_decimal(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(4..=4095);
    Posed::new(format!("What is the binary number {number:b} in decimal notation?"), number)
}

fn modulo(random: &mut ChaCha8Rng) -> Posed {
    let divisor = random.random_range(2..=99);
    let remainder = random.random_range(1..divisor);
    let dividend = divisor * random.random_range(1..=99) + remainder;
    Posed::new(format!("What is the remainder when {dividend} is divided by {divisor}?"), remainder)
}

fn fibonacci(random: &mut ChaCha8Rng) -> Posed {
    let place = random.random_range(5..=60);
    let (_, number) = (1..place).fold((0_i64, 1), |(before, last), _| (last, before + last));
    Posed::new(
        format!(
            "Which number is at place {place} of the Fibonacci sequence, if the first two numbers \
             are both one?"
        ),
        number,
    )
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::verify;

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("binary_to_decimal", |n, answer| {
                    i64::from_str_radix(&n[0].to_string(), 2) == Ok(answer as i64)
                }),
                ("modulo_division", |n, remainder| {
                    let left = (0..).map(|k| n[0] - k * n[1]).find(|left| *left < n[1]);
                    left == Some(remainder as i64)
                }),
                // Binet's formula, exact enough up to place 70.
                ("nth_fibonacci_number", |n, number| {
                    let root = 5_f64.sqrt();
                    number == (((1.0 + root) / 2.0).powi(n[0] as i32) / root).round()
                }),
            ],
            &[],
        );
    }
}
