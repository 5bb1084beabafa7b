//! Foreign texts in messages, logs and the journal.

/// The most of a foreign text that is passed on, in characters.
pub const MOST_SHOWN: usize = 200;

/// A foreign text made fit to be shown: one line, no control characters, shortened.
#[must_use]
pub fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text = text.trim();
    let mut short: String = text.chars().take(MOST_SHOWN).map(plain).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_and_cleans_foreign_texts() {
        assert_eq!(shown(" a\r\nb\u{1b}[2J "), "a  b [2J");
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(shown(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }
}
