//! Ways to draw the operands of a problem.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The first attempt that comes to something. An attempt fails seldom, so this ends soon.
pub(super) fn until_some<T>(
    random: &mut ChaCha8Rng,
    attempt: impl Fn(&mut ChaCha8Rng) -> Option<T>,
) -> T {
    loop {
        if let Some(drawn) = attempt(random) {
            return drawn;
        }
    }
}

/// A number in `-most..=most`, but not 0.
pub(super) fn nonzero(random: &mut ChaCha8Rng, most: i64) -> i64 {
    let size = random.random_range(1..=most);
    if random.random() { size } else { -size }
}

/// Two different numbers in `least..=most`.
pub(super) fn two_different(random: &mut ChaCha8Rng, least: i64, most: i64) -> (i64, i64) {
    let (a, b) = (random.random_range(least..=most), random.random_range(least..most));
    (a, if b >= a { b + 1 } else { b })
}

/// Numbers as a list for people: `3, 4 and 5`.
pub(super) fn listed(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}
