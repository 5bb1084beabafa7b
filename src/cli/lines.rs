//! Lines from standard input or a file, for commands that take many requests.

use std::io::{self, BufRead, Read};

/// A line longer than this is refused, so that a stream without an end of line cannot fill the
/// memory.
pub(super) const MAX_LINE: usize = 1 << 20;

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// It is too long.
    #[error("line {line} is longer than {MAX_LINE} bytes")]
    TooLong {
        /// Its number, from 1.
        line: usize,
    },
    /// It is no text.
    #[error("line {line} is not UTF-8")]
    NotText {
        /// Its number, from 1.
        line: usize,
    },
    /// The stream broke.
    #[error("the input cannot be read: {0}")]
    Broken(#[from] io::Error),
}

/// The lines of a stream, each with its number; blank ones are passed over.
pub(super) struct Lines<R> {
    input: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// The next line without its end, and its number from 1; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(usize, String)>, LineError> {
        loop {
            let mut bytes = Vec::new();
            let limit = MAX_LINE as u64 + 1;
            if self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line = self.number;
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            if bytes.len() > MAX_LINE {
                return Err(LineError::TooLong { line });
            }
            let text = String::from_utf8(bytes).map_err(|_| LineError::NotText { line })?;
            if !text.trim().is_empty() {
                return Ok(Some((line, text)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_line_with_its_number_and_passes_over_blank_ones() {
        let mut lines = Lines::of(&b"one\r\n\n  \nfour\nlast"[..]);
        assert_eq!(lines.next().unwrap(), Some((1, "one\r".into())));
        assert_eq!(lines.next().unwrap(), Some((4, "four".into())));
        assert_eq!(lines.next().unwrap(), Some((5, "last".into())));
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn refuses_a_line_without_an_end_and_one_that_is_no_text() {
        let longest = vec![b'x'; MAX_LINE];
        let mut lines = Lines::of([&longest[..], b"\n", &longest, b"x"].concat().leak() as &[u8]);
        assert_eq!(lines.next().unwrap().map(|(_, text)| text.len()), Some(MAX_LINE));
        assert!(matches!(lines.next(), Err(LineError::TooLong { line: 2 })));
        let mut lines = Lines::of(&b"\n\xff\n"[..]);
        assert!(matches!(lines.next(), Err(LineError::NotText { line: 2 })));
    }
}
