//! Linear equations, lines and points, logarithms, and interest.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{TOPIC, signed};
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{nonzero, until_some};
use crate::tools::maths::exact::Fraction;
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "basic_algebra", "Basic Algebra", basic_algebra),
    Kind::new(TOPIC, Form::Number, "log", "Logarithm", logarithm),
    Kind::new(
        TOPIC,
        Form::Number,
        "system_of_equations",
        "System of Equations",
        system_of_equations,
    ),
    Kind::new(TOPIC, Form::Tuple, "linear_equations", "Linear Equations", linear_equations),
    Kind::new(
        TOPIC,
        Form::Tuple,
        "intersection_of_two_lines",
        "Intersection of Two Lines",
        intersection_of_two_lines,
    ),
    Kind::new(
        TOPIC,
        Form::Tuple,
        "midpoint_of_two_points",
        "Midpoint of the two point",
        midpoint_of_two_points,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "distance_two_points",
        "Distance between 2 points",
        distance_two_points,
    ),
    Kind::new(TOPIC, Form::Number, "simple_interest", "Simple Interest", simple_interest),
    Kind::new(TOPIC, Form::Number, "compound_interest", "Compound Interest", compound_interest),
];

fn basic_algebra(random: &mut ChaCha8Rng) -> Posed {
    let slope = random.random_range(2..=12);
    let (x, offset) = (nonzero(random, 20), nonzero(random, 50));
    let right = slope * x + offset;
    Posed::new(format!("Solve the equation {slope}x {} = {right} for x.", signed(offset)), x)
}

fn logarithm(random: &mut ChaCha8Rng) -> Posed {
    let (base, exponent) = (random.random_range(2_i64..=10), random.random_range(2..=8));
    let power = base.pow(exponent);
    Posed::new(format!("What is the logarithm of {power} to the base {base}?"), exponent)
}

fn system_of_equations(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (nonzero(random, 12), nonzero(random, 12));
    let [a, b, c, d] = independent(random, 9);
    let (first, second) = (a * x + b * y, c * x + d * y);
    Posed::new(
        format!(
            "Given {a}x {}y = {first} and {c}x {}y = {second}, what is x?",
            signed(b),
            signed(d)
        ),
        x,
    )
}

fn linear_equations(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (nonzero(random, 20), nonzero(random, 20));
    let [a, b, c, d] = independent(random, 20);
    let (first, second) = (a * x + b * y, c * x + d * y);
    Posed::new(
        format!(
            "Given the equations {a}x {}y = {first} and {c}x {}y = {second}, solve for x and y. \
             Answer in the form (x, y).",
            signed(b),
            signed(d)
        ),
        format!("({x}, {y})"),
    )
}

fn intersection_of_two_lines(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let [first, second] = [slope(random), slope(random)];
        let (above, below) = (nonzero(random, 10), nonzero(random, 10));
        let steeper = first - second;
        if steeper.numerator() == 0 || above == below {
            return None;
        }
        let x = Fraction::from(below - above) / steeper;
        let y = first * x + above.into();
        let (b, d) = (signed(above), signed(below));
        Some(Posed::new(
            format!(
                "At which point do the lines y = ({first})x {b} and y = ({second})x {d} intersect? \
                 Answer in the form (x, y), with reduced fractions where a coordinate is not whole."
            ),
            format!("({x}, {y})"),
        ))
    })
}

/// A reduced fraction that is not whole.
fn slope(random: &mut ChaCha8Rng) -> Fraction {
    until_some(random, |random| {
        let slope = Fraction::new(nonzero(random, 10), random.random_range(2..=6));
        (slope.denominator() > 1).then_some(slope)
    })
}

fn midpoint_of_two_points(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c, d] = std::array::from_fn(|_| nonzero(random, 50));
    let half = |sum: i64| decimal::exact_hundredths(50 * sum);
    Posed::new(
        format!(
            "What is the midpoint of the points ({a}, {b}) and ({c}, {d})? Answer in the form \
             (x, y), with decimals where a coordinate is not whole."
        ),
        format!("({}, {})", half(a + c), half(b + d)),
    )
}

fn distance_two_points(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (random.random_range(-20_i64..=20), random.random_range(-20_i64..=20));
    let (across, up) = (nonzero(random, 20), nonzero(random, 20));
    let square = (across * across + up * up).unsigned_abs();
    Posed::rounded(
        format!(
            "What is the distance between the points ({x}, {y}) and ({}, {})?",
            x + across,
            y + up
        ),
        decimal::root(square),
    )
}

fn simple_interest(random: &mut ChaCha8Rng) -> Posed {
    let principal = random.random_range(100..=10_000);
    let (rate, years) = (random.random_range(1..=10), random.random_range(2..=10));
    Posed::new(
        format!(
            "How many dollars of simple interest do {principal} dollars earn at {rate} percent a \
             year over {years} years?"
        ),
        decimal::exact_hundredths(principal * rate * years),
    )
}

fn compound_interest(random: &mut ChaCha8Rng) -> Posed {
    // With tens of thousands and at most three years the amount is a whole number of hundredths.
    let principal = 10_000 * random.random_range(1_i64..=9);
    let (rate, years) = (random.random_range(1_i64..=10), random.random_range(2_u32..=3));
    let amount = principal * 100 * (100 + rate).pow(years) / 100_i64.pow(years);
    Posed::rounded(
        format!(
            "A deposit of {principal} dollars earns {rate} percent interest a year, which is added \
             to it at the end of each year. How many dollars is it after {years} years?"
        ),
        decimal::hundredths(amount),
    )
}

/// The coefficients of two equations in x and y that have one solution. None is 0, 1 or -1, so
/// that every one is written.
fn independent(random: &mut ChaCha8Rng, most: i64) -> [i64; 4] {
    until_some(random, |random| {
        let [a, b, c, d] =
            std::array::from_fn(|_| nonzero(random, most - 1)).map(|n: i64| n + n.signum());
        (a * d != b * c).then_some([a, b, c, d])
    })
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// The parts of `(a/b, c)` as decimals.
    fn coordinates(answer: &str) -> Option<[f64; 2]> {
        let (x, y) = answer.strip_prefix('(')?.strip_suffix(')')?.split_once(", ")?;
        let value = |text: &str| match text.split_once('/') {
            Some((a, b)) => Some(a.parse::<f64>().ok()? / b.parse::<f64>().ok()?),
            None => text.parse().ok(),
        };
        Some([value(x)?, value(y)?])
    }

    fn solves(n: &[i64], [x, y]: [f64; 2]) -> bool {
        let fits = |a: i64, b: i64, right: i64| a as f64 * x + b as f64 * y == right as f64;
        n[0] * n[4] != n[1] * n[3] && fits(n[0], n[1], n[2]) && fits(n[3], n[4], n[5])
    }

    #[test]
    fn every_kind_is_right_when_it_is_worked_backwards() {
        verify(
            KINDS,
            &[
                ("basic_algebra", |n, x| n[0] as f64 * x + n[1] as f64 == n[2] as f64),
                ("log", |n, exponent| {
                    (0..exponent as i64).fold(1, |power, _| power * n[1]) == n[0]
                }),
                ("system_of_equations", |n, x| {
                    let y = (n[2] as f64 - n[0] as f64 * x) / n[1] as f64;
                    solves(n, [x, y.round()]) && (y - y.round()).abs() < 1e-9
                }),
                ("distance_two_points", |n, distance| {
                    near(distance, ((n[0] - n[2]) as f64).hypot((n[1] - n[3]) as f64))
                }),
                ("simple_interest", |n, interest| {
                    let yearly = n[0] as f64 * n[1] as f64 / 100.0;
                    near(interest, (0..n[2]).map(|_| yearly).sum())
                }),
                ("compound_interest", |n, amount| {
                    let grow = |amount: f64, _| amount + amount * n[1] as f64 / 100.0;
                    (amount - (0..n[2]).fold(n[0] as f64, grow)).abs() < 1e-6
                }),
            ],
            &[
                ("linear_equations", |statement, answer| {
                    coordinates(answer)
                        .is_some_and(|point| solves(&whole_numbers(statement), point))
                }),
                ("intersection_of_two_lines", |statement, answer| {
                    let n = whole_numbers(statement);
                    let is_on = |[x, y]: [f64; 2], line: &[i64]| {
                        (line[0] as f64 / line[1] as f64 * x + line[2] as f64 - y).abs() < 1e-9
                    };
                    coordinates(answer).is_some_and(|point| {
                        n[0] * n[4] != n[1] * n[3] && is_on(point, &n[..3]) && is_on(point, &n[3..])
                    })
                }),
                ("midpoint_of_two_points", |statement, answer| {
                    let n = whole_numbers(statement);
                    coordinates(answer).is_some_and(|[x, y]| {
                        x - n[0] as f64 == n[2] as f64 - x && y - n[1] as f64 == n[3] as f64 - y
                    })
                }),
            ],
        );
    }
}
