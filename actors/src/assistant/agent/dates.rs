//! The date that a context tells of what is asked. Pure.

use super::extract::{shared, vocabulary};
use crate::domain::{Context, Date};
use crate::text::sentences::sentences;

/// A sentence that has fewer words of a question tells of something else.
const COMMON: usize = 3;
/// So many sentences are looked through.
const MOST: usize = 2_000;

/// The date of the sentence that has most of the question's words and a date; with the sentence,
/// unless it is the date alone that is asked for.
pub(super) fn told(context: &Context, asked: &str) -> Option<String> {
    let text = context.text();
    let words = vocabulary(asked);
    let dated = sentences(&text).into_iter().take(MOST).filter_map(|sentence| {
        let date = date(sentence)?;
        Some((shared(sentence, &words), date, sentence))
    });
    let (common, date, sentence) =
        dated.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    (common >= COMMON).then(|| {
        let told = format!("It was on {}.", date.in_words());
        if words.contains("date") { told } else { format!("{told} {sentence}") }
    })
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
        assert_eq!(told("On what date was Johannes Kepler born?"), None);
    }
}
