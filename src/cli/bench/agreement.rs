//! `sn1 bench agreement`: in how many places a precision has the likeliest token of f32.
//!
//! Teacher-forced: every precision reads the same tokens, so one difference is no reason for the
//! next. What all prompts begin with, the template's words, is counted once.

use std::path::PathBuf;

use clap::{ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::{BLOCK_TOKENS, Codec, EngineError, Row, StepEngine};

use super::engine::{Loaded, name};
use super::prompts::{MAX_PROMPTS, built_in, in_file};
use super::rig::{Rig, id, likeliest, row};
use crate::cli::{flag, json_flag, output, settings};
use crate::config::{Role, Settings, add_config_flags};
use crate::engine::{Precision, load_codec};
use crate::exit::{Ended, Exit};
use crate::wiring::model::text_file;

/// Rows whose logits are held at a time.
const ROWS: usize = 64;

pub(super) fn command() -> Command {
    let prompts = flag("prompts", "FILE")
        .value_parser(value_parser!(PathBuf))
        .help("a prompt a line; from the built-in corpus when left out");
    let count = flag("count", "N")
        .default_value("200")
        .value_parser(value_parser!(u64).range(1..=MAX_PROMPTS as u64))
        .help("at most so many prompts");
    let command = Command::new("agreement")
        .about("Count the places where `faithful` and `fast` have the likeliest token of f32")
        .after_help("Example:\n  sn1 bench agreement --count 50 --json")
        .args([prompts, count, json_flag()]);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let count = matches.get_one::<u64>("count").copied().unwrap_or(1);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let texts = match matches.get_one::<PathBuf>("prompts") {
        Some(path) => in_file(path, count)?,
        None => built_in(count)?,
    };
    let prompts = encode(&settings, texts).await?;
    let expected = likeliest_tokens(&settings, Precision::F32, &prompts).await?;
    let mut results = Vec::new();
    for precision in [Precision::Faithful, Precision::Fast] {
        let found = likeliest_tokens(&settings, precision, &prompts).await?;
        results.push((precision, Agreement::of(&found, &expected)));
    }
    report(&results, prompts.len(), matches.get_flag("json"))?;
    Ok(Exit::Done)
}

/// The prompts as chats in tokens.
async fn encode(settings: &Settings, texts: Vec<String>) -> anyhow::Result<Vec<Vec<u32>>> {
    let file = text_file(settings).await?;
    let codec = load_codec(&file).map_err(|error| Ended::new(Exit::Model, error))?;
    let chats = texts.into_iter().map(|text| codec.encode_chat(&[ChatMessage::user(text)]));
    Ok(chats.collect::<Result<Vec<_>, _>>()?)
}

/// The likeliest token after each token of each prompt that is counted. The engine is gone
/// afterwards, so that two never share the memory.
async fn likeliest_tokens(
    settings: &Settings,
    precision: Precision,
    prompts: &[Vec<u32>],
) -> anyhow::Result<Vec<Vec<u32>>> {
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let blocks = longest.div_ceil(BLOCK_TOKENS);
    let mut loaded = Loaded::load(settings, precision, blocks).await?;
    let shared = shared_start(prompts);
    let read = prompts.iter().enumerate().map(|(number, prompt)| {
        let counted = if number == 0 { 0 } else { shared };
        read(&mut loaded.rig, prompt, counted)
    });
    Ok(read.collect::<Result<Vec<_>, _>>()?)
}

/// Reads a prompt and gives the likeliest token after each of its tokens from `counted` on.
fn read<E: StepEngine>(
    rig: &mut Rig<E>,
    prompt: &[u32],
    counted: usize,
) -> Result<Vec<u32>, EngineError> {
    rig.place(0, prompt.len())?;
    let mut found = Vec::with_capacity(prompt.len());
    let rows = prompt.iter().enumerate().map(|(at, token)| row(0, at, *token, at >= counted));
    for rows in rows.collect::<Vec<Row>>().chunks(ROWS) {
        found.extend(rig.engine.step(rows)?.iter().map(|logits| likeliest(logits)));
    }
    rig.engine.release(id(0));
    Ok(found)
}

/// How many tokens all prompts have in common at their start; none where there is but one prompt.
fn shared_start(prompts: &[Vec<u32>]) -> usize {
    let Some((first, others)) = prompts.split_first().filter(|(_, others)| !others.is_empty())
    else {
        return 0;
    };
    let common = |other: &Vec<u32>| first.iter().zip(other).take_while(|(a, b)| a == b).count();
    others.iter().map(common).min().unwrap_or(0)
}

/// Places, and in how many of them the likeliest token is the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Agreement {
    positions: usize,
    equal: usize,
    /// Prompts that are equal in every place.
    whole: usize,
}

impl Agreement {
    fn of(found: &[Vec<u32>], expected: &[Vec<u32>]) -> Self {
        let pairs = || found.iter().zip(expected);
        let equal =
            |(a, b): (&Vec<u32>, &Vec<u32>)| a.iter().zip(b).filter(|(a, b)| a == b).count();
        Self {
            positions: expected.iter().map(Vec::len).sum(),
            equal: pairs().map(equal).sum(),
            whole: pairs().filter(|(a, b)| a == b).count(),
        }
    }

    fn share(self) -> f64 {
        self.equal as f64 / self.positions.max(1) as f64
    }
}

fn report(results: &[(Precision, Agreement)], prompts: usize, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let mut all = json!({ "prompts": prompts });
        for (precision, agreement) in results {
            let Agreement { positions, equal, whole } = *agreement;
            all[name(*precision)] = json!({
                "positions": positions,
                "equal": equal,
                "share": agreement.share(),
                "whole_prompts": whole,
            });
        }
        return output::json(&all as &Value);
    }
    for (precision, agreement) in results {
        output::line(&format!(
            "{:<9} {:>7.3} %: the likeliest token of f32 in {} of {} places; {} of {prompts} \
             prompts without a difference",
            name(*precision),
            100.0 * agreement.share(),
            agreement.equal,
            agreement.positions,
            agreement.whole,
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_all_prompts_begin_with_once() {
        assert_eq!(shared_start(&[vec![1, 2, 3], vec![1, 2, 9], vec![1, 2]]), 2);
        assert_eq!(shared_start(&[vec![1, 2], vec![5, 2]]), 0);
        assert_eq!(shared_start(&[vec![1, 2]]), 0);
        assert_eq!(shared_start(&[]), 0);
    }

    #[test]
    fn compares_place_by_place() {
        let expected = [vec![1, 2, 3], vec![4, 5], vec![6]];
        let found = [vec![1, 9, 3], vec![4, 5], vec![7]];
        let agreement = Agreement::of(&found, &expected);
        assert_eq!(agreement, Agreement { positions: 6, equal: 4, whole: 1 });
        assert!((agreement.share() - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(Agreement::of(&[], &[]).share(), 0.0);
    }
}
