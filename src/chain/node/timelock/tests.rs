//! Against what the Python package `bittensor-drand` makes (`scripts/oracles/timelock.py`), and
//! against the package itself where `SN1_SDK10_PYTHON` is a Python that has it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sn1_actors::domain::{BlockNumber, Netuid};
use subxt::ext::codec::{Compact, Decode};
use timelock::ibe::fullident::IBESecret;

use super::*;
use crate::chain::node::epoch::Schedule;

#[derive(Deserialize)]
struct Fixture<Round> {
    round: u64,
    signature: String,
    commits: Vec<Commit>,
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
struct Commit {
    hotkey: String,
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
    commit: String,
}

impl Commit {
    fn payload(&self) -> TimelockPayload {
        TimelockPayload {
            hotkey: hex::decode(&self.hotkey).unwrap().try_into().unwrap(),
            uids: self.uids.clone(),
            values: self.values.clone(),
            version_key: self.version_key,
        }
    }
}

/// netuid, tempo, block, reveal period, block time, now, round.
type FixedRound = (u16, u64, u64, u64, f64, f64, u64);
/// last epoch, pending epoch, tempo, block, reveal period, block time, now, round.
type KeptRound = (u64, u64, u64, u64, u64, f64, f64, u64);

fn fixture<Round: DeserializeOwned>(text: &str) -> Fixture<Round> {
    serde_json::from_str(text).unwrap()
}
fn fixed() -> Fixture<FixedRound> {
    fixture(include_str!("../../../../tests/fixtures/chain/timelock_1_3_0.json"))
}
fn kept() -> Fixture<KeptRound> {
    fixture(include_str!("../../../../tests/fixtures/chain/timelock_2_0_0.json"))
}

fn list(bytes: &mut &[u8]) -> Vec<u8> {
    Vec::deserialize_compressed(bytes).unwrap()
}

/// As the chain does it.
fn decrypted(mut bytes: &[u8], signature: &str) -> Option<TimelockPayload> {
    let bytes = &mut bytes;
    let u = <TinyBLS381 as EngineBLS>::PublicKeyGroup::deserialize_compressed(&mut *bytes).unwrap();
    let [v, w] = [list(bytes), list(bytes)].map(|list| list.try_into().unwrap());
    let inner = list(bytes);
    assert_eq!(list(bytes), b"AES_GCM_");
    assert!(bytes.is_empty(), "{} bytes too many", bytes.len());

    let signature = hex::decode(signature).unwrap();
    let signature =
        <TinyBLS381 as EngineBLS>::SignatureGroup::deserialize_compressed(&*signature).unwrap();
    let key = IBESecret::<TinyBLS381>(signature).decrypt(&Ciphertext { u, v, w }).ok()?;
    let body = AESOutput::deserialize_compressed(&*inner).unwrap();
    let plain = AESGCMBlockCipherProvider::decrypt(body, key).unwrap();

    let plain = &mut plain.as_slice();
    assert_eq!(Compact::<u32>::decode(plain).unwrap().0, 32);
    let payload = TimelockPayload {
        hotkey: Decode::decode(plain).unwrap(),
        uids: Decode::decode(plain).unwrap(),
        values: Decode::decode(plain).unwrap(),
        version_key: Decode::decode(plain).unwrap(),
    };
    assert!(plain.is_empty(), "{} bytes too many", plain.len());
    Some(payload)
}

#[test]
fn what_we_encrypt_and_what_the_python_package_does_decrypt_to_the_same_payload() {
    let (old, new) = (fixed(), kept());
    assert_eq!((old.round, &old.signature), (new.round, &new.signature));
    for commit in old.commits.iter().chain(&new.commits) {
        let theirs = hex::decode(&commit.commit).unwrap();
        let ours = encrypt(&commit.payload(), new.round).unwrap();
        assert_eq!(decrypted(&theirs, &new.signature), Some(commit.payload()));
        assert_eq!(decrypted(&ours, &new.signature), Some(commit.payload()));
        assert_eq!(ours.len(), theirs.len());
    }
}

#[test]
fn another_round_s_signature_decrypts_nothing() {
    let new = kept();
    let bytes = encrypt(&new.commits[2].payload(), new.round + 1).unwrap();
    assert_eq!(decrypted(&bytes, &new.signature), None);
}

#[test]
fn no_part_of_a_commit_is_made_twice() {
    let payload = kept().commits[2].payload();
    let [one, other] = [(); 2].map(|()| encrypt(&payload, 1_000).unwrap());
    // The point, and the three lists of 32 bytes and more: sigma, the key, the weights.
    for part in [0..96, 104..136, 144..176, 192..224] {
        assert_ne!(one[part.clone()], other[part.clone()], "bytes {part:?} are alike");
    }
}

#[test]
fn refuses_more_weights_than_the_chain_takes() {
    let payload = |n: u16| TimelockPayload {
        hotkey: [7; 32],
        uids: (0..n).collect(),
        values: vec![1; usize::from(n)],
        version_key: 0,
    };
    assert_eq!(encrypt(&payload(1_177), 1_000).unwrap().len(), 4_997);
    let error = encrypt(&payload(1_178), 1_000).unwrap_err();
    assert!(matches!(error, TimelockError::TooLong(5_001)), "{error}");
}

#[test]
fn the_python_package_decrypts_what_we_encrypt() {
    let Some(python) = std::env::var_os("SN1_SDK10_PYTHON").filter(|path| !path.is_empty()) else {
        println!("skipped: SN1_SDK10_PYTHON names no Python that has bittensor-drand");
        return;
    };
    let new = kept();
    for commit in &new.commits {
        let payload = commit.payload();
        // The package's form of a ciphertext that is no weight setting names the round as well.
        let data = (encrypt(&payload, new.round).unwrap(), new.round).encode();
        let mut child = Command::new(&python)
            .args(["-c", DECRYPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{}\n{}", hex::encode(data), new.signature).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let plain = String::from_utf8(output.stdout).unwrap();
        assert_eq!(plain.trim(), hex::encode(payload.encoded()));
    }
}

const DECRYPT: &str = "\
import bittensor_drand
data = bytes.fromhex(input())
print(bittensor_drand.decrypt_with_signature(data, input()).hex())";

fn head(block: u64, now: f64) -> Head {
    Head { block: BlockNumber(block), made_at: Duration::from_secs_f64(now) }
}

#[test]
fn rounds_by_the_chain_s_account_of_epochs_are_those_of_the_python_package() {
    let cases = kept().rounds;
    assert!(cases.len() > 200);
    for case @ (last_epoch, pending, tempo, block, period, block_time, now, round) in cases {
        // As `get_next_epoch_start_block` does it, and `Schedule::read` with what that says.
        let automatic = last_epoch + tempo;
        let next = if pending > 0 { pending.min(automatic) } else { automatic };
        let next = Some(BlockNumber(next.max(block + 1)));
        let schedule = Schedule::Counted { epoch: 7, next, tempo };
        let block_time = Duration::from_secs_f64(block_time);
        let ours = reveal_round(&schedule, head(block, now), period, block_time).unwrap();
        assert_eq!(ours, round, "{case:?}");
    }
}

#[test]
fn rounds_by_block_numbers_are_those_of_the_python_package_except_in_an_epoch_s_last_block() {
    let (mut alike, mut later) = (0, 0);
    for case @ (netuid, tempo, block, period, block_time, now, round) in fixed().rounds {
        let schedule = Schedule::Fixed { netuid: Netuid(netuid), tempo };
        let length = tempo + 1;
        let length_time = block_time * length as f64;
        let block_time = Duration::from_secs_f64(block_time);
        let ours = reveal_round(&schedule, head(block, now), period, block_time).unwrap();
        if (block + 1 + u64::from(netuid) + 1).is_multiple_of(length) {
            // The old package forgets that a commit is included in the next block at the soonest, so
            // that its weights can be read an epoch before they count. The new one does not.
            let off = (ours - round) as f64 * 3.0;
            assert!((off - length_time).abs() <= 3.0, "{case:?}: {ours}");
            later += 1;
        } else {
            assert_eq!(ours, round, "{case:?}");
            alike += 1;
        }
    }
    assert!(alike > 150 && later > 10, "{alike} alike, {later} later");
}

#[test]
fn weights_that_would_never_be_revealed_have_no_round() {
    let block_time = Duration::from_secs(12);
    let round = |schedule| reveal_round(&schedule, head(1_000, 1.8e9), 1, block_time);
    for none in [
        Schedule::Fixed { netuid: Netuid(1), tempo: 0 },
        Schedule::Counted { epoch: 1, next: None, tempo: 0 },
        Schedule::Counted { epoch: 1, next: Some(BlockNumber(1_001)), tempo: 0 },
    ] {
        let error = round(none).unwrap_err();
        assert!(matches!(error, TimelockError::NoEpochs), "{error}");
    }
    for next in [1_000 + 100 * 65_536 + 1, u64::MAX] {
        let next = Some(BlockNumber(next));
        let error = round(Schedule::Counted { epoch: 1, next, tempo: 360 }).unwrap_err();
        assert!(matches!(error, TimelockError::TooFar { block: 1_000, .. }), "{error}");
    }
}
