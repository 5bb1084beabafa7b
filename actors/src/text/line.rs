//! Foreign text where a person reads it: in an error, in the journal, on a terminal.

/// One line of so many characters at most, without control characters; a cut is shown.
#[must_use]
pub fn one_line(text: &str, characters: usize) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut line: String = text.chars().take(characters).map(plain).collect();
    if text.chars().nth(characters).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_moves_a_cursor_is_blank() {
        assert_eq!(one_line("tea", 3), "tea");
        assert_eq!(one_line("té\n\u{1b}[2Ja", 4), "té  …");
    }
}
