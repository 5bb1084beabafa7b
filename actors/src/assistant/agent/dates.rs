//! The date that a context tells of what is asked. Pure.

use std::collections::BTreeSet;

use super::extract::{shared, vocabulary};
use crate::domain::{Context, ContextBody, Date};
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

/// Words that ask for the beginning and for the end of a life.
const BIRTH: [&str; 3] = ["born", "birth", "birthday"];
const DEATH: [&str; 4] = ["die", "died", "death", "dead"];

/// The date of a fact, if it is what is asked about: most of its words are said, or nothing is that it
/// does not have. Somebody's birth and death are known by the name.
pub(super) fn of_fact(context: &Context, asked: &str) -> Option<String> {
    let ContextBody::DatedFact { date, section, text } = &context.body else { return None };
    let said: BTreeSet<String> = telling_words(asked).collect();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(*word));
    // The text of a birth and that of a death are alike: what tells them apart is how it is asked.
    let of_life: &[&str] = match section.as_str() {
        "Births" => &BIRTH,
        "Deaths" => &DEATH,
        _ => &[],
    };
    let is_life = !of_life.is_empty();
    if is_life && !says(of_life) {
        return None;
    }
    let telling = |text: &str| -> BTreeSet<String> {
        let words = telling_words(text).filter(|word| !OF_DATES.contains(&word.as_str()));
        words
            .filter(|word| !of_life.contains(&word.as_str()))
            .flat_map(|word| vocabulary(&word))
            .collect()
    };
    let (title, text, asked) = (telling(&context.title), telling(text), telling(asked));
    let fact: BTreeSet<String> = text.union(&title).cloned().collect();
    let most_said = 3 * text.intersection(&asked).count() >= 2 * text.len().max(1);
    let nothing_else = asked.len() > 1 && asked.is_subset(&fact);
    let named = is_life && !title.is_empty() && title.is_subset(&asked);
    let date = Date::parse(date)?;
    (most_said || nothing_else || named).then(|| format!("It was on {}.", date.in_words()))
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

    #[test]
    fn a_fact_tells_its_date_to_whoever_asks_for_it_in_these_or_other_words() {
        let fact = |title: &str, section: &str, text: &str| {
            let (date, section, text) = ("1769-09-14".into(), section.into(), text.into());
            context(title, title, "Tests", ContextBody::DatedFact { date, section, text })
        };
        let born = fact("Alexander von Humboldt", "Births", "Alexander von Humboldt, naturalist.");
        let flown =
            fact("Wright brothers", "Events", "The brothers fly near Kitty Hawk, Carolina.");
        for (context, asked, expected) in [
            (&born, "On what exact date was this person born: Alexander von Humboldt?", true),
            (&born, "You need to find the date Alexander von Humboldt was born.", true),
            (&born, "When did Alexander von Humboldt die?", false),
            (&born, "When did Alexander von Humboldt climb Chimborazo?", false),
            (&born, "When was Alexander born?", false),
            (&flown, "On what date did they fly near Kitty Hawk, Carolina, then?", true),
            (&flown, "When did the Wright brothers fly?", true),
            (&flown, "When were the Wright brothers born?", false),
            (&flown, "When did the brothers of Bavaria fly to Rome?", false),
            (&flown, "What day?", false),
        ] {
            let told = of_fact(context, asked);
            assert_eq!(told.is_some(), expected, "{asked}");
            assert!(told.is_none_or(|told| told == "It was on September 14, 1769."));
        }
    }
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
