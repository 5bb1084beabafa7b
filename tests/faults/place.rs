//! A place on the subnet: a hotkey is registered, and serves its axon. No row of the table; here is
//! what the scripted node's own rules, in the order of the chain's checks, make of those calls.

use std::net::SocketAddr;

use sn1::chain::node::registration::{balance, register};
use sn1_actors::domain::{BlockNumber, Netuid};
use sn1_actors::ports::{Chain, ChainError};

use crate::bench::{Bench, PATIENT, account, hotkey, keypair};
use crate::node::{AccountState, HUNG, Node, Subnet, World};
use crate::node_itself::small_subnet;

/// What comes of a call whose block comes as soon as it is in the pool.
async fn in_the_next_block<T>(bench: &Bench, node: &Node, call: impl Future<Output = T>) -> T {
    let pooled = async {
        node.until_pooled().await;
        node.grow();
    };
    let (outcome, ()) = tokio::join!(call, pooled);
    bench.until_block(node).await;
    outcome
}

#[test]
fn an_axon_is_published_once_and_another_address_when_the_chain_takes_it() {
    let subnet = Subnet { serving_rate_limit: 10, ..small_subnet() };
    Bench::connected(Node::start(subnet), PATIENT, async |bench, node| {
        let at = |port: u16| SocketAddr::from(([203, 0, 113, 9], port));
        in_the_next_block(bench, node, bench.chain.serve_axon(at(8091))).await.unwrap();
        bench.chain.serve_axon(at(8091)).await.unwrap();
        assert_eq!(node.look(World::submissions), 1, "the chain says so already");
        let moved = in_the_next_block(bench, node, bench.chain.serve_axon(at(8092))).await;
        // It is in block 2 and was refused there; block 11 is the first that is ten after block 1.
        assert_eq!(moved, Err(ChainError::TooSoon { wait: 8 }));
        node.grow_by(8);
        bench.until_block(node).await;
        in_the_next_block(bench, node, bench.chain.serve_axon(at(8092))).await.unwrap();
        let neurons = bench.chain.metagraph().await.unwrap().neurons;
        assert_eq!(neurons[0].axon, Some(at(8092)));
    });
}

#[test]
fn a_registration_burns_what_it_costs_once_and_says_why_not() {
    let mut subnet = small_subnet();
    let free = subnet.burn + subnet.burn / 2;
    subnet.accounts.insert(account(8), AccountState { nonce: 0, free });
    let left = free - subnet.burn;
    Bench::connected(Node::start(subnet), PATIENT, async |bench, node| {
        let session = bench.keeper.session().await.unwrap();
        let (payer, most) = (keypair(8), u64::MAX);
        let buy = |seed| register(&session, &payer, account(seed), Netuid(1), most, HUNG);
        let bought = in_the_next_block(bench, node, buy(4)).await;
        assert_eq!(bought, Ok(BlockNumber(1)));
        let neurons = bench.chain.metagraph().await.unwrap().neurons;
        assert_eq!((neurons.len(), &neurons[3].hotkey), (4, &hotkey(4)));
        assert_eq!(neurons[3].coldkey.as_str(), hotkey(8).as_str());
        for (seed, why) in [(4, "registered on the subnet already"), (5, "too little TAO")] {
            let refused = in_the_next_block(bench, node, buy(seed)).await;
            let Err(ChainError::Refused(said)) = refused else { panic!("{seed}: {refused:?}") };
            assert!(said.contains(why), "{said}");
        }
        let now = session.now().await.unwrap();
        assert_eq!(balance(&session, &now, account(8)).await.unwrap(), left);
    });
}
