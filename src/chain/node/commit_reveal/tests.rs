use sn1_actors::domain::Uid;

use super::*;
use crate::wire::Keypair;

const FIXED: Schedule = Schedule::Fixed { netuid: Netuid(1), tempo: 10 };

#[test]
fn a_commit_is_revealed_in_its_epoch_and_in_no_other() {
    // Epochs begin at 9, 20, 31, 42; a commit in block 12 is of the second.
    let epoch = FIXED.epoch(BlockNumber(12));
    let window = |head| window(&FIXED, epoch, 1, BlockNumber(head));
    assert_eq!(window(12), Window::Opens(7));
    assert_eq!(window(18), Window::Opens(1));
    assert_eq!(window(19), Window::Open);
    assert_eq!(window(29), Window::Open);
    assert_eq!(window(30), Window::Closed);
}

/// From polkadot-js: `blake2AsHex` of the same tuple, of `@polkadot/api` 16 over runtime 218.
#[test]
fn a_commit_is_the_hash_that_polkadot_js_makes() {
    let many = |f: fn(u16) -> u16| (0..70).map(f).collect::<Vec<u16>>();
    for (uri, netuid, uids, values, salt, version_key, expected) in [
        (
            "//Validator0//hot",
            1,
            vec![3, 4, 5],
            vec![10_000, 65_535, 777],
            vec![1, 2, 3, 4, 5, 6, 7, 8],
            0,
            "1d2e76f127e7851b90aef4fac0555b032010868efd96a8bf4d4b38351035f6d5",
        ),
        (
            "//Alice",
            4_095,
            vec![],
            vec![],
            vec![],
            u64::MAX,
            "a027d5a793dadf0eb9173535b594dbc1d3509942fef6886c4a3a684baa9df9c2",
        ),
        (
            "//Bob",
            1,
            many(|n| n * 3),
            many(|n| 65_535 - n),
            vec![65_535],
            9_001_000,
            "7356a670d6c213e9916c4022a905a3c33f25e9f44473158bd16d65800b3e20b3",
        ),
    ] {
        let call = WeightsCall {
            netuid: Netuid(netuid),
            uids: uids.into_iter().map(Uid).collect(),
            values,
            version_key,
        };
        let hotkey = Keypair::from_dev_uri(uri).unwrap().public();
        assert_eq!(hex::encode(commit_hash(hotkey, &call, &salt)), expected, "{uri}");
    }
}
