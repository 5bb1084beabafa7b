//! `sn1 fetch`: one context from a source.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use sn1_actors::domain::{Context, ContextBody, Origin, Purpose, SourceKind, Turn};
use sn1_actors::ports::Want;
use sn1_actors::tool_fetcher::{FetchError, fetch};

use super::one_actor::{self, Needs};
use super::task::{CONVERSATION, seed};
use super::{flag, json_flag, output, settings};
use crate::config::{Role, Settings, SourceName, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::wiring::tools;

const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn command() -> Command {
    let source = Arg::new("source")
        .value_name("SOURCE")
        .value_parser(SourceName::ALL.map(SourceName::as_str))
        .help("which source; those of tools.sources in their order when left out");
    let kind = flag("kind", "KIND")
        .value_parser(SourceKind::ALL.map(SourceKind::name))
        .conflicts_with("title")
        .help("what kind of context; the usual one of SOURCE, or an article, when left out");
    let title = flag("title", "TITLE").help("the context of that title");
    let search = flag("search", "TEXT").help("the context of the kind that fits best");
    let random = Arg::new("random")
        .long("random")
        .action(ArgAction::SetTrue)
        .help("any context, which is what is fetched when nothing else is asked for");
    let want = ArgGroup::new("want").args(["title", "search", "random"]);
    let command = Command::new("fetch")
        .about("Fetch one context from a source, as ToolFetcher does")
        .after_help(
            "Examples:\n  sn1 fetch --seed 7\n  sn1 fetch builtin --search 'how do corals grow?' \
             --json\n  sn1 fetch maths\n  sn1 fetch wikipedia --title 'Coral reef' \
             --tools.contact ops@example.org\n  sn1 fetch code --tools.code_folder ./src",
        )
        .args([source, kind, title, search, random, json_flag()])
        .group(want);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let mut settings = settings(Role::Localnet, matches)?;
    let named = matches.get_one::<String>("source").and_then(|name| SourceName::named(name));
    if let Some(source) = named {
        settings.tools.sources = vec![source];
    }
    let want = want(matches, named);
    let place = one_actor::start(&settings, Needs { model: false, tools: true }).await?;
    let random = seed(&settings).stream(CONVERSATION, Turn(0), Purpose::Context);
    let context = fetch(&place.shared.fetch, want, random, PATIENCE).await;
    let context = context.map_err(|error| ended(&error, &settings))?;
    if matches.get_flag("json") {
        output::json(&context)?;
    } else {
        show(&context)?;
    }
    Ok(Exit::Done)
}

fn want(matches: &ArgMatches, source: Option<SourceName>) -> Want {
    if let Some(title) = matches.get_one::<String>("title") {
        return Want::Title(title.clone());
    }
    let named = matches.get_one::<String>("kind");
    let named = named
        .and_then(|name| SourceKind::ALL.into_iter().find(|kind| kind.name() == name.as_str()));
    let usual = source.and_then(|source| source.kinds().first().copied());
    let kind = named.or(usual).unwrap_or(SourceKind::Article);
    match matches.get_one::<String>("search") {
        Some(text) => Want::Search(kind, text.clone()),
        None => Want::Random(kind),
    }
}

/// What failed, and where such contexts are to be had if none of the sources could have any.
fn ended(error: &FetchError, settings: &Settings) -> Ended {
    match error {
        FetchError::NoTool(kind) => {
            let sources: Vec<&str> =
                settings.tools.sources.iter().map(|source| source.as_str()).collect();
            let message = format!(
                "{} has no contexts of the kind {}: ask {}",
                sources.join(", "),
                kind.name(),
                tools::having(&[*kind])
            );
            Ended::new(Exit::Usage, message)
        }
        FetchError::AllFailed(_) | FetchError::NoAnswer(_) => Ended::new(Exit::Failed, error),
    }
}

fn show(context: &Context) -> anyhow::Result<()> {
    foreign(&format!("{} ({}), from {}", context.title, context.subtopic, context.source))?;
    if let Some(origin) = &context.origin {
        foreign(&attribution(origin))?;
    }
    match &context.body {
        ContextBody::Article { sections } => {
            for section in sections {
                let heading = section.heading.as_deref().unwrap_or("(lead)");
                foreign(&format!("\n{heading}\n{}", section.text))?;
            }
        }
        ContextBody::Maths { problem, solution } => {
            foreign(&format!("{problem}\nSolution: {solution}"))?;
        }
        ContextBody::DatedFact { date, section, text } => {
            foreign(&format!("{section}, {date}: {text}"))?;
        }
        ContextBody::Code { text, .. } => foreign(&format!("\n{text}"))?,
        ContextBody::Question { question, answer } => {
            foreign(&format!("\n{question}\n\nAnswer\n{answer}"))?;
        }
    }
    Ok(())
}

/// Where it was published, by whom and under which licence, on one line.
fn attribution(origin: &Origin) -> String {
    let author = origin.author.as_ref().map(|author| format!("by {author}"));
    let parts = [Some(origin.url.clone()), author, origin.license.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Prints what a source wrote.
fn foreign(text: &str) -> std::io::Result<()> {
    output::line(&output::lines_of(text))
}
