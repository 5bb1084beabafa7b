//! The wikipedia tool against a real MediaWiki (`SN1_MEDIAWIKI` is the address of its API;
//! `scripts/mediawiki.sh` sets one up with the pages that are named here), and what it makes of
//! faults on the way there.

#![expect(clippy::panic, clippy::print_stdout, reason = "what is skipped is said")]

mod faults;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1::tools::{Manners, Wikipedia, WikipediaConfig};
use sn1::wiring::system_clock;
use sn1_actors::domain::{Context, ContextBody, Moment, Section, SourceKind};
use sn1_actors::ports::{Clock, Tool as _, ToolError, Want};

use crate::fault_proxy::{Fate, FaultProxy, Upstream};

const NOTHING: Result<Context, ToolError> = Err(ToolError::Nothing { tool: "wikipedia" });

/// Real time, fifty times as fast, so that polite pauses do not take long.
struct HurriedClock(Arc<dyn Clock>);

const HURRY: u32 = 50;

impl Clock for HurriedClock {
    fn now(&self) -> Moment {
        Moment(self.0.now().0 * HURRY)
    }

    fn unix(&self) -> Duration {
        self.0.unix()
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(delay / HURRY)
    }
}

/// The address of the wiki, if there is one.
fn wiki() -> Option<String> {
    let api = std::env::var("SN1_MEDIAWIKI").ok().filter(|api| !api.is_empty());
    if api.is_none() {
        println!("skipped: SN1_MEDIAWIKI names no MediaWiki; scripts/mediawiki.sh sets one up");
    }
    api
}

fn config(api: &str) -> WikipediaConfig {
    let manners = Manners {
        // A minute of real time.
        timeout: Duration::from_secs(60) * HURRY,
        longest_wait: Duration::from_secs(60) * HURRY,
        ..Manners::polite("mail@example.org")
    };
    WikipediaConfig { api: api.to_owned(), manners, ..WikipediaConfig::english("") }
}

fn tool_with(config: WikipediaConfig) -> Wikipedia {
    Wikipedia::new(config, Arc::new(HurriedClock(system_clock()))).unwrap()
}

fn tool(api: &str) -> Wikipedia {
    tool_with(config(api))
}

/// Fails instead of hanging.
async fn fetch(tool: &Wikipedia, want: Want, seed: u64) -> Result<Context, ToolError> {
    let fetched = tool.fetch(want, ChaCha8Rng::seed_from_u64(seed));
    tokio::time::timeout(Duration::from_secs(180), fetched).await.unwrap()
}

async fn titled(tool: &Wikipedia, title: &str) -> Result<Context, ToolError> {
    fetch(tool, Want::Title(title.into()), 0).await
}

fn sections(article: &Context) -> &[Section] {
    let ContextBody::Article { sections } = &article.body else { panic!("{article:?}") };
    sections
}

#[tokio::test]
async fn every_random_article_passes_the_filter() {
    let Some(api) = wiki() else { return };
    let (tool, mut titles) = (tool(&api), BTreeSet::new());
    for seed in 0..25 {
        let article = fetch(&tool, Want::Random(SourceKind::Article), seed).await.unwrap();
        let title = article.title.clone();
        for other in ["Tiny stub", "Long stub", "Few words", "Orphan page", "Mercury"] {
            assert_ne!(title, other);
        }
        assert!(!title.starts_with("List ") && !title.ends_with(char::is_numeric), "{title}");
        assert!(article.text().split_whitespace().count() >= 250, "{title}");
        let headings: Vec<_> = sections(&article).iter().flat_map(|s| s.heading.clone()).collect();
        for other in ["See also", "References", "External links", "Further reading", "Notes"] {
            assert!(!headings.iter().any(|heading| heading == other), "{title}: {headings:?}");
        }
        for tag in &article.tags {
            assert!(!tag.contains("Category:") && !tag.contains("rticles"), "{title}: {tag}");
        }
        assert_eq!((article.source.as_str(), &article.topic), ("wikipedia", &title));
        assert_eq!(Some(&article.subtopic), article.tags.first());
        let origin = article.origin.unwrap();
        assert!(origin.url.contains("/wiki/"), "{}", origin.url);
        assert_eq!(origin.license.as_deref(), Some("CC BY-SA 4.0"));
        titles.insert(title);
    }
    assert!(titles.len() > 5, "{titles:?}");
}

#[tokio::test]
async fn a_random_article_costs_two_requests_and_the_next_one_only_one() {
    let Some(api) = wiki() else { return };
    let (proxy, tool) = behind_proxy(&api, |_| Fate::Passed).await;
    let mut wants = Vec::new();
    for seed in 0..2 {
        fetch(&tool, Want::Random(SourceKind::Article), seed).await.unwrap();
        let (paths, earlier) = (proxy.paths(), wants.iter().sum::<usize>());
        wants.push(paths.len() - earlier);
        assert!(paths.iter().all(|path| path.contains("maxlag=5")), "{paths:?}");
        let random = paths.iter().filter(|path| path.contains("generator=random"));
        assert_eq!(random.count(), 1, "{paths:?}");
    }
    // A page that is too short is found out by a request more.
    assert!((2..=3).contains(&wants[0]) && (1..=2).contains(&wants[1]), "{wants:?}");
}

#[tokio::test]
async fn backlinks_that_come_in_parts_are_put_together() {
    let Some(api) = wiki() else { return };
    let few = |_| Fate::PassedWith("lhlimit=max", "lhlimit=3");
    let (proxy, tool) = behind_proxy(&api, few).await;
    for seed in 0..3 {
        fetch(&tool, Want::Random(SourceKind::Article), seed).await.unwrap();
    }
    let paths = proxy.paths();
    let followed = paths.iter().filter(|path| path.contains("lhcontinue=")).count();
    assert!(followed > 0 && paths.iter().any(|path| path.contains("grncontinue=")), "{paths:?}");
}

#[tokio::test]
async fn an_article_is_found_by_its_title_with_its_sections_and_subjects() {
    let Some(api) = wiki() else { return };
    let tool = tool(&api);
    let article = titled(&tool, "Žižkov (čtvrť)").await.unwrap();
    let headings: Vec<_> = sections(&article).iter().map(|s| s.heading.as_deref()).collect();
    assert_eq!(headings, [None, Some("History"), Some("Early days"), Some("Wine")]);
    assert!(sections(&article)[1].text.starts_with("The quarter carries the name of"));
    assert_eq!(sections(&article)[3].text, "The wine was sour.");
    assert_eq!(
        (&article.tags[..], article.subtopic.as_str()),
        (&["Quarters of Prague".to_owned()][..], "Quarters of Prague")
    );
    assert!(article.origin.unwrap().url.contains("%C5%BDi%C5%BEkov"));
    assert_eq!(titled(&tool, " AbacuS ").await.unwrap().title, "Abacus");
    assert_eq!(titled(&tool, "Tiny stub").await.unwrap().title, "Tiny stub");
}

#[tokio::test]
async fn titles_of_nothing_bring_nothing() {
    let Some(api) = wiki() else { return };
    let tool = tool(&api);
    for title in [
        "No such page",
        "Vanished page",
        "a<b",
        "Abacus|Albedo",
        "",
        "Talk:Abacus",
        "Special:Random",
        "\u{0}",
        "Category:Art",
        "../../etc/passwd",
        ":",
        "漢".repeat(100).as_str(),
    ] {
        assert_eq!(titled(&tool, title).await, NOTHING, "{title:?}");
    }
    for kind in [SourceKind::Maths, SourceKind::Code, SourceKind::Question] {
        assert!(!tool.offers(kind));
        assert_eq!(fetch(&tool, Want::Random(kind), 0).await, NOTHING);
    }
}

#[tokio::test]
async fn an_ambiguous_title_brings_one_of_its_meanings() {
    let Some(api) = wiki() else { return };
    let (tool, mut titles) = (tool(&api), BTreeSet::new());
    for seed in 0..12 {
        let article = fetch(&tool, Want::Title("Mercury".into()), seed).await.unwrap();
        titles.insert(article.title);
    }
    assert_eq!(titles, ["Albedo", "Atomic number"].map(str::to_owned).into());
}

#[tokio::test]
async fn search_finds_articles_by_what_they_tell() {
    let Some(api) = wiki() else { return };
    let tool = tool(&api);
    let search =
        async |text: &str| fetch(&tool, Want::Search(SourceKind::Article, text.into()), 0).await;
    for (text, title) in [
        ("What is an aardwolf?", "Aardwolf"),
        ("Who was the Hussite leader Žižka?", "Žižkov (čtvrť)"),
        // No page has both words, so the longer one counts.
        ("Does an aardwolf zzqx?", "Aardwolf"),
    ] {
        assert_eq!(search(text).await.unwrap().title, title, "{text}");
    }
    for text in ["", "What is it?", "qwxyzzy", "\"insource:/.*/\" ||| -~", &"wxq ".repeat(9_000)] {
        assert_eq!(search(text).await, NOTHING, "{text}");
    }
}

#[tokio::test]
async fn dated_facts_are_those_of_days_that_a_date_can_tell() {
    let Some(api) = wiki() else { return };
    let (tool, mut sections, mut dates) = (tool(&api), BTreeSet::new(), BTreeSet::new());
    for seed in 0..40 {
        let fact = fetch(&tool, Want::Random(SourceKind::DatedFact), seed).await.unwrap();
        let ContextBody::DatedFact { date, section, text } = fact.body else { panic!("no fact") };
        assert!(DATES.contains(&date.as_str()), "{date}: {text}");
        assert!(text.len() > 10 && !text.starts_with(['–', '-', ' ', '*']), "{text}");
        assert!(fact.origin.unwrap().url.contains("/wiki/"));
        sections.insert(section);
        dates.insert(date);
    }
    assert_eq!(sections, ["Events", "Births", "Deaths"].map(str::to_owned).into());
    assert!(dates.len() > 8, "{dates:?}");
}

/// All facts of the test wiki that have a date: none before the year 1, no 29 February 1900.
const DATES: [&str; 23] = [
    "0070-07-20",
    "1504-02-29",
    "1514-12-31",
    "1691-12-31",
    "1794-03-14",
    "1822-07-20",
    "1860-02-29",
    "1879-03-14",
    "1879-12-31",
    "1883-03-14",
    "1894-01-01",
    "1903-10-04",
    "1937-07-20",
    "1940-02-29",
    "1947-10-04",
    "1957-10-04",
    "1969-07-20",
    "1970-01-01",
    "1976-07-20",
    "1983-01-01",
    "1992-01-01",
    "1994-03-14",
    "2018-03-14",
];

#[tokio::test]
async fn the_same_stream_draws_the_same_fact_and_a_kept_page_is_not_asked_for_again() {
    let Some(api) = wiki() else { return };
    let folder = tempfile::tempdir().unwrap();
    let proxy = FaultProxy::start(server(&api), |_| Fate::Passed).await;
    let api = format!("{}/w/api.php", proxy.url);
    let draw = async || {
        let tool = tool_with(WikipediaConfig { cache: Some(folder.path().into()), ..config(&api) });
        fetch(&tool, Want::Random(SourceKind::DatedFact), 7).await.unwrap()
    };
    let (first, asked) = (draw().await, proxy.paths().len());
    assert_eq!(draw().await, first);
    assert_eq!(proxy.paths().len(), asked);
}

fn server(api: &str) -> Upstream {
    Upstream::Server(api.split("/w/").next().unwrap().to_owned())
}

async fn behind_proxy(
    api: &str,
    fate: impl Fn(usize) -> Fate + Send + 'static,
) -> (FaultProxy, Wikipedia) {
    let proxy = FaultProxy::start(server(api), fate).await;
    let tool = tool(&format!("{}/w/api.php", proxy.url));
    (proxy, tool)
}
