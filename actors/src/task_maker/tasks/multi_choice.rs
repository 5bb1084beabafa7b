//! `multi_choice`: a gap in a sentence and four things that could stand there.
//!
//! What is right is what the article says, and what is wrong comes from its other sentences, so no
//! model has to be trusted with either.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, multi_choice::MULTI_CHOICE};
use crate::task_maker::passage::{sections, sentences_of, word_count};

/// Words of a sentence that can lack something.
const WORDS: std::ops::RangeInclusive<usize> = 6..=40;
/// Wrong options beside the right one.
const WRONG: usize = 3;
/// Sentences of an article that are looked at.
const SENTENCES: usize = 100;
/// Names, years or headings of it that can be options.
const MOST_OPTIONS: usize = 200;
const LETTERS: [char; WRONG + 1] = ['A', 'B', 'C', 'D'];
const GAP: &str = "____";

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "multi_choice",
    about: "a question with four options, one of them right",
    desc: "get help with a quiz",
    goal: "get the letter of the right option for this question",
    sources: &[SourceKind::Article],
    rewards: &[Weighted { kind: MULTI_CHOICE, weight: 1.0 }],
    // The question sent back names all its letters, and so none.
    penalties: &[],
    references: OfReferences::Best,
    copies: false,
    plan,
});

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let Some(Question { text, right, wrong }) = question(context, random) else {
        return Err(Unfit::new(context, "it has too few names, years and sections for options"));
    };
    let mut options = wrong;
    options.push(right);
    options.shuffle(random);
    let mut pasted = format!("{text}\n\n");
    let mut letter = LETTERS[0];
    for (mark, option) in LETTERS.into_iter().zip(options) {
        pasted.push_str(&format!("{mark}. {option}\n"));
        if option == right {
            letter = mark;
        }
    }
    pasted.push_str("\nAnswer with the letter.");
    Ok(TaskPlan {
        query: Text::Fixed(pasted.clone()),
        reference: ReferencePlan::Fixed(vec![letter.to_string()]),
        form: ChallengeForm::LeadingTo {
            order: "Pick the right option for this question".to_owned(),
            text: pasted,
        },
    })
}

/// A question, its right answer and [`WRONG`] others.
struct Question<'a> {
    text: String,
    right: &'a str,
    wrong: Vec<&'a str>,
}

/// A question that an article gives: a year or a name left out of one of its sentences, and if there
/// is none, where a sentence of it belongs. An article may be a book, so only so much is looked at.
fn question<'a>(context: &'a Context, random: &mut ChaCha8Rng) -> Option<Question<'a>> {
    let mut sentences: Vec<(Option<&str>, &str)> = sections(context)
        .into_iter()
        .flat_map(|section| {
            let heading = section.heading.as_deref();
            sentences_of(&section.text, WORDS).into_iter().map(move |sentence| (heading, sentence))
        })
        .collect();
    sentences.shuffle(random);
    sentences.truncate(SENTENCES);
    let mut all = |find: fn(&'a str) -> Vec<&'a str>| {
        let mut words = distinct(sentences.iter().flat_map(|(_, sentence)| find(sentence)));
        words.shuffle(random);
        words.truncate(MOST_OPTIONS);
        words
    };
    let (all_years, all_names) = (all(years), all(names));
    for (_, sentence) in &sentences {
        let here = years(sentence).into_iter().map(|word| (word, &all_years));
        let here = here.chain(names(sentence).into_iter().map(|word| (word, &all_names)));
        let mut here: Vec<_> =
            here.filter(|(word, _)| sentence.matches(word).count() == 1).collect();
        here.shuffle(random);
        let gap = |(right, all): (_, &Vec<_>)| gap(&context.title, sentence, right, all);
        if let Some(question) = here.into_iter().find_map(gap) {
            return Some(question);
        }
    }
    let mut headings = distinct(sentences.iter().filter_map(|(heading, _)| *heading));
    headings.shuffle(random);
    headings.truncate(MOST_OPTIONS);
    let mut placed =
        sentences.iter().filter_map(|(heading, sentence)| Some(((*heading)?, sentence)));
    placed.find_map(|(heading, sentence)| belongs(&context.title, sentence, heading, &headings))
}

/// The question that a sentence without `right` is, if there are enough other words of its kind
/// that the sentence does not have.
fn gap<'a>(title: &str, sentence: &str, right: &'a str, all: &[&'a str]) -> Option<Question<'a>> {
    let alike = |word: &&&str| {
        word_count(word) == word_count(right)
            && !sentence.contains(**word)
            && !word.contains(right)
            && !right.contains(**word)
    };
    let wrong: Vec<&str> = all.iter().filter(alike).take(WRONG).copied().collect();
    let text = format!(
        "What belongs in the gap in this sentence on {title}?\n\n{}",
        sentence.replacen(right, GAP, 1)
    );
    let tells_itself = title.to_lowercase().contains(&right.to_lowercase());
    (wrong.len() == WRONG && !tells_itself).then_some(Question { text, right, wrong })
}

/// The question to which of the headings a sentence belongs, if there are enough.
fn belongs<'a>(
    title: &str,
    sentence: &str,
    right: &'a str,
    headings: &[&'a str],
) -> Option<Question<'a>> {
    let others = headings.iter().copied().filter(|other| *other != right);
    let wrong: Vec<&str> = others.take(WRONG).collect();
    let text = format!("To which part of an article on {title} does this belong?\n\n{sentence}");
    (wrong.len() == WRONG).then_some(Question { text, right, wrong })
}

/// Numbers of four digits that can be years.
fn years(sentence: &str) -> Vec<&str> {
    let year = |word: &&str| word.len() == 4 && (*word > "0999" && *word < "2100");
    let between = |letter: char| !letter.is_alphanumeric();
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    sentence.split(between).filter(year).filter(is_number).collect()
}

/// Runs of capitalised words, but for those that the sentence begins with.
fn names(sentence: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    let mut at = sentence.find(char::is_whitespace).unwrap_or(sentence.len());
    for word in sentence[at..].split_inclusive(char::is_whitespace) {
        let bare = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        let capital = bare.starts_with(char::is_uppercase)
            && bare.chars().nth(1).is_some_and(char::is_lowercase);
        let (start, end) = (at, at + bare.len());
        at += word.len();
        // A sign behind a word ends the run, and a word without a capital does.
        let joins = word.trim_end().len() == bare.len();
        run = match (run, capital) {
            (Some((from, _)), true) => Some((from, end)),
            (None, true) => Some((start, end)),
            (_, false) => {
                names.extend(run.and_then(|(from, to)| sentence.get(from..to)));
                None
            }
        };
        if !joins {
            names.extend(run.take().and_then(|(from, to)| sentence.get(from..to)));
        }
    }
    names.extend(run.and_then(|(from, to)| sentence.get(from..to)));
    names
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testkit::{article, earns, planned, shown, stub};
    use super::*;
    use crate::domain::ContextBody;

    #[test]
    fn a_sentence_lacks_a_word_and_others_of_the_article_stand_beside_it() {
        let plan = planned(TASK, &article(), 1).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             What belongs in the gap in this sentence on Tea?\n\
             \n\
             In London Thomas Garraway sold it from ____ on in his coffee house.\n\
             \n\
             A. 1908\n\
             B. 1610\n\
             C. 1657\n\
             D. 1869\n\
             \n\
             Answer with the letter.\n\
             # reference\n\
             C\n\
             # pasted\n\
             the query\n"
        );
    }

    #[test]
    fn every_letter_is_right_at_times_and_its_option_fills_the_gap() {
        let mut letters = BTreeSet::new();
        for seed in 0..60 {
            let plan = planned(TASK, &article(), seed).unwrap();
            let (ReferencePlan::Fixed(references), ChallengeForm::LeadingTo { text: pasted, .. }) =
                (plan.reference, plan.form)
            else {
                panic!("all is known");
            };
            let letter = references[0].clone();
            let option = pasted.lines().find_map(|line| line.strip_prefix(&format!("{letter}. ")));
            let sentence = pasted.lines().nth(2).unwrap();
            let whole = sentence.replace(GAP, option.unwrap());
            assert!(article().text().contains(&whole), "{pasted}\n{letter}");
            assert_eq!(earns(TASK, &letter, &pasted, &pasted), 0.0);
            assert_eq!(earns(TASK, &letter, &pasted, "A, B, C, D"), 0.0);
            assert!(earns(TASK, &letter, &pasted, &format!("It is {letter}.")) == 1.0);
            letters.insert(letter);
        }
        assert_eq!(letters.len(), 4, "{letters:?}");
    }

    #[test]
    fn without_names_and_years_the_sections_are_the_options() {
        let mut context = article();
        let ContextBody::Article { sections } = &mut context.body else { panic!("an article") };
        for (at, section) in sections.iter_mut().enumerate() {
            section.text = format!("Here stands a sentence about nothing in part {at}.");
        }
        let plan = planned(TASK, &context, 3).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             To which part of an article on Tea does this belong?\n\
             \n\
             Here stands a sentence about nothing in part 2.\n\
             \n\
             A. Trade\n\
             B. Preparation\n\
             C. History\n\
             D. Cultivation\n\
             \n\
             Answer with the letter.\n\
             # reference\n\
             D\n\
             # pasted\n\
             the query\n"
        );
        let ContextBody::Article { sections } = &mut context.body else { panic!("an article") };
        sections.truncate(3);
        assert!(planned(TASK, &context, 3).is_err());
        assert!(planned(TASK, &stub(), 1).is_err());
    }

    #[test]
    fn a_book_takes_no_longer_than_an_article() {
        let mut context = article();
        let ContextBody::Article { sections } = &mut context.body else { panic!("an article") };
        let sentence = |n: usize| {
            let name: String = format!("{n:04}").bytes().map(|b| char::from(b + 49)).collect();
            format!("Somebody by the name of Ab{name} and nobody else lived there for a while. ")
        };
        sections[0].text = (0..7_000).map(sentence).collect();
        assert!((0..20).all(|seed| planned(TASK, &context, seed).is_ok()));
        sections_of_one_name(&mut context);
        assert!(planned(TASK, &context, 1).is_err());
    }

    /// Half a megabyte of sentences that all have the same names.
    fn sections_of_one_name(context: &mut Context) {
        let ContextBody::Article { sections } = &mut context.body else { panic!("an article") };
        sections.truncate(1);
        let sentence = "They say that Ann, Bob and Cid lived there for a while. ";
        sections[0].text = sentence.repeat(9_000);
    }

    #[test]
    fn names_and_years_are_found_whole() {
        let sentence =
            "In 1888 John Boyd Dunlop, a Scottish vet in Belfast, took 12345 or 0042 of AIR.";
        assert_eq!(names(sentence), ["John Boyd Dunlop", "Scottish", "Belfast"]);
        assert_eq!(years(sentence), ["1888"]);
    }
}
