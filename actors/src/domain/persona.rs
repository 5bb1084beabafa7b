//! Who asks: a mood, a tone and a profile, each drawn from a list of its own.
//!
//! The lists come from configuration; the original's (persona.py at 1.0.0) are the defaults.
//! Unlike there, all three reach the prompt.

use std::collections::BTreeSet;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One imagined human.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// What the person does in life.
    pub profile: String,
    /// How the person feels.
    pub mood: String,
    /// How the person talks.
    pub tone: String,
}

/// What people do in life, unless configured otherwise.
const PROFILES: &[&str] = &["student", "teacher", "parent", "hacker", "programmer", "scientist"];
/// How people feel, unless configured otherwise.
const MOODS: &[&str] = &[
    "interested",
    "concerned",
    "impatient",
    "tired",
    "confused",
    "annoyed",
    "curious",
    "upbeat",
    "lazy",
];
/// How people talk, unless configured otherwise.
const TONES: &[&str] = &[
    "formal",
    "informal",
    "indifferent",
    "casual",
    "rushed",
    "polite",
    "impolite",
    "friendly",
    "unfriendly",
    "positive",
    "negative",
];

/// A list that no persona can be drawn from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTraits {
    /// Nothing could be drawn, or there is more than any use has.
    #[error("there must be 1 to {most} words, not {0}", most = Traits::MOST)]
    Count(usize),
    /// A word is empty, long, or has spaces around it or control characters in it.
    #[error(
        "a word must have 1 to {most} characters, none of them a control character, and no spaces \
         around it; the one at place {0} does not",
        most = Traits::LONGEST
    )]
    Word(usize),
    /// A word would be drawn more often than the others.
    #[error("the word at place {0} is there twice")]
    Twice(usize),
}

/// The words that one trait of a persona is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits(Vec<String>);

impl Traits {
    /// The most words.
    pub const MOST: usize = 256;
    /// The most characters of a word.
    pub const LONGEST: usize = 60;

    /// Takes a list.
    ///
    /// # Errors
    /// [`BadTraits`] by what is wrong with it; places count from 1.
    pub fn new(words: Vec<String>) -> Result<Self, BadTraits> {
        if !(1..=Self::MOST).contains(&words.len()) {
            return Err(BadTraits::Count(words.len()));
        }
        let mut seen = BTreeSet::new();
        for (at, word) in words.iter().enumerate() {
            let length = word.chars().count();
            let fits = (1..=Self::LONGEST).contains(&length) && word.trim() == word;
            if !fits || word.chars().any(char::is_control) {
                return Err(BadTraits::Word(at + 1));
            }
            if !seen.insert(word.to_lowercase()) {
                return Err(BadTraits::Twice(at + 1));
            }
        }
        Ok(Self(words))
    }

    /// The words, in their order.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> String {
        self.0[random.random_range(0..self.0.len())].clone()
    }
}

/// Everybody who may ask: each combination of the three lists is one persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// What people do in life.
    pub profiles: Traits,
    /// How they feel.
    pub moods: Traits,
    /// How they talk.
    pub tones: Traits,
}

impl Default for Cast {
    fn default() -> Self {
        let list = |words: &[&str]| Traits(words.iter().map(|word| (*word).to_owned()).collect());
        Self { profiles: list(PROFILES), moods: list(MOODS), tones: list(TONES) }
    }
}

impl Cast {
    /// One persona, each as likely as any other.
    #[must_use]
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Persona {
        Persona {
            profile: self.profiles.draw(random),
            mood: self.moods.draw(random),
            tone: self.tones.draw(random),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn traits(words: &[&str]) -> Result<Traits, BadTraits> {
        Traits::new(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn every_persona_is_drawn_about_equally_often() {
        let (cast, mut random) = (Cast::default(), ChaCha8Rng::seed_from_u64(5));
        let mut drawn = BTreeMap::<_, u32>::new();
        for _ in 0..594 * 40 {
            let Persona { profile, mood, tone } = cast.draw(&mut random);
            *drawn.entry((profile, mood, tone)).or_default() += 1;
        }
        assert_eq!(drawn.len(), 594, "6 profiles, 9 moods and 11 tones");
        assert!(drawn.values().all(|times| (10..=90).contains(times)), "{drawn:?}");
    }

    #[test]
    fn lists_that_nobody_can_be_drawn_from_are_refused() {
        assert!(traits(&["tired", "very tired", "müde"]).is_ok());
        assert_eq!(traits(&[]), Err(BadTraits::Count(0)));
        assert_eq!(traits(&["a"; 257]), Err(BadTraits::Count(257)));
        assert_eq!(traits(&["calm", ""]), Err(BadTraits::Word(2)));
        assert_eq!(traits(&[" calm"]), Err(BadTraits::Word(1)));
        assert_eq!(traits(&["calm\u{7}er"]), Err(BadTraits::Word(1)));
        assert_eq!(traits(&[&"x".repeat(61)]), Err(BadTraits::Word(1)));
        assert_eq!(traits(&["calm", "loud", "Calm"]), Err(BadTraits::Twice(3)));
    }
}
