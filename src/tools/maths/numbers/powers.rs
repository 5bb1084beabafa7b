//! Powers and roots, signs, and the complex plane.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{nonzero, two_different, until_some};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "quotient_of_power_same_base",
        "Quotient of Powers with Same Base",
        quotient_of_power_same_base,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "quotient_of_power_same_power",
        "Quotient of Powers with Same Power",
        quotient_of_power_same_power,
    ),
    Kind::new(TOPIC, Form::Number, "signum_function", "signum function", signum_function),
    Kind::new(TOPIC, Form::Number, "complex_to_polar", "Complex To Polar Form", complex_to_polar),
    Kind::new(
        TOPIC,
        Form::Number,
        "product_of_scientific_notations",
        "Product of scientific notations",
        product_of_scientific_notations,
    ),
    Kind::new(TOPIC, Form::Word, "surds_comparison", "Comparing surds", surds_comparison),
];

fn quotient_of_power_same_base(random: &mut ChaCha8Rng) -> Posed {
    let base = random.random_range(2..=50_i64);
    let (lower, more) = (random.random_range(2..=9), random.random_range(2..=4));
    Posed::new(
        format!("What is {base}^{} divided by {base}^{lower}? Answer with a number.", lower + more),
        base.pow(more),
    )
}

fn quotient_of_power_same_power(random: &mut ChaCha8Rng) -> Posed {
    let (below, factor) = (random.random_range(2..=20_i64), random.random_range(2..=12_i64));
    let exponent = random.random_range(2..=6);
    Posed::new(
        format!(
            "What is {}^{exponent} divided by {below}^{exponent}? Answer with a number.",
            below * factor
        ),
        factor.pow(exponent),
    )
}

fn signum_function(random: &mut ChaCha8Rng) -> Posed {
    // Different factors, so that the sum is not 0.
    let (a, b) = two_different(random, 2, 30);
    let (p, q) = (nonzero(random, 999), nonzero(random, 999));
    Posed::new(
        format!("What is {a} sgn({p}) + {b} sgn({q}), where sgn is the signum function?"),
        a * p.signum() + b * q.signum(),
    )
}

fn complex_to_polar(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (real, imaginary) = (nonzero(random, 20), nonzero(random, 20));
        let argument = decimal::clear((imaginary as f64).atan2(real as f64))?;
        // What is written as i alone is no number to read off.
        (imaginary.abs() > 1).then(|| {
            let sign = if imaginary < 0 { '-' } else { '+' };
            let size = imaginary.unsigned_abs();
            Posed::rounded(
                format!(
                    "What is the argument of the complex number {real}{sign}{size}i, in radians \
                     between -pi and pi?"
                ),
                argument,
            )
        })
    })
}

fn product_of_scientific_notations(random: &mut ChaCha8Rng) -> Posed {
    let (tenths, whole) = (random.random_range(11..=99), random.random_range(2..=9));
    // The product is no small fraction, of which everything is near to 0.
    let second = nonzero(random, 24);
    let (first, second) = (random.random_range(30..=60), second + second.signum());
    let product = tenths * whole;
    let (hundredths, exponent) =
        if product >= 100 { (product, first + second + 1) } else { (product * 10, first + second) };
    Posed::new(
        format!(
            "What is {}.{} * 10^{first} times {whole} * 10^{second}? Answer exactly and in \
             scientific notation.",
            tenths / 10,
            tenths % 10
        ),
        format!("{}e{exponent}", decimal::exact_hundredths(hundredths)),
    )
}

fn surds_comparison(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (a, b) = two_different(random, 2, 100);
        let (p, q) = two_different(random, 2, 10);
        // a^(1/p) < b^(1/q) just if a^q < b^p; 100^10 fits.
        let (left, right) = (power(a, q), power(b, p));
        (left != right).then(|| {
            Posed::new(
                format!(
                    "Which of the symbols < and > belongs between {a}^(1/{p}) and {b}^(1/{q})?"
                ),
                if left < right { "<" } else { ">" },
            )
        })
    })
}

fn power(base: i64, exponent: i64) -> i128 {
    (0..exponent).fold(1, |power, _| power * i128::from(base))
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("quotient_of_power_same_base", |n, quotient| {
                    let power = |base: i64, exponent: i64| (base as f64).powi(exponent as i32);
                    n[0] == n[2]
                        && (quotient * power(n[2], n[3]) / power(n[0], n[1]) - 1.0).abs() < 1e-12
                }),
                ("quotient_of_power_same_power", |n, quotient| {
                    n[1] == n[3] && quotient == (n[0] as f64 / n[2] as f64).powi(n[1] as i32)
                }),
                ("signum_function", |n, value| {
                    let sign = |number: i64| number as f64 / number.abs() as f64;
                    value == n[0] as f64 * sign(n[1]) + n[2] as f64 * sign(n[3])
                }),
                ("complex_to_polar", |n, argument| {
                    let (real, imaginary) = (n[0] as f64, n[1] as f64);
                    let size = real.hypot(imaginary);
                    let exact = (real / size).acos().copysign(imaginary);
                    near(argument, exact)
                }),
                ("product_of_scientific_notations", |n, product| {
                    let first = (10 * n[0] + n[1]) as f64 / 10.0 * 10_f64.powi(n[3] as i32);
                    let second = n[4] as f64 * 10_f64.powi(n[6] as i32);
                    n[2] == 10 && n[5] == 10 && (first * second / product - 1.0).abs() < 1e-12
                }),
            ],
            &[("surds_comparison", |statement, answer| {
                let n = whole_numbers(statement);
                let root = |number: i64, of: i64| (number as f64).ln() / of as f64;
                let (left, right) = (root(n[0], n[2]), root(n[3], n[5]));
                (left - right).abs() > 1e-12 && (left < right) == (answer == "<")
            })],
        );
    }
}
