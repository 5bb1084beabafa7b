//! `persona.*`: who asks, and when a person has what it wants.

use serde::{Deserialize, Deserializer, de::Error};
use sn1_actors::domain::{Cast, Score, Traits};
use sn1_actors::persona_agent::Goal;

/// The keys whose lists personas are drawn from.
pub(super) const LISTS: &[&str] = &["persona.profiles", "persona.moods", "persona.tones"];

/// `persona.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    #[serde(deserialize_with = "traits")]
    profiles: Traits,
    #[serde(deserialize_with = "traits")]
    moods: Traits,
    #[serde(deserialize_with = "traits")]
    tones: Traits,
    goal: GoalKind,
    reward_threshold: f64,
    /// Turns of one conversation, from 1.
    pub max_turns: u8,
}

/// What a goal is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GoalKind {
    /// What the best answer earned.
    Reward,
    /// What the model says in the person's place.
    Judgement,
}

impl GoalKind {
    /// Every kind there is.
    pub(super) const ALL: &[Self] = &[Self::Reward, Self::Judgement];

    /// The name in configuration.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Reward => "reward",
            Self::Judgement => "judgement",
        }
    }
}

impl Persona {
    /// Everybody who may ask.
    #[must_use]
    pub fn cast(&self) -> Cast {
        Cast {
            profiles: self.profiles.clone(),
            moods: self.moods.clone(),
            tones: self.tones.clone(),
        }
    }

    /// When a person has what it wants.
    #[must_use]
    pub fn goal(&self) -> Goal {
        match self.goal {
            GoalKind::Reward => Goal::Reward(Score::new(self.reward_threshold)),
            GoalKind::Judgement => Goal::Judgement,
        }
    }
}

fn traits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Traits, D::Error> {
    Traits::new(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
}
