//! Plain characters from Markdown, LaTeX and typography, so that one reader suffices for all.
//!
//! Nothing is computed: commands that say nothing about a value vanish, matrices become brackets,
//! operators become ASCII. `\frac` and `\boxed` stay, since readers look for them.

use crate::reward_scorer::rewards::announcement::tail;

/// Characters of a text's end that are read.
const SCANNED: usize = 8_000;

/// The end of a text in plain characters, from the beginning of a word.
pub(super) fn clean(text: &str) -> Vec<char> {
    let raw = tail(text, SCANNED);
    let mut cleaner = Cleaner { raw: &raw, at: 0, out: Vec::new(), braces: Vec::new(), matrix: 0 };
    while let Some(c) = cleaner.next() {
        cleaner.take(c);
    }
    cleaner.out
}

struct Cleaner<'a> {
    raw: &'a [char],
    at: usize,
    out: Vec<char>,
    /// What becomes of the counterpart of every open brace.
    braces: Vec<Option<char>>,
    /// How many matrices are open.
    matrix: usize,
}

impl Cleaner<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.raw.get(self.at).copied()?;
        self.at += 1;
        Some(c)
    }

    fn put(&mut self, text: &str) {
        self.out.extend(text.chars());
    }

    fn take(&mut self, c: char) {
        match c {
            '\\' => self.escape(),
            '{' => {
                self.braces.push(Some('}'));
                self.out.push(c);
            }
            '}' => {
                let closing = self.braces.pop().unwrap_or(Some(c));
                self.out.extend(closing);
            }
            '&' if self.past("lt;") => self.out.push('<'),
            '&' if self.past("gt;") => self.out.push('>'),
            '&' if self.matrix > 0 => self.out.push(','),
            '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => {}
            '\n' => self.out.push('\n'),
            _ => match (raised(c), lowered(c)) {
                (Some(digit), _) => self.index('^', digit, raised),
                (_, Some(digit)) => self.index('_', digit, lowered),
                (None, None) => self.out.push(plain(c)),
            },
        }
    }

    /// Whether `text` comes next; if so it is passed.
    fn past(&mut self, text: &str) -> bool {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let length = text.chars().count();
        let found = rest.len() >= length && text.chars().eq(rest.iter().copied().take(length));
        if found {
            self.at += length;
        }
        found
    }

    /// Digits that are set higher or lower, of which the first was read.
    fn index(&mut self, sign: char, first: char, digit: fn(char) -> Option<char>) {
        self.out.extend([sign, first]);
        while let Some(digit) = self.raw.get(self.at).copied().and_then(digit) {
            self.out.push(digit);
            self.at += 1;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let name: String = rest.iter().take_while(|c| c.is_ascii_alphabetic()).take(20).collect();
        if name.is_empty() {
            return self.escaped_symbol();
        }
        self.at += name.len();
        match name.as_str() {
            "frac" | "dfrac" | "tfrac" | "cfrac" => self.put("\\frac"),
            "boxed" | "fbox" => self.put("\\boxed"),
            "begin" | "end" => self.environment(name == "begin"),
            "cdot" | "times" | "ast" => self.put("*"),
            "lt" => self.put("<"),
            "gt" => self.put(">"),
            "langle" => self.put("("),
            "rangle" => self.put(")"),
            "lbrace" => self.put("{"),
            "rbrace" => self.put("}"),
            "left" | "right" | "big" | "Big" | "bigl" | "bigr" | "Bigl" | "Bigr" | "quad"
            | "qquad" | "displaystyle" | "limits" => self.put(" "),
            "text" | "textbf" | "textit" | "texttt" | "mathrm" | "mathbf" | "mathit" | "mathtt"
            | "operatorname" => {
                if self.past("{") {
                    self.braces.push(None);
                }
            }
            "sqrt" if self.past("{") => {
                self.braces.push(Some(')'));
                self.put("sqrt(");
            }
            other => {
                if self.out.last().is_some_and(|c| c.is_alphanumeric()) {
                    self.put(" ");
                }
                self.put(other);
            }
        }
    }

    fn escaped_symbol(&mut self) {
        match self.next() {
            Some('\\') => self.put(if self.matrix > 0 { "],[" } else { "\n" }),
            Some('(' | ')' | '[' | ']') => self.put("$"),
            Some('!') | None => {}
            Some(',' | ';' | ':' | ' ') => self.put(" "),
            Some(c) => self.out.push(plain(c)),
        }
    }

    /// `\begin{pmatrix}` and its like; other environments vanish.
    fn environment(&mut self, begins: bool) {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let name: String = rest.iter().take(20).take_while(|c| **c != '}').collect();
        if !name.starts_with('{') || name.chars().count() == 20 {
            return;
        }
        self.at += name.chars().count() + 1;
        let name = name.trim_end_matches('*');
        if !(name.ends_with("matrix") || name == "{array") {
            return self.put(" ");
        }
        if begins {
            self.matrix += 1;
            if self.past("{") {
                // The columns of an array.
                while self.next().is_some_and(|c| c != '}') {}
            }
            self.put("[[");
        } else {
            self.matrix = self.matrix.saturating_sub(1);
            self.put("]]");
        }
    }
}

fn plain(c: char) -> char {
    match c {
        '−' | '–' | '‐' | '‑' | '﹣' | '\u{ff0d}' => '-',
        '×' | '·' | '⋅' | '∗' | '∙' => '*',
        '⁄' | '∕' => '/',
        '\u{ff0c}' => ',',
        '⟨' => '(',
        '⟩' => ')',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn lowered(c: char) -> Option<char> {
    char::from_digit(u32::from(c).checked_sub(0x2080)?, 10)
}

fn raised(c: char) -> Option<char> {
    let value = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|superscript| superscript == c)?;
    char::from_digit(u32::try_from(value).ok()?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_characters_come_of_markup() {
        for (text, plain) in [
            (r"$3x² − 2\cdot x^{10}$", "$3x^2 - 2* x^{10}$"),
            (r"\left(\dfrac{1}{2},\, -3\right)", " (\\frac{1}{2},  -3 )"),
            (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", "[[ 1 , 2 ],[ 3 , 4 ]]"),
            (r"\begin{array}{cc} 1 & 2 \end{array}", "[[ 1 , 2 ]]"),
            (r"\begin{align} x &= 1 \\ y &= 2 \end{align}", "  x &= 1 \n y &= 2  "),
            ("\u{ff0d}2\u{ff0c} 3", "-2, 3"),
            (r"\boxed{\text{Yes}}", "\\boxed{Yes}"),
            (r"\frac{\sqrt{3}}{2}", "\\frac{sqrt(3)}{2}"),
            (r"\[ 4\mathrm{i} \]", "$ 4i $"),
            (r"\{1, 2\} &lt; 2\pi", "{1, 2} < 2 pi"),
            ("x¹² 101₂", "x^12 101_2"),
            (r"\", ""),
            (r"}}\mathrm{", "}}"),
        ] {
            assert_eq!(clean(text).into_iter().collect::<String>(), plain, "{text:?}");
        }
    }

    #[test]
    fn only_the_end_of_a_long_text_is_read() {
        let text: String = clean(&format!("cut {}", "word ".repeat(10_000))).into_iter().collect();
        assert!(text.len() <= SCANNED && text.starts_with("word"));
        assert!(clean(&"9".repeat(1_000_000)).is_empty());
    }
}
