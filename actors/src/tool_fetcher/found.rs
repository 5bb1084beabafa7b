//! What was looked up lately, so that the same question is not asked of a source again.

use std::collections::VecDeque;

use crate::domain::Context;
use crate::ports::Want;

/// Lookups that are remembered.
const MOST: usize = 32;
/// A longer text is not asked twice, and may come from anybody.
const LONGEST_TEXT: usize = 1_024;

/// The last lookups, the latest used at the back.
#[derive(Debug, Default)]
pub(super) struct Found(VecDeque<(Want, Context)>);

impl Found {
    /// What was found for it before.
    pub(super) fn get(&mut self, want: &Want) -> Option<Context> {
        let at = self.0.iter().position(|(known, _)| known == want)?;
        let entry = self.0.remove(at)?;
        let context = entry.1.clone();
        self.0.push_back(entry);
        Some(context)
    }

    /// Remembers what was found, in the place of what was not used for longest.
    pub(super) fn put(&mut self, want: Want, context: Context) {
        let text = match &want {
            Want::Random(_) => return,
            Want::Search(_, text) | Want::Title(text) => text,
        };
        if text.len() > LONGEST_TEXT {
            return;
        }
        self.0.retain(|(known, _)| *known != want);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((want, context));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContextBody, SourceKind};
    use crate::testkit;

    fn context(n: usize) -> Context {
        testkit::context(
            &n.to_string(),
            "",
            "",
            ContextBody::Maths { problem: String::new(), solution: String::new() },
        )
    }

    #[test]
    fn forgets_what_was_not_used_for_longest_and_never_keeps_long_texts() {
        let mut found = Found::default();
        let want = |n: usize| Want::Search(SourceKind::Article, n.to_string());
        for n in 0..MOST {
            found.put(want(n), context(n));
        }
        assert_eq!(found.get(&want(0)), Some(context(0)));
        found.put(want(MOST), context(MOST));
        assert_eq!((found.get(&want(1)), found.get(&want(0))), (None, Some(context(0))));
        let long = Want::Title("x".repeat(LONGEST_TEXT + 1));
        found.put(long.clone(), context(1));
        assert_eq!(found.get(&long), None);
        assert_eq!(found.get(&Want::Title("0".into())), None);
        assert_eq!(found.get(&Want::Search(SourceKind::Code, "0".into())), None);
    }
}
