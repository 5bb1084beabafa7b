//! `sn1 generate`: one text from the model, as ModelWorker writes it, or vectors of texts.

mod embed;

use std::io::stdin;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use sn1_actors::domain::{ChatMessage, Generation, Lane, Sampling};
use sn1_actors::model_worker::{Generate, generate};
use tokio::sync::mpsc;

use super::one_actor::{self, Needs};
use super::signals::Signals;
use super::{flag, json_flag, output, settings, switch};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::Exit;
use crate::wiring::{fresh_seed, sampling};

/// Nobody but the user at the terminal says when it takes too long.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Pieces of text that may wait to be printed.
const PIECES: usize = 64;

pub(super) fn command() -> Command {
    let prompt = flag("prompt", "TEXT").required_unless_present("embed").help("what the user says");
    let system = flag("system", "TEXT").help("system prompt; the model's own when left out");
    let greedy = switch("greedy")
        .conflicts_with_all(["neuron.temperature", "neuron.top_k", "neuron.top_p"])
        .help("always take the likeliest token");
    let tokens = flag("max-new-tokens", "N")
        .value_parser(value_parser!(usize))
        .help("at most so many tokens; neuron.max_tokens when left out");
    let penalty = flag("repetition-penalty", "N")
        .value_parser(penalty)
        .help("above 1 makes tokens that were there already less likely; 1 when left out");
    let stop = flag("stop", "TEXT")
        .value_parser(NonEmptyStringValueParser::new())
        .action(ArgAction::Append)
        .help("the text ends before this; may be repeated");
    let stream = switch("stream")
        .help("print the text while it is written; with --json a line for each piece");
    let embed = switch("embed")
        .conflicts_with_all(["prompt", "system", "greedy", "max-new-tokens", "json", "stream"])
        .help("texts from standard input, a JSON string or {\"text\": …} a line; vectors out");
    let command = Command::new("generate")
        .about("Generate one text, or embed many")
        .after_help(
            "Examples:\n  sn1 generate --prompt 'What is the capital of France?' --greedy --json\n  \
             echo '\"a text\"' | sn1 generate --embed",
        )
        .args([prompt, system, greedy, penalty, stop, tokens, stream, embed, json_flag()]);
    add_config_flags(command)
}

fn penalty(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if number.is_finite() && number > 0.0 {
        return Ok(number);
    }
    Err("it must be above 0".to_owned())
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let place = one_actor::start(&settings, Needs { model: true, tools: false }).await?;
    if matches.get_flag("embed") {
        return embed::run(&place.shared.embed, stdin().lock()).await;
    }
    let mut signals = Signals::watch()?;
    let (json, stream) = (matches.get_flag("json"), matches.get_flag("stream"));
    let (pieces, arrived) = mpsc::channel(PIECES);
    let mut request = request(&settings, matches);
    request.pieces = stream.then_some(pieces);
    let made = async {
        let made = generate(&place.shared.generate, request, PATIENCE);
        let (made, printed) = tokio::join!(made, print_pieces(arrived, json));
        printed?;
        anyhow::Ok(made?)
    };
    let made = tokio::select! {
        made = made => made?,
        _ = signals.next() => return Ok(Exit::Interrupted),
    };
    match (stream, json) {
        (true, true) => output::line(&described(&made).to_string())?,
        (true, false) => output::line("")?,
        (false, true) => output::json(&described(&made))?,
        (false, false) => output::line(&made.text)?,
    }
    Ok(Exit::Done)
}

/// Prints pieces until the text is done or failed.
async fn print_pieces(mut arrived: mpsc::Receiver<String>, json: bool) -> anyhow::Result<()> {
    while let Some(piece) = arrived.recv().await {
        if json {
            output::line(&json!({ "piece": piece }).to_string())?;
        } else {
            output::part(&piece)?;
        }
    }
    Ok(())
}

fn request(settings: &Settings, matches: &ArgMatches) -> Generate {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut messages: Vec<ChatMessage> =
        text("system").map(ChatMessage::system).into_iter().collect();
    messages.push(ChatMessage::user(text("prompt").unwrap_or_default()));
    let max_new_tokens =
        matches.get_one::<usize>("max-new-tokens").copied().unwrap_or(settings.neuron.max_tokens);
    let mut sampling = if matches.get_flag("greedy") {
        Sampling::greedy(max_new_tokens)
    } else {
        let seed = settings.run.seed.unwrap_or_else(fresh_seed);
        Sampling { max_new_tokens, seed, ..sampling(settings) }
    };
    if let Some(penalty) = matches.get_one::<f32>("repetition-penalty") {
        sampling.repetition_penalty = *penalty;
    }
    let mut request = Generate::new(messages, sampling, Lane::Validator);
    request.stop = matches.get_many("stop").into_iter().flatten().cloned().collect();
    request
}

fn described(made: &Generation) -> Value {
    // A model server tells no tokens.
    let rate = |tokens: usize, time: Duration| {
        if time.is_zero() || tokens == 0 { None } else { Some(tokens as f64 / time.as_secs_f64()) }
    };
    json!({
        "prompt_ids": made.prompt_ids,
        "generated_ids": made.generated_ids,
        "text": made.text,
        "finish_reason": made.finish_reason,
        "prefill_tokens_per_s": rate(made.prompt_ids.len(), made.prefill),
        "decode_tokens_per_s": rate(made.generated_ids.len().saturating_sub(1), made.decode),
    })
}
