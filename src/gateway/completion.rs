//! What becomes of a miner's answer: `stop` and `max_tokens`, which the wire to the miners cannot
//! carry, are applied to the whole of it.

use super::TokenCounter;

/// Where a user wants the answer to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// Before the first of these.
    pub(super) stop: Vec<String>,
    /// After so many tokens.
    pub(super) max_tokens: Option<u64>,
}

/// An answer as the user gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// May be empty, where a stop string was at the beginning.
    pub(super) text: String,
    pub(super) finish: Finish,
    /// Of the user's messages.
    pub(super) prompt_tokens: u64,
    /// Of the text.
    pub(super) tokens: u64,
}

/// Why the text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// The miner had no more to say, or a stop string came.
    Stop,
    /// The tokens were used up.
    Length,
}

impl Finish {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

impl Completion {
    /// What the user gets of an answer. Takes a while for a long one.
    pub(super) fn new(
        mut text: String,
        ends: &Ends,
        prompt_tokens: u64,
        count: &TokenCounter,
    ) -> Self {
        let stops = ends.stop.iter().filter_map(|stop| text.find(stop.as_str()));
        if let Some(at) = stops.min() {
            text.truncate(at);
        }
        let mut tokens = count(&text) as u64;
        let mut finish = Finish::Stop;
        if let Some(most) = ends.max_tokens.filter(|most| tokens > *most) {
            text.truncate(beginning(&text, most, count));
            tokens = count(&text) as u64;
            finish = Finish::Length;
        }
        Self { text, finish, prompt_tokens, tokens }
    }
}

/// Where the longest beginning of a text ends that has at most so many tokens, if the whole has
/// more. Looks at little more than it keeps, so that a few tokens of a long text cost little.
fn beginning(text: &str, most: u64, count: &TokenCounter) -> usize {
    let fits = |end: usize| count(&text[..end]) as u64 <= most;
    let (mut low, mut high) = (0, boundary(text, 64));
    while high < text.len() && fits(high) {
        (low, high) = (high, boundary(text, high.saturating_mul(2)));
    }
    // What ends at `low` fits, what ends at `high` does not.
    loop {
        let middle = boundary(text, low + (high - low) / 2);
        let next = text[low..].chars().next().map_or(high, |c| low + c.len_utf8());
        let middle = middle.max(next);
        if middle >= high {
            return low;
        }
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The last place up to `at` where a character ends.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    /// Counts characters.
    fn count() -> TokenCounter {
        Arc::new(|text| text.chars().count())
    }

    fn cut(text: &str, stop: &[&str], max_tokens: Option<u64>) -> (String, Finish, u64) {
        let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
        let ends = Ends { stop, max_tokens };
        let Completion { text, finish, tokens, .. } =
            Completion::new(text.to_owned(), &ends, 0, &count());
        (text, finish, tokens)
    }

    #[test]
    fn an_answer_ends_before_the_first_stop_string_of_any() {
        let text = "one, two, three";
        assert_eq!(cut(text, &["three", ", t"], None), ("one".into(), Finish::Stop, 3));
        assert_eq!(cut(text, &["one"], None), (String::new(), Finish::Stop, 0));
        assert_eq!(cut(text, &["four"], None), (text.into(), Finish::Stop, 15));
    }

    #[test]
    fn an_answer_ends_after_so_many_tokens_unless_it_is_over_before() {
        assert_eq!(cut("äöü", &[], Some(2)), ("äö".into(), Finish::Length, 2));
        assert_eq!(cut("äöü", &[], Some(3)), ("äöü".into(), Finish::Stop, 3));
        // What comes first counts.
        assert_eq!(cut("abcd", &["c"], Some(2)), ("ab".into(), Finish::Stop, 2));
        assert_eq!(cut("abcd", &["d"], Some(2)), ("ab".into(), Finish::Length, 2));
    }

    proptest! {
        #[test]
        fn as_much_is_kept_as_fits(text in ".{0,400}", most in 1u64..420) {
            let (kept, _, tokens) = cut(&text, &[], Some(most));
            let expected: String = text.chars().take(most as usize).collect();
            prop_assert_eq!(tokens, expected.chars().count() as u64);
            prop_assert_eq!(kept, expected);
        }
    }
}
