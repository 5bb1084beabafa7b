//! Counting, averaging and chances.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::draw::{listed, until_some};
use super::exact::Fraction;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "statistics";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "combinations", "Combinations of Objects", combinations),
    Kind::new(TOPIC, Form::Number, "permutation", "Permutations", permutation),
    Kind::new(TOPIC, Form::Number, "mean", "Mean of a list", mean),
    Kind::new(
        TOPIC,
        Form::Number,
        "conditional_probability",
        "Conditional Probability",
        conditional_probability,
    ),
    Kind::new(
        TOPIC,
        Form::Fraction,
        "dice_sum_probability",
        "Probability of a certain sum appearing on faces of dice",
        dice_sum_probability,
    ),
    Kind::new(
        TOPIC,
        Form::Tuple,
        "confidence_interval",
        "Confidence interval For sample S",
        confidence_interval,
    ),
    Kind::new(TOPIC, Form::Tuple, "mean_median", "Mean and Median", mean_median),
    Kind::new(TOPIC, Form::Tuple, "data_summary", "Mean,Standard Deviation,Variance", data_summary),
];

fn combinations(random: &mut ChaCha8Rng) -> Posed {
    let objects = random.random_range(5..=20_i64);
    let chosen = random.random_range(2..=objects - 2);
    let ways = (1..=chosen).fold(1, |ways, i| ways * (objects - chosen + i) / i);
    Posed::new(
        format!(
            "In how many ways can {chosen} objects be chosen from {objects} different objects, if \
             their order does not matter?"
        ),
        ways,
    )
}

fn permutation(random: &mut ChaCha8Rng) -> Posed {
    let objects = random.random_range(4..=12_i64);
    let chosen = random.random_range(2..=objects.min(6));
    let ways: i64 = (objects - chosen + 1..=objects).product();
    Posed::new(
        format!("In how many ways can {chosen} of {objects} different objects be put in a row?"),
        ways,
    )
}

fn mean(random: &mut ChaCha8Rng) -> Posed {
    // Of these counts none leads to half a hundredth, as 8 would.
    let count = random.random_range(3..=7_usize);
    let values: Vec<i64> = (0..count).map(|_| random.random_range(1..=200)).collect();
    let list: Vec<String> = values.iter().map(i64::to_string).collect();
    Posed::rounded(
        format!("What is the mean of the numbers {}?", list.join(", ")),
        decimal::ratio(values.iter().sum(), values.len() as i64),
    )
}

fn conditional_probability(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let ill = random.random_range(1..=20);
        let (found, cleared) = (random.random_range(80..=99), random.random_range(80..=99));
        let (right, wrong) = (ill * found, (100 - ill) * (100 - cleared));
        let percent = decimal::clear(f64::from(100 * right) / f64::from(right + wrong))?;
        Some(Posed::rounded(
            format!(
                "Of a population, {ill} percent have a disease. A test is positive for {found} \
                 percent of those who have it and negative for {cleared} percent of those who do \
                 not. What percentage of those who test positive have the disease?"
            ),
            percent,
        ))
    })
}

fn dice_sum_probability(random: &mut ChaCha8Rng) -> Posed {
    let dice = random.random_range(2..=4_usize);
    let sum = random.random_range(dice..=6 * dice);
    // In how many ways the dice so far make each sum.
    let ways = (0..dice).fold(vec![1_i64], |ways, _| {
        let reaching =
            |sum: usize| (1..=6).filter_map(|face| ways.get(sum.checked_sub(face)?)).sum();
        (0..ways.len() + 6).map(reaching).collect()
    });
    let outcomes = 6_i64.pow(dice as u32);
    Posed::new(
        format!(
            "What is the probability that {dice} fair dice with six faces show a sum of {sum}? Give \
             it as a reduced fraction a/b."
        ),
        Fraction::new(ways[sum], outcomes),
    )
}

fn confidence_interval(random: &mut ChaCha8Rng) -> Posed {
    /// How many percent of a normal distribution lie within so many deviations of its mean.
    const SCORES: [(i64, f64); 4] = [(80, 1.282), (90, 1.645), (95, 1.96), (99, 2.576)];
    until_some(random, |random| {
        let sample = Sample::draw(random, 8, 20, 300);
        let (percent, score) = SCORES[random.random_range(0..SCORES.len())];
        let margin = score * (sample.variance() / sample.count()).sqrt();
        Some(Posed::new(
            format!(
                "What is the {percent} percent confidence interval for the mean of the population from \
                 which the sample {} was drawn? Use z = {score}, and for the standard error the \
                 population standard deviation of the sample divided by the square root of its size. \
                 Answer as (low, high), each rounded to two decimals.",
                listed(&sample.values)
            ),
            format!(
                "({}, {})",
                decimal::clear(sample.mean() - margin)?,
                decimal::clear(sample.mean() + margin)?
            ),
        ))
    })
}

fn mean_median(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let sample = Sample::draw(random, 5, 10, 100);
        let mut sorted = sample.values.clone();
        sorted.sort_unstable();
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Posed::new(
            format!(
                "What are the mean and the median of the numbers {}? Answer as (mean, median), each \
                 rounded to two decimals.",
                listed(&sample.values)
            ),
            format!("({}, {})", decimal::clear(sample.mean())?, decimal::ratio(low + high, 2)),
        ))
    })
}

fn data_summary(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let sample = Sample::draw(random, 5, 15, 50);
        Some(Posed::new(
            format!(
                "What are the mean, the population standard deviation and the population variance \
                 of the data {}? Answer as (mean, standard deviation, variance), each rounded to \
                 two decimals.",
                listed(&sample.values)
            ),
            format!(
                "({}, {}, {})",
                decimal::clear(sample.mean())?,
                decimal::clear(sample.variance().sqrt())?,
                decimal::clear(sample.variance())?
            ),
        ))
    })
}

/// Numbers that are not all alike.
struct Sample {
    values: Vec<i64>,
}

impl Sample {
    fn draw(random: &mut ChaCha8Rng, least: usize, most: usize, largest: i64) -> Self {
        let count = random.random_range(least..=most);
        until_some(random, |random| {
            let values: Vec<i64> = (0..count).map(|_| random.random_range(1..=largest)).collect();
            values.iter().any(|value| *value != values[0]).then_some(Self { values })
        })
    }

    fn count(&self) -> f64 {
        self.values.len() as f64
    }

    fn mean(&self) -> f64 {
        self.values.iter().sum::<i64>() as f64 / self.count()
    }

    /// Of a whole population; from sums that are exact.
    fn variance(&self) -> f64 {
        let sum: i64 = self.values.iter().sum();
        let squares: i64 = self.values.iter().map(|value| value * value).sum();
        let scaled = self.values.len() as i64 * squares - sum * sum;
        scaled as f64 / (self.count() * self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{decimals, near, verify, whole_numbers};

    /// Pascal's triangle, row by row.
    fn pascal(objects: usize, chosen: usize) -> i64 {
        let mut row = vec![1_i64];
        for _ in 0..objects {
            let inner = row.windows(2).map(|pair| pair[0] + pair[1]);
            row = [1].into_iter().chain(inner).chain([1]).collect();
        }
        row[chosen]
    }

    /// By the deviations from the mean.
    fn variance(values: &[i64]) -> f64 {
        let mean = mean(values);
        let square = |&value: &i64| (value as f64 - mean).powi(2);
        values.iter().map(square).sum::<f64>() / values.len() as f64
    }

    fn mean(values: &[i64]) -> f64 {
        values.iter().map(|&value| value as f64 / values.len() as f64).sum()
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("combinations", |n, ways| pascal(n[1] as usize, n[0] as usize) == ways as i64),
                // Each choice can be ordered in `chosen!` ways.
                ("permutation", |n, ways| {
                    let orders: i64 = (1..=n[0]).product();
                    pascal(n[1] as usize, n[0] as usize) * orders == ways as i64
                }),
                // What is above the mean outweighs what is below it by nothing.
                ("mean", |n, mean| {
                    let excess: f64 = n.iter().map(|&value| value as f64 - mean).sum();
                    n.len() >= 3 && near(excess / n.len() as f64, 0.0)
                }),
                // Out of a million people.
                ("conditional_probability", |n, percent| {
                    let ill = 1_000_000 / 100 * n[0];
                    let found = ill as f64 * n[1] as f64 / 100.0;
                    let alarmed = (1_000_000 - ill) as f64 * (1.0 - n[2] as f64 / 100.0);
                    near(percent, 100.0 * found / (found + alarmed))
                }),
            ],
            &[
                // By going through every outcome.
                ("dice_sum_probability", |statement, answer| {
                    let n = whole_numbers(statement);
                    let outcomes = 6_i64.pow(n[0] as u32);
                    let shown = |outcome: i64| {
                        (0..n[0]).map(move |d| outcome / 6_i64.pow(d as u32) % 6 + 1)
                    };
                    let fit = (0..outcomes).filter(|&o| shown(o).sum::<i64>() == n[1]).count();
                    let [above, below] = whole_numbers(answer)[..] else { return false };
                    let reduced = (2..=below).all(|d| above % d != 0 || below % d != 0);
                    reduced && above * outcomes == fit as i64 * below
                }),
                ("confidence_interval", |statement, answer| {
                    let (sample, rest) = statement.split_once(" was drawn? Use z = ").unwrap();
                    let said = whole_numbers(sample);
                    let (percent, values) = said.split_first().unwrap();
                    let score = match percent {
                        80 => 1.282,
                        90 => 1.645,
                        95 => 1.96,
                        _ => 2.576,
                    };
                    let error = variance(values).sqrt() / (values.len() as f64).sqrt();
                    let [low, high] = decimals(answer)[..] else { return false };
                    rest.starts_with(&format!("{score}, "))
                        && near(low, mean(values) - score * error)
                        && near(high, mean(values) + score * error)
                }),
                ("mean_median", |statement, answer| {
                    let values = whole_numbers(statement);
                    let [average, median] = decimals(answer)[..] else { return false };
                    // As many are below the median as above it, and it is half way between them.
                    let below = values.iter().filter(|&&value| (value as f64) < median);
                    let above = values.iter().filter(|&&value| value as f64 > median);
                    let half = values.len() / 2;
                    let between = match (below.clone().max(), above.clone().min()) {
                        (Some(low), Some(high)) if below.clone().count() == half => {
                            values.len() % 2 == 1 || near(median, (low + high) as f64 / 2.0)
                        }
                        _ => values.iter().any(|&value| value as f64 == median),
                    };
                    near(average, mean(&values))
                        && below.count() <= half
                        && above.count() <= half
                        && between
                }),
                ("data_summary", |statement, answer| {
                    let values = whole_numbers(statement);
                    let [average, deviation, square] = decimals(answer)[..] else { return false };
                    near(average, mean(&values))
                        && near(square, variance(&values))
                        && near(deviation, variance(&values).sqrt())
                }),
            ],
        );
    }
}
