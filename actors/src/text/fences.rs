//! Fenced code, the one piece of Markdown that people, models and miners all use.
//!
//! Code is pasted into challenges and looked for in answers, and nothing else may touch it. Fences
//! are CommonMark's of backticks, at any indentation.

use std::ops::Range;

/// A block of code in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lines of the block, those with the backticks among them.
    pub whole: Range<usize>,
    /// The code alone.
    pub code: Range<usize>,
    /// Whether the block ends before the text does.
    pub closed: bool,
}

/// The fewest backticks of a fence.
const TICKS: usize = 3;

/// Code in a fence that the code itself cannot close, without a line end after it.
#[must_use]
pub fn fenced(language: &str, code: &str) -> String {
    let longest = code.lines().map(|line| ticks(line.trim())).max().unwrap_or(0);
    let fence = "`".repeat(TICKS.max(longest + 1));
    // A name such as `C++` or `Visual Basic` would be more than one word of the info string.
    let language = language.to_lowercase().replace(char::is_whitespace, "");
    format!("{fence}{language}\n{}\n{fence}", code.trim_end_matches('\n'))
}

/// The blocks of code in a text, in their order; one that is not closed runs to the end.
#[must_use]
pub fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (bare, end) = (line.trim(), at + line.len());
        let count = ticks(bare);
        match open {
            None if count >= TICKS && !bare[count..].contains('`') => {
                open = Some((at, end, count));
            }
            Some((start, code, opened)) if count >= opened && count == bare.len() => {
                found.push(Fence { whole: start..end, code: code..at, closed: true });
                open = None;
            }
            None | Some(_) => {}
        }
        at = end;
    }
    if let Some((start, code, _)) = open {
        found.push(Fence { whole: start..at, code: code..at, closed: false });
    }
    found
}

/// The backticks that a line begins with.
fn ticks(line: &str) -> usize {
    line.len() - line.trim_start_matches('`').len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(text: &str) -> Vec<&str> {
        fences(text).iter().map(|fence| &text[fence.code.clone()]).collect()
    }

    #[test]
    fn blocks_are_found_closed_or_not() {
        let text = "Look:\n```python\nx = 1\n```\nand\n  ````\n```\n  ````\n";
        assert_eq!(codes(text), ["x = 1\n", "```\n"]);
        assert_eq!(codes("```\na\nb"), ["a\nb"]);
        assert!(!fences("```\na\nb")[0].closed);
        assert_eq!(codes("inline ```code``` and `more`"), [""; 0]);
        assert_eq!(codes("```not a fence``` here"), [""; 0]);
    }

    #[test]
    fn code_with_fences_of_its_own_stays_one_block() {
        let code = "/**\n ```\n example\n ```\n*/\nrun();\n";
        let text = format!("Why?\n\n{}", fenced("Java", code));
        assert_eq!(codes(&text), [code]);
        assert!(text.contains("\n````java\n"), "{text}");
    }

    proptest! {
        #[test]
        fn any_code_comes_out_of_its_fence_as_it_went_in(code in "(?s)[`a \n]{0,40}") {
            let code = code.trim_end_matches('\n');
            let text = fenced("x y", code);
            prop_assert_eq!(codes(&text), [format!("{code}\n")]);
        }

        #[test]
        fn any_text_is_read(text in "(?s)[`a \né]{0,60}") {
            for fence in fences(&text) {
                prop_assert!(text.get(fence.code).is_some() && text.get(fence.whole).is_some());
            }
        }
    }
}
