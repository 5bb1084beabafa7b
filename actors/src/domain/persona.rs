//! Who asks: a mood, a tone and a profile.
//!
//! The words are the original's (persona.py at 1.0.0); unlike there, all three reach the prompt.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $(#[doc = $word] $variant),+
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as a prompt and the journal hold it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// What the person does in life.
    Profile {
        Student => "student", Teacher => "teacher", Parent => "parent", Hacker => "hacker",
        Programmer => "programmer", Scientist => "scientist",
    }
}
words! {
    /// How the person feels.
    Mood {
        Interested => "interested", Concerned => "concerned", Impatient => "impatient",
        Tired => "tired", Confused => "confused", Annoyed => "annoyed", Curious => "curious",
        Upbeat => "upbeat", Lazy => "lazy",
    }
}
words! {
    /// How the person talks.
    Tone {
        Formal => "formal", Informal => "informal", Indifferent => "indifferent",
        Casual => "casual", Rushed => "rushed", Polite => "polite", Impolite => "impolite",
        Friendly => "friendly", Unfriendly => "unfriendly", Positive => "positive",
        Negative => "negative",
    }
}

/// One imagined human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// What the person does in life.
    pub profile: Profile,
    /// How the person feels.
    pub mood: Mood,
    /// How the person talks.
    pub tone: Tone,
}
