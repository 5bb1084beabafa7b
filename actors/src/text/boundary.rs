//! Where a text may be cut.

/// The last boundary between characters that is not behind byte `index`.
#[must_use]
pub fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_goes_through_a_character() {
        assert_eq!([0, 1, 2, 3, 4, 9].map(|index| floor("aé🦀", index)), [0, 1, 1, 3, 3, 7]);
        assert_eq!(floor("", 5), 0);
    }
}
