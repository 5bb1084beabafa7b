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
