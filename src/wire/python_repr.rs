//! Python's `str()` of a list of strings, which the body hash is taken over.
//!
//! Only what that needs: strings and lists of strings, as CPython 3.11 writes them.

mod printable;

use std::fmt::Write as _;

/// `str(texts)` as Python writes it, for example `['a', "it's"]`.
#[must_use]
pub fn list_of_str(texts: &[String]) -> String {
    let mut out = String::with_capacity(texts.iter().map(|text| text.len() + 4).sum::<usize>() + 2);
    out.push('[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push_str(&mut out, text);
    }
    out.push(']');
    out
}

fn push_str(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if printable::is_printable(c) => out.push(c),
            c => push_escape(out, u32::from(c)),
        }
    }
    out.push(quote);
}

fn push_escape(out: &mut String, code: u32) {
    // Writing to a String cannot fail.
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::wire::testkit;

    #[test]
    fn writes_every_awkward_list_as_python_did() {
        let cases = testkit::repr_cases();
        assert_eq!(cases.len(), 20 + 18);
        for case in cases {
            assert_eq!(list_of_str(&case.messages), case.python_str);
        }
    }

    #[test]
    fn escapes_exactly_the_code_points_that_python_escapes() {
        let Some(table) = testkit::reference_json("vectors/python_nonprintable_ranges.json") else {
            return;
        };
        let ranges: Vec<(u32, u32)> =
            serde_json::from_value(table["nonprintable_ranges"].clone()).unwrap();
        let escaped: HashSet<u32> = ranges.iter().flat_map(|(from, to)| *from..=*to).collect();
        for c in '\0'..=char::MAX {
            let code = u32::from(c);
            assert_eq!(printable::is_printable(c), !escaped.contains(&code), "{code:x}");
        }
    }
}
