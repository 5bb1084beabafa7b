use parity_scale_codec::Decode;
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use subxt::ext::scale_value::Value;
use subxt::metadata::Metadata;

use super::*;
use crate::chain::node::testkit::{BLOCK, FakeNode, encode, mainnet};
use crate::chain::node::{probe, rules};

const NETUID: Netuid = Netuid(1);

fn account(n: u16) -> [u8; 32] {
    let mut account = [7; 32];
    account[..2].copy_from_slice(&n.to_be_bytes());
    account
}

fn axon(ip: u128, ip_type: u8, port: u16) -> Value {
    let number = |n: u128| Value::u128(n);
    Value::named_composite([
        ("block", number(5)),
        ("version", number(1)),
        ("ip", number(ip)),
        ("port", number(port.into())),
        ("ip_type", number(ip_type.into())),
        ("protocol", number(4)),
        ("placeholder1", number(0)),
        ("placeholder2", number(0)),
    ])
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Value {
    Value::unnamed_composite(numbers.into_iter().map(|n| Value::u128(n.into())))
}

fn accounts(numbers: impl IntoIterator<Item = u16>) -> Value {
    Value::unnamed_composite(numbers.into_iter().map(|n| Value::from_bytes(account(n))))
}

/// Some value of a type: zeros, nothing and empty lists, but for the fields that are given.
fn some(types: &PortableRegistry, id: u32, given: &[(&str, Value)]) -> Value {
    let all =
        |ids: Vec<u32>| Value::unnamed_composite(ids.into_iter().map(|id| some(types, id, &[])));
    match &types.resolve(id).unwrap().type_def {
        TypeDef::Composite(of) if of.fields.iter().all(|field| field.name.is_some()) => {
            Value::named_composite(of.fields.iter().map(|field| {
                let name = field.name.as_deref().unwrap();
                let value = given.iter().find(|(known, _)| *known == name);
                let value = value.map(|(_, value)| value.clone());
                (name, value.unwrap_or_else(|| some(types, field.ty.id, &[])))
            }))
        }
        TypeDef::Composite(of) => all(of.fields.iter().map(|field| field.ty.id).collect()),
        TypeDef::Tuple(of) => all(of.fields.iter().map(|field| field.id).collect()),
        TypeDef::Array(of) => all(vec![of.type_param.id; of.len as usize]),
        TypeDef::Sequence(_) => Value::unnamed_composite([]),
        TypeDef::Compact(of) => some(types, of.type_param.id, &[]),
        TypeDef::Primitive(TypeDefPrimitive::Bool) => Value::bool(false),
        TypeDef::Primitive(TypeDefPrimitive::I128) => Value::i128(0),
        TypeDef::Primitive(_) => Value::u128(0),
        TypeDef::Variant(of) => {
            let first = of.variants.first().unwrap();
            Value::unnamed_variant(first.name.clone(), [])
        }
        TypeDef::BitSequence(_) => panic!("no bits are expected"),
    }
}

/// The type of the call's answer, and that of the metagraph in it.
fn answer_types(metadata: &Metadata) -> (u32, u32) {
    let api = metadata.runtime_api_trait_by_name(API).unwrap();
    let option = api.method_by_name(METHOD).unwrap().output_ty();
    let inner = metadata.types().resolve(option).unwrap().type_params[0].ty.unwrap();
    (option, inner.id)
}

/// An answer of three neurons, with changes.
fn typed_answer(metadata: &Metadata, changes: &[(&str, Value)]) -> Vec<u8> {
    let (option, metagraph) = answer_types(metadata);
    let axons = [axon(0x7f00_0002, 4, 8_091), axon(1, 6, 80), axon(0, 0, 0)];
    let mut fields = vec![
        ("num_uids", Value::u128(3)),
        ("hotkeys", accounts([1, 2, 3])),
        ("coldkeys", accounts([11, 12, 13])),
        ("axons", Value::unnamed_composite(axons)),
        ("validator_permit", Value::unnamed_composite([Value::bool(true)])),
        ("last_update", numbers([0, 77])),
        ("incentives", numbers([0, 65_535, 13_107])),
        ("total_stake", numbers([5_000_000_000, 1, 0])),
    ];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend_from_slice(changes);
    let value = some(metadata.types(), metagraph, &fields);
    encode(metadata, option, &Value::unnamed_variant("Some", [value]))
}

fn decoded(metadata: &Metadata, bytes: &[u8]) -> Result<Metagraph, Failure> {
    let answer = typed::decode(metadata, bytes)?.unwrap();
    typed::columns(answer)?.assemble(NETUID, BlockNumber(BLOCK))
}

fn assert_is_the_answer(metagraph: &Metagraph) {
    let [first, second, third] = metagraph.neurons.as_slice() else { panic!("{metagraph:?}") };
    assert_eq!(first.hotkey.as_str(), AccountId32(account(1)).to_string());
    assert_eq!(first.coldkey.as_str(), AccountId32(account(11)).to_string());
    assert_eq!(first.axon, Some("127.0.0.2:8091".parse().unwrap()));
    assert_eq!(second.axon, Some("[::1]:80".parse().unwrap()));
    assert_eq!(third.axon, None);
    assert_eq!((first.stake, second.stake), (Tao(5.0), Tao(1e-9)));
    assert_eq!((first.incentive, second.incentive, third.incentive), (0.0, 1.0, 0.2));
    // What was never set is not in the vectors.
    assert_eq!([first, second, third].map(|n| n.validator_permit), [true, false, false]);
    assert_eq!([first, second, third].map(|n| n.last_update.0), [0, 77, 0]);
}

#[test]
fn decodes_the_typed_answer_whatever_the_order_of_its_fields() {
    let Some(bytes) = mainnet() else { return };
    let mut metadata = Metadata::decode(&mut bytes.as_slice()).unwrap();
    assert!(typed::is_there(&metadata));
    let usual = typed_answer(&metadata, &[]);
    assert_is_the_answer(&decoded(&metadata, &usual).unwrap());
    let (_, metagraph) = answer_types(&metadata);
    for path in [metagraph, axon_type(&metadata, metagraph)] {
        let types = &mut metadata.types_mut().types;
        let ty = types.iter_mut().find(|ty| ty.id == path).unwrap();
        let TypeDef::Composite(fields) = &mut ty.ty.type_def else { panic!("{ty:?}") };
        fields.fields.reverse();
    }
    let reversed = typed_answer(&metadata, &[]);
    assert_ne!(usual, reversed);
    assert_is_the_answer(&decoded(&metadata, &reversed).unwrap());
}

fn axon_type(metadata: &Metadata, metagraph: u32) -> u32 {
    let TypeDef::Composite(of) = &metadata.types().resolve(metagraph).unwrap().type_def else {
        panic!("no struct")
    };
    let axons = of.fields.iter().find(|field| field.name.as_deref() == Some("axons")).unwrap();
    let TypeDef::Sequence(of) = &metadata.types().resolve(axons.ty.id).unwrap().type_def else {
        panic!("no list")
    };
    of.type_param.id
}

#[test]
fn refuses_a_typed_answer_that_does_not_fit_together() {
    let Some(bytes) = mainnet() else { return };
    let metadata = Metadata::decode(&mut bytes.as_slice()).unwrap();
    for change in [
        ("num_uids", Value::u128(4)),
        ("hotkeys", accounts([1, 2, 1])),
        (
            "hotkeys",
            Value::unnamed_composite([account(1), [0; 32], account(3)].map(Value::from_bytes)),
        ),
        ("coldkeys", accounts([11, 12])),
        ("axons", Value::unnamed_composite([])),
        ("total_stake", numbers([1])),
    ] {
        let bytes = typed_answer(&metadata, std::slice::from_ref(&change));
        let refused = decoded(&metadata, &bytes);
        assert!(matches!(refused, Err(Failure::Garbled { .. })), "{change:?}: {refused:?}");
    }
    let whole = typed_answer(&metadata, &[]);
    for end in [0, 1, whole.len() / 2, whole.len() - 1] {
        assert!(typed::decode(&metadata, &whole[..end]).is_err(), "{end}");
    }
    assert!(typed::decode(&metadata, &[whole.as_slice(), &[0]].concat()).is_err());
}

#[tokio::test]
async fn asks_the_runtime_where_it_has_the_call() {
    let Some(bytes) = mainnet() else { return };
    let node = FakeNode::new(bytes);
    let session = node.session().await;
    let at = session.now().await.unwrap();
    node.answer_call("SubnetInfoRuntimeApi_get_metagraph", &typed_answer(at.metadata_ref(), &[]));
    let before = node.requests();
    let metagraph = read(&session, NETUID).await.unwrap();
    assert_is_the_answer(&metagraph);
    assert_eq!((metagraph.netuid, metagraph.block), (NETUID, BlockNumber(BLOCK)));
    assert_eq!(node.requests() - before, 4, "the head, its header and version, the metagraph");
    node.answer_call("SubnetInfoRuntimeApi_get_metagraph", &[0]);
    let refused = read(&session, NETUID).await.unwrap_err();
    assert!(refused.to_string().contains("no subnet 1"), "{refused}");
}

/// A subnet of so many neurons in storage.
fn store(node: &FakeNode, at: &At, n: u16) {
    let subnet = || storage::number(NETUID.0);
    let whole = |name| Item::new(name, [subnet()]);
    node.store(at, &whole("NetworksAdded"), &Value::bool(true));
    node.store(at, &whole("SubnetworkN"), &Value::u128(n.into()));
    node.store(at, &whole("LastUpdate"), &numbers([0, 77]));
    for uid in 0..n {
        let hotkey = || Value::from_bytes(account(uid));
        let keys = Item::new("Keys", [subnet(), storage::number(uid)]);
        node.store(at, &keys, &hotkey());
        node.store(at, &uids(uid), &Value::u128(uid.into()));
        node.store(at, &Item::new("Owner", [hotkey()]), &Value::from_bytes(account(5_000)));
        let stake = Item::new("TotalHotkeyAlpha", [hotkey(), subnet()]);
        node.store(at, &stake, &Value::u128(u128::from(uid) * 1_000_000_000));
        if uid % 2 == 0 {
            let axons = Item::new("Axons", [subnet(), hotkey()]);
            node.store(at, &axons, &axon(0x0a00_0000 + u128::from(uid), 4, 8_091));
        }
    }
}

fn uids(uid: u16) -> Item {
    Item::new("Uids", [storage::number(NETUID.0), Value::from_bytes(account(uid))])
}

#[tokio::test]
async fn reads_256_neurons_out_of_storage_in_few_requests() {
    let Some(bytes) = mainnet() else { return };
    let node = FakeNode::new(bytes);
    let session = node.session().await;
    let at = session.now().await.unwrap();
    store(&node, &at, 256);
    let before = node.requests();
    let columns = stored::read(&session, &at, NETUID).await.unwrap();
    let metagraph = columns.assemble(NETUID, BlockNumber(BLOCK)).unwrap();
    let weights = weights_at(&session, &at, &metagraph).await.unwrap();
    let requests = node.requests() - before;
    assert!(requests <= 20, "{requests} requests");
    println!("256 neurons and their weights: {requests} requests");
    assert_eq!(metagraph.neurons.len(), 256);
    let (even, odd) = (&metagraph.neurons[254], &metagraph.neurons[255]);
    assert_eq!(even.axon, Some("10.0.0.254:8091".parse().unwrap()));
    assert_eq!(odd.axon, None);
    assert_eq!((even.stake, odd.stake), (Tao(254.0), Tao(255.0)));
    assert_eq!(odd.coldkey.as_str(), AccountId32(account(5_000)).to_string());
    assert_eq!(metagraph.neurons[1].last_update, BlockNumber(77));
    assert!(weights.is_empty());
}

#[tokio::test]
async fn refuses_storage_that_does_not_fit_together() {
    let Some(bytes) = mainnet() else { return };
    let node = FakeNode::new(bytes);
    let session = node.session().await;
    let at = session.now().await.unwrap();
    let unknown = stored::read(&session, &at, NETUID).await.err().unwrap();
    assert!(unknown.to_string().contains("no subnet 1"), "{unknown}");
    store(&node, &at, 3);
    node.store(&at, &uids(1), &Value::u128(2));
    assert!(matches!(stored::read(&session, &at, NETUID).await, Err(Failure::Garbled { .. })));
    node.forget(&at, &uids(1));
    assert!(matches!(stored::read(&session, &at, NETUID).await, Err(Failure::Garbled { .. })));
    node.store(&at, &uids(1), &Value::u128(1));
    assert!(stored::read(&session, &at, NETUID).await.is_ok());
    node.leave_out(&at, &uids(1));
    assert!(matches!(stored::read(&session, &at, NETUID).await, Err(Failure::Garbled { .. })));
    let many = Item::new("SubnetworkN", [storage::number(NETUID.0)]);
    node.store(&at, &many, &Value::u128(4_097));
    assert!(matches!(stored::read(&session, &at, NETUID).await, Err(Failure::Garbled { .. })));
}

#[tokio::test]
async fn reads_who_gave_whom_which_weight() {
    let Some(bytes) = mainnet() else { return };
    let node = FakeNode::new(bytes);
    let session = node.session().await;
    let at = session.now().await.unwrap();
    store(&node, &at, 4);
    let set = Item::new("Weights", [storage::number(1_u16), storage::number(2_u16)]);
    let pairs = [numbers([0, 65_535]), numbers([3, 20_000])];
    node.store(&at, &set, &Value::unnamed_composite(pairs));
    let columns = stored::read(&session, &at, NETUID).await.unwrap();
    let metagraph = columns.assemble(NETUID, BlockNumber(BLOCK)).unwrap();
    let weights = weights_at(&session, &at, &metagraph).await.unwrap();
    let expected = SetWeights { from: Uid(2), weights: vec![(Uid(0), 65_535), (Uid(3), 20_000)] };
    assert_eq!(weights, [expected]);
}

#[tokio::test]
async fn rules_that_are_not_set_are_the_runtimes_defaults() {
    let Some(bytes) = mainnet() else { return };
    let node = FakeNode::new(bytes);
    let session = node.session().await;
    let at = session.now().await.unwrap();
    let subnet = |name| Item::new(name, [storage::number(NETUID.0)]);
    node.store(&at, &subnet("Tempo"), &Value::u128(99));
    node.store(&at, &subnet("WeightsSetRateLimit"), &Value::u128(100));
    node.store(&at, &subnet("CommitRevealWeightsEnabled"), &Value::bool(true));
    let before = node.requests();
    let rules = rules::read(&session, NETUID).await.unwrap();
    assert_eq!(node.requests() - before, 4, "the head, its header and version, all the rules");
    assert_eq!((rules.weights.tempo, rules.weights.weights_rate_limit), (99, 100));
    assert!(rules.commit_reveal.enabled);
    assert_eq!((rules.commit_reveal.version, rules.commit_reveal.period_epochs), (4, 1));
    assert_eq!(rules.weights.max_weight_limit, 65_535);
    node.store(&at, &Item::new("CommitRevealWeightsVersion", []), &Value::u128(3));
    assert_eq!(rules::read(&session, NETUID).await.unwrap().commit_reveal.version, 3);
}

#[test]
fn an_axon_is_where_something_can_be_reached() {
    let address = |ip, ip_type, port| AxonInfo { ip, port, ip_type }.address();
    assert_eq!(address(0x0102_0304, 4, 80), Some("1.2.3.4:80".parse().unwrap()));
    assert_eq!(address(1 << 64, 6, 80), Some("[0:0:0:1::]:80".parse().unwrap()));
    for (ip, ip_type, port) in [(0, 4, 80), (0, 6, 80), (1, 4, 0), (1 << 32, 4, 80), (1, 0, 80)] {
        assert_eq!(address(ip, ip_type, port), None, "{ip} {ip_type} {port}");
    }
}

#[test]
fn mainnet_has_what_the_probe_looks_for() {
    let Some(bytes) = mainnet() else { return };
    let metadata = Metadata::decode(&mut bytes.as_slice()).unwrap();
    let items = probe::items(&metadata);
    let present = |name: &str| items.iter().find(|item| item.name == name).unwrap().present;
    for name in [
        "SubtensorModule.set_weights",
        "SubtensorModule.commit_timelocked_weights",
        "SubtensorModule.CommitRevealWeightsVersion",
        "SubtensorModule.TotalHotkeyAlpha",
        "SubnetInfoRuntimeApi.get_metagraph",
        "Timestamp.MinimumPeriod",
    ] {
        assert!(present(name), "{name}");
    }
    // Gone since 2024.
    assert!(!present("SubtensorModule.TotalHotkeyStake"));
}
