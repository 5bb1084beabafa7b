use std::time::Duration;

use super::*;
use crate::domain::Uid;
use proptest::prelude::*;

const AUTHOR: &str = "Tea is grown on warm hills where it rains a lot. The young leaves are picked by \
                      hand, withered in the sun and rolled. Black tea is left to ferment before it is \
                      dried, while green tea is not.";
const IN_OTHER_WORDS: &str = "Warm, rainy slopes suit the tea plant best. Workers pluck its young \
                              leaves, let them wither and roll them; what becomes black tea \
                              ferments before drying, green tea skips that step.";

/// An answer to each text, in the order in which they came, all worth the same.
fn candidates<'a>(texts: &[&'a str]) -> Vec<Candidate<'a>> {
    let candidate = |(at, completion): (u16, &&'a str)| Candidate {
        uid: Uid(at),
        completion,
        total: Score::new(0.8),
        elapsed: Duration::ZERO,
        arrived: Duration::from_secs(at.into()),
    };
    (0..).zip(texts).map(candidate).collect()
}

/// For each of the texts the place of the one that it copies.
fn copies(texts: &[&str]) -> Vec<Option<usize>> {
    CopyRule::default().copies(&candidates(texts))
}

fn is_copy(author: &str, text: &str) -> bool {
    copies(&[author, text]) == [None, Some(0)]
}

fn settled(mode: CopyMode, copy_of: &[Option<usize>], earned: &[f64]) -> Vec<f64> {
    let earned: Vec<Score> = earned.iter().copied().map(Score::new).collect();
    let rule = CopyRule { mode, ..CopyRule::default() };
    rule.settle(copy_of, &earned).into_iter().map(Score::get).collect()
}

#[test]
fn what_was_changed_a_little_is_a_copy() {
    let first = AUTHOR.find(". ").unwrap() + 2;
    let (sentence, rest) = AUTHOR.split_at(first);
    for changed in [
        AUTHOR.to_owned(),
        AUTHOR.replace("hand", "machine"),
        AUTHOR.to_uppercase().replace(['.', ','], " !\n"),
        format!("{rest} {sentence}"),
        format!("Sure, I am happy to help you with that question! {AUTHOR}"),
        format!("{AUTHOR} I hope that this answers all that you wanted to know about it."),
        AUTHOR.replace(' ', "\u{200b} \u{2060}"),
        // The half of it.
        AUTHOR.split_whitespace().take(20).collect::<Vec<_>>().join(" "),
    ] {
        assert!(is_copy(AUTHOR, &changed), "{changed}");
    }
}

#[test]
fn one_word_changed_in_the_shortest_answer_that_can_be_a_copy_is_a_copy() {
    let shortest = "one two three four five six seven eight nine ten eleven twelve";
    assert!(is_copy(shortest, &shortest.replace("six", "6")));
}

#[test]
fn the_same_facts_in_other_words_are_no_copy() {
    assert!(!is_copy(AUTHOR, IN_OTHER_WORDS));
    assert!(!is_copy(IN_OTHER_WORDS, AUTHOR));
}

#[test]
fn short_answers_copy_nobody() {
    let eleven = "The first human being walked on the Moon in July 1969.";
    assert_eq!(copies(&["42", "42", "42"]), [None; 3]);
    assert_eq!(copies(&[eleven, eleven]), [None; 2]);
    let rule = CopyRule { min_words: 11, ..CopyRule::default() };
    assert_eq!(rule.copies(&candidates(&[eleven, eleven])), [None, Some(0)]);
    let rule = CopyRule { min_words: 0, ..rule };
    assert_eq!(rule.copies(&candidates(&["", "..."])), [None; 2]);
}

#[test]
fn a_huge_text_that_was_there_first_makes_nobody_its_copy() {
    let all = format!("{AUTHOR} {IN_OTHER_WORDS} ").repeat(300);
    assert_eq!(copies(&[&all, AUTHOR, IN_OTHER_WORDS]), [None; 3]);
    // Nor one that begins with what everyone will say again, as the question.
    let question = "where in the world does tea grow best and how is it picked and dried there ";
    let honest = format!("You ask {question}: {AUTHOR}");
    assert_eq!(copies(&[&question.repeat(3), &honest]), [None; 2]);
}

#[test]
fn a_worthless_answer_that_was_there_first_is_nobody_s_author() {
    let mut candidates = candidates(&[AUTHOR, AUTHOR, AUTHOR]);
    candidates[0].total = Score::ZERO;
    assert_eq!(CopyRule::default().copies(&candidates), [None, None, Some(1)]);
}

#[test]
fn the_first_by_our_clock_is_the_author_wherever_it_stands_in_the_list() {
    let mut candidates = candidates(&[AUTHOR; 4]);
    for (candidate, seconds) in candidates.iter_mut().zip([3, 1, 0, 0]) {
        candidate.arrived = Duration::from_secs(seconds);
    }
    candidates[2].uid = Uid(9);
    assert_eq!(CopyRule::default().copies(&candidates), [Some(3), Some(3), Some(3), None]);
}

#[test]
fn what_is_like_a_copy_but_not_like_its_author_is_none() {
    let words = |from: usize| (from..from + 40).map(|n| format!("w{n} ")).collect::<String>();
    // Each has 37 of 40 words in common with the one before it, and 34 with that before.
    let texts = [words(0), words(3), words(6), words(9)];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(copies(&texts), [None, Some(0), None, Some(2)]);
}

#[test]
fn of_several_that_it_is_like_an_answer_copies_the_earliest() {
    let rule = CopyRule { likeness: 0.8, ..CopyRule::default() };
    let words = |from: usize| (from..from + 40).map(|n| format!("w{n} ")).collect::<String>();
    let (low, high, middle) = (words(0), words(9), words(5));
    assert_eq!(rule.copies(&candidates(&[&low, &high, &middle])), [None, None, Some(0)]);
    assert_eq!(rule.copies(&candidates(&[&high, &low, &middle])), [None, None, Some(0)]);
}

#[test]
fn copies_are_not_looked_for_where_nothing_comes_of_it() {
    let rule = CopyRule { mode: CopyMode::Off, ..CopyRule::default() };
    assert_eq!(rule.copies(&candidates(&[AUTHOR, AUTHOR])), [None; 2]);
}

#[test]
fn copies_earn_nothing_or_share_what_the_first_earned() {
    let copy_of = [None, Some(0), Some(0), None, Some(3), None];
    let earned = [0.6, 0.9, 0.1, 0.5, 0.5, 0.7];
    assert_eq!(settled(CopyMode::First, &copy_of, &earned), [0.6, 0.0, 0.0, 0.5, 0.0, 0.7]);
    let third = 0.6 / 3.0;
    assert_eq!(settled(CopyMode::Share, &copy_of, &earned), [third, third, third, 0.25, 0.25, 0.7]);
    assert_eq!(settled(CopyMode::Off, &copy_of, &earned), earned);
}

#[test]
fn a_step_of_the_longest_answers_is_looked_through() {
    let text =
        |n: usize| (0..9_000).map(|at| format!("w{} ", (at * n) % 9_001)).collect::<String>();
    let texts: Vec<String> = (1..=50).map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(copies(&texts), [None; 50]);
}

proptest! {
    #[test]
    fn an_author_is_an_earlier_answer_that_copies_nobody(
        texts in prop::collection::vec("[ab]( [abc]){11,14}", 0..12),
        seconds in prop::collection::vec(0_u64..4, 12),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut candidates = candidates(&texts);
        for (candidate, seconds) in candidates.iter_mut().zip(seconds) {
            candidate.arrived = Duration::from_secs(seconds);
        }
        let copies = CopyRule::default().copies(&candidates);
        for (place, author) in copies.iter().enumerate() {
            let Some(author) = *author else { continue };
            prop_assert_eq!(copies[author], None);
            let when = |place: usize| (candidates[place].arrived, candidates[place].uid);
            prop_assert!(when(author) < when(place));
        }
        // The order in which they are listed changes nothing.
        let mirrored: Vec<Candidate<'_>> = candidates.iter().rev().copied().collect();
        let last = candidates.len().wrapping_sub(1);
        let expected: Vec<_> = copies.iter().rev().map(|of| of.map(|place| last - place)).collect();
        prop_assert_eq!(CopyRule::default().copies(&mirrored), expected);
    }
}
