//! Derivatives and integrals.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::draw::{nonzero, two_different, until_some};
use super::exact::{Fraction, polynomial, sum};
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "calculus";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "definite_integral",
        "Definite Integral of Quadratic Equation",
        definite_integral,
    ),
    Kind::new(
        TOPIC,
        Form::Polynomial,
        "power_rule_differentiation",
        "Power Rule Differentiation",
        power_rule_differentiation,
    ),
    Kind::new(
        TOPIC,
        Form::Polynomial,
        "power_rule_integration",
        "Power Rule Integration",
        power_rule_integration,
    ),
    Kind::new(
        TOPIC,
        Form::Text,
        "trig_differentiation",
        "Trigonometric Differentiation",
        trig_differentiation,
    ),
    Kind::new(TOPIC, Form::List, "stationary_points", "Stationary Points", stationary_points),
];

fn definite_integral(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [a, b]: [i64; 2] = std::array::from_fn(|_| 2 * nonzero(random, 50));
        let c = nonzero(random, 100);
        let lower = random.random_range(-5_i64..=4);
        let upper = random.random_range(lower + 1..=5);
        // Six times the antiderivative; sixths never make half a hundredth.
        let sixfold = |x: i64| 2 * a * x.pow(3) + 3 * b * x.pow(2) + 6 * c * x;
        let integral = sixfold(upper) - sixfold(lower);
        (integral != 0).then(|| {
            Posed::rounded(
                format!(
                    "What is the definite integral of {} from x = {lower} to x = {upper}?",
                    polynomial(&[a, b, c])
                ),
                decimal::ratio(integral, 6),
            )
        })
    })
}

fn power_rule_differentiation(random: &mut ChaCha8Rng) -> Posed {
    let terms = powers(random);
    let derivative =
        terms.iter().map(|&(factor, power)| (factor * power as i64, power.saturating_sub(1)));
    Posed::new(
        format!(
            "Differentiate {} with respect to x. Write the derivative in falling powers of x.",
            sum(terms.iter().copied())
        ),
        sum(derivative),
    )
}

fn power_rule_integration(random: &mut ChaCha8Rng) -> Posed {
    let terms = powers(random);
    let integral =
        terms.iter().map(|&(factor, power)| (Fraction::new(factor, power as i64 + 1), power + 1));
    Posed::new(
        format!(
            "Integrate {} with respect to x. Write the antiderivative in falling powers of x, with \
             coefficients that are no whole numbers as reduced fractions in brackets, (a/b)x^n, and \
             without the constant of integration.",
            sum(terms.iter().copied())
        ),
        sum(integral),
    )
}

/// Two to five terms, in falling powers of x from at most the tenth.
fn powers(random: &mut ChaCha8Rng) -> Vec<(i64, usize)> {
    let count = random.random_range(2..=5);
    let powers = until_some(random, |random| {
        let powers: BTreeSet<usize> = (0..count).map(|_| random.random_range(1..=10)).collect();
        (powers.len() == count).then_some(powers)
    });
    powers.into_iter().rev().map(|power| (nonzero(random, 12), power)).collect()
}

fn trig_differentiation(random: &mut ChaCha8Rng) -> Posed {
    /// A function, the sign of its derivative, and the factors of that; `_` is the argument.
    const DERIVATIVES: [(&str, i64, &str); 6] = [
        ("sin", 1, "cos(_)"),
        ("cos", -1, "sin(_)"),
        ("tan", 1, "sec(_)^2"),
        ("cot", -1, "csc(_)^2"),
        ("sec", 1, "sec(_)tan(_)"),
        ("csc", -1, "cot(_)csc(_)"),
    ];
    let (factor, inner) = (random.random_range(2..=15), random.random_range(2..=15));
    let (function, sign, factors) = DERIVATIVES[random.random_range(0..DERIVATIVES.len())];
    Posed::new(
        format!(
            "Differentiate {factor}{function}({inner}x) with respect to x. Write the derivative as \
             a product without division: the number first, then the functions in alphabetical \
             order, a square as in sin(x)^2."
        ),
        format!("{}{}", sign * factor * inner, factors.replace('_', &format!("{inner}x"))),
    )
}

fn stationary_points(random: &mut ChaCha8Rng) -> Posed {
    let (p, q) = two_different(random, -12, 12);
    // Half of the leading coefficient, so that those of the cubic with f' = 6a(x - p)(x - q) are whole.
    let half = nonzero(random, 5);
    let cubic = [2 * half, -3 * half * (p + q), 6 * half * p * q, nonzero(random, 20)];
    Posed::new(
        format!(
            "At which values of x does f(x) = {} have its stationary points? List them, the \
             smallest first, separated by a comma.",
            polynomial(&cubic)
        ),
        format!("{}, {}", p.min(q), p.max(q)),
    )
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, polynomial_at, verify, whole_numbers};

    /// What a statement says between two of its words.
    fn between<'a>(statement: &'a str, before: &str, after: &str) -> &'a str {
        let (_, rest) = statement.split_once(before).unwrap();
        rest.split_once(after).unwrap().0
    }

    /// The slope at `x`, from four points nearby.
    fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
        let h = 1e-3;
        let across = |h: f64| f(x + h) - f(x - h);
        (8.0 * across(h) - across(2.0 * h)) / (12.0 * h)
    }

    fn alike(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs()))
    }

    /// A number times functions of whole multiples of x, as in `-6sec(2x)^2`.
    fn product_at(text: &str, x: f64) -> f64 {
        let start = text.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        let number: f64 = text[..start].parse().unwrap();
        let mut value = number;
        let mut last = 1.0;
        for part in text[start..].split_inclusive(')') {
            let part = match part.strip_prefix("^2") {
                Some(rest) => {
                    value *= last;
                    rest
                }
                None => part,
            };
            let Some((name, argument)) = part.split_once('(') else { continue };
            let angle = argument.trim_end_matches("x)").parse::<f64>().unwrap() * x;
            last = match name {
                "sin" => angle.sin(),
                "cos" => angle.cos(),
                "tan" => angle.tan(),
                "cot" => 1.0 / angle.tan(),
                "sec" => 1.0 / angle.cos(),
                "csc" => 1.0 / angle.sin(),
                _ => panic!("{name}"),
            };
            value *= last;
        }
        value
    }

    #[test]
    fn every_kind_is_right_by_numbers_alone() {
        verify(
            KINDS,
            // Simpson's rule, which is exact for quadratics.
            &[("definite_integral", |n, integral| {
                let (a, b, c) = (n[0] as f64, n[2] as f64, n[3] as f64);
                let (low, high) = (n[4] as f64, n[5] as f64);
                let at = |x: f64| (a * x + b) * x + c;
                let weighted = at(low) + 4.0 * at(f64::midpoint(low, high)) + at(high);
                near(integral, weighted * (high - low) / 6.0)
            })],
            &[
                ("power_rule_differentiation", |statement, derivative| {
                    let given = between(statement, "Differentiate ", " with");
                    [-0.9, 0.4, 1.1].into_iter().all(|x| {
                        alike(slope(|x| polynomial_at(given, x), x), polynomial_at(derivative, x))
                    })
                }),
                ("power_rule_integration", |statement, integral| {
                    let given = between(statement, "Integrate ", " with");
                    polynomial_at(integral, 0.0) == 0.0
                        && [-0.9, 0.4, 1.1].into_iter().all(|x| {
                            alike(slope(|x| polynomial_at(integral, x), x), polynomial_at(given, x))
                        })
                }),
                ("trig_differentiation", |statement, derivative| {
                    let given = between(statement, "Differentiate ", " with");
                    let multiple = whole_numbers(given)[1] as f64;
                    [0.5, 1.2, 2.5].into_iter().all(|angle| {
                        let x = angle / multiple;
                        // In units of the argument, where the function has no large powers.
                        let f = |angle: f64| product_at(given, angle / multiple);
                        alike(slope(f, angle) * multiple, product_at(derivative, x))
                    })
                }),
                ("stationary_points", |statement, answer| {
                    let given = between(statement, "f(x) = ", " have");
                    let points = whole_numbers(answer);
                    points.len() == 2
                        && points[0] < points[1]
                        && points
                            .iter()
                            .all(|&x| slope(|x| polynomial_at(given, x), x as f64).abs() < 1e-4)
                }),
            ],
        );
    }
}
