//! The text as it grows: white space, gaps, list marks, code.

use std::mem;

/// Lists nested deeper are written as if they were not.
const DEEPEST_LIST: usize = 16;
/// A heading that does not end is none.
const LONGEST_HEADING: usize = 300;

/// How far the next text is from what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// It continues the line.
    #[default]
    None,
    /// It begins a line.
    Line,
    /// It begins a line after an empty one.
    Paragraph,
}

/// A heading and its level, 1 to 6.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) level: u8,
    pub(super) text: String,
}

/// The text under a heading; the first part has none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) heading: Option<Heading>,
    pub(super) text: String,
}

/// Code whose end is awaited.
enum Code {
    Inline(String),
    Block(String),
}

#[derive(Default)]
pub(super) struct Writer {
    done: Vec<Part>,
    part: Part,
    in_heading: bool,
    code: Option<Code>,
    /// The number of the next item, for each open list; `None` for lists without numbers.
    lists: Vec<Option<u32>>,
    deeper_lists: usize,
    gap: Gap,
    /// What comes before the next text.
    mark: String,
    space: bool,
    raised: bool,
}

impl Writer {
    /// Text between tags.
    pub(super) fn write(&mut self, text: &str) {
        if let Some(Code::Inline(code) | Code::Block(code)) = &mut self.code {
            code.push_str(text);
            return;
        }
        for c in text.chars() {
            if c.is_whitespace() {
                self.space = true;
            } else if !is_invisible(c) {
                let above =
                    mem::take(&mut self.raised) && (c.is_ascii_digit() || "-−+".contains(c));
                self.begin();
                if above {
                    self.line().push('^');
                }
                self.line().push(c);
            }
        }
    }

    /// The next text stands so far away, at least.
    pub(super) fn gap(&mut self, gap: Gap) {
        match self.code {
            // Its lines are as they are.
            Some(Code::Block(_)) => return,
            // It was never closed: code in a line ends where the line does.
            Some(Code::Inline(_)) => self.end_code(),
            None => {}
        }
        if self.in_heading {
            self.space = true;
        } else {
            self.gap = self.gap.max(gap);
        }
    }

    pub(super) fn line_break(&mut self) {
        match &mut self.code {
            Some(Code::Block(code)) => code.push('\n'),
            Some(Code::Inline(code)) => code.push(' '),
            None => self.gap(Gap::Line),
        }
    }

    /// A cell of a table's row.
    pub(super) fn cell(&mut self) {
        if self.code.is_none() && self.gap == Gap::None && !self.line().is_empty() {
            self.line().push_str(" |");
            self.space = true;
        }
    }

    /// What follows stands above the line: an exponent, if it is a number.
    pub(super) fn raise(&mut self) {
        let after_word = self.line().ends_with(|c: char| c.is_alphanumeric() || c == ')');
        self.raised = self.code.is_none() && self.gap == Gap::None && !self.space && after_word;
    }

    /// What follows stands in the line again.
    pub(super) fn lower(&mut self) {
        self.raised = false;
    }

    pub(super) fn begin_list(&mut self, first: Option<u32>) {
        self.gap(if self.lists.is_empty() { Gap::Paragraph } else { Gap::Line });
        if self.lists.len() < DEEPEST_LIST {
            self.lists.push(first);
        } else {
            self.deeper_lists += 1;
        }
    }

    pub(super) fn end_list(&mut self) {
        if self.deeper_lists > 0 {
            self.deeper_lists -= 1;
        } else {
            self.lists.pop();
        }
        self.gap(if self.lists.is_empty() { Gap::Paragraph } else { Gap::Line });
    }

    pub(super) fn item(&mut self) {
        self.gap(Gap::Line);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        self.mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            Some(None) | None => format!("{indent}- "),
        };
    }

    pub(super) fn begin_heading(&mut self, level: u8) {
        self.end_open();
        let text = String::new();
        let next = Part { heading: Some(Heading { level, text }), text: String::new() };
        self.done.push(mem::replace(&mut self.part, next));
        (self.gap, self.space, self.in_heading) = (Gap::None, false, true);
        self.mark.clear();
        self.lists.clear();
        self.deeper_lists = 0;
    }

    pub(super) fn end_heading(&mut self) {
        if self.in_heading {
            self.end_code();
            (self.gap, self.space, self.in_heading) = (Gap::None, false, false);
        }
    }

    pub(super) fn begin_code(&mut self) {
        if self.code.is_none() {
            self.code = Some(Code::Inline(String::new()));
        }
    }

    pub(super) fn end_code(&mut self) {
        match self.code.take() {
            Some(Code::Inline(code)) => {
                self.space |= code.starts_with(char::is_whitespace);
                let words: Vec<&str> = code.split_whitespace().collect();
                if !words.is_empty() {
                    self.begin();
                    let quoted = in_backticks(&visible(&words.join(" ")));
                    self.line().push_str(&quoted);
                }
                self.space = code.ends_with(char::is_whitespace);
            }
            block => self.code = block,
        }
    }

    pub(super) fn begin_block_of_code(&mut self) {
        if !matches!(self.code, Some(Code::Block(_))) {
            self.end_open();
            self.code = Some(Code::Block(String::new()));
        }
    }

    pub(super) fn end_block_of_code(&mut self) {
        let Some(Code::Block(code)) = &self.code else { return };
        let code = visible(code.trim_end().trim_start_matches(['\n', '\r']));
        self.code = None;
        if code.is_empty() {
            return;
        }
        self.gap(Gap::Paragraph);
        self.begin();
        let fence = "`".repeat(longest_run_of_backticks(&code).max(2) + 1);
        self.line().push_str(&format!("{fence}\n{code}\n{fence}"));
        self.gap(Gap::Paragraph);
    }

    pub(super) fn finish(mut self) -> Vec<Part> {
        self.end_open();
        self.done.push(self.part);
        self.done
    }

    /// Ends what was left open.
    fn end_open(&mut self) {
        self.end_code();
        self.end_block_of_code();
        self.end_heading();
    }

    /// Writes what has to stand before the next text.
    fn begin(&mut self) {
        if self.in_heading && self.line().len() > LONGEST_HEADING {
            self.end_heading();
        }
        let (gap, space) = (mem::take(&mut self.gap), mem::take(&mut self.space));
        let mark = mem::take(&mut self.mark);
        let line = self.line();
        match gap {
            _ if line.is_empty() => {}
            Gap::None if space => line.push(' '),
            Gap::None => {}
            Gap::Line => line.push('\n'),
            Gap::Paragraph => line.push_str("\n\n"),
        }
        line.push_str(&mark);
    }

    fn line(&mut self) -> &mut String {
        match &mut self.part.heading {
            Some(heading) if self.in_heading => &mut heading.text,
            _ => &mut self.part.text,
        }
    }
}

/// Soft hyphens, joiners and controls, which a reader does not see.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn visible(code: &str) -> String {
    let kept = |c: &char| matches!(c, '\n' | '\t') || !is_invisible(*c);
    code.replace("\r\n", "\n").chars().filter(kept).collect()
}

fn in_backticks(code: &str) -> String {
    match longest_run_of_backticks(code) {
        0 => format!("`{code}`"),
        run => {
            let marks = "`".repeat(run + 1);
            format!("{marks} {code} {marks}")
        }
    }
}

fn longest_run_of_backticks(code: &str) -> usize {
    code.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
