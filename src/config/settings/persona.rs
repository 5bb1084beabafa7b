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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, Role, Settings};

    fn loaded(environment: &[(&str, &str)]) -> Result<Persona, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(own).collect();
        let home = Some("/home/u".into());
        let inputs = Inputs { environment, home, ..Inputs::default() };
        let loaded = Settings::load(Role::Validator, &inputs);
        loaded.map(|loaded| loaded.settings.persona).map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_original_asks_unless_configured_otherwise() {
        let persona = loaded(&[]).unwrap();
        assert_eq!(persona.cast(), Cast::default());
        assert_eq!((persona.goal(), persona.max_turns), (Goal::Reward(Score::new(0.6)), 2));
        let persona = loaded(&[
            ("SN1_PERSONA__MOODS", "calm,loud"),
            ("SN1_PERSONA__GOAL", "judgement"),
            ("SN1_PERSONA__MAX_TURNS", "1"),
        ]);
        let persona = persona.unwrap();
        assert_eq!(persona.cast().moods.words(), ["calm", "loud"]);
        assert_eq!((persona.goal(), persona.max_turns), (Goal::Judgement, 1));
    }

    #[test]
    fn lists_and_goals_that_nobody_can_have_are_refused_by_name() {
        for (name, value, told) in [
            ("SN1_PERSONA__TONES", "calm,loud,Calm", "`persona.tones`: the word at place 3"),
            ("SN1_PERSONA__GOAL", "fame", "`persona.goal` must be one of reward, judgement"),
            ("SN1_PERSONA__MAX_TURNS", "9", "`persona.max_turns` must be"),
        ] {
            let problem = loaded(&[(name, value)]).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
