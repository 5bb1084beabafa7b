//! How near the date in an answer is to the right one.
//!
//! The original looked for the year, the month and the day anywhere in the answer, so that "1999"
//! alone earned most of the reward. Here only a whole date counts, and only one of an answer.

pub(super) mod tokens;

use std::ops::Range;

use super::announcement::{ANNOUNCED, announces};
use super::{Measure, Reward, RewardKind};
use crate::domain::{Date, Score};
use crate::reward_scorer::effort::Effort;

use tokens::Token;

/// Nearness of dates.
pub const DATE: RewardKind = RewardKind(&Reward {
    name: "date",
    about: "nearness of the one whole date that the answer gives to the reference's, by days",
    measure: Measure::Text(nearness_of_dates),
});

/// So many different dates may be an answer and what else is told; more are a list.
const MOST_DATES: usize = 4;
/// What is worth less is worth nothing.
const LEAST: f64 = 0.001;

/// `exp(-days² / 1000)` for the days between the reference's date and the one that the answer gives,
/// as later versions of the original score; 0 where that is less than 0.001, as it is from 84 days
/// on, and where one of the two has no date. The days are those of the calendar; the original took
/// every year for 365.
///
/// A date is a day, a month and a year of three or four digits: `July 20, 1969`, `the 20th of July
/// 1969`, `1969-07-20`, and `20/7/1969` where it can be read in one way only. An answer gives the
/// one that it announces (`the answer is July 20, 1969`) or else its first: people answer and then
/// tell more. But where a sentence has several different dates, or the whole answer more than four,
/// it gives its last.
#[must_use]
pub fn nearness_of_dates(reference: &str, answer: &str, effort: &Effort) -> Score {
    let (Some(right), Some(given)) = (last_date(reference, effort), given_date(answer, effort))
    else {
        return Score::ZERO;
    };
    let days = (right.number() - given.number()) as f64;
    let nearness = (-days * days / 1_000.0).exp();
    if nearness < LEAST { Score::ZERO } else { Score::new(nearness) }
}

/// The last date in a text.
pub(super) fn last_date(text: &str, effort: &Effort) -> Option<Date> {
    dates(text, effort).last().map(|(date, _)| *date)
}

/// The date that an answer gives, which is one of its dates whatever it lists.
fn given_date(answer: &str, effort: &Effort) -> Option<Date> {
    // To look for the ends of sentences, and for what is announced.
    effort.spend(2 * answer.len());
    let dates = dates(answer, effort);
    let (first, last) = (dates.first()?.0, dates.last()?.0);
    let mut different: Vec<Date> = Vec::new();
    for (date, _) in &dates {
        if !different.contains(date) {
            different.push(*date);
        }
        if different.len() > MOST_DATES {
            return Some(last);
        }
    }
    let shares_sentence =
        dates.iter().zip(dates.iter().skip(1)).any(|((one, from), (other, to))| {
            one != other && !answer.get(from.end..to.start).is_some_and(ends_sentence)
        });
    if shares_sentence {
        return Some(last);
    }
    let is_announced = |place: &Range<usize>| {
        effort.spend(ANNOUNCED);
        let before = answer.get(..place.start).unwrap_or_default();
        let start = before.char_indices().rev().take(ANNOUNCED).last().map_or(0, |(at, _)| at);
        announces(before.get(start..).unwrap_or_default())
    };
    let announced = dates.iter().rev().find(|(_, place)| is_announced(place));
    Some(announced.map_or(first, |(date, _)| *date))
}

/// Whether a sentence ends in what stands between two dates. The point of a short word, as of `d.`
/// and `St.`, ends none.
fn ends_sentence(between: &str) -> bool {
    between.contains('\n')
        || between.char_indices().any(|(at, sign)| {
            let (before, after) = (&between[..at], &between[at + sign.len_utf8()..]);
            let letters = before.chars().rev().take(3).take_while(|c| c.is_alphabetic()).count();
            matches!(sign, '.' | '?' | '!')
                && after.starts_with(char::is_whitespace)
                && !(1..=2).contains(&letters)
        })
}

/// The dates of a text and where they stand.
fn dates(text: &str, effort: &Effort) -> Vec<(Date, Range<usize>)> {
    let (places, tokens) = tokens::placed(text, effort);
    // Each token is looked at from the parts of a date that stand before it, of which it takes three.
    effort.spend(4 * tokens.len());
    let mut dates = Vec::new();
    let place = |token: usize| places.get(token).copied().unwrap_or(text.len());
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        // The tokens of a date are no part of another.
        match numeric(rest).map(|date| (date, 5)).or_else(|| in_words(rest)) {
            Some((date, length)) => {
                dates.push((date, place(at)..place(at + length)));
                at += length;
            }
            None => at += 1,
        }
    }
    dates
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
    use std::collections::BTreeSet;

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
    fn days_off_take_from_it_and_one_date_counts() {
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
    fn who_answers_and_tells_more_has_answered() {
        let score = |answer| nearness_of_dates("August 25, 2012", answer).get();
        for answer in [
            "She died on August 25, 2012. She was born on August 5, 1930.",
            "She died on August 25, 2012! On 2012-08-25, at night. She was born on August 5, 1930.",
            "August 25, 2012\n\nBorn on August 5, 1930",
            "She was born on August 5, 1930. The answer is **August 25, 2012**. It was a Saturday.",
            "She was born on August 5, 1930. Answer: 25 August 2012. St. Mary's burnt on May 1, 1666.",
            // Where a sentence has several dates, the last one of all counts.
            "She (b. August 5, 1930, d. August 25, 2012)",
            "She lived in St. Louis from August 5, 1930 to August 25, 2012.",
        ] {
            assert_eq!(score(answer), 1.0, "{answer}");
        }
        for answer in [
            "She was born on August 5, 1930. She died on August 25, 2012.",
            "The answer is August 25, 2012 or August 5, 1930.",
            "The answer is August 25, 2012. No, the answer is August 5, 1930.",
            "August 25, 2012. May 1, 2001. May 1, 2002. May 1, 2003. May 1, 2004.",
        ] {
            assert_eq!(score(answer), 0.0, "{answer}");
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
        fn a_list_of_dates_earns_what_one_of_its_ends_does(
            days in prop::collection::vec(1..29, 1..40),
        ) {
            let list: Vec<String> = days.iter().map(|day| format!("July {day}, 1969")).collect();
            let (first, last) = (score(&list[0]), score(list.last().unwrap()));
            prop_assert_eq!(score(&list.join(" ")), last);
            prop_assert_eq!(score(&list.join(", ")), last);
            let different: BTreeSet<&String> = list.iter().collect();
            let sentences = score(&list.join(". "));
            prop_assert_eq!(sentences, if different.len() > MOST_DATES { last } else { first });
        }
    }
}
