//! What happened on a day of the year, from the text of an encyclopedia's page about that day.
//!
//! A line reads `1969 – What happened.` and stands under `Events`, `Births` or `Deaths`, or under a
//! span of years below them. Years before the year 1 are left out, since `YYYY-MM-DD` cannot tell
//! them; so are lines that give their own answer away by repeating the year.

use sn1_actors::domain::{Context, ContextBody, Date, Origin, Section};

/// A year that has all days.
const LEAP_YEAR: u16 = 2000;
const SECTIONS: [&str; 3] = ["Events", "Births", "Deaths"];
/// In bytes. Shorter ones name no event, longer ones tell a story.
const LINE: std::ops::RangeInclusive<usize> = 12..=600;
/// A subject is no longer, in bytes.
const LONGEST_SUBJECT: usize = 80;

/// A day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// From 1.
    month: u8,
    /// From 1.
    day: u8,
}

impl Day {
    /// All 366.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let days = (1..=12).flat_map(|month| (1..=31).map(move |day| Self { month, day }));
        days.filter(|day| day.of_year(LEAP_YEAR).is_some())
    }

    /// The title of the day's page, for example `July 20`.
    pub(super) fn title(self) -> String {
        let month = Date::MONTHS.get(usize::from(self.month) - 1).copied().unwrap_or_default();
        format!("{month} {}", self.day)
    }

    /// The day in a year, if it was in that.
    fn of_year(self, year: u16) -> Option<Date> {
        Date::new(year.into(), self.month.into(), self.day.into())
    }
}

/// Something that happened on a known day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayFact {
    /// `YYYY-MM-DD`.
    date: String,
    /// `Events`, `Births` or `Deaths`.
    section: &'static str,
    /// Who was born or died; the beginning of what happened.
    subject: String,
    /// The line without its year.
    text: String,
}

/// The facts of a day's page, in its order.
pub(super) fn facts(day: Day, sections: &[Section]) -> Vec<DayFact> {
    let mut facts = Vec::new();
    let mut current = None;
    for Section { heading, text } in sections {
        let heading = heading.as_deref().unwrap_or_default().trim();
        current = match SECTIONS.iter().find(|section| **section == heading) {
            Some(section) => Some(*section),
            None => current.filter(|_| is_span_of_years(heading)),
        };
        let Some(section) = current else { continue };
        facts.extend(text.lines().filter_map(|line| fact(day, section, line)));
    }
    facts
}

/// `Pre-1600`, `1601–1900`, `1901–present`.
fn is_span_of_years(heading: &str) -> bool {
    heading.starts_with(|c: char| c.is_ascii_digit()) || heading.starts_with("Pre-")
}

fn fact(day: Day, section: &'static str, line: &str) -> Option<DayFact> {
    let line = line.trim_start_matches(['-', '*', '•', ' ']).trim();
    let (year, text) = line.split_once(['–', '—', '-', '−'])?;
    let (year, text) = (year_of(year)?, text.trim());
    let told = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.parse() == Ok(year));
    if !LINE.contains(&text.len()) || told {
        return None;
    }
    let date = day.of_year(year)?;
    let subject = match section {
        "Events" => text.split_terminator(". ").next().unwrap_or(text).trim_end_matches('.'),
        _ => text.split([',', '(']).next().unwrap_or(text).trim(),
    };
    Some(DayFact {
        date: date.to_string(),
        section,
        subject: shortened(subject),
        text: text.to_owned(),
    })
}

/// As many of its words as a subject may have.
fn shortened(text: &str) -> String {
    let mut subject = String::new();
    for word in text.split_whitespace() {
        if subject.len() + word.len() >= LONGEST_SUBJECT && !subject.is_empty() {
            break;
        }
        if !subject.is_empty() {
            subject.push(' ');
        }
        subject.push_str(word);
    }
    subject
}

/// `1969`, `AD 70`, `70 AD`, `70 CE`; not `44 BC`, and no month or day before it.
fn year_of(text: &str) -> Option<u16> {
    let digits = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "AD" | "CE"))
        .collect::<Vec<_>>()
        .join(" ");
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year = digits.parse().ok().filter(|_| plain)?;
    (year > 0).then_some(year)
}

impl DayFact {
    /// The context that a tool offers.
    pub(super) fn into_context(self, source: &str, origin: Option<Origin>) -> Context {
        let Self { date, section, subject, text } = self;
        Context {
            source: source.to_owned(),
            title: subject.clone(),
            topic: subject.clone(),
            subtopic: section.to_owned(),
            tags: vec![section.to_owned(), subject],
            origin,
            body: ContextBody::DatedFact { date, section: section.to_owned(), text },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JULY_20: Day = Day { month: 7, day: 20 };

    fn page(sections: &[(&str, &str)]) -> Vec<Section> {
        let section = |&(heading, text): &(&str, &str)| Section {
            heading: (!heading.is_empty()).then(|| heading.to_owned()),
            text: text.to_owned(),
        };
        sections.iter().map(section).collect()
    }

    fn dates(text: &str) -> Vec<String> {
        facts(JULY_20, &page(&[("Events", text)])).into_iter().map(|fact| fact.date).collect()
    }

    #[test]
    fn lines_are_read_under_their_sections_and_spans_of_years() {
        let page = page(&[
            ("", "1900 – This is the lead and no event."),
            ("Events", ""),
            ("Pre-1600", "AD 70 – Siege of a city, in its last weeks."),
            ("1901–present", "- 1969 – Two people walk on the Moon. A third one waits."),
            ("Births", "1822 – Gregor Mendel, friar and botanist (d. 1884)"),
            ("Holidays", "1930 – A day that is kept somewhere."),
            ("1901–present", "1931 – Another day that is kept somewhere."),
        ]);
        let found: Vec<_> = facts(JULY_20, &page)
            .into_iter()
            .map(|fact| (fact.date, fact.section, fact.subject))
            .collect();
        let fact =
            |date: &str, section, subject: &str| (date.to_owned(), section, subject.to_owned());
        assert_eq!(
            found,
            [
                fact("0070-07-20", "Events", "Siege of a city, in its last weeks"),
                fact("1969-07-20", "Events", "Two people walk on the Moon"),
                fact("1822-07-20", "Births", "Gregor Mendel"),
            ]
        );
    }

    #[test]
    fn a_line_without_a_year_of_four_digits_at_most_is_no_fact() {
        for line in [
            "44 BC – A general is born in a town.",
            "Around 1200 – Something may have happened.",
            "12345 – Something will have happened.",
            "0 – There was no such year at all.",
            "1969",
            "1969 – Short.",
            "1969 – The events of 1969 begin here.",
            "No year in this line at all.",
            "",
        ] {
            assert_eq!(dates(line), [] as [String; 0], "{line}");
        }
        for line in ["1969 - With a hyphen.", "* 1969 — With a dash.", "1969 CE – With an era."]
        {
            assert_eq!(dates(line), ["1969-07-20"], "{line}");
        }
    }

    #[test]
    fn the_leap_day_is_only_in_leap_years() {
        let leap_day = Day::all().find(|day| day.title() == "February 29").unwrap();
        let text = "1900 – A day that never was.\n2000 – A day that was.";
        let facts = facts(leap_day, &page(&[("Deaths", text)]));
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].date, "2000-02-29");
    }

    #[test]
    fn a_year_has_all_its_days() {
        let titles: Vec<String> = Day::all().map(Day::title).collect();
        assert_eq!(titles.len(), 366);
        assert_eq!((titles[0].as_str(), titles[365].as_str()), ("January 1", "December 31"));
    }

    #[test]
    fn a_long_event_has_a_short_subject() {
        let text = format!("1969 – {}", "word ".repeat(60));
        let facts = facts(JULY_20, &page(&[("Events", &text)]));
        assert!(facts[0].subject.len() <= LONGEST_SUBJECT && facts[0].subject.ends_with("word"));
        assert!(facts[0].text.len() > LONGEST_SUBJECT);
    }
}
