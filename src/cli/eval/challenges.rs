//! `sn1 eval challenges`: whether challenges ask what was meant, and are hard to look up.
//!
//! Each is made as the validator makes it. A challenge ought to be neither empty nor the query
//! itself, to keep the facts that an answer needs, to lead a search to its source less often than
//! the bare query does, and to earn an honest assistant about as much.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgMatches, Command, value_parser};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sn1_actors::assistant::{Assistant, AssistantConfig, AssistantDeps, Kind, Respond};
use sn1_actors::domain::{ConversationId, MinerReply, Query, Turn};
use sn1_actors::persona_agent::Phraser;
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::runtime::{Failpoints, Inbox, Port, RestartPolicy};
use sn1_actors::task_maker::{Task, Workshop};

use super::documents::Library;
use crate::cli::one_actor::{self, Needs};
use crate::cli::task::{self, PATIENCE};
use crate::cli::{flag, json_flag, output, settings};
use crate::config::{Role, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::wiring::sampling;

/// Challenges under way at once, so that the model writes in batches.
const IN_FLIGHT: usize = 8;

pub(super) fn command() -> Command {
    let count = flag("n", "N")
        .default_value("200")
        .value_parser(value_parser!(u64).range(1..=100_000))
        .help("so many challenges");
    let documents = flag("documents", "FILE")
        .value_parser(value_parser!(PathBuf))
        .help("JSON lines with `title` and `text` to search among, besides the built-in articles");
    let kind = task::kind()
        .default_value("qa")
        .help("the kind of task; the search needs one about an article");
    let command = Command::new("challenges")
        .about("Measure challenges: what they keep, how they are looked up, what they earn")
        .after_help(
            "Examples:\n  sn1 eval challenges --n 20 --seed 7\n  \
             sn1 eval challenges summarization --n 50 --documents articles.jsonl --json\n\n\
             scripts/bench/challenges.sh searches among thousands of articles.",
        )
        .args([kind, count, documents, json_flag()]);
    add_config_flags(command)
}

/// What one challenge came to.
struct Measured {
    empty: bool,
    verbatim: bool,
    facts: Facts,
    /// Where the library has the source at all.
    found: Option<Found>,
    reward_of_challenge: f64,
    reward_of_query: f64,
}

/// Whether a search gives the source first.
#[derive(Clone, Copy)]
struct Found {
    by_challenge: bool,
    by_query: bool,
}

/// The facts of a query, and how many of them its challenge has.
#[derive(Clone, Copy, Default)]
struct Facts {
    asked: usize,
    kept: usize,
}

/// The figures of all.
#[derive(Serialize)]
struct Report {
    challenges: usize,
    /// Tasks or challenges that could not be made.
    failed: usize,
    empty: usize,
    verbatim: usize,
    /// The part of the queries' names and numbers that their challenges have.
    facts_kept: f64,
    documents: usize,
    /// Challenges whose source is one of the documents.
    sources_among_documents: usize,
    /// The parts of those for which a search gives the source first; none where there are none.
    lookup_by_challenge: Option<f64>,
    lookup_by_query: Option<f64>,
    /// What the agent earns on average.
    agent_reward_of_challenge: f64,
    agent_reward_of_query: f64,
    reward_ratio: f64,
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Localnet, matches)?;
    let count = matches.get_one::<u64>("n").copied().unwrap_or(1);
    let library = Library::open(matches.get_one::<PathBuf>("documents").map(PathBuf::as_path))?;
    let needs = Needs { model: true, tools: true };
    let place = one_actor::start(&settings, needs).await?;
    let seed = task::seed(&settings);
    let agent = Inbox::<Assistant>::open("assistant", place.overseer.clock());
    let maker = Maker {
        workshop: task::workshop(&place, &settings, matches, seed),
        phraser: task::phraser(&place, &settings, seed),
        agent: agent.port(2 * IN_FLIGHT),
        bench: Bench {
            model_worker: place.shared.embed.clone(),
            patience: PATIENCE,
            clock: place.overseer.clock(),
            tasks: place.overseer.tasks().clone(),
        },
        library,
    };
    let assistant = Assistant::new(AssistantDeps {
        config: AssistantConfig {
            kind: Kind::Agent,
            system_prompt: settings.neuron.system_prompt.clone(),
            sampling: sampling(&settings),
            delay: Duration::ZERO,
        },
        model_worker: place.shared.generate.clone(),
        tool_fetcher: place.shared.fetch.clone(),
        board: None,
        clock: place.overseer.clock(),
        tasks: place.overseer.tasks().clone(),
        failpoints: Failpoints::default(),
    });
    place.overseer.supervise(agent, RestartPolicy::PATIENT, assistant);

    let bar = progress(count);
    let mut measured = Vec::new();
    let mut first_failure = None;
    let mut all = futures_util::stream::iter(0..count)
        .map(|number| maker.measure(ConversationId(number)))
        .buffered(IN_FLIGHT);
    while let Some(one) = all.next().await {
        bar.inc(1);
        match one {
            Ok(one) => measured.push(one),
            Err(error) => first_failure = first_failure.or(Some(error)),
        }
    }
    bar.finish_and_clear();
    let failed = usize::try_from(count).unwrap_or(usize::MAX) - measured.len();
    if let Some(error) = first_failure {
        if measured.is_empty() {
            let message = format!("no challenge could be made, the first because of {error:#}");
            return Err(Ended::new(Exit::Failed, message).into());
        }
        tracing::warn!("{failed} of {count} could not be made, the first because of {error:#}");
    }
    print(&Report::of(&measured, failed, maker.library.len()), matches.get_flag("json"))?;
    Ok(Exit::Done)
}

/// All that one challenge needs.
struct Maker {
    workshop: Workshop,
    phraser: Phraser,
    agent: Port<Respond>,
    bench: Bench,
    library: Library,
}

impl Maker {
    async fn measure(&self, conversation: ConversationId) -> anyhow::Result<Measured> {
        let task = self.workshop.make(conversation, &|_| ()).await;
        let task = task.map_err(|stopped| task::no_task(&stopped))?;
        let phrasing = self.phraser.phrase(conversation, Turn(0), &task).await;
        let challenge = phrasing.map_err(anyhow::Error::msg)?.challenge;
        let (of_challenge, of_query) =
            tokio::join!(self.reward(&task, &challenge), self.reward(&task, &task.query));
        Ok(Measured {
            empty: challenge.trim().is_empty(),
            verbatim: plain(&challenge) == plain(&task.query),
            facts: Facts::of(&task.query, &challenge),
            found: self.found(&task, &challenge),
            reward_of_challenge: of_challenge?,
            reward_of_query: of_query?,
        })
    }

    fn found(&self, task: &Task, challenge: &str) -> Option<Found> {
        let title = &task.context.title;
        self.library.has(title).then(|| Found {
            by_challenge: self.library.finds(title, challenge),
            by_query: self.library.finds(title, &task.query),
        })
    }

    /// What the agent earns by its answer to `asked`.
    async fn reward(&self, task: &Task, asked: &str) -> anyhow::Result<f64> {
        let deadline = self.agent.within(PATIENCE);
        let respond = Respond { query: Query::from_user(asked), pieces: None, deadline };
        let completion = self.agent.ask(respond, deadline).await?.unwrap_or_default();
        let references = task.references.wait().await?.map_err(anyhow::Error::msg)?;
        let said = vec![asked.to_owned()];
        let measures = Arc::clone(&task.measures);
        let judge = self.bench.judge(measures, references.texts.clone(), said).await;
        let judge = judge.context("the references cannot be embedded")?;
        let measured = judge.measure(vec![MinerReply::success(completion)]).await?;
        Ok(measured.first().map_or(0.0, |measured| measured.breakdown.total.get()))
    }
}

impl Facts {
    /// Names (capitalised words that begin no sentence) and numbers of the query. How the guard of
    /// PersonaAgent sees it does not matter here: that would be its own judge.
    fn of(query: &str, challenge: &str) -> Self {
        let said: BTreeSet<String> = words(challenge).map(|word| word.to_lowercase()).collect();
        let mut facts = Self::default();
        let mut begins = true;
        for word in query.split_whitespace() {
            let is_name = !begins && word.chars().any(char::is_uppercase);
            begins = word.ends_with(['.', '?', '!', ':']);
            if !is_name && !word.chars().any(|c| c.is_ascii_digit()) {
                continue;
            }
            for part in words(word) {
                facts.asked += 1;
                facts.kept += usize::from(said.contains(&part.to_lowercase()));
            }
        }
        facts
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words alone: a query in other letters or with other stops is still the query.
fn plain(text: &str) -> String {
    words(text).map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Report {
    fn of(measured: &[Measured], failed: usize, documents: usize) -> Self {
        let count = measured.len().max(1) as f64;
        let found: Vec<Found> = measured.iter().filter_map(|one| one.found).collect();
        let share = |is: fn(&Found) -> bool| {
            let those = found.iter().filter(|one| is(one)).count();
            (!found.is_empty()).then(|| those as f64 / found.len() as f64)
        };
        let mean = |of: fn(&Measured) -> f64| measured.iter().map(of).sum::<f64>() / count;
        let sum = |of: fn(&Measured) -> usize| measured.iter().map(of).sum::<usize>();
        let (of_challenge, of_query) =
            (mean(|m| m.reward_of_challenge), mean(|m| m.reward_of_query));
        let asked = sum(|m| m.facts.asked);
        Self {
            challenges: measured.len(),
            failed,
            empty: sum(|m| usize::from(m.empty)),
            verbatim: sum(|m| usize::from(m.verbatim)),
            facts_kept: if asked == 0 { 1.0 } else { sum(|m| m.facts.kept) as f64 / asked as f64 },
            documents,
            sources_among_documents: found.len(),
            lookup_by_challenge: share(|found| found.by_challenge),
            lookup_by_query: share(|found| found.by_query),
            agent_reward_of_challenge: of_challenge,
            agent_reward_of_query: of_query,
            reward_ratio: if of_query > 0.0 { of_challenge / of_query } else { 0.0 },
        }
    }
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(report);
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let looked_up = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let rows = [
        ("challenges", report.challenges.to_string()),
        ("failed", report.failed.to_string()),
        ("empty", report.empty.to_string()),
        ("verbatim", report.verbatim.to_string()),
        ("facts kept", percent(report.facts_kept)),
        ("documents searched", report.documents.to_string()),
        ("sources among them", report.sources_among_documents.to_string()),
        ("source found by challenge", looked_up(report.lookup_by_challenge)),
        ("source found by query", looked_up(report.lookup_by_query)),
        ("agent's reward, challenge", format!("{:.4}", report.agent_reward_of_challenge)),
        ("agent's reward, query", format!("{:.4}", report.agent_reward_of_query)),
        ("ratio of the two", format!("{:.3}", report.reward_ratio)),
    ];
    for (name, value) in rows {
        output::line(&format!("{name:<26} {value:>9}"))?;
    }
    Ok(())
}

fn progress(count: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} challenges  {eta} left")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_facts_and_first_words_are_not() {
        let query = "Which river reached Cairo in 1902? How was the Aswan Dam built?";
        let facts = Facts::of(query, "when in 1902 it came to cairo, who built the dam?");
        assert_eq!((facts.asked, facts.kept), (4, 3));
        assert_eq!(Facts::of("Why is it so?", "eh?").asked, 0);
    }

    #[test]
    fn lookups_are_figures_of_what_can_be_found_alone() {
        let measured = |found| Measured {
            empty: false,
            verbatim: false,
            facts: Facts::default(),
            found,
            reward_of_challenge: 0.5,
            reward_of_query: 0.5,
        };
        let found = |by_challenge| measured(Some(Found { by_challenge, by_query: true }));
        let report = Report::of(&[measured(None), found(true), found(false)], 0, 40);
        assert_eq!((report.challenges, report.sources_among_documents), (3, 2));
        let shares = (report.lookup_by_challenge, report.lookup_by_query);
        assert_eq!(shares, (Some(0.5), Some(1.0)));
        let report = Report::of(&[measured(None)], 0, 40);
        assert_eq!((report.lookup_by_challenge, report.lookup_by_query), (None, None));
    }

    #[test]
    fn a_query_in_other_letters_is_still_the_query() {
        assert_eq!(plain("What is  tea?"), plain("what is TEA"));
        assert_ne!(plain("What is tea?"), plain("tea, what is it?"));
    }
}
