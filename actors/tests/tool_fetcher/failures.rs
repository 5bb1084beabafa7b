//! Sources that do not do what they are there for: another is taken, the journal says so, and they
//! are asked again later.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sn1_actors::domain::SourceKind;
use sn1_actors::ports::{Event, Want};
use sn1_actors::testkit::Stage;
use sn1_actors::tool_fetcher::{Prefetch, fetch};

use super::bench::{
    Doing, PATIENCE, Puppet, REFILL, ahead, article, asked, brought_by, fetcher, pass, told,
};

const SLOW: Duration = Duration::from_secs(1);

#[test]
fn a_bad_source_costs_nobody_a_step_and_is_taken_again_when_it_is_well() {
    for (bad, cause) in [
        (Doing::Fails, "503 [2J Service Unavailable"),
        (Doing::Hangs, "no answer within 60s"),
        (Doing::HasNothing, "nothing of that kind"),
        (Doing::Repeats, "the same contexts again and again"),
        (Doing::Babbles, "control characters"),
        (Doing::SendsTooMuch, "more text"),
        (Doing::Panics, "it panicked"),
        (Doing::IsBusyFor(Duration::from_secs(20)), "the quota is used up"),
    ] {
        Stage::play(async |stage: Stage| {
            let wiki = Puppet::new(&stage, "wiki", SLOW);
            let spare = Puppet::new(&stage, "spare", SLOW);
            wiki.does(bad);
            let port = fetcher(&stage, &[&wiki, &spare], ahead(2));
            pass(&stage, 70).await;
            if bad == Doing::Repeats {
                assert_eq!(brought_by(&stage, &port).await, "wiki");
            }
            for _ in 0..10 {
                assert_eq!(brought_by(&stage, &port).await, "spare", "{bad:?}");
                pass(&stage, 10).await;
            }
            let failed = told(&stage);
            assert_eq!(failed.len(), 1, "once, not for each request: {failed:?}");
            assert!(failed[0].starts_with("wiki failed: "), "{failed:?}");
            assert!(failed[0].contains(cause), "{failed:?}");
            let tries = wiki.asked().len();
            assert!((2..=12).contains(&tries), "{bad:?}: {tries} tries in 170 seconds");

            wiki.does(Doing::Well);
            pass(&stage, 300).await;
            assert_eq!(brought_by(&stage, &port).await, "wiki", "{bad:?}");
            assert_eq!(told(&stage)[1..], ["wiki is back"]);
        });
    }
}

#[test]
fn a_source_that_hangs_is_left_alone_though_its_asker_waits_for_less_than_it_may_take() {
    for want in [Want::Random(SourceKind::Article), Want::Search(SourceKind::Article, "tea".into())]
    {
        Stage::play(async |stage: Stage| {
            let wiki = Puppet::new(&stage, "wiki", SLOW);
            let spare = Puppet::new(&stage, "spare", SLOW);
            wiki.does(Doing::Hangs);
            let port = fetcher(&stage, &[&wiki, &spare], Prefetch::NONE);
            let ask = async || {
                let random = ChaCha8Rng::seed_from_u64(0);
                fetch(&port, want.clone(), random, Duration::from_secs(3)).await
            };
            let cut = ask().await.unwrap_err().to_string();
            assert!(cut.contains("wiki: no answer within 3s"), "{cut}");
            assert_eq!(told(&stage), ["wiki failed: no answer within 3s, 3 s"]);
            assert_eq!(ask().await.unwrap().source, "spare");
            assert_eq!(wiki.asked(), [0]);
            pass(&stage, 3).await;
            wiki.does(Doing::Well);
            assert!(ask().await.is_ok());
        });
    }
}

#[test]
fn pauses_between_tries_grow_to_five_minutes() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", Duration::from_millis(1));
        wiki.does(Doing::Fails);
        let _port = fetcher(&stage, &[&wiki], ahead(2));
        pass(&stage, 1_500).await;
        let asked = wiki.asked();
        let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    });
}

#[test]
fn a_source_that_wants_to_be_left_alone_is_left_alone_by_everybody_and_after_a_crash_too() {
    Stage::play(async |stage: Stage| {
        let kinds = [SourceKind::Article, SourceKind::Code];
        let wiki = Puppet::with(&stage, "wiki", SLOW, &kinds);
        wiki.does(Doing::IsBusyFor(Duration::from_secs(90)));
        let port = fetcher(&stage, &[&wiki], Prefetch { kinds: kinds.to_vec(), ..ahead(2) });
        pass(&stage, 2).await;
        stage.failpoints.arm("tool_fetcher:fetch", 0);
        for want in [
            Want::Random(SourceKind::Article),
            Want::Random(SourceKind::Code),
            Want::Search(SourceKind::Article, "tea".into()),
            Want::Title("Tea".into()),
        ] {
            let (answer, took) = asked(&stage, &port, want.clone(), 0).await;
            let told = answer.unwrap_err().to_string();
            assert!(told.contains("quota is used up (asked again in 89 s)"), "{want:?}: {told}");
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
        pass(&stage, 80).await;
        assert_eq!(wiki.asked(), [0]);
        assert_eq!(told(&stage), ["wiki failed: the quota is used up, 90 s"]);
        wiki.does(Doing::Well);
        pass(&stage, 20).await;
        assert_eq!(wiki.asked()[1], 91);
        assert_eq!(brought_by(&stage, &port).await, "wiki");
    });
}

#[test]
fn our_own_crowd_at_a_source_is_not_laid_to_it() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        wiki.does(Doing::IsCrowded);
        let port = fetcher(&stage, &[&wiki], ahead(2));
        pass(&stage, 9).await;
        assert_eq!(wiki.asked(), [0, 2, 4, 6, 8], "a refill makes way");
        let (answer, _) = asked(&stage, &port, Want::Title("Tea".into()), 0).await;
        assert_eq!(answer.unwrap_err().to_string(), "wiki: too many requests wait");
        assert!(told(&stage).is_empty(), "{:?}", told(&stage));
        wiki.does(Doing::Well);
        let (answer, took) = asked(&stage, &port, Want::Title("Tea".into()), 0).await;
        assert_eq!((answer.unwrap().source.as_str(), took), ("wiki", SLOW));
    });
}

#[test]
fn what_a_source_wished_for_while_the_actor_was_restarted_holds_as_well() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        wiki.does(Doing::IsBusyFor(Duration::from_secs(90)));
        stage.failpoints.arm("tool_fetcher:fetch", 0);
        let port = fetcher(&stage, &[&wiki], ahead(2));
        let (answer, _) = article(&stage, &port).await;
        assert!(answer.unwrap_err().to_string().contains("quota is used up"));
        pass(&stage, 89).await;
        assert_eq!(wiki.asked(), [0]);
        pass(&stage, 2).await;
        assert_eq!(wiki.asked(), [0, 91]);
    });
}

#[test]
fn a_short_pause_is_waited_out_and_a_long_one_is_told_at_once() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", Duration::from_millis(1));
        wiki.does(Doing::Fails);
        let port = fetcher(&stage, &[&wiki], ahead(1));
        let (answer, took) = article(&stage, &port).await;
        let cause = "wiki: 503 [2J Service Unavailable (asked again in 8 s)";
        assert_eq!(answer.unwrap_err().to_string(), cause);
        assert_eq!(took.as_secs(), 7, "1, 2 and 4 seconds, and not the next 8");
        let (answer, took) = article(&stage, &port).await;
        assert_eq!((answer.unwrap_err().to_string(), took), (cause.into(), Duration::ZERO));
        wiki.does(Doing::Well);
        pass(&stage, 5).await;
        let (answer, took) = article(&stage, &port).await;
        assert!(answer.is_ok() && took <= Duration::from_secs(4), "{answer:?} {took:?}");
    });
}

#[test]
fn one_kind_that_fails_says_nothing_against_another() {
    Stage::play(async |stage: Stage| {
        let kinds = [SourceKind::Code, SourceKind::Article];
        let wiki = Puppet::with(&stage, "wiki", SLOW, &kinds);
        wiki.does(Doing::HasNoCode);
        let port = fetcher(&stage, &[&wiki], Prefetch { kinds: kinds.to_vec(), ..ahead(1) });
        pass(&stage, 10).await;
        for _ in 0..3 {
            assert_eq!(brought_by(&stage, &port).await, "wiki");
            let (code, _) = asked(&stage, &port, Want::Random(SourceKind::Code), 0).await;
            assert!(code.unwrap_err().to_string().contains("nothing of that kind"));
            pass(&stage, 2).await;
        }
        let told = stage.journal.events();
        let [Event::SourceFailed { kind, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(*kind, Some(SourceKind::Code));
    });
}

#[test]
fn every_source_that_failed_says_why() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        let stack = Puppet::new(&stage, "stack", Duration::ZERO);
        wiki.does(Doing::IsBusyFor(Duration::from_secs(600)));
        stack.does(Doing::HasNothing);
        let port = fetcher(&stage, &[&wiki, &stack], ahead(1));
        pass(&stage, 5).await;
        let (answer, took) = article(&stage, &port).await;
        let told = answer.unwrap_err().to_string();
        for part in ["wiki: the quota is used up (asked again in 596 s)", "stack: it has nothing"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(took, Duration::ZERO);
    });
}

#[test]
fn a_hanging_refill_ends_and_its_pool_goes_on() {
    Stage::play(async |stage: Stage| {
        let wiki = Puppet::new(&stage, "wiki", SLOW);
        wiki.does(Doing::Hangs);
        let port = fetcher(&stage, &[&wiki], ahead(1));
        pass(&stage, 1).await;
        wiki.does(Doing::Well);
        let (late, took) = article(&stage, &port).await;
        assert!(late.is_err(), "the first fetch hangs still");
        assert_eq!(took, PATIENCE);
        pass(&stage, 2 * REFILL.as_secs()).await;
        assert_eq!(brought_by(&stage, &port).await, "wiki");
    });
}
