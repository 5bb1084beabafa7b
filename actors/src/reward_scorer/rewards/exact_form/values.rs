//! Numbers and fractions, and their lists, tuples and matrices.

use super::tokens::{Text, TokenKind};

/// How far two equal values may lie apart, since a fraction may be written as a decimal.
const TOLERANCE: f64 = 1e-9;
/// Most entries of a list that are read.
const MOST_ENTRIES: usize = 256;

/// A number as it is written: `-3`, `2.50`, `3/4`, `\frac{3}{4}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) value: f64,
    /// As many as are written.
    pub(super) decimals: usize,
    pub(super) is_fraction: bool,
}

impl Entry {
    /// The entry with its sign that begins at a place, and the place after it.
    pub(super) fn read(text: &Text, place: usize) -> Option<(Self, usize)> {
        match text.symbol(place) {
            Some('-') => {
                let (entry, end) = Self::unsigned(text, place + 1)?;
                Some((Self { value: -entry.value, ..entry }, end))
            }
            Some('+') => Self::unsigned(text, place + 1),
            _ => Self::unsigned(text, place),
        }
    }

    /// A number or a fraction without a sign.
    pub(super) fn unsigned(text: &Text, place: usize) -> Option<(Self, usize)> {
        match text.kind(place)? {
            TokenKind::Number { value, decimals } => {
                if text.symbol(place + 1) == Some('/')
                    && let Some(TokenKind::Number { value: below, .. }) = text.kind(place + 2)
                {
                    return Some((Self::fraction(*value, *below)?, place + 3));
                }
                let entry = Self { value: *value, decimals: *decimals, is_fraction: false };
                Some((entry, place + 1))
            }
            TokenKind::Command(name) if name == "frac" => {
                let (above, end) = Self::braced(text, place + 1)?;
                let (below, end) = Self::braced(text, end)?;
                Some((Self::fraction(above, below)?, end))
            }
            _ => None,
        }
    }

    /// `{3}`, `{-3}`.
    fn braced(text: &Text, place: usize) -> Option<(f64, usize)> {
        let place = (text.symbol(place) == Some('{')).then_some(place + 1)?;
        let negative = text.symbol(place) == Some('-');
        let place = place + usize::from(negative);
        let Some(TokenKind::Number { value, .. }) = text.kind(place) else { return None };
        let closes = text.symbol(place + 1) == Some('}');
        closes.then_some((if negative { -value } else { *value }, place + 2))
    }

    fn fraction(above: f64, below: f64) -> Option<Self> {
        let value = above / below;
        value.is_finite().then_some(Self { value, decimals: 0, is_fraction: true })
    }

    /// Whether a given number says what this one asks for: the same value, or one that is more
    /// precise than this decimal and rounds to it.
    pub(super) fn admits(&self, given: &Self) -> bool {
        let difference = (self.value - given.value).abs();
        let is_finer = given.is_fraction || given.decimals > self.decimals;
        let rounding = match i32::try_from(self.decimals) {
            Ok(decimals) if decimals > 0 && is_finer => 0.5 * 0.1_f64.powi(decimals),
            _ => 0.0,
        };
        difference <= rounding + TOLERANCE
    }
}

/// Whether the entries of both are the same, in order.
pub(super) fn all_admit(reference: &[Entry], given: &[Entry]) -> bool {
    reference.len() == given.len()
        && reference.iter().zip(given).all(|(right, given)| right.admits(given))
}

/// Whether each entry of one is among those of the other.
pub(super) fn same_set(reference: &[Entry], given: &[Entry]) -> bool {
    reference.iter().all(|right| given.iter().any(|given| right.admits(given)))
        && given.iter().all(|given| reference.iter().any(|right| right.admits(given)))
}

/// `2, 2, 3`, with or without brackets of any kind. Where `wanted` entries are two, `2 and 3` is
/// a list too; where it is one, so is `{2}`.
pub(super) fn list(text: &Text, place: usize, wanted: usize) -> Option<(Vec<Entry>, usize)> {
    let pair = wanted == 2;
    let single = wanted == 1 && text.symbol(place).and_then(closing).is_some();
    let (entries, end) = match text.symbol(place).and_then(closing) {
        Some(closing) => {
            let (entries, end) = separated(text, place + 1, pair)?;
            (entries, (text.symbol(end) == Some(closing)).then_some(end + 1)?)
        }
        None => separated(text, place, pair)?,
    };
    (single || entries.len() > 1).then_some((entries, end))
}

/// `(3, -1)`, a matrix of one row or column, or `x = 3, y = -1` for so many `names`.
pub(super) fn tuple(text: &Text, place: usize, names: usize) -> Option<(Vec<Entry>, usize)> {
    if let Some((rows, end)) = matrix(text, place) {
        let is_vector = rows.len() == 1 || rows.iter().all(|row| row.len() == 1);
        return is_vector.then(|| (rows.concat(), end));
    }
    match text.symbol(place) {
        Some('(' | '[' | '<') => {
            let (entries, end) = separated(text, place + 1, false)?;
            let closes = matches!(text.symbol(end), Some(')' | ']' | '>'));
            (closes && entries.len() > 1).then_some((entries, end + 1))
        }
        _ => assignments(text, place, names),
    }
}

/// `x = 3, y = -1`, `x = 3 and y = -1`, with names of one letter that rise.
fn assignments(text: &Text, mut place: usize, names: usize) -> Option<(Vec<Entry>, usize)> {
    let (mut entries, mut before) = (Vec::new(), String::new());
    loop {
        let name = text.word(place).filter(|name| name.chars().count() == 1)?;
        if *name <= *before || text.symbol(place + 1) != Some('=') {
            return None;
        }
        before = name.to_owned();
        let (entry, end) = Entry::read(text, place + 2)?;
        entries.push(entry);
        if entries.len() == names {
            return Some((entries, end));
        }
        place = end;
        while matches!(text.symbol(place), Some(',' | ';' | '\n')) || is_and(text, place) {
            place += 1;
        }
    }
}

/// `[[1, 2], [3, 4]]`, also without commas.
pub(super) fn matrix(text: &Text, place: usize) -> Option<(Vec<Vec<Entry>>, usize)> {
    (text.symbol(place) == Some('[')).then_some(())?;
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut count = 0;
    let mut place = text.past_lines(place + 1);
    loop {
        match text.symbol(place)? {
            // An empty row comes of a line end after the last one.
            '[' if is_empty_row(text, place) => place = text.past_lines(place + 1) + 1,
            '[' => {
                let (row, end) = matrix_row(text, place + 1)?;
                count += row.len();
                rows.push(row);
                place = end;
            }
            ',' if !rows.is_empty() => place += 1,
            ']' if !rows.is_empty() => return Some((rows, place + 1)),
            _ => return None,
        }
        if count > MOST_ENTRIES {
            return None;
        }
        place = text.past_lines(place);
    }
}

fn is_empty_row(text: &Text, place: usize) -> bool {
    text.symbol(text.past_lines(place + 1)) == Some(']')
}

fn matrix_row(text: &Text, mut place: usize) -> Option<(Vec<Entry>, usize)> {
    let mut row = Vec::new();
    while row.len() < MOST_ENTRIES {
        let (entry, end) = Entry::read(text, text.past_lines(place))?;
        row.push(entry);
        place = text.past_lines(end);
        match text.symbol(place) {
            Some(']') => return Some((row, place + 1)),
            Some(',') => place += 1,
            _ => {}
        }
    }
    None
}

/// Entries with commas or semicolons between them, and `and` before the last.
fn separated(text: &Text, place: usize, pair: bool) -> Option<(Vec<Entry>, usize)> {
    let (first, mut end) = Entry::read(text, place)?;
    let mut entries = vec![first];
    while entries.len() < MOST_ENTRIES {
        let comma = matches!(text.symbol(end), Some(',' | ';'));
        let and = is_and(text, end + usize::from(comma));
        let next = end + usize::from(comma) + usize::from(and);
        let is_separated = comma || (and && (pair || entries.len() > 1));
        let Some((entry, past)) = is_separated.then(|| Entry::read(text, next)).flatten() else {
            return Some((entries, end));
        };
        entries.push(entry);
        end = past;
        if and {
            return Some((entries, end));
        }
    }
    None
}

fn is_and(text: &Text, place: usize) -> bool {
    text.word(place).is_some_and(|word| word.eq_ignore_ascii_case("and"))
}

fn closing(opening: char) -> Option<char> {
    match opening {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    }
}
