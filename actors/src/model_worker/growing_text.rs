//! A text that grows: cut before the first stop string, and given out piece by piece without
//! anything that more text could take back.
//!
//! What may become a stop string is held back, and so is white space that the end of the text would
//! trim. So the pieces together are the text. Pure; [`super::text_stream`] uses it for texts of this
//! machine, the adapter for model servers for theirs.

use super::stop_strings::StopStrings;

/// The text so far, and how much of it was given out.
#[derive(Debug)]
pub struct GrowingText {
    stop: StopStrings,
    text: String,
    shown: usize,
    stopped: bool,
}

impl GrowingText {
    /// Nothing yet.
    #[must_use]
    pub fn new(stop: StopStrings) -> Self {
        Self { stop, text: String::new(), shown: 0, stopped: false }
    }

    /// Takes more text, unless a stop string came.
    pub fn push(&mut self, fresh: &str) {
        if self.stopped {
            return;
        }
        let from = self.text.len();
        self.text.push_str(fresh);
        if let Some(end) = self.stop.find(&self.text, from) {
            self.text.truncate(end);
            self.stopped = true;
        }
    }

    /// Whether a stop string came; the text ends before it.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// What can be given out now and was not yet.
    pub fn next_piece(&mut self) -> String {
        let end = if self.stopped { self.text.len() } else { self.stop.hold_back(&self.text) };
        self.show(end)
    }

    /// The text is over: all that was not given out yet.
    pub fn last_piece(&mut self) -> String {
        self.show(self.text.len())
    }

    /// All of the text, trimmed.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text.trim().to_owned()
    }

    fn show(&mut self, end: usize) -> String {
        let safe = self.text.get(..end).unwrap_or_default();
        let begin = self.shown.max(safe.len() - safe.trim_start().len());
        let end = safe.trim_end().len();
        if end <= begin {
            return String::new();
        }
        self.shown = end;
        self.text[begin..end].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(stops: &[&str], parts: &[&str]) -> (Vec<String>, String) {
        let stops = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut text = GrowingText::new(StopStrings::new(stops).unwrap());
        let mut pieces = Vec::new();
        for part in parts {
            text.push(part);
            pieces.push(text.next_piece());
        }
        pieces.push(text.last_piece());
        (pieces, text.into_text())
    }

    #[test]
    fn shows_text_at_once_but_keeps_blanks_until_more_follows() {
        let (pieces, text) = grown(&[], &[" \n", " The", " end", ". ", "\n", "Yes", " "]);
        assert_eq!(pieces, ["", "The", " end", ".", "", " \nYes", "", ""]);
        assert_eq!(text, "The end. \nYes");
    }

    #[test]
    fn ends_before_the_first_stop_string_however_it_is_cut() {
        for parts in [&["a b STOP c"] as &[&str], &["a b S", "T", "OP c"], &["a b STO", "P", " c"]]
        {
            let (pieces, text) = grown(&["STOP", "c"], parts);
            assert_eq!((pieces.concat().as_str(), text.as_str()), ("a b", "a b"), "{parts:?}");
        }
    }

    #[test]
    fn takes_what_only_began_like_a_stop_string() {
        let (pieces, text) = grown(&["STOP", "\n\nUser"], &["x ST", "ART\n", "\nUs"]);
        assert_eq!(pieces, ["x", " START", "", "\n\nUs"]);
        assert_eq!(text, "x START\n\nUs");
    }

    #[test]
    fn says_that_it_stopped_and_takes_no_more() {
        let mut text = GrowingText::new(StopStrings::new(vec!["é日".to_owned()]).unwrap());
        text.push("aé");
        assert_eq!((text.next_piece().as_str(), text.is_stopped()), ("a", false));
        text.push("日b");
        assert_eq!((text.next_piece().as_str(), text.is_stopped()), ("", true));
        text.push("c");
        assert_eq!((text.last_piece().as_str(), text.into_text().as_str()), ("", "a"));
    }

    #[test]
    fn pieces_joined_are_the_text_up_to_the_stop() {
        let letters = ["a", "b", " ", "é", "\n", "ab", "é a", ""];
        // All texts of four parts, as numbers in base eight.
        for number in 0..8_usize.pow(4) {
            let parts: Vec<&str> = (0..4).map(|i| letters[number >> (3 * i) & 7]).collect();
            let whole = parts.concat();
            for stops in [&[] as &[&str], &["b"], &["a b", "\n"], &["éa", "  "]] {
                let (pieces, text) = grown(stops, &parts);
                let end = stops.iter().filter_map(|stop| whole.find(stop)).min();
                assert_eq!(text, whole[..end.unwrap_or(whole.len())].trim());
                assert_eq!(pieces.concat(), text, "{parts:?} {stops:?}");
            }
        }
    }
}
