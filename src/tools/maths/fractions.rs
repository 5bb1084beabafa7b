//! Fractions.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::draw::until_some;
use super::exact::Fraction;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "basic_math";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "fraction_to_decimal",
        "Fraction to Decimal",
        fraction_to_decimal,
    ),
    Kind::new(TOPIC, Form::Fraction, "divide_fractions", "Fraction Division", divide_fractions),
    Kind::new(
        TOPIC,
        Form::Fraction,
        "fraction_multiplication",
        "Fraction Multiplication",
        fraction_multiplication,
    ),
    Kind::new(TOPIC, Form::Word, "compare_fractions", "Compare Fractions", compare_fractions),
];

fn fraction_to_decimal(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let fraction = proper_or_not(random, 99);
        let (above, below) = (fraction.numerator(), fraction.denominator());
        // Only multiples of 8 can lead to half a hundredth.
        (below % 8 != 0).then(|| {
            Posed::rounded(
                format!("What is the fraction {fraction} as a decimal number?"),
                decimal::ratio(above, below),
            )
        })
    })
}

fn divide_fractions(random: &mut ChaCha8Rng) -> Posed {
    operation(random, |a, b| (format!("What is {a} divided by {b}?"), a / b))
}

fn fraction_multiplication(random: &mut ChaCha8Rng) -> Posed {
    operation(random, |a, b| (format!("What is {a} times {b}?"), a * b))
}

/// Asks for what an operation makes of two fractions, unless that is a whole number.
fn operation(
    random: &mut ChaCha8Rng,
    apply: fn(Fraction, Fraction) -> (String, Fraction),
) -> Posed {
    until_some(random, |random| {
        let (statement, result) = apply(proper_or_not(random, 20), proper_or_not(random, 20));
        (result.denominator() > 1)
            .then(|| Posed::new(statement + " Give the result as a reduced fraction a/b.", result))
    })
}

fn compare_fractions(random: &mut ChaCha8Rng) -> Posed {
    let (first, mut second) = (proper_or_not(random, 20), proper_or_not(random, 20));
    let mut scale = 1;
    if random.random_ratio(1, 4) {
        (second, scale) = (first, random.random_range(2..=5));
    }
    let (a, b) = (first.numerator(), first.denominator());
    let (c, d) = (scale * second.numerator(), scale * second.denominator());
    let symbol = match (a * d).cmp(&(c * b)) {
        std::cmp::Ordering::Less => "<",
        std::cmp::Ordering::Equal => "=",
        std::cmp::Ordering::Greater => ">",
    };
    Posed::new(
        format!("Which of the symbols <, > and = belongs between {a}/{b} and {c}/{d}?"),
        symbol,
    )
}

/// A positive fraction, reduced and no whole number, of parts up to `most`.
fn proper_or_not(random: &mut ChaCha8Rng, most: i64) -> Fraction {
    until_some(random, |random| {
        let fraction = Fraction::new(random.random_range(1..=most), random.random_range(2..=most));
        (fraction.denominator() > 1).then_some(fraction)
    })
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// The parts of an answer, if it is reduced.
    fn reduced(answer: &str) -> Option<(i64, i64)> {
        let [above, below] = whole_numbers(answer)[..] else { return None };
        let divides = |d: i64| above % d == 0 && below % d == 0;
        (below > 1 && !(2..=below).any(divides)).then_some((above, below))
    }

    #[test]
    fn every_kind_is_right_when_it_is_worked_backwards() {
        verify(
            KINDS,
            &[("fraction_to_decimal", |n, value| near(value, n[0] as f64 / n[1] as f64))],
            &[
                // The quotient times the divisor is the dividend.
                ("divide_fractions", |statement, answer| {
                    let n = whole_numbers(statement);
                    reduced(answer).is_some_and(|(a, b)| a * n[2] * n[1] == n[0] * b * n[3])
                }),
                // The product divided by a factor is the other factor.
                ("fraction_multiplication", |statement, answer| {
                    let n = whole_numbers(statement);
                    reduced(answer).is_some_and(|(a, b)| a * n[3] * n[1] == n[0] * b * n[2])
                }),
                ("compare_fractions", |statement, answer| {
                    let n = whole_numbers(statement);
                    let distance = n[0] as f64 / n[1] as f64 - n[2] as f64 / n[3] as f64;
                    let sign = match answer {
                        "<" => -1.0,
                        ">" => 1.0,
                        _ => return answer == "=" && distance.abs() < 1e-12,
                    };
                    distance * sign > 1e-6
                }),
            ],
        );
    }
}
