//! Sums as on paper.

use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::draw::{listed, nonzero, two_different, until_some};
use super::exact::common_divisor;
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
    Kind::new(TOPIC, Form::Number, "square", "Square", square),
    Kind::new(TOPIC, Form::Number, "cube_root", "Cube Root", cube_root),
    Kind::new(TOPIC, Form::Text, "power_of_powers", "Power of Powers", power_of_powers),
    Kind::new(
        TOPIC,
        Form::Number,
        "percentage_difference",
        "Percentage difference",
        percentage_difference,
    ),
    Kind::new(TOPIC, Form::Number, "percentage_error", "Percentage error", percentage_error),
    Kind::new(
        TOPIC,
        Form::Number,
        "greatest_common_divisor",
        "Greatest Common Divisor of N Numbers",
        greatest_common_divisor,
    ),
    Kind::new(TOPIC, Form::Word, "is_prime", "isprime", asks_for_prime),
    Kind::new(TOPIC, Form::Word, "is_composite", "Is Composite", asks_for_composite),
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
    let number = random.random_range(3_i64..=20);
    let product: i64 = (1..=number).product();
    Posed::new(format!("What is the factorial of {number}?"), product)
}

fn absolute_difference(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = two_different(random, -99, 99);
    Posed::new(format!("What is the absolute difference between {a} and {b}?"), a.abs_diff(b))
}

fn square(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(11_i64..=999);
    Posed::new(format!("What is the square of {number}?"), number * number)
}

fn cube_root(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(2..=9999);
    Posed::rounded(format!("What is the cube root of {number}?"), decimal::cube_root(number))
}

fn power_of_powers(random: &mut ChaCha8Rng) -> Posed {
    let base = random.random_range(2..=50);
    let (inner, outer) = (random.random_range(2..=12), random.random_range(2..=12));
    Posed::new(
        format!("Write ({base}^{inner})^{outer} as one power of {base}, in the form a^b."),
        format!("{base}^{}", inner * outer),
    )
}

fn percentage_difference(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (a, b) = two_different(random, 1, 200);
        let percent = decimal::clear((200 * a.abs_diff(b)) as f64 / (a + b) as f64)?;
        Some(Posed::rounded(
            format!(
                "What is the percentage difference between {a} and {b}, that is, how many percent \
                 of their mean is their absolute difference?"
            ),
            percent,
        ))
    })
}

fn percentage_error(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (exact, error) = (nonzero(random, 100), nonzero(random, 60));
        let percent = decimal::clear((100 * error.abs()) as f64 / exact.abs() as f64)?;
        Some(Posed::rounded(
            format!(
                "A value was observed as {} but is exactly {exact}. What is the percentage error, \
                 that is, how many percent of the size of the exact value is the size of the error?",
                exact + error
            ),
            percent,
        ))
    })
}

fn greatest_common_divisor(random: &mut ChaCha8Rng) -> Posed {
    let common = random.random_range(2..=999);
    let count = random.random_range(3..=4);
    let numbers: Vec<i64> = sample(random, 98, count)
        .into_iter()
        .map(|multiple| common * (multiple as i64 + 2))
        .collect();
    Posed::new(
        format!("What is the greatest common divisor of the numbers {}?", listed(&numbers)),
        numbers.into_iter().fold(0, common_divisor),
    )
}

fn asks_for_prime(random: &mut ChaCha8Rng) -> Posed {
    let (number, prime) = perhaps_prime(random);
    Posed::new(
        format!("Is {number} a prime number? Answer yes or no."),
        if prime { "yes" } else { "no" },
    )
}

fn asks_for_composite(random: &mut ChaCha8Rng) -> Posed {
    let (number, prime) = perhaps_prime(random);
    Posed::new(
        format!("Is {number} a composite number? Answer yes or no."),
        if prime { "no" } else { "yes" },
    )
}

/// A number, and whether it is prime, which half of them are; none is even or ends in 5.
fn perhaps_prime(random: &mut ChaCha8Rng) -> (i64, bool) {
    let wanted: bool = random.random();
    until_some(random, |random| {
        let number = 2 * random.random_range(5..=2499) + 1;
        let prime = (2..).take_while(|d| d * d <= number).all(|d| number % d != 0);
        (number % 5 != 0 && prime == wanted).then_some((number, prime))
    })
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// Every pair of factors above one, which is what a composite number has.
    fn is_composite(statement: &str) -> bool {
        let number = whole_numbers(statement)[0];
        (2..=number / 2).any(|a| (2..=number / a).any(|b| a * b == number))
    }

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
                ("square", |n, square| square / n[0] as f64 == n[0] as f64),
                ("cube_root", |n, root| {
                    let (low, high) = (root - 0.005, root + 0.005);
                    low.powi(3) <= n[0] as f64 && n[0] as f64 <= high.powi(3)
                }),
                ("percentage_difference", |n, percent| {
                    let (a, b) = (n[0] as f64, n[1] as f64);
                    near(percent, (a - b).abs() / ((a + b) / 2.0) * 100.0)
                }),
                ("percentage_error", |n, percent| {
                    near(percent, (n[0] as f64 / n[1] as f64 - 1.0).abs() * 100.0)
                }),
                ("greatest_common_divisor", |n, answer| {
                    let divides = |d: &i64| n.iter().all(|number| number % d == 0);
                    (1..=n[0]).rev().find(divides) == Some(answer as i64)
                }),
            ],
            &[
                ("power_of_powers", |statement, power| {
                    // Of the base's exponent there is as much as the outer one says.
                    let (said, got) = (whole_numbers(statement), whole_numbers(power));
                    let exponent: i64 = (0..said[2]).map(|_| said[1]).sum();
                    got == [said[0], exponent] && said[3] == said[0]
                }),
                ("is_prime", |statement, answer| {
                    answer == if is_composite(statement) { "no" } else { "yes" }
                }),
                ("is_composite", |statement, answer| {
                    answer == if is_composite(statement) { "yes" } else { "no" }
                }),
            ],
        );
    }
}
