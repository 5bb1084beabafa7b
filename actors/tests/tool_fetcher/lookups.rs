//! What is looked up by a title or a text goes to the tools themselves, in their order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sn1_actors::domain::SourceKind;
use sn1_actors::ports::Want;
use sn1_actors::testkit::Stage;
use sn1_actors::tool_fetcher::FetchError;

use super::bench::{Doing, EACH, Puppet, ahead, asked, fetcher, pass, told};

const SLOW: Duration = Duration::from_secs(1);

fn search(text: &str) -> Want {
    Want::Search(SourceKind::Article, text.into())
}

#[test]
fn a_lookup_goes_to_the_preferred_tool_once_and_is_remembered() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let port = fetcher(&stage, &[&wiki], ahead(0));
        let (first, took) = asked(&stage, &port, search("tea"), 0).await;
        assert_eq!((first.clone().unwrap().source.as_str(), took), ("wiki", SLOW));
        let (again, took) = asked(&stage, &port, search("tea"), 1).await;
        assert_eq!((again, took), (first, Duration::ZERO));
        let (_, took) = asked(&stage, &port, Want::Title("tea".into()), 0).await;
        assert_eq!((wiki.asked().len(), took), (2, SLOW));
    });
}

#[test]
fn a_search_goes_to_the_tools_that_have_contexts_of_the_kind() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let folder = Puppet::with(&stage, "folder", SLOW, &[SourceKind::Code]);
        let port = fetcher(&stage, &[&wiki, &folder], ahead(0));
        let code = Want::Search(SourceKind::Code, "tea".into());
        let (found, took) = asked(&stage, &port, code, 0).await;
        assert_eq!((found.unwrap().source.as_str(), took), ("folder", SLOW));
        let (found, took) = asked(&stage, &port, search("tea"), 0).await;
        assert_eq!((found.unwrap().source.as_str(), took), ("wiki", SLOW));
        let fact = Want::Search(SourceKind::DatedFact, "tea".into());
        let (nothing, took) = asked(&stage, &port, fact, 0).await;
        assert_eq!(nothing, Err(FetchError::NoTool(SourceKind::DatedFact)));
        assert_eq!(took, Duration::ZERO);
    });
}

#[test]
fn a_tool_that_knows_of_nothing_is_asked_again_for_something_else_and_is_no_failure() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let corpus = Puppet::new(&stage, "corpus", Duration::ZERO);
        let port = fetcher(&stage, &[&wiki, &corpus], ahead(0));
        wiki.knows.store(false, Ordering::Relaxed);
        let (found, took) = asked(&stage, &port, search("tea"), 0).await;
        assert_eq!((found.unwrap().source.as_str(), took), ("corpus", SLOW));
        corpus.knows.store(false, Ordering::Relaxed);
        let (nothing, _) = asked(&stage, &port, search("coffee"), 0).await;
        let told_asker = nothing.unwrap_err().to_string();
        for part in ["wiki: it knows of nothing", "corpus: it knows of nothing"] {
            assert!(told_asker.contains(part), "{told_asker}");
        }
        assert_eq!(wiki.asked().len(), 2);
        assert!(told(&stage).is_empty(), "{:?}", told(&stage));
    });
}

#[test]
fn a_tool_that_hangs_is_given_up_once_and_passed_over_afterwards() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let spare = Puppet::new(&stage, "spare", SLOW);
        wiki.does(Doing::Hangs);
        let port = fetcher(&stage, &[&wiki, &spare], ahead(0));
        let (found, took) = asked(&stage, &port, search("tea"), 0).await;
        assert_eq!((found.unwrap().source.as_str(), took), ("spare", EACH + SLOW));
        let (found, took) = asked(&stage, &port, search("coffee"), 0).await;
        assert_eq!((found.unwrap().source.as_str(), took), ("spare", SLOW));
        assert_eq!(told(&stage), ["wiki failed: no answer within 10s, 10 s"]);
        wiki.does(Doing::Well);
        pass(&stage, 10).await;
        let (found, _) = asked(&stage, &port, search("cocoa"), 0).await;
        assert_eq!(found.unwrap().source, "wiki");
        assert_eq!(told(&stage)[1..], ["wiki is back"]);
    });
}
