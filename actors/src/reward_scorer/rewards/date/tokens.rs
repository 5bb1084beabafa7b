//! A text as numbers, months and what stands between them.

use crate::domain::Date;
use crate::reward_scorer::effort::Effort;

/// How often a character is gone through: to find the end of its word, and to compare it with what
/// words of dates there are.
const PASSES: usize = 4;
/// Words that stand between the parts of a date.
const BETWEEN: [&str; 6] = ["of", "the", "st", "nd", "rd", "th"];

/// A part of a text.
#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum Token {
    /// A run of digits, and how many they are.
    Number(u32, usize),
    /// A month, in full, by its first three letters, or as `sept`, and whether it has a capital.
    Month { number: u32, is_capital: bool },
    /// What may stand between the parts of a date in words.
    Between,
    /// Any other sign; `x` for any other word.
    Sign(char),
    /// White space; a date in digits does not run over it.
    Space,
}

/// Cuts a text into its tokens.
pub(in super::super) fn read(text: &str, effort: &Effort) -> Vec<Token> {
    placed(text, effort).1
}

/// Where the tokens of a text begin, and the tokens.
pub(super) fn placed(text: &str, effort: &Effort) -> (Vec<usize>, Vec<Token>) {
    effort.spend(PASSES * text.len());
    let (mut places, mut tokens) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |letter: char| match first {
            first if first.is_ascii_digit() => letter.is_ascii_digit(),
            first if first.is_alphabetic() => letter.is_alphabetic(),
            first if first.is_whitespace() => letter.is_whitespace(),
            _ => false,
        };
        let length = rest.find(|letter| !same(letter)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(length);
        places.push(text.len() - rest.len());
        tokens.push(match first {
            first if first.is_ascii_digit() => {
                Token::Number(word.parse().unwrap_or(u32::MAX), word.len())
            }
            first if first.is_whitespace() => Token::Space,
            first if first.is_alphabetic() => word_of_date(word),
            sign => Token::Sign(sign),
        });
        rest = after;
    }
    (places, tokens)
}

fn word_of_date(word: &str) -> Token {
    // No month and no word between is longer; what is need not be copied.
    if word.len() > 9 {
        return Token::Sign('x');
    }
    let is_capital = word.starts_with(char::is_uppercase);
    let word = word.to_lowercase();
    let names = |month: &str| {
        let start = month.get(..word.len());
        let is_whole_or_short = [month.len(), 3].contains(&word.len()) || word == "sept";
        is_whole_or_short && start.is_some_and(|start| start.eq_ignore_ascii_case(&word))
    };
    match (1..).zip(Date::MONTHS).find(|(_, month)| names(month)) {
        Some((number, _)) => Token::Month { number, is_capital },
        None if BETWEEN.contains(&word.as_str()) => Token::Between,
        None => Token::Sign('x'),
    }
}
