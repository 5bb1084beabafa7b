//! How texts say that their answer comes now; shared by the measures that look for it.

/// What stands before an answer, in lower case; decoration may follow it.
pub(super) const ANNOUNCEMENTS: [&str; 5] =
    ["answer", "answer is", "answer is approximately", "answer is about", "\\boxed"];

/// What may stand between an announcement and the answer.
pub(super) fn is_decoration(c: char) -> bool {
    c.is_whitespace() || "$€£*_`\"'([{:=≈\\".contains(c)
}
