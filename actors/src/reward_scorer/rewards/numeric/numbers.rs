//! Finds numbers in prose, Markdown and LaTeX without evaluating anything.
//!
//! Known are integers and decimals with sign, thousands commas, an exponent (`1e5`, `1.5 × 10^5`,
//! `1.5 \times 10^{5}`), fractions (`3/4`, `\frac{3}{4}`), and what may stand around them. An
//! expression without white space (`3*4`, `2^10`, `10-3`, `12:30`, `1.2.3`) is no number, and
//! neither is a part of a word (`x2`, `0x1f`).

use crate::reward_scorer::rewards::announcement::{ANNOUNCEMENTS, is_decoration, tail};

/// Characters of an answer's end that are read.
const SCANNED: usize = 2_000;

/// The number that the whole text is, if it is one.
pub(super) fn whole(text: &str) -> Option<f64> {
    let chars: Vec<char> = text.trim().chars().take(SCANNED).collect();
    let found = Reader { chars: &chars }.signed(0)?;
    if found.end == chars.len() { found.value } else { None }
}

/// The number that a text gives as its answer: the last that it calls so, or else its last.
pub(super) fn answer(text: &str) -> Option<f64> {
    let chars = tail(text, SCANNED);
    let reader = Reader { chars: &chars };
    let (mut stated, mut last) = (None, None);
    let mut at = 0;
    while at < chars.len() {
        let Some(found) = reader.signed(at) else {
            at = reader.past_word(at).max(at + 1);
            continue;
        };
        let found = reader.with_surroundings(found);
        if found.value.is_some() {
            last = found.value;
            if reader.is_announced(at) && !reader.is_operand(found.end) {
                stated = found.value;
            }
        }
        at = found.end.max(at + 1);
    }
    stated.or(last)
}

/// What looks like a number: its value, unless it turned out to be none, and where it ends.
struct Found {
    value: Option<f64>,
    end: usize,
}

struct Reader<'a> {
    chars: &'a [char],
}

impl Reader<'_> {
    fn char(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn is(&self, at: usize, wanted: impl Fn(char) -> bool) -> bool {
        self.char(at).is_some_and(wanted)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.is(at, |c| c.is_ascii_digit())
    }

    /// Past all characters from `at` on that are as wanted.
    fn past(&self, at: usize, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|c| wanted(**c)).count()
    }

    fn past_text(&self, at: usize, text: &str) -> Option<usize> {
        let rest = self.chars.get(at..)?;
        let mut rest = rest.iter();
        text.chars().all(|c| rest.next() == Some(&c)).then(|| at + text.chars().count())
    }

    fn past_word(&self, at: usize) -> usize {
        self.past(at, is_word)
    }

    /// A number with its sign, if one begins here.
    fn signed(&self, at: usize) -> Option<Found> {
        if !self.is(at, is_sign) {
            return self.unsigned(at);
        }
        // After a word or a closing bracket it is an operator or a hyphen.
        let before = at.checked_sub(1).and_then(|before| self.char(before));
        if before.is_some_and(|c| is_word(c) || matches!(c, ')' | ']' | '}')) {
            return None;
        }
        let start = if self.is(at + 1, is_currency) { at + 2 } else { at + 1 };
        let mut found = self.unsigned(start)?;
        if self.char(at) != Some('+') {
            found.value = found.value.map(|value| -value);
        }
        Some(found)
    }

    fn unsigned(&self, at: usize) -> Option<Found> {
        self.latex_fraction(at).or_else(|| {
            let (text, end) = self.decimal(at)?;
            if self.char(end) == Some('/')
                && let Some((below, end)) = self.decimal(end + 1)
            {
                return Some(Found { value: quotient(parsed(&text), parsed(&below)), end });
            }
            Some(Found { value: parsed(&text), end })
        })
    }

    /// Digits as `f64` reads them, with the exponent in whatever way it was written.
    fn decimal(&self, at: usize) -> Option<(String, usize)> {
        let mut end = self.past(at, |c| c.is_ascii_digit());
        let mut text: String = self.chars.get(at..end)?.iter().collect();
        if (1..=3).contains(&text.len()) {
            while self.char(end) == Some(',')
                && self.past(end + 1, |c| c.is_ascii_digit()) == end + 4
            {
                text.extend(self.chars.get(end + 1..end + 4)?);
                end += 4;
            }
        }
        if self.char(end) == Some('.') && self.is_digit(end + 1) {
            let fraction = self.past(end + 1, |c| c.is_ascii_digit());
            text.extend(self.chars.get(end..fraction)?);
            end = fraction;
        }
        if text.is_empty() {
            return None;
        }
        if let Some((exponent, past)) = self.exponent(end).or_else(|| self.power_of_ten(end)) {
            text.push('e');
            text.push_str(&exponent);
            end = past;
        }
        Some((text, end))
    }

    /// `e5`, `E-5`.
    fn exponent(&self, at: usize) -> Option<(String, usize)> {
        if !self.is(at, |c| matches!(c, 'e' | 'E')) {
            return None;
        }
        let (exponent, end) = self.short_integer(at + 1)?;
        (!self.is(end, is_word)).then_some((exponent, end))
    }

    /// `× 10^5`, `\times 10^{-5}`, `*10**5`.
    fn power_of_ten(&self, at: usize) -> Option<(String, usize)> {
        let at = self.past(at, char::is_whitespace);
        let at = ["×", "·", "*", "x", "\\times", "\\cdot"]
            .iter()
            .find_map(|times| self.past_text(at, times))?;
        let at = self.past_text(self.past(at, char::is_whitespace), "10")?;
        let at = self.past_text(at, "^").or_else(|| self.past_text(at, "**"))?;
        let closing = match self.char(at) {
            Some('{') => Some("}"),
            Some('(') => Some(")"),
            _ => None,
        };
        match closing {
            None => self.short_integer(at),
            Some(closing) => {
                let (exponent, end) = self.short_integer(at + 1)?;
                Some((exponent, self.past_text(end, closing)?))
            }
        }
    }

    fn short_integer(&self, at: usize) -> Option<(String, usize)> {
        let digits = if self.is(at, is_sign) { at + 1 } else { at };
        let end = self.past(digits, |c| c.is_ascii_digit());
        if !(1..=4).contains(&(end - digits)) {
            return None;
        }
        let sign = if digits > at && self.char(at) != Some('+') { "-" } else { "" };
        let digits: String = self.chars.get(digits..end)?.iter().collect();
        Some((format!("{sign}{digits}"), end))
    }

    /// `\frac{a}{b}`, where a and b are plain numbers.
    fn latex_fraction(&self, at: usize) -> Option<Found> {
        let at = ["\\frac", "\\dfrac", "\\tfrac"].iter().find_map(|f| self.past_text(at, f))?;
        let (above, end) = self.braces(at)?;
        let (below, end) = self.braces(end)?;
        Some(Found { value: quotient(plain(above), plain(below)), end })
    }

    /// What stands between a brace and its counterpart, and the place after that.
    fn braces(&self, at: usize) -> Option<(&[char], usize)> {
        let start = self.past_text(at, "{")?;
        let mut depth = 1_usize;
        for (offset, c) in self.chars.get(start..)?.iter().enumerate() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some((self.chars.get(start..start + offset)?, start + offset + 1));
            }
        }
        None
    }

    /// Takes the unit that is glued to a number with it, and denies the value of what is only
    /// part of a word or of an expression.
    fn with_surroundings(&self, mut found: Found) -> Found {
        let unit = self.past_word(found.end);
        if (found.end..unit).any(|at| self.is_digit(at)) {
            found.value = None;
        }
        found.end = unit;
        loop {
            let operand = self.past(found.end, is_operator);
            let is_power = (found.end..operand).any(|at| self.char(at) == Some('^'));
            let bracket = usize::from(is_power && self.is(operand, |c| matches!(c, '{' | '(')));
            let past = self.past(operand + bracket, is_word);
            if operand == found.end || !(is_power || self.is_digit(operand)) {
                return found;
            }
            found = Found { value: None, end: past };
        }
    }

    /// Whether the text says right before this place that its answer comes now.
    fn is_announced(&self, at: usize) -> bool {
        let before: String =
            self.chars.get(at.saturating_sub(64)..at).unwrap_or_default().iter().collect();
        let before = before.trim_end_matches(is_decoration).to_ascii_lowercase();
        ANNOUNCEMENTS.iter().any(|announcement| before.ends_with(announcement))
    }

    /// Whether what follows makes the number a part of a calculation.
    fn is_operand(&self, end: usize) -> bool {
        let next = self.past(end, char::is_whitespace);
        let then = self.past(next + 1, char::is_whitespace);
        match self.char(next) {
            Some('=' | '+' | '×' | '÷' | '·' | '/') => true,
            Some('*' | '-' | '−') => next > end && self.is_digit(then),
            Some('\\') => ["\\times", "\\cdot", "\\div"]
                .iter()
                .any(|operator| self.past_text(next, operator).is_some()),
            _ => false,
        }
    }
}

/// A number without braces or surroundings, such as those of a LaTeX fraction.
fn plain(chars: &[char]) -> Option<f64> {
    let text: String = chars.iter().collect();
    let chars: Vec<char> = text.trim().chars().collect();
    let reader = Reader { chars: &chars };
    let negative = reader.is(0, |c| matches!(c, '-' | '−'));
    let (text, end) = reader.decimal(usize::from(reader.is(0, is_sign)))?;
    let value = if end == chars.len() { parsed(&text)? } else { return None };
    Some(if negative { -value } else { value })
}

fn parsed(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn quotient(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    Some(above? / below?).filter(|value| value.is_finite())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_sign(c: char) -> bool {
    matches!(c, '+' | '-' | '−')
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£')
}

/// What makes two numbers one expression when nothing else is between them.
fn is_operator(c: char) -> bool {
    matches!(c, '.' | '/' | '^' | '*' | '+' | '-' | '−' | '–' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_people_and_models_write_them() {
        for (text, number) in [
            ("42", 42.0),
            ("42.", 42.0),
            ("**42**", 42.0),
            ("(42)!", 42.0),
            ("-7", -7.0),
            ("−7", -7.0),
            ("+7", 7.0),
            ("-$5.50", -5.5),
            ("2.50", 2.5),
            (".5", 0.5),
            ("x=-.5", -0.5),
            ("1,234,567.89", 1_234_567.89),
            ("12,34", 34.0),
            ("1e5", 100_000.0),
            ("2.5E-3", 0.0025),
            ("1.5 × 10^5", 150_000.0),
            (r"1.5 \times 10^{-2}", 0.015),
            ("6*10**3", 6_000.0),
            ("6 x 10^(3)", 6_000.0),
            ("3/4", 0.75),
            ("-3/4.", -0.75),
            (r"\frac{1}{4}", 0.25),
            (r"x = -\dfrac{ 1 }{ -4 }", 0.25),
            ("50%", 50.0),
            (r"$50\%$", 50.0),
            ("€20", 20.0),
            ("5kg", 5.0),
            ("5 m/s", 5.0),
            ("30°", 30.0),
            ("a 5-year plan", 5.0),
            ("COVID-19", 19.0),
        ] {
            assert_eq!(answer(text), Some(number), "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "",
            "none",
            "x2 and H_2",
            "0x1f",
            "2^10",
            "2^{10}",
            "10**3",
            "3*4",
            "10-3",
            "5–10",
            "12:30",
            "1/2/2020",
            "1.2.3",
            "1/0",
            "1e999",
            r"\frac{1}{0}",
            r"\frac{\pi}{2}",
            r"\frac{3}{\frac{1}{2}}",
            "9**9**9",
            "e5",
            "٤٢",
        ] {
            assert_eq!(answer(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_last_number_is_the_answer() {
        for (text, number) in [
            ("There are 3 apples and 4 pears, so 7.", 7.0),
            ("3 + 4 = 7", 7.0),
            ("2^10 = 1024", 1024.0),
            ("7 = 3*4-5", 7.0),
            (r"The area is $\frac{1}{2}$, the side 2^3", 0.5),
        ] {
            assert_eq!(answer(text), Some(number), "{text:?}");
        }
    }

    #[test]
    fn a_number_that_is_called_the_answer_goes_before_the_last() {
        for (text, number) in [
            ("The answer is 42.17, rounded to 2 decimal places.", 42.17),
            ("**Answer:** -3. I used 5 steps.", -3.0),
            (r"$\boxed{12}$ as shown in step 4", 12.0),
            ("The answer is approximately $6.50 for 3 people", 6.5),
            ("The answer is 3 + 4 = 7", 7.0),
            (r"The answer is 3 \times 4 = 12", 12.0),
            ("The answer is not 5 but 6", 6.0),
            ("answer: 1. No: the answer is 2. There are 9 more.", 2.0),
        ] {
            assert_eq!(answer(text), Some(number), "{text:?}");
        }
    }

    #[test]
    fn only_the_end_of_a_long_answer_is_read() {
        let words = "word ".repeat(1_000);
        assert_eq!(answer(&format!("42 {words}")), None);
        assert_eq!(answer(&format!("{words} 42")), Some(42.0));
        assert_eq!(answer(&"9".repeat(2_001)), None);
        assert_eq!(answer(&format!("{} 7", "9".repeat(2_001))), Some(7.0));
    }

    #[test]
    fn a_reference_is_one_number_and_nothing_else() {
        for (text, number) in [
            ("42", Some(42.0)),
            (" -1,000.5\n", Some(-1000.5)),
            ("1e-3", Some(0.001)),
            ("3/4", Some(0.75)),
            (r"-\frac{3}{4}", Some(-0.75)),
            ("42 km", None),
            ("42.", None),
            ("", None),
            ("-", None),
            ("x", None),
        ] {
            assert_eq!(whole(text), number, "{text:?}");
        }
    }
}
