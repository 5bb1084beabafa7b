//! `sn1 score`: answers in, what each is worth out, one JSON line each, as RewardScorer measures
//! them.

mod input;
mod parts;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use clap::{ArgMatches, Command};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use sn1_actors::domain::{MinerReply, Score};
use sn1_actors::reward_scorer::combine::{Breakdown, Component};
use sn1_actors::reward_scorer::judge::Bench;
use sn1_actors::reward_scorer::rewards::{Measures, Weighted};
use tokio::sync::mpsc;

use super::benches::Benches;
use super::signals::Signals;
use super::{output, settings, switch};
use crate::config::{Role, Settings, add_config_flags};
use crate::exit::{Ended, Exit};
use crate::wiring::model;

use input::{Asked, InputError};
use parts::Parts;

/// Lines that are measured at a time, so that their texts are embedded together.
const AT_A_TIME: usize = 64;

pub(super) fn command() -> Command {
    let no_embed =
        switch("no-embed").help("leave out what needs the embedding model, and load none");
    let command = Command::new("score")
        .about("Score answers: JSON lines from standard input, a JSON line for each")
        .after_help(
            "A line has the kind of the `task` (see `sn1 task --help`), what a good answer says as its \
             `reference` (a text or a list of texts), the `completion`, and, if it is to count, the \
             `challenge` that was asked:\n  \
             {\"task\": \"qa\", \"reference\": \"It is Paris.\", \"challenge\": \"What is France's \
             capital?\", \"completion\": \"Paris.\"}\n\n\
             What comes back has the `total`, the `rewards` and `penalties` by name as they are before \
             they are weighted, and `parts`, which is precision, recall and F of ROUGE and the ratio of \
             likeness, each of the reference that fits best.\n\n\
             With --no-embed, a line that loses a measure by it says \"embedded\": false; the weights of \
             its other rewards then grow in proportion to sum to 1 again, and the total is null where \
             there are none. Copies, speed and the curve are a whole step's: sn1 replay.\n\n\
             A wrong line ends it with code 2, after the lines before it.\n\n\
             Examples:\n  sn1 score < answers.jsonl\n  \
             echo '{\"task\": \"math\", \"reference\": \"12\", \"completion\": \"It is 12.\"}' | \
             sn1 score --no-embed",
        )
        .arg(no_embed);
    add_config_flags(command)
}

pub(super) async fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(Role::Validator, matches)?;
    if io::stdin().is_terminal() {
        let say = "sn1 score: give a line such as {\"task\": \"qa\", \"reference\": \"…\", \
                   \"completion\": \"…\"}; Ctrl-D ends it";
        // Whoever does not see it has not typed anything wrong either.
        let _ = writeln!(io::stderr(), "{say}");
    }
    let mut signals = Signals::watch()?;
    let scorer = Scorer {
        embeds: !matches.get_flag("no-embed"),
        benches: Benches::new(settings.clone()),
        settings,
        lines: input::read(AT_A_TIME)?,
    };
    let mut scored = std::pin::pin!(scorer.scored());
    loop {
        let next = tokio::select! {
            next = scored.next() => next,
            _ = signals.next() => return Ok(Exit::Interrupted),
        };
        let Some(scored) = next else { return Ok(Exit::Done) };
        match output::delivered(&serde_json::to_string(&scored?)?) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            written => written?,
        }
    }
}

/// What is written for a line.
#[derive(Debug, Serialize)]
struct Scored {
    total: Option<Score>,
    rewards: BTreeMap<&'static str, Score>,
    penalties: BTreeMap<&'static str, Score>,
    /// None if they could not be measured, which is logged.
    parts: Option<Parts>,
    /// Said only where something was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<bool>,
}

struct Scorer {
    /// Whether embeddings are to be made at all.
    embeds: bool,
    settings: Settings,
    benches: Benches,
    lines: mpsc::Receiver<Result<Asked, InputError>>,
}

impl Scorer {
    /// Every line's score, in order; what comes after an error means nothing.
    fn scored(self) -> impl Stream<Item = anyhow::Result<Scored>> {
        let next = async |mut scorer: Self| {
            let next = scorer.next().await?;
            Some((next, scorer))
        };
        stream::unfold(self, next).map(Scoring::run_if_any).buffered(AT_A_TIME)
    }

    /// The next line, with all that it takes to score it.
    async fn next(&mut self) -> Option<anyhow::Result<Scoring>> {
        Some(match self.lines.recv().await? {
            Ok(asked) => self.scoring(asked).await,
            Err(wrong) => Err(Ended::new(Exit::Usage, wrong).into()),
        })
    }

    async fn scoring(&mut self, asked: Asked) -> anyhow::Result<Scoring> {
        let whole = self.settings.tasks.measures(asked.task);
        let measures = if self.embeds { Arc::clone(&whole) } else { without_model(&whole) };
        let left_out = measures != whole;
        let bench = self.benches.bench(&measures, model::embedder(&self.settings)).await?;
        Ok(Scoring { asked, measures, left_out, bench })
    }
}

/// The measures that need no embeddings; the weights of the rewards sum to 1 again.
fn without_model(measures: &Arc<Measures>) -> Arc<Measures> {
    if !measures.embed() {
        return Arc::clone(measures);
    }
    let kept = |all: &[Weighted]| -> Vec<Weighted> {
        let counts = |weighted: &Weighted| !weighted.kind.embeds() && weighted.weight > 0.0;
        all.iter().copied().filter(counts).collect()
    };
    let (mut rewards, penalties) = (kept(&measures.rewards), kept(&measures.penalties));
    let sum: f64 = rewards.iter().map(|weighted| weighted.weight).sum();
    for weighted in &mut rewards {
        weighted.weight /= sum;
    }
    Arc::new(Measures { rewards, penalties, ..(**measures).clone() })
}

/// One line, ready to be scored.
struct Scoring {
    asked: Asked,
    measures: Arc<Measures>,
    left_out: bool,
    bench: Bench,
}

impl Scoring {
    async fn run_if_any(scoring: anyhow::Result<Self>) -> anyhow::Result<Scored> {
        let scoring = scoring?;
        let line = scoring.asked.line;
        let scored = scoring.run().await;
        scored.map_err(|cause| Ended::new(Exit::Failed, format!("line {line}: {cause}")).into())
    }

    async fn run(self) -> Result<Scored, sn1_actors::model_worker::ModelError> {
        let Self { asked, measures, left_out, bench } = self;
        let Asked { references, challenge, completion, .. } = asked;
        let said = challenge.into_iter().collect();
        let judge = bench.judge(measures, references.clone(), said).await?;
        let reply = MinerReply::success(completion);
        let parts = bench.tasks.compute("parts", {
            let completion = reply.completion.clone();
            move || Parts::of(&references, &completion)
        });
        let (measured, parts) = tokio::join!(judge.measure(vec![reply]), parts);
        let breakdown = measured?.into_iter().next().map(|measured| measured.breakdown);
        let breakdown = breakdown.unwrap_or_else(|| Breakdown::new(Vec::new(), Vec::new()));
        let Breakdown { rewards, penalties, total } = breakdown;
        Ok(Scored {
            total: (!rewards.is_empty()).then_some(total),
            rewards: by_name(&rewards),
            penalties: by_name(&penalties),
            parts,
            embedded: left_out.then_some(false),
        })
    }
}

fn by_name(components: &[Component]) -> BTreeMap<&'static str, Score> {
    components.iter().map(|one| (one.measure.kind.name(), one.score)).collect()
}

#[cfg(test)]
mod tests {
    use sn1_actors::reward_scorer::rewards::relevance::RELEVANCE;
    use sn1_actors::reward_scorer::rewards::rouge::{ROUGE_1, ROUGE_L};
    use sn1_actors::reward_scorer::rewards::{OfReferences, RewardKind};
    use sn1_actors::task_maker::tasks::TaskKind;

    use super::*;

    fn measures(rewards: &[(RewardKind, f64)]) -> Arc<Measures> {
        let weighted = |&(kind, weight): &(RewardKind, f64)| Weighted { kind, weight };
        let mut measures = TaskKind::named("qa").unwrap().default_measures();
        measures.rewards = rewards.iter().map(weighted).collect();
        measures.penalties = vec![Weighted { kind: RELEVANCE, weight: 0.5 }];
        measures.references = OfReferences::Mean;
        Arc::new(measures)
    }

    #[test]
    fn without_the_embedding_the_other_weights_keep_their_proportion_and_sum_to_one() {
        let left = without_model(&measures(&[(RELEVANCE, 0.2), (ROUGE_1, 0.2), (ROUGE_L, 0.6)]));
        let weights: Vec<_> = left.rewards.iter().map(|w| (w.kind, w.weight)).collect();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert_eq!((weights[0].0, weights[1].0), (ROUGE_1, ROUGE_L));
        assert!(close(weights[0].1, 0.25) && close(weights[1].1, 0.75), "{weights:?}");
        assert!(left.penalties.is_empty() && left.references == OfReferences::Mean);
        assert!(without_model(&measures(&[(RELEVANCE, 1.0)])).rewards.is_empty());
    }

    #[test]
    fn measures_that_need_no_model_stay_as_they_are() {
        let whole =
            Arc::new(Measures { penalties: Vec::new(), ..(*measures(&[(ROUGE_1, 0.9)])).clone() });
        assert_eq!(without_model(&whole), whole);
    }
}
