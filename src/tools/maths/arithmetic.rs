//! Sums as on paper.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "basic_math";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "addition", "Addition", addition),
    Kind::new(TOPIC, Form::Number, "subtraction", "Subtraction", subtraction),
    Kind::new(TOPIC, Form::Number, "multiplication", "Multiplication", multiplication),
    Kind::new(TOPIC, Form::Number, "division", "Division", division),
    Kind::new(TOPIC, Form::Number, "percentage", "Percentage of a number", percentage),
    Kind::new(TOPIC, Form::Number, "square_root", "Square Root", square_root),
    Kind::new(TOPIC, Form::Number, "exponentiation", "Exponentiation", exponentiation),
    Kind::new(TOPIC, Form::Number, "factorial", "Factorial", factorial),
    Kind::new(
        TOPIC,
        Form::Number,
        "absolute_difference",
        "Absolute difference between two numbers",
        absolute_difference,
    ),
];

fn addition(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(1..=9999), random.random_range(1..=9999));
    Posed::new(format!("What is {a} plus {b}?"), a + b)
}

fn subtraction(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = two_different(random, 1, 9999);
    Posed::new(format!("What is {a} minus {b}?"), a - b)
}

fn multiplication(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(2..=999), random.random_range(2..=99));
    Posed::new(format!("What is {a} times {b}?"), a * b)
}

fn division(random: &mut ChaCha8Rng) -> Posed {
    let dividend = random.random_range(1..=9999);
    // Only multiples of 8 can lead to half a hundredth.
    let divisor = match random.random_range(2..=99) {
        divisor if divisor % 8 == 0 => divisor + 1,
        divisor => divisor,
    };
    Posed::rounded(
        format!("What is {dividend} divided by {divisor}?"),
        decimal::ratio(dividend, divisor),
    )
}

fn percentage(random: &mut ChaCha8Rng) -> Posed {
    let (percent, whole) = (random.random_range(1..=99), random.random_range(1..=999));
    Posed::new(
        format!("What is {percent} percent of {whole}?"),
        decimal::exact_hundredths(percent * whole),
    )
}

fn square_root(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(2..=9999);
    Posed::rounded(format!("What is the square root of {number}?"), decimal::root(number))
}

fn exponentiation(random: &mut ChaCha8Rng) -> Posed {
    let (base, exponent) = (random.random_range(2_i64..=20), random.random_range(2..=6));
    Posed::new(format!("What is {base} to the power of {exponent}?"), base.pow(exponent))
}

fn factorial(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(3_i64..=12);
    let product: i64 = (1..=number).product();
    Posed::new(format!("What is the factorial of {number}?"), product)
}

fn absolute_difference(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = two_different(random, -99, 99);
    Posed::new(format!("What is the absolute difference between {a} and {b}?"), a.abs_diff(b))
}

fn two_different(random: &mut ChaCha8Rng, least: i64, most: i64) -> (i64, i64) {
    let (a, b) = (random.random_range(least..=most), random.random_range(least..most));
    (a, if b >= a { b + 1 } else { b })
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify};

    #[test]
    fn every_kind_is_right_when_it_is_worked_backwards() {
        verify(
            KINDS,
            &[
                ("addition", |n, sum| sum - n[1] as f64 == n[0] as f64),
                ("subtraction", |n, difference| difference + n[1] as f64 == n[0] as f64),
                ("multiplication", |n, product| product / n[1] as f64 == n[0] as f64),
                ("division", |n, quotient| near(quotient, n[0] as f64 / n[1] as f64)),
                ("percentage", |n, part| (part * 100.0 / n[1] as f64 - n[0] as f64).abs() < 1e-9),
                ("square_root", |n, root| {
                    let (low, high) = (root - 0.005, root + 0.005);
                    low * low <= n[0] as f64 && n[0] as f64 <= high * high
                }),
                ("exponentiation", |n, power| {
                    (0..n[1]).fold(power, |rest, _| rest / n[0] as f64) == 1.0
                }),
                ("factorial", |n, product| {
                    (2..=n[0]).fold(product, |rest, factor| rest / factor as f64) == 1.0
                }),
                ("absolute_difference", |n, distance| {
                    n[0].min(n[1]) as f64 + distance == n[0].max(n[1]) as f64 && distance > 0.0
                }),
            ],
            &[],
        );
    }
}
