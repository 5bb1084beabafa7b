//! The strings that end a text wherever they appear in it, across any tokens. Pure;
//! [`super::growing_text`] uses it.

use super::scheduler::Refusal;
use crate::text::boundary::floor;

const MOST: usize = 16;
const LONGEST: usize = 256;

/// The stop strings of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopStrings(Vec<String>);

impl StopStrings {
    /// Checks them: not too many, none empty, none too long.
    ///
    /// # Errors
    /// [`Refusal::StopStrings`].
    pub fn new(strings: Vec<String>) -> Result<Self, Refusal> {
        let fits = |text: &String| (1..=LONGEST).contains(&text.len());
        if strings.len() > MOST || !strings.iter().all(fits) {
            return Err(Refusal::StopStrings { count: MOST, length: LONGEST });
        }
        Ok(Self(strings))
    }

    /// Where the first of them begins. `text` had none before `fresh`, the index at which its new
    /// part begins.
    #[must_use]
    pub fn find(&self, text: &str, fresh: usize) -> Option<usize> {
        let begin = |stop: &String| {
            let from = floor(text, fresh.saturating_sub(stop.len() - 1));
            text[from..].find(stop.as_str()).map(|at| from + at)
        };
        self.0.iter().filter_map(begin).min()
    }

    /// Where the part of `text` begins that may be the front of a stop string; its end if none may.
    #[must_use]
    pub fn hold_back(&self, text: &str) -> usize {
        let longest = self.0.iter().map(String::len).max().unwrap_or(1);
        let from = floor(text, text.len().saturating_sub(longest - 1));
        let mut tails = text[from..].char_indices().map(|(at, _)| from + at);
        let may_begin = |at: &usize| self.0.iter().any(|stop| stop.starts_with(&text[*at..]));
        tails.find(may_begin).unwrap_or(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops(strings: &[&str]) -> StopStrings {
        StopStrings::new(strings.iter().map(|s| (*s).to_owned()).collect()).unwrap()
    }

    #[test]
    fn the_first_to_begin_is_found_where_only_its_end_is_new() {
        let stops = stops(&["END", "é!"]);
        assert_eq!(stops.find("abcEND", 5), Some(3));
        assert_eq!(stops.find("aé!END", 2), Some(1));
        assert_eq!(stops.find("abcEN", 0), None);
        assert_eq!(StopStrings::default().find("abc", 0), None);
    }

    #[test]
    fn what_may_become_a_stop_string_is_held_back_and_no_more() {
        let stops = stops(&["\n\nUser:", "é!"]);
        for (text, shown) in [
            ("tea", "tea"),
            ("tea\n", "tea"),
            ("tea\n\n", "tea"),
            ("tea\n\nUs", "tea"),
            ("tea\n\nUx", "tea\n\nUx"),
            ("tea\n\n\n", "tea\n"),
            ("café", "caf"),
            ("", ""),
        ] {
            assert_eq!(&text[..stops.hold_back(text)], shown, "{text:?}");
        }
        assert_eq!(StopStrings::default().hold_back("abc"), 3);
    }

    #[test]
    fn refuses_too_many_too_long_and_empty_ones() {
        let refused = |strings: Vec<String>| StopStrings::new(strings).is_err();
        assert!(refused(vec![String::new()]));
        assert!(refused(vec!["x".repeat(LONGEST + 1)]));
        assert!(refused(vec!["x".into(); MOST + 1]));
        assert!(!refused(vec!["x".repeat(LONGEST); MOST]));
    }
}
