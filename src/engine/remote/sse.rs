//! Server-sent events: bytes, cut anywhere, to the data of each event. Pure and bounded.
//!
//! Names, ids and retry times of events are left out: no model server gives them a meaning.

use std::collections::VecDeque;

/// The longest line, and the most data of one event, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// Why bytes are no event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SseError {
    /// A line or an event has no end in sight.
    #[error("an event is longer than {MAX_EVENT} bytes")]
    TooLong,
    /// The text is not UTF-8.
    #[error("an event is not UTF-8")]
    NotUtf8,
}

/// Reads a stream of events.
#[derive(Debug, Default)]
pub(super) struct SseParser {
    /// The line under way, without its end.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no further line.
    after_return: bool,
    /// The data lines of the event under way.
    data: Option<String>,
    events: VecDeque<String>,
}

impl SseParser {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`SseError`]; the stream is of no use from then on.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (part, None),
            };
            if self.line.len() + text.len() > MAX_EVENT {
                return Err(SseError::TooLong);
            }
            self.line.extend_from_slice(text);
            let rest_of_return = self.after_return && end == Some(b'\n') && text.is_empty();
            self.after_return = end == Some(b'\r');
            if end.is_some() && !rest_of_return {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// The stream is over: an event that lacks its empty line counts all the same, as some servers
    /// leave out the last one.
    ///
    /// # Errors
    /// As [`SseParser::feed`].
    pub(super) fn end(&mut self) -> Result<(), SseError> {
        self.end_line()?;
        self.events.extend(self.data.take());
        Ok(())
    }

    /// The data of the next event that is complete.
    pub(super) fn next(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    fn end_line(&mut self) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.events.extend(self.data.take());
            return Ok(());
        }
        let line = std::str::from_utf8(&line).map_err(|_| SseError::NotUtf8)?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let Some(data) = line.strip_prefix("data:") else { return Ok(()) };
        let data = data.strip_prefix(' ').unwrap_or(data);
        match &mut self.data {
            None => self.data = Some(data.to_owned()),
            Some(before) if before.len() + data.len() >= MAX_EVENT => {
                return Err(SseError::TooLong);
            }
            Some(before) => {
                before.push('\n');
                before.push_str(data);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events_of(parts: &[&[u8]]) -> Result<Vec<String>, SseError> {
        let mut parser = SseParser::default();
        for part in parts {
            parser.feed(part)?;
        }
        parser.end()?;
        Ok(std::iter::from_fn(|| parser.next()).collect())
    }

    const STREAM: &str = "\u{feff}data: one\n\n: a comment\r\nevent: x\r\ndata:two é日\r\n\r\n\
                          id: 7\rdata: a\rdata:  b\r\r\ndata\n\n\n\ndata: last";
    const EVENTS: [&str; 4] = ["one", "two é日", "a\n b", "last"];

    #[test]
    fn reads_every_way_to_end_a_line_and_skips_what_is_no_data() {
        assert_eq!(events_of(&[STREAM.as_bytes()]).unwrap(), EVENTS);
    }

    #[test]
    fn does_not_care_where_the_bytes_are_cut() {
        let bytes = STREAM.as_bytes();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(events_of(&single).unwrap(), EVENTS);
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(events_of(&[head, tail]).unwrap(), EVENTS, "cut at {cut}");
        }
    }

    #[test]
    fn gives_an_event_as_soon_as_its_empty_line_is_there() {
        let mut parser = SseParser::default();
        parser.feed(b"data: x\n").unwrap();
        assert_eq!(parser.next(), None);
        parser.feed(b"\n").unwrap();
        assert_eq!(parser.next().as_deref(), Some("x"));
        assert_eq!(parser.next(), None);
    }

    #[test]
    fn refuses_endless_lines_and_endless_events() {
        let part = [b'x'; 4096];
        let mut parser = SseParser::default();
        let error = (0..=256).find_map(|_| parser.feed(&part).err());
        assert_eq!(error, Some(SseError::TooLong));

        let mut parser = SseParser::default();
        let line = format!("data: {}\n", "y".repeat(4096));
        let error = (0..=256).find_map(|_| parser.feed(line.as_bytes()).err());
        assert_eq!(error, Some(SseError::TooLong));
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert_eq!(events_of(&[b"data: \xff\n\n"]), Err(SseError::NotUtf8));
    }

    proptest! {
        #[test]
        fn never_panics_and_is_the_same_at_any_cut(bytes: Vec<u8>, cut: prop::sample::Index) {
            let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(events_of(&[head, tail]), events_of(&[&bytes]));
        }
    }
}
