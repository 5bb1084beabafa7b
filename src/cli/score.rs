//! `sn1 score`: every component of an answer's score, as RewardScorer measures it.

use std::time::Duration;

use anyhow::Context;
use clap::{ArgMatches, Command};
use serde_json::json;
use sn1_actors::domain::MinerReply;
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::task_maker::tasks::TaskKind;

use super::one_actor::{self, Needs};
use super::{flag, json_flag, output, settings, task};
use crate::config::{Role, add_config_flags};
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let kind = task::kind().long("kind").default_value("qa").help("whose reward definition counts");
    let command = Command::new("score")
        .about("Score one answer")
        .after_help(
            "Example:\n  sn1 score --reference 'The capital of France is Paris.' --answer 'It is Paris.'",
        )
        .args([
            flag("reference", "TEXT").required(true).help("what a good answer says"),
            flag("answer", "TEXT").required(true).help("the answer"),
            flag("challenge", "TEXT").default_value("").help("what was asked, for the penalty"),
            kind,
            json_flag(),
        ]);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let kind = TaskKind::named(&text("kind")).context("no such kind of task")?;
    let measures = settings.tasks.measures(kind);
    let needs = Needs { model: measures.embed(), tools: false };
    let place = one_actor::start(&settings, needs).await?;
    let bench = Bench {
        model_worker: place.shared.embed.clone(),
        patience: Duration::from_secs(600),
        clock: place.overseer.clock(),
        tasks: place.overseer.tasks().clone(),
    };
    let (references, said) = (vec![text("reference")], vec![text("challenge")]);
    let judge = bench.judge(measures, references, said).await?;
    let reply = MinerReply::success(text("answer"));
    let scored = judge.measure(vec![reply]).await?.remove(0).breakdown;
    if matches.get_flag("json") {
        output::json(&json!({
            "rewards": scored.rewards,
            "penalties": scored.penalties,
            "total": scored.total,
        }))?;
        return Ok(Exit::Done);
    }
    for (what, components) in [("reward", &scored.rewards), ("penalty", &scored.penalties)] {
        for component in components {
            let (name, weight) = (component.measure.kind.name(), component.measure.weight);
            let score = component.score.get();
            output::line(&format!("{what}  {name:<12} {score:.4}  weight {weight}"))?;
        }
    }
    output::line(&format!("total                {:.4}", scored.total.get()))?;
    Ok(Exit::Done)
}
