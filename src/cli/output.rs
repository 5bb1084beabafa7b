//! What is printed: data on standard output, safe to show whatever a miner or a source wrote.

use std::io::{self, Write};

use serde::Serialize;
use sn1_actors::text::shown::harmless;

/// Prints a line of data. A reader that has gone away is no error: nobody wants the rest.
pub(super) fn line(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints lines that have to arrive; a reader that has gone away is an error too.
pub(super) fn delivered(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// Prints a part of a line at once.
pub(super) fn part(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a value as JSON over several lines.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string_pretty(value)?)?)
}

/// What a stranger wrote, on its lines, without any other control characters.
pub(super) fn lines_of(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

/// Text in one line, without control characters, cut to `width` characters.
pub(super) fn shown(text: &str, width: usize) -> String {
    let words: String = text.chars().take(4 * width).map(harmless).collect();
    let joined = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= width {
        return joined;
    }
    let cut: String = joined.chars().take(width.saturating_sub(1)).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_cannot_leave_its_line() {
        assert_eq!(shown("a\x1b[2J\r\nb\u{202e}c", 20), "a [2J b c");
        assert_eq!(lines_of("a\x1b[2J\r\n\nb\u{202e}c"), "a [2J \n\nb c");
        assert_eq!(shown("one two three", 8), "one two…");
        assert_eq!(shown("é".repeat(50).as_str(), 4), "ééé…");
    }
}
