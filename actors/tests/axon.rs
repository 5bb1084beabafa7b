//! Axon through its ports, on virtual time: whom it lets in, in which order, and how it answers.

#![expect(clippy::expect_used, reason = "test code outside of a test function")]

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::assistant::{AssistantConfig, Kind};
use sn1_actors::axon::{Admission, Admit, AxonConfig, Blacklist, Knock, Pass, Refusal};
use sn1_actors::domain::{BlockNumber, Coldkey, Hotkey, Metagraph, Netuid, Neuron};
use sn1_actors::domain::{Query, Sampling, Tao, Uid};
use sn1_actors::model_worker::TextSource;
use sn1_actors::model_worker::scheduler::SchedulerConfig;
use sn1_actors::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use sn1_actors::ports::{Event, Piece, SignedHead, Tool};
use sn1_actors::runtime::Topology;
use sn1_actors::testkit::{FakeTools, Stage, TrustingCheck, hotkey};
use sn1_actors::tool_fetcher::Prefetch;
use sn1_actors::wiring::{
    Miner, MinerConfig, MinerParts, ModelParts, ToolParts, start_miner, start_shared,
};
use tokio::sync::{mpsc, watch};

const TIMEOUT: Duration = Duration::from_secs(20);
/// On no subnet.
const STRANGER: u16 = 99;

/// Neurons with the stakes 0 to 4 and, but for the first, a permit.
fn metagraph() -> Metagraph {
    let neuron = |n: u16| Neuron {
        uid: Uid(n),
        hotkey: hotkey(n),
        coldkey: Coldkey::parse(hotkey(n).as_str()).expect("it has the form of an address"),
        stake: Tao(f64::from(n)),
        validator_permit: n > 0,
        axon: None,
        last_update: BlockNumber(0),
        incentive: 0.0,
    };
    Metagraph { netuid: Netuid(1), block: BlockNumber(1), neurons: (0..5).map(neuron).collect() }
}

fn axon() -> AxonConfig {
    letting_in(Admission::default())
}

fn guarded(blacklist: Blacklist) -> AxonConfig {
    letting_in(Admission { blacklist, ..Admission::default() })
}

/// An operator who never thinks better of it.
fn letting_in(admission: Admission) -> AxonConfig {
    let (_, admission) = watch::channel(Arc::new(admission));
    AxonConfig { admission, in_flight: 1, waiting: 4 }
}

/// A miner whose answers take a second at least.
fn miner(stage: &Stage, axon: AxonConfig, kind: Kind) -> Miner {
    let rate = ServiceRate { per_step: Duration::from_millis(50), per_row: Duration::ZERO };
    let model = ModelParts {
        text: TextSource::Local(Arc::new(StandInCodec)),
        device: Arc::new(StandInDevice::new(Arc::clone(&stage.clock), rate)),
        scheduler: SchedulerConfig::default(),
    };
    let tools: Arc<[Arc<dyn Tool>]> = Arc::new([Arc::new(FakeTools) as Arc<dyn Tool>]);
    let tools = ToolParts { tools, patience: Duration::from_secs(5), prefetch: Prefetch::NONE };
    let shared = start_shared(&stage.overseer, model, tools, 8, &stage.failpoints);
    let config = MinerConfig {
        suffix: String::new(),
        axon,
        assistant: AssistantConfig {
            kind,
            system_prompt: "You are helpful.".into(),
            sampling: Sampling { max_new_tokens: 64, ..Sampling::ORIGINAL },
            delay: Duration::from_secs(1),
        },
    };
    // Nobody sends to it: the subnet stays as it is.
    let (_, metagraph) = watch::channel(Arc::new(metagraph()));
    let parts = MinerParts {
        check: Arc::new(Mutex::new(TrustingCheck)),
        metagraph,
        board: None,
        journal: Arc::clone(&stage.journal) as _,
        failpoints: stage.failpoints.clone(),
    };
    start_miner(&stage.overseer, config, parts, &shared, &mut Topology::default())
}

fn head(caller: &Hotkey) -> SignedHead {
    SignedHead {
        hotkey: Some(caller.as_str().into()),
        nonce: Some(1),
        uuid: Some("test".into()),
        signature: Some("0x".into()),
        body_hash: Some("hash".into()),
        version: None,
        timeout: TIMEOUT,
    }
}

async fn knock(miner: &Miner, head: SignedHead, ping: bool) -> Result<Pass, Refusal> {
    let deadline = miner.knock.within(TIMEOUT);
    miner.knock.ask(Knock { head, ping }, deadline).await.expect("the axon is running")
}

async fn enter(miner: &Miner, caller: u16) -> Result<Pass, Refusal> {
    knock(miner, head(&hotkey(caller)), false).await
}

async fn ask(
    miner: &Miner,
    pass: Pass,
    text: &str,
    pieces: Option<mpsc::Sender<Piece>>,
) -> Result<String, Refusal> {
    let admit = Admit { pass, query: Query::from_user(text), pieces };
    miner.admit.ask(admit, miner.admit.within(TIMEOUT)).await.expect("the axon is running")
}

fn status(entered: &Result<Pass, Refusal>) -> u16 {
    entered.as_ref().map_or_else(|refusal| refusal.status, |_| 200)
}

#[test]
fn answers_the_largest_stake_first_and_equals_in_order_of_arrival() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, AxonConfig { waiting: 16, ..axon() }, Kind::Echo);
        let names = [(1, "busy"), (1, "low"), (4, "high"), (2, "middle"), (4, "high again")];
        let mut asked = Vec::new();
        for (caller, name) in names {
            let pass = enter(&miner, caller).await.expect("everybody is registered");
            asked.push((pass, name));
        }
        let answers = asked.into_iter().map(|(pass, name)| ask(&miner, pass, name, None));
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let served = |event| match event {
            Event::Served { completion, .. } => Some(completion),
            _ => None,
        };
        let order: Vec<String> = stage.journal.events().into_iter().filter_map(served).collect();
        assert_eq!(order, ["busy", "high", "high again", "middle", "low"]);
    });
}

#[test]
fn refuses_strangers_and_those_without_a_permit_before_it_looks_at_signatures() {
    Stage::play(async |stage: Stage| {
        let blacklist = Blacklist { force_validator_permit: true, ..Blacklist::default() };
        let miner = miner(&stage, guarded(blacklist), Kind::Echo);
        for (caller, expected) in [(STRANGER, 403), (0, 403), (3, 401)] {
            let unsigned = SignedHead { signature: None, ..head(&hotkey(caller)) };
            assert_eq!(status(&knock(&miner, unsigned, false).await), expected, "{caller}");
        }
        assert_eq!(status(&enter(&miner, 3).await), 200);
    });
}

#[test]
fn refuses_low_stakes_and_named_keys_and_the_allow_list_wins_but_must_sign() {
    Stage::play(async |stage: Stage| {
        let blacklist = Blacklist {
            force_validator_permit: true,
            min_stake: Tao(2.0),
            hotkeys: [hotkey(3), hotkey(STRANGER)].into(),
            allow_hotkeys: [hotkey(0), hotkey(STRANGER)].into(),
            ..Blacklist::default()
        };
        let miner = miner(&stage, guarded(blacklist), Kind::Echo);
        let low = "Forbidden. Key is blacklisted: Low stake.";
        let named = "Forbidden. Key is blacklisted: Hotkey is on the miner's list.";
        for (caller, expected) in [
            (1, Err((403, low))),
            (2, Ok(())),
            (3, Err((403, named))),
            (4, Ok(())),
            // No permit and no stake, and on no subnet at all: the operator asked for them by name.
            (0, Ok(())),
            (STRANGER, Ok(())),
        ] {
            let entered = enter(&miner, caller).await;
            let told = entered.as_ref().map(|_| ()).map_err(|r| (r.status, r.message.as_str()));
            assert_eq!(told, expected, "{caller}");
        }
        for caller in [0, STRANGER] {
            let unsigned = SignedHead { signature: None, ..head(&hotkey(caller)) };
            assert_eq!(status(&knock(&miner, unsigned, false).await), 401, "{caller}");
        }
    });
}

#[test]
fn strangers_have_no_stake() {
    Stage::play(async |stage: Stage| {
        let open = Blacklist { allow_non_registered: true, ..Blacklist::default() };
        let miner = miner(&stage, guarded(Blacklist { min_stake: Tao(1.0), ..open }), Kind::Echo);
        assert_eq!(status(&enter(&miner, STRANGER).await), 403);
        assert_eq!(status(&enter(&miner, 1).await), 200);
    });
}

#[test]
fn a_large_stake_that_has_its_share_under_way_lets_a_small_one_through() {
    Stage::play(async |stage: Stage| {
        let config = AxonConfig { in_flight: 4, waiting: 16, ..axon() };
        let miner = miner(&stage, config, Kind::Echo);
        let began = stage.clock.now();
        let asked = async |caller: u16| {
            let pass = enter(&miner, caller).await.expect("there is room");
            ask(&miner, pass, "x", None).await.expect("it is answered");
            (caller, stage.clock.now().since(began).as_secs())
        };
        // Four of the large one are answered at once, for nobody else is there; of what waits it
        // gets one place at a time until the small one has been answered.
        let all = [4, 4, 4, 4, 4, 4, 4, 4, 1].map(asked);
        let ended = futures_util::future::join_all(all).await;
        let seconds = |of: u16| ended.iter().filter(move |(n, _)| *n == of).map(|(_, at)| *at);
        assert_eq!(seconds(1).collect::<Vec<_>>(), [2]);
        assert_eq!(seconds(4).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 2, 2, 3]);
    });
}

#[test]
fn the_journal_tells_of_those_whose_turn_never_came() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, axon(), Kind::Echo);
        let passes = [enter(&miner, 1).await, enter(&miner, 2).await, enter(&miner, 3).await];
        let [first, gone, last] = passes.map(|pass| ask(&miner, pass.unwrap(), "x", None));
        let impatient = async {
            tokio::select! {
                biased;
                _ = gone => unreachable!(),
                () = stage.clock.sleep(Duration::from_millis(500)) => {}
            }
        };
        let (first, (), last) = tokio::join!(first, impatient, last);
        assert!(first.is_ok() && last.is_ok());
        let served = stage.journal.events().into_iter().filter_map(|event| match event {
            Event::Served { hotkey, status, seconds, .. } => Some((hotkey, status, seconds)),
            _ => None,
        });
        let served: Vec<_> = served.filter(|(_, status, _)| *status != 200).collect();
        assert_eq!(served, [(hotkey(2).as_str().to_owned(), 408, 1.0)]);
    });
}

#[test]
fn lets_strangers_ping_and_asks_them_for_a_signature() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, axon(), Kind::Echo);
        let stranger = head(&hotkey(STRANGER));
        assert_eq!(status(&knock(&miner, stranger.clone(), true).await), 200);
        let unsigned = SignedHead { signature: None, ..stranger };
        assert_eq!(status(&knock(&miner, unsigned, true).await), 401);
    });
}

#[test]
fn holds_a_registered_hotkey_to_its_rate_and_nobody_else() {
    Stage::play(async |stage: Stage| {
        let blacklist = Blacklist { allow_non_registered: true, ..Blacklist::default() };
        let config = letting_in(Admission { blacklist, requests_per_second: 1 });
        let miner = miner(&stage, config, Kind::Echo);
        for _ in 0..10 {
            assert_eq!(status(&enter(&miner, 1).await), 200);
        }
        let refused = enter(&miner, 1).await.unwrap_err();
        assert_eq!(refused.status, 429, "{refused}");
        assert_eq!(status(&enter(&miner, 2).await), 200);
        for _ in 0..20 {
            assert_eq!(status(&enter(&miner, STRANGER).await), 200);
        }
        stage.clock.sleep(Duration::from_secs(2)).await;
        assert_eq!(status(&enter(&miner, 1).await), 200);
    });
}

#[test]
fn goes_by_what_its_operator_says_now() {
    Stage::play(async |stage: Stage| {
        let (operator, admission) = watch::channel(Arc::new(Admission::default()));
        let miner = miner(&stage, AxonConfig { admission, ..axon() }, Kind::Echo);
        assert_eq!(status(&enter(&miner, 1).await), 200);
        let blacklist = Blacklist { hotkeys: [hotkey(1)].into(), ..Blacklist::default() };
        operator.send_replace(Arc::new(Admission { blacklist, requests_per_second: 0 }));
        assert_eq!(status(&enter(&miner, 1).await), 403);
        operator
            .send_replace(Arc::new(Admission { requests_per_second: 1, ..Admission::default() }));
        for expected in [200; 10].into_iter().chain([429]) {
            assert_eq!(status(&enter(&miner, 1).await), expected);
        }
        operator.send_replace(Arc::default());
        assert_eq!(status(&enter(&miner, 1).await), 200);
    });
}

#[test]
fn refuses_at_once_when_enough_are_waiting_unless_the_stake_is_larger() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, AxonConfig { waiting: 1, ..axon() }, Kind::Echo);
        let passes = [enter(&miner, 2).await, enter(&miner, 2).await];
        let [first, second] = passes.map(|pass| ask(&miner, pass.unwrap(), "x", None));
        let third = async {
            let before = stage.clock.now();
            let refused = enter(&miner, 1).await.unwrap_err();
            assert_eq!((refused.status, stage.clock.now().since(before)), (503, Duration::ZERO));
            let pass = enter(&miner, 4).await.unwrap();
            ask(&miner, pass, "x", None).await
        };
        // Polled in this order: one is being answered and one waits when the third comes.
        let (first, second, third) = tokio::join!(first, second, third);
        assert_eq!(second.unwrap_err().status, 503);
        assert!(first.is_ok() && third.is_ok());
    });
}

#[test]
fn one_caller_has_no_more_than_a_quarter_of_the_places() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, AxonConfig { waiting: 8, ..axon() }, Kind::Echo);
        let asked = async |caller| {
            let pass = enter(&miner, caller).await?;
            ask(&miner, pass, "x", None).await
        };
        let all = [4, 4, 4, 4, 4, 4, 1].map(asked);
        let statuses: Vec<u16> = futures_util::future::join_all(all)
            .await
            .into_iter()
            .map(|answer| answer.map_or_else(|refusal| refusal.status, |_| 200))
            .collect();
        // One is being answered at once, and two wait.
        assert_eq!(statuses, [200, 200, 200, 503, 503, 503, 200]);
    });
}

#[test]
fn tells_the_caller_nothing_of_what_failed_and_the_journal_all() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, axon(), Kind::Copier);
        let pass = enter(&miner, 1).await.unwrap();
        let refusal = ask(&miner, pass, "x", None).await.unwrap_err();
        assert_eq!((refusal.status, refusal.message.as_str()), (500, ""));
        let said = stage.journal.events().into_iter().find_map(|event| match event {
            Event::Served { message, .. } => Some(message),
            _ => None,
        });
        assert_eq!(said.unwrap(), "there is nobody to copy from");
    });
}

#[test]
fn gives_a_place_up_when_its_caller_hangs_up() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, axon(), Kind::Echo);
        let passes = [enter(&miner, 1).await, enter(&miner, 1).await];
        let [gone, next] = passes.map(|pass| ask(&miner, pass.unwrap(), "x", None));
        let began = stage.clock.now();
        tokio::select! {
            biased;
            _ = gone => unreachable!(),
            () = stage.clock.sleep(Duration::from_millis(500)) => {}
        }
        assert!(next.await.is_ok());
        assert_eq!(stage.clock.now().since(began), Duration::from_millis(1_500));
    });
}

#[test]
fn hands_on_the_pieces_of_a_text_and_then_the_whole() {
    Stage::play(async |stage: Stage| {
        let miner = miner(&stage, axon(), Kind::Model);
        let pass = enter(&miner, 1).await.unwrap();
        let (sender, mut reader) = mpsc::channel(64);
        let pieces = async {
            let mut pieces = Vec::new();
            while let Some(piece) = reader.recv().await {
                pieces.push(piece);
            }
            pieces
        };
        let (answer, pieces) = tokio::join!(ask(&miner, pass, "hi", Some(sender)), pieces);
        assert!(pieces.len() > 1, "{pieces:?}");
        assert_eq!(answer.unwrap(), pieces.concat());
    });
}
