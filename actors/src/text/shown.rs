//! Foreign texts in messages, logs and the journal.

/// The most of a foreign text that is passed on, in characters.
pub const MOST_SHOWN: usize = 200;

/// A foreign text made fit to be shown: one line, no control characters, shortened.
#[must_use]
pub fn shown(text: &str) -> String {
    let text = text.trim();
    let mut short: String = text.chars().take(MOST_SHOWN).map(harmless).collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// A blank instead of what would move the cursor. Bidirectional overrides would let a stranger's text
/// rearrange the line around it.
#[must_use]
pub fn harmless(c: char) -> char {
    let moves = c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if moves { ' ' } else { c }
}

/// A text of several lines without other control characters, cut between words where it is longer
/// than `most` characters.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    let plain = text.chars().filter(|c| *c == '\n' || !c.is_control());
    let mut kept: String = plain.take(most + 1).collect();
    if kept.chars().count() > most {
        let cut = kept.trim_end_matches(|c: char| !c.is_whitespace()).trim_end().len();
        let end = kept.char_indices().nth(most).map_or(kept.len(), |(at, _)| at);
        kept.truncate(if cut == 0 { end } else { cut });
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_and_cleans_foreign_texts() {
        assert_eq!(shown(" a\r\nb\u{1b}[2J\u{202e}c "), "a  b [2J c");
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(shown(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }

    #[test]
    fn a_long_text_is_cut_between_words_where_there_are_some() {
        assert_eq!(cut(&"x".repeat(50), 10), format!("{}…", "x".repeat(10)));
        assert_eq!(cut("ünd so weiter", 7), "ünd so…");
        assert_eq!(cut("a\nb\u{7}", 7), "a\nb");
    }
}
