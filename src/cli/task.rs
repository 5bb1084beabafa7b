//! `sn1 task` and `sn1 challenge`: a task, and a persona's words for it.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};
use sn1_actors::domain::{ConversationId, RunSeed, Turn};
use sn1_actors::persona_agent::{PersonaAgentConfig, Phraser};
use sn1_actors::ports::{Event, Stopped};
use sn1_actors::task_maker::tasks::{self, ChallengeForm, TaskKind};
use sn1_actors::task_maker::{Task, TaskMakerConfig, TaskShare, Workshop};

use super::one_actor::{self, Needs, Workplace};
use super::{json_flag, output, settings};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::wiring::{fresh_seed, sampling};

pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// A longer cause of a failure is cut, in characters.
const LONGEST_CAUSE: usize = 500;
/// These commands make the first conversation of a run of that seed.
pub(super) const CONVERSATION: ConversationId = ConversationId(0);

pub(super) fn task_command() -> Command {
    let command = Command::new("task")
        .about("Make one task: query, reference and reward definition, as TaskMaker does")
        .after_help("Example:\n  sn1 task math --seed 7 --json")
        .args([kind(), json_flag()]);
    add_config_flags(command)
}

pub(super) fn challenge_command() -> Command {
    let command = Command::new("challenge")
        .about("Put one task in a persona's words, as PersonaAgent does")
        .after_help("Example:\n  sn1 challenge qa --seed 7")
        .args([kind(), json_flag()]);
    add_config_flags(command)
}

/// `KIND`: which kind of task.
pub(super) fn kind() -> Arg {
    Arg::new("kind")
        .value_name("KIND")
        .value_parser(tasks::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>())
        .help("which kind of task; drawn as configured when left out")
}

pub(super) async fn task(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let place = one_actor::start(&settings, Needs { model: true, tools: true }).await?;
    let seed = seed(&settings);
    let task = make(&workshop(&place, &settings, matches, seed)).await?;
    let value = describe(&task).await?;
    print(matches, &value)?;
    Ok(Exit::Done)
}

pub(super) async fn challenge(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let place = one_actor::start(&settings, Needs { model: true, tools: true }).await?;
    let seed = seed(&settings);
    let task = make(&workshop(&place, &settings, matches, seed)).await?;
    let phrasing = phraser(&place, &settings, seed).phrase(CONVERSATION, Turn(0), &task).await;
    let phrasing = phrasing.map_err(anyhow::Error::msg)?;
    let value = json!({
        "task": task.kind,
        "query": task.query,
        "profile": phrasing.persona.profile,
        "mood": phrasing.persona.mood,
        "tone": phrasing.persona.tone,
        "system_prompt": phrasing.system_prompt,
        "challenge": phrasing.challenge,
        "challenge_attempts": phrasing.attempts,
        "challenge_time": phrasing.time.as_secs_f64(),
    });
    print(matches, &value)?;
    Ok(Exit::Done)
}

/// Makes tasks of the kind that the command names, or else of those that are configured.
pub(super) fn workshop(
    place: &Workplace,
    settings: &Settings,
    matches: &ArgMatches,
    seed: RunSeed,
) -> Workshop {
    let named = matches.get_one::<String>("kind");
    let kinds = match named.and_then(|name| TaskKind::named(name)) {
        Some(kind) => {
            vec![TaskShare { kind, probability: 1.0, measures: settings.tasks.measures(kind) }]
        }
        None => settings.neuron.task_mix.clone(),
    };
    Workshop {
        config: TaskMakerConfig {
            kinds,
            sampling: sampling(settings),
            context_patience: PATIENCE,
            text_patience: PATIENCE,
        },
        tool_fetcher: place.shared.fetch.clone(),
        model_worker: place.shared.generate.clone(),
        seed,
        clock: place.overseer.clock(),
        tasks: place.overseer.tasks().clone(),
    }
}

/// Puts tasks in people's words.
pub(super) fn phraser(place: &Workplace, settings: &Settings, seed: RunSeed) -> Phraser {
    Phraser {
        config: PersonaAgentConfig {
            cast: settings.persona.cast(),
            goal: settings.persona.goal(),
            max_turns: settings.persona.max_turns,
            sampling: sampling(settings),
            patience: PATIENCE,
        },
        model_worker: place.shared.generate.clone(),
        seed,
        clock: place.overseer.clock(),
    }
}

async fn make(workshop: &Workshop) -> anyhow::Result<Task> {
    let tell = |event| {
        if let Event::TaskPassedOver { task, cause, .. } = event {
            tracing::warn!(task = task.name(), "passed over: {cause}");
        }
    };
    let made = workshop.make(CONVERSATION, &tell).await;
    Ok(made.map_err(|stopped| no_task(&stopped))?)
}

/// Why there is no task, and what may help.
pub(super) fn no_task(stopped: &Stopped) -> Ended {
    let (cause, next) = match stopped {
        Stopped::NoContext(cause) => (
            output::shown(cause, LONGEST_CAUSE),
            "see with `sn1 fetch` what tools.sources bring, or choose others (--tools.sources)",
        ),
        Stopped::NoText(cause) => (
            output::shown(cause, LONGEST_CAUSE),
            "try another seed (--seed) or another model (--model)",
        ),
        Stopped::NoMiners => ("there is nobody to ask".to_owned(), "run it again"),
        Stopped::Dropped => ("it was given up half made".to_owned(), "run it again"),
        Stopped::CutShort => ("the program ended over it".to_owned(), "run it again"),
        Stopped::Completed => ("its conversation is over".to_owned(), "run it again"),
    };
    Ended::new(Exit::Failed, format!("no task: {cause}; {next}"))
}

async fn describe(task: &Task) -> anyhow::Result<Value> {
    let reference = task.references.wait().await?.map_err(anyhow::Error::msg)?;
    let form = match &task.plan.form {
        ChallengeForm::Phrased => "phrased",
        ChallengeForm::LeadingTo { .. } => "phrased, then a text that is not altered",
    };
    let mut value = json!({
        "task": task.kind,
        "desc": task.kind.definition().desc,
        "goal": task.kind.definition().goal,
        "topic": task.context.topic,
        "subtopic": task.context.subtopic,
        "context_source": task.context.source,
        "query": task.query,
        "query_time": task.query_time.as_secs_f64(),
        "reference": reference.texts.first(),
        "reference_time": reference.time.as_secs_f64(),
        "challenge_form": form,
        "reward_definition": task.measures.rewards,
        "penalty_definition": task.measures.penalties,
    });
    if reference.texts.len() > 1 {
        value["references"] = json!(reference.texts);
    }
    Ok(value)
}

pub(super) fn seed(settings: &Settings) -> RunSeed {
    RunSeed(settings.run.seed.unwrap_or_else(fresh_seed))
}

fn print(matches: &ArgMatches, value: &Value) -> anyhow::Result<()> {
    if matches.get_flag("json") {
        return output::json(value);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        output::line(&output::lines_of(&format!("{key}: {text}")))?;
    }
    Ok(())
}
