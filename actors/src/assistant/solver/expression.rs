//! Sums, products, powers and factorials of exact fractions, in signs or in words.

use super::numbers::{fraction, gcd, literal, shown};

/// No expression has more signs and numbers.
const MOST_TOKENS: usize = 64;
/// Brackets within brackets.
const DEEPEST: usize = 16;
/// No number of an expression, and no result on the way to the solution, is larger.
const LARGEST: i128 = 1_000_000_000_000_000_000_000_000_000_000;
/// What is asked of an expression begins so.
const BEGINS: [&str; 6] =
    ["what is ", "what's ", "calculate ", "compute ", "evaluate ", "how much is "];
/// Operations in words, longest first.
const WORDS: [(&str, &str); 9] = [
    (" raised to the power of ", "^"),
    (" to the power of ", "^"),
    (" multiplied by ", "*"),
    (" divided by ", ":"),
    (" percent of ", "%"),
    (" plus ", "+"),
    (" minus ", "-"),
    (" times ", "*"),
    ("the square of ", "²"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Number(Ratio),
    Sign(char),
}

/// An exact fraction whose lower number is above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ratio {
    above: i128,
    below: i128,
}

impl Ratio {
    fn new(above: i128, below: i128) -> Option<Self> {
        let common = gcd(above, below);
        let sign = if below < 0 { -1 } else { 1 };
        let ratio = Self {
            above: sign * above.checked_div(common)?,
            below: sign * below.checked_div(common)?,
        };
        let small = ratio.above.unsigned_abs() <= LARGEST.unsigned_abs() && ratio.below <= LARGEST;
        (ratio.below > 0 && small).then_some(ratio)
    }

    fn read(literal: &str) -> Option<Self> {
        let (whole, decimals) = literal.split_once('.').unwrap_or((literal, ""));
        let scale = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        Self::new(format!("{whole}{decimals}").parse().ok()?, scale)
    }

    fn plus(self, other: Self) -> Option<Self> {
        let left = self.above.checked_mul(other.below)?;
        let right = other.above.checked_mul(self.below)?;
        Self::new(left.checked_add(right)?, self.below.checked_mul(other.below)?)
    }

    fn times(self, other: Self) -> Option<Self> {
        let above = self.above.checked_mul(other.above)?;
        Self::new(above, self.below.checked_mul(other.below)?)
    }

    fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.below, other.above)?)
    }

    fn power(self, exponent: Self) -> Option<Self> {
        let times =
            (exponent.below == 1 && exponent.above.abs() <= 100).then_some(exponent.above)?;
        let base = if times < 0 { Self::new(self.below, self.above)? } else { self };
        let one = Self { above: 1, below: 1 };
        (0..times.abs()).try_fold(one, |product, _| product.times(base))
    }

    fn factorial(self) -> Option<Self> {
        let of = (self.below == 1 && (0..=27).contains(&self.above)).then_some(self.above)?;
        Some(Self { above: (1..=of).product(), below: 1 })
    }

    fn negative(self) -> Self {
        Self { above: -self.above, below: self.below }
    }

    fn shown(self, asked: &str) -> Option<String> {
        if self.below == 1 {
            return Some(self.above.to_string());
        }
        if asked.contains("fraction") && !asked.contains("two decimals") {
            return fraction(self.above, self.below);
        }
        shown(self.above as f64 / self.below as f64, asked)
    }
}

/// The value of an expression that a text asks for, in lower case.
pub(super) fn asked(text: &str) -> Option<String> {
    BEGINS.iter().find_map(|begins| {
        let (_, rest) = text.rsplit_once(begins)?;
        let (expression, wanted) = whole_expression(rest)?;
        if begins.starts_with("what") && is_name(&expression) {
            return None;
        }
        let tokens = tokens(&expression)?;
        // A number alone asks for nothing.
        let works = tokens.iter().any(|token| matches!(token, Token::Sign(sign) if *sign != '-'))
            || tokens.iter().filter(|token| matches!(token, Token::Number(_))).count() > 1;
        if !works {
            return None;
        }
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
        let value = parser.sum()?;
        (parser.at == tokens.len()).then_some(())?;
        value.shown(wanted)
    })
}

/// Whether numbers are written together as in `9/11`, `24/7` and `9-1-1`, which are names as well.
fn is_name(expression: &str) -> bool {
    expression.trim().chars().all(|letter| letter.is_ascii_digit() || "/-".contains(letter))
}

/// The expression up to the end of its sentence, in signs, and what is said of it afterwards.
fn whole_expression(rest: &str) -> Option<(String, &str)> {
    let end = rest.char_indices().find(|(at, letter)| {
        let next = rest.get(at + letter.len_utf8()..).and_then(|rest| rest.chars().next());
        matches!(letter, '?' | '=' | ',' | '\n')
            || (*letter == '.' && !next.is_some_and(|next| next.is_ascii_digit()))
    });
    let end = end.map_or(rest.len(), |(at, _)| at);
    let (expression, wanted) = rest.split_at_checked(end)?;
    let mut signs = format!(" {} ", expression.trim());
    for (word, sign) in WORDS {
        signs = signs.replace(word, &format!(" {sign} "));
    }
    Some((signs, wanted))
}

fn tokens(expression: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(letter) = rest.chars().next() {
        if tokens.len() == MOST_TOKENS {
            return None;
        }
        let length = if letter.is_ascii_digit() {
            let literal = literal(rest);
            tokens.push(Token::Number(Ratio::read(literal)?));
            literal.len()
        } else {
            let sign = match letter {
                '+' | '*' | '/' | '(' | ')' | '^' | '!' | '%' | '-' | ':' | '²' => letter,
                '×' | '·' => '*',
                '÷' => ':',
                '−' => '-',
                _ => return None,
            };
            tokens.push(Token::Sign(sign));
            letter.len_utf8()
        };
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

/// By descent; `:` is a division that was written in words and so binds less than a fraction's bar.
struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn next_is(&mut self, sign: char) -> bool {
        let is = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    fn sum(&mut self) -> Option<Ratio> {
        let mut value = self.quotient()?;
        loop {
            if self.next_is('+') {
                value = value.plus(self.quotient()?)?;
            } else if self.next_is('-') {
                value = value.plus(self.quotient()?.negative())?;
            } else {
                return Some(value);
            }
        }
    }

    fn quotient(&mut self) -> Option<Ratio> {
        let mut value = self.product()?;
        while self.next_is(':') {
            value = value.over(self.product()?)?;
        }
        Some(value)
    }

    fn product(&mut self) -> Option<Ratio> {
        let mut value = self.signed()?;
        loop {
            if self.next_is('*') {
                value = value.times(self.signed()?)?;
            } else if self.next_is('/') {
                value = value.over(self.signed()?)?;
            } else if self.next_is('%') {
                value = value.times(self.signed()?)?.times(Ratio { above: 1, below: 100 })?;
            } else {
                return Some(value);
            }
        }
    }

    fn signed(&mut self) -> Option<Ratio> {
        if self.next_is('-') {
            return Some(self.power()?.negative());
        }
        if self.next_is('²') {
            let base = self.signed()?;
            return base.times(base);
        }
        self.power()
    }

    fn power(&mut self) -> Option<Ratio> {
        let mut base = self.number()?;
        while self.next_is('!') {
            base = base.factorial()?;
        }
        if self.next_is('^') {
            let negative = self.next_is('-');
            let exponent = self.number()?;
            let exponent = if negative { exponent.negative() } else { exponent };
            // A power of a power is read in two ways.
            return if self.next_is('^') { None } else { base.power(exponent) };
        }
        Some(base)
    }

    fn number(&mut self) -> Option<Ratio> {
        if self.next_is('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            let value = self.sum()?;
            self.depth -= 1;
            return self.next_is(')').then_some(value);
        }
        match self.tokens.get(self.at) {
            Some(Token::Number(value)) => {
                self.at += 1;
                Some(*value)
            }
            _ => None,
        }
    }
}
