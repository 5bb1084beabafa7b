//! Takes off what language models put around a text: quotes, cut-off sentences, role names.
//!
//! The original's pipeline (original-system.md §1.8) without its fault: there, taking off a role
//! name also lower-cased every name in the text. A task says which cleaners its texts go through.

use serde::{Deserialize, Serialize};

/// One way to clean a generated text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cleaner {
    /// Takes `'` and `"` off both ends.
    RemoveQuotes,
    /// Cuts after the last full stop, question mark or exclamation mark, if there is one.
    PruneEnding,
    /// Takes out role names and salutations to the assistant, wherever they stand.
    RemoveRoles,
}

/// What chat models write before or into a text that should have none of it.
const ROLES: &[&str] =
    &["User: ", "System: ", "Assistant: ", "Assistant, ", "Dear AI, ", "Dear AI ", "#Question: "];

/// Puts a text through cleaners, in their order.
#[must_use]
pub fn clean(text: &str, cleaners: &[Cleaner]) -> String {
    cleaners.iter().fold(text.to_owned(), |text, cleaner| match cleaner {
        Cleaner::RemoveQuotes => remove_quotes(&text).to_owned(),
        Cleaner::PruneEnding => prune_ending(&text).to_owned(),
        Cleaner::RemoveRoles => remove_roles(&text),
    })
}

fn remove_quotes(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

fn prune_ending(text: &str) -> &str {
    text.rfind(['.', '?', '!']).and_then(|end| text.get(..=end)).unwrap_or(text)
}

fn remove_roles(text: &str) -> String {
    let cleaned = ROLES.iter().fold(text.to_owned(), |text, role| text.replace(role, ""));
    if ROLES.iter().any(|role| text.starts_with(role)) { capitalise(&cleaned) } else { cleaned }
}

/// What follows a salutation begins the sentence now.
fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Cleaner; 3] = [Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles];

    #[test]
    fn quotes_go_from_both_ends_and_stay_inside() {
        for (text, cleaned) in [
            (r#""Hello""#, "Hello"),
            (r#"'"Who said "no"?"'"#, r#"Who said "no"?"#),
            ("it's", "it's"),
            (r#""'"'"#, ""),
            ("", ""),
        ] {
            assert_eq!(clean(text, &[Cleaner::RemoveQuotes]), cleaned);
        }
    }

    #[test]
    fn an_unfinished_sentence_goes_if_a_finished_one_stands_before_it() {
        for (text, cleaned) in [
            ("One. Two? And thr", "One. Two?"),
            ("One! Two.", "One! Two."),
            ("no end at all", "no end at all"),
            ("Crabs 🦀. More 🦀", "Crabs 🦀."),
            ("", ""),
        ] {
            assert_eq!(clean(text, &[Cleaner::PruneEnding]), cleaned);
        }
    }

    #[test]
    fn roles_go_and_names_keep_their_capitals() {
        for (text, cleaned) in [
            ("User: what did NASA and Elon do?", "What did NASA and Elon do?"),
            ("Dear AI, écris en français.", "Écris en français."),
            ("Dear AI what is Rust?", "What is Rust?"),
            ("#Question: Why?", "Why?"),
            ("first line\nAssistant: and why", "first line\nand why"),
            ("i like NASA. do you", "i like NASA. do you"),
            ("User: ", ""),
        ] {
            assert_eq!(clean(text, &[Cleaner::RemoveRoles]), cleaned);
        }
    }

    #[test]
    fn cleaners_apply_in_their_order() {
        let text = r#""User: why? be"#;
        assert_eq!(clean(text, &ALL), "Why?");
        assert_eq!(clean(text, &[]), text);
    }

    proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in "(?s).*") {
            prop_assert!(text.contains(&clean(&text, &ALL[..2])));
            let _ = clean(&text, &ALL);
        }
    }
}
