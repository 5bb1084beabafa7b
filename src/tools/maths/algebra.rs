//! Equations, vectors and interest.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "algebra";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "basic_algebra", "Basic Algebra", basic_algebra),
    Kind::new(
        TOPIC,
        Form::Number,
        "system_of_equations",
        "System of Equations",
        system_of_equations,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "quadratic_discriminant",
        "Discriminant of a Quadratic Equation",
        quadratic_discriminant,
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
    Kind::new(TOPIC, Form::Number, "vector_dot", "Dot Product of 2 Vectors", vector_dot),
    Kind::new(
        TOPIC,
        Form::Number,
        "int_matrix_22_determinant",
        "Determinant to 2x2 Matrix",
        determinant,
    ),
    Kind::new(TOPIC, Form::Number, "log", "Logarithm", logarithm),
];

fn basic_algebra(random: &mut ChaCha8Rng) -> Posed {
    let slope = random.random_range(2..=12);
    let (x, offset) = (nonzero(random, 20), nonzero(random, 50));
    let right = slope * x + offset;
    Posed::new(format!("Solve the equation {slope}x {} = {right} for x.", signed(offset)), x)
}

fn system_of_equations(random: &mut ChaCha8Rng) -> Posed {
    let (x, y) = (nonzero(random, 12), nonzero(random, 12));
    let [a, b, c, d] = unimpaired(random, 2, 9);
    let (first, second) = (a * x + b * y, c * x + d * y);
    Posed::new(format!("Given {a}x + {b}y = {first} and {c}x + {d}y = {second}, what is x?"), x)
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

fn vector_dot(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c, d, e, f]: [i64; 6] = std::array::from_fn(|_| random.random_range(1..=20));
    Posed::new(
        format!("What is the dot product of the vectors ({a}, {b}, {c}) and ({d}, {e}, {f})?"),
        a * d + b * e + c * f,
    )
}

fn determinant(random: &mut ChaCha8Rng) -> Posed {
    let [a, b, c, d] = unimpaired(random, 1, 50);
    Posed::new(
        format!(
            "What is the determinant of the two by two matrix with the rows ({a}, {b}) and ({c}, {d})?"
        ),
        a * d - b * c,
    )
}

fn logarithm(random: &mut ChaCha8Rng) -> Posed {
    let (base, exponent) = (random.random_range(2_i64..=10), random.random_range(2..=8));
    let power = base.pow(exponent);
    Posed::new(format!("What is the logarithm of {power} to the base {base}?"), exponent)
}

/// A number in `-most..=most`, but not 0.
fn nonzero(random: &mut ChaCha8Rng, most: i64) -> i64 {
    let size = random.random_range(1..=most);
    if random.random() { size } else { -size }
}

/// The rows of a two by two matrix whose determinant is not 0.
fn unimpaired(random: &mut ChaCha8Rng, least: i64, most: i64) -> [i64; 4] {
    let [a, b, c, d] = std::array::from_fn(|_| random.random_range(least..=most));
    [a, b, c, if a * d == b * c { d + 1 } else { d }]
}

/// A term of a sum after the first.
fn signed(value: i64) -> String {
    let sign = if value < 0 { '-' } else { '+' };
    format!("{sign} {}", value.unsigned_abs())
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
                ("basic_algebra", |n, x| n[0] as f64 * x + n[1] as f64 == n[2] as f64),
                ("system_of_equations", |n, x| {
                    let y = (n[2] as f64 - n[0] as f64 * x) / n[1] as f64;
                    let unique = n[0] * n[4] != n[1] * n[3];
                    unique && (n[3] as f64 * x + n[4] as f64 * y - n[5] as f64).abs() < 1e-9
                }),
                // Numbers in between are the exponent and the right side; b² - Δ = 4ac.
                ("quadratic_discriminant", |n, discriminant| {
                    let (a, b, c) = (n[0] as f64, n[2] as f64, n[3] as f64);
                    n[1] == 2 && n[4] == 0 && (b * b - discriminant) / (4.0 * a) == c
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
                ("vector_dot", |n, product| {
                    (0..3).fold(product, |rest, i| rest - (n[i] * n[i + 3]) as f64) == 0.0
                }),
                // The signed area of the rows' parallelogram, by the shoelace formula.
                ("int_matrix_22_determinant", |n, area| {
                    let corners = [(0, 0), (n[0], n[1]), (n[0] + n[2], n[1] + n[3]), (n[2], n[3])];
                    let twice: i64 = (0..4)
                        .map(|i| (corners[i], corners[(i + 1) % 4]))
                        .map(|((x, y), (next_x, next_y))| x * next_y - next_x * y)
                        .sum();
                    area * 2.0 == twice as f64
                }),
                ("log", |n, exponent| {
                    (0..exponent as i64).fold(1, |power, _| power * n[1]) == n[0]
                }),
            ],
            &[],
        );
    }
}
