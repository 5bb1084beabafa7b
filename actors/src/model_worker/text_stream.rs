//! One text while it is written: tokens in, text out that is final.
//!
//! Nothing is shown that a later token could take back: half a character, what may become a stop
//! string, and white space that the end of the text would trim. So the pieces together are the
//! text of the answer. Pure; ModelWorker keeps one for each request.

use crate::ports::Codec;

use super::detokeniser::Detokeniser;
use super::stop_strings::StopStrings;

/// A text under way.
#[derive(Debug)]
pub struct TextStream {
    detokeniser: Detokeniser,
    stop: StopStrings,
    text: String,
    /// How far it was given out.
    shown: usize,
}

impl TextStream {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(stop: StopStrings) -> Self {
        Self { detokeniser: Detokeniser::default(), stop, text: String::new(), shown: 0 }
    }

    /// Takes a token. Whether a stop string ended the text; it is cut off.
    pub fn push(&mut self, codec: &dyn Codec, token: u32) -> bool {
        let fresh = self.detokeniser.push(codec, token);
        self.add(&fresh)
    }

    /// What can be shown now and was not yet.
    pub fn next_piece(&mut self) -> String {
        let safe = &self.text[..self.stop.hold_back(&self.text)];
        let begin = self.shown.max(safe.len() - safe.trim_start().len());
        let end = safe.trim_end().len();
        if end <= begin {
            return String::new();
        }
        self.shown = end;
        self.text[begin..end].to_owned()
    }

    /// Ends the text: all of it, trimmed, and the part that was not shown yet.
    pub fn finish(mut self, codec: &dyn Codec) -> (String, String) {
        let rest = self.detokeniser.finish(codec);
        self.add(&rest);
        let text = self.text.trim().to_owned();
        let lead = self.text.len() - self.text.trim_start().len();
        let rest = text.get(self.shown.saturating_sub(lead)..).unwrap_or_default().to_owned();
        (text, rest)
    }

    fn add(&mut self, fresh: &str) -> bool {
        let from = self.text.len();
        self.text.push_str(fresh);
        match self.stop.find(&self.text, from) {
            Some(end) => {
                self.text.truncate(end);
                // What would have gone on behind the stop string is no part of the text.
                self.detokeniser = Detokeniser::default();
                true
            }
            None => false,
        }
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
