//! What an answer needs of a query: code, quotations, numbers, names, and enough of its other words.
//!
//! Without a model and for any language: by the form of words alone.

use std::collections::BTreeSet;

use crate::persona_agent::words::{
    AUXILIARIES, Word, akin, contains_run, folded, is_empty_word, stem, words,
};
use crate::text::sentences::STOPS;

/// A query of no more words that asks nothing is a title.
const TITLE_WORDS: usize = 8;
/// What requests begin with; with one of these a short query is no title.
const ORDERS: &[&str] = &[
    "add",
    "answer",
    "calculate",
    "change",
    "classify",
    "compare",
    "complete",
    "compose",
    "compute",
    "convert",
    "correct",
    "count",
    "create",
    "debug",
    "define",
    "describe",
    "determine",
    "discuss",
    "draft",
    "draw",
    "explain",
    "find",
    "fix",
    "generate",
    "give",
    "help",
    "identify",
    "imagine",
    "list",
    "make",
    "name",
    "outline",
    "plan",
    "propose",
    "prove",
    "provide",
    "read",
    "repair",
    "rewrite",
    "say",
    "show",
    "simplify",
    "solve",
    "sort",
    "state",
    "suggest",
    "summarise",
    "summarize",
    "tell",
    "think",
    "translate",
    "turn",
    "write",
];
/// Numbers that people write as words.
const COUNTED: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// What a challenge has to keep of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Code, to the letter.
    pub code: Vec<String>,
    /// Quotations, word for word.
    pub quotations: Vec<String>,
    /// Numbers, without the commas between their digits.
    pub numbers: Vec<String>,
    /// Names, in any case and number.
    pub names: Vec<String>,
    /// The other words that say what the query is about.
    pub subjects: Vec<String>,
    /// So many of them have to be there, in any form.
    pub needed: usize,
    /// Whether the query is but a title.
    pub is_title: bool,
}

impl Facts {
    /// The facts of a query about a topic.
    #[must_use]
    pub fn of(query: &str, topic: &str) -> Self {
        let spans = spans(query);
        let outside = |word: &Word<'_>| !spans.iter().any(|span| span.covers(word));
        let all: Vec<Word<'_>> = words(query).into_iter().filter(outside).collect();
        let is_title = spans.is_empty() && is_title(query, &all);
        let topic: BTreeSet<&str> = words(topic).into_iter().map(|word| word.text).collect();
        let mut facts = Self { is_title, ..Self::default() };
        for span in spans {
            let list = if span.is_code { &mut facts.code } else { &mut facts.quotations };
            keep(list, span.text.to_owned());
        }
        for (at, word) in all.iter().enumerate() {
            let next = all.get(at + 1);
            if is_identifier(word.text) {
                keep(&mut facts.code, word.text.to_owned());
            } else if !numbers(word.text).is_empty() {
                numbers(word.text).into_iter().for_each(|n| keep(&mut facts.numbers, n));
            } else if is_name(word, next, &topic) {
                keep(&mut facts.names, word.text.to_owned());
            } else if says_something(word.text) {
                keep(&mut facts.subjects, word.text.to_owned());
            }
        }
        facts.needed = facts.share();
        facts
    }

    /// How many of the other words are enough: all of a title, half of a query without names and
    /// numbers, a quarter of one that has some.
    fn share(&self) -> usize {
        let hard = self.code.len() + self.quotations.len() + self.numbers.len() + self.names.len();
        match (self.is_title, hard) {
            (true, _) => self.subjects.len(),
            (false, 0) => self.subjects.len().div_ceil(2),
            (false, _) => self.subjects.len().div_ceil(4),
        }
    }

    /// Whether a text names one of them, if there are any.
    #[must_use]
    pub fn is_met_in(&self, text: &str) -> bool {
        let said = words(text);
        let mut named = self.names.iter().chain(&self.subjects).chain(&self.code).peekable();
        named.peek().is_none() || named.any(|fact| is_said(fact, &said, text))
    }

    /// What a text lacks of them; nothing if it keeps enough.
    #[must_use]
    pub fn missing_in(&self, text: &str) -> Vec<String> {
        let (said, run) = (words(text), folded(text));
        let figures = numbers_said(text);
        let named = |name: &String| {
            let exact = is_empty_word(name);
            said.iter()
                .any(|w| if exact { w.text == name.as_str() } else { stem(w.text) == stem(name) })
        };
        let code = self.code.iter().filter(|code| !text.contains(code.as_str()));
        let quotations = self.quotations.iter().filter(|q| !contains_run(&run, &folded(q)));
        let numbers = self.numbers.iter().filter(|number| !figures.contains(*number));
        let names = self.names.iter().filter(|name| !named(name));
        let mut missing: Vec<String> =
            code.chain(quotations).chain(numbers).chain(names).cloned().collect();
        let kept = |subject: &str| is_said(subject, &said, text);
        let lost: Vec<&String> = self.subjects.iter().filter(|subject| !kept(subject)).collect();
        let short = self.needed.saturating_sub(self.subjects.len() - lost.len());
        missing.extend(lost.into_iter().take(short).cloned());
        missing
    }
}

/// A list without repetitions; the order is that of the query.
fn keep(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// A part of a text that must stand as it is.
pub(in crate::persona_agent) struct Span<'a> {
    /// The part, without the marks around it.
    text: &'a str,
    /// Its first byte, marks included.
    pub(in crate::persona_agent) start: usize,
    /// The byte after it, marks included.
    end: usize,
    is_code: bool,
}

impl Span<'_> {
    /// Whether a word stands within it.
    pub(in crate::persona_agent) fn covers(&self, word: &Word<'_>) -> bool {
        self.start <= word.start && word.end() <= self.end
    }
}

/// The quotations and the code between backticks, in order; a mark that is never closed opens
/// nothing.
pub(in crate::persona_agent) fn spans(text: &str) -> Vec<Span<'_>> {
    /// What opens and closes.
    const MARKS: &[(&str, &str)] =
        &[("```", "```"), ("`", "`"), ("\"", "\""), ("“", "”"), ("„", "“"), ("«", "»")];
    let (mut spans, mut from) = (Vec::new(), 0);
    while let Some(rest) = text.get(from..) {
        let opened = MARKS.iter().filter_map(|(open, close)| Some((rest.find(open)?, open, close)));
        let Some((at, open, close)) =
            opened.min_by_key(|(at, open, _)| (*at, 3 - open.len().min(3)))
        else {
            break;
        };
        let inside = from + at + open.len();
        let length = text.get(inside..).and_then(|rest| rest.find(close));
        let quoted = length.and_then(|length| text.get(inside..inside + length));
        match quoted.filter(|quoted| quoted.chars().any(char::is_alphanumeric)) {
            Some(quoted) => {
                let end = inside + quoted.len() + close.len();
                let is_code = open.starts_with('`');
                spans.push(Span { text: quoted, start: from + at, end, is_code });
                from = end;
            }
            None => from = inside,
        }
    }
    spans
}

/// Whether a fact stands in a text of these words, in any inflection.
fn is_said(fact: &str, said: &[Word<'_>], text: &str) -> bool {
    said.iter().any(|word| akin(word.text, fact)) || is_in_unspaced(text, fact)
}

/// A query that asks nothing and orders nothing.
fn is_title(query: &str, words: &[Word<'_>]) -> bool {
    let Some(first) = words.first() else { return true };
    let first = first.text.to_lowercase();
    let asks = query.trim_end().ends_with(STOPS);
    let begins = is_order(&first) || opens_a_question(&first);
    words.len() <= TITLE_WORDS && !asks && !begins
}

fn opens_a_question(word: &str) -> bool {
    const OPENERS: &[&str] =
        &["what", "who", "whom", "whose", "which", "when", "where", "why", "how"];
    OPENERS.contains(&word) || AUXILIARIES.contains(&word)
}

/// Whether a request may begin with a word.
pub(super) fn is_order(word: &str) -> bool {
    ORDERS.contains(&word.to_lowercase().as_str())
}

/// A word that only a program would write.
fn is_identifier(word: &str) -> bool {
    let inner = |mark: &str| word.contains(mark);
    let dotted = word.split('.').filter(|part| part.chars().count() > 1).count() > 1;
    inner("_") || inner("::") || (dotted && word.chars().any(char::is_alphabetic) && is_plain(word))
}

fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
}

fn is_name(word: &Word<'_>, next: Option<&Word<'_>>, topic: &BTreeSet<&str>) -> bool {
    let text = word.text;
    let upper = |text: &str| text.chars().next().is_some_and(char::is_uppercase);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    if text.chars().any(char::is_numeric) && letters > 0 {
        return true;
    }
    if capitals >= 2 && text.chars().count() >= 2 {
        return true;
    }
    if !upper(text) || is_empty_word(text) {
        return false;
    }
    let before_name =
        next.is_some_and(|next| !next.opens && upper(next.text) && !is_empty_word(next.text));
    let orders = is_order(text);
    !word.opens || topic.contains(text) || (before_name && !orders)
}

/// Whether a word is of a script that puts no spaces between words, as Chinese.
fn is_unspaced(word: &str) -> bool {
    word.chars().any(|c| u32::from(c) >= 0x2e80)
}

/// Whether half of the neighbouring signs of an unspaced word are neighbours in a text.
fn is_in_unspaced(text: &str, word: &str) -> bool {
    if !is_unspaced(word) {
        return false;
    }
    let signs: Vec<char> = word.chars().collect();
    let found = |pair: &&[char]| text.contains(&pair.iter().collect::<String>());
    let pairs = signs.windows(2.min(signs.len()));
    let (all, kept) = (pairs.len(), pairs.filter(found).count());
    kept * 2 >= all
}

/// Short words of an alphabet say nothing; one sign of Chinese says much.
fn says_something(word: &str) -> bool {
    let long = word.chars().count() >= 3 || is_unspaced(word);
    long && !is_empty_word(word) && !is_order(word)
}

/// The numbers of a text without the commas between digits and the zeros before them. Digits in a
/// name, as in `H2O`, are part of it.
pub(super) fn numbers(text: &str) -> Vec<String> {
    let (mut found, mut letters) = (Vec::new(), text.char_indices().peekable());
    let mut in_name = false;
    while let Some((at, c)) = letters.next() {
        if !c.is_ascii_digit() || in_name {
            in_name = c.is_alphanumeric();
            continue;
        }
        let part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let run = rest.get(..length).unwrap_or_default().trim_end_matches(['.', ',']);
        let plain = run.replace(',', "");
        let plain = plain.trim_start_matches('0');
        let bare = plain.is_empty() || plain.starts_with('.');
        found.push(if bare { format!("0{plain}") } else { plain.to_owned() });
        while letters.next_if(|(next, _)| *next < at + length).is_some() {}
    }
    found
}

/// The numbers of a text, those in words too.
pub(super) fn numbers_said(text: &str) -> BTreeSet<String> {
    let counted = |word: String| COUNTED.iter().position(|name| *name == word);
    let spelt = folded(text).into_iter().filter_map(counted).map(|number| number.to_string());
    spelt.chain(numbers(text)).collect()
}
