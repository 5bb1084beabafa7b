//! How long a message is, as those who do not read it see it.

/// A message's length in characters, and in the bytes that JSON takes for it: of these it is more by
/// quotes, line breaks and foreign letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// As users count.
    pub characters: usize,
    /// Within the quotes of a JSON text in UTF-8; at least one for each character.
    pub bytes: usize,
}

impl Length {
    /// The length of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let bytes = |letter: char| match letter {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            letter => letter.len_utf8(),
        };
        Self { characters: characters(text), bytes: text.chars().map(bytes).sum() }
    }

    /// So many characters, as long in bytes as a text of nothing but ASCII letters.
    #[must_use]
    pub fn plain(characters: usize) -> Self {
        Self { characters, bytes: characters }
    }

    /// The bytes beyond one for each character.
    pub(super) fn beyond(self) -> usize {
        self.bytes.saturating_sub(self.characters)
    }

    /// Of so many characters at most, bytes in proportion.
    pub(super) fn at_most(self, characters: usize) -> Self {
        if self.characters <= characters {
            return self;
        }
        // Neither exceeds the size of a query that was taken, some 10^7.
        Self { characters, bytes: self.bytes * characters / self.characters }
    }

    /// Longer or shorter by a share, in both.
    pub(super) fn times(self, share: f64) -> Self {
        // Lengths are bounded, so that this loses nothing.
        let times = |length: usize| (length as f64 * share).round() as usize;
        Self { characters: times(self.characters), bytes: times(self.bytes) }
    }
}

/// The length of a text as users count it.
pub(super) fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_that_a_text_takes_in_json() {
        for text in ["", "plain", "\"a\"\n\tb\\", "\u{1}\u{7f}", "Grüße – “déjà”", "日本 🙂"]
        {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(Length::of(text).bytes, json.len() - 2, "{text:?}");
        }
    }

    #[test]
    fn a_part_of_a_text_has_a_part_of_its_bytes() {
        let text = Length::of(&"é".repeat(100));
        assert_eq!(text.at_most(10), Length { characters: 10, bytes: 20 });
        assert_eq!(text.at_most(100), text);
        assert_eq!(text.times(0.5), Length { characters: 50, bytes: 100 });
    }
}
