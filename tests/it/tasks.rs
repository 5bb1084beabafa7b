//! Every kind of task on the contexts that the program carries: what is asked can be answered, and
//! neither the question sent back nor anything else but the answer earns.

use futures_util::FutureExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1::tools::{Corpus, Maths};
use sn1_actors::domain::{Context, Score, SourceKind};
use sn1_actors::ports::{Tool, Want};
use sn1_actors::reward_scorer::effort::Effort;
use sn1_actors::reward_scorer::rewards::Weighted;
use sn1_actors::task_maker::passage::with_query;
use sn1_actors::task_maker::tasks::{ALL, ChallengeForm, ReferencePlan, TaskKind, TaskPlan, Text};

const INSTANCES: u64 = 20;
/// What the model might write where it has to.
const WRITTEN: &str = "Which of the two came first, and what followed from it in later years?";

fn context(corpus: &Corpus, source: SourceKind, seed: u64) -> Context {
    let tool: &dyn Tool = if source == SourceKind::Maths { &Maths } else { corpus };
    let random = ChaCha8Rng::seed_from_u64(seed);
    let fetched = tool.fetch(Want::Random(source), random).now_or_never();
    fetched.unwrap().unwrap()
}

struct Instance {
    query: String,
    challenge: String,
    references: Vec<String>,
}

/// What a plan comes to with a model that always writes the same.
fn instance(plan: TaskPlan) -> Instance {
    let query = match plan.query {
        Text::Fixed(query) => query,
        Text::Generated(messages) => {
            assert!(messages.iter().all(|message| !message.content.trim().is_empty()));
            WRITTEN.to_owned()
        }
        Text::Question { otherwise, .. } => otherwise,
    };
    let challenge = match plan.form {
        ChallengeForm::Phrased => query.clone(),
        ChallengeForm::LeadingTo { text, .. } => with_query(&text, &query),
    };
    let references = match plan.reference {
        ReferencePlan::Fixed(texts) => texts,
        // A model that knows its material: its first words are as good an answer as any.
        ReferencePlan::Generated { material, instructions } => {
            let words = material.split_whitespace().skip(3).take(40);
            vec![words.collect::<Vec<_>>().join(" "); instructions.len()]
        }
    };
    Instance { query, challenge, references }
}

/// What an answer earns, by the measures that need no model, as a part of what it could by them.
fn earns(kind: TaskKind, instance: &Instance, answer: &str, with_penalties: bool) -> Option<f64> {
    let Instance { challenge, references, .. } = instance;
    let effort = Effort::default();
    let against = |weighted: &Weighted, text: &str| {
        weighted.kind.without_model(text, challenge, answer, &effort).map(Score::get)
    };
    let best = |weighted: &Weighted| {
        references.iter().filter_map(|reference| against(weighted, reference)).reduce(f64::max)
    };
    let measures = kind.default_measures();
    let scored = measures.rewards.iter().filter_map(|w| Some((w.weight, best(w)?)));
    let (weights, earned) =
        scored.fold((0.0, 0.0), |sum, (weight, score)| (sum.0 + weight, sum.1 + weight * score));
    let penalties = measures.penalties.iter().filter(|_| with_penalties);
    let kept: f64 =
        penalties.filter_map(|w| Some(1.0 - w.weight * against(w, challenge)?)).product();
    (weights > 0.0).then_some(earned / weights * kept)
}

#[test]
fn every_kind_makes_valid_instances_of_what_the_program_carries() {
    let corpus = Corpus::embedded().unwrap();
    let grounded = ALL
        .iter()
        .copied()
        .flat_map(|kind| kind.definition().sources.iter().map(move |source| (kind, *source)));
    for (kind, source) in grounded {
        let definition = kind.definition();
        let mut challenges = Vec::new();
        for seed in 0..INSTANCES {
            let context = context(&corpus, source, seed);
            let what = format!("{kind:?} of `{}`, seed {seed}", context.title);
            let plan = (definition.plan)(&context, &mut ChaCha8Rng::seed_from_u64(seed));
            let plan = plan.unwrap_or_else(|unfit| panic!("{what}: {unfit}"));
            assert!(!context.topic.is_empty() && !context.subtopic.is_empty(), "{what}");
            let instance = instance(plan);
            let texts = instance.references.iter().chain([&instance.query, &instance.challenge]);
            for text in texts {
                assert!(!text.trim().is_empty(), "{what}");
            }
            if let Some(earned) = earns(kind, &instance, &instance.references[0], false) {
                assert!(earned >= 0.9, "{what}: the reference earns {earned}");
            }
            if let Some(earned) = earns(kind, &instance, &instance.challenge, true) {
                assert!(earned < 0.3, "{what}: the challenge sent back earns {earned}");
            }
            challenges.push(instance.challenge);
        }
        challenges.sort();
        challenges.dedup();
        let is_written = matches!(kind.name(), "qa" | "multi_step_reasoning");
        let least = if is_written && source == SourceKind::Article { 1 } else { 10 };
        assert!(challenges.len() >= least, "{kind:?}: {} of {INSTANCES} differ", challenges.len());
    }
}
