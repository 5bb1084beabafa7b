//! The terms of a text: its words without those that are in every question.
//!
//! What is searched for by them, and whether a title is what was asked about, is decided by one list.
//! The only morphology is a plural `s`; other languages are left out. Pure.

/// Words that are in every question and tell nothing about its subject.
const STOP_WORDS: &str = "a about an and are as at be by can could did do does explain for from \
    had has have how i in into is it its me my of on or please so tell that the their them there \
    these they this to was we were what when where which who whose why will with would you your";

/// The words of a text that tell something, in lower case.
pub fn telling_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().nth(1).is_some())
        .map(str::to_lowercase)
        .filter(|word| !STOP_WORDS.split_whitespace().any(|stop| stop == word))
}

/// The same without a plural `s`.
pub fn terms(text: &str) -> impl Iterator<Item = String> {
    telling_words(text).map(|mut word| {
        let plural = word.ends_with('s') && !word.ends_with("ss") && word.chars().count() > 3;
        if plural {
            word.pop();
        }
        word
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_what_tells_in_lower_case_and_singular() {
        let found: Vec<String> = terms("What are the Glaciers of a glass PRESS, 12?").collect();
        assert_eq!(found, ["glacier", "glass", "press", "12"]);
        assert_eq!(telling_words("Why do Bees dance?").collect::<Vec<_>>(), ["bees", "dance"]);
    }
}
