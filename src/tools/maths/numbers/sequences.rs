//! Progressions, means, norms and a distribution.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{listed, nonzero, until_some};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "arithmetic_progression_term",
        "AP Term Calculation",
        arithmetic_progression_term,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "arithmetic_progression_sum",
        "AP Sum Calculation",
        arithmetic_progression_sum,
    ),
    Kind::new(
        TOPIC,
        Form::Tuple,
        "geometric_progression",
        "Geometric Progression",
        geometric_progression,
    ),
    Kind::new(TOPIC, Form::Number, "geometric_mean", "Geometric Mean of N Numbers", geometric_mean),
    Kind::new(TOPIC, Form::Number, "harmonic_mean", "Harmonic Mean of N Numbers", harmonic_mean),
    Kind::new(
        TOPIC,
        Form::Number,
        "euclidian_norm",
        "Euclidian norm or L2 norm of a vector",
        euclidian_norm,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "binomial_distribution",
        "Binomial distribution",
        binomial_distribution,
    ),
];

fn arithmetic_progression_term(random: &mut ChaCha8Rng) -> Posed {
    let Progression { first, step, count } = Progression::draw(random);
    Posed::new(
        format!(
            "What is term number {count} of the arithmetic progression {first}, {}, {} and so on?",
            first + step,
            first + 2 * step
        ),
        first + (count - 1) * step,
    )
}

fn arithmetic_progression_sum(random: &mut ChaCha8Rng) -> Posed {
    let Progression { first, step, count } = Progression::draw(random);
    Posed::new(
        format!(
            "What is the sum of the first {count} terms of the arithmetic progression {first}, {}, \
             {} and so on?",
            first + step,
            first + 2 * step
        ),
        count * (2 * first + (count - 1) * step) / 2,
    )
}

struct Progression {
    first: i64,
    step: i64,
    count: i64,
}

impl Progression {
    /// Rising and positive, so that no term and no sum is 0.
    fn draw(random: &mut ChaCha8Rng) -> Self {
        Self {
            first: random.random_range(1..=100),
            step: random.random_range(1..=50),
            count: random.random_range(5..=60),
        }
    }
}

fn geometric_progression(random: &mut ChaCha8Rng) -> Posed {
    let (first, ratio) = (random.random_range(2..=20_i64), random.random_range(2..=9_i64));
    let (place, count) = (random.random_range(5..=8), random.random_range(4..=8));
    let term = |place: u32| first * ratio.pow(place - 1);
    Posed::new(
        format!(
            "The geometric progression {first}, {}, {} and so on: what are its common ratio, its \
             term number {place} and the sum of its first {count} terms? Answer in the form \
             (ratio, term, sum).",
            term(2),
            term(3)
        ),
        format!("({ratio}, {}, {})", term(place), (1..=count).map(term).sum::<i64>()),
    )
}

fn geometric_mean(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let numbers = several(random);
        let product: i64 = numbers.iter().product();
        let mean = decimal::clear((product as f64).powf(1.0 / numbers.len() as f64))?;
        let question = format!("What is the geometric mean of {}?", listed(&numbers));
        Some(Posed::rounded(question, mean))
    })
}

fn harmonic_mean(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let numbers = several(random);
        let reciprocals: f64 = numbers.iter().map(|number| 1.0 / *number as f64).sum();
        let mean = decimal::clear(numbers.len() as f64 / reciprocals)?;
        let question = format!("What is the harmonic mean of {}?", listed(&numbers));
        Some(Posed::rounded(question, mean))
    })
}

/// Two to four positive numbers.
fn several(random: &mut ChaCha8Rng) -> Vec<i64> {
    (0..random.random_range(2..=4)).map(|_| random.random_range(1..=100)).collect()
}

fn euclidian_norm(random: &mut ChaCha8Rng) -> Posed {
    let entries: Vec<i64> = (0..random.random_range(3..=6)).map(|_| nonzero(random, 100)).collect();
    let square: i64 = entries.iter().map(|entry| entry * entry).sum();
    let written: Vec<String> = entries.iter().map(i64::to_string).collect();
    Posed::rounded(
        format!("What is the Euclidean norm of the vector ({})?", written.join(", ")),
        decimal::root(square.unsigned_abs()),
    )
}

fn binomial_distribution(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let percent = random.random_range(5..=60);
        let (batch, most) = (random.random_range(6..=20), random.random_range(1..=4));
        let rejected = f64::from(percent) / 100.0;
        // Ways to pick k out of a batch grow by (n - k) / (k + 1).
        let mut ways = 1.0;
        let mut probability = 0.0;
        for k in 0..=most {
            probability += ways * rejected.powi(k) * (1.0 - rejected).powi(batch - k);
            ways *= f64::from(batch - k) / f64::from(k + 1);
        }
        let answer = decimal::clear(100.0 * probability)?;
        // The certain and the impossible are no question.
        (0.005..0.995).contains(&probability).then(|| {
            Posed::rounded(
                format!(
                    "A manufacturer of pistons rejects {percent} percent of them on average. What \
                     is the probability, in percent, that a batch of {batch} pistons contains no \
                     more than {most} rejected ones?"
                ),
                answer,
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// The terms by adding up, from the first two terms of the statement.
    fn terms(n: &[i64]) -> impl Iterator<Item = i64> {
        assert_eq!(n[2] - n[1], n[3] - n[2], "the three terms are evenly spaced");
        let (first, step) = (n[1], n[2] - n[1]);
        std::iter::successors(Some(first), move |term| Some(term + step))
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("arithmetic_progression_term", |n, term| {
                    terms(n).nth(n[0] as usize - 1) == Some(term as i64)
                }),
                ("arithmetic_progression_sum", |n, sum| {
                    terms(n).take(n[0] as usize).sum::<i64>() == sum as i64
                }),
                ("geometric_mean", |n, mean| {
                    let logarithms: f64 = n.iter().map(|number| (*number as f64).ln()).sum();
                    near(mean, (logarithms / n.len() as f64).exp())
                }),
                // By the products of all numbers but one.
                ("harmonic_mean", |n, mean| {
                    let product: i64 = n.iter().product();
                    let others: i64 = n.iter().map(|number| product / number).sum();
                    near(mean, (n.len() as i64 * product) as f64 / others as f64)
                }),
                ("euclidian_norm", |n, norm| {
                    near(norm, n.iter().fold(0.0, |norm: f64, entry| norm.hypot(*entry as f64)))
                }),
                // By adding one piston after the other.
                ("binomial_distribution", |n, percent| {
                    let rejected = n[0] as f64 / 100.0;
                    let mut chances = vec![0.0; n[1] as usize + 1];
                    chances[0] = 1.0;
                    for _ in 0..n[1] {
                        for k in (0..chances.len()).rev() {
                            let fewer = if k > 0 { chances[k - 1] } else { 0.0 };
                            chances[k] = chances[k] * (1.0 - rejected) + fewer * rejected;
                        }
                    }
                    near(percent, 100.0 * chances.iter().take(n[2] as usize + 1).sum::<f64>())
                }),
            ],
            &[("geometric_progression", |statement, answer| {
                let (n, found) = (whole_numbers(statement), whole_numbers(answer));
                let (ratio, rest) = (n[1] / n[0], n[2] % n[1] + n[1] % n[0]);
                let terms: Vec<i64> =
                    std::iter::successors(Some(n[0]), |term| Some(term * ratio)).take(8).collect();
                let sum = terms.iter().take(n[4] as usize).sum();
                rest == 0 && n[2] == terms[2] && found == [ratio, terms[n[3] as usize - 1], sum]
            })],
        );
    }
}
