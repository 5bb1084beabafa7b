//! Numbers that are written out: digits, thousands, decimals and powers of ten.

use super::scan::{Scan, TIMES, is_sign, is_word};

/// What stands between thousands: in English, in LaTeX and in print.
const THOUSANDS: [&str; 5] = [",", "{,}", "\\,", "\u{2009}", "\u{202f}"];
/// Digits of an exponent.
const MOST_DIGITS: usize = 4;

/// A number without a sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Literal {
    /// None if it is beyond all numbers.
    pub(super) value: Option<f64>,
    pub(super) end: usize,
    /// Whether it is digits and nothing else.
    pub(super) is_plain: bool,
}

impl Literal {
    /// The number that begins here: `1,234.5`, `.5`, `1e5`, `1.5 \times 10^{5}`.
    pub(super) fn read(text: &Scan<'_>, at: usize) -> Option<Self> {
        let mut end = text.past_digits(at);
        let plain = end;
        let mut digits: String = text.chars.get(at..end)?.iter().collect();
        if (1..=3).contains(&digits.len()) {
            while let Some(next) = text.past_any(end, &THOUSANDS)
                && text.past_digits(next) == next + 3
            {
                digits.extend(text.chars.get(next..next + 3)?);
                end = next + 3;
            }
        }
        if text.char(end) == Some('.') && text.is_digit(end + 1) {
            let decimals = text.past_digits(end + 1);
            digits.extend(text.chars.get(end..decimals)?);
            end = decimals;
        }
        if digits.is_empty() {
            return None;
        }
        if let Some((exponent, past)) = scientific(text, end).or_else(|| power_of_ten(text, end)) {
            digits.push_str(&format!("e{exponent}"));
            end = past;
        }
        let value = digits.parse().ok().filter(|value: &f64| value.is_finite());
        Some(Self { value, end, is_plain: end == plain })
    }
}

/// `e5`, `E-5`.
fn scientific(text: &Scan<'_>, at: usize) -> Option<(i32, usize)> {
    if !text.is(at, |c| matches!(c, 'e' | 'E')) {
        return None;
    }
    let (exponent, end) = short_integer(text, at + 1)?;
    (!text.is(end, is_word)).then_some((exponent, end))
}

/// `× 10^5`, `x 10^5`, `\times 10^{-5}`, `*10**5`, `· 10⁻⁵`.
fn power_of_ten(text: &Scan<'_>, at: usize) -> Option<(i32, usize)> {
    let sign = text.past_gap(at);
    // Elsewhere an `x` is a variable.
    let at = text.past_any(sign, &TIMES).or_else(|| text.past_text(sign, "x"))?;
    let at = text.past_text(text.past_gap(at), "10")?;
    if let Some(found) = superscript(text, at) {
        return Some(found);
    }
    let at = text.past_any(at, &["^", "**"])?;
    let closing = match text.char(at) {
        Some('{') => Some("}"),
        Some('(') => Some(")"),
        _ => None,
    };
    match closing {
        None => short_integer(text, at),
        Some(closing) => {
            let (exponent, end) = short_integer(text, at + 1)?;
            Some((exponent, text.past_text(end, closing)?))
        }
    }
}

/// An exponent, with its sign if it has one.
pub(super) fn short_integer(text: &Scan<'_>, at: usize) -> Option<(i32, usize)> {
    let is_negative = text.is(at, |c| matches!(c, '-' | '−'));
    let digits = if text.is(at, is_sign) { at + 1 } else { at };
    let end = text.past_digits(digits);
    let value = of_digits(text.chars.get(digits..end)?.iter().copied())?;
    Some((if is_negative { -value } else { value }, end))
}

/// An exponent in raised digits: `²`, `⁻³`.
pub(super) fn superscript(text: &Scan<'_>, at: usize) -> Option<(i32, usize)> {
    let is_negative = text.char(at) == Some('⁻');
    let digits = if is_negative { at + 1 } else { at };
    let end = text.past(digits, |c| lowered(c).is_some());
    let value = of_digits(text.chars.get(digits..end)?.iter().filter_map(|c| lowered(*c)))?;
    Some((if is_negative { -value } else { value }, end))
}

fn of_digits(digits: impl Iterator<Item = char>) -> Option<i32> {
    let digits: String = digits.collect();
    if digits.len() > MOST_DIGITS { None } else { digits.parse().ok() }
}

/// Whether a character is a part of an exponent.
pub(super) fn is_raised(c: char) -> bool {
    c == '⁻' || lowered(c).is_some()
}

/// The digit that a raised one is.
fn lowered(c: char) -> Option<char> {
    ('0'..='9').zip("⁰¹²³⁴⁵⁶⁷⁸⁹".chars()).find_map(|(digit, raised)| (raised == c).then_some(digit))
}
