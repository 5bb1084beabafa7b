//! The text of an answer as it grows: cut at the first stop string, shown without the blanks around
//! it. Pure.
//!
//! Servers cut at stop strings themselves; that one which does not is held to it here.

/// The text so far, and how much of it was shown.
#[derive(Debug)]
pub(super) struct AnswerText {
    raw: String,
    shown: usize,
    stops: Vec<String>,
    stopped: bool,
}

impl AnswerText {
    /// Nothing yet; ends before the first of `stops`.
    pub(super) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { raw: String::new(), shown: 0, stops, stopped: false }
    }

    /// Takes more text; gives what can be shown of it, which may be nothing.
    pub(super) fn push(&mut self, more: &str) -> String {
        if self.stopped {
            return String::new();
        }
        let from = self.search_from();
        self.raw.push_str(more);
        let tail = self.raw.get(from..).unwrap_or_default();
        let found = self.stops.iter().filter_map(|stop| tail.find(stop.as_str())).min();
        if let Some(at) = found {
            self.raw.truncate(from + at);
            self.stopped = true;
        }
        self.show(self.raw.len() - self.held_back())
    }

    /// The answer is over; gives what was held back.
    pub(super) fn finish(&mut self) -> String {
        self.show(self.raw.len())
    }

    /// Whether a stop string came.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// All of the text, trimmed.
    pub(super) fn into_text(self) -> String {
        self.raw.trim().to_owned()
    }

    /// Where a stop string may begin that the next text completes.
    fn search_from(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let mut from = self.raw.len().saturating_sub(longest);
        while !self.raw.is_char_boundary(from) {
            from -= 1;
        }
        from
    }

    /// How many bytes at the end may be the beginning of a stop string.
    fn held_back(&self) -> usize {
        if self.stopped {
            return 0;
        }
        let beginnings = self.stops.iter().flat_map(|stop| {
            let cuts = stop.char_indices().map(|(at, _)| at);
            cuts.filter_map(move |at| stop.get(..at))
        });
        let open = beginnings.filter(|beginning| self.raw.ends_with(beginning));
        open.map(str::len).max().unwrap_or(0)
    }

    fn show(&mut self, until: usize) -> String {
        let whole = self.raw.get(..until).unwrap_or_default().trim_end();
        let new = whole.get(self.shown..).unwrap_or_default();
        let new = if self.shown == 0 { new.trim_start() } else { new };
        if !new.is_empty() {
            self.shown = whole.len();
        }
        new.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(stops: &[&str], parts: &[&str]) -> (Vec<String>, String) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut text = AnswerText::new(&stops);
        let mut pieces: Vec<String> = parts.iter().map(|part| text.push(part)).collect();
        pieces.push(text.finish());
        (pieces, text.into_text())
    }

    #[test]
    fn shows_text_at_once_but_keeps_blanks_until_more_follows() {
        let (pieces, text) = answer(&[], &[" \n", " The", " end", ". ", "\n", "Yes", " "]);
        assert_eq!(pieces, ["", "The", " end", ".", "", " \nYes", "", ""]);
        assert_eq!(text, "The end. \nYes");
    }

    #[test]
    fn ends_before_the_first_stop_string_however_it_is_cut() {
        for parts in [&["a b STOP c"] as &[&str], &["a b S", "T", "OP c"], &["a b STO", "P", " c"]]
        {
            let (pieces, text) = answer(&["STOP", "c"], parts);
            assert_eq!((pieces.concat().as_str(), text.as_str()), ("a b", "a b"), "{parts:?}");
        }
    }

    #[test]
    fn takes_what_only_began_like_a_stop_string() {
        let (pieces, text) = answer(&["STOP", "\n\nUser"], &["x ST", "ART\n", "\nUs"]);
        assert_eq!(pieces, ["x", " START", "", "\n\nUs"]);
        assert_eq!(text, "x START\n\nUs");
    }

    #[test]
    fn says_that_it_stopped_and_takes_no_more() {
        let mut text = AnswerText::new(&["é日".to_owned(), String::new()]);
        assert_eq!(text.push("aé"), "a");
        assert!(!text.is_stopped());
        assert_eq!(text.push("日b"), "");
        assert!(text.is_stopped());
        assert_eq!(text.push("c"), "");
        assert_eq!(text.into_text(), "a");
    }

    proptest! {
        #[test]
        fn pieces_joined_are_the_text_up_to_the_stop(
            parts in prop::collection::vec("[ab é\n]{0,4}", 0..12),
            stops in prop::collection::vec("[ab é\n]{1,3}", 0..3),
        ) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let (pieces, text) = answer(&stops, &parts);
            let whole = parts.concat();
            let end = stops.iter().filter_map(|stop| whole.find(stop)).min();
            prop_assert_eq!(&text, whole[..end.unwrap_or(whole.len())].trim());
            prop_assert_eq!(pieces.concat(), text);
        }
    }
}
