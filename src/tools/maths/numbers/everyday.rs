//! Temperatures, trade, time, sets, and ways to write numbers.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::text::roman::numeral;

use super::TOPIC;
use crate::tools::maths::decimal;
use crate::tools::maths::draw::{two_different, until_some};
use crate::tools::maths::kind::{Form, Kind, Posed};

pub(in crate::tools::maths) const KINDS: &[Kind] = &[
    Kind::new(
        TOPIC,
        Form::Number,
        "celsius_to_fahrenheit",
        "Celsius To Fahrenheit",
        celsius_to_fahrenheit,
    ),
    Kind::new(
        TOPIC,
        Form::Number,
        "profit_loss_percent",
        "Profit or Loss Percent",
        profit_loss_percent,
    ),
    Kind::new(TOPIC, Form::Text, "minutes_to_hours", "Minute to Hour conversion", minutes_to_hours),
    Kind::new(TOPIC, Form::Word, "is_leap_year", "Leap Year or Not", is_leap_year),
    Kind::new(
        TOPIC,
        Form::Word,
        "decimal_to_roman_numerals",
        "Converts decimal to Roman Numerals",
        decimal_to_roman_numerals,
    ),
    Kind::new(TOPIC, Form::Word, "base_conversion", "Base Conversion", base_conversion),
    Kind::new(
        TOPIC,
        Form::Set,
        "set_operation",
        "Union,Intersection,Difference of Two Sets",
        set_operation,
    ),
];

fn celsius_to_fahrenheit(random: &mut ChaCha8Rng) -> Posed {
    let celsius = random.random_range(-50..=100);
    Posed::new(
        format!("How many degrees Fahrenheit are {celsius} degrees Celsius?"),
        decimal::exact_hundredths(celsius * 180 + 3200),
    )
}

fn profit_loss_percent(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (cost, price) = two_different(random, 50, 1000);
        let outcome = if price > cost { "profit" } else { "loss" };
        let percent = decimal::clear(100.0 * cost.abs_diff(price) as f64 / cost as f64)?;
        Some(Posed::rounded(
            format!(
                "Something that costs {cost} dollars is sold for {price} dollars. How many percent of the \
                 cost is the {outcome}?"
            ),
            percent,
        ))
    })
}

fn minutes_to_hours(random: &mut ChaCha8Rng) -> Posed {
    // Never one of either, which would be no plural.
    let (hours, minutes) = (random.random_range(2..=40), random.random_range(2..=59));
    Posed::new(
        format!(
            "How many hours and minutes are {} minutes? Answer in the form h hours, m minutes, \
             with m below 60.",
            60 * hours + minutes
        ),
        format!("{hours} hours, {minutes} minutes"),
    )
}

fn is_leap_year(random: &mut ChaCha8Rng) -> Posed {
    // A century every third time: the rule for them is the hard part.
    let year = if random.random_ratio(1, 3) {
        100 * random.random_range(16..=40)
    } else {
        4 * random.random_range(400..=1000) + if random.random_ratio(2, 5) { 2 } else { 0 }
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Posed::new(
        format!("Is the year {year} a leap year of the Gregorian calendar? Answer yes or no."),
        if is_leap { "yes" } else { "no" },
    )
}

fn decimal_to_roman_numerals(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let number = random.random_range(11..=3999);
        let roman = numeral(number);
        // A single letter stands in any sentence.
        (roman.len() > 1).then(|| {
            Posed::new(format!("Write the number {number} in Roman numerals."), roman.as_str())
        })
    })
}

fn base_conversion(random: &mut ChaCha8Rng) -> Posed {
    let number = random.random_range(500..=60_000);
    let (from, to) = two_different(random, 2, 16);
    let (from, to) = (from.unsigned_abs() as u32, to.unsigned_abs() as u32);
    Posed::new(
        format!("Convert the number {} from base {from} to base {to}.", in_base(number, from)),
        // The base keeps it from being taken for a decimal number.
        format!("{}_{to}", in_base(number, to)),
    )
}

/// A number's digits, from 10 on as capital letters.
fn in_base(mut number: u32, base: u32) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.extend(char::from_digit(number % base, base));
        number /= base;
    }
    digits.iter().rev().map(char::to_ascii_uppercase).collect()
}

fn set_operation(random: &mut ChaCha8Rng) -> Posed {
    until_some(random, |random| {
        let (a, b) = (set(random), set(random));
        let (operation, result): (_, BTreeSet<i64>) = match random.random_range(0..5) {
            0 => ("the union of A and B", &a | &b),
            1 => ("the intersection of A and B", &a & &b),
            2 => ("the difference A - B", &a - &b),
            3 => ("the difference B - A", &b - &a),
            _ => ("the symmetric difference of A and B", &a ^ &b),
        };
        // Neither empty nor one of the two.
        (!result.is_empty() && result != a && result != b).then(|| {
            Posed::new(
                format!(
                    "What is {operation} for the sets A = {} and B = {}? Answer in the same form.",
                    written(&a),
                    written(&b)
                ),
                written(&result),
            )
        })
    })
}

fn set(random: &mut ChaCha8Rng) -> BTreeSet<i64> {
    (0..random.random_range(4..=7)).map(|_| random.random_range(1..=15)).collect()
}

/// `{1, 4, 9}`.
fn written(set: &BTreeSet<i64>) -> String {
    let elements: Vec<String> = set.iter().map(i64::to_string).collect();
    format!("{{{}}}", elements.join(", "))
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::tools::maths::check::{near, verify, whole_numbers};

    /// The value of a Roman numeral: a smaller letter before a greater one is subtracted.
    fn roman(numeral: &str) -> i64 {
        let value = |letter| match letter {
            'I' => 1,
            'V' => 5,
            'X' => 10,
            'L' => 50,
            'C' => 100,
            'D' => 500,
            _ => 1000,
        };
        let (total, _) = numeral.chars().rev().map(value).fold((0, 0), |(total, after), value| {
            if value < after { (total - value, after) } else { (total + value, value) }
        });
        total
    }

    #[test]
    fn every_kind_is_right_by_another_route() {
        verify(
            KINDS,
            &[
                ("celsius_to_fahrenheit", |n, fahrenheit| {
                    ((fahrenheit - 32.0) / 1.8 - n[0] as f64).abs() < 1e-9
                }),
                ("profit_loss_percent", |n, percent| {
                    near(percent, 100.0 * (n[1] as f64 / n[0] as f64 - 1.0).abs())
                }),
            ],
            &[
                ("minutes_to_hours", |statement, answer| {
                    let (n, parts) = (whole_numbers(statement), whole_numbers(answer));
                    parts[1] < 60 && parts[0] * 60 + parts[1] == n[0]
                }),
                // Every 400 years have 97 of them, counted from the year 1.
                ("is_leap_year", |statement, answer| {
                    let days = |year: i64| 365 * year + year / 4 - year / 100 + year / 400;
                    let year = whole_numbers(statement)[0];
                    (days(year) - days(year - 1) == 366) == (answer == "yes")
                }),
                ("decimal_to_roman_numerals", |statement, answer| {
                    let has_four_alike =
                        "IXCM".chars().any(|c| answer.contains(&c.to_string().repeat(4)));
                    roman(answer) == whole_numbers(statement)[0] && !has_four_alike
                }),
                ("base_conversion", |statement, answer| {
                    let words: Vec<&str> = statement.trim_end_matches('.').split(' ').collect();
                    let (digits, base) = answer.split_once('_').unwrap();
                    let value = |digits: &str, base: &str| {
                        i64::from_str_radix(digits, base.parse().unwrap()).unwrap()
                    };
                    base == words[9] && value(digits, base) == value(words[3], words[6])
                }),
                ("set_operation", |statement, answer| {
                    let (question, sets) = statement.split_once("A = ").unwrap();
                    let (a, b) = sets.split_once("B = ").unwrap();
                    let (a, b) = (whole_numbers(a), whole_numbers(b));
                    let belongs = |element: &i64| {
                        let (in_a, in_b) = (a.contains(element), b.contains(element));
                        match question {
                            _ if question.contains("union") => in_a || in_b,
                            _ if question.contains("intersection") => in_a && in_b,
                            _ if question.contains("A - B") => in_a && !in_b,
                            _ if question.contains("B - A") => in_b && !in_a,
                            _ => in_a != in_b,
                        }
                    };
                    (1..=15).filter(belongs).collect::<Vec<_>>() == whole_numbers(answer)
                }),
            ],
        );
    }
}
