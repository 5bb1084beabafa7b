//! The sources of contexts, as configured: which adapter stands behind which name.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use sn1_actors::domain::{RunSeed, SourceKind};
use sn1_actors::ports::{Clock, Tool};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::ToolParts;

use crate::config::{Settings, SourceName, Tools};
use crate::engine::ApiKey;
use crate::exit::{Ended, Exit};
use crate::models::Environment;
use crate::tools::{
    CodeFolder, Corpus, Manners, Maths, StackExchange, StackExchangeOptions, Wikipedia,
    WikipediaConfig, ZimFile,
};

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
            SourceName::Wikipedia => opened.push(Arc::new(wikipedia(tools, clock)?)),
            SourceName::Zim => {
                for file in zim(tools)? {
                    opened.push(Arc::new(file));
                }
            }
            SourceName::StackExchange => opened.push(Arc::new(stack_exchange(tools, clock)?)),
            SourceName::Code => opened.push(Arc::new(code(tools)?)),
            SourceName::Maths => opened.push(Arc::new(Maths)),
            SourceName::Builtin => opened.push(Arc::new(Corpus::embedded()?)),
        }
    }
    let patience = tools.timeout.saturating_mul(REQUESTS);
    Ok(ToolParts { tools: opened.into(), patience, prefetch: Prefetch::NONE })
}

fn wikipedia(tools: &Tools, clock: &Arc<dyn Clock>) -> anyhow::Result<Wikipedia> {
    let token = match &tools.wikipedia_token_env {
        Some(name) => {
            let value = variable("tools.wikipedia_token_env", name)?;
            Some(ApiKey::new(name, &value).map_err(usage)?)
        }
        None => None,
    };
    let english = WikipediaConfig::english("");
    let is_wikipedia = Url::parse(&tools.wikipedia_api)
        .is_ok_and(|url| url.domain().is_some_and(|host| host.ends_with(".wikipedia.org")));
    let config = WikipediaConfig {
        api: tools.wikipedia_api.clone(),
        token,
        // Whose text another wiki holds is not known here.
        license: english.license.filter(|_| is_wikipedia),
        manners: manners(tools),
        cache: cache(tools, &Environment::read())?,
        cache_bytes: tools.cache_bytes,
    };
    Ok(Wikipedia::new(config, Arc::clone(clock)).map_err(usage)?)
}

fn stack_exchange(tools: &Tools, clock: &Arc<dyn Clock>) -> anyhow::Result<StackExchange> {
    let named = tools.stackexchange_key_env.as_ref();
    let key = named.map(|name| variable("tools.stackexchange_key_env", name)).transpose()?;
    let options = StackExchangeOptions {
        base_url: tools.stackexchange_api.clone(),
        site: tools.stackexchange_site.clone(),
        key,
        manners: manners(tools),
        ..StackExchangeOptions::stack_overflow("")
    };
    Ok(StackExchange::new(options, Arc::clone(clock)).map_err(usage)?)
}

fn zim_files(tools: &Tools) -> Result<&[PathBuf], Ended> {
    if tools.zim_files.is_empty() {
        return Err(lacking(SourceName::Zim, "tools.zim_files", "a ZIM file of Kiwix"));
    }
    Ok(&tools.zim_files)
}

fn code_folder(tools: &Tools) -> Result<&PathBuf, Ended> {
    tools
        .code_folder
        .as_ref()
        .ok_or_else(|| lacking(SourceName::Code, "tools.code_folder", "a folder of source files"))
}

fn zim(tools: &Tools) -> anyhow::Result<Vec<ZimFile>> {
    let file = |path: &PathBuf| ZimFile::open(path).map_err(|e| Ended::new(Exit::File, e).into());
    zim_files(tools)?.iter().map(file).collect()
}

fn code(tools: &Tools) -> anyhow::Result<CodeFolder> {
    Ok(CodeFolder::open(code_folder(tools)?).map_err(|error| Ended::new(Exit::File, error))?)
}

fn lacking(source: SourceName, key: &str, what: &str) -> Ended {
    let message =
        format!("the source {} reads {what}, and {key} names none: set --{key}", source.as_str());
    Ended::new(Exit::Usage, message)
}

fn usage(error: impl std::fmt::Display) -> Ended {
    Ended::new(Exit::Usage, error)
}

fn manners(tools: &Tools) -> Manners {
    // What is on this machine has nobody to write to.
    let contact = tools.contact.clone().unwrap_or_else(|| "this machine".to_owned());
    Manners {
        in_flight: tools.in_flight,
        requests_per_second: tools.requests_per_second,
        timeout: tools.timeout,
        tries: tools.tries,
        ..Manners::polite(contact)
    }
}

/// The folder of what sources answered, if anything is to be kept.
fn cache(tools: &Tools, environment: &Environment) -> Result<Option<PathBuf>, Ended> {
    if tools.cache_bytes == 0 {
        return Ok(None);
    }
    let usual = || Some(environment.cache_home()?.join("sn1").join("tools"));
    tools.cache.clone().or_else(usual).map(Some).ok_or_else(|| {
        let message = "there is no home folder for what sources answer: set tools.cache, or keep \
                       nothing with --tools.cache_bytes 0";
        Ended::new(Exit::Usage, message)
    })
}

/// What the environment variable holds that a key names.
fn variable(key: &str, name: &str) -> Result<String, Ended> {
    let value = std::env::var(name).ok().map(|value| value.trim().to_owned());
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        usage(format!("the environment variable {name}, which {key} names, is not set"))
    })
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
/// The task, the kind of context that it needs, and which sources have that; that a source on a
/// network needs a contact; or the file, folder or variable that is not there, by its key.
pub fn check(settings: &Settings) -> Result<(), Ended> {
    let tools = &settings.tools;
    check_contact(tools)?;
    check_tasks(settings)?;
    let there = |key: &str, path: &PathBuf| match path.metadata() {
        Ok(_) => Ok(()),
        Err(cause) => {
            let message = format!("{}, which {key} names: {cause}; set --{key}", path.display());
            Err(Ended::new(Exit::File, message))
        }
    };
    for source in &tools.sources {
        match source {
            SourceName::Wikipedia => {
                let named = tools.wikipedia_token_env.as_ref();
                named.map(|name| variable("tools.wikipedia_token_env", name)).transpose()?;
            }
            SourceName::StackExchange => {
                let named = tools.stackexchange_key_env.as_ref();
                named.map(|name| variable("tools.stackexchange_key_env", name)).transpose()?;
            }
            SourceName::Zim => {
                zim_files(tools)?.iter().try_for_each(|file| there("tools.zim_files", file))?;
            }
            SourceName::Code => there("tools.code_folder", code_folder(tools)?)?,
            SourceName::Maths | SourceName::Builtin => {}
        }
    }
    Ok(())
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

    #[test]
    fn what_is_not_there_is_refused_before_anything_is_begun() {
        let refusal = |source: &str, key: &str, value: &str| {
            let sources = format!("{source},maths,builtin");
            refusal(&[("tools.sources", &sources), CONTACT, (key, value)])
        };
        for (source, key, missing) in [
            ("zim", "tools.zim_files", "/nowhere/x.zim"),
            ("code", "tools.code_folder", "/nowhere"),
            ("wikipedia", "tools.wikipedia_token_env", "SN1_TEST_NO_SUCH_VARIABLE"),
            ("stackexchange", "tools.stackexchange_key_env", "SN1_TEST_NO_SUCH_VARIABLE"),
        ] {
            let refused = refusal(source, key, missing);
            assert!(refused.contains(missing) && refused.contains(key), "{source}: {refused}");
        }
        assert!(refusal("zim", "tools.code_folder", "/").contains("tools.zim_files names none"));
        assert_eq!(refusal("code", "tools.code_folder", env!("CARGO_MANIFEST_DIR")), "");
        assert_eq!(refusal("code", "tools.zim_files", "/nowhere/x.zim"), "");
    }

    fn opened(flags: &[(&str, &str)]) -> anyhow::Result<ToolParts> {
        open(&settings(flags), &crate::wiring::system_clock())
    }

    #[test]
    fn every_source_is_opened_by_its_name_and_has_the_kinds_that_are_said_of_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let code = "fn main() {\n    println!(\"tea\");\n}\n".repeat(5);
        std::fs::write(folder.path().join("main.rs"), code).unwrap();
        let folder = folder.path().to_str().unwrap();
        for source in SourceName::ALL.into_iter().filter(|source| *source != SourceName::Zim) {
            let flags =
                [("tools.sources", source.as_str()), ("tools.code_folder", folder), CONTACT];
            let opened = opened(&flags).unwrap().tools;
            let names: Vec<&str> = opened.iter().map(|tool| tool.name()).collect();
            assert_eq!(names, [source.as_str()]);
            for kind in SourceKind::ALL {
                assert_eq!(opened[0].offers(kind), source.kinds().contains(&kind), "{source:?}");
            }
        }
    }

    #[test]
    fn what_a_source_lacks_is_named_with_its_key() {
        let refused = |flags: &[(&str, &str)]| opened(flags).err().unwrap().to_string();
        assert!(refused(&[("tools.sources", "zim")]).contains("set --tools.zim_files"));
        assert!(refused(&[("tools.sources", "code")]).contains("set --tools.code_folder"));
        let nowhere = [("tools.sources", "zim"), ("tools.zim_files", "/nowhere/x.zim")];
        assert!(refused(&nowhere).contains("/nowhere/x.zim"));
        let unset = ("tools.wikipedia_token_env", "SN1_TEST_NO_SUCH_VARIABLE");
        let refused = refused(&[("tools.sources", "wikipedia"), unset, CONTACT]);
        assert!(refused.contains("SN1_TEST_NO_SUCH_VARIABLE"), "{refused}");
        assert!(refused.contains("tools.wikipedia_token_env"), "{refused}");
    }

    #[test]
    fn what_sources_answered_is_kept_in_the_users_cache_unless_nothing_is_to_be() {
        let home = Environment { home: Some("/home/u".into()), ..Environment::default() };
        let folder = |flags: &[(&str, &str)]| cache(&settings(flags).tools, &home);
        assert_eq!(folder(&[]).unwrap(), Some("/home/u/.cache/sn1/tools".into()));
        assert_eq!(folder(&[("tools.cache", "/tmp/x")]).unwrap(), Some("/tmp/x".into()));
        assert_eq!(folder(&[("tools.cache_bytes", "0")]).unwrap(), None);
        let homeless = cache(&settings(&[]).tools, &Environment::default()).unwrap_err();
        assert!(homeless.message.contains("tools.cache"), "{homeless}");
    }

    #[test]
    fn the_kinds_that_tasks_need_are_fetched_ahead() {
        let flags = [("tools.sources", "maths,builtin"), ("tools.prefetch", "3")];
        let clock = crate::wiring::system_clock();
        let prefetch = open_for_tasks(&settings(&flags), &clock, 7).unwrap().prefetch;
        assert_eq!((prefetch.depth, prefetch.seed), (3, RunSeed(7)));
        assert!(!prefetch.kinds.is_empty());
        assert!(prefetch.kinds.iter().all(|kind| *kind == SourceKind::Article), "{prefetch:?}");
        assert_eq!(opened(&flags).unwrap().prefetch.depth, 0);
    }
}
