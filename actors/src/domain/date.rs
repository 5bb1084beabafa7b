//! Days of the Gregorian calendar, which is taken to hold for all years.

use std::fmt;

/// A day that the calendar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: u32,
    month: u32,
    day: u32,
}

impl Date {
    /// The months in English; January first.
    pub const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];

    /// A day by its numbers, month and day from 1; `None` where the calendar has no such day.
    #[must_use]
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let every = |years: u32| year.is_multiple_of(years);
        let leap = every(4) && (!every(100) || every(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Self { year, month, day })
    }

    /// A day written as `YYYY-MM-DD`, with all its digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str, digits| {
            let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Self::new(number(year, 4)?, number(month, 2)?, number(day, 2)?)
    }

    /// The year, of whatever digits.
    #[must_use]
    pub fn year(self) -> u32 {
        self.year
    }

    /// The month, from 1.
    #[must_use]
    pub fn month(self) -> u32 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub fn day(self) -> u32 {
        self.day
    }

    /// As people write it: `July 20, 1969`.
    #[must_use]
    pub fn in_words(self) -> String {
        let month = Self::MONTHS.get(self.month as usize - 1).copied().unwrap_or_default();
        format!("{month} {}, {}", self.day, self.year)
    }

    /// A day by its number since the first of January 1970; `None` beyond the years of its digits.
    #[must_use]
    pub fn of_unix_day(day: u64) -> Option<Self> {
        // Years that begin in March, of 400 of which each has as many days.
        let day = day.checked_add(719_468)?;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (next, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
        let year = u32::try_from(era * 400 + year + next).ok()?;
        Self::new(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
    }

    /// Days since the first of March of year 0.
    #[must_use]
    pub fn number(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        // Years that begin in March have their odd day at the end.
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        365 * year + leap_days + (153 * month + 2) / 5 + i64::from(self.day) - 1
    }
}

impl fmt::Display for Date {
    /// As `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_days_of_the_calendar() {
        for day in ["1492-10-12", "2000-02-29", "1999-12-31", "2024-02-29", "0070-01-01"] {
            assert_eq!(Date::parse(day).map(|date| date.to_string()).as_deref(), Some(day));
        }
        for no_day in [
            "1900-02-29",
            "2023-02-29",
            "2023-04-31",
            "2023-13-01",
            "2023-00-10",
            "2023-01-00",
            "2023-1-01",
            "23-01-01",
            "2023-01-01-01",
            "2023/01/01",
            "+023-01-01",
            "",
            "é",
        ] {
            assert_eq!(Date::parse(no_day), None, "{no_day}");
        }
        assert_eq!(Date::parse("1969-07-20").unwrap().in_words(), "July 20, 1969");
    }

    #[test]
    fn a_day_since_1970_is_the_day_of_that_number() {
        let first = Date::parse("1970-01-01").unwrap();
        assert_eq!(Date::of_unix_day(0), Some(first));
        assert_eq!(Date::of_unix_day(11_016), Date::parse("2000-02-29"));
        for day in 0..200_000 {
            let date = Date::of_unix_day(day).unwrap();
            assert_eq!(date.number() - first.number(), i64::try_from(day).unwrap(), "{date}");
        }
        assert_eq!(Date::of_unix_day(u64::MAX), None);
    }

    #[test]
    fn numbers_days_without_gaps() {
        let mut last = None;
        for (year, month, day) in (1999..=2101)
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .flat_map(|(year, month)| (1..=31).map(move |day| (year, month, day)))
        {
            let Some(date) = Date::new(year, month, day) else { continue };
            assert!(last.is_none_or(|last| last + 1 == date.number()), "{date}");
            last = Some(date.number());
        }
        assert_eq!(Date::new(0, 3, 1).unwrap().number(), 0);
    }
}
