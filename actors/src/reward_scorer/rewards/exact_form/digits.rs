//! Numbers in other bases: `0b1011`, `0o17`, `0x1f`, `2B_12`.

use super::tokens::{Standing, Text};

/// The digits of a number, and their base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    digits: String,
    base: u32,
}

/// A run of letters and digits, `at..end`, without prefix and base.
struct Run {
    digits: String,
    at: usize,
    end: usize,
    has_prefix: bool,
}

impl Digits {
    /// A reference.
    pub(super) fn parse(reference: &str) -> Option<Self> {
        let (digits, base) = match reference.rsplit_once('_') {
            Some((digits, base)) => (digits, base.parse().ok()?),
            None => {
                let (prefix, digits) = reference.split_at_checked(2)?;
                (digits, base_of(prefix)?)
            }
        };
        let is_valid = (2..=36).contains(&base)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(base));
        is_valid.then(|| Self { digits: digits.to_ascii_lowercase(), base })
    }

    /// Whether the text states these digits. Leading zeros are as many as the reference's if it
    /// has any, and don't matter otherwise.
    pub(super) fn is_stated(&self, text: &Text) -> bool {
        let mut best: Option<(Standing, String)> = None;
        let mut at = 0;
        while at < text.chars.len() {
            text.work(1);
            let Some(run) = self.run(text, at) else {
                at += 1;
                continue;
            };
            if self.is_candidate(text, &run) {
                let standing = text.standing_of_chars(run.at, run.end);
                if best.as_ref().is_none_or(|(firmest, _)| standing >= *firmest) {
                    best = Some((standing, run.digits));
                }
            }
            at = run.end.max(at + 1);
        }
        best.is_some_and(|(_, digits)| {
            let digits = digits.to_ascii_lowercase();
            digits == self.digits
                || (!self.digits.starts_with('0') && digits.trim_start_matches('0') == self.digits)
        })
    }

    /// The run that begins here, groups of four binary digits joined.
    fn run(&self, text: &Text, at: usize) -> Option<Run> {
        let chars = &text.chars;
        if !chars.get(at)?.is_alphanumeric() {
            return None;
        }
        let mut end = past_run(chars, at);
        let word: String = chars.get(at..end)?.iter().collect();
        let prefix = word.split_at_checked(2).and_then(|(prefix, rest)| {
            (base_of(prefix) == Some(self.base) && !rest.is_empty()).then_some(rest)
        });
        text.work(2 * word.len());
        let mut digits = prefix.unwrap_or(&word).to_owned();
        // What follows such a group is one of binary digits again.
        let is_binary = self.base == 2 && digits.chars().all(|c| c.is_digit(2));
        while let Some(group) = binary_group(chars, end).filter(|_| is_binary) {
            text.work(group.len());
            digits.push_str(&group);
            end += 5;
        }
        Some(Run { has_prefix: prefix.is_some(), digits, at, end })
    }

    fn is_candidate(&self, text: &Text, run: &Run) -> bool {
        let is_numeral = run.digits.chars().all(|c| c.is_digit(self.base));
        // Words of the letters a to f are none.
        let looks_like_one = run.has_prefix
            || run.digits.contains(|c: char| c.is_ascii_digit())
            || (run.digits.len() > 1 && run.digits.chars().all(|c| c.is_ascii_uppercase()));
        let before: String = text
            .chars
            .get(run.at.saturating_sub(8)..run.at)
            .unwrap_or_default()
            .iter()
            .collect::<String>()
            .to_ascii_lowercase();
        let trimmed = before.trim_end_matches([' ', '-', '$']);
        let is_a_base = trimmed.ends_with("base") || before.ends_with(['_', '^']) || {
            before.ends_with('{') && before.trim_end_matches('{').ends_with(['_', '^'])
        };
        is_numeral
            && looks_like_one
            && !is_a_base
            && self.base_after(text, run.end).is_none_or(|base| base == self.base)
            && !is_operand(text, run)
    }

    /// The base that is written as a subscript.
    fn base_after(&self, text: &Text, end: usize) -> Option<u32> {
        let rest: String = text.chars.get(end..)?.iter().take(6).collect();
        let rest = rest.trim_start_matches(')').strip_prefix('_')?;
        let base = rest.trim_start_matches('{');
        let length = base.find(|c: char| !c.is_ascii_digit()).unwrap_or(base.len());
        base.get(..length)?.parse().ok()
    }
}

/// Whether a run stands within a calculation.
fn is_operand(text: &Text, run: &Run) -> bool {
    let before = text.chars.get(..run.at).unwrap_or_default().iter().rev();
    let after = text.chars.get(run.end..).unwrap_or_default().iter();
    is_operator(before.filter(|c| **c != ' ').take(2).copied().collect())
        || is_operator(after.filter(|c| **c != ' ').take(2).copied().collect())
}

/// Whether the next two characters that are no spaces calculate; an asterisk may be emphasis.
fn is_operator(next: Vec<char>) -> bool {
    match next.as_slice() {
        ['*', other] => other.is_alphanumeric() || matches!(other, '(' | ')'),
        [c, ..] => matches!(c, '+' | '/' | '^'),
        [] => false,
    }
}

/// Four binary digits after one space or underscore.
fn binary_group(chars: &[char], at: usize) -> Option<String> {
    let is_joint = matches!(chars.get(at)?, ' ' | '_');
    let ends = past_run(chars, at + 1) == at + 5;
    let group: String = chars.get(at + 1..at + 5)?.iter().collect();
    (is_joint && ends && group.chars().all(|c| c.is_digit(2))).then_some(group)
}

fn past_run(chars: &[char], at: usize) -> usize {
    let rest = chars.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|c| c.is_alphanumeric()).count()
}

fn base_of(prefix: &str) -> Option<u32> {
    match prefix {
        "0b" | "0B" => Some(2),
        "0o" | "0O" => Some(8),
        "0x" | "0X" => Some(16),
        _ => None,
    }
}
