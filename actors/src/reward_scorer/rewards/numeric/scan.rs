//! Characters to be read from any place, each look of which is counted.

use crate::reward_scorer::effort::Effort;

/// Signs that multiply.
pub(super) const TIMES: [&str; 6] = ["*", "×", "·", "⋅", "\\cdot", "\\times"];
/// Characters after an opening brace among which its counterpart is looked for.
const MOST_BRACED: usize = 200;

/// A text as characters.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) chars: &'a [char],
    pub(super) effort: &'a Effort,
}

impl Scan<'_> {
    pub(super) fn char(&self, at: usize) -> Option<char> {
        self.effort.spend(1);
        self.chars.get(at).copied()
    }

    /// The character before a place.
    pub(super) fn before(&self, at: usize) -> Option<char> {
        at.checked_sub(1).and_then(|before| self.char(before))
    }

    pub(super) fn is(&self, at: usize, wanted: impl Fn(char) -> bool) -> bool {
        self.char(at).is_some_and(wanted)
    }

    pub(super) fn is_digit(&self, at: usize) -> bool {
        self.is(at, |c| c.is_ascii_digit())
    }

    /// Past all characters from `at` on that are as wanted.
    pub(super) fn past(&self, at: usize, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(at..).unwrap_or_default();
        let count = rest.iter().take_while(|c| wanted(**c)).count();
        self.effort.spend(count + 1);
        at + count
    }

    pub(super) fn past_word(&self, at: usize) -> usize {
        self.past(at, is_word)
    }

    pub(super) fn past_digits(&self, at: usize) -> usize {
        self.past(at, |c| c.is_ascii_digit())
    }

    /// Past what LaTeX and prose put between two factors; a line does not go on in the next.
    pub(super) fn past_gap(&self, at: usize) -> usize {
        let end = self.past(at, |c| c.is_whitespace() && c != '\n');
        self.past_any(end, &["\\,", "\\;", "\\ "]).unwrap_or(end)
    }

    pub(super) fn past_text(&self, at: usize, text: &str) -> Option<usize> {
        self.effort.spend(1);
        let mut rest = self.chars.get(at..)?.iter();
        text.chars().all(|c| rest.next() == Some(&c)).then(|| at + text.chars().count())
    }

    pub(super) fn past_any(&self, at: usize, texts: &[&str]) -> Option<usize> {
        texts.iter().find_map(|text| self.past_text(at, text))
    }

    /// Past a brace's counterpart.
    pub(super) fn past_braces(&self, at: usize) -> Option<usize> {
        let start = self.past_text(at, "{")?;
        let mut depth = 1_usize;
        for end in start..start + MOST_BRACED {
            match self.char(end)? {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(end + 1);
            }
        }
        None
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn is_sign(c: char) -> bool {
    matches!(c, '+' | '-' | '−')
}
