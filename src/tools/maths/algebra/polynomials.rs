//! Polynomials, their factors and zeros, and complex numbers.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{TOPIC, signed};
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{nonzero, until_some};
use crate::tools::maths::exact::{polynomial, sum};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Text, "factoring", "Factoring Quadratic", factoring),
    Kind::new(TOPIC, Form::Polynomial, "expanding", "Expanding Factored Binomial", expanding),
    Kind::new(
        TOPIC,
        Form::Polynomial,
        "combine_like_terms",
        "Combine Like terms",
        combine_like_terms,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "quadratic_discriminant",
        "Discriminant of a Quadratic Equation",
        quadratic_discriminant,
    ),
    Kind::new(TOPIC, Form::List, "quadratic_equation", "Quadratic Equation", quadratic_equation),
    Kind::new(
        TOPIC,
        Form::Complex,
        "complex_quadratic",
        "complex Quadratic Equation",
        complex_quadratic,
    ),
    Kind::new(
        TOPIC,
        Form::Complex,
        "multiply_complex_numbers",
        "Multiplication of 2 complex numbers",
        multiply_complex_numbers,
    ),
];

fn factoring(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (p, q) = (nonzero(random, 12), nonzero(random, 12));
        (p + q != 0).then(|| {
            Posed::new(
                format!(
                    "Factor {} into the form (x + p)(x + q) with whole numbers p and q.",
                    polynomial(&[1, p + q, p * q])
                ),
                format!("(x {})(x {})", signed(p), signed(q)),
            )
        })
    })
}

fn expanding(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b, c, d] = std::array::from_fn(|_| nonzero(random, 10));
        (a * d + b * c != 0).then(|| {
            Posed::new(
                format!(
                    "Expand ({})({}). Answer as a polynomial in x with falling powers.",
                    polynomial(&[a, b]),
                    polynomial(&[c, d])
                ),
                polynomial(&[a * c, a * d + b * c, b * d]),
            )
        })
    })
}

fn combine_like_terms(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let mut exponents: Vec<usize> = (1..=9).collect();
        exponents.shuffle(random);
        exponents.truncate(3);
        let mut terms = Vec::new();
        let mut total = [0; 10];
        for exponent in exponents {
            for _ in 0..random.random_range(2..=3) {
                let coefficient = nonzero(random, 10);
                terms.push((coefficient, exponent));
                total[exponent] += coefficient;
            }
        }
        terms.shuffle(random);
        total.reverse();
        // Nothing may cancel.
        (total.iter().filter(|coefficient| **coefficient != 0).count() == 3).then(|| {
            Posed::new(
                format!(
                    "Combine the like terms of {}. Answer as a polynomial in x with falling powers.",
                    sum(terms)
                ),
                polynomial(&total),
            )
        })
    })
}

fn quadratic_discriminant(random: &mut ChaCha8Rng) -> Posed {
    let a = random.random_range(2..=9);
    // An odd b makes an odd discriminant, which is never 0.
    let b = 2 * random.random_range(1..=9) + 1;
    let b = if random.random() { b } else { -b };
    let c = nonzero(random, 20);
    Posed::new(
        format!(
            "What is the discriminant of the quadratic equation {a}x^2 {}x {} = 0?",
            signed(b),
            signed(c)
        ),
        b * b - 4 * a * c,
    )
}

fn quadratic_equation(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let a = random.random_range(1..=20);
        let (b, c) = (nonzero(random, 100), nonzero(random, 100));
        let discriminant = b * b - 4 * a * c;
        if discriminant <= 0 {
            return None;
        }
        let zero = |sign: f64| (-b as f64 + sign * (discriminant as f64).sqrt()) / (2 * a) as f64;
        let (smaller, greater) = (zero(-1.0), zero(1.0));
        // Zeros that look like zero, or alike, would be a poor answer.
        let is_poor = smaller.abs() < 0.01 || greater.abs() < 0.01 || greater - smaller < 0.02;
        let (smaller, greater) = (decimal::clear(smaller)?, decimal::clear(greater)?);
        (!is_poor).then(|| {
            Posed::new(
                format!(
                    "What are the two zeros of {}? Round each to two decimals; the smaller one \
                     first, separated by a comma.",
                    polynomial(&[a, b, c])
                ),
                format!("{smaller}, {greater}"),
            )
        })
    })
}

fn complex_quadratic(random: &mut ChaCha8Rng) -> Posed {
    let (real, imaginary) = (nonzero(random, 15), random.random_range(1..=15));
    Posed::new(
        format!(
            "Which of the two complex roots of {} = 0 has a positive imaginary part? Answer in the \
             form a+bi.",
            polynomial(&[1, -2 * real, real * real + imaginary * imaginary])
        ),
        complex(real, imaginary),
    )
}

fn multiply_complex_numbers(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b, c, d] = std::array::from_fn(|_| nonzero(random, 20));
        let (real, imaginary) = (a * c - b * d, a * d + b * c);
        (real != 0 && imaginary != 0).then(|| {
            Posed::new(
                format!(
                    "What is ({}) times ({})? Answer in the form a+bi.",
                    complex(a, b),
                    complex(c, d)
                ),
                complex(real, imaginary),
            )
        })
    })
}

/// `3+4i`; neither part is 0.
fn complex(real: i64, imaginary: i64) -> String {
    let sign = if imaginary < 0 { '-' } else { '+' };
    match imaginary.unsigned_abs() {
        1 => format!("{real}{sign}i"),
        size => format!("{real}{sign}{size}i"),
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{polynomial_at, verify};

    /// The text between two others.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
        text.split_once(before).unwrap().1.split_once(after).unwrap().0
    }

    /// The value of `(x + 2)(3x - 1)` for an x.
    fn product_at(text: &str, x: f64) -> f64 {
        let factors = text.strip_prefix('(').unwrap().strip_suffix(')').unwrap();
        factors.split(")(").map(|factor| polynomial_at(factor, x)).product()
    }

    /// Polynomials of degree 9 that agree at 21 places are the same.
    fn agree(one: impl Fn(f64) -> f64, other: impl Fn(f64) -> f64) -> bool {
        (-10..=10).map(|place| f64::from(place) / 4.0).all(|x| (one(x) - other(x)).abs() < 1e-6)
    }

    /// The parts of `3-i`.
    fn parts(text: &str) -> (i64, i64) {
        let text = text.strip_suffix('i').unwrap();
        let at = text.rfind(['+', '-']).unwrap();
        let (real, imaginary) = text.split_at(at);
        let imaginary = match imaginary {
            "+" => 1,
            "-" => -1,
            size => size.parse().unwrap(),
        };
        (real.parse().unwrap(), imaginary)
    }

    #[test]
    fn every_kind_is_right_when_values_are_put_in() {
        verify(
            KINDS,
            // Numbers in between are the exponent and the right side; b² - Δ = 4ac.
            &[("quadratic_discriminant", |n, discriminant| {
                let (a, b, c) = (n[0] as f64, n[2] as f64, n[3] as f64);
                n[1] == 2 && n[4] == 0 && (b * b - discriminant) / (4.0 * a) == c
            })],
            &[
                ("factoring", |statement, answer| {
                    let asked = between(statement, "Factor ", " into");
                    agree(|x| polynomial_at(asked, x), |x| product_at(answer, x))
                }),
                ("expanding", |statement, answer| {
                    let asked = between(statement, "Expand ", ". Answer");
                    agree(|x| product_at(asked, x), |x| polynomial_at(answer, x))
                }),
                ("combine_like_terms", |statement, answer| {
                    let asked = between(statement, "terms of ", ". Answer");
                    let exponents: Vec<i64> = answer
                        .split([' ', '-'])
                        .filter_map(|term| Some(term.split_once('x')?.1))
                        .map(|power| power.strip_prefix('^').map_or(1, |p| p.parse().unwrap()))
                        .collect();
                    exponents.len() == 3
                        && exponents.is_sorted_by(|a, b| a > b)
                        && agree(|x| polynomial_at(asked, x), |x| polynomial_at(answer, x))
                }),
                // The sign changes within half a hundredth around each.
                ("quadratic_equation", |statement, answer| {
                    let asked = between(statement, "zeros of ", "?");
                    let zeros: Vec<f64> = answer.split(", ").map(|z| z.parse().unwrap()).collect();
                    zeros.len() == 2
                        && zeros[0] < zeros[1]
                        && zeros.iter().all(|zero| {
                            let below = polynomial_at(asked, zero - 0.005);
                            below * polynomial_at(asked, zero + 0.005) < 0.0
                        })
                }),
                // The roots are conjugate: their sum and their product are the coefficients.
                ("complex_quadratic", |statement, answer| {
                    let asked = between(statement, "roots of ", " = 0");
                    let (real, imaginary) = parts(answer);
                    let (sum, product) = (2 * real, real * real + imaginary * imaginary);
                    imaginary > 0
                        && agree(
                            |x| polynomial_at(asked, x),
                            |x| x * x - sum as f64 * x + product as f64,
                        )
                }),
                // Dividing by one factor gives the other.
                ("multiply_complex_numbers", |statement, answer| {
                    let factors = between(statement, "What is (", ")?");
                    let (first, second) = factors.split_once(") times (").unwrap();
                    let ((a, b), (c, d)) = (parts(first), parts(second));
                    let (e, f) = parts(answer);
                    let size = c * c + d * d;
                    e * c + f * d == a * size && f * c - e * d == b * size
                }),
            ],
        );
    }
}
