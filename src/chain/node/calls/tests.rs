use std::path::PathBuf;
use std::sync::Arc;

use subxt::config::substrate::SpecVersionForRange;
use subxt::ext::codec::Decode;
use subxt::{OfflineClient, SubstrateConfig};

use super::*;

/// The main network's metadata of April 2026; none where the fixtures are not on this machine.
fn finney() -> Option<Arc<Metadata>> {
    let folder = std::env::var_os("TEST_FIXTURES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"),
        PathBuf::from,
    );
    let path = folder.join("chain/finney-393.scale");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    Some(Arc::new(Metadata::decode(&mut bytes.as_slice()).unwrap()))
}

/// A call's bytes as the runtime reads them, with the fields by their names.
fn read_back(metadata: &Arc<Metadata>, payload: &Payload) -> (String, Vec<(String, Value)>) {
    let spec =
        SpecVersionForRange { block_range: 0..u64::MAX, spec_version: 393, transaction_version: 1 };
    let config = SubstrateConfig::builder()
        .set_metadata_for_spec_versions([(393, Arc::clone(metadata))])
        .set_spec_version_for_block_ranges([spec])
        .build();
    let client = OfflineClient::new_with_config(config).at_block(0u64).unwrap();
    let bytes = client.tx().call_data(payload).unwrap();
    let read = client.tx().from_call_data_bytes(&bytes).unwrap();
    assert_eq!(read.pallet_name(), PALLET);
    let Composite::Named(fields) = read.call_data().clone() else { panic!("fields without names") };
    (read.call_name().to_owned(), fields)
}

/// All numbers in a value, from the first to the last, whatever they are wrapped in.
fn flat(value: &Value) -> Vec<u128> {
    use subxt::ext::scale_value::{Primitive, ValueDef};
    match &value.value {
        ValueDef::Primitive(Primitive::U128(number)) => vec![*number],
        ValueDef::Composite(inner) => inner.values().flat_map(flat).collect(),
        other => panic!("no number: {other:?}"),
    }
}

fn call() -> WeightsCall {
    WeightsCall {
        netuid: Netuid(1),
        uids: vec![Uid(3), Uid(4), Uid(700)],
        values: vec![65_535, 20_000, 1],
        version_key: 9_001_000,
    }
}

fn check(metadata: &Arc<Metadata>, payload: &Payload, name: &str, expected: &[(&str, Vec<u128>)]) {
    let (read, fields) = read_back(metadata, payload);
    assert_eq!(read, name);
    let mut found: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str(), flat(value))).collect();
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn todays_main_network_reads_every_weights_call_as_it_was_meant_in_both_forms() {
    let Some(metadata) = finney() else { return };
    let calls = Calls::new(&metadata, 393);
    let uids = || vec![3, 4, 700];
    let values = || vec![65_535, 20_000, 1];
    let hash: Vec<u128> = (0..32).collect();
    let bytes: [u8; 32] = std::array::from_fn(|n| n as u8);
    for (verb, fields, expected) in [
        (
            WeightsVerb::Set,
            set_fields(&call()),
            vec![("dests", uids()), ("weights", values()), ("version_key", vec![9_001_000])],
        ),
        (WeightsVerb::Commit, commit_fields(bytes), vec![("commit_hash", hash)]),
        (
            WeightsVerb::Reveal,
            reveal_fields(&call(), &[8, 7]),
            vec![
                ("uids", uids()),
                ("values", values()),
                ("salt", vec![8, 7]),
                ("version_key", vec![9_001_000]),
            ],
        ),
        (
            WeightsVerb::CommitTimelocked,
            timelocked_fields(&[1, 2, 255], 25_000_000, 4),
            vec![
                ("commit", vec![1, 2, 255]),
                ("reveal_round", vec![25_000_000]),
                ("commit_reveal_version", vec![4]),
            ],
        ),
    ] {
        let mut plain = expected.clone();
        plain.push(("netuid", vec![1]));
        let payload = calls.weights(verb, Netuid(1), fields.clone()).unwrap();
        check(&metadata, &payload, verb.name(Form::Plain), &plain);
        let mut mechanism = plain;
        mechanism.push(("mecid", vec![0]));
        let payload = calls.weights_as(verb, Form::Mechanism, Netuid(1), fields).unwrap();
        check(&metadata, &payload, verb.name(Form::Mechanism), &mechanism);
    }
}

#[test]
fn the_public_calls_are_those_forms() {
    let Some(metadata) = finney() else { return };
    let calls = Calls::new(&metadata, 393);
    for (payload, verb) in [
        (calls.set_weights(&call()).unwrap(), WeightsVerb::Set),
        (calls.commit_weights(Netuid(1), [7; 32]).unwrap(), WeightsVerb::Commit),
        (calls.reveal_weights(&call(), &[1]).unwrap(), WeightsVerb::Reveal),
        (
            calls.commit_timelocked_weights(Netuid(1), &[0; 900], 5, 4).unwrap(),
            WeightsVerb::CommitTimelocked,
        ),
    ] {
        assert_eq!(read_back(&metadata, &payload).0, verb.name(Form::Plain));
    }
}

#[test]
fn todays_main_network_reads_an_axon_of_either_kind() {
    let Some(metadata) = finney() else { return };
    let calls = Calls::new(&metadata, 393);
    for (address, ip, kind) in [
        ("203.0.113.9:8091", 0xcb00_7109, 4),
        ("[2001:db8::1]:8091", 0x2001_0db8_0000_0000_0000_0000_0000_0001, 6),
    ] {
        let payload = calls.serve_axon(Netuid(18), address.parse().unwrap(), 10_005_000).unwrap();
        let expected = [
            ("netuid", vec![18]),
            ("version", vec![10_005_000]),
            ("ip", vec![ip]),
            ("port", vec![8_091]),
            ("ip_type", vec![kind]),
            ("protocol", vec![4]),
            ("placeholder1", vec![0]),
            ("placeholder2", vec![0]),
        ];
        check(&metadata, &payload, "serve_axon", &expected);
    }
}

#[test]
fn todays_main_network_reads_a_registration() {
    let Some(metadata) = finney() else { return };
    let calls = Calls::new(&metadata, 393);
    let payload = calls.register(Netuid(1), [9; 32], 1_500_000_000).unwrap();
    let expected = [("netuid", vec![1]), ("hotkey", vec![9; 32])];
    check(&metadata, &payload, "burned_register", &expected);
}

#[test]
fn a_call_or_a_field_that_a_runtime_lacks_is_named_and_not_signed() {
    let Some(metadata) = finney() else { return };
    let calls = Calls::new(&metadata, 393);
    for (call, fields, item) in [
        ("set_wishes", vec![], "SubtensorModule.set_wishes"),
        (
            "burned_register",
            vec![("netuid", number(1u8)), ("hotkey", number(1u8)), ("tip", number(1u8))],
            "SubtensorModule.burned_register.tip",
        ),
        (
            "burned_register",
            vec![("netuid", number(1u8))],
            "SubtensorModule.burned_register without a field `hotkey`",
        ),
    ] {
        let error = calls.call(call, fields).unwrap_err();
        assert_eq!(error, Failure::Missing { spec: 393, item: item.into() });
    }
}
