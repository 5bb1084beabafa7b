//! `sn1 bench rewards`: how long the measures of texts take for the answers of a step.
//!
//! A step comes as a line and is measured by the [`Judge`] that RewardScorer has, with ROUGE-L and
//! the ratio for rewards and ROUGE-L for the penalty. The time of the embedding model is
//! `sn1 bench embed`'s. `scripts/bench/rewards_peer.py` sends the same step again and again, with
//! the Python packages' turns between.

use std::io::stdin;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use serde::Deserialize;
use serde_json::json;
use sn1_actors::domain::MinerReply;
use sn1_actors::reward_scorer::judge::{Bench, Judge};
use sn1_actors::reward_scorer::rewards::rouge::ROUGE_L;
use sn1_actors::reward_scorer::rewards::similarity::RATIO;
use sn1_actors::reward_scorer::rewards::{Measures, OfReferences, Weighted};

use crate::cli::lines::Lines;
use crate::cli::one_actor::{self, Needs};
use crate::cli::{output, settings};
use crate::config::{Role, add_config_flags};
use crate::exit::{Ended, Exit};

/// The answers to one challenge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    reference: String,
    challenge: String,
    answers: Vec<String>,
}

pub(super) fn command() -> Command {
    let command = Command::new("rewards")
        .about("Measure how long the measures of texts take, for each step on standard input")
        .after_help(
            "Example:\n  echo '{\"reference\": \"It is Paris.\", \"challenge\": \"Which city?\", \
             \"answers\": [\"Paris.\"]}' | sn1 bench rewards",
        );
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let place = one_actor::start(&settings, Needs { model: false, tools: false }).await?;
    let clock = place.overseer.clock();
    let bench = Bench {
        model_worker: place.shared.embed.clone(),
        patience: Duration::ZERO,
        clock: Arc::clone(&clock),
        tasks: place.overseer.tasks().clone(),
    };
    let weighted = |kind| Weighted { kind, weight: 0.5 };
    let measures = Arc::new(Measures {
        rewards: vec![weighted(ROUGE_L), weighted(RATIO)],
        penalties: vec![weighted(ROUGE_L)],
        references: OfReferences::Best,
        copies: false,
    });
    let mut lines = Lines::of(stdin().lock());
    while let Some((number, line)) = lines.next()? {
        let Step { reference, challenge, answers } = serde_json::from_str(&line)
            .map_err(|error| Ended::new(Exit::Usage, format!("line {number}: {error}")))?;
        let replies = answers.into_iter().map(MinerReply::success).collect();
        let began = clock.now();
        let judge: Judge =
            bench.judge(Arc::clone(&measures), vec![reference], vec![challenge]).await?;
        let measured = judge.measure(replies).await?;
        let seconds = clock.now().since(began).as_secs_f64();
        let totals: Vec<f64> = measured.iter().map(|one| one.breakdown.total.get()).collect();
        output::line(&json!({ "seconds": seconds, "totals": totals }).to_string())?;
    }
    Ok(Exit::Done)
}
