//! What is fetched ahead, and what that is worth to those who ask.

use std::collections::BTreeSet;
use std::time::Duration;

use sn1_actors::domain::{Context, SourceKind};
use sn1_actors::ports::Want;
use sn1_actors::testkit::Stage;
use sn1_actors::tool_fetcher::{FetchError, Prefetch};

use super::bench::{Doing, EACH, Puppet, ahead, article, asked, brought_by, fetcher, pass};

const SLOW: Duration = Duration::from_secs(3);

#[test]
fn a_slow_source_costs_nobody_a_wait_once_its_pool_is_filled() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let port = fetcher(&stage, &[&wiki], ahead(4));
        for _ in 0..3 {
            pass(&stage, 13).await;
            let mut titles = BTreeSet::new();
            for _ in 0..4 {
                let (answer, took) = article(&stage, &port).await;
                assert_eq!(took, Duration::ZERO);
                titles.insert(answer.unwrap().title);
            }
            assert_eq!(titles.len(), 4, "each context leaves once");
        }
    });
}

#[test]
fn a_pool_is_filled_to_its_depth_and_not_further() {
    Stage::play(async |stage: Stage| {
        let kinds = [SourceKind::Article, SourceKind::Code];
        let wiki = Puppet::with(&stage, "wiki", SLOW, &kinds);
        let wanted = vec![SourceKind::Article, SourceKind::Code, SourceKind::Article];
        let port = fetcher(&stage, &[&wiki], Prefetch { kinds: wanted, ..ahead(5) });
        pass(&stage, 3_600).await;
        assert_eq!(wiki.asked().len(), 10);
        brought_by(&stage, &port).await;
        pass(&stage, 3_600).await;
        assert_eq!(wiki.asked().len(), 11);
    });
}

#[test]
fn a_tool_has_one_fetch_under_way_however_many_ask_and_over_restarts_too() {
    Stage::play(async |stage: Stage| {
        let kinds = [SourceKind::Article, SourceKind::Code];
        let wiki = Puppet::with(&stage, "wiki", SLOW, &kinds);
        let port = fetcher(&stage, &[&wiki], Prefetch { kinds: kinds.to_vec(), ..ahead(4) });
        stage.failpoints.arm("tool_fetcher:fetch", 5);
        stage.failpoints.arm("tool_fetcher:after", 3);
        let all = (0..8).map(|_| article(&stage, &port));
        for (answer, _) in futures_util::future::join_all(all).await {
            assert!(answer.is_ok(), "{answer:?}");
        }
        assert_eq!(wiki.most_in_flight(), 1);
    });
}

#[test]
fn whoever_finds_the_pools_empty_waits_for_the_first_refill() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let port = fetcher(&stage, &[&wiki], ahead(4));
        let (answer, took) = article(&stage, &port).await;
        assert_eq!((answer.unwrap().source.as_str(), took), ("wiki", SLOW));
    });
}

#[test]
fn a_tool_that_needs_no_time_stands_in_until_the_preferred_one_has_something() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let corpus = Puppet::new(&stage, "corpus", Duration::ZERO);
        let port = fetcher(&stage, &[&wiki, &corpus], ahead(1));
        assert_eq!(brought_by(&stage, &port).await, "corpus");
        pass(&stage, 4).await;
        assert_eq!(brought_by(&stage, &port).await, "wiki");
        assert_eq!(brought_by(&stage, &port).await, "corpus");
    });
}

#[test]
fn an_actor_that_crashed_fills_its_pools_again_and_draws_nothing_twice() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let port = fetcher(&stage, &[&wiki], ahead(3));
        pass(&stage, 12).await;
        let mut titles = BTreeSet::new();
        for crash in 0..3 {
            // Each request is asked twice: the first time it crashes.
            stage.failpoints.arm("tool_fetcher:fetch", 2 * crash);
            titles.insert(article(&stage, &port).await.0.unwrap().title);
        }
        pass(&stage, 12).await;
        for _ in 0..3 {
            let (answer, took) = article(&stage, &port).await;
            assert_eq!(took, Duration::ZERO);
            titles.insert(answer.unwrap().title);
        }
        assert_eq!(titles.len(), 6);
    });
}

/// The titles that six requests get.
fn titles(takes: Duration) -> Vec<String> {
    let mut titles = Vec::new();
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", takes);
        let port = fetcher(&stage, &[&wiki], ahead(2));
        for seed in 0..6 {
            let want = Want::Random(SourceKind::Article);
            titles.push(asked(&stage, &port, want, seed).await.0.expect("it is well").title);
        }
    });
    titles
}

#[test]
fn the_seed_decides_what_is_drawn_ahead_and_the_request_what_is_drawn_at_once() {
    assert_eq!(titles(SLOW), titles(SLOW));
    assert_eq!(titles(Duration::ZERO), titles(Duration::ZERO));
    assert_ne!(titles(Duration::ZERO), titles(SLOW));
}

#[test]
fn patience_ends_with_what_every_source_has_to_say() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        wiki.does(Doing::Hangs);
        let port = fetcher(&stage, &[&wiki], ahead(1));
        let (answer, took) = article(&stage, &port).await;
        assert_eq!(answer.unwrap_err().to_string(), "wiki: it has brought nothing yet");
        assert_eq!(took, super::bench::PATIENCE);
    });
}

#[test]
fn what_nobody_asks_for_often_is_fetched_when_it_is_wanted() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let hung = Puppet::new(&stage, "hung", SLOW);
        hung.does(Doing::Hangs);
        let port = fetcher(&stage, &[&hung, &wiki], Prefetch::NONE);
        pass(&stage, 60).await;
        assert_eq!(wiki.asked().len(), 0);
        let (answer, took) = article(&stage, &port).await;
        assert_eq!((answer.unwrap().source.as_str(), took), ("wiki", EACH + SLOW));
    });
}

#[test]
fn a_kind_that_no_source_has_is_refused_by_name() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let port = fetcher(&stage, &[&wiki], ahead(1));
        let (answer, _): (Result<Context, _>, _) =
            asked(&stage, &port, Want::Random(SourceKind::Code), 0).await;
        let refused = answer.unwrap_err();
        assert_eq!(refused, FetchError::NoTool(SourceKind::Code));
        assert!(refused.to_string().contains("code"), "{refused}");
    });
}
