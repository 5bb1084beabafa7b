//! `sn1 generate`: one text from the model, as ModelWorker writes it.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;
use sn1_actors::domain::{ChatMessage, Lane, Sampling};
use sn1_actors::model_worker::{Generate, generate};

use super::{json_flag, one_actor, output, settings};
use crate::config::{Role, add_config_flags};
use crate::exit::Exit;
use crate::wiring::{fresh_seed, sampling};

pub(super) fn command() -> Command {
    let prompt = Arg::new("prompt").long("prompt").value_name("TEXT").required(true);
    let system = Arg::new("system")
        .long("system")
        .value_name("TEXT")
        .help("system prompt; the model's own when left out");
    let greedy = Arg::new("greedy")
        .long("greedy")
        .action(ArgAction::SetTrue)
        .help("always take the likeliest token");
    let tokens = Arg::new("max-new-tokens")
        .long("max-new-tokens")
        .value_name("N")
        .value_parser(value_parser!(usize))
        .help("at most so many tokens; neuron.max_tokens when left out");
    let command = Command::new("generate")
        .about("Generate one text")
        .after_help(
            "Example:\n  sn1 generate --prompt 'What is the capital of France?' --greedy --json",
        )
        .args([prompt.help("what the user says"), system, greedy, tokens, json_flag()]);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut messages: Vec<ChatMessage> =
        text("system").map(ChatMessage::system).into_iter().collect();
    messages.push(ChatMessage::user(text("prompt").unwrap_or_default()));
    let max_new_tokens =
        matches.get_one::<usize>("max-new-tokens").copied().unwrap_or(settings.neuron.max_tokens);
    let sampling = if matches.get_flag("greedy") {
        Sampling::greedy(max_new_tokens)
    } else {
        let seed = settings.run.seed.unwrap_or_else(fresh_seed);
        Sampling { max_new_tokens, seed, ..sampling(&settings) }
    };
    let place = one_actor::start(&settings, true).await?;
    let request = Generate::new(messages, sampling, Lane::Validator);
    let made = generate(&place.shared.generate, request, Duration::from_secs(3_600)).await?;
    if !matches.get_flag("json") {
        output::line(&made.text)?;
        return Ok(Exit::Done);
    }
    let rate = |tokens: usize, time: Duration| {
        if time.is_zero() { None } else { Some(tokens as f64 / time.as_secs_f64()) }
    };
    output::json(&json!({
        "prompt_ids": made.prompt_ids,
        "generated_ids": made.generated_ids,
        "text": made.text,
        "finish_reason": made.finish_reason,
        "prefill_tokens_per_s": rate(made.prompt_ids.len(), made.prefill),
        "decode_tokens_per_s": rate(made.generated_ids.len().saturating_sub(1), made.decode),
    }))?;
    Ok(Exit::Done)
}
