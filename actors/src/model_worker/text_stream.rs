//! One text while it is written: tokens in, text out that is final.
//!
//! Half a character is held back, and whatever [`super::growing_text`] holds back. Pure; ModelWorker
//! keeps one for each request.

use crate::ports::Codec;

use super::detokeniser::Detokeniser;
use super::growing_text::GrowingText;
use super::stop_strings::StopStrings;

/// A text under way.
#[derive(Debug)]
pub struct TextStream {
    detokeniser: Detokeniser,
    text: GrowingText,
}

impl TextStream {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(stop: StopStrings) -> Self {
        Self { detokeniser: Detokeniser::default(), text: GrowingText::new(stop) }
    }

    /// Takes a token. Whether a stop string ended the text; it is cut off.
    pub fn push(&mut self, codec: &dyn Codec, token: u32) -> bool {
        self.text.push(&self.detokeniser.push(codec, token));
        self.text.is_stopped()
    }

    /// What can be shown now and was not yet.
    pub fn next_piece(&mut self) -> String {
        self.text.next_piece()
    }

    /// Ends the text: all of it, trimmed, and the part that was not shown yet.
    pub fn finish(mut self, codec: &dyn Codec) -> (String, String) {
        self.text.push(&self.detokeniser.finish(codec));
        let rest = self.text.last_piece();
        (self.text.into_text(), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_worker::stand_in::StandInCodec;

    fn run(written: &str, stop: &[&str]) -> (Vec<String>, String, bool) {
        let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
        let mut stream = TextStream::new(StopStrings::new(stop).unwrap());
        let mut pieces = Vec::new();
        let mut stopped = false;
        for byte in written.bytes() {
            stopped = stream.push(&StandInCodec, u32::from(byte));
            pieces.push(stream.next_piece());
            if stopped {
                break;
            }
        }
        let (text, rest) = stream.finish(&StandInCodec);
        pieces.push(rest);
        pieces.retain(|piece| !piece.is_empty());
        (pieces, text, stopped)
    }

    #[test]
    fn the_pieces_together_are_the_trimmed_text() {
        for written in ["  a cup\n of tea \n", "thé vert 🍵 ", "", "   ", "x"] {
            let (pieces, text, stopped) = run(written, &["nowhere"]);
            assert_eq!((pieces.concat(), text.as_str()), (text.clone(), written.trim()));
            assert!(!stopped);
        }
    }

    #[test]
    fn a_stop_string_across_tokens_is_never_shown() {
        let (pieces, text, stopped) = run(" tea for two\n\nUser: more", &["\n\nUser:", "zzz"]);
        assert_eq!(
            (pieces.concat().as_str(), text.as_str(), stopped),
            ("tea for two", "tea for two", true)
        );
        assert!(pieces.len() > 5, "it came in pieces: {pieces:?}");
        let (pieces, text, stopped) = run("tea\n\nUsual", &["\n\nUser:"]);
        assert_eq!(
            (pieces.concat(), text.as_str(), stopped),
            (text.clone(), "tea\n\nUsual", false)
        );
    }
}
