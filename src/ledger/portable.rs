//! The state as a document: what `sn1 state export` writes and `sn1 state import` reads.
//!
//! ```json
//! {"kind": "sn1 state", "schema": 1, "steps": 812, "scores": {"5Grw…": 0.31}, "weights_set": 4711,
//!  "reveals": []}
//! ```
//!
//! `steps` is how many steps were scored, `scores` the moving average of each hotkey from 0 to 1,
//! `weights_set` the block of the last weights or null, and `reveals` the commits that are on chain
//! and not revealed, with their salts: until then they are a secret. A setting under way is no part
//! of it: its bytes are this machine's to send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sn1_actors::domain::{BlockNumber, Hotkey, Score};
use sn1_actors::ports::{PendingReveal, ScoreBook};

const KIND: &str = "sn1 state";
const SCHEMA: u32 = 1;

/// A state that can be carried elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableState {
    kind: String,
    schema: u32,
    /// Scored steps.
    pub steps: u64,
    /// Moving averages.
    pub scores: BTreeMap<Hotkey, Score>,
    /// The block of the last weights.
    #[serde(default)]
    pub weights_set: Option<BlockNumber>,
    /// Commits that wait for their reveal.
    #[serde(default)]
    pub reveals: Vec<PendingReveal>,
}

/// A document is no state that this program knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPortable {
    /// It is something else, or spoilt.
    #[error("it is no state that `sn1 state export` wrote: {0}")]
    Other(String),
    /// It is whole, and from a later program.
    #[error("it is a state of schema {0}, and this sn1 knows none above {SCHEMA}: update sn1")]
    TooNew(u32),
}

impl PortableState {
    /// What of a book can be carried.
    #[must_use]
    pub fn of(book: &ScoreBook) -> Self {
        Self {
            weights_set: book.weights_set,
            reveals: book.reveals.clone(),
            ..Self::from_scores(book.steps, book.scores.clone())
        }
    }

    /// A state of nothing but scores.
    #[must_use]
    pub fn from_scores(steps: u64, scores: BTreeMap<Hotkey, Score>) -> Self {
        let (kind, schema) = (KIND.to_owned(), SCHEMA);
        Self { kind, schema, steps, scores, weights_set: None, reveals: Vec::new() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`NotPortable`].
    pub fn read(text: &[u8]) -> Result<Self, NotPortable> {
        /// The part that every schema has.
        #[derive(Deserialize)]
        struct Label {
            kind: String,
            schema: u32,
        }
        let other = |error: serde_json::Error| NotPortable::Other(error.to_string());
        let Label { kind, schema } = serde_json::from_slice(text).map_err(other)?;
        if kind != KIND {
            return Err(NotPortable::Other(format!("its kind is not \"{KIND}\"")));
        }
        if schema > SCHEMA {
            return Err(NotPortable::TooNew(schema));
        }
        serde_json::from_slice(text).map_err(other)
    }

    /// The book that this state and what `here` has sent come to. A setting under way stays, and so
    /// do commits to be revealed: the chain may have them.
    #[must_use]
    pub fn into_book(self, here: ScoreBook) -> ScoreBook {
        let mut reveals = here.reveals;
        reveals.extend(self.reveals);
        reveals.sort_by_key(|reveal| reveal.committed);
        reveals.dedup();
        ScoreBook {
            steps: self.steps,
            scores: self.scores,
            imported: true,
            weights_set: self.weights_set.max(here.weights_set),
            intent: here.intent,
            reveals,
        }
    }
}

#[cfg(test)]
mod tests {
    use sn1_actors::testkit::hotkey;

    use super::super::tests::book_of;
    use super::*;

    #[test]
    fn a_state_comes_through_a_document_and_what_was_sent_stays_here() {
        let document = serde_json::to_vec(&PortableState::of(&book_of(5))).unwrap();
        let state = PortableState::read(&document).unwrap();
        let book = state.clone().into_book(ScoreBook::default());
        let there = book_of(5);
        let expected = ScoreBook { imported: true, intent: None, ..there.clone() };
        assert_eq!(book, expected);
        let here = book_of(3);
        let book = state.into_book(here.clone());
        assert_eq!((book.steps, &book.scores), (5, &there.scores));
        assert_eq!(book.intent, here.intent, "its bytes may be on chain yet");
        assert_eq!(book.reveals, [here.reveals, there.reveals].concat());
    }

    #[test]
    fn the_document_of_the_module_comment_is_read_and_others_are_refused() {
        let hotkey = hotkey(1);
        let text = format!(
            "{{\"kind\": \"sn1 state\", \"schema\": 1, \"steps\": 812, \"scores\": {{\"{hotkey}\": \
             0.31}}, \"weights_set\": 4711, \"reveals\": []}}"
        );
        let state = PortableState::read(text.as_bytes()).unwrap();
        assert_eq!((state.steps, state.scores[&hotkey]), (812, Score::new(0.31)));
        for (part_of, by, too_new) in [
            ("sn1 state", "sn1 score book", false),
            ("\"schema\": 1", "\"schema\": 2, \"more\": 3", true),
            ("\"steps\": 812", "\"steps\": -1", false),
            ("\"reveals\"", "\"unveils\"", false),
            ("0.31", "null", false),
            (hotkey.as_str(), "5Grw", false),
        ] {
            let refused = PortableState::read(text.replace(part_of, by).as_bytes()).unwrap_err();
            assert_eq!(refused == NotPortable::TooNew(2), too_new, "{by}: {refused}");
        }
    }
}
