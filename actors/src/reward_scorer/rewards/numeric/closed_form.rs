//! Closed forms: fractions, powers and roots, and short products of them, in the notations of
//! prose, LaTeX and Python.
//!
//! A form is another way to write one number: `\frac{3}{4}`, `2^10`, `3\sqrt{2}`, `2π/3`. What would
//! have to be worked out is none: sums, products of plain numbers (`3 × 4`), towers (`9**9**9`), and
//! whatever has a name in it. A form has few factors and little depth and its exponents are small,
//! so its value takes a few operations on floating-point numbers.

use super::literal::{Literal, short_integer, superscript};
use super::scan::{Scan, TIMES, is_sign, is_word};

/// How deep brackets, fractions, roots and exponents may be nested.
const MOST_DEPTH: usize = 4;
const MOST_FACTORS: usize = 4;
const MOST_EXPONENT: f64 = 1024.0;
const MOST_ROOT: i32 = 64;

const FRACTIONS: [&str; 4] = ["\\frac", "\\dfrac", "\\tfrac", "\\cfrac"];

/// What a form is, the most remarkable thing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nature {
    /// A number that is written out.
    Literal,
    /// One number over another.
    Fraction,
    /// A power of such, or a product with one.
    Power,
    /// There is a root in it, or π or e.
    Irrational,
}

/// A form and where it ends.
#[derive(Clone, Debug)]
pub(super) struct ClosedForm {
    /// None if it only looks like a number.
    pub(super) value: Option<f64>,
    pub(super) end: usize,
    pub(super) nature: Nature,
    /// The numbers that it is made of, but for exponents that have a name, as "square".
    pub(super) literals: Vec<f64>,
}

impl ClosedForm {
    /// The form without a sign that begins here.
    pub(super) fn read(text: Scan<'_>, at: usize) -> Option<Self> {
        let mut reader = Reader { text, literals: Vec::new() };
        let Part { value, end, nature } = reader.product(at, 0)?;
        Some(Self { value, end, nature, literals: reader.literals })
    }
}

#[derive(Clone, Copy)]
struct Part {
    value: Option<f64>,
    end: usize,
    nature: Nature,
}

impl Part {
    /// Something that is no number, up to a place.
    fn nothing(end: usize) -> Self {
        Self { value: None, end, nature: Nature::Fraction }
    }

    fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Self { value: finite(self.value.map(of)), ..self }
    }

    /// Both as one, which ends with the other.
    fn with(self, other: Self, least: Nature, of: impl Fn(f64, f64) -> f64) -> Self {
        let value = self.value.zip(other.value).map(|(one, other)| of(one, other));
        let nature = self.nature.max(other.nature).max(least);
        Self { value: finite(value), end: other.end, nature }
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

struct Reader<'a> {
    text: Scan<'a>,
    literals: Vec<f64>,
}

impl Reader<'_> {
    /// Factors, at most one of them a plain number, and one divisor after them.
    fn product(&mut self, at: usize, depth: usize) -> Option<Part> {
        let mut product = self.factor(at, depth)?;
        let mut has_literal = product.nature == Nature::Literal;
        for _ in 1..MOST_FACTORS {
            if let Some(start) = self.past_slash(product) {
                return Some(match self.factor(start, depth) {
                    Some(below) => product.with(below, Nature::Fraction, |a, b| a / b),
                    None => product,
                });
            }
            let gap = self.text.past_gap(product.end);
            let is_power = self.text.past_text(gap, "**").is_some();
            let sign = self.text.past_any(gap, &TIMES).filter(|_| !is_power);
            let start = sign.map_or(gap, |sign| self.text.past_gap(sign));
            let known = self.literals.len();
            let next = self.factor(start, depth).filter(|next| match next.nature {
                Nature::Irrational => true,
                Nature::Power => sign.is_some(),
                Nature::Literal => sign.is_some() && !has_literal,
                Nature::Fraction => false,
            });
            let Some(next) = next else {
                self.literals.truncate(known);
                break;
            };
            has_literal |= next.nature == Nature::Literal;
            product = product.with(next, Nature::Literal, |a, b| a * b);
        }
        Some(product)
    }

    /// Past a slash that divides a product: between two plain numbers it stands without spaces.
    fn past_slash(&self, product: Part) -> Option<usize> {
        match self.text.past_text(product.end, "/") {
            None if product.nature == Nature::Irrational => {
                let slash = self.text.past_text(self.text.past_gap(product.end), "/")?;
                Some(self.text.past_gap(slash))
            }
            found => found,
        }
    }

    /// Something and its exponent.
    fn factor(&mut self, at: usize, depth: usize) -> Option<Part> {
        let base = self.base(at, depth)?;
        let Some(exponent) = self.exponent(base.end, depth) else {
            let is_e = self.text.char(at) == Some('e') && base.end == at + 1;
            return (!is_e || depth > 0).then_some(base);
        };
        let is_tower = self.exponent(exponent.end, depth).is_some()
            || base.nature == Nature::Power
            || exponent.nature > Nature::Fraction
            || exponent.value.is_none_or(|exponent| exponent.abs() > MOST_EXPONENT);
        if is_tower {
            return Some(Part::nothing(exponent.end));
        }
        let least = match exponent.nature {
            Nature::Literal => Nature::Power,
            _ => Nature::Irrational,
        };
        Some(base.with(exponent, least, power))
    }

    /// `^2`, `**2`, `^{-1/2}`, `²`.
    fn exponent(&mut self, at: usize, depth: usize) -> Option<Part> {
        let raised = superscript(&self.text, at);
        let sign = self.text.past_text(at, "^").or_else(|| {
            // Two asterisks are the end of bold type, too.
            let end = self.text.past_text(at, "**")?;
            self.text.is(end, |c| c.is_ascii_digit() || matches!(c, '(' | '{')).then_some(end)
        });
        let known = self.literals.len();
        let bracketed = sign.and_then(|start| {
            self.group(start, '{', '}', depth).or_else(|| self.group(start, '(', ')', depth))
        });
        let exponent = bracketed.or_else(|| {
            let (value, end) = raised.or_else(|| short_integer(&self.text, sign?))?;
            self.literals.push(f64::from(value));
            Some(Part { value: Some(f64::from(value)), end, nature: Nature::Literal })
        });
        if exponent.is_none_or(|exponent| matches!(exponent.value, Some(2.0 | 3.0))) {
            self.literals.truncate(known);
        }
        exponent
    }

    fn base(&mut self, at: usize, depth: usize) -> Option<Part> {
        match self.text.char(at)? {
            '\\' => self.fraction(at, depth).or_else(|| self.root(at, depth)).or_else(|| {
                let end = self.text.past_text(at, "\\pi")?;
                self.constant(std::f64::consts::PI, end)
            }),
            '√' | '∛' | 's' | 'c' => self.root(at, depth),
            'π' => self.constant(std::f64::consts::PI, at + 1),
            'p' => {
                let end = self.text.past_text(at, "pi")?;
                // By itself it is a word of prose.
                let is_factor =
                    depth > 0 || self.text.char(end) == Some('/') || self.follows_number(at);
                self.constant(std::f64::consts::PI, end).filter(|_| is_factor)
            }
            'e' => self.constant(std::f64::consts::E, at + 1),
            '(' => {
                let part = self.group(at, '(', ')', depth)?;
                let goes_on = |c| matches!(c, '^' | '*' | '/' | '√' | 'π' | '\\');
                let is_base = depth > 0
                    || self.text.is(part.end, goes_on)
                    || superscript(&self.text, part.end).is_some();
                is_base.then_some(part)
            }
            _ => self.literal(at, depth),
        }
    }

    /// A name that is a number, unless it goes on.
    fn constant(&self, value: f64, end: usize) -> Option<Part> {
        let ends = !self.text.is(end, is_word) || superscript(&self.text, end).is_some();
        ends.then_some(Part { value: Some(value), end, nature: Nature::Irrational })
    }

    /// Whether a number stands before a place, with nothing between but a sign and its spaces.
    fn follows_number(&self, at: usize) -> bool {
        let mut before = (0..at).rev().take(4).filter_map(|before| self.text.char(before));
        let factor = before.find(|c| !matches!(c, ' ' | '*' | '·' | '×'));
        factor.is_some_and(|c| c.is_ascii_digit())
    }

    /// A number that is written out, or with a fraction after it, as `2\frac{1}{2}`.
    fn literal(&mut self, at: usize, depth: usize) -> Option<Part> {
        let Literal { value, end, is_plain } = Literal::read(&self.text, at)?;
        self.literals.extend(value);
        let whole = Part { value, end, nature: Nature::Literal };
        let known = self.literals.len();
        let mixed = is_plain.then(|| self.fraction(end, depth)).flatten().filter(|part| {
            part.nature == Nature::Fraction
                && part.value.is_some_and(|part| 0.0 < part && part < 1.0)
        });
        if mixed.is_none() {
            self.literals.truncate(known);
        }
        Some(mixed.map_or(whole, |part| whole.with(part, Nature::Fraction, |a, b| a + b)))
    }

    /// `\frac{a}{b}`, `\frac12`.
    fn fraction(&mut self, at: usize, depth: usize) -> Option<Part> {
        let start = self.text.past_any(at, &FRACTIONS)?;
        let above = self.argument(start, depth)?;
        let below = self.argument(above.end, depth)?;
        Some(above.with(below, Nature::Fraction, |a, b| a / b))
    }

    /// `\sqrt{2}`, `\sqrt[3]{8}`, `√2`, `∛8`, `sqrt(2)`, `cbrt(8)`.
    fn root(&mut self, at: usize, depth: usize) -> Option<Part> {
        let (index, radicand) = if let Some(start) = self.text.past_text(at, "\\sqrt") {
            match self.text.past_text(start, "[") {
                Some(index) => {
                    let (index, end) = short_integer(&self.text, index)?;
                    (index, self.argument(self.text.past_text(end, "]")?, depth)?)
                }
                None => (2, self.argument(start, depth)?),
            }
        } else if let Some(start) = self.text.past_any(at, &["sqrt", "cbrt"]) {
            let index = if self.text.char(at) == Some('c') { 3 } else { 2 };
            (index, self.group(start, '(', ')', depth)?)
        } else {
            let index = if self.text.char(at) == Some('∛') { 3 } else { 2 };
            let start = self.text.past_any(at, &["√", "∛"])?;
            let radicand = self.group(start, '(', ')', depth);
            (index, radicand.or_else(|| self.literal(start, depth))?)
        };
        let root = radicand.map(|radicand| match index {
            2 => radicand.sqrt(),
            3 => radicand.cbrt(),
            4..=MOST_ROOT => radicand.powf(f64::from(index).recip()),
            _ => f64::NAN,
        });
        Some(Part { nature: Nature::Irrational, ..root })
    }

    /// What a command of LaTeX is given: a form in braces or a digit. Anything else in braces is no
    /// number, and nothing in it is one.
    fn argument(&mut self, at: usize, depth: usize) -> Option<Part> {
        if let Some(part) = self.group(at, '{', '}', depth) {
            return Some(part);
        }
        if let Some(digit) = self.text.char(at).and_then(|c| c.to_digit(10)) {
            let value = f64::from(digit);
            self.literals.push(value);
            return Some(Part { value: Some(value), end: at + 1, nature: Nature::Literal });
        }
        self.text.past_braces(at).map(Part::nothing)
    }

    /// A form with its sign in brackets.
    fn group(&mut self, at: usize, open: char, close: char, depth: usize) -> Option<Part> {
        if depth == MOST_DEPTH || self.text.char(at) != Some(open) {
            return None;
        }
        let start = self.text.past_gap(at + 1);
        let is_negative = self.text.is(start, |c| matches!(c, '-' | '−'));
        let start = if self.text.is(start, is_sign) { start + 1 } else { start };
        let part = self.product(start, depth + 1)?;
        let end = self.text.past_gap(part.end);
        let part = part.map(|value| if is_negative { -value } else { value });
        (self.text.char(end) == Some(close)).then_some(Part { end: end + 1, ..part })
    }
}

fn power(base: f64, exponent: f64) -> f64 {
    if exponent.fract() == 0.0 { base.powi(exponent as i32) } else { base.powf(exponent) }
}
