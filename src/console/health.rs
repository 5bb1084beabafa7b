//! Whether a program is ready: blocks arrive, the model answers, the weights are young enough. Pure.
//!
//! Health is judged by what comes out, never by the kind of an error (`actors/README.md`). Left out:
//! whether it is alive at all, which the console's server answers by the beat of the main thread.

use std::time::Duration;

use serde::Serialize;
use sn1_actors::runtime::ActorHealth;

use super::board::Textless;

/// So many conversations or requests in a row without a text are no accident.
const TEXTLESS: u32 = 3;

/// What is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The newest block.
    pub head: Duration,
    /// The weights, in blocks.
    pub weights_blocks: u64,
    /// The time that the model is asked and does nothing.
    pub model: Duration,
}

/// What is judged.
#[derive(Clone, Debug)]
pub struct Signs {
    /// Where it is on a chain, what comes of it.
    pub chain: Option<ChainSigns>,
    /// What its model worker does, if it has one.
    pub model: Option<ModelSigns>,
    /// How its axon's actor is, if it serves.
    pub axon: Option<ActorHealth>,
    /// Whether there are weights to be set, and how old they are.
    pub weights: WeightSigns,
    /// What went wrong with them.
    pub trouble: WeightTrouble,
}

/// What the chain is judged by.
#[derive(Clone, Copy, Debug)]
pub struct ChainSigns {
    /// The newest block, and how long ago it came.
    pub head: Option<(u64, Duration)>,
    /// How long the program has run.
    pub uptime: Duration,
}

/// What the model is judged by.
#[derive(Clone, Debug)]
pub struct ModelSigns {
    /// The worker's health.
    pub worker: ActorHealth,
    /// Requests that are with it.
    pub waiting: usize,
    /// How long it has been asked since it last did anything.
    pub silent: Duration,
    /// Conversations or requests that ended without a text.
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

/// What went wrong with weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightTrouble {
    /// The last commit was never revealed, and why.
    pub lost: Option<String>,
    /// Why the last setting came to nothing.
    pub last_error: Option<String>,
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
    let chain = signs.chain.as_ref().map(|chain| blocks(chain, limits));
    let model = signs.model.as_ref().map(|model| writes(model, limits));
    let axon = signs.axon.as_ref().map(serves);
    [chain, model, axon, weights(signs.weights, &signs.trouble, limits)]
        .into_iter()
        .flatten()
        .collect()
}

fn blocks(chain: &ChainSigns, limits: &Limits) -> Check {
    let seconds = |age: Duration| age.as_secs_f64();
    let (age, says) = match chain.head {
        Some((block, age)) => (age, format!("block {block} came {:.0} s ago", seconds(age))),
        None => (chain.uptime, format!("no block for {:.0} s", seconds(chain.uptime))),
    };
    // A program that has just begun has seen nothing yet, and is not ready either.
    Check { name: "blocks", ok: chain.head.is_some() && age <= limits.head, says }
}

fn writes(model: &ModelSigns, limits: &Limits) -> Check {
    let (ok, says) = match &model.worker {
        ActorHealth::Running if model.silent > limits.model => {
            let (silent, waiting) = (model.silent.as_secs(), model.waiting);
            let says = format!("it did nothing in the {silent} s that it was asked");
            (false, format!("{says}; {waiting} requests wait"))
        }
        ActorHealth::Running if model.textless.in_row >= TEXTLESS => {
            let Textless { in_row, cause } = &model.textless;
            (false, format!("the last {in_row} texts could not be written: {cause}"))
        }
        ActorHealth::Running => (true, "the model works".to_owned()),
        ill => (false, format!("the model worker {}", ails(ill))),
    };
    Check { name: "model", ok, says }
}

/// A server that fails ends the program; what stands behind it may be ill.
fn serves(axon: &ActorHealth) -> Check {
    let ok = *axon == ActorHealth::Running;
    Check { name: "axon", ok, says: format!("the axon {}", ails(axon)) }
}

fn ails(health: &ActorHealth) -> &'static str {
    match health {
        ActorHealth::Running => "serves",
        ActorHealth::BackingOff => "crashed and is restarted",
        ActorHealth::Stopped => "has stopped",
        ActorHealth::GaveUp => "crashed too often",
    }
}

fn weights(signs: WeightSigns, trouble: &WeightTrouble, limits: &Limits) -> Option<Check> {
    let (age, mut says) = match signs {
        WeightSigns::Off => return None,
        WeightSigns::Never(blocks) => (blocks, format!("none were set for {blocks} blocks")),
        WeightSigns::Age(blocks) => (blocks, format!("set {blocks} blocks ago")),
    };
    if let Some(error) = &trouble.last_error {
        says.push_str(&format!("; the last setting failed: {error}"));
    }
    // A commit counts as a setting, but what is not revealed pays nobody.
    if let Some(lost) = &trouble.lost {
        says.push_str(&format!("; committed weights are lost: {lost}"));
    }
    let ok = age <= limits.weights_blocks && trouble.lost.is_none();
    Some(Check { name: "weights", ok, says })
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
            chain: Some(ChainSigns {
                head: Some((7, Duration::from_secs(12))),
                uptime: Duration::from_secs(100),
            }),
            model: Some(ModelSigns {
                worker: ActorHealth::Running,
                waiting: 0,
                silent: Duration::ZERO,
                textless: Textless::default(),
            }),
            axon: Some(ActorHealth::Running),
            weights: WeightSigns::Age(100),
            trouble: WeightTrouble::default(),
        }
    }

    fn chain(head: Option<(u64, Duration)>) -> Signs {
        Signs { chain: Some(ChainSigns { head, uptime: Duration::from_secs(1) }), ..well() }
    }

    fn model(change: impl FnOnce(&mut ModelSigns)) -> Signs {
        let mut signs = well();
        signs.model.as_mut().map(change).unwrap();
        signs
    }

    fn lost() -> WeightTrouble {
        WeightTrouble { lost: Some("expired".into()), last_error: None }
    }

    fn failing(signs: &Signs) -> Vec<&'static str> {
        judge(signs, &LIMITS).iter().filter(|check| !check.ok).map(|check| check.name).collect()
    }

    #[test]
    fn each_sign_alone_makes_it_unready() {
        let textless = Textless { in_row: 3, cause: "no server".into() };
        let cases = [
            (well(), vec![]),
            (chain(Some((7, Duration::from_secs(61)))), vec!["blocks"]),
            (chain(None), vec!["blocks"]),
            (Signs { chain: None, ..well() }, vec![]),
            (Signs { axon: Some(ActorHealth::BackingOff), ..well() }, vec!["axon"]),
            (Signs { axon: None, ..well() }, vec![]),
            (Signs { weights: WeightSigns::Age(101), ..well() }, vec!["weights"]),
            (Signs { weights: WeightSigns::Never(101), ..well() }, vec!["weights"]),
            (Signs { weights: WeightSigns::Never(3), ..well() }, vec![]),
            (Signs { weights: WeightSigns::Off, ..well() }, vec![]),
            (Signs { trouble: lost(), ..well() }, vec!["weights"]),
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
