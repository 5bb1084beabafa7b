//! What `sn1 doctor` says of a chain: row 18 of the table (a clock ten seconds off either way), and what
//! else of a chain costs a neuron its earnings. Faults that need no chain are in `tests/it/doctor.rs`.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sn1::config::{FlagValue, Inputs, Role, Settings};
use sn1::doctor::{Finding, Verdict, Visit, examine};
use sn1::wire::Keypair;
use sn1_actors::domain::Moment;
use sn1_actors::ports::{Clock, TokioClock};
use tempfile::TempDir;

use crate::node::{Axon, Door, Layout, MetadataFault, Neuron, Node, Subnet, World};

/// The time of the scripted chain's first block, in seconds, and from block to block.
const GENESIS: f64 = 1_700_000_000.0;
const BLOCK_TIME: f64 = 12.0;
/// A block is so old when it comes.
const ARRIVAL: f64 = 1.0;
/// A sleep between two looks.
const NAP: Duration = Duration::from_secs(1);

/// A clock by the time of a chain, so many seconds off. Naps are over at once, and one lets a block
/// come, unless the chain stands still.
struct ChainClock {
    node: Arc<Node>,
    off: f64,
    stands_still: bool,
    real: TokioClock,
    napped: AtomicU64,
}

impl ChainClock {
    fn by(node: &Arc<Node>, off: f64) -> Self {
        let real = TokioClock::starting_now(Duration::default);
        let napped = AtomicU64::new(0);
        Self { node: Arc::clone(node), off, stands_still: false, real, napped }
    }
}

impl Clock for ChainClock {
    fn now(&self) -> Moment {
        self.real.now().after(Duration::from_millis(self.napped.load(Ordering::Relaxed)))
    }

    fn unix(&self) -> Duration {
        let block = f64::from(self.node.look(World::best_number));
        Duration::from_secs_f64(GENESIS + BLOCK_TIME * block + ARRIVAL + self.off)
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        if delay > NAP {
            return self.real.sleep(delay);
        }
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.napped.fetch_add(millis, Ordering::Relaxed);
        if !self.stands_still {
            self.node.grow();
        }
        Box::pin(tokio::task::yield_now())
    }
}

/// A validator's place on a chain.
struct Patient {
    home: TempDir,
    port: u16,
}

impl Patient {
    fn new() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        Self { home: tempfile::tempdir().unwrap(), port }
    }

    /// A subnet on which all is well with the validator: uid 0.
    fn subnet(&self) -> Subnet {
        let alice = Keypair::from_dev_uri("//Alice").unwrap().public();
        let axon = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), self.port);
        let own = Neuron { last_update: 1, axon: Some(Axon::at(axon)), ..Neuron::validator(alice) };
        Subnet { neurons: vec![own, Neuron::miner([3; 32])], ..Subnet::empty() }
    }

    async fn examined(
        &self,
        clock: ChainClock,
        nodes: &str,
        more: &[(&str, &str)],
    ) -> Vec<Finding> {
        let (home, port) = (self.home.path().to_str().unwrap(), self.port.to_string());
        let usual = [
            ("netuid", "1"),
            ("subtensor.network", "local"),
            ("subtensor.chain_endpoint", nodes),
            ("neuron.model_id", "fake"),
            ("tools.sources", "builtin,maths"),
            ("logging.logging_dir", home),
            ("journal.max_bytes", "1000000"),
            ("axon.port", &port),
        ];
        let mut inputs = Inputs { home: Some(home.into()), ..Inputs::default() };
        let flag = |(key, value): &(&str, &str)| FlagValue {
            key: (*key).to_owned(),
            values: vec![(*value).to_owned()],
        };
        inputs.flags.values = usual.iter().chain(more).map(flag).collect();
        let loaded = Settings::load(Role::Validator, &inputs);
        let uri = Some("//Alice".to_owned());
        let visit = Visit { offline: false, uri, clock: Arc::new(clock) };
        Box::pin(examine(Role::Validator, loaded, visit)).await
    }

    async fn on(&self, node: Node) -> Vec<Finding> {
        let node = Arc::new(node);
        self.examined(ChainClock::by(&node, 0.0), node.url(), &[]).await
    }
}

/// Fails unless the one finding that is not well is this check's, with these words.
fn expect(findings: &[Finding], check: &str, verdict: Verdict, seen: &str, cure: &str) {
    let ill: Vec<&Finding> = findings.iter().filter(|one| one.verdict != Verdict::Ok).collect();
    let [found] = ill.as_slice() else { panic!("not one thing but {ill:#?}") };
    assert_eq!((found.check, found.verdict), (check, verdict), "{found:?}");
    assert!(found.seen.contains(seen), "{seen:?} is not in {found:?}");
    assert!(found.cure.as_ref().unwrap().contains(cure), "{cure:?} is not in {found:?}");
}

#[tokio::test]
async fn nothing_is_wrong_with_a_validator_that_sets_weights_and_is_reached() {
    let patient = Patient::new();
    let findings = patient.on(Node::start(patient.subnet())).await;
    assert!(findings.iter().all(|found| found.verdict == Verdict::Ok), "{findings:#?}");
    for check in ["chain", "runtime", "clock", "registration", "permit", "weights", "axon"] {
        assert!(findings.iter().any(|found| found.check == check), "no {check}: {findings:#?}");
    }
}

#[tokio::test]
async fn a_clock_ten_seconds_off_is_told_either_way() {
    let patient = Patient::new();
    for (off, how) in [(-10.0, "behind the chain's"), (10.0, "ahead of the chain's")] {
        let node = Arc::new(Node::start(patient.subnet()));
        let findings = patient.examined(ChainClock::by(&node, off), node.url(), &[]).await;
        expect(&findings, "clock", Verdict::Failing, how, "NTP");
    }
}

#[tokio::test]
async fn a_chain_that_stands_still_is_told_and_no_clock_blamed() {
    let patient = Patient::new();
    let node = Arc::new(Node::start(patient.subnet()));
    let clock = ChainClock { stands_still: true, ..ChainClock::by(&node, 500.0) };
    let findings = patient.examined(clock, node.url(), &[]).await;
    expect(&findings, "clock", Verdict::Warning, "no new block came", "follows the chain");
}

#[tokio::test]
async fn a_hotkey_that_has_no_slot_permit_or_stake_is_told() {
    let patient = Patient::new();
    let with = |change: &dyn Fn(&mut Vec<Neuron>)| {
        let mut subnet = patient.subnet();
        change(&mut subnet.neurons);
        Node::start(subnet)
    };
    let gone = with(&|neurons| neurons.retain(|one| !one.permit));
    let findings = patient.on(gone).await;
    expect(&findings, "registration", Verdict::Failing, "no slot on subnet 1", "sn1 register");
    let findings = patient.on(with(&|neurons| neurons[0].permit = false)).await;
    expect(&findings, "permit", Verdict::Warning, "no validator permit", "stake");
    let findings = patient.on(with(&|neurons| neurons[0].stake = 1_000_000_000)).await;
    expect(&findings, "permit", Verdict::Warning, "1 TAO, below the 4096", "stake");
    let node = Arc::new(Node::start(patient.subnet()));
    let elsewhere = [("netuid", "7")];
    let clock = ChainClock::by(&node, 0.0);
    let findings = patient.examined(clock, node.url(), &elsewhere).await;
    let slot = findings.iter().find(|found| found.check == "registration").unwrap();
    assert_eq!(slot.verdict, Verdict::Failing, "{findings:#?}");
    assert!(slot.cure.as_ref().unwrap().contains("netuid"), "{slot:?}");
}

#[tokio::test]
async fn weights_that_are_old_or_off_and_an_address_that_is_not_ours_are_told() {
    let patient = Patient::new();
    let old = Node::start(patient.subnet());
    old.grow_by(400);
    let findings = patient.on(old).await;
    expect(&findings, "weights", Verdict::Warning, "set them 39", "its log says why");
    let mut subnet = patient.subnet();
    subnet.neurons[0].last_update = 0;
    let findings = patient.on(Node::start(subnet)).await;
    expect(&findings, "weights", Verdict::Warning, "has never set any", "start the validator");
    let node = Arc::new(Node::start(patient.subnet()));
    let off = [("neuron.disable_set_weights", "true")];
    let findings = patient.examined(ChainClock::by(&node, 0.0), node.url(), &off).await;
    expect(&findings, "weights", Verdict::Warning, "earns nothing", "disable_set_weights");
    let mut subnet = patient.subnet();
    subnet.neurons[0].axon = Some(Axon::at("203.0.113.7:8091".parse().unwrap()));
    let findings = patient.on(Node::start(subnet)).await;
    expect(&findings, "axon", Verdict::Warning, "the chain says 203.0.113.7:8091", "publishes it");
}

#[tokio::test]
async fn a_runtime_that_lacks_what_is_needed_is_told_by_its_name() {
    let patient = Patient::new();
    let renamed = Node::start_with(patient.subnet(), Layout::first().without("serve_axon"));
    let findings = patient.on(renamed).await;
    let name = "SubtensorModule.serve_axon";
    expect(&findings, "runtime", Verdict::Failing, name, "sn1 chain probe");
    let hidden = Subnet { commit_reveal: true, ..patient.subnet() };
    let layout = Layout::first().without("commit_weights").without("commit_timelocked_weights");
    let findings = patient.on(Node::start_with(hidden.clone(), layout)).await;
    expect(&findings, "runtime", Verdict::Failing, "no call that this program knows", "update");
    let findings = patient.on(Node::start(hidden.clone())).await;
    assert!(findings.iter().all(|found| found.verdict == Verdict::Ok), "{findings:#?}");
    let newer = Subnet { commit_reveal_version: 5, ..hidden };
    let findings = patient.on(Node::start(newer)).await;
    expect(&findings, "runtime", Verdict::Failing, "commit-reveal version 5", "update");
    let garbage = Node::start(patient.subnet());
    garbage.faults(|faults| faults.metadata = MetadataFault::Garbage);
    let findings = patient.on(garbage).await;
    assert!(
        findings.iter().any(|found| found.check == "chain" && found.verdict != Verdict::Ok),
        "{findings:#?}"
    );
}

#[tokio::test]
async fn a_node_that_hangs_is_a_warning_while_another_answers() {
    let patient = Patient::new();
    let (hangs, node) = (Node::start(patient.subnet()), Arc::new(Node::start(patient.subnet())));
    hangs.faults(|faults| faults.door = Door::Hangs);
    let urls = format!("{},{}", hangs.url(), node.url());
    let findings = patient.examined(ChainClock::by(&node, 0.0), &urls, &[]).await;
    expect(&findings, "chain", Verdict::Warning, hangs.url(), "subtensor.chain_endpoint");
    let mute = Node::start(patient.subnet());
    mute.faults(|faults| faults.mute = true);
    let findings = patient.on(mute).await;
    expect(&findings, "chain", Verdict::Failing, "no answer in time", "subtensor.chain_endpoint");
}

#[tokio::test]
async fn another_chain_than_the_one_named_and_an_address_that_nobody_reaches_are_told() {
    let patient = Patient::new();
    let public = |network: &'static str| {
        [
            ("subtensor.network", network),
            ("axon.external_ip", "10.0.0.1"),
            ("public.allow_development_keys", "true"),
            ("public.allow_small_model", "true"),
            ("public.allow_embedded_corpus", "true"),
        ]
    };
    let node = Arc::new(Node::start(patient.subnet()));
    let look = async |network| {
        patient.examined(ChainClock::by(&node, 0.0), node.url(), &public(network)).await
    };
    let cure = "set axon.external_ip";
    expect(&look("test").await, "axon", Verdict::Failing, "10.0.0.1 cannot be published", cure);
    let findings = look("finney").await;
    let chain = findings.iter().find(|found| found.check == "chain").unwrap();
    assert_eq!(chain.verdict, Verdict::Failing, "{findings:#?}");
    assert!(chain.seen.contains("another chain than finney"), "{chain:?}");
    assert!(chain.cure.as_ref().unwrap().contains("subtensor.network"), "{chain:?}");
    assert!(findings.iter().all(|found| found.check != "registration"), "{findings:#?}");
}

#[tokio::test]
async fn a_node_of_another_chain_does_not_make_the_one_after_it_wrong() {
    let main = "2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03";
    let patient = Patient::new();
    let (other, node) = (Node::start(patient.subnet()), Arc::new(Node::start(patient.subnet())));
    other.faults(|faults| faults.genesis = hex::decode(main).unwrap().try_into().ok());
    let urls = format!("{},{}", other.url(), node.url());
    let findings = patient.examined(ChainClock::by(&node, 0.0), &urls, &[]).await;
    let wrong: Vec<_> = findings.iter().filter(|it| it.seen.contains("another chain")).collect();
    assert_eq!(wrong.len(), 1, "{findings:#?}");
    assert!(wrong[0].seen.starts_with(other.url()), "{wrong:?}");
    let right = findings.iter().find(|it| it.seen.starts_with(node.url())).unwrap();
    assert_eq!(right.verdict, Verdict::Ok, "{right:?}");
}
