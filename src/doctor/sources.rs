//! The sources of contexts: each opened, and asked for one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sn1_actors::ports::{Tool, ToolError, Want};

use super::{Case, Finding};
use crate::config::{Role, SourceName};
use crate::wiring::tools;

const CHECK: &str = "source";
/// One context takes a few requests, and pauses between them.
const PATIENCE: Duration = Duration::from_secs(12);

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    join_all(case.settings.tools.sources.iter().map(|name| of(case, *name))).await
}

async fn of(case: &Case, name: SourceName) -> Finding {
    let shown = name.as_str();
    let opened = case.bounded(CHECK, PATIENCE, open(case, name)).await;
    let tool = match opened {
        Ok(Ok(tool)) => tool,
        Ok(Err(error)) => {
            let cure = format!("set what {shown} needs, or leave it out of tools.sources");
            let text = format!("{shown}: {error:#}");
            return Finding::of_error(CHECK, &text, &cure);
        }
        Err(late) => return Finding { seen: format!("{shown}: {}", late.seen), ..late },
    };
    let remote = matches!(name, SourceName::Wikipedia | SourceName::StackExchange);
    if remote && case.offline {
        return Finding::ok(CHECK, format!("{shown} is set up; it was not asked"));
    }
    let Some(kind) = name.kinds().first() else {
        return Finding::ok(CHECK, format!("{shown} has nothing"));
    };
    let random = ChaCha8Rng::seed_from_u64(rand::random());
    let began = case.clock.now();
    let answers = tool.into_iter().map(|tool| tool.fetch(Want::Random(*kind), random.clone()));
    let answered = case.bounded(CHECK, PATIENCE, join_all(answers)).await;
    let took = case.clock.now().since(began);
    match answered {
        Err(late) => Finding { seen: format!("{shown}: {}", late.seen), ..late },
        Ok(answers) => match answers.into_iter().find_map(Result::err) {
            None => Finding::ok(CHECK, format!("{shown} answers, in {} ms", took.as_millis())),
            Some(error) => refused(case, name, &error),
        },
    }
}

/// The source's tools; a source may have several files.
async fn open(case: &Case, name: SourceName) -> anyhow::Result<Vec<Arc<dyn Tool>>> {
    let mut settings = case.settings.clone();
    settings.tools.sources = vec![name];
    // One question, once, of which nothing is kept.
    (settings.tools.tries, settings.tools.cache_bytes) = (1, 0);
    Ok(tools::open(&settings, &case.clock).await?.tools.to_vec())
}

fn refused(case: &Case, name: SourceName, error: &ToolError) -> Finding {
    let shown = name.as_str();
    let seen = format!("{shown}: {error}");
    if let ToolError::Busy { .. } = error {
        let cure = "wait; lower tools.requests_per_second, or get a key, if it happens often";
        return Finding::warning(CHECK, seen, cure);
    }
    let keys = match name {
        SourceName::Wikipedia => "tools.wikipedia_api",
        SourceName::StackExchange => "tools.stackexchange_api",
        SourceName::Zim => "tools.zim_files",
        SourceName::Code => "tools.code_folder",
        SourceName::Maths | SourceName::Builtin => "tools.sources",
    };
    let others = case.settings.tools.sources.iter().filter(|other| **other != name);
    let kinds = name.kinds();
    let replaced = kinds.iter().all(|kind| others.clone().any(|other| other.has_any(&[*kind])));
    let finding =
        Finding::failing(CHECK, seen, format!("`sn1 fetch {shown}` tries again; see {keys}"));
    // Where another source has the same, no step is lost; a miner answers without any.
    if replaced || case.role == Role::Miner { finding.or_warning() } else { finding }
}
