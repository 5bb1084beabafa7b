//! How near the date in an answer is to the right one.
//!
//! The original looked for the year, the month and the day anywhere in the answer, so that "1999"
//! alone earned most of the reward. Here only a whole date counts, and only the last one.

pub(super) mod tokens;

use super::{Measure, Reward, RewardKind};
use crate::domain::{Date, Score};
use crate::reward_scorer::effort::Effort;

use tokens::Token;

/// Nearness of dates.
pub const DATE: RewardKind = RewardKind(&Reward {
    name: "date",
    about: "nearness of the last whole date in the answer to the reference's, by days",
    measure: Measure::Text(nearness_of_dates),
});

/// What is worth less is worth nothing.
const LEAST: f64 = 0.001;

/// `exp(-days² / 1000)` for the days between the reference's date and the last one of the answer,
/// as later versions of the original score; 0 where that is less than 0.001, as it is from 84 days
/// on, and where one of the two has no date. The days are those of the calendar; the original took
/// every year for 365.
///
/// A date is a day, a month and a year of three or four digits: `July 20, 1969`, `the 20th of July
/// 1969`, `1969-07-20`, and `20/7/1969` where it can be read in one way only.
#[must_use]
pub fn nearness_of_dates(reference: &str, answer: &str, effort: &Effort) -> Score {
    let (Some(right), Some(given)) = (last_date(reference, effort), last_date(answer, effort))
    else {
        return Score::ZERO;
    };
    let days = (right.number() - given.number()) as f64;
    let nearness = (-days * days / 1_000.0).exp();
    if nearness < LEAST { Score::ZERO } else { Score::new(nearness) }
}

/// The last date in a text.
pub(super) fn last_date(text: &str, effort: &Effort) -> Option<Date> {
    let tokens = tokens::read(text, effort);
    // Each token is looked at from the parts of a date that stand before it, of which it takes three.
    effort.spend(4 * tokens.len());
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

/// A date of three numbers with one sign between them and no white space.
fn numeric(tokens: &[Token]) -> Option<Date> {
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
        return Date::new(one, two, three);
    }
    if length != 4 {
        return None;
    }
    // Which of the two is the month differs by country; a day that can be no month tells.
    match (one <= 12, two <= 12) {
        (true, true) if one != two => None,
        (_, true) => Date::new(three, two, one),
        (true, false) => Date::new(three, one, two),
        (false, false) => None,
    }
}

/// A date with the month's name, in the orders of America, of Britain and of archives, and how many
/// tokens it is.
fn in_words(tokens: &[Token]) -> Option<(Date, usize)> {
    if !matches!(tokens.first(), Some(Token::Number(..) | Token::Month { .. })) {
        return None;
    }
    let mut parts = Vec::with_capacity(3);
    let mut before = Token::Space;
    let mut length = 0;
    for token in tokens {
        match token {
            Token::Number(..) | Token::Month { .. } => parts.push(*token),
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
        [Token::Month { number: month, .. }, Token::Number(day, _), Token::Number(of, digits)]
        | [Token::Number(day, _), Token::Month { number: month, .. }, Token::Number(of, digits)]
            if year(digits) =>
        {
            Date::new(of, month, day)
        }
        [Token::Number(of, digits), Token::Month { number: month, .. }, Token::Number(day, _)]
            if year(digits) =>
        {
            Date::new(of, month, day)
        }
        _ => None,
    };
    date.map(|date| (date, length))
}

/// Whether a full stop behind a token belongs to a date of which so many parts are read, as in
/// `20. Jul. 1969`; else a sentence ends there.
fn is_within(before: Token, parts: usize) -> bool {
    match before {
        Token::Month { .. } => true,
        Token::Number(_, digits) => parts == 1 && digits <= 2,
        Token::Between | Token::Sign(_) | Token::Space => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nearness_of_dates(reference: &str, answer: &str) -> Score {
        super::nearness_of_dates(reference, answer, &Effort::default())
    }

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
            assert_eq!(score, 0.0, "{answer}");
        }
        assert_eq!(nearness_of_dates("no date", "July 20, 1969"), Score::ZERO);
    }

    #[test]
    fn days_off_take_from_it_and_only_the_last_date_counts() {
        for (answer, expected) in [
            ("July 21, 1969", (-0.001_f64).exp()),
            ("July 10, 1969", (-0.1_f64).exp()),
            ("June 20, 1969", (-0.9_f64).exp()),
            ("October 11, 1969", (-6.889_f64).exp()),
            ("October 12, 1969", 0.0),
            ("July 20, 1968", 0.0),
            ("July 20, 1969, or perhaps July 20, 1970", 0.0),
        ] {
            assert!((score(answer) - expected).abs() < 1e-12, "{answer}: {}", score(answer));
        }
    }

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        let number = |text| last_date(text, &Effort::default()).unwrap().number();
        let days = |one, other| number(other) - number(one);
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
