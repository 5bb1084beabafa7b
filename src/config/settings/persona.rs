//! `persona.*`: who asks, and when a person has what it wants.

use serde::Deserialize;
use sn1_actors::domain::{Cast, Score, Traits};
use sn1_actors::persona_agent::Goal;

/// The names in configuration of what a goal is judged by.
pub(super) const GOALS: &[&str] = &["reward", "judgement"];
/// The keys whose lists personas are drawn from.
pub(super) const LISTS: &[&str] = &["persona.profiles", "persona.moods", "persona.tones"];

/// `persona.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    profiles: Vec<String>,
    moods: Vec<String>,
    tones: Vec<String>,
    goal: String,
    reward_threshold: f64,
    /// Turns of one conversation, from 1.
    pub max_turns: u8,
}

impl Persona {
    /// Everybody who may ask.
    #[must_use]
    pub fn cast(&self) -> Cast {
        let Cast { profiles, moods, tones } = Cast::default();
        // The lists were checked when they were read, so no default stands in.
        let list = |words: &[String], default| Traits::new(words.to_vec()).unwrap_or(default);
        Cast {
            profiles: list(&self.profiles, profiles),
            moods: list(&self.moods, moods),
            tones: list(&self.tones, tones),
        }
    }

    /// When a person has what it wants.
    #[must_use]
    pub fn goal(&self) -> Goal {
        match self.goal.as_str() {
            "judgement" => Goal::Judgement,
            _ => Goal::Reward(Score::new(self.reward_threshold)),
        }
    }
}
