//! The plain text of a page, as the wiki's extracts give it, cut into sections.
//!
//! Headings stand in lines of their own between as many `=` as their level has. Formulas come as
//! their parts, each in an indented line, and then as TeX: only that is kept.

use sn1_actors::domain::Section;

use crate::tools::article_rules::{self, is_furniture};

/// The deepest level of a heading.
const DEEPEST: usize = 6;
const TEX: &str = "{\\displaystyle";

/// The sections of an article, nested ones side by side with those that hold them. Left out are
/// empty ones and, with all that is nested in them, those that tell of the article only.
pub(super) fn sections(extract: &str) -> Vec<Section> {
    let mut kept: Vec<Section> = Vec::new();
    let mut left_out = None;
    for (level, section) in split(extract) {
        if left_out.is_some_and(|outer| level > outer) {
            continue;
        }
        let furniture = section.heading.as_deref().is_some_and(is_furniture);
        left_out = furniture.then_some(level);
        if !furniture && !section.text.is_empty() {
            kept.push(section);
        }
    }
    article_rules::prose(kept)
}

/// All sections with their levels; the lead has level 1.
fn split(extract: &str) -> Vec<(usize, Section)> {
    let mut found = vec![(1, None, Vec::new())];
    for line in extract.lines() {
        if let Some((level, heading)) = heading(line) {
            found.push((level, Some(heading.to_owned()), Vec::new()));
        } else if let Some((_, _, lines)) = found.last_mut() {
            lines.push(line);
        }
    }
    let section = |(level, heading, lines): (_, _, Vec<&str>)| {
        (level, Section { heading, text: tidy(&lines) })
    };
    found.into_iter().map(section).collect()
}

/// All sections in order, also those that are left out of an article.
pub(super) fn all_sections(extract: &str) -> Vec<Section> {
    split(extract).into_iter().map(|(_, section)| section).collect()
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let line = line.trim();
    let inner = line.trim_start_matches('=');
    let level = line.len() - inner.len();
    let heading = inner.trim_end_matches('=');
    let closed = inner.len() - heading.len() == level;
    let heading = heading.trim();
    (closed && (2..=DEEPEST).contains(&level) && !heading.is_empty()).then_some((level, heading))
}

/// Lines as text: formulas as TeX within the line that they stand in, no run of empty lines.
fn tidy(lines: &[&str]) -> String {
    let is_indented = |line: &str| line.starts_with("  ");
    let mut text = String::new();
    let mut goes_on = true;
    for run in lines.chunk_by(|one, other| is_indented(one) == is_indented(other)) {
        let formula =
            run.first().filter(|line| is_indented(line)).and_then(|_| tex(&run.join(" ")));
        if formula.is_none() && !goes_on {
            text.push('\n');
        }
        goes_on = formula.is_some();
        text.push_str(&formula.unwrap_or_else(|| run.join("\n")));
    }
    let mut tidied = String::new();
    let mut last_was_empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && last_was_empty) {
            tidied.push_str(line);
            tidied.push('\n');
        }
        last_was_empty = line.is_empty();
    }
    tidied.trim_end().to_owned()
}

/// What the text's formulas are in TeX; `None` if it has none.
fn tex(text: &str) -> Option<String> {
    let formulas: Vec<&str> = text.split(TEX).skip(1).map(|rest| braced(rest).trim()).collect();
    (!formulas.is_empty()).then(|| formulas.join(" "))
}

/// The text up to the brace that closes what was opened before it.
fn braced(text: &str) -> &str {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => return text.get(..at).unwrap_or_default(),
            '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(extract: &str) -> Vec<(Option<String>, String)> {
        sections(extract).into_iter().map(|section| (section.heading, section.text)).collect()
    }

    fn section(heading: &str, text: &str) -> (Option<String>, String) {
        ((!heading.is_empty()).then(|| heading.to_owned()), text.to_owned())
    }

    #[test]
    fn nested_sections_stand_side_by_side_and_those_about_the_article_are_left_out() {
        let extract = "The lead.\n\n\n\nMore.\n\n\n== History ==\nLong ago.\n\n\n=== Wine ===\nSour.\n\
            == Empty ==\n\n\n== See also ==\nOther\n== References ==\n\n=== Works cited ===\nA book.\n\
            ==== Nested ====\nA book.\n== Uses ==\nMany.\n== External links ==\nA link";
        assert_eq!(
            told(extract),
            [
                section("", "The lead.\n\nMore."),
                section("History", "Long ago."),
                section("Wine", "Sour."),
                section("Uses", "Many."),
            ]
        );
    }

    #[test]
    fn only_what_is_between_marks_of_one_level_is_a_heading() {
        for line in
            ["== a", "a ==", "== a ===", "= a =", "====", "== ==", "a == b", "======= a ======="]
        {
            assert_eq!(heading(line), None, "{line}");
        }
        assert_eq!(heading(" ==a=b== "), Some((2, "a=b")));
        assert_eq!(heading("====== a ======"), Some((6, "a")));
        assert_eq!(told(""), []);
    }

    #[test]
    fn of_a_formula_only_its_tex_is_kept_in_its_line() {
        let inline = "where \n  \n    \n      \n        f\n      \n    \n    {\\displaystyle f}\n  \n is smooth.";
        assert_eq!(told(inline), [section("", "where f is smooth.")]);
        let display = "Then:\n\n  \n    \n      E\n    \n    {\\displaystyle E=\\{m\\}c^{2}.}\n  \n\nIt holds.";
        assert_eq!(told(display), [section("", "Then:\nE=\\{m\\}c^{2}.\nIt holds.")]);
        let code = "Write:\n  if x {\n    y\n  }\nand run it.";
        assert_eq!(told(code), [section("", "Write:\n  if x {\n    y\n  }\nand run it.")]);
        assert_eq!(told("  {\\displaystyle {never closed"), [section("", "{never closed")]);
    }
}
