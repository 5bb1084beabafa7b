//! Where measures look for an answer, and how texts say that it comes now.

/// What stands before an answer, in lower case; decoration may follow it.
pub(super) const ANNOUNCEMENTS: [&str; 5] =
    ["answer", "answer is", "answer is approximately", "answer is about", "\\boxed"];

/// How many characters before an answer are looked at, decoration among them.
pub(super) const ANNOUNCED: usize = 64;

/// Whether a text ends with an announcement, so that an answer comes next.
pub(super) fn announces(before: &str) -> bool {
    let before = before.trim_end_matches(is_decoration).to_ascii_lowercase();
    ANNOUNCEMENTS.iter().any(|announcement| before.ends_with(announcement))
}

/// What may stand between an announcement and the answer.
pub(super) fn is_decoration(c: char) -> bool {
    c.is_whitespace() || "$€£*_`\"'([{:=≈\\".contains(c)
}

/// The last `most` characters of a text, without a first word that may lack its beginning.
pub(super) fn tail(text: &str, most: usize) -> Vec<char> {
    let mut chars: Vec<char> = text.chars().rev().take(most + 1).collect();
    chars.reverse();
    if chars.len() > most {
        let cut = chars.iter().position(|c| c.is_whitespace()).map_or(chars.len(), |at| at + 1);
        chars.drain(..cut);
    }
    chars
}
