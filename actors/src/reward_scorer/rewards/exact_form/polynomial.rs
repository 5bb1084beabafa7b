//! Sums of powers of a variable, complex numbers among them, and products of such sums.

use std::collections::BTreeMap;

use super::tokens::{Text, TokenKind};
use super::values::Entry;

/// Most terms of a sum, and factors of a product, that are read.
const MOST_TERMS: usize = 64;

/// A variable, unless the term is a constant, and its exponent.
type Power = (Option<char>, u32);

/// `3x^2 - 2x + 5`; `3 + 4i` in the variable i. No power is in it twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Polynomial {
    terms: BTreeMap<Power, Entry>,
}

/// `2(x + 2)(x - 9)`: a number times factors whose leading coefficients are 1.
#[derive(Clone, Debug)]
pub(super) struct Product {
    multiplier: f64,
    factors: Vec<Polynomial>,
}

impl Polynomial {
    /// The sum that begins at a place, in some of the `variables`.
    pub(super) fn read(text: &Text, place: usize, variables: &[char]) -> Option<(Self, usize)> {
        let mut terms = BTreeMap::new();
        let mut end = place;
        while terms.len() < MOST_TERMS {
            let sign = text.symbol(end).filter(|c| matches!(c, '+' | '-'));
            if sign.is_none() && !terms.is_empty() {
                break;
            }
            let start = end + usize::from(sign.is_some());
            let Some((power, mut entry, past)) = term(text, start, variables) else { break };
            if sign == Some('-') {
                entry.value = -entry.value;
            }
            if terms.insert(power, entry).is_some() {
                return None;
            }
            end = past;
        }
        (!terms.is_empty()).then_some((Self { terms }, end))
    }

    /// How many terms it has.
    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether it is a variable and nothing else, as prose mentions it.
    pub(super) fn is_bare_variable(&self) -> bool {
        self.terms.iter().all(|((variable, exponent), entry)| {
            variable.is_some() && *exponent == 1 && entry.value == 1.0
        }) && self.len() == 1
    }

    /// Whether a given sum has the same terms, in whatever order.
    pub(super) fn admits(&self, given: &Self) -> bool {
        self.terms.len() == given.terms.len()
            && self.terms.iter().zip(&given.terms).all(|((power, right), (given_power, given))| {
                power == given_power && right.admits(given)
            })
    }

    /// Divides by the leading coefficient, which it returns.
    fn normalise(&mut self) -> f64 {
        let leading = self.terms.last_entry().map_or(1.0, |entry| entry.get().value);
        for entry in self.terms.values_mut() {
            entry.value /= leading;
        }
        leading
    }

    pub(super) fn has_variable(&self) -> bool {
        self.terms.keys().any(|(variable, _)| variable.is_some())
    }
}

impl Product {
    /// The product of at least two factors with a variable that begins at a place.
    pub(super) fn read(text: &Text, place: usize, variables: &[char]) -> Option<(Self, usize)> {
        let mut product = Self { multiplier: 1.0, factors: Vec::new() };
        let mut end = place;
        if text.symbol(end) == Some('-') {
            product.multiplier = -1.0;
            end += 1;
        }
        if let Some((entry, past)) = Entry::unsigned(text, end) {
            product.multiplier *= entry.value;
            end = past;
        }
        let mut count = 0;
        while let Some((factor, past)) = factor(text, past_product(text, end), variables) {
            let (times, past) = exponent(text, past).unwrap_or((1, past));
            // Factors without a variable are not kept, but are work all the same.
            count += times.max(1) as usize;
            if count > MOST_TERMS {
                return None;
            }
            text.work(times as usize * factor.len());
            for _ in 0..times {
                product.push(factor.clone());
            }
            end = past;
        }
        (product.factors.len() > 1).then_some((product, end))
    }

    fn push(&mut self, mut factor: Polynomial) {
        self.multiplier *= factor.normalise();
        if factor.has_variable() {
            self.factors.push(factor);
        }
    }

    /// Whether a given product has the same factors, in whatever order.
    pub(super) fn admits(&self, given: &Self) -> bool {
        let mut left: Vec<&Polynomial> = given.factors.iter().collect();
        let all_found = self.factors.iter().all(|factor| {
            let found = left.iter().position(|given| factor.admits(given));
            found.map(|found| left.swap_remove(found)).is_some()
        });
        all_found && left.is_empty() && (self.multiplier - given.multiplier).abs() <= 1e-9
    }
}

/// A single variable or a sum in brackets.
fn factor(text: &Text, place: usize, variables: &[char]) -> Option<(Polynomial, usize)> {
    if text.symbol(place) != Some('(') {
        let variable = variable(text, place, variables)?;
        let one = Entry { value: 1.0, decimals: 0, is_fraction: false };
        let terms = BTreeMap::from([((Some(variable), 1), one)]);
        return Some((Polynomial { terms }, place + 1));
    }
    let (sum, end) = Polynomial::read(text, place + 1, variables)?;
    (text.symbol(end) == Some(')')).then_some((sum, end + 1))
}

/// `5`, `x`, `5x^4`, `5*x**4`, `5x^4/4`, `(5/4)x^4`, `\frac{5}{4}x^4`, `\frac{5x^4}{4}`.
fn term(text: &Text, place: usize, variables: &[char]) -> Option<(Power, Entry, usize)> {
    if let Some(found) = term_over_number(text, place, variables) {
        return Some(found);
    }
    let coefficient = Entry::unsigned(text, place).or_else(|| bracketed_entry(text, place));
    let after = coefficient.map_or(place, |(_, end)| end);
    let base = if coefficient.is_some() { past_product(text, after) } else { after };
    let one = Entry { value: 1.0, decimals: 0, is_fraction: false };
    let mut entry = coefficient.map_or(one, |(entry, _)| entry);
    let Some(name) = variable(text, base, variables) else {
        return coefficient.map(|(entry, end)| ((None, 0), entry, end));
    };
    let (exponent, mut end) = exponent(text, base + 1).unwrap_or((1, base + 1));
    if text.symbol(end) == Some('/')
        && let Some(TokenKind::Number { value, .. }) = text.kind(end + 1)
    {
        entry = Entry { value: entry.value / value, is_fraction: true, ..entry };
        end += 2;
    }
    let power = if exponent == 0 { (None, 0) } else { (Some(name), exponent) };
    Some((power, entry, end))
}

/// `\frac{5x^4}{4}`.
fn term_over_number(
    text: &Text,
    place: usize,
    variables: &[char],
) -> Option<(Power, Entry, usize)> {
    let is_fraction = matches!(text.kind(place)?, TokenKind::Command(name) if name == "frac");
    if !is_fraction || text.symbol(place + 1) != Some('{') {
        return None;
    }
    let coefficient = match text.kind(place + 2)? {
        TokenKind::Number { value, .. } => Some(*value),
        _ => None,
    };
    let base = place + 2 + usize::from(coefficient.is_some());
    let name = variable(text, base, variables)?;
    let (exponent, end) = exponent(text, base + 1).unwrap_or((1, base + 1));
    let closes = text.symbol(end) == Some('}') && text.symbol(end + 1) == Some('{');
    let TokenKind::Number { value: below, .. } = text.kind(end + 2)? else { return None };
    let value = coefficient.unwrap_or(1.0) / below;
    let entry = Entry { value, decimals: 0, is_fraction: true };
    (closes && exponent > 0 && text.symbol(end + 3) == Some('}')).then_some((
        (Some(name), exponent),
        entry,
        end + 4,
    ))
}

/// `(5/4)`, `(-3)`.
fn bracketed_entry(text: &Text, place: usize) -> Option<(Entry, usize)> {
    (text.symbol(place) == Some('(')).then_some(())?;
    let (entry, end) = Entry::read(text, place + 1)?;
    (text.symbol(end) == Some(')')).then_some((entry, end + 1))
}

/// `^2`, `^{2}`, `^(2)`.
fn exponent(text: &Text, place: usize) -> Option<(u32, usize)> {
    (text.symbol(place) == Some('^')).then_some(())?;
    let bracket = match text.symbol(place + 1) {
        Some('{') => Some('}'),
        Some('(') => Some(')'),
        _ => None,
    };
    let at = place + 1 + usize::from(bracket.is_some());
    let TokenKind::Number { value, decimals: 0 } = text.kind(at)? else { return None };
    let closes = bracket.is_none_or(|bracket| text.symbol(at + 1) == Some(bracket));
    (closes && *value <= 1000.0).then_some((*value as u32, at + 1 + usize::from(bracket.is_some())))
}

fn past_product(text: &Text, place: usize) -> usize {
    place + usize::from(text.symbol(place) == Some('*'))
}

/// One of the variables; j stands for i, as in Python.
fn variable(text: &Text, place: usize, variables: &[char]) -> Option<char> {
    let mut letters = text.word(place)?.chars();
    let letter = match (letters.next()?, letters.next()) {
        ('j', None) if variables.contains(&'i') => 'i',
        (letter, None) => letter,
        _ => return None,
    };
    variables.contains(&letter).then_some(letter)
}
