//! The sources of contexts, as configured: which adapter stands behind which name.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use sn1_actors::domain::{RunSeed, SourceKind};
use sn1_actors::ports::{Clock, Tool};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::ToolParts;
use tokio::task::spawn_blocking;

use crate::config::{Settings, SourceName, Tools};
use crate::engine::ApiKey;
use crate::exit::{Ended, Exit};
use crate::models::Environment;
use crate::tools::{
    CodeFolder, Corpus, Manners, Maths, StackExchange, StackExchangeOptions, Wikipedia,
    WikipediaConfig, ZimFile,
};

/// One context takes so many requests of a slow source at most, in the usual case.
const REQUESTS: u32 = 3;

/// The configured sources, each asked when it is wanted.
///
/// # Errors
/// If a source lacks what it needs, by the key that is to give it.
pub async fn open(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<ToolParts> {
    let tools = &settings.tools;
    check_contact(tools)?;
    let mut opened: Vec<Arc<dyn Tool>> = Vec::new();
    for name in &tools.sources {
        match name {
            SourceName::Wikipedia => opened.push(Arc::new(wikipedia(tools, clock)?)),
            SourceName::Zim => {
                for file in zim(tools).await? {
                    opened.push(Arc::new(file));
                }
            }
            SourceName::StackExchange => opened.push(Arc::new(stack_exchange(tools, clock)?)),
            SourceName::Code => opened.push(Arc::new(code(tools).await?)),
            SourceName::Maths => opened.push(Arc::new(Maths)),
            SourceName::Builtin => opened.push(Arc::new(Corpus::embedded()?)),
        }
    }
    let patience = one_request(tools).saturating_mul(REQUESTS);
    Ok(ToolParts { tools: opened.into(), patience, prefetch: Prefetch::NONE })
}

fn wikipedia(tools: &Tools, clock: &Arc<dyn Clock>) -> anyhow::Result<Wikipedia> {
    let token = key("tools.wikipedia_token_env", tools.wikipedia_token_env.as_deref())?;
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
    let key = key("tools.stackexchange_key_env", tools.stackexchange_key_env.as_deref())?;
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

async fn zim(tools: &Tools) -> anyhow::Result<Vec<ZimFile>> {
    let mut files = Vec::new();
    for path in zim_files(tools)? {
        let name = path.clone();
        // A panic of the reader, on a file that nobody foresaw, ends here too.
        let file = spawn_blocking(move || ZimFile::open(&name)).await.map_err(|error| {
            let message = format!(
                "ZIM file `{}` cannot be read: {error}; check it with zimcheck, or set another one",
                path.display()
            );
            Ended::new(Exit::File, message)
        })?;
        files.push(file.map_err(|error| Ended::new(Exit::File, error))?);
    }
    Ok(files)
}

async fn code(tools: &Tools) -> anyhow::Result<CodeFolder> {
    let folder = code_folder(tools)?.clone();
    let opened = spawn_blocking(move || CodeFolder::open(&folder)).await?;
    Ok(opened.map_err(|error| Ended::new(Exit::File, error))?)
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

/// What is held by the environment variable that a setting names, if it names one.
fn key(setting: &str, name: Option<&str>) -> Result<Option<ApiKey>, Ended> {
    let Some(name) = name else { return Ok(None) };
    let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let value = value.ok_or_else(|| {
        usage(format!("the environment variable {name}, which {setting} names, is not set"))
    })?;
    ApiKey::new(name, &value).map(Some).map_err(usage)
}

/// The configured sources with what the configured tasks need of them fetched ahead.
///
/// # Errors
/// As [`open`]; and if a task needs what no source has.
pub async fn open_for_tasks(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    seed: u64,
) -> anyhow::Result<ToolParts> {
    check_tasks(settings)?;
    let mix = settings.neuron.task_mix.iter();
    let prefetch = Prefetch {
        kinds: mix.flat_map(|share| share.kind.definition().sources).copied().collect(),
        depth: settings.tools.prefetch,
        patience: ahead(&settings.tools),
        seed: RunSeed(seed),
    };
    Ok(ToolParts { prefetch, ..open(settings, clock).await? })
}

/// Where nobody waits, every try of every request may take its time, and the pauses between them.
fn ahead(tools: &Tools) -> Duration {
    one_request(tools).saturating_mul(REQUESTS * tools.tries)
}

/// How long a request may take, the wait for its turn included.
fn one_request(tools: &Tools) -> Duration {
    let spacing = manners(tools).spacing().unwrap_or_default();
    tools.timeout.saturating_add(spacing)
}

/// Refuses sources that a validator's tasks cannot live on, before anything is begun.
///
/// # Errors
/// As [`check_sources`] and [`check_tasks`].
pub fn check(settings: &Settings) -> Result<(), Ended> {
    check_sources(&settings.tools)?;
    check_tasks(settings)
}

/// Refuses sources that lack what they need.
///
/// # Errors
/// That a source on a network needs a contact; or the file, folder or variable that is not there,
/// by its key.
pub fn check_sources(tools: &Tools) -> Result<(), Ended> {
    check_contact(tools)?;
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
                key("tools.wikipedia_token_env", tools.wikipedia_token_env.as_deref())?;
            }
            SourceName::StackExchange => {
                key("tools.stackexchange_key_env", tools.stackexchange_key_env.as_deref())?;
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

/// Refuses tasks that no configured source has contexts for.
///
/// # Errors
/// The task, the kind of context that it needs, and which sources have that.
pub fn check_tasks(settings: &Settings) -> Result<(), Ended> {
    for share in &settings.neuron.task_mix {
        let kinds = share.kind.definition().sources;
        if !settings.tools.sources.iter().any(|source| source.has_any(kinds)) {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let message = format!(
                "the task `{}` needs contexts of the kind {}, which no source in tools.sources \
                 ({}) has: add {}, or leave the task out of neuron.tasks",
                share.kind.name(),
                names.join(" or "),
                joined(&settings.tools.sources, ", "),
                having(kinds),
            );
            return Err(Ended::new(Exit::Usage, message));
        }
    }
    Ok(())
}

/// The sources that have contexts of any of these kinds, in words.
#[must_use]
pub fn having(kinds: &[SourceKind]) -> String {
    let having = SourceName::ALL.into_iter().filter(|source| source.has_any(kinds));
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

/// The corpus, which has something for every task about an article, and the configured sources that
/// need no network.
fn offline(tools: &Tools) -> String {
    let remote = [SourceName::Wikipedia, SourceName::StackExchange];
    let mut left: Vec<SourceName> = tools.sources.clone();
    left.retain(|source| !remote.contains(source) && *source != SourceName::Builtin);
    left.insert(0, SourceName::Builtin);
    joined(&left, ",")
}

fn is_loopback(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| crate::loopback::is_loopback(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::validator_settings as settings;

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
        let math = [("neuron.tasks", "math,summarization"), ("neuron.task_p", "0.5,0.5")];
        let refused =
            refusal(&[math[0], math[1], ("tools.sources", "maths,stackexchange"), CONTACT]);
        for part in
            ["`summarization`", "article", "maths, stackexchange", "wikipedia or zim or builtin"]
        {
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
        assert_eq!(refusal("wikipedia", "tools.zim_files", "/nowhere/x.zim"), "");
    }

    async fn opened(flags: &[(&str, &str)]) -> anyhow::Result<ToolParts> {
        open(&settings(flags), &crate::wiring::system_clock()).await
    }

    #[tokio::test]
    async fn every_source_is_opened_by_its_name_and_has_the_kinds_that_are_said_of_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let code = "fn main() {\n    println!(\"tea\");\n}\n".repeat(5);
        std::fs::write(folder.path().join("main.rs"), code).unwrap();
        let folder = folder.path().to_str().unwrap();
        for source in SourceName::ALL.into_iter().filter(|source| *source != SourceName::Zim) {
            let flags =
                [("tools.sources", source.as_str()), ("tools.code_folder", folder), CONTACT];
            let opened = opened(&flags).await.unwrap().tools;
            let names: Vec<&str> = opened.iter().map(|tool| tool.name()).collect();
            assert_eq!(names, [source.as_str()]);
            for kind in SourceKind::ALL {
                assert_eq!(opened[0].offers(kind), source.kinds().contains(&kind), "{source:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_a_source_lacks_is_named_with_its_key() {
        let refused = async |flags: &[(&str, &str)]| opened(flags).await.err().unwrap().to_string();
        assert!(refused(&[("tools.sources", "zim")]).await.contains("set --tools.zim_files"));
        assert!(refused(&[("tools.sources", "code")]).await.contains("set --tools.code_folder"));
        let nowhere = [("tools.sources", "zim"), ("tools.zim_files", "/nowhere/x.zim")];
        assert!(refused(&nowhere).await.contains("/nowhere/x.zim"));
        let unset = ("tools.wikipedia_token_env", "SN1_TEST_NO_SUCH_VARIABLE");
        let refused = refused(&[("tools.sources", "wikipedia"), unset, CONTACT]).await;
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

    #[tokio::test]
    async fn a_source_that_is_asked_seldom_is_waited_for_long_enough() {
        let flags = [
            ("tools.sources", "maths,builtin"),
            ("tools.requests_per_second", "0.1"),
            ("tools.timeout", "5"),
            ("tools.tries", "2"),
        ];
        let seconds = |tools: &Tools| (one_request(tools).as_secs(), ahead(tools).as_secs());
        assert_eq!(seconds(&settings(&flags).tools), (15, 90));
        let clock = crate::wiring::system_clock();
        assert_eq!(
            open(&settings(&flags), &clock).await.unwrap().patience,
            Duration::from_secs(45)
        );
    }

    #[tokio::test]
    async fn the_kinds_that_tasks_need_are_fetched_ahead() {
        let flags = [("tools.sources", "maths,builtin"), ("tools.prefetch", "3")];
        let clock = crate::wiring::system_clock();
        let prefetch = open_for_tasks(&settings(&flags), &clock, 7).await.unwrap().prefetch;
        assert_eq!((prefetch.depth, prefetch.seed), (3, RunSeed(7)));
        assert!(!prefetch.kinds.is_empty());
        let needed = [SourceKind::Article, SourceKind::Question];
        assert!(prefetch.kinds.iter().all(|kind| needed.contains(kind)), "{prefetch:?}");
        assert_eq!(opened(&flags).await.unwrap().prefetch.depth, 0);
    }
}
