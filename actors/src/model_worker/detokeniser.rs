//! Tokens to text while they come, in time linear in their number.
//!
//! A token is not always whole characters, and some codecs write the first token of a text unlike
//! the same token later. So a few tokens before the new ones are decoded along with them, and what
//! those alone say is taken off; text that ends within a character waits for the tokens that
//! complete it. Pure; [`super::text_stream`] uses it.

use crate::ports::Codec;

/// A character has four bytes at most; if so many tokens do not complete it, none will.
const PATIENCE: usize = 8;

/// The tokens of one text and how far they became characters.
#[derive(Debug, Default)]
pub struct Detokeniser {
    /// The last tokens only: those that give context, then those that are not text yet.
    window: Vec<u32>,
    /// How many give context.
    context: usize,
}

impl Detokeniser {
    /// Takes a token; gives the text that is complete now.
    pub fn push(&mut self, codec: &dyn Codec, token: u32) -> String {
        self.window.push(token);
        let text = self.fresh(codec);
        let waits = self.window.len() - self.context;
        if waits < PATIENCE && (text.is_empty() || text.ends_with('\u{fffd}')) {
            return String::new();
        }
        self.window.drain(..self.context);
        self.context = self.window.len();
        text
    }

    /// The text of what is left, an incomplete character replaced.
    pub fn finish(&mut self, codec: &dyn Codec) -> String {
        let text = self.fresh(codec);
        *self = Self::default();
        text
    }

    fn fresh(&self, codec: &dyn Codec) -> String {
        let all = codec.decode(&self.window);
        let context = codec.decode(&self.window[..self.context]);
        match all.strip_prefix(&context) {
            Some(text) => text.to_owned(),
            // The context broke off within a character that patience did not wait for.
            None => codec.decode(&self.window[self.context..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_worker::stand_in::StandInCodec;

    fn pieces(bytes: &[u8]) -> (Vec<String>, String) {
        let mut detokeniser = Detokeniser::default();
        let push = |byte: &u8| detokeniser.push(&StandInCodec, u32::from(*byte));
        let mut pieces: Vec<String> = bytes.iter().map(push).collect();
        pieces.push(detokeniser.finish(&StandInCodec));
        let all = pieces.concat();
        pieces.retain(|piece| !piece.is_empty());
        (pieces, all)
    }

    #[test]
    fn characters_come_whole_though_their_tokens_are_bytes() {
        let (parts, all) = pieces("aé€🍵z".as_bytes());
        assert_eq!((parts.len(), all.as_str()), (5, "aé€🍵z"));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_hold_nothing_up_for_long() {
        for bytes in [&b"ab\xe2\x82"[..], b"\xff", b"a\xf0\x9f b", b"\x80\x80z"] {
            assert_eq!(pieces(bytes).1, String::from_utf8_lossy(bytes), "{bytes:?}");
        }
        let (parts, all) = pieces(&[0xff; 100]);
        assert_eq!(all.chars().count(), 100);
        assert!(parts.len() >= 12, "{parts:?}");
    }

    #[test]
    fn the_window_stays_small_however_long_the_text_is() {
        let mut detokeniser = Detokeniser::default();
        for n in 0..10_000_u32 {
            detokeniser.push(&StandInCodec, if n % 3 == 0 { 0xff } else { 97 });
            assert!(detokeniser.window.len() <= 2 * PATIENCE + 2);
        }
    }
}
