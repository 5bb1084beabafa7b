//! Counting and averaging.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::decimal;
use super::kind::{Form, Kind, Posed};

const TOPIC: &str = "statistics";

pub(super) const KINDS: &[Kind] = &[
    Kind::new(TOPIC, Form::Number, "combinations", "Combinations of Objects", combinations),
    Kind::new(TOPIC, Form::Number, "permutation", "Permutations", permutation),
    Kind::new(TOPIC, Form::Number, "mean", "Mean of a list", mean),
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

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify};

    /// Pascal's triangle, row by row.
    fn pascal(objects: usize, chosen: usize) -> i64 {
        let mut row = vec![1_i64];
        for _ in 0..objects {
            let inner = row.windows(2).map(|pair| pair[0] + pair[1]);
            row = [1].into_iter().chain(inner).chain([1]).collect();
        }
        row[chosen]
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
            ],
            &[],
        );
    }
}
