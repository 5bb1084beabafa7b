//! Yes or no, comparison symbols, roman numerals, labelled values, and
//! whatever else is compared word by word.

use super::tokens::{Standing, Text, Token, TokenKind};
use super::values::Entry;

/// Most tokens of a statement that are compared word by word.
const LONGEST_TEXT: usize = 1_000;

const ROMAN: [(&str, u32); 13] = [
    ("M", 1000),
    ("CM", 900),
    ("D", 500),
    ("CD", 400),
    ("C", 100),
    ("XC", 90),
    ("L", 50),
    ("XL", 40),
    ("X", 10),
    ("IX", 9),
    ("V", 5),
    ("IV", 4),
    ("I", 1),
];

/// What the text answers to a question of yes or no. The last sentence that says one decides; one
/// that says both leaves it open. A `no` within a sentence counts only if the text has no yes or
/// no that stands apart: by itself, before a comma, in bold type or as "the answer".
pub(super) fn yes_or_no(text: &Text) -> Option<bool> {
    let mut said: Vec<(usize, bool, bool)> = Vec::new();
    let mut sentence = 0;
    for (place, token) in text.tokens.iter().enumerate() {
        match &token.kind {
            TokenKind::Symbol('.' | '!' | '?' | '\n') => sentence += 1,
            TokenKind::Word(word) => {
                let yes = word.eq_ignore_ascii_case("yes");
                if (yes || word.eq_ignore_ascii_case("no")) && !is_choice(text, place) {
                    let apart = stands_apart(text, place)
                        || text.standing(place, place + 1) > Standing::Said;
                    said.push((sentence, yes, apart));
                }
            }
            _ => {}
        }
    }
    if said.iter().any(|(_, _, apart)| *apart) {
        said.retain(|(_, _, apart)| *apart);
    }
    let (last, answer, _) = *said.last()?;
    let is_open = said.iter().any(|(sentence, yes, _)| *sentence == last && *yes != answer);
    (!is_open).then_some(answer)
}

/// Whether a yes or no is one of `yes or no`, as in a question.
fn is_choice(text: &Text, place: usize) -> bool {
    let is_answer = |place: usize| {
        text.word(place).is_some_and(|word| matches!(word.to_lowercase().as_str(), "yes" | "no"))
    };
    let is_link = |place: usize| text.word(place) == Some("or") || text.symbol(place) == Some('/');
    let before = place.checked_sub(2);
    is_link(place + 1) && is_answer(place + 2)
        || before.is_some_and(|before| is_link(before + 1) && is_answer(before))
}

fn stands_apart(text: &Text, place: usize) -> bool {
    let is_border = |place: Option<usize>| match place.and_then(|place| text.kind(place)) {
        None => true,
        Some(TokenKind::Symbol(c)) => ".,;:!?\n\"'(){}-—#".contains(*c),
        Some(_) => false,
    };
    is_border(place.checked_sub(1)) && is_border(Some(place + 1))
}

/// The comparison that a text ends with. An equals sign within a calculation says nothing as long
/// as there is any other.
pub(super) fn comparison(text: &Text) -> Option<char> {
    let symbol = |place: usize| {
        let symbol = text.symbol(place).filter(|c| matches!(c, '<' | '=' | '>'))?;
        is_comparison(text, place).then_some((symbol, place + 1))
    };
    let stands_out = |place: usize| text.standing(place, place + 1) > Standing::Said;
    let decisive =
        text.answer(|place| symbol(place).filter(|(c, _)| *c != '=' || stands_out(place)));
    decisive.or_else(|| text.answer(symbol)).or_else(|| {
        text.answer(|place| {
            let word = text.word(place)?.to_ascii_lowercase();
            let symbol = match word.as_str() {
                "less" | "smaller" => '<',
                "greater" | "larger" | "bigger" | "more" => '>',
                "equal" | "equals" => '=',
                _ => return None,
            };
            Some((symbol, place + 1))
        })
    })
}

/// Whether a symbol is neither an arrow, nor a tag's, nor one of a list of symbols.
fn is_comparison(text: &Text, place: usize) -> bool {
    let Some(token) = text.tokens.get(place) else { return false };
    let beside = |at: Option<usize>| at.and_then(|at| text.chars.get(at)).copied();
    let (before, after) = (beside(token.at.checked_sub(1)), beside(Some(token.end)));
    let is_glued = |c: Option<char>| c.is_some_and(|c| "<=>-~!|/".contains(c));
    let is_tag = match text.symbol(place) {
        Some('<') => after.is_some_and(|c| c.is_alphabetic()),
        Some('>') => before.is_some_and(|c| c.is_alphabetic() || c == '"'),
        _ => false,
    };
    let is_symbol = |place: usize| matches!(text.symbol(place), Some('<' | '=' | '>'));
    let is_filler = |place: usize| {
        matches!(text.symbol(place), Some(',' | '/' | '"' | '\''))
            || text.word(place).is_some_and(|word| matches!(word, "or" | "and"))
    };
    let next = (place + 1..place + 5).find(|place| !is_filler(*place));
    let previous = (place.saturating_sub(4)..place).rev().find(|place| !is_filler(*place));
    !is_glued(before)
        && !is_glued(after)
        && !is_tag
        && !next.is_some_and(is_symbol)
        && !previous.is_some_and(is_symbol)
}

/// The value of a roman numeral in its usual form, of either case.
pub(super) fn roman(word: &str) -> Option<u32> {
    let upper = word.to_ascii_uppercase();
    let (mut rest, mut value) = (upper.as_str(), 0);
    for (letters, worth) in ROMAN {
        let mut times = 0;
        while let Some(after) = rest.strip_prefix(letters) {
            times += 1;
            if times > 3 || (times > 1 && !matches!(letters, "M" | "C" | "X" | "I")) {
                return None;
            }
            (rest, value) = (after, value + worth);
        }
    }
    (rest.is_empty() && value > 0).then_some(value)
}

/// The numeral that a text ends with. Those in small letters may be words, those of one letter
/// anything: they count if they are stated as the answer.
pub(super) fn last_roman(text: &Text) -> Option<u32> {
    text.answer(|place| {
        let word = text.word(place)?;
        let value = roman(word)?;
        let is_plain = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        (is_plain || text.standing(place, place + 1) > Standing::Said).then_some((value, place + 1))
    })
}

/// The last value that a text gives to a label: the last number between the label and the next
/// label, sentence or line; or, where numbers come first (`3 hours`), the number before it.
pub(super) fn labelled(text: &Text, wanted: &Label, others: &[&Label]) -> Option<Entry> {
    let mut found = None;
    let mut place = 0;
    while place < text.tokens.len() {
        if !wanted.is_at(text, place) {
            place += 1;
            continue;
        }
        let value = if wanted.comes_after {
            number_before(text, place)
        } else {
            last_number(text, place + wanted.words.len(), others)
        };
        found = value.or(found);
        place += wanted.words.len();
    }
    found
}

/// The words that name a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) words: Vec<String>,
    /// Whether the number comes first, as with a unit.
    pub(super) comes_after: bool,
}

impl Label {
    /// Whether it begins here, be it the plural or not.
    fn is_at(&self, text: &Text, place: usize) -> bool {
        let singular = |word: &str| word.trim_end_matches('s').to_ascii_lowercase();
        self.words.iter().enumerate().all(|(offset, word)| {
            text.word(place + offset).is_some_and(|found| {
                text.work(found.len() + word.len());
                singular(found) == singular(word)
            })
        })
    }
}

fn number_before(text: &Text, place: usize) -> Option<Entry> {
    let last = place.checked_sub(1)?;
    match text.kind(last)? {
        TokenKind::Number { value, decimals } => {
            let negative = last.checked_sub(1).and_then(|sign| text.symbol(sign)) == Some('-');
            let value = if negative { -value } else { *value };
            Some(Entry { value, decimals: *decimals, is_fraction: false })
        }
        _ => None,
    }
}

fn last_number(text: &Text, mut place: usize, labels: &[&Label]) -> Option<Entry> {
    let mut last = None;
    while let Some(kind) = text.kind(place) {
        let ends = matches!(kind, TokenKind::Symbol('.' | ';' | '\n'))
            || labels.iter().any(|label| label.is_at(text, place));
        if ends {
            break;
        }
        match Entry::read(text, place) {
            Some((entry, end)) => {
                last = Some(entry);
                place = end;
            }
            None => place += 1,
        }
    }
    last
}

/// Whether the text's answer is word by word the reference: what it announces, or what its last
/// line says after the last equals sign.
pub(super) fn ends_as(text: &Text, reference: &Text) -> bool {
    let wanted: Vec<TokenKind> = spelled(&reference.tokens);
    let announced = |place: &usize| text.standing(*place, place + 1) == Standing::Announced;
    let places = 0..text.tokens.len();
    let place = places.clone().rfind(announced).or_else(|| {
        let ends = |place: &usize| !matches!(text.symbol(*place), Some('\n' | '.'));
        let last = places.clone().rev().find(ends)?;
        let line = (0..last).rev().find(|place| text.symbol(*place) == Some('\n'));
        let equals = (0..last).rev().find(|place| text.symbol(*place) == Some('='));
        Some(line.max(equals).map_or(0, |before| before + 1))
    });
    let Some(place) = place else { return false };
    let rest = text.tokens.get(place..).unwrap_or_default();
    let said = spelled(rest.get(..LONGEST_TEXT).unwrap_or(rest));
    let goes_on = said.get(wanted.len()).is_some_and(|next| match next {
        TokenKind::Symbol(c) => !".,;!\n)]=≈".contains(*c),
        TokenKind::Word(word) => matches!(word.as_str(), "or" | "and"),
        TokenKind::Number { .. } | TokenKind::Command(_) => true,
    });
    !wanted.is_empty() && said.starts_with(&wanted) && !goes_on
}

/// Tokens in small letters, without braces, and with a slash in a fraction.
fn spelled(tokens: &[Token]) -> Vec<TokenKind> {
    let mut spelled = Vec::new();
    // For every open brace whether a denominator follows its counterpart.
    let mut braces: Vec<bool> = Vec::new();
    let mut is_numerator = false;
    for token in tokens {
        match &token.kind {
            TokenKind::Command(name) if name == "frac" => {
                is_numerator = true;
                continue;
            }
            TokenKind::Symbol('{') => braces.push(is_numerator),
            TokenKind::Symbol('}') => {
                if braces.pop() == Some(true) {
                    spelled.push(TokenKind::Symbol('/'));
                }
            }
            TokenKind::Word(word) => spelled.push(TokenKind::Word(word.to_lowercase())),
            kind => spelled.push(kind.clone()),
        }
        is_numerator = false;
    }
    spelled
}
