//! Finds numbers in prose, Markdown and LaTeX without evaluating anything.
//!
//! Known are [`ClosedForm`]s with a sign and what may stand around them. An expression without white
//! space (`3*4`, `10-3`, `12:30`, `1.2.3`) is no number, and neither is a part of a word (`x2`,
//! `0x1f`), an exponent or an index of one.

use std::collections::BTreeSet;

use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::rewards::announcement::{ANNOUNCED, announces, tail};

use super::closed_form::{ClosedForm, Nature};
use super::literal::{Literal, is_raised};
use super::scan::{Scan, is_sign, is_word};

/// Characters of an answer's end that are read, and most of a reference.
const SCANNED: usize = 2_000;
/// Characters of a challenge's end that are read.
const CHALLENGE: usize = 8_000;

/// The number that the whole text is, if it is one, be it with a percent sign.
pub(super) fn whole(text: &str, effort: &Effort) -> Option<(f64, Nature)> {
    let chars: Vec<char> = text.trim().chars().take(SCANNED + 1).collect();
    let found = Reader { text: Scan { chars: &chars, effort } }.signed(0)?;
    let rest: String = chars.get(found.end..)?.iter().collect();
    let ends = chars.len() <= SCANNED && ["", "%", "\\%"].contains(&rest.as_str());
    found.value.filter(|_| ends).map(|value| (value, found.nature))
}

/// The number that a text gives as its answer: the last that it calls so, or else its last. A form
/// that was only put together from the numbers of the `challenge` is none: `84/7` hands back what
/// was asked.
pub(super) fn answer(challenge: &str, text: &str, effort: &Effort) -> Option<f64> {
    let chars = tail(text, SCANNED);
    let reader = Reader { text: Scan { chars: &chars, effort } };
    let given = Given::read(challenge, effort);
    let (mut stated, mut last) = (None, None);
    let mut at = 0;
    while at < chars.len() {
        let Some(found) = reader.signed(at) else {
            at = reader.past_other(at).max(at + 1);
            continue;
        };
        let found = reader.with_surroundings(found);
        if found.value.is_some() && !given.makes_up(&found) {
            last = found.value;
            if reader.is_announced(at) && !reader.is_operand(found.end) {
                stated = found.value;
            }
        }
        at = found.end.max(at + 1);
    }
    stated.or(last)
}

/// The numbers of a challenge, by their bits.
#[derive(Default)]
struct Given {
    numbers: BTreeSet<u64>,
    /// Two of which the second is the next number after the first, and the other way round.
    neighbours: BTreeSet<[u64; 2]>,
}

impl Given {
    fn read(challenge: &str, effort: &Effort) -> Self {
        let chars = tail(challenge, CHALLENGE);
        let text = Scan { chars: &chars, effort };
        let mut given = Self::default();
        let mut before = None;
        let mut at = 0;
        while at < chars.len() {
            let Some(Literal { value, end, .. }) = Literal::read(&text, at) else {
                at += 1;
                continue;
            };
            let number = value.map(f64::to_bits);
            given.numbers.extend(number);
            if let Some((one, other)) = before.zip(number) {
                given.neighbours.extend([[one, other], [other, one]]);
            }
            before = number;
            at = end;
        }
        given
    }

    /// Whether a form is no number that is written out and is made of these numbers alone, each a
    /// neighbour of the next. Numbers from different places of the challenge may well be the
    /// solution: any `1` and any `2` would deny a half.
    fn makes_up(&self, form: &ClosedForm) -> bool {
        let literals: Vec<u64> = form.literals.iter().map(|literal| literal.to_bits()).collect();
        let is_made_of_these = match literals.as_slice() {
            [] => false,
            [only] => self.numbers.contains(only),
            several => {
                let next = several.iter().skip(1);
                several.iter().zip(next).all(|(a, b)| self.neighbours.contains(&[*a, *b]))
            }
        };
        form.nature != Nature::Literal && is_made_of_these
    }
}

struct Reader<'a> {
    text: Scan<'a>,
}

impl Reader<'_> {
    /// A number with its sign, if one begins here.
    fn signed(&self, at: usize) -> Option<ClosedForm> {
        let text = self.text;
        if !text.is(at, is_sign) {
            return ClosedForm::read(text, at);
        }
        // After a word or a closing bracket it is an operator or a hyphen.
        if text.before(at).is_some_and(|c| is_word(c) || matches!(c, ')' | ']' | '}')) {
            return None;
        }
        let start = if text.is(at + 1, is_currency) { at + 2 } else { at + 1 };
        let mut found = ClosedForm::read(text, start)?;
        if text.char(at) != Some('+') {
            found.value = found.value.map(|value| -value);
        }
        Some(found)
    }

    /// Past a word, and an exponent or an index: the number there is none of the text's.
    fn past_other(&self, at: usize) -> usize {
        let end = self.text.past_word(at);
        if end > at && self.text.before(end) == Some('_') && self.text.char(end) == Some('{') {
            return self.text.past_braces(end).unwrap_or(end);
        }
        if end == at && self.text.char(at) == Some('^') { self.past_exponent(at + 1) } else { end }
    }

    /// Past what is raised: something in brackets, or a word with its sign.
    fn past_exponent(&self, at: usize) -> usize {
        let past_bracket = || {
            let inner = self.text.past_text(at, "(")?;
            Some(self.text.past_word(inner))
        };
        self.text.past_braces(at).or_else(past_bracket).unwrap_or_else(|| {
            let start = if self.text.is(at, is_sign) { at + 1 } else { at };
            self.text.past_word(start)
        })
    }

    /// Takes the unit that is glued to a number with it, and denies the value of what is only
    /// part of a word or of an expression.
    fn with_surroundings(&self, mut found: ClosedForm) -> ClosedForm {
        let text = self.text;
        let unit = text.past_word(found.end);
        let is_name = unit > found.end && found.nature > Nature::Fraction;
        let is_factor = text.is(found.end, |c| c == 'π' || is_raised(c));
        if is_name || is_factor || (found.end..unit).any(|at| text.is_digit(at)) {
            found.value = None;
        }
        found.end = unit;
        loop {
            let operand = text.past(found.end, is_operator);
            let power = (found.end..operand).find(|at| text.char(*at) == Some('^'));
            if operand == found.end || !(power.is_some() || text.is_digit(operand)) {
                return found;
            }
            found.value = None;
            found.end = match power {
                Some(power) => self.past_exponent(power + 1).max(operand),
                None => text.past_word(operand),
            };
        }
    }

    /// Whether the text says right before this place that its answer comes now.
    fn is_announced(&self, at: usize) -> bool {
        self.text.effort.spend(ANNOUNCED);
        let start = at.saturating_sub(ANNOUNCED);
        let before: String = self.text.chars.get(start..at).unwrap_or_default().iter().collect();
        announces(&before)
    }

    /// Whether what follows makes the number a part of a calculation.
    fn is_operand(&self, end: usize) -> bool {
        let space = |at| self.text.past(at, char::is_whitespace);
        let next = space(end);
        match self.text.char(next) {
            Some('=' | '+' | '×' | '÷' | '·' | '/') => true,
            Some('*' | '-' | '−') => next > end && self.text.is_digit(space(next + 1)),
            Some('\\') => self.text.past_any(next, &["\\times", "\\cdot", "\\div"]).is_some(),
            _ => false,
        }
    }
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£')
}

/// What makes two numbers one expression when nothing else is between them.
fn is_operator(c: char) -> bool {
    matches!(c, '.' | '/' | '^' | '*' | '+' | '-' | '−' | '–' | ':')
}
