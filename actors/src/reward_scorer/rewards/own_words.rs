//! What an answer says itself, without what it quotes from the challenge.
//!
//! A problem is full of numbers, and one of them may be its solution; a review may call its subject
//! positive. So a measure that looks for a statement looks for it in an answer's own words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use crate::reward_scorer::effort::Effort;

/// Words in a row that may be a quotation; a challenge of fewer is quoted as a whole.
const RUN: usize = 4;
/// How many of them have to be of letters. A list or a matrix of the challenge may be the solution,
/// and so may one of its options.
const OF_LETTERS: usize = 3;
const ENDS: [char; 5] = ['.', '?', '!', ':', ';'];
/// How often a text is gone through: to be cut, to be put in lower case, once for each of the runs
/// that a word is in, and to be put together again.
const PASSES: usize = RUN + 3;

/// The answer, with a line end in the place of each quotation. What was quoted is a run of words
/// that stand in the challenge in that order, whatever their case and the signs between them: the
/// whole challenge, or [`RUN`] words and more that have [`OF_LETTERS`] of letters among them.
pub(super) fn own_words<'a>(challenge: &str, answer: &'a str, effort: &Effort) -> Cow<'a, str> {
    effort.spend(PASSES * (challenge.len() + answer.len()));
    let asked = in_lower_case(challenge, &words(challenge));
    // A single word is no quotation: it may be the solution.
    if asked.len() < 2 {
        return Cow::Borrowed(answer);
    }
    let places = words(answer);
    let is_quoted = quoted(&asked, &in_lower_case(answer, &places));
    let mut own = String::new();
    let mut kept_from = 0;
    let kept = |from: usize, to: usize| {
        // The signs that end a quotation are a part of it.
        let text = answer.get(from..to).unwrap_or_default();
        if from == 0 { text } else { text.trim_start_matches(ENDS) }
    };
    let mut goes_on = false;
    for (place, is_quoted) in places.iter().zip(&is_quoted) {
        if *is_quoted {
            if !goes_on {
                own.push_str(kept(kept_from, place.start));
                own.push('\n');
            }
            kept_from = place.end;
        }
        goes_on = *is_quoted;
    }
    if kept_from == 0 {
        return Cow::Borrowed(answer);
    }
    own.push_str(kept(kept_from, answer.len()));
    Cow::Owned(own)
}

/// For each word of an answer whether it is a part of a quotation.
fn quoted(asked: &[String], said: &[String]) -> Vec<bool> {
    let length = RUN.min(asked.len());
    let runs: HashSet<&[String]> = asked.windows(length).collect();
    let mut is_quoted = vec![false; said.len()];
    let mut quote = |run: Range<usize>| {
        let Some(words) = said.get(run.clone()) else { return };
        let of_letters = words.iter().filter(|word| is_of_letters(word)).count();
        if (of_letters >= OF_LETTERS && run.len() >= RUN) || run.len() >= asked.len() {
            is_quoted.iter_mut().take(run.end).skip(run.start).for_each(|quoted| *quoted = true);
        }
    };
    let mut run = 0..0;
    for (at, window) in said.windows(length).enumerate() {
        if !runs.contains(window) {
            continue;
        }
        if run.end == at + length - 1 {
            run.end += 1;
        } else {
            quote(std::mem::replace(&mut run, at..at + length));
        }
    }
    if !run.is_empty() {
        quote(run);
    }
    is_quoted
}

/// Not a variable and not a number.
fn is_of_letters(word: &str) -> bool {
    word.chars().nth(1).is_some() && word.chars().all(char::is_alphabetic)
}

/// Where words are: letters and digits in a row, a decimal point among them.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut is_within = false;
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        let is_digit = |c: char| c.is_ascii_digit();
        let is_point = c == '.' && is_digit(before) && chars.peek().is_some_and(|c| is_digit(c.1));
        let is_part = c.is_alphanumeric() || is_point;
        let end = at + c.len_utf8();
        match places.last_mut() {
            Some(place) if is_part && is_within => place.end = end,
            _ if is_part => places.push(at..end),
            _ => {}
        }
        is_within = is_part;
        before = c;
    }
    places
}

fn in_lower_case(text: &str, places: &[Range<usize>]) -> Vec<String> {
    places.iter().filter_map(|place| Some(text.get(place.clone())?.to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(challenge: &str, answer: &str) -> String {
        own_words(challenge, answer, &Effort::default()).trim().to_owned()
    }

    #[test]
    fn a_challenge_sent_back_says_nothing() {
        let challenge = "How can I solve this? What is 7 mod 9?";
        for echo in [
            challenge,
            "HOW CAN I SOLVE THIS?\n\nwhat   is 7 MOD 9",
            "how can I solve this -- what is *7* mod **9**",
        ] {
            let own = own(challenge, echo);
            assert!(!own.contains(char::is_alphanumeric), "{echo}: {own}");
        }
        assert_eq!(own(challenge, &format!("You asked: {challenge}")), "You asked:");
        assert_eq!(own(challenge, &format!("{challenge} {challenge} 7")), "7");
        assert_eq!(own("12 + 5", "12 + 5"), "");
    }

    #[test]
    fn an_answer_keeps_what_is_its_own() {
        let challenge = "How can I solve this? What is 7 mod 9?";
        for (answer, kept) in [
            ("7", "7"),
            ("The answer is 7.", "The answer is 7."),
            ("What is 7 mod 9? 7", "7"),
            ("What is 7 mod 9? It is 7.5", "It is 7.5"),
            ("7 mod 9 = 7", "7 mod 9 = 7"),
            ("", ""),
        ] {
            assert_eq!(own(challenge, answer), kept, "{answer}");
        }
        assert_eq!(own("", "7 and 9"), "7 and 9");
        assert_eq!(own("7", "7"), "7");
    }

    #[test]
    fn what_the_challenge_lists_may_be_the_solution() {
        let challenge = "What is the union of A and B if A is {1, 2} and B is {1, 2, 3, 4}?";
        for answer in
            ["{1, 2, 3, 4}", "The union is {1, 2, 3, 4}", "Since A lies in B is {1,2,3,4}"]
        {
            assert_eq!(own(challenge, answer), answer);
        }
    }

    proptest! {
        #[test]
        fn an_answer_loses_whole_words_and_nothing_else(challenge in "(?s).*", answer in "(?s).*") {
            let own = own_words(&challenge, &answer, &Effort::default());
            let kept = words(&own).len();
            prop_assert!(kept <= words(&answer).len());
            prop_assert_eq!(&*own_words("", &answer, &Effort::default()), &*answer);
        }

        #[test]
        fn any_challenge_of_two_words_is_taken_out_whole(challenge in "[a-z]{2,5}( [a-z]{2,5}){1,30}") {
            prop_assert_eq!(own(&challenge, &challenge.to_uppercase()), "");
        }
    }
}
