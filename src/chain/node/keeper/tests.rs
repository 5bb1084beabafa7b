use rand_chacha::rand_core::SeedableRng;
use sn1_actors::ports::TokioClock;

use super::*;
use crate::chain::node::testkit::{BLOCK, FakeNode, mainnet};
use crate::config::Subtensor;

fn nodes(chain_endpoint: Vec<String>) -> Endpoints {
    Endpoints::of(&Subtensor { network: None, chain_endpoint }).unwrap()
}

fn work(urls: usize, seed: u64) -> Work {
    Work {
        endpoints: nodes((0..urls).map(|n| format!("ws://node{n}")).collect()),
        config: KeeperConfig::default(),
        random: ChaCha8Rng::seed_from_u64(seed),
        clock: Arc::new(TokioClock::starting_now(Duration::default)),
        genesis: None,
        heard: None,
        session: watch::Sender::new(None),
        head: watch::Sender::new(BlockNumber(0)),
        health: watch::Sender::new(Health::default()),
    }
}

async fn session() -> Arc<Session> {
    // What the metadata is does not matter: nothing is asked.
    Arc::new(FakeNode::new(Vec::new()).session().await)
}

#[tokio::test]
async fn pauses_double_once_all_endpoints_have_failed_and_stay_bounded() {
    let mut work = work(2, 1);
    let (first, longest) = (work.config.first_pause, work.config.longest_pause);
    for (failures, doubled) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4)] {
        let pause = work.pause(failures);
        assert!((first * doubled / 2..=first * doubled).contains(&pause), "{failures}: {pause:?}");
    }
    for failures in [100, 10_000, usize::MAX] {
        let pause = work.pause(failures);
        assert!((longest / 2..=longest).contains(&pause), "{failures}: {pause:?}");
    }
}

#[tokio::test]
async fn pauses_are_the_seeds_and_differ_between_clients() {
    let pauses = |seed| -> Vec<Duration> {
        let mut work = work(1, seed);
        (1..10).map(|failures| work.pause(failures)).collect()
    };
    assert_eq!(pauses(1), pauses(1));
    assert_ne!(pauses(1), pauses(2));
}

#[tokio::test]
async fn a_head_that_goes_backwards_is_not_new() {
    let (mut work, session) = (work(1, 1), session().await);
    assert_eq!(work.arrived(BlockNumber(10), &session), Ok(true));
    assert!(work.session.borrow().is_some());
    for old in [9, 10, 1] {
        assert_eq!(work.arrived(BlockNumber(old), &session), Ok(false), "{old}");
    }
    assert_eq!(*work.head.borrow(), BlockNumber(10));
    assert_eq!(work.arrived(BlockNumber(11), &session), Ok(true));
    assert_eq!(*work.head.borrow(), BlockNumber(11));
}

#[tokio::test]
async fn a_block_that_cannot_be_there_yet_is_refused_and_spoils_nothing() {
    let (mut work, session) = (work(1, 1), session().await);
    work.arrived(BlockNumber(7_000_000), &session).unwrap();
    for lie in [1 << 60, u64::MAX, 7_000_001 + MOST_AT_ONCE] {
        let refused = work.arrived(BlockNumber(lie), &session);
        assert!(matches!(refused, Err(Failure::Garbled { .. })), "{lie}: {refused:?}");
        assert_eq!(*work.head.borrow(), BlockNumber(7_000_000));
    }
    assert_eq!(work.arrived(BlockNumber(7_000_001), &session), Ok(true));
}

#[tokio::test]
async fn after_a_long_absence_the_chain_may_be_far_ahead() {
    let (mut work, session) = (work(1, 1), session().await);
    work.arrived(BlockNumber(7_000_000), &session).unwrap();
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
    work.clock = Arc::new(TokioClock::starting_now(|| WEEK));
    assert_eq!(work.arrived(BlockNumber(7_050_400), &session), Ok(true));
}

#[tokio::test]
async fn a_node_that_is_behind_is_not_given_out() {
    let (mut work, session) = (work(1, 1), session().await);
    work.head.send_replace(BlockNumber(10));
    work.arrived(BlockNumber(9), &session).unwrap();
    assert!(work.session.borrow().is_none());
    work.arrived(BlockNumber(10), &session).unwrap();
    assert!(work.session.borrow().is_some());
}

#[tokio::test]
async fn a_chain_that_stalled_has_to_bring_a_new_block_first() {
    let (mut work, session) = (work(1, 1), session().await);
    work.head.send_replace(BlockNumber(10));
    work.note("ws://node0", &End::Stalled(Failure::Late { what: "a block" }), Duration::ZERO);
    assert!(work.health.borrow().stalled);
    work.arrived(BlockNumber(10), &session).unwrap();
    assert!(work.session.borrow().is_none());
    work.arrived(BlockNumber(11), &session).unwrap();
    assert!(work.session.borrow().is_some());
    assert!(!work.health.borrow().stalled);
    assert_eq!(work.health.borrow().since, Some(BlockNumber(11)));
}

#[tokio::test]
async fn failures_in_a_row_strike_a_session_and_a_success_forgives_them() {
    let session = session().await;
    let struck = |session: Arc<Session>| async move {
        tokio::time::timeout(Duration::ZERO, session.struck(3)).await.is_ok()
    };
    for answered in [false, false, true, false, false] {
        session.note(answered);
    }
    assert!(!struck(Arc::clone(&session)).await);
    session.note(false);
    assert!(struck(session).await);
}

#[tokio::test]
async fn a_session_that_was_given_up_answers_at_once() {
    let session = session().await;
    session.give_up();
    let never = std::future::pending::<Result<(), std::io::Error>>();
    let refused = session.bounded("a question", never).await.unwrap_err();
    assert!(refused.to_string().contains("given up"), "{refused}");
}

#[tokio::test]
async fn without_a_session_the_last_failure_is_the_answer() {
    let endpoints = work(1, 1);
    let health = Health { last_failure: Some("ws://node0: refused".into()), ..Health::default() };
    endpoints.health.send_replace(health);
    let keeper = Keeper {
        session: endpoints.session.subscribe(),
        head: endpoints.head.subscribe(),
        health: endpoints.health.subscribe(),
        patience: Duration::from_millis(1),
    };
    let failure = keeper.session().await.err().unwrap();
    assert!(failure.to_string().contains("ws://node0: refused"), "{failure}");
    drop(endpoints);
    assert!(keeper.block_after(BlockNumber(0)).await.is_err(), "nobody follows the chain any more");
}

/// A session that is followed on virtual time, and how long blocks may be missing in it.
async fn followed() -> Option<(Work, FakeNode, Arc<Session>, Duration)> {
    let node = FakeNode::new(mainnet()?);
    let session = Arc::new(node.session().await);
    let work = work(1, 1);
    let window = Duration::from_secs(24) + work.config.patience;
    Some((work, node, session, window))
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_blocks_stop_is_given_up_in_the_time_of_two_blocks_and_a_deadline() {
    let Some((mut work, node, session, window)) = followed().await else { return };
    let clock = Arc::clone(&work.clock);
    // Blocks that are no news do not keep it alive.
    let old = async {
        for _ in 0..100 {
            clock.sleep(Duration::from_secs(5)).await;
            node.finalize(BLOCK);
            node.finalize(BLOCK - 1);
        }
    };
    let end = tokio::select! {
        end = work.follow(&session) => end,
        () = old => panic!("it ends first"),
    };
    assert!(matches!(end, End::Stalled(Failure::Late { .. })));
    // All of the time is virtual, so it is exact.
    assert_eq!(clock.now().0.as_secs(), window.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_node_is_kept_for_as_long_as_blocks_come() {
    let Some((mut work, node, session, window)) = followed().await else { return };
    let (clock, head) = (Arc::clone(&work.clock), work.head.subscribe());
    let new = async {
        for n in 1..=20 {
            clock.sleep(window - Duration::from_secs(1)).await;
            node.finalize(BLOCK + n);
        }
        std::future::pending::<()>().await;
    };
    let end = tokio::select! {
        end = work.follow(&session) => end,
        () = new => panic!("it never ends"),
    };
    assert!(matches!(end, End::Stalled(_)));
    assert_eq!(*head.borrow(), BlockNumber(BLOCK + 20));
    let all = 20 * (window - Duration::from_secs(1)) + window;
    assert_eq!(clock.now().0.as_secs(), all.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_fails_its_users_is_given_up_while_its_blocks_come() {
    let Some((mut work, node, session, _)) = followed().await else { return };
    let clock = Arc::clone(&work.clock);
    let users = async {
        for n in 1..=3 {
            clock.sleep(Duration::from_secs(12)).await;
            node.finalize(BLOCK + n);
            session.note(false);
        }
        std::future::pending::<()>().await;
    };
    let end = tokio::select! {
        end = work.follow(&session) => end,
        () = users => panic!("it never ends"),
    };
    assert!(matches!(end, End::Broken(_)));
    assert_eq!(clock.now().0.as_secs(), 36);
}

/// Against the node of `TEST_CHAIN`, behind one that refuses and one that never ends its handshake.
#[tokio::test]
async fn passes_over_dead_nodes_to_one_that_lives() {
    let Ok(chain) = std::env::var("TEST_CHAIN") else {
        println!("skipped: TEST_CHAIN names no node");
        return;
    };
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = format!("ws://{}", silent.local_addr().unwrap());
    let mut work = work(0, 1);
    let urls = vec!["ws://127.0.0.1:1".to_owned(), hanging.clone(), chain.clone()];
    work.endpoints = nodes(urls);
    work.config.patience = Duration::from_secs(2);
    let keeper = Keeper {
        session: work.session.subscribe(),
        head: work.head.subscribe(),
        health: work.health.subscribe(),
        patience: Duration::from_secs(20),
    };
    let asks = async {
        let session = keeper.session().await.unwrap();
        let block = keeper.block_after(BlockNumber(0)).await.unwrap();
        let health = keeper.health().borrow().clone();
        let read = super::super::rules::read(&session, sn1_actors::domain::Netuid(1)).await;
        keeper.report(&session, read.is_ok());
        (block, health, read)
    };
    let (block, health, read) = tokio::select! {
        asked = asks => asked,
        () = work.run() => panic!("the keeper ended"),
    };
    assert!(block > BlockNumber(0));
    assert_eq!(health.endpoint, Some(chain));
    assert_eq!(health.failures, 2);
    assert!(health.last_failure.unwrap().contains(&hanging));
    println!("{:?}", read.unwrap());
}
