//! A text as numbers, words and symbols, and which of its statements is its answer.

use super::clean;
use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::rewards::announcement::{ANNOUNCEMENTS, is_decoration};

/// How far before an equals sign an announcement may stand.
const LEFT_SIDE: usize = 40;
/// Most steps that reading a text may take: looks at tokens, and what readers count besides. Honest
/// texts take a few for each of their characters.
pub(super) const MOST_WORK: u64 = 1_000_000;
/// How often a text is gone through before it is read: to be cleaned, to be cut into tokens, and
/// for each announcement.
const PASSES: usize = 3 + ANNOUNCEMENTS.len();

/// A text's end, cleaned and cut into tokens.
pub(super) struct Text<'a> {
    pub(super) chars: Vec<char>,
    pub(super) tokens: Vec<Token>,
    /// For every character whether an announcement stands right before it.
    announced: Vec<bool>,
    effort: &'a Effort,
    /// The effort before it was read.
    before: u64,
}

/// One token and the characters that it is, `at..end`.
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: usize,
    pub(super) end: usize,
}

/// What a token is. Emphasis, dollar signs and white space but line ends are none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// Digits, with as many decimals as they say.
    Number { value: f64, decimals: usize },
    /// Letters, and digits after them.
    Word(String),
    /// `\frac` or `\boxed`, without the backslash.
    Command(String),
    /// Any other character; `**` as a power is `^`.
    Symbol(char),
}

/// How firmly a text states something as its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It is in the text.
    Said,
    /// It stands in bold type or in a code span of its own.
    Emphasised,
    /// `The answer is …`, `\boxed{…}`.
    Announced,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &str, effort: &'a Effort) -> Self {
        let chars = clean::clean(text);
        effort.spend(PASSES * chars.len());
        let announced = announced(&chars);
        let tokens = Lexer { chars: &chars, at: 0, tokens: Vec::new() }.run();
        Self { chars, tokens, announced, effort, before: effort.spent() }
    }

    /// The last of the most firmly stated values that `read` finds: given a token's place it
    /// returns a value and the place after its last token. Parts of a calculation are passed over. A
    /// text that takes more than [`MOST_WORK`] states nothing.
    pub(super) fn answer<T>(&self, read: impl Fn(usize) -> Option<(T, usize)>) -> Option<T> {
        let mut best: Option<(Standing, T)> = None;
        let mut place = 0;
        while place < self.tokens.len() {
            if !self.work(1) {
                return None;
            }
            let Some((value, end)) = read(place) else {
                place += 1;
                continue;
            };
            if !self.is_operand(place, end) {
                let standing = self.standing(place, end);
                if best.as_ref().is_none_or(|(firmest, _)| standing >= *firmest) {
                    best = Some((standing, value));
                }
            }
            place = end.max(place + 1);
        }
        best.map(|(_, value)| value)
    }

    /// Counts steps of reading; whether there are any left.
    pub(super) fn work(&self, steps: usize) -> bool {
        self.effort.spend(steps);
        self.taken() <= MOST_WORK
    }

    /// Steps that reading it took so far.
    pub(super) fn taken(&self) -> u64 {
        self.effort.spent() - self.before
    }

    /// What a token is.
    pub(super) fn kind(&self, place: usize) -> Option<&TokenKind> {
        self.work(1);
        self.tokens.get(place).map(|token| &token.kind)
    }

    pub(super) fn symbol(&self, place: usize) -> Option<char> {
        match self.kind(place)? {
            TokenKind::Symbol(c) => Some(*c),
            _ => None,
        }
    }

    pub(super) fn word(&self, place: usize) -> Option<&str> {
        match self.kind(place)? {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The place after line ends.
    pub(super) fn past_lines(&self, mut place: usize) -> usize {
        while self.symbol(place) == Some('\n') {
            place += 1;
        }
        place
    }

    /// How firmly the tokens `place..end` are stated.
    pub(super) fn standing(&self, place: usize, end: usize) -> Standing {
        let (Some(first), Some(last)) =
            (self.tokens.get(place), end.checked_sub(1).and_then(|last| self.tokens.get(last)))
        else {
            return Standing::Said;
        };
        self.standing_of_chars(first.at, last.end)
    }

    /// How firmly the characters `at..end` are stated.
    pub(super) fn standing_of_chars(&self, at: usize, end: usize) -> Standing {
        self.work(LEFT_SIDE);
        if self.is_announced(at) {
            Standing::Announced
        } else if self.is_emphasised(at, end) {
            Standing::Emphasised
        } else {
            Standing::Said
        }
    }

    fn is_announced(&self, at: usize) -> bool {
        let is = |at: usize| self.announced.get(at).copied().unwrap_or(false);
        if is(at) {
            return true;
        }
        // `The answer is x = 3`: an announcement may stand before the left side.
        let before = self.chars.get(..at).unwrap_or_default();
        let left = before.len() - before.iter().rev().take_while(|c| is_space(**c)).count();
        let equals = left.checked_sub(1).filter(|place| self.chars.get(*place) == Some(&'='));
        equals.is_some_and(|equals| {
            (0..equals)
                .rev()
                .take(LEFT_SIDE)
                .take_while(|place| self.chars.get(*place) != Some(&'\n'))
                .any(is)
        })
    }

    fn is_emphasised(&self, at: usize, end: usize) -> bool {
        let before = self.chars.get(..at).unwrap_or_default().iter().rev();
        let after = self.chars.get(end..).unwrap_or_default().iter();
        let mut before = before.skip_while(|c| is_space(**c)).take(2);
        let mut after = after.skip_while(|c| is_space(**c) || matches!(c, '.' | ',' | ':')).take(2);
        match (before.next(), after.next()) {
            (Some('`'), Some('`')) => true,
            (Some('*'), Some('*')) => before.next() == Some(&'*') && after.next() == Some(&'*'),
            (Some('_'), Some('_')) => before.next() == Some(&'_') && after.next() == Some(&'_'),
            _ => false,
        }
    }

    /// Whether the tokens `place..end` are a part of a calculation.
    fn is_operand(&self, mut place: usize, mut end: usize) -> bool {
        while let Some(opening) = place.checked_sub(1)
            && self.symbol(opening) == Some('(')
            && self.symbol(end) == Some(')')
        {
            (place, end) = (opening, end + 1);
            if self.is_factor(place, end) {
                return true;
            }
        }
        let is_value = |place: Option<usize>| match place.and_then(|place| self.kind(place)) {
            Some(TokenKind::Number { .. }) => true,
            Some(TokenKind::Word(word)) => word.chars().count() == 1,
            Some(TokenKind::Symbol(c)) => matches!(c, ')' | ']' | '}'),
            Some(TokenKind::Command(_)) | None => false,
        };
        let before = place.checked_sub(1);
        let begins_with_sign = matches!(self.symbol(place), Some('+' | '-'));
        let follows = match before.and_then(|before| self.symbol(before)) {
            Some('*' | '/' | '^' | '+') => true,
            Some('-') => is_value(before.and_then(|before| before.checked_sub(1))),
            _ => begins_with_sign && is_value(before),
        };
        let goes_on = match self.symbol(end) {
            Some('*' | '/' | '^' | '+') => true,
            Some('-') => self.is_one_with_next(end),
            _ => false,
        };
        follows || goes_on
    }

    /// Whether a bracket, the tokens `place..end`, stands right beside another or after a number.
    fn is_factor(&self, place: usize, end: usize) -> bool {
        let is_glued = |left: usize, right: usize| {
            let ends = self.tokens.get(left).zip(self.tokens.get(right));
            ends.is_some_and(|(left, right)| left.end == right.at)
        };
        let multiplies = |before: usize| {
            let is_left = matches!(self.kind(before), Some(TokenKind::Number { .. }))
                || self.symbol(before) == Some(')');
            is_left && is_glued(before, place)
        };
        place.checked_sub(1).is_some_and(multiplies)
            || (self.symbol(end) == Some('(') && is_glued(end - 1, end))
    }

    /// Whether a minus subtracts something: a dash of prose is followed by a word.
    fn is_one_with_next(&self, minus: usize) -> bool {
        match self.kind(minus + 1) {
            Some(TokenKind::Number { .. } | TokenKind::Command(_)) => true,
            Some(TokenKind::Symbol(c)) => matches!(c, '(' | '['),
            Some(TokenKind::Word(word)) => word.chars().count() == 1,
            None => false,
        }
    }
}

/// For every character whether an announcement stands right before it.
fn announced(chars: &[char]) -> Vec<bool> {
    let lower: Vec<char> = chars.iter().map(char::to_ascii_lowercase).collect();
    let mut announced = vec![false; chars.len()];
    for phrase in ANNOUNCEMENTS {
        let phrase: Vec<char> = phrase.chars().collect();
        for (at, window) in lower.windows(phrase.len()).enumerate() {
            if window == phrase {
                mark(&lower, at + phrase.len(), &mut announced);
            }
        }
    }
    announced
}

/// Marks the place at `from` and those up to the end of the decoration.
fn mark(chars: &[char], from: usize, announced: &mut [bool]) {
    for (c, is_announced) in chars.iter().zip(announced).skip(from) {
        if *is_announced {
            return;
        }
        *is_announced = true;
        if !is_decoration(*c) {
            return;
        }
    }
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(mut self) -> Vec<Token> {
        while let Some(c) = self.char(self.at) {
            let at = self.at;
            match self.token(c, at) {
                Some((kind, end)) => {
                    self.tokens.push(Token { kind, at, end });
                    self.at = end;
                }
                None => self.at += 1,
            }
        }
        self.tokens
    }

    fn char(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn past(&self, at: usize, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|c| wanted(**c)).count()
    }

    fn text(&self, at: usize, end: usize) -> String {
        self.chars.get(at..end).unwrap_or_default().iter().collect()
    }

    fn token(&mut self, c: char, at: usize) -> Option<(TokenKind, usize)> {
        let next = self.char(at + 1);
        match c {
            '0'..='9' => Some(self.number(at)),
            '.' if next.is_some_and(|c| c.is_ascii_digit()) => Some(self.number(at)),
            '\\' => {
                let end = self.past(at + 1, char::is_alphabetic);
                Some((TokenKind::Command(self.text(at + 1, end)), end))
            }
            '*' => self.asterisk(at),
            '-' if next.is_some_and(is_space) && self.begins_line(at) => None,
            '`' | '_' if next == Some(c) => {
                self.at += 1;
                None
            }
            '`' => None,
            '\n' => Some((TokenKind::Symbol(c), at + 1)),
            c if is_space(c) => None,
            c if c.is_alphabetic() => {
                let end = self.past(at, char::is_alphanumeric);
                Some((TokenKind::Word(self.text(at, end)), end))
            }
            c => Some((TokenKind::Symbol(c), at + 1)),
        }
    }

    fn number(&self, at: usize) -> (TokenKind, usize) {
        let whole = self.past(at, |c| c.is_ascii_digit());
        let part = self.past(whole + 1, |c| c.is_ascii_digit());
        let has_part = self.char(whole) == Some('.') && part > whole + 1;
        let end = if has_part { part } else { whole };
        let decimals = if has_part { part - whole - 1 } else { 0 };
        let value = self.text(at, end).parse().unwrap_or(f64::INFINITY);
        (TokenKind::Number { value, decimals }, end)
    }

    /// A power, a product, or emphasis, which is none.
    fn asterisk(&mut self, at: usize) -> Option<(TokenKind, usize)> {
        let before = at.checked_sub(1).and_then(|before| self.char(before));
        let follows_value = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | '}'));
        if self.char(at + 1) == Some('*') {
            let is_power = follows_value
                && self.char(at + 2).is_some_and(|c| c.is_ascii_digit() || matches!(c, '(' | '{'));
            self.at += usize::from(!is_power);
            return is_power.then_some((TokenKind::Symbol('^'), at + 2));
        }
        let spaced_before = before.is_some_and(is_space);
        let spaced_after = self.char(at + 1).is_some_and(is_space);
        let is_product = !self.begins_line(at)
            && ((spaced_before && spaced_after)
                || (follows_value || before == Some(']'))
                    && self
                        .char(at + 1)
                        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '(' | '[' | '\\')));
        is_product.then_some((TokenKind::Symbol('*'), at + 1))
    }

    fn begins_line(&self, at: usize) -> bool {
        let before = self.chars.get(..at).unwrap_or_default().iter().rev();
        before.copied().take(8).find(|c| !is_space(*c)).is_none_or(|c| c == '\n')
    }
}

/// White space within a line, and the signs that set off a formula.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\n') || c == '$'
}
