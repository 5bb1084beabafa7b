//! Articles whose titles are in a text: every short run of its words is looked up among the titles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use sn1_actors::text::terms::terms;
use zim::DirectoryEntry;

use super::archive::ReadError;
use super::titles::{self, Titles};

/// So many words of a text are looked at.
const WORDS: usize = 40;
/// Titles of more words are found by their first ones.
const RUN: usize = 4;
/// So many titles are looked at for each run.
const TITLES: usize = 8;

/// The entries whose titles fit a text best, the best first.
pub(super) fn best(
    titles: &Titles<'_>,
    text: &str,
    count: usize,
) -> Result<Vec<DirectoryEntry>, ReadError> {
    let asked: BTreeSet<String> = terms(text).collect();
    let mut found = BTreeMap::new();
    for run in runs(text) {
        for entry in titles.from(&run, TITLES)? {
            let title = titles::title(&entry);
            if let Some(fit) = fit(&asked, &title).filter(|_| title.starts_with(&run)) {
                found.insert((Reverse(fit), title), entry);
            }
        }
    }
    Ok(found.into_values().take(count).collect())
}

/// The runs of words that a title may begin with: none that begins or ends with a word that is in
/// every question.
fn runs(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .collect();
    let tells = |word: Option<&&str>| word.is_some_and(|word| terms(word).next().is_some());
    let mut runs = BTreeSet::new();
    for start in 0..words.len() {
        for run in (1..=RUN).filter_map(|length| words.get(start..start + length)) {
            if !tells(run.first()) || !tells(run.last()) {
                continue;
            }
            let (sentence, titled) = (run.join(" "), run.iter().map(|word| capital(word)));
            let titled = titled.collect::<Vec<_>>().join(" ");
            for title in [capital(&sentence), titled] {
                if let Some(singular) = title.strip_suffix('s') {
                    runs.insert(singular.to_owned());
                }
                runs.insert(title);
            }
        }
    }
    runs
}

/// How well a title fits what is asked: the share of its words that were asked for, times their
/// number, in thousandths; then its length, since long words are rare ones. None where less than
/// half of it was asked for.
fn fit(asked: &BTreeSet<String>, title: &str) -> Option<(usize, usize)> {
    let words: BTreeSet<String> = terms(title).collect();
    let matched = words.intersection(asked).count();
    let enough = matched > 0 && matched * 2 >= words.len();
    enough.then(|| (matched * matched * 1_000 / words.len(), title.len()))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_begin_and_end_with_words_that_tell_something() {
        let runs = runs("What is the history of New york?");
        for run in ["History", "History of New", "New york", "New York", "York"] {
            assert!(runs.contains(run), "{run}: {runs:?}");
        }
        assert!(!runs.iter().any(|run| run.starts_with("Of") || run.ends_with("of")), "{runs:?}");
        assert!(super::runs("What is it about?").is_empty());
        assert!(super::runs(&"word ".repeat(10_000)).len() <= RUN * 4);
    }

    #[test]
    fn a_title_fits_by_how_much_of_it_was_asked_for() {
        let asked = terms("How big is New York City today?").collect();
        let fit = |title| fit(&asked, title);
        assert!(fit("New York City") > fit("New York"));
        assert!(fit("New York") > fit("York"));
        assert!(fit("York") > fit("York Minster"));
        assert_eq!(fit("The City and the Pillar of Salt"), None);
        assert_eq!(fit("Boston"), None);
    }
}
