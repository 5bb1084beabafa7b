//! A reward that cannot leave its range.

use serde::{Deserialize, Serialize};

/// A reward, a penalty or a moving average: a number in `0.0..=1.0`, never NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Score(f64);

impl Score {
    /// Nothing earned.
    pub const ZERO: Self = Self(0.0);
    /// All there is to earn.
    pub const ONE: Self = Self(1.0);

    /// Clamps to the range; NaN, whatever made it, is no merit and becomes 0.
    #[must_use]
    pub fn new(value: f64) -> Self {
        if value.is_nan() { Self::ZERO } else { Self(value.clamp(0.0, 1.0)) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// One step of an exponential moving average: `alpha * new + (1 - alpha) * self`.
    #[must_use]
    pub fn toward(self, new: Self, alpha: f64) -> Self {
        Self::new(alpha * new.0 + (1.0 - alpha) * self.0)
    }
}

impl From<f64> for Score {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_escapes_the_range() {
        for (given, kept) in [
            (f64::NAN, 0.0),
            (f64::INFINITY, 1.0),
            (f64::NEG_INFINITY, 0.0),
            (-0.1, 0.0),
            (0.3, 0.3),
            (7.0, 1.0),
        ] {
            assert_eq!(Score::new(given).get(), kept);
        }
    }
}
