//! Everyday problems: shares, money, units, roots, and ways to write a number.

use super::numbers::{fraction, whole};
use super::{Kind, Problem};
use crate::text::roman::numeral;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        begins: "percentage difference between ",
        solve: |p| of(p, |[a, b]| 200.0 * (a - b).abs() / (a + b)),
    },
    Kind { begins: "absolute difference between ", solve: |p| of(p, |[a, b]| (a - b).abs()) },
    Kind {
        begins: "a value was observed as ",
        solve: |p| of(p, |[seen, exact]| 100.0 * (seen - exact).abs() / exact.abs()),
    },
    Kind {
        begins: "how many degrees fahrenheit are ",
        solve: |p| of(p, |[degrees]| degrees * 1.8 + 32.0),
    },
    Kind {
        begins: "something that costs ",
        solve: |p| of(p, |[cost, price]| 100.0 * (price - cost).abs() / cost),
    },
    Kind {
        begins: "how many dollars of simple interest do ",
        solve: |p| of(p, |[sum, rate, years]| sum * rate * years / 100.0),
    },
    Kind {
        begins: "a deposit of ",
        solve: |p| of(p, |[sum, rate, years]| sum * (1.0 + rate / 100.0).powf(years)),
    },
    Kind {
        begins: "how many hours and minutes are ",
        solve: |p| match p.whole()?.first()? {
            minutes if *minutes >= 0 => {
                Some(format!("{} hours, {} minutes", minutes / 60, minutes % 60))
            }
            _ => None,
        },
    },
    Kind {
        begins: "is the year ",
        solve: |p| {
            let year = *p.rest.contains("leap year").then(|| p.whole())??.first()?;
            Some(said(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
        },
    },
    Kind { begins: "square root of ", solve: |p| of(p, |[n]| n.sqrt()) },
    Kind { begins: "cube root of ", solve: |p| of(p, |[n]| n.cbrt()) },
    Kind { begins: "what is the square of ", solve: |p| of(p, |[n]| n * n) },
    Kind { begins: "what is the logarithm of ", solve: |p| of(p, |[n, base]| n.ln() / base.ln()) },
    Kind {
        begins: "remainder when ",
        solve: |p| match p.whole()?[..] {
            [a, b] if b > 0 => Some(a.rem_euclid(b).to_string()),
            _ => None,
        },
    },
    Kind {
        begins: "what is the fraction ",
        solve: |p| p.rest.contains("decimal").then(|| of(p, |[a, b]| a / b)).flatten(),
    },
    Kind {
        begins: "which of the symbols <, > and = belongs between ",
        solve: |p| match p.whole()?[..] {
            [a, b, c, d] if b > 0 && d > 0 => Some(order((a * d) as f64, (c * b) as f64)),
            _ => None,
        },
    },
    Kind {
        begins: "which of the symbols < and > belongs between ",
        solve: |p| match p.exactly()? {
            [a, one, b, c, other, d] if one == 1.0 && other == 1.0 && b > 0.0 && d > 0.0 => {
                Some(order(a.ln() / b, c.ln() / d))
            }
            _ => None,
        },
    },
    Kind { begins: "convert the number ", solve: between_bases },
    Kind { begins: "what is the binary number ", solve: |p| from_binary(p, 10, "") },
    Kind {
        begins: "write the binary number ",
        solve: |p| match p.rest.contains("hexadecimal") {
            true => from_binary(p, 16, "0x"),
            false => None,
        },
    },
    Kind { begins: "write the decimal number ", solve: from_decimal },
    Kind { begins: "write the number ", solve: roman },
    Kind { begins: "which decimal number is ", solve: from_coded },
    Kind { begins: "what is the one's complement of the ", solve: |p| complement(p, false) },
    Kind { begins: "what is the two's complement of the ", solve: |p| complement(p, true) },
    Kind { begins: "what is the probability that ", solve: dice },
];

fn of<const N: usize>(problem: &Problem<'_>, formula: impl Fn([f64; N]) -> f64) -> Option<String> {
    problem.shown(formula(problem.exactly()?))
}

pub(super) fn said(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn order(a: f64, b: f64) -> String {
    match a.total_cmp(&b) {
        std::cmp::Ordering::Less => "<",
        std::cmp::Ordering::Equal => "=",
        std::cmp::Ordering::Greater => ">",
    }
    .to_owned()
}

/// The first word of a text.
fn first(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

fn in_base(mut number: i128, base: u32) -> Option<String> {
    if number < 0 || !(2..=36).contains(&base) {
        return None;
    }
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % i128::from(base)).ok()?;
        digits.push(char::from_digit(digit, base)?);
        number /= i128::from(base);
        if number == 0 {
            return Some(digits.iter().rev().collect());
        }
    }
}

fn between_bases(p: &Problem<'_>) -> Option<String> {
    let words: Vec<&str> = p.rest.split([' ', '.', '?']).collect();
    let [digits, "from", "base", from, "to", "base", to, ..] = words[..] else { return None };
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    (2..=36).contains(&from).then_some(())?;
    let digits = digits.split('_').next()?;
    let number = i128::from_str_radix(digits, from).ok()?;
    Some(format!("{}_{to}", in_base(number, to)?.to_uppercase()))
}

fn from_binary(p: &Problem<'_>, base: u32, prefix: &str) -> Option<String> {
    let number = i128::from_str_radix(first(p.rest)?, 2).ok()?;
    Some(format!("{prefix}{}", in_base(number, base)?))
}

fn from_decimal(p: &Problem<'_>) -> Option<String> {
    let number: i128 = first(p.rest)?.parse().ok()?;
    if p.rest.contains("binary-coded") {
        let digits = number.to_string();
        let coded: String =
            digits.chars().filter_map(|c| c.to_digit(10)).map(|d| format!("{d:04b}")).collect();
        return Some(format!("0b{coded}"));
    }
    let bases = [("binary", 2, "0b"), ("octal", 8, "0o"), ("hexadecimal", 16, "0x")];
    let (_, base, prefix) = bases.into_iter().find(|(name, ..)| p.rest.contains(name))?;
    Some(format!("{prefix}{}", in_base(number, base)?))
}

fn roman(p: &Problem<'_>) -> Option<String> {
    let number = u32::try_from(*p.rest.contains("roman").then(|| p.whole())??.first()?).ok()?;
    (1..4_000).contains(&number).then(|| numeral(number))
}

fn from_coded(p: &Problem<'_>) -> Option<String> {
    let (coded, _) = p.rest.split_once(" in binary-coded")?;
    let digit = |four: &str| char::from_digit(u32::from_str_radix(four, 2).ok()?, 10);
    coded.split(' ').map(digit).collect()
}

fn complement(p: &Problem<'_>, of_two: bool) -> Option<String> {
    let (_, rest) = p.rest.split_once("bit binary number ")?;
    let bits = rest.split(['.', '?']).next()?.trim();
    let width = u32::try_from(bits.len()).ok().filter(|width| (1..=60).contains(width))?;
    let number = i128::from_str_radix(bits, 2).ok()?;
    let all = 1_i128 << width;
    let flipped = (all - 1 - number + i128::from(of_two)) % all;
    Some(format!("0b{flipped:0width$b}", width = bits.len()))
}

/// The chance of a sum of some dice.
fn dice(p: &Problem<'_>) -> Option<String> {
    p.rest.contains("fair dice with six faces show a sum of").then_some(())?;
    let [dice, sum] = p.exactly()?;
    let (dice, sum) = (usize::try_from(whole(dice)?).ok()?, usize::try_from(whole(sum)?).ok()?);
    (1..=20).contains(&dice).then_some(())?;
    let mut ways = vec![1_i128];
    for _ in 0..dice {
        let mut more = vec![0; ways.len() + 6];
        for (total, count) in ways.iter().enumerate() {
            for face in 1..=6 {
                *more.get_mut(total + face)? += count;
            }
        }
        ways = more;
    }
    fraction(ways.get(sum).copied().unwrap_or(0), 6_i128.pow(u32::try_from(dice).ok()?))
}
