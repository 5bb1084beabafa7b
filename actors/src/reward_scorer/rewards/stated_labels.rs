//! Which of a few labels an answer states: the letter of an option, a sentiment.
//!
//! An answer commits itself: one that states several labels has stated none, whatever the order.

use crate::reward_scorer::effort::Effort;

/// Words after which an answer says what it is: `the answer is B`, `Sentiment: positive`.
const ANNOUNCE: [&str; 7] = ["is", "be", "answer", "choose", "pick", "sentiment", "label"];
const DENY: [&str; 5] = ["not", "isn't", "never", "neither", "nor"];
/// What joins another label to one, as a comma does.
const JOIN: [&str; 2] = ["or", "and"];
/// How often a word is gone through: to be found, to be put in lower case, and to be compared.
const PASSES: usize = 4;

/// A word of an answer.
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Whether the word before says that the answer comes now.
    pub(super) is_announced: bool,
    pub(super) is_last: bool,
}

/// The labels that an answer states, as places in a list of them or as letters.
pub(super) struct StatedLabels<T> {
    announced: Vec<T>,
    /// With those that are announced.
    mentioned: Vec<T>,
}

impl<T: Copy + PartialEq> StatedLabels<T> {
    /// Reads an answer, of which `label` says which label a word is. What is denied (`not B`) is not
    /// stated, and what is announced together with others (`is positive, negative or neutral`) is
    /// announced no more than they.
    pub(super) fn read(
        answer: &str,
        label: impl Fn(&Word<'_>) -> Option<T>,
        effort: &Effort,
    ) -> Self {
        effort.spend(PASSES * answer.len());
        let mut stated = Self { announced: Vec::new(), mentioned: Vec::new() };
        let mut words = answer.split_whitespace().peekable();
        let mut before = String::new();
        let (mut is_in_list, mut is_joined) = (false, false);
        while let Some(text) = words.next() {
            let is_announced = ANNOUNCE.contains(&before.as_str());
            let word = Word { text, is_announced, is_last: words.peek().is_none() };
            let found = label(&word).filter(|_| !DENY.contains(&before.as_str()));
            before = bare(text);
            let joins = JOIN.contains(&before.as_str());
            match found {
                Some(label) => {
                    is_in_list = is_announced || (is_in_list && is_joined);
                    stated.announced.extend(is_in_list.then_some(label));
                    stated.mentioned.push(label);
                }
                None => is_in_list &= joins,
            }
            is_joined = joins || text.ends_with(',');
        }
        stated
    }

    /// The one label that is announced, or where none is, the one that is mentioned.
    pub(super) fn only(&self) -> Option<T> {
        if self.announced.is_empty() { self.only_mentioned() } else { only(&self.announced) }
    }

    /// The one label that is mentioned, announced or not.
    pub(super) fn only_mentioned(&self) -> Option<T> {
        only(&self.mentioned)
    }
}

fn only<T: Copy + PartialEq>(labels: &[T]) -> Option<T> {
    let first = labels.first()?;
    labels.iter().all(|label| label == first).then_some(*first)
}

/// A text in lower case without the signs around it.
pub(super) fn bare(text: &str) -> String {
    text.trim_matches(|sign: char| !sign.is_alphanumeric()).to_lowercase()
}
