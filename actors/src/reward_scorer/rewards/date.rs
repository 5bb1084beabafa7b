//! How near the date in an answer is to the right one.
//!
//! The original looked for the year, the month and the day anywhere in the answer, so that "1999"
//! alone earned most of the reward. Here only a whole date counts, and only the last one.

use super::{Measure, Reward, RewardKind};
use crate::domain::{Date, Score};

/// Nearness of dates.
pub const DATE: RewardKind = RewardKind(&Reward {
    name: "date",
    about: "nearness of the last whole date in the answer to the reference's, by days",
    measure: Measure::Text(|reference, completion, _| nearness_of_dates(reference, completion)),
});

/// Words that stand between the parts of a date.
const BETWEEN: [&str; 6] = ["of", "the", "st", "nd", "rd", "th"];

/// `exp(-days² / 1000)` for the days between the reference's date and the last one of the answer,
/// as later versions of the original score; 0 where one of the two has no date.
///
/// A date is a day, a month and a year of three or four digits: `July 20, 1969`, `the 20th of July
/// 1969`, `1969-07-20`, and `20/7/1969` where it can be read in one way only.
#[must_use]
pub fn nearness_of_dates(reference: &str, answer: &str) -> Score {
    let (Some(right), Some(given)) = (last_date(reference), last_date(answer)) else {
        return Score::ZERO;
    };
    let days = (right - given) as f64;
    Score::new((-days * days / 1_000.0).exp())
}

/// The last date in a text, as a number of days.
fn last_date(text: &str) -> Option<i64> {
    let tokens = read(text);
    let mut last = None;
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        // The tokens of a date are no part of another.
        match numeric(rest).map(|date| (date, 5)).or_else(|| in_words(rest)) {
            Some((date, length)) => {
                last = Some(date);
                at += length;
            }
            None => at += 1,
        }
    }
    last
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    /// A run of digits, and how many they are.
    Number(u32, usize),
    /// A month, in full, by its first three letters, or as `sept`.
    Month(u32),
    /// What may stand between the parts of a date in words.
    Between,
    /// Any other sign; `x` for any other word.
    Sign(char),
    /// White space; a date in digits does not run over it.
    Space,
}

fn read(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |letter: char| match first {
            first if first.is_ascii_digit() => letter.is_ascii_digit(),
            first if first.is_alphabetic() => letter.is_alphabetic(),
            first if first.is_whitespace() => letter.is_whitespace(),
            _ => false,
        };
        let length = rest.find(|letter| !same(letter)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(length);
        tokens.push(match first {
            first if first.is_ascii_digit() => {
                Token::Number(word.parse().unwrap_or(u32::MAX), word.len())
            }
            first if first.is_whitespace() => Token::Space,
            first if first.is_alphabetic() => word_of_date(word),
            sign => Token::Sign(sign),
        });
        rest = after;
    }
    tokens
}

fn word_of_date(word: &str) -> Token {
    // No month and no word between is longer; what is need not be copied.
    if word.len() > 9 {
        return Token::Sign('x');
    }
    let word = word.to_lowercase();
    let names = |month: &str| {
        let start = month.get(..word.len());
        let is_whole_or_short = [month.len(), 3].contains(&word.len()) || word == "sept";
        is_whole_or_short && start.is_some_and(|start| start.eq_ignore_ascii_case(&word))
    };
    match (1..).zip(Date::MONTHS).find(|(_, month)| names(month)) {
        Some((number, _)) => Token::Month(number),
        None if BETWEEN.contains(&word.as_str()) => Token::Between,
        None => Token::Sign('x'),
    }
}

/// A date of three numbers with one sign between them and no white space.
fn numeric(tokens: &[Token]) -> Option<i64> {
    let &[
        Token::Number(one, long),
        Token::Sign(sign @ ('-' | '/' | '.')),
        Token::Number(two, _),
        Token::Sign(other),
        Token::Number(three, length),
        ..,
    ] = tokens
    else {
        return None;
    };
    if sign != other {
        return None;
    }
    if long == 4 {
        return day_number(one, two, three);
    }
    if length != 4 {
        return None;
    }
    // Which of the two is the month differs by country; a day that can be no month tells.
    match (one <= 12, two <= 12) {
        (true, true) if one != two => None,
        (_, true) => day_number(three, two, one),
        (true, false) => day_number(three, one, two),
        (false, false) => None,
    }
}

/// A date with the month's name, in the orders of America, of Britain and of archives, and how many
/// tokens it is.
fn in_words(tokens: &[Token]) -> Option<(i64, usize)> {
    if !matches!(tokens.first(), Some(Token::Number(..) | Token::Month(_))) {
        return None;
    }
    let mut parts = Vec::with_capacity(3);
    let mut before = Token::Space;
    let mut length = 0;
    for token in tokens {
        match token {
            Token::Number(..) | Token::Month(_) => parts.push(*token),
            Token::Sign('.') if !is_within(before, parts.len()) => break,
            Token::Sign(',' | '.') | Token::Between | Token::Space => {}
            Token::Sign(_) => break,
        }
        before = *token;
        length += 1;
        if parts.len() == 3 {
            break;
        }
    }
    let year = |digits: usize| (3..=4).contains(&digits);
    let date = match *parts.as_slice() {
        [Token::Month(month), Token::Number(day, _), Token::Number(of, digits)]
        | [Token::Number(day, _), Token::Month(month), Token::Number(of, digits)]
            if year(digits) =>
        {
            day_number(of, month, day)
        }
        [Token::Number(of, digits), Token::Month(month), Token::Number(day, _)] if year(digits) => {
            day_number(of, month, day)
        }
        _ => None,
    };
    date.map(|date| (date, length))
}

/// Whether a full stop behind a token belongs to a date of which so many parts are read, as in
/// `20. Jul. 1969`; else a sentence ends there.
fn is_within(before: Token, parts: usize) -> bool {
    match before {
        Token::Month(_) => true,
        Token::Number(_, digits) => parts == 1 && digits <= 2,
        Token::Between | Token::Sign(_) | Token::Space => false,
    }
}

/// The number of a day that the calendar has.
fn day_number(year: u32, month: u32, day: u32) -> Option<i64> {
    Date::new(year, month, day).map(Date::number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(answer: &str) -> f64 {
        nearness_of_dates("July 20, 1969", answer).get()
    }

    #[test]
    fn a_date_counts_however_it_is_written() {
        for answer in [
            "July 20, 1969",
            "It was on 20 July 1969.",
            "on the 20th of July, 1969, in the evening",
            "Jul. 20th 1969",
            "JULY 20 1969",
            "1969-07-20",
            "1969/7/20",
            "20.7.1969",
            "7/20/1969",
            "20/07/1969",
            "1969 July 20",
            "20. Jul. 1969",
            "July 20, 1969. May 5 is a holiday.",
            "It was on 20 July 1969. 2 May is a holiday.",
            "1969-07-20. May 5 is a holiday.",
            "Sunday, July 20, 1969 at 20:17:40 UTC (5 pm in Brazil)",
            "Not on May 1, 1970 but on July 20, 1969.",
        ] {
            assert_eq!(score(answer), 1.0, "{answer}");
        }
        assert_eq!(nearness_of_dates("4 September 476", "Sept 4, 476").get(), 1.0);
        assert_eq!(nearness_of_dates("3/3/2001", "3 March 2001").get(), 1.0);
    }

    #[test]
    fn what_is_no_whole_date_earns_nothing() {
        for answer in [
            "",
            "1969",
            "July 1969",
            "20 July",
            "July 20, 69",
            "7/8/1969",
            "31 June 1969",
            "1969-13-20",
            "20 7 1969",
            "0 1 2 3 4 5 6 7 8 9 10 20 1969",
            "January February March April May June July August September October November December \
             20 1969 and all other months",
            "July. It was 1969. No: 20",
            "1969-07/20",
            "It was in 1969. July 20 is a holiday.",
            "It was on July 20. 1969 was a good year.",
            "99999999999-07-20",
        ] {
            let score = score(answer);
            let listed = answer.starts_with("January");
            assert!(if listed { score < 0.01 } else { score == 0.0 }, "{answer}: {score}");
        }
        assert_eq!(nearness_of_dates("no date", "July 20, 1969"), Score::ZERO);
    }

    #[test]
    fn days_off_take_from_it_and_only_the_last_date_counts() {
        for (answer, expected) in [
            ("July 21, 1969", (-0.001_f64).exp()),
            ("July 10, 1969", (-0.1_f64).exp()),
            ("June 20, 1969", (-0.9_f64).exp()),
            ("July 20, 1968", 0.0),
            ("July 20, 1969, or perhaps July 20, 1970", 0.0),
        ] {
            assert!((score(answer) - expected).abs() < 1e-9, "{answer}: {}", score(answer));
        }
    }

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        let days = |one: &str, other: &str| last_date(other).unwrap() - last_date(one).unwrap();
        assert_eq!(days("1969-07-20", "1969-07-21"), 1);
        assert_eq!(days("1999-12-31", "2000-03-01"), 61);
        assert_eq!(days("1899-12-31", "1900-03-01"), 60);
        assert_eq!(days("1970-01-01", "2000-01-01"), 10_957);
        assert_eq!(days("0001-01-01", "1970-01-01"), 719_162);
    }

    proptest! {
        #[test]
        fn a_list_of_dates_earns_what_its_last_does(days in prop::collection::vec(1..29, 1..40)) {
            let list: Vec<String> = days.iter().map(|day| format!("July {day}, 1969")).collect();
            prop_assert_eq!(score(&list.join(" ")), score(list.last().unwrap()));
        }
    }
}
