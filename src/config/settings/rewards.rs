//! `rewards.*`: what the answers of a step earn beside each other.

use serde::Deserialize;
use sn1_actors::reward_scorer::closing::{ClosingRules, CopyMode, CopyRule, SpeedRule, Steepness};

use super::Settings;

/// `rewards.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewards {
    copies: CopyMode,
    copy_likeness: f64,
    copy_words: usize,
    speed_weight: f64,
    steepness: f64,
}

impl Settings {
    /// How steps are closed.
    #[must_use]
    pub fn closing(&self) -> ClosingRules {
        let Rewards { copies, copy_likeness, copy_words, speed_weight, steepness } = self.rewards;
        ClosingRules {
            copies: CopyRule { mode: copies, likeness: copy_likeness, min_words: copy_words },
            speed: SpeedRule { weight: speed_weight, timeout: self.neuron.timeout },
            steepness: Steepness(steepness),
        }
    }
}
