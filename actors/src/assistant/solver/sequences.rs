//! Whole numbers: divisors, primes, counting, progressions.

use super::numbers::{gcd, listed};
use super::words::said;
use super::{Kind, Problem};

/// No number is taken apart that is larger.
const LARGEST: i128 = 1_000_000_000;
/// No progression or factorial goes further.
const FURTHEST: i128 = 150;

pub(super) const KINDS: &[Kind] = &[
    Kind { begins: "greatest common divisor of ", solve: greatest },
    Kind { begins: "highest common factor of ", solve: greatest },
    Kind { begins: "greatest common factor of ", solve: greatest },
    Kind {
        begins: "least common multiple of ",
        solve: |p| {
            let lcm =
                |a: i128, b: &i128| (a / gcd(a, *b).max(1)).checked_mul(*b).filter(|n| *n > 0);
            p.whole_list()?.iter().try_fold(1, lcm).map(|n| n.to_string())
        },
    },
    Kind {
        begins: "all common positive factors of ",
        solve: |p| divisors(p.whole_list()?.into_iter().fold(0, gcd)).map(|all| listed(&all)),
    },
    Kind {
        begins: "all positive factors of ",
        solve: |p| divisors(only(p)?).map(|all| listed(&all)),
    },
    Kind {
        begins: "prime factorisation of ",
        solve: |p| prime_factors(only(p)?).map(|all| listed(&all)),
    },
    Kind {
        begins: "is ",
        solve: |p| {
            let prime = || Some(prime_factors(only(p)?)?.len() == 1);
            if p.rest.contains("a prime number") {
                return prime().map(said);
            }
            let asked = p.rest.contains("a composite number");
            asked.then(prime).flatten().map(|prime| said(!prime && only(p) > Some(1)))
        },
    },
    Kind { begins: "factorial of ", solve: |p| product(1, only(p)?) },
    Kind {
        begins: "in how many ways can ",
        solve: |p| match p.whole()?[..] {
            [taken, all] if (0..=all).contains(&taken) && all <= FURTHEST => {
                if p.rest.contains("does not matter") {
                    choose(all, taken)
                } else if p.rest.contains("put in a row") {
                    product(all - taken + 1, all)
                } else {
                    None
                }
            }
            _ => None,
        },
    },
    Kind {
        begins: "what are the first ",
        solve: |p| {
            p.rest.contains("fibonacci sequence that begins with 0 and 1").then_some(())?;
            let count = usize::try_from(*p.whole()?.first()?).ok()?;
            Some(listed(fibonacci(count)?.get(..count)?))
        },
    },
    Kind {
        begins: "which number is at place ",
        solve: |p| {
            p.rest.contains("the first two numbers are both one").then_some(())?;
            let place = usize::try_from(only(p)?).ok()?;
            fibonacci(place + 1)?.get(place).map(ToString::to_string)
        },
    },
    Kind {
        begins: "what is the sum of the first ",
        solve: |p| match p.whole()?[..] {
            [count, a, b, _] if arithmetic(p) => {
                Some((count * (2 * a + (count - 1) * (b - a)) / 2).to_string())
            }
            _ => None,
        },
    },
    Kind {
        begins: "what is term number ",
        solve: |p| match p.whole()?[..] {
            [place, a, b, _] if arithmetic(p) => Some((a + (place - 1) * (b - a)).to_string()),
            _ => None,
        },
    },
    Kind {
        begins: "the geometric progression ",
        solve: |p| match p.whole()?[..] {
            [a, b, _, place, count] if a != 0 && b % a == 0 => {
                let ratio = b / a;
                let term = |n: i128| ratio.checked_pow(u32::try_from(n - 1).ok()?)?.checked_mul(a);
                (1..=FURTHEST).contains(&count).then_some(())?;
                let sum = (1..=count).try_fold(0_i128, |sum, n| sum.checked_add(term(n)?))?;
                Some(format!("({ratio}, {}, {sum})", term(place)?))
            }
            _ => None,
        },
    },
];

/// Whether it is about such a progression, of numbers whose products are no larger than they can be.
fn arithmetic(p: &Problem<'_>) -> bool {
    let small = |number: &f64| number.abs() <= 1e9;
    p.rest.contains("arithmetic progression") && p.numbers.all().iter().all(small)
}

/// The one whole number of a problem.
fn only(p: &Problem<'_>) -> Option<i128> {
    match p.whole()?[..] {
        [number] => Some(number),
        _ => None,
    }
}

fn greatest(p: &Problem<'_>) -> Option<String> {
    let numbers = p.whole_list().filter(|numbers| numbers.len() > 1)?;
    Some(numbers.into_iter().fold(0, gcd).to_string())
}

fn divisors(number: i128) -> Option<Vec<i128>> {
    (1..=1_000_000).contains(&number).then_some(())?;
    Some((1..=number).filter(|by| number % by == 0).collect())
}

fn prime_factors(number: i128) -> Option<Vec<i128>> {
    (1..=LARGEST).contains(&number).then_some(())?;
    let (mut rest, mut by, mut factors) = (number, 2, Vec::new());
    while by * by <= rest {
        if rest % by == 0 {
            factors.push(by);
            rest /= by;
        } else {
            by += 1;
        }
    }
    if rest > 1 {
        factors.push(rest);
    }
    Some(factors)
}

/// The product of all whole numbers from one to the other.
fn product(from: i128, to: i128) -> Option<String> {
    (0..=FURTHEST).contains(&to).then_some(())?;
    (from.max(1)..=to).try_fold(1_i128, i128::checked_mul).map(|n| n.to_string())
}

fn choose(all: i128, taken: i128) -> Option<String> {
    let step = |ways: i128, n: i128| ways.checked_mul(all - n + 1).map(|ways| ways / n);
    (1..=taken.min(all - taken)).try_fold(1, step).map(|ways| ways.to_string())
}

/// The first numbers of the sequence 0, 1, 1, 2; not many more than so many.
fn fibonacci(count: usize) -> Option<Vec<i128>> {
    (1..=FURTHEST as usize).contains(&count).then_some(())?;
    let mut all = vec![0, 1];
    while let [.., a, b] = all[..]
        && all.len() < count
    {
        all.push(a + b);
    }
    Some(all)
}
