//! Who speaks: a person who wants something, or a model that gives itself away.

use super::Flaw;
use super::facts::is_order;
use crate::persona_agent::words::{contains_run, folded};

/// What a person does not say, anywhere.
const GIVEAWAYS: &[&str] = &[
    "as an ai",
    "an ai language model",
    "as a language model",
    "im an ai",
    "i am an ai",
    "im a language model",
    "as your assistant",
    "as an assistant",
    "how can i help you",
    "how can i assist you",
    "how may i help you",
    "how may i assist you",
    "i can help you with that",
    "id be happy to help",
    "ill be happy to help",
    "im here to help",
    "im happy to help",
    "im glad to help",
    "im unable to",
    "i am unable to",
    "i cant assist",
    "i cannot assist",
    "i cannot provide",
    "i cant provide",
    "im sorry for any confusion",
    "im sorry for your loss",
    "wants to get",
    "uses an assistant to",
    "and uses an assistant",
    "pasted below the message",
    "turn notes into",
    "write only the message",
    "the message must mention",
    "message that a person would type",
    "system prompt",
    "the answer is",
    "was not enough",
    "asked last",
];
/// What a model says first where a person would not.
const OPENINGS: &[&str] = &[
    "sure",
    "certainly",
    "of course",
    "absolutely",
    "here is",
    "heres",
    "here are",
    "great question",
    "thats a great question",
    "good question",
    "i understand",
    "i apologize",
    "i apologise",
    "thank you for",
    "thanks for",
    "assistant",
    "person",
    "answer",
    "dear user",
];
/// Marks of prompts and templates.
const MARKS: &[&str] = &["<|", "|>", "[INST]", "[/INST]", "<<SYS>>", "</s>", "<s>", "### "];
/// What a note is made of; a person who names the parts reads it out.
const LABELS: &[&str] = &["person:", "topic:", "note:", "goal:", "user:", "message:", "system:"];
/// What shows, without a question mark, that something is wanted.
const WANTS: &[&str] = &[
    "please",
    "pls",
    "plz",
    "tell",
    "explain",
    "help",
    "sum",
    "summarise",
    "summarize",
    "summary",
    "describe",
    "give",
    "need",
    "want",
    "wanna",
    "like",
    "wondering",
    "wonder",
    "looking",
    "show",
    "what",
    "whats",
    "how",
    "hows",
    "why",
    "who",
    "whos",
    "when",
    "where",
    "wheres",
    "which",
    "know",
    "let",
    "solve",
    "fix",
    "translate",
    "write",
    "find",
    "list",
    "compare",
    "define",
    "idea",
    "can",
    "could",
    "would",
    "walk",
    "run",
    "break",
    "talk",
    "figure",
    "work",
    "say",
];

/// Whether a person speaks; whoever asks about such words may say them.
pub(super) fn is_human(words: &str, about: &str) -> Result<(), Flaw> {
    let (lower, asked) = (words.to_lowercase(), about.to_lowercase());
    let marks = MARKS.iter().filter(|mark| words.contains(**mark) && !about.contains(**mark));
    let labels = LABELS.iter().filter(|label| lower.contains(**label) && !asked.contains(**label));
    let (run, asked) = (folded(words), folded(about));
    let said = |phrase: &&&str| {
        let phrase = folded(phrase);
        contains_run(&run, &phrase) && !contains_run(&asked, &phrase)
    };
    let begins = |phrase: &&&str| {
        let phrase = folded(phrase);
        run.starts_with(&phrase) && !asked.starts_with(&phrase)
    };
    let giveaways = GIVEAWAYS.iter().filter(said).chain(OPENINGS.iter().filter(begins));
    let first = marks.chain(labels).chain(giveaways).next();
    first.map_or(Ok(()), |what| Err(Flaw::Voice(what.trim().to_owned())))
}

/// Whether something is asked for. What is not written in Latin letters gets the benefit of the
/// doubt: its requests are not known here.
pub(super) fn asks(words: &str, about: &str) -> Result<(), Flaw> {
    /// A request begins with what shows it.
    const BEGINNING: usize = 8;
    let marked = words.contains(['?', '？', '؟', '\u{37e}']);
    let wants = || {
        let run = folded(words);
        let mut early = run.iter().take(BEGINNING);
        run.first().is_some_and(|word| is_order(word))
            || early.any(|word| WANTS.contains(&word.as_str()))
            || run.iter().any(|word| word == "please")
    };
    let latin = script_of(about).is_none_or(|script| script == Script::Latin);
    if marked || !latin || wants() { Ok(()) } else { Err(Flaw::NoRequest) }
}

/// A way of writing, as far as telling languages apart needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Indic,
    EastAsian,
    Other,
}

impl Script {
    const ALL: [Self; 8] = [
        Self::Latin,
        Self::Greek,
        Self::Cyrillic,
        Self::Hebrew,
        Self::Arabic,
        Self::Indic,
        Self::EastAsian,
        Self::Other,
    ];

    fn of(letter: char) -> Self {
        match u32::from(letter) {
            0..=0x24f | 0x1e00..=0x1eff => Self::Latin,
            0x370..=0x3ff | 0x1f00..=0x1fff => Self::Greek,
            0x400..=0x52f => Self::Cyrillic,
            0x590..=0x5ff => Self::Hebrew,
            0x600..=0x77f => Self::Arabic,
            0x900..=0xdff => Self::Indic,
            0x1100..=0x11ff | 0x2e80..=0xd7ff | 0xf900..=0xfaff | 0x20000..=0x3ffff => {
                Self::EastAsian
            }
            _ => Self::Other,
        }
    }
}

fn letters_of(text: &str, script: Script) -> usize {
    text.chars().filter(|c| c.is_alphabetic() && Script::of(*c) == script).count()
}

/// The script of most letters; none if there are none.
fn script_of(text: &str) -> Option<Script> {
    let counted = Script::ALL.map(|script| (letters_of(text, script), script));
    let most = counted.into_iter().max_by_key(|(letters, _)| *letters);
    most.filter(|(letters, _)| *letters > 0).map(|(_, script)| script)
}

/// Whether most letters are of a script that the query has none of.
pub(super) fn is_foreign(words: &str, about: &str) -> bool {
    match (script_of(words), script_of(about)) {
        (Some(said), Some(_)) => letters_of(about, said) == 0,
        (None, _) | (_, None) => false,
    }
}
