//! Text out of a stream of bytes that may be cut anywhere, also within a character.

use super::WireError;

/// Decodes UTF-8 piece by piece.
#[derive(Debug, Default)]
pub(super) struct Utf8Pieces {
    /// The beginning of a character whose end has not come yet; at most three bytes.
    begun: Vec<u8>,
}

impl Utf8Pieces {
    /// The text that these bytes complete; empty if they complete none.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<String, WireError> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        match String::from_utf8(all) {
            Ok(text) => Ok(text),
            Err(error) if error.utf8_error().error_len().is_none() => {
                let whole = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                self.begun = bytes.split_off(whole);
                String::from_utf8(bytes).map_err(|error| WireError::malformed(&error.to_string()))
            }
            Err(error) => Err(WireError::malformed(&error.to_string())),
        }
    }

    /// Nothing more comes.
    pub(super) fn end(self) -> Result<(), WireError> {
        if self.begun.is_empty() {
            return Ok(());
        }
        Err(WireError::malformed("the stream ends within a character"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], cuts: &[usize]) -> Result<String, WireError> {
        let mut decoder = Utf8Pieces::default();
        let (mut text, mut rest) = (String::new(), bytes);
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut % (rest.len() + 1));
            text += &decoder.push(piece)?;
            rest = behind;
        }
        text += &decoder.push(rest)?;
        decoder.end().map(|()| text)
    }

    proptest! {
        #[test]
        fn gives_the_text_wherever_it_is_cut(text in ".{0,40}", cuts: Vec<usize>) {
            prop_assert_eq!(decoded(text.as_bytes(), &cuts), Ok(text));
        }

        #[test]
        fn takes_exactly_what_is_utf8(bytes: Vec<u8>, cuts: Vec<usize>) {
            let whole = String::from_utf8(bytes.clone()).ok();
            prop_assert_eq!(decoded(&bytes, &cuts).ok(), whole);
        }
    }

    #[test]
    fn gives_each_character_as_soon_as_it_is_whole() {
        let mut decoder = Utf8Pieces::default();
        assert_eq!(decoder.push(b"a\xe2\x82"), Ok("a".into()));
        assert_eq!(decoder.push(b"\xac"), Ok("€".into()));
        assert_eq!(decoder.push(b"\xf0"), Ok(String::new()));
        assert!(decoder.end().is_err());
    }
}
