//! Means, spreads and chances.

use super::numbers::{list, literal};
use super::{Kind, Problem};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        begins: "mean and the median of the numbers ",
        solve: |p| tuple(p, &[mean(&data(p)?), median(&data(p)?)]),
    },
    Kind {
        begins: "population standard deviation and the population variance of the data ",
        solve: |p| {
            let data = data(p)?;
            let variance = variance(&data);
            tuple(p, &[mean(&data), variance.sqrt(), variance])
        },
    },
    Kind {
        begins: "geometric mean of ",
        solve: |p| {
            let logs: Vec<f64> = data(p)?.iter().map(|number| number.ln()).collect();
            p.shown(mean(&logs).exp())
        },
    },
    Kind {
        begins: "harmonic mean of ",
        solve: |p| {
            let inverse: Vec<f64> = data(p)?.iter().map(|number| 1.0 / number).collect();
            p.shown(1.0 / mean(&inverse))
        },
    },
    Kind { begins: "what is the mean of ", solve: |p| p.shown(mean(&data(p)?)) },
    Kind { begins: "what is the average of ", solve: |p| p.shown(mean(&data(p)?)) },
    Kind { begins: "what is the median of ", solve: |p| p.shown(median(&data(p)?)) },
    Kind {
        begins: "confidence interval for the mean of the population from which the sample ",
        solve: |p| {
            let (sample, rest) = p.rest.split_once(" was drawn")?;
            let sample = list(sample)?;
            let z: f64 = literal(rest.split_once("z = ")?.1).parse().ok()?;
            let reach = z * (variance(&sample) / sample.len() as f64).sqrt();
            tuple(p, &[mean(&sample) - reach, mean(&sample) + reach])
        },
    },
    Kind {
        begins: "a manufacturer of pistons rejects ",
        solve: |p| {
            let [percent, all, most] = p.exactly()?;
            let part = percent / 100.0;
            let (mut chance, mut sum) = ((1.0 - part).powf(all), 0.0);
            (all <= 1_000.0 && most <= all).then_some(())?;
            let mut n = 0.0;
            while n <= most {
                sum += chance;
                chance *= (all - n) / (n + 1.0) * part / (1.0 - part);
                n += 1.0;
            }
            p.shown(100.0 * sum)
        },
    },
    Kind {
        begins: "of a population, ",
        solve: |p| {
            let [ill, found, cleared] = p.exactly()?;
            let right = ill * found;
            p.shown(100.0 * right / (right + (100.0 - ill) * (100.0 - cleared)))
        },
    },
];

fn data(p: &Problem<'_>) -> Option<Vec<f64>> {
    p.list().filter(|numbers| numbers.len() > 1)
}

fn tuple(p: &Problem<'_>, values: &[f64]) -> Option<String> {
    let shown: Option<Vec<String>> = values
        .iter()
        .map(|value| {
            // What is said of the rounding stands for all of them.
            super::numbers::shown(*value, p.rest)
        })
        .collect();
    Some(format!("({})", shown?.join(", ")))
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn variance(numbers: &[f64]) -> f64 {
    let mean = mean(numbers);
    numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / numbers.len() as f64
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
    f64::midpoint(at((sorted.len() - 1) / 2), at(sorted.len() / 2))
}
