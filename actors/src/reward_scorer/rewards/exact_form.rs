//! Whether an answer states the exact form that a reference is: a fraction, a list, a matrix, a
//! polynomial, a word.
//!
//! The form is read from the reference:
//!
//! | reference | right are also |
//! |---|---|
//! | `3/4` | `6/8`, `\frac{3}{4}`, `0.75` |
//! | `2, 2, 3` | `[2, 2, 3]`, `2, 2 and 3` |
//! | `{1, 4}` | `4, 1` |
//! | `(3, -1)` | `x = 3, y = -1`, a column vector |
//! | `[[1, 2], [3, 4]]` | LaTeX's and NumPy's matrices |
//! | `3x^2 - 2x + 5`, `y = 2x + 1`, `3+4i` | other orders of the terms, `3*x**2`, `3x²`, `4j` |
//! | `(x + 2)(x + 9)` | other orders of the factors, other signs or scales of two factors |
//! | `mean 3.5, median 4`, `3 hours, 5 minutes` | any sentences that say so |
//! | `0b101`, `0o17`, `0x1f`, `2B_12` | without prefix or base, capitals |
//! | `yes`, `no`, `<`, `>`, `=`, `XIV` | `less than` for `<` |
//! | any other text | other capitals and spaces |
//!
//! A decimal of the reference also admits a more precise one that rounds to it. Only one statement
//! of an answer counts: of what it calls its answer the last, else of what it emphasises the last,
//! else the last of that form; so it is of no use to list candidates. Nothing is evaluated: an
//! expression that would have to be worked out states nothing.

mod clean;
mod digits;
mod polynomial;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod words;

use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

use digits::Digits;
use polynomial::{Polynomial, Product};
use tokens::{Standing, Text, TokenKind};
use values::Entry;
use words::Label;

/// Most bytes of a reference; no answer in an exact form is longer.
const LONGEST_REFERENCE: usize = 2_000;

/// 1 if `completion` states the form that `reference` is, else 0. Only the last 8,000 characters
/// of the completion are read. An empty reference and one of more than 2,000 bytes score 0.
#[must_use]
pub fn exact_form(reference: &str, completion: &str, effort: &Effort) -> Score {
    let reference = reference.trim();
    if reference.is_empty() || reference.len() > LONGEST_REFERENCE {
        return Score::ZERO;
    }
    let is_stated = Form::of(reference, effort).is_stated(&Text::new(completion, effort));
    if is_stated { Score::ONE } else { Score::ZERO }
}

/// A reference, by its form.
enum Form<'a> {
    YesOrNo(bool),
    Comparison(char),
    Roman(u32),
    Digits(Digits),
    Number(Entry),
    List(Vec<Entry>),
    Set(Vec<Entry>),
    Tuple(Vec<Entry>),
    Matrix(Vec<Vec<Entry>>),
    Sum(Polynomial, Vec<char>),
    Product(Product, Vec<char>),
    Labelled(Vec<(Label, Entry)>),
    Text(Text<'a>),
}

impl<'a> Form<'a> {
    fn of(reference: &str, effort: &'a Effort) -> Self {
        if let Some(digits) = Digits::parse(reference) {
            return Self::Digits(digits);
        }
        let text = Text::new(reference, effort);
        let form = match text.tokens.as_slice() {
            [only] => Self::of_token(&only.kind),
            _ => Self::of_numbers(&text).or_else(|| Self::of_variables(&text)),
        };
        form.or_else(|| labelled(&text).map(Self::Labelled)).unwrap_or(Self::Text(text))
    }

    fn of_token(kind: &TokenKind) -> Option<Self> {
        match kind {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("yes") => Some(Self::YesOrNo(true)),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("no") => Some(Self::YesOrNo(false)),
            TokenKind::Word(word) if word.chars().all(|c| c.is_ascii_uppercase()) => {
                words::roman(word).map(Self::Roman)
            }
            TokenKind::Symbol(c) if matches!(c, '<' | '=' | '>') => Some(Self::Comparison(*c)),
            TokenKind::Number { value, decimals } => {
                let (value, decimals) = (*value, *decimals);
                Some(Self::Number(Entry { value, decimals, is_fraction: false }))
            }
            _ => None,
        }
    }

    fn of_numbers(text: &Text) -> Option<Self> {
        let whole = text.tokens.len();
        if let Some((entry, end)) = Entry::read(text, 0)
            && end == whole
        {
            return Some(Self::Number(entry));
        }
        if let Some((rows, end)) = values::matrix(text, 0)
            && end == whole
        {
            return Some(Self::Matrix(rows));
        }
        let opening = text.symbol(0);
        let (entries, end) = values::list(text, 0, 1)?;
        (end == whole).then_some(match opening {
            Some('(') => Self::Tuple(entries),
            Some('{') => Self::Set(entries),
            _ => Self::List(entries),
        })
    }

    fn of_variables(text: &Text) -> Option<Self> {
        // The left side of `y = 2x + 1` says nothing.
        let start = if text.symbol(1) == Some('=') { 2 } else { 0 };
        let letter = |place| text.word(place).and_then(single_letter);
        let variables: Vec<char> = (start..text.tokens.len()).filter_map(letter).collect();
        if variables.is_empty() {
            return None;
        }
        if let Some((sum, end)) = Polynomial::read(text, start, &variables)
            && end == text.tokens.len()
        {
            return Some(Self::Sum(sum, variables));
        }
        let (product, end) = Product::read(text, start, &variables)?;
        (end == text.tokens.len()).then_some(Self::Product(product, variables))
    }

    fn is_stated(&self, text: &Text) -> bool {
        match self {
            Self::YesOrNo(right) => words::yes_or_no(text) == Some(*right),
            Self::Comparison(right) => words::comparison(text) == Some(*right),
            Self::Roman(right) => words::last_roman(text) == Some(*right),
            Self::Digits(right) => right.is_stated(text),
            Self::Number(right) => number(text, right).is_some_and(|given| right.admits(&given)),
            Self::List(right) => text
                .answer(|place| values::list(text, place, right.len()))
                .is_some_and(|given| values::all_admit(right, &given)),
            Self::Set(right) => {
                text.answer(|place| values::list(text, place, right.len())).is_some_and(|given| {
                    text.work(2 * right.len() * given.len());
                    values::same_set(right, &given)
                })
            }
            Self::Tuple(right) => text
                .answer(|place| values::tuple(text, place, right.len()))
                .is_some_and(|given| values::all_admit(right, &given)),
            Self::Matrix(right) => {
                text.answer(|place| values::matrix(text, place)).is_some_and(|given| {
                    let rows = right.iter().zip(&given);
                    right.len() == given.len()
                        && rows.into_iter().all(|(right, given)| values::all_admit(right, given))
                })
            }
            Self::Sum(right, variables) => {
                sum(text, right, variables).is_some_and(|given| right.admits(&given))
            }
            Self::Product(right, variables) => text
                .answer(|place| Product::read(text, place, variables))
                .is_some_and(|given| right.admits(&given)),
            Self::Labelled(right) => {
                let labels: Vec<&Label> = right.iter().map(|(label, _)| label).collect();
                right.iter().all(|(label, right)| {
                    words::labelled(text, label, &labels).is_some_and(|given| right.admits(&given))
                })
            }
            Self::Text(right) => words::ends_as(text, right),
        }
    }
}

/// The fraction or decimal that a text states. Whole numbers are in every sentence: they count
/// where the reference is one, or where they are called the answer.
fn number(text: &Text, reference: &Entry) -> Option<Entry> {
    let is_whole = |entry: &Entry| !entry.is_fraction && entry.decimals == 0;
    text.answer(|place| {
        let (entry, end) = Entry::read(text, place)?;
        let counts = !is_whole(&entry)
            || is_whole(reference)
            || text.standing(place, end) == Standing::Announced;
        counts.then_some((entry, end))
    })
}

/// The sum that a text states; a constant, or a variable that prose mentions, is none unless the
/// reference is of that kind.
fn sum(text: &Text, reference: &Polynomial, variables: &[char]) -> Option<Polynomial> {
    text.answer(|place| {
        let (sum, end) = Polynomial::read(text, place, variables)?;
        let is_mention = sum.is_bare_variable() && !reference.is_bare_variable();
        let is_like_it = if reference.len() > 1 { sum.len() > 1 } else { sum.has_variable() };
        (is_like_it && !is_mention).then_some((sum, end))
    })
}

/// `mean 3.5, median 4` or `3 hours, 5 minutes`: at least two.
fn labelled(text: &Text) -> Option<Vec<(Label, Entry)>> {
    let mut found = Vec::new();
    let mut place = 0;
    loop {
        let before = Entry::read(text, place);
        let start = before.map_or(place, |(_, end)| end);
        let mut end = start;
        let mut words = Vec::new();
        while let Some(word) = text.word(end) {
            words.push(word.to_owned());
            end += 1;
        }
        let (entry, past) =
            before.map_or_else(|| Entry::read(text, end), |(e, _)| Some((e, end)))?;
        if words.is_empty() {
            return None;
        }
        found.push((Label { words, comes_after: before.is_some() }, entry));
        match text.kind(past) {
            None => return (found.len() > 1).then_some(found),
            Some(TokenKind::Symbol(',')) => place = past + 1,
            Some(_) => return None,
        }
    }
}

fn single_letter(word: &str) -> Option<char> {
    let mut letters = word.chars();
    letters.next().filter(|_| letters.next().is_none())
}
