//! What an answer may not be made of.
//!
//! RewardScorer asks it for each turn, and `sn1 replay` for each step of a journal.

use crate::domain::{ChatMessage, Role};

/// Most texts of a conversation that answers are held against.
const MOST_SAID: usize = 16;

/// What was said before an answer, oldest first and the challenge last. What the person was told
/// counts too, unless the reference is the same in every turn (`static_reference`): then the right
/// answer may have been given already, or nearly, and must be free to come again.
#[must_use]
pub fn said(static_reference: bool, history: &[ChatMessage], challenge: &str) -> Vec<String> {
    let counts = |role: Role| match role {
        Role::User => true,
        Role::Assistant => !static_reference,
        Role::System => false,
    };
    let before = history.iter().filter(|message| counts(message.role));
    let mut said: Vec<String> = before.map(|message| message.content.clone()).collect();
    said.push(challenge.to_owned());
    // The first is what it is all about; of the others the oldest are the least likely to be copied.
    let left_out = 1..said.len().saturating_sub(MOST_SAID).saturating_add(1);
    said.drain(left_out);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A conversation after so many turns.
    fn after(turns: usize) -> Vec<ChatMessage> {
        let turn = |n: usize| {
            let answer = ChatMessage { role: Role::Assistant, content: format!("answer {n}") };
            [ChatMessage::user(format!("question {n}")), answer]
        };
        (0..turns).flat_map(turn).collect()
    }

    #[test]
    fn all_that_was_said_counts_against_an_answer_unless_only_one_is_right() {
        let all = ["question 0", "answer 0", "question 1", "answer 1", "and now?"];
        assert_eq!(said(false, &after(2), "and now?"), all);
        assert_eq!(said(true, &after(2), "and now?"), ["question 0", "question 1", "and now?"]);
    }

    #[test]
    fn of_a_long_conversation_the_first_text_and_the_last_ones_count() {
        assert_eq!(said(false, &after(0), "and now?"), ["and now?"]);
        let said = said(false, &after(100), "and now?");
        assert_eq!(said.len(), MOST_SAID);
        assert_eq!((&*said[0], &*said[1]), ("question 0", "question 93"));
        assert_eq!(said[MOST_SAID - 2..], ["answer 99", "and now?"]);
    }
}
