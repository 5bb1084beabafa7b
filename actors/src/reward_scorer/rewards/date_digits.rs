//! The digit rule of the original's 1.0.0: which parts of a date an answer has, wherever they stand.
//!
//! Not the default: a year alone earns half. Four things differ from the original. It looked for the
//! digits of day, month and year anywhere, so that `1999` held month 1; here a number is a whole run
//! of digits, and it stands for one part of the date, so that `3, 1999` lacks one of March 3, 1999. A
//! number may have zeros before it (`07`). A month may be named by its first three letters. And in
//! small letters the name of another month takes nothing, since `may` is a verb.

use super::date::last_date;
use super::date::tokens::{self, Token};
use super::{Measure, Reward, RewardKind};
use crate::domain::{Date, Score};
use crate::reward_scorer::effort::Effort;

/// Parts of a date.
pub const DATE_DIGITS: RewardKind = RewardKind(&Reward {
    name: "date_digits",
    about: "which of year, month and day of the reference the answer has; 0 if it has any other",
    measure: Measure::Text(parts_of_date),
});

const YEAR: f64 = 0.5;
const MONTH: f64 = 0.25;
const DAY: f64 = 0.25;

/// 1 less 0.5 if the reference's year is not in the answer, less 0.25 if its month is there neither
/// by name nor by number, less 0.25 if its day is not; 0 if there is any other number, or the name of
/// another month. A reference without a date scores 0.
#[must_use]
pub fn parts_of_date(reference: &str, answer: &str, effort: &Effort) -> Score {
    let Some(date) = last_date(reference, effort) else { return Score::ZERO };
    let tokens = tokens::read(answer, effort);
    effort.spend(tokens.len());
    match Parts::found(date, &tokens) {
        Some(parts) => parts.score(),
        None => Score::ZERO,
    }
}

/// What of a date is in an answer, and how often.
#[derive(Default)]
struct Parts {
    years: usize,
    names: usize,
    days: usize,
    months: usize,
    /// Numbers that may be the day or the month.
    either: usize,
}

impl Parts {
    /// None if there is anything of another date.
    fn found(date: Date, tokens: &[Token]) -> Option<Self> {
        let mut parts = Self::default();
        for token in tokens {
            match *token {
                Token::Number(year, 3..=4) if year == date.year() => parts.years += 1,
                Token::Number(number, 1..=2) => {
                    match (number == date.day(), number == date.month()) {
                        (true, true) => parts.either += 1,
                        (true, false) => parts.days += 1,
                        (false, true) => parts.months += 1,
                        (false, false) => return None,
                    }
                }
                Token::Number(..) => return None,
                Token::Month { number, .. } if number == date.month() => parts.names += 1,
                Token::Month { is_capital: true, .. } => return None,
                Token::Month { .. } | Token::Between | Token::Sign(_) | Token::Space => {}
            }
        }
        Some(parts)
    }

    fn score(&self) -> Score {
        let has_day = self.days + self.either > 0;
        let has_month = self.names + self.months > 0 || self.either > 1;
        let parts = [(self.years > 0, YEAR), (has_month, MONTH), (has_day, DAY)];
        Score::new(parts.iter().filter(|(is_there, _)| *is_there).map(|(_, worth)| worth).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(reference: &str, answer: &str) -> f64 {
        parts_of_date(reference, answer, &Effort::default()).get()
    }

    #[test]
    fn each_part_of_the_date_earns_its_share() {
        for (answer, expected) in [
            ("July 20, 1969", 1.0),
            ("It was on the 20th of July in 1969.", 1.0),
            ("1969-07-20", 1.0),
            ("20/7/1969", 1.0),
            ("In 1969, on a July day: the 20th", 1.0),
            ("Jul 1969", 0.75),
            ("1969, on the 20th", 0.75),
            ("July 20", 0.5),
            ("1969", 0.5),
            ("It may have been 1969", 0.5),
            ("July", 0.25),
            ("7", 0.25),
            ("", 0.0),
            ("I do not know.", 0.0),
        ] {
            assert_eq!(score("July 20, 1969", answer), expected, "{answer}");
        }
        assert_eq!(score("September 4, 476", "4 Sept 476"), 1.0);
        assert_eq!(score("September 4, 476", "0476-09-04"), 1.0);
    }

    #[test]
    fn anything_else_takes_it_all() {
        for answer in [
            "July 20, 1969 at 5 pm",
            "July 20, 1969 or 1970",
            "July 20, 69",
            "July or June 20, 1969",
            "July 20, 19690",
            "0 1 2 3 4 5 6 7 8 9",
            "January February March April May June July August September October November December",
            "99999999999",
        ] {
            assert_eq!(score("July 20, 1969", answer), 0.0, "{answer}");
        }
        assert_eq!(score("no date", "July 20, 1969"), 0.0);
    }

    #[test]
    fn a_number_is_whole_and_stands_for_one_part() {
        assert_eq!(score("January 12, 1999", "1999"), 0.5);
        assert_eq!(score("March 3, 1999", "3, 1999"), 0.75);
        assert_eq!(score("March 3, 1999", "3/3/1999"), 1.0);
        assert_eq!(score("March 3, 1999", "March 1999"), 0.75);
    }
}
