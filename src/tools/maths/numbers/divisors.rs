//! Divisors and multiples.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::draw::until_some;
use crate::tools::maths::exact::common_divisor;
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "gcd", "GCD (Greatest Common Divisor)", gcd),
    Kind::new(TOPIC, Form::Number, "hcf", "HCF (Highest Common Factor)", hcf),
    Kind::new(TOPIC, Form::Number, "lcm", "LCM (Least Common Multiple)", lcm),
    Kind::new(TOPIC, Form::List, "factors", "Factors of a number", factors),
    Kind::new(TOPIC, Form::List, "common_factors", "Common Factors", common_factors),
    Kind::new(TOPIC, Form::List, "prime_factors", "Prime Factorisation", prime_factors),
];

fn gcd(random: &mut ChaCha8Rng) -> Posed {
    let common = random.random_range(2..=30);
    let (a, b) = (common * random.random_range(1..=30), common * random.random_range(1..=30));
    Posed::new(format!("What is the greatest common divisor of {a} and {b}?"), common_divisor(a, b))
}

fn hcf(random: &mut ChaCha8Rng) -> Posed {
    let common = random.random_range(2..=30);
    let [a, b, c] = std::array::from_fn(|_| common * random.random_range(1..=20));
    Posed::new(
        format!("What is the highest common factor of {a}, {b} and {c}?"),
        common_divisor(common_divisor(a, b), c),
    )
}

fn lcm(random: &mut ChaCha8Rng) -> Posed {
    let (a, b) = (random.random_range(2..=60), random.random_range(2..=60));
    Posed::new(
        format!("What is the least common multiple of {a} and {b}?"),
        a / common_divisor(a, b) * b,
    )
}

fn factors(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let number = random.random_range(12..=1000);
        let factors = divisors(number);
        // Those of a prime are no question.
        (factors.len() > 2).then(|| {
            Posed::new(
                format!(
                    "What are all positive factors of {number}? List them smallest first, \
                     separated by commas."
                ),
                comma_separated(&factors),
            )
        })
    })
}

fn common_factors(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let common = random.random_range(4..=60);
        let (a, b) = (common * random.random_range(1..=12), common * random.random_range(1..=12));
        let shared = divisors(common_divisor(a, b));
        // Those of one number alone would be another kind.
        (a != b && shared.len() > 2).then(|| {
            Posed::new(
                format!(
                    "What are all common positive factors of {a} and {b}? List them smallest \
                     first, separated by commas."
                ),
                comma_separated(&shared),
            )
        })
    })
}

fn prime_factors(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let number = random.random_range(12..=1500);
        let (mut rest, mut primes) = (number, Vec::new());
        for divisor in 2..=number {
            while rest % divisor == 0 {
                primes.push(divisor);
                rest /= divisor;
            }
        }
        (primes.len() > 1).then(|| {
            Posed::new(
                format!(
                    "What is the prime factorisation of {number}? List the prime factors smallest \
                     first, separated by commas, each as often as it divides the number."
                ),
                comma_separated(&primes),
            )
        })
    })
}

/// The positive divisors, smallest first.
fn divisors(number: i64) -> Vec<i64> {
    (1..=number).filter(|divisor| number % divisor == 0).collect()
}

fn comma_separated(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{verify, whole_numbers};

    /// Divisors in pairs, up to the square root.
    fn paired_divisors(number: i64) -> Vec<i64> {
        let roots = (1..).take_while(|small| small * small <= number);
        let pairs = roots.filter(|small| number % small == 0);
        let mut found: Vec<i64> = pairs.flat_map(|small| [small, number / small]).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn is_greatest_divisor(numbers: &[i64], answer: f64) -> bool {
        let divides_all = |d: &i64| numbers.iter().all(|number| number % d == 0);
        (1..=numbers[0]).rev().find(divides_all) == Some(answer as i64)
    }

    #[test]
    fn every_kind_is_right_by_trial() {
        verify(
            KINDS,
            &[
                ("gcd", is_greatest_divisor),
                ("hcf", is_greatest_divisor),
                ("lcm", |n, answer| {
                    (1..).map(|k| k * n[0]).find(|m| m % n[1] == 0) == Some(answer as i64)
                }),
            ],
            &[
                ("factors", |statement, answer| {
                    whole_numbers(answer) == paired_divisors(whole_numbers(statement)[0])
                }),
                ("common_factors", |statement, answer| {
                    let n = whole_numbers(statement);
                    let mut shared = paired_divisors(n[0]);
                    shared.retain(|divisor| n[1] % divisor == 0);
                    whole_numbers(answer) == shared
                }),
                ("prime_factors", |statement, answer| {
                    let primes = whole_numbers(answer);
                    primes.iter().product::<i64>() == whole_numbers(statement)[0]
                        && primes.is_sorted()
                        && primes.iter().all(|prime| paired_divisors(*prime) == [1, *prime])
                }),
            ],
        );
    }
}
