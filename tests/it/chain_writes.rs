//! What the chain client writes, on a real runtime: `TEST_CHAIN=ws://…` names a node that makes a
//! block for each transaction (`start.mjs` without `--block-time`), seeded with two validators and
//! three miners on subnet 1, with `//Alice` as sudo. `scripts/test-chain.sh` starts it.
//!
//! The chain is one and remembers, so the steps are one test, in order.

#![expect(clippy::panic, reason = "a step that cannot go on fails its test")]

use std::time::Duration;

use sn1::chain::node::calls::{Calls, Payload};
use sn1::chain::node::neuron;
use sn1::chain::node::registration;
use sn1::chain::node::search::look_for;
use sn1::chain::node::session::{At, Session};
use sn1::chain::node::signer::account;
use sn1::chain::node::submit::Sender;
use sn1::chain::node::weights::{prepare_weights, reveal_weights, same_weights, submit_weights};
use sn1::wire::Keypair;
use sn1_actors::domain::{BlockNumber, Netuid, Uid};
use sn1_actors::ports::{
    ChainError, Inclusion, PendingReveal, PreparedWeights, SignedCall, WeightsCall, WeightsWay,
};
use subxt::dynamic::Value;
use subxt::ext::scale_value::Composite;
use subxt::rpcs::{RpcClient, rpc_params};

const SUBNET: Netuid = Netuid(1);
const LONG: Duration = Duration::from_secs(60);
const SALT: [u16; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

struct Real {
    session: Session,
    raw: RpcClient,
    spec: u32,
    validator: Keypair,
}

#[tokio::test]
async fn a_real_runtime_takes_what_we_write_and_we_name_what_it_refuses() {
    let Ok(url) = std::env::var("TEST_CHAIN") else {
        eprintln!("skipped: TEST_CHAIN names no node");
        return;
    };
    let session = Session::open(&url, LONG).await.unwrap();
    let raw = RpcClient::from_insecure_url(&url).await.unwrap();
    let spec = session.now().await.unwrap().spec_version();
    let real = Real { session, raw, spec, validator: key("//Validator0//hot") };
    real.ease().await;
    real.plain_weights().await;
    println!("ok: plain weights are read back as they were set");
    real.sightings().await;
    println!("ok: a transaction is found wherever it is");
    real.refused_weights().await;
    println!("ok: each refusal of weights has its name");
    real.axons().await;
    println!("ok: an axon is served");
    real.registrations().await;
    println!("ok: a hotkey is registered");
    real.commits().await;
    println!("ok: commits are revealed, or refused by name");
    real.ease().await;
}

fn key(uri: &str) -> Keypair {
    Keypair::from_dev_uri(uri).unwrap()
}

/// Whether the chain refused for the reason that has this name.
fn refused(outcome: Result<BlockNumber, ChainError>, name: &str) {
    match outcome {
        Err(ChainError::Refused(why) | ChainError::TooLate(why)) if why.contains(name) => {}
        other => panic!("{name} expected, found {other:?}"),
    }
}

/// Whether the chain refused what was right when it was signed.
fn outdated(outcome: Result<BlockNumber, ChainError>, name: &str) {
    match outcome {
        Err(ChainError::Outdated(why)) if why.contains(name) => {}
        other => panic!("{name} expected, found {other:?}"),
    }
}

impl Real {
    /// No limits, as every step expects.
    async fn ease(&self) {
        for (call, value) in [
            ("sudo_set_weights_version_key", Value::u128(0)),
            ("sudo_set_weights_set_rate_limit", Value::u128(0)),
            ("sudo_set_serving_rate_limit", Value::u128(0)),
        ] {
            self.sudo(call, value).await;
        }
        if self.spec > 143 {
            self.sudo("sudo_set_commit_reveal_weights_enabled", Value::bool(false)).await;
        }
    }

    async fn plain_weights(&self) {
        let call = self.call().await;
        let prepared = self.prepare(&call).await.unwrap();
        assert_eq!(prepared.way, WeightsWay::Plain);
        let signed = prepared.signed.unwrap();
        let block = self.send(&call, &signed).await.unwrap();
        assert!(signed.birth <= block && block < signed.death && signed.death <= signed.epoch_end);
        assert!(self.on_chain(&call).await);
        let at = self.at().await;
        let uid = self.uid(&self.validator).await.unwrap();
        let last = neuron::last_update(&self.session, &at, SUBNET, uid).await.unwrap();
        assert_eq!(last, Some(block));
    }

    async fn sightings(&self) {
        let call = self.call().await;
        let sight = async |signed: &SignedCall| {
            let found = look_for(&self.session, signed, &account(&self.validator)).await.unwrap();
            found.sighting.inclusion
        };
        // Two with one nonce: the first to be sent overtakes the other.
        let signed = self.prepare(&call).await.unwrap().signed.unwrap();
        let rival = self.prepare(&call).await.unwrap().signed.unwrap();
        assert_eq!(signed.nonce, rival.nonce);
        assert_ne!(signed.extrinsic, rival.extrinsic);
        assert_eq!(sight(&signed).await, Inclusion::NotYet);
        let block = self.send(&call, &signed).await.unwrap();
        self.grow(3).await;
        assert_eq!(sight(&signed).await, Inclusion::Included(block));
        assert_eq!(sight(&rival).await, Inclusion::Overtaken);
        for late in [&signed, &rival] {
            let outcome = self.send(&call, late).await;
            assert!(matches!(outcome, Err(ChainError::Outdated(_))), "{outcome:?}");
        }
        // One that outlives its era.
        let mortal = self.prepare(&call).await.unwrap().signed.unwrap();
        self.grow(20).await;
        let outcome = self.send(&call, &mortal).await;
        assert!(matches!(outcome, Err(ChainError::Outdated(_))), "{outcome:?}");
        assert_eq!(sight(&mortal).await, Inclusion::NotYet);
        // One that fails in its block.
        let twice = WeightsCall { uids: vec![Uid(3), Uid(3)], values: vec![1, 2], ..call };
        let failing = self.prepare(&twice).await.unwrap().signed.unwrap();
        refused(self.send(&twice, &failing).await, "DuplicateUids");
        self.grow(1).await;
        assert_eq!(sight(&failing).await, Inclusion::Failed);
    }

    async fn refused_weights(&self) {
        let call = self.call().await;
        let stranger = key("//Bob");
        let outcome = self.direct(&stranger, |calls| calls.set_weights(&call).unwrap()).await;
        assert_eq!(outcome, Err(ChainError::NotRegistered(stranger.hotkey())));
        let prepared = prepare_weights(&self.session, &stranger, &call, SALT).await;
        assert_eq!(prepared, Err(ChainError::NotRegistered(stranger.hotkey())));

        let set = async |change: &dyn Fn(&mut WeightsCall)| {
            let mut call = call.clone();
            change(&mut call);
            self.direct(&self.validator, move |calls| calls.set_weights(&call).unwrap()).await
        };
        refused(set(&|call| call.uids[0] = Uid(99)).await, "no neuron's");
        refused(set(&|call| call.uids[1] = call.uids[0]).await, "DuplicateUids");
        refused(set(&|call| call.values = vec![1]).await, "WeightVecNotEqualSize");
        let crowd = |call: &mut WeightsCall| {
            call.uids = (0..50).map(Uid).collect();
            call.values = vec![1; 50];
        };
        refused(set(&crowd).await, "more weights than neurons");
        refused(set(&|call| call.netuid = Netuid(77)).await, "no such subnet");

        self.sudo("sudo_set_weights_version_key", Value::u128(5)).await;
        refused(set(&|call| call.version_key = 4).await, "newer version of the program");
        self.sudo("sudo_set_weights_version_key", Value::u128(0)).await;

        self.sudo("sudo_set_min_allowed_weights", Value::u128(4)).await;
        refused(set(&|_| {}).await, "MinAllowedWeights");
        self.sudo("sudo_set_min_allowed_weights", Value::u128(1)).await;

        self.sudo("sudo_set_max_weight_limit", Value::u128(30_000)).await;
        refused(set(&|_| {}).await, "MaxWeightsLimit");
        self.sudo("sudo_set_max_weight_limit", Value::u128(65_535)).await;

        let miner = key("//Miner0//hot");
        if self.spec < 218 {
            // Runtime 218's epoch permits everybody.
            let outcome = self.direct(&miner, |calls| calls.set_weights(&call).unwrap()).await;
            assert_eq!(outcome, Err(ChainError::NoPermit(miner.hotkey())));
        }

        let block = set(&|_| {}).await.unwrap();
        self.sudo("sudo_set_weights_set_rate_limit", Value::u128(12)).await;
        let outcome = set(&|_| {}).await;
        // What is left of the twelve when the block after the refusal is made.
        let head = self.at().await.block_number();
        let wait = block.0 + 12 - (head + 1);
        assert_eq!(outcome, Err(ChainError::TooSoon { wait }));
        assert_eq!(self.prepare(&call).await.unwrap_err(), ChainError::TooSoon { wait });
        self.grow(wait).await;
        let signed = self.prepare(&call).await.unwrap().signed.unwrap();
        self.send(&call, &signed).await.unwrap();
        self.sudo("sudo_set_weights_set_rate_limit", Value::u128(0)).await;
    }

    async fn axons(&self) {
        let miner = key("//Miner0//hot");
        let serve = async |address: &str| {
            let address = address.parse().unwrap();
            neuron::serve_axon(&self.session, &miner, SUBNET, address, LONG).await
        };
        serve("127.0.0.3:9000").await.unwrap();
        let head = self.at().await.block_number();
        serve("127.0.0.3:9000").await.unwrap();
        assert_eq!(self.at().await.block_number(), head, "what is published is not sent again");
        serve("[2001:db8::7]:9000").await.unwrap();
        for (address, name) in
            [("127.0.0.1:9000", "no such address"), ("0.0.0.0:9000", "no such address")]
        {
            refused(serve(address).await.map(|()| BlockNumber(0)), name);
        }
        self.sudo("sudo_set_serving_rate_limit", Value::u128(50)).await;
        match serve("127.0.0.4:9000").await {
            Err(ChainError::TooSoon { wait: 1..=50 }) => {}
            other => panic!("too soon expected, found {other:?}"),
        }
        self.sudo("sudo_set_serving_rate_limit", Value::u128(0)).await;
        let stranger = key("//Bob");
        let outcome = neuron::serve_axon(
            &self.session,
            &stranger,
            SUBNET,
            "127.0.0.3:9".parse().unwrap(),
            LONG,
        );
        assert_eq!(outcome.await, Err(ChainError::NotRegistered(stranger.hotkey())));
    }

    async fn registrations(&self) {
        let cold = key("//Alice");
        let fresh = key(&format!("//fresh//{}", self.at().await.block_number()));
        assert_eq!(self.uid(&fresh).await, None);
        let at = self.at().await;
        let cost = registration::cost(&self.session, &at, SUBNET).await.unwrap();
        let before = registration::balance(&self.session, &at, cold.public()).await.unwrap();
        let register = async |hotkey: &Keypair| {
            let hotkey = hotkey.public();
            registration::register(&self.session, &cold, hotkey, SUBNET, u64::MAX, LONG).await
        };
        register(&fresh).await.unwrap();
        assert!(self.uid(&fresh).await.is_some());
        let at = self.at().await;
        let after = registration::balance(&self.session, &at, cold.public()).await.unwrap();
        assert!(before - after >= cost, "{before} - {after} < {cost}");
        refused(register(&fresh).await, "registered on the subnet already");
        let poor = key("//nobody");
        let outcome = registration::register(
            &self.session,
            &poor,
            key("//nobody//hot").public(),
            SUBNET,
            u64::MAX,
            LONG,
        );
        let outcome = outcome.await;
        assert!(matches!(outcome, Err(ChainError::Refused(_))), "{outcome:?}");
    }

    async fn commits(&self) {
        if self.spec == 143 {
            return;
        }
        self.sudo("sudo_set_commit_reveal_weights_enabled", Value::bool(true)).await;
        let call = self.call().await;
        if self.spec < 218 {
            let why = self.prepare(&call).await.unwrap_err().to_string();
            assert!(why.contains("neither timelocked commits nor commits"), "{why}");
            return;
        }
        let plain = self.direct(&self.validator, |calls| calls.set_weights(&call).unwrap()).await;
        outdated(plain, "CommitRevealEnabled");

        let call = WeightsCall { values: vec![20_000, 65_535], ..call };
        let reveal = self.commit(&call).await;
        assert!(!self.on_chain(&call).await);
        let wait = match self.reveal(&reveal).await {
            Err(ChainError::TooSoon { wait }) => wait,
            other => panic!("too soon expected, found {other:?}"),
        };
        let early =
            |calls: &Calls<'_>| calls.reveal_weights(&call, &reveal.commitment.salt).unwrap();
        let outcome = self.direct(&self.validator, early).await;
        assert!(matches!(outcome, Err(ChainError::TooSoon { .. })), "{outcome:?}");
        // The refused reveal was a block, and one before the window it is still too soon.
        self.grow(wait - 2).await;
        assert_eq!(self.reveal(&reveal).await, Err(ChainError::TooSoon { wait: 1 }));
        self.grow(1).await;
        let mut forged = reveal.clone();
        forged.commitment.salt = vec![9];
        refused(self.reveal(&forged).await, "no such commit");
        let wrong =
            self.direct(&self.validator, |calls| calls.reveal_weights(&call, &[9]).unwrap());
        refused(wrong.await, "InvalidRevealCommitHashNotMatch");
        self.sudo("sudo_set_commit_reveal_weights_enabled", Value::bool(false)).await;
        refused(self.reveal(&reveal).await, "takes no commits any more");
        self.sudo("sudo_set_commit_reveal_weights_enabled", Value::bool(true)).await;
        let block = self.reveal(&reveal).await.unwrap();
        assert!(self.on_chain(&call).await);
        // A reveal whose outcome got lost is made again, and finds its weights there.
        assert!(self.reveal(&reveal).await.unwrap() >= block);

        let call = WeightsCall { values: vec![65_535, 11], ..call };
        let expired = self.commit(&call).await;
        self.grow(33).await;
        refused(self.reveal(&expired).await, "has passed");
        let outcome = self.direct(&self.validator, |calls| {
            calls.reveal_weights(&call, &expired.commitment.salt).unwrap()
        });
        refused(outcome.await, "ExpiredWeightCommit");
        assert!(!self.on_chain(&call).await);
        self.sudo("sudo_set_commit_reveal_weights_enabled", Value::bool(false)).await;
        outdated(
            self.direct(&self.validator, |calls| calls.commit_weights(SUBNET, [0; 32]).unwrap())
                .await,
            "CommitRevealDisabled",
        );
    }

    async fn commit(&self, call: &WeightsCall) -> PendingReveal {
        let prepared = self.prepare(call).await.unwrap();
        let WeightsWay::Commit(commitment) = prepared.way else { panic!("no commit") };
        let committed = self.send(call, &prepared.signed.unwrap()).await.unwrap();
        PendingReveal { call: call.clone(), commitment, committed }
    }

    async fn reveal(&self, reveal: &PendingReveal) -> Result<BlockNumber, ChainError> {
        reveal_weights(&self.session, &self.validator, reveal, LONG).await
    }

    /// Weights for the first two miners.
    async fn call(&self) -> WeightsCall {
        let mut uids = Vec::new();
        for miner in ["//Miner0//hot", "//Miner1//hot"] {
            uids.push(self.uid(&key(miner)).await.unwrap());
        }
        WeightsCall { netuid: SUBNET, uids, values: vec![65_535, 20_000], version_key: 0 }
    }

    async fn prepare(&self, call: &WeightsCall) -> Result<PreparedWeights, ChainError> {
        prepare_weights(&self.session, &self.validator, call, SALT).await
    }

    async fn send(
        &self,
        call: &WeightsCall,
        signed: &SignedCall,
    ) -> Result<BlockNumber, ChainError> {
        submit_weights(&self.session, &self.validator, call, signed, LONG).await
    }

    async fn on_chain(&self, call: &WeightsCall) -> bool {
        let uid = self.uid(&self.validator).await.unwrap();
        let there = neuron::weights(&self.session, &self.at().await, SUBNET, uid).await.unwrap();
        same_weights(&there, call)
    }

    async fn uid(&self, key: &Keypair) -> Option<Uid> {
        neuron::uid(&self.session, &self.at().await, SUBNET, key.public()).await.unwrap()
    }

    async fn at(&self) -> At {
        self.session.now().await.unwrap()
    }

    /// Signs and sends a call past all our own checks.
    async fn direct(
        &self,
        key: &Keypair,
        call: impl FnOnce(&Calls<'_>) -> Payload,
    ) -> Result<BlockNumber, ChainError> {
        let at = self.at().await;
        let payload = call(&Calls::of(&at));
        let session = &self.session;
        Sender { session, key, netuid: SUBNET, deadline: LONG }.sign_and_send(&at, &payload).await
    }

    async fn sudo(&self, call: &str, value: Value) {
        let values = Composite::unnamed([Value::u128(SUBNET.0.into()), value]);
        let call = subxt::dynamic::tx("AdminUtils", call, values).into_value();
        let sudo = subxt::dynamic::tx("Sudo", "sudo", Composite::named([("call", call)]));
        self.direct(&key("//Alice"), |_| sudo).await.unwrap();
    }

    async fn grow(&self, blocks: u64) {
        for _ in 0..blocks {
            let one = serde_json::json!({ "count": 1 });
            let _: serde_json::Value =
                self.raw.request("dev_newBlock", rpc_params![one]).await.unwrap();
        }
    }
}
