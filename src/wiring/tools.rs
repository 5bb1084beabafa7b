//! The sources of contexts, as configured: which adapter stands behind which name.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use sn1_actors::domain::{RunSeed, SourceKind};
use sn1_actors::ports::{Clock, Tool};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::ToolParts;

use crate::config::{Settings, SourceName, Tools};
use crate::exit::{Ended, Exit};
use crate::tools::{Corpus, Maths};

/// One context takes two requests of a slow source, while somebody waits.
const REQUESTS: u32 = 2;

/// The configured sources, each asked when it is wanted.
///
/// # Errors
/// If a source lacks what it needs, by the key that is to give it.
pub fn open(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<ToolParts> {
    let tools = &settings.tools;
    check_contact(tools)?;
    let mut opened: Vec<Arc<dyn Tool>> = Vec::new();
    for name in &tools.sources {
        match name {
            SourceName::Maths => opened.push(Arc::new(Maths)),
            SourceName::Builtin => opened.push(Arc::new(Corpus::embedded()?)),
            SourceName::Wikipedia
            | SourceName::Zim
            | SourceName::StackExchange
            | SourceName::Code => {
                let _ = clock;
                let message = format!("the source {}", name.as_str());
                return Err(Ended::new(Exit::NotBuilt, message).into());
            }
        }
    }
    let patience = tools.timeout.saturating_mul(REQUESTS);
    Ok(ToolParts { tools: opened.into(), patience, prefetch: Prefetch::NONE })
}

/// The configured sources with what the configured tasks need of them fetched ahead.
///
/// # Errors
/// As [`open`]; and if a task needs what no source has.
pub fn open_for_tasks(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    seed: u64,
) -> anyhow::Result<ToolParts> {
    check_tasks(settings)?;
    let mix = settings.neuron.task_mix.iter();
    let prefetch = Prefetch {
        kinds: mix.map(|share| share.kind.definition().source).collect(),
        depth: settings.tools.prefetch,
        patience: ahead(&settings.tools),
        seed: RunSeed(seed),
    };
    Ok(ToolParts { prefetch, ..open(settings, clock)? })
}

/// Where nobody waits, every try of every request may take its time, and the pauses between them.
fn ahead(tools: &Tools) -> Duration {
    tools.timeout.saturating_mul((REQUESTS + 1) * tools.tries)
}

/// Refuses sources that a validator's tasks cannot live on, before anything is begun.
///
/// # Errors
/// The task, the kind of context that it needs, and which sources have that; or that a source on a
/// network needs a contact.
pub fn check(settings: &Settings) -> Result<(), Ended> {
    check_contact(&settings.tools)?;
    check_tasks(settings)
}

fn check_tasks(settings: &Settings) -> Result<(), Ended> {
    for share in &settings.neuron.task_mix {
        let kind = share.kind.definition().source;
        if settings.tools.sources.iter().all(|source| !source.kinds().contains(&kind)) {
            let message = format!(
                "the task `{}` needs contexts of the kind {}, which no source in tools.sources \
                 ({}) has: add {}, or leave the task out of neuron.tasks",
                share.kind.name(),
                kind.name(),
                joined(&settings.tools.sources, ", "),
                having(kind),
            );
            return Err(Ended::new(Exit::Usage, message));
        }
    }
    Ok(())
}

/// The sources that have such contexts, in words.
#[must_use]
pub fn having(kind: SourceKind) -> String {
    let having = SourceName::ALL.into_iter().filter(|source| source.kinds().contains(&kind));
    joined(&having.collect::<Vec<_>>(), " or ")
}

fn joined(sources: &[SourceName], between: &str) -> String {
    sources.iter().map(|source| source.as_str()).collect::<Vec<_>>().join(between)
}

/// Public sources ask to be told whom to write to, and lock out who does not say.
fn check_contact(tools: &Tools) -> Result<(), Ended> {
    if tools.contact.is_some() {
        return Ok(());
    }
    for (source, key, api) in [
        (SourceName::Wikipedia, "tools.wikipedia_api", &tools.wikipedia_api),
        (SourceName::StackExchange, "tools.stackexchange_api", &tools.stackexchange_api),
    ] {
        if tools.sources.contains(&source) && !is_loopback(api) {
            let message = format!(
                "the source {} ({key} = {api}) has to be told whom it can write to: set \
                 tools.contact to a mail or web address of yours (--tools.contact you@example.org), \
                 or choose other sources (--tools.sources {})",
                source.as_str(),
                offline(tools),
            );
            return Err(Ended::new(Exit::Usage, message));
        }
    }
    Ok(())
}

/// The configured sources that need no network, the corpus if there are none.
fn offline(tools: &Tools) -> String {
    let remote = [SourceName::Wikipedia, SourceName::StackExchange];
    let mut left: Vec<SourceName> = tools.sources.clone();
    left.retain(|source| !remote.contains(source) && *source != SourceName::Builtin);
    left.insert(0, SourceName::Builtin);
    joined(&left, ",")
}

fn is_loopback(address: &str) -> bool {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FlagValue, Inputs, Role};

    fn settings(flags: &[(&str, &str)]) -> Settings {
        let mut inputs = Inputs { home: Some("/home/u".into()), ..Inputs::default() };
        inputs.flags.values = flags
            .iter()
            .map(|(key, value)| FlagValue { key: (*key).into(), values: vec![(*value).into()] })
            .collect();
        Settings::load(Role::Validator, &inputs).unwrap().settings
    }

    fn refusal(flags: &[(&str, &str)]) -> String {
        check(&settings(flags)).err().map(|ended| ended.message).unwrap_or_default()
    }

    const CONTACT: (&str, &str) = ("tools.contact", "ops@example.org");

    #[test]
    fn a_validator_of_the_defaults_lacks_nothing_but_a_contact() {
        let refused = refusal(&[]);
        for part in ["wikipedia", "tools.wikipedia_api", "tools.contact", "builtin,maths"] {
            assert!(refused.contains(part), "{part} is not in {refused}");
        }
        assert_eq!(refusal(&[CONTACT]), "");
        let stack = ("tools.sources", "stackexchange,builtin");
        assert!(refusal(&[stack]).contains("tools.stackexchange_api"));
    }

    #[test]
    fn a_source_on_this_machine_is_told_nothing() {
        let sources = ("tools.sources", "wikipedia,maths");
        for api in ["http://127.0.0.1:8391/w/api.php", "http://localhost/", "http://[::1]:80/"] {
            assert_eq!(refusal(&[sources, ("tools.wikipedia_api", api)]), "", "{api}");
        }
        for api in ["http://10.0.0.1/w/api.php", "http://localhost.example.org/"] {
            assert_ne!(refusal(&[sources, ("tools.wikipedia_api", api)]), "", "{api}");
        }
    }

    #[test]
    fn a_task_without_a_source_is_refused_with_those_that_have_it() {
        let math = [("neuron.tasks", "math,qa"), ("neuron.task_p", "0.5,0.5")];
        let refused =
            refusal(&[math[0], math[1], ("tools.sources", "maths,stackexchange"), CONTACT]);
        for part in ["`qa`", "article", "maths, stackexchange", "wikipedia or zim or builtin"] {
            assert!(refused.contains(part), "{part} is not in {refused}");
        }
        assert_eq!(refusal(&[math[0], math[1], ("tools.sources", "maths,builtin")]), "");
    }
}
