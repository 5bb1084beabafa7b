//! The date that a context tells of what is asked. Pure.

use std::collections::BTreeSet;

use super::extract::{shared, vocabulary};
use crate::domain::{Context, Date};
use crate::text::sentences::sentences;
use crate::text::terms::telling_words;

/// Words of every question for a date.
const OF_DATES: [&str; 6] = ["date", "exact", "exactly", "happen", "happened", "day"];
/// So many sentences are looked through.
const MOST: usize = 2_000;

/// The date of the sentence that has most of the question's words and a date; with the sentence,
/// unless it is the date alone that is asked for.
pub(super) fn told(context: &Context, asked: &str) -> Option<String> {
    let text = context.text();
    let words = telling(context, asked);
    let dated = sentences(&text).into_iter().take(MOST).filter_map(|sentence| {
        let date = date(sentence)?;
        Some((shared(sentence, &words), date, sentence))
    });
    let (common, date, sentence) =
        dated.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    // A sentence that has fewer words of a question tells of something else.
    (common > 0 && 2 * common >= words.len()).then(|| {
        let told = format!("It was on {}.", date.in_words());
        if vocabulary(asked).contains("date") { told } else { format!("{told} {sentence}") }
    })
}

/// The words by which a sentence is known to tell of what is asked. The title's are no such words:
/// all of the context is about them.
fn telling(context: &Context, asked: &str) -> BTreeSet<String> {
    let title = vocabulary(&context.title);
    let words = telling_words(asked).filter(|word| !OF_DATES.contains(&word.as_str()));
    words.flat_map(|word| vocabulary(&word)).filter(|word| !title.contains(word)).collect()
}

/// The first full date of a text: `October 24, 1945` or `24 October 1945`.
fn date(text: &str) -> Option<Date> {
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let number =
        |word: &str| word.trim_end_matches(|c: char| c.is_alphabetic()).parse::<u32>().ok();
    words.windows(3).find_map(|three| {
        let [one, two, year] = three else { return None };
        let month = |word: &str| {
            let at = Date::MONTHS.iter().position(|month| month.eq_ignore_ascii_case(word))?;
            u32::try_from(at + 1).ok()
        };
        let (month, day) = match (month(one), month(two)) {
            (Some(month), _) => (month, number(two)?),
            (None, Some(month)) => (month, number(one)?),
            (None, None) => return None,
        };
        let year = year.parse().ok().filter(|year: &u32| *year >= 100)?;
        Date::new(year, month, day)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContextBody, Section};
    use crate::testkit::context;

    #[test]
    fn the_date_of_what_is_asked_is_told_and_no_other() {
        let text = "The conference opened on 25 April 1945. The Charter of the United Nations \
                    entered into force on October 24, 1945. It has 111 articles.";
        let sections = vec![Section { heading: None, text: text.into() }];
        let charter = context("UN", "UN", "History", ContextBody::Article { sections });
        let told = |asked: &str| told(&charter, asked);
        let asked =
            "On what date did this happen: the Charter of the United Nations enters into force?";
        assert_eq!(told(asked).as_deref(), Some("It was on October 24, 1945."));
        let with = told("When did the Charter of the United Nations enter into force?");
        assert!(with.is_some_and(|told| told.ends_with("entered into force on October 24, 1945.")));
        for other in [
            "On what date was Johannes Kepler born?",
            "When was it that people from there went to war with this and that on the UN?",
            "When was the opening conference of the Rotterdam harbour bank held?",
            "On what exact date did it happen?",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
