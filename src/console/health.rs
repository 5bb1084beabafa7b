//! Whether a program is ready: blocks arrive, the model answers, the weights are young enough. Pure.
//!
//! Health is judged by what comes out, never by the kind of an error (`actors/README.md`). Left out:
//! whether it is alive at all, which the console's server answers by the beat of the main thread.

use std::time::Duration;

use serde::Serialize;
use sn1_actors::runtime::ActorHealth;

use super::board::Textless;

/// So many conversations in a row without a text are no accident.
const TEXTLESS: u32 = 3;

/// What is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The newest block.
    pub head: Duration,
    /// The weights, in blocks.
    pub weights_blocks: u64,
    /// Requests at the model with which it does nothing.
    pub model: Duration,
}

/// What is judged.
#[derive(Clone, Debug)]
pub struct Signs {
    /// The newest block, and how long ago it came.
    pub head: Option<(u64, Duration)>,
    /// How long the program has run.
    pub uptime: Duration,
    /// What its model worker does, if it has one.
    pub model: Option<ModelSigns>,
    /// Whether there are weights to be set, and how old they are.
    pub weights: WeightSigns,
}

/// What the model is judged by.
#[derive(Clone, Debug)]
pub struct ModelSigns {
    /// The worker's health.
    pub worker: ActorHealth,
    /// Requests that are with it.
    pub waiting: usize,
    /// How long it has done nothing for them.
    pub silent: Duration,
    /// Conversations that ended without a text.
    pub textless: Textless,
}

/// The state of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightSigns {
    /// None are to be set.
    Off,
    /// None were set; it has been due since so many blocks.
    Never(u64),
    /// They were set so many blocks ago.
    Age(u64),
}

/// One thing that must be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A word for it.
    pub name: &'static str,
    /// Whether it is so.
    pub ok: bool,
    /// What was seen.
    pub says: String,
}

/// Whether all is as it must be.
#[must_use]
pub fn ready(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.ok)
}

/// Judges what was seen.
#[must_use]
pub fn judge(signs: &Signs, limits: &Limits) -> Vec<Check> {
    let mut checks = vec![blocks(signs, limits)];
    checks.extend(signs.model.as_ref().map(|model| writes(model, limits)));
    checks.extend(weights(signs.weights, limits));
    checks
}

fn blocks(signs: &Signs, limits: &Limits) -> Check {
    let seconds = |age: Duration| age.as_secs_f64();
    let (age, says) = match signs.head {
        Some((block, age)) => (age, format!("block {block} came {:.0} s ago", seconds(age))),
        None => (signs.uptime, format!("no block for {:.0} s", seconds(signs.uptime))),
    };
    // A program that has just begun has seen nothing yet, and is not ready either.
    Check { name: "blocks", ok: signs.head.is_some() && age <= limits.head, says }
}

fn writes(model: &ModelSigns, limits: &Limits) -> Check {
    let (ok, says) = match &model.worker {
        ActorHealth::Running if model.silent > limits.model => {
            let silent = model.silent.as_secs();
            (false, format!("nothing for {silent} s, with {} requests waiting", model.waiting))
        }
        ActorHealth::Running if model.textless.in_row >= TEXTLESS => {
            let Textless { in_row, cause } = &model.textless;
            (false, format!("the last {in_row} conversations had no text: {cause}"))
        }
        ActorHealth::Running => (true, "the model works".to_owned()),
        ActorHealth::BackingOff => (false, "the model worker crashed and is restarted".to_owned()),
        ActorHealth::Stopped => (false, "the model worker has stopped".to_owned()),
        ActorHealth::GaveUp => (false, "the model worker crashed too often".to_owned()),
    };
    Check { name: "model", ok, says }
}

fn weights(signs: WeightSigns, limits: &Limits) -> Option<Check> {
    let (age, says) = match signs {
        WeightSigns::Off => return None,
        WeightSigns::Never(blocks) => (blocks, format!("none were set for {blocks} blocks")),
        WeightSigns::Age(blocks) => (blocks, format!("set {blocks} blocks ago")),
    };
    Some(Check { name: "weights", ok: age <= limits.weights_blocks, says })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        head: Duration::from_secs(60),
        weights_blocks: 100,
        model: Duration::from_secs(30),
    };

    fn well() -> Signs {
        Signs {
            head: Some((7, Duration::from_secs(12))),
            uptime: Duration::from_secs(100),
            model: Some(ModelSigns {
                worker: ActorHealth::Running,
                waiting: 0,
                silent: Duration::ZERO,
                textless: Textless::default(),
            }),
            weights: WeightSigns::Age(100),
        }
    }

    fn model(change: impl FnOnce(&mut ModelSigns)) -> Signs {
        let mut signs = well();
        signs.model.as_mut().map(change).unwrap();
        signs
    }

    fn failing(signs: &Signs) -> Vec<&'static str> {
        judge(signs, &LIMITS).iter().filter(|check| !check.ok).map(|check| check.name).collect()
    }

    #[test]
    fn each_sign_alone_makes_it_unready() {
        let textless = Textless { in_row: 3, cause: "no server".into() };
        let cases = [
            (well(), vec![]),
            (Signs { head: Some((7, Duration::from_secs(61))), ..well() }, vec!["blocks"]),
            (Signs { head: None, uptime: Duration::from_secs(1), ..well() }, vec!["blocks"]),
            (Signs { weights: WeightSigns::Age(101), ..well() }, vec!["weights"]),
            (Signs { weights: WeightSigns::Never(101), ..well() }, vec!["weights"]),
            (Signs { weights: WeightSigns::Never(3), ..well() }, vec![]),
            (Signs { weights: WeightSigns::Off, ..well() }, vec![]),
            (model(|model| model.silent = Duration::from_secs(31)), vec!["model"]),
            (model(|model| model.worker = ActorHealth::BackingOff), vec!["model"]),
            (model(|model| model.worker = ActorHealth::GaveUp), vec!["model"]),
            (model(|model| model.textless = textless), vec!["model"]),
            (Signs { model: None, ..well() }, vec![]),
        ];
        for (signs, expected) in cases {
            assert_eq!(failing(&signs), expected, "{signs:?}");
        }
    }
}
