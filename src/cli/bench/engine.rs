//! `sn1 bench engine`: tokens a second of prompts and of sequences side by side.

use std::io::stdin;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::memory::peak_rss_mb;
use super::rig::{Measure, Rig};
use crate::cli::lines::Lines;
use crate::cli::{flag, json_flag, output, settings, switch};
use crate::config::{PRECISIONS, Role, Settings, add_config_flags};
use crate::engine::{EngineOptions, LocalEngine, LocalModelFiles, Precision};
use crate::exit::{Ended, Exit};
use crate::wiring::model::{FAKE, engine_options, text_file};
use crate::wiring::system_clock;

/// An engine, and what loading it took.
pub(super) struct Loaded {
    pub(super) rig: Rig<LocalEngine>,
    file: PathBuf,
    options: EngineOptions,
    load_s: f64,
}

pub(super) fn command() -> Command {
    let serve = switch("serve").conflicts_with_all(["json", "rounds"]).help(
        "take measures as JSON lines on standard input; --batch and --prompt-tokens are bounds",
    );
    let command = Command::new("engine")
        .about("Measure prompts and sequences side by side, in tokens a second")
        .after_help(
            "Examples:\n  sn1 bench engine --threads 2 --precision fast --json\n  \
             echo '{\"measure\": \"prefill\", \"tokens\": 48}' | sn1 bench engine --serve",
        )
        .args([
            number("batch", "1,2,4,8,16", 1_024, "sequences side by side; several with commas")
                .value_delimiter(','),
            number("prompt-tokens", "48,423", 65_536, "lengths of prompts; several with commas")
                .value_delimiter(','),
            number("context", "48", 65_536, "tokens that each sequence begins with"),
            number("decode-tokens", "24", 65_536, "tokens that each sequence writes"),
            number("rounds", "5", 1_000, "rounds, of which the medians are printed"),
            serve,
            json_flag(),
        ]);
    add_config_flags(command)
}

fn number(name: &'static str, default: &'static str, most: u64, help: &'static str) -> Arg {
    flag(name, "N")
        .default_value(default)
        .value_parser(value_parser!(u64).range(1..=most))
        .help(help)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let plan = plan(matches);
    let blocks = plan.iter().map(|measure| measure.blocks()).max().unwrap_or(1);
    let mut loaded = Loaded::load(&settings, settings.engine.precision, blocks).await?;
    // What the engine sets up lazily is in no figure.
    loaded.rig.measure(Measure::Prefill { tokens: 1 })?;
    if matches.get_flag("serve") {
        serve(&mut loaded)?;
        return Ok(Exit::Done);
    }
    let rounds = given(matches, "rounds").next().unwrap_or(1);
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); plan.len()];
    for _ in 0..rounds {
        for (measure, rates) in plan.iter().zip(&mut rates) {
            rates.push(loaded.rig.measure(*measure)?);
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    report(&loaded, &plan, &medians, rounds, matches.get_flag("json"))?;
    Ok(Exit::Done)
}

fn given(matches: &ArgMatches, name: &str) -> impl Iterator<Item = usize> {
    let values = matches.get_many::<u64>(name).into_iter().flatten();
    values
        .map(|value| usize::try_from(*value).unwrap_or(usize::MAX))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Everything that is measured in a round.
fn plan(matches: &ArgMatches) -> Vec<Measure> {
    let context = given(matches, "context").next().unwrap_or(1);
    let steps = given(matches, "decode-tokens").next().unwrap_or(1);
    let prefill = given(matches, "prompt-tokens").map(|tokens| Measure::Prefill { tokens });
    let decode = given(matches, "batch");
    let decode = decode.map(|sequences| Measure::Decode { sequences, context, steps });
    prefill.chain(decode).collect()
}

impl Loaded {
    /// Loads the text model alone, with room for so many blocks.
    pub(super) async fn load(
        settings: &Settings,
        precision: Precision,
        blocks: usize,
    ) -> anyhow::Result<Self> {
        if settings.neuron.model_id == FAKE {
            return Err(Ended::new(Exit::Usage, "the stand-in has no engine to measure").into());
        }
        let file = text_file(settings).await?;
        let kv_blocks = u32::try_from(blocks)?;
        let options = EngineOptions { precision, kv_blocks, ..engine_options(settings) };
        let clock = system_clock();
        let began = clock.now();
        let files = LocalModelFiles { text: file.clone(), embedder: None };
        let engine =
            LocalEngine::load(&files, options).map_err(|error| Ended::new(Exit::Model, error))?;
        let load_s = clock.now().since(began).as_secs_f64();
        Ok(Self { rig: Rig { engine, clock, blocks }, file, options, load_s })
    }

    fn describe(&self) -> Value {
        json!({
            "engine": "sn1",
            "version": env!("CARGO_PKG_VERSION"),
            "model": shown(&self.file),
            "precision": name(self.options.precision),
            "threads": self.options.threads.or_else(cores),
            "load_s": self.load_s,
            "peak_rss_mb": peak_rss_mb(),
        })
    }
}

/// The name of a precision in configuration.
pub(super) fn name(precision: Precision) -> &'static str {
    PRECISIONS.iter().find(|(_, known)| *known == precision).map_or("", |(name, _)| name)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn cores() -> Option<usize> {
    std::thread::available_parallelism().ok().map(usize::from)
}

/// Answers each line of standard input with one line; the first says what is measured. Between
/// requests the process sleeps in its read.
fn serve(loaded: &mut Loaded) -> anyhow::Result<()> {
    output::line(&loaded.describe().to_string())?;
    let mut lines = Lines::of(stdin().lock());
    while let Some((number, line)) = lines.next()? {
        let answer = match serde_json::from_str(&line) {
            Ok(measure) => match loaded.rig.measure(measure) {
                Ok(rate) => json!({"tokens_per_s": rate, "peak_rss_mb": peak_rss_mb()}),
                Err(error) => json!({"error": error.to_string()}),
            },
            Err(error) => json!({"error": format!("line {number} is no measure: {error}")}),
        };
        output::line(&answer.to_string())?;
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    match rates.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => rates[odd / 2],
        even => f64::midpoint(rates[even / 2 - 1], rates[even / 2]),
    }
}

fn report(
    loaded: &Loaded,
    plan: &[Measure],
    medians: &[f64],
    rounds: usize,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut described = loaded.describe();
    let measured = || plan.iter().zip(medians);
    if as_json {
        let prefill = measured().filter_map(|(measure, rate)| match measure {
            Measure::Prefill { tokens } => Some(json!({"tokens": tokens, "tokens_per_s": rate})),
            Measure::Decode { .. } => None,
        });
        described["prefill"] = prefill.collect();
        let decode = measured().filter_map(|(measure, rate)| match measure {
            Measure::Prefill { .. } => None,
            Measure::Decode { sequences, context, steps } => Some(json!({
                "sequences": sequences, "context": context, "steps": steps, "tokens_per_s": rate,
            })),
        });
        described["decode"] = decode.collect();
        described["rounds"] = rounds.into();
        return output::json(&described);
    }
    let text = |key: &str| match &described[key] {
        Value::Null => "?".to_owned(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, |number| format!("{number:.2}"))
        }
        value => value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned),
    };
    output::line(&format!(
        "{}, {}, {} threads; loaded in {} s, peak memory {} MB; medians of {rounds} rounds",
        text("model"),
        text("precision"),
        text("threads"),
        text("load_s"),
        text("peak_rss_mb"),
    ))?;
    for (measure, rate) in measured() {
        let what = match measure {
            Measure::Prefill { tokens } => format!("prompt of {tokens} tokens"),
            Measure::Decode { sequences, context, .. } => {
                format!("{sequences} sequences from {context} tokens on")
            }
        };
        output::line(&format!("{what:<36} {rate:>9.1} tokens/s"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_each_prompt_and_each_batch_that_is_named() {
        let line = ["engine", "--batch", "1,8", "--prompt-tokens=7", "--decode-tokens", "3"];
        let matches = command().try_get_matches_from(line).unwrap();
        let decode = |sequences| Measure::Decode { sequences, context: 48, steps: 3 };
        assert_eq!(plan(&matches), [Measure::Prefill { tokens: 7 }, decode(1), decode(8)]);
        for wrong in [["engine", "--batch", "0"], ["engine", "--rounds", "1,2"]] {
            assert!(command().try_get_matches_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn takes_the_middle_of_the_rounds() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn names_every_precision() {
        for precision in [Precision::Faithful, Precision::Fast, Precision::F32] {
            assert!(!name(precision).is_empty());
        }
    }
}
