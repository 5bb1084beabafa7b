use serde_json::{Value, json};

use super::super::testkit::{ALICE, BOB, COLD, HOT, fixture};
use super::*;

fn address(text: &[u8]) -> Result<String, KeyfileFault> {
    read(text).map(|key| ss58::encode(&key.public()))
}

fn sample() -> Value {
    serde_json::from_slice(&fixture("bt/sample/hotkeys/default")).unwrap()
}

/// The sample hotkey with some parts only.
fn only(parts: &[&str]) -> Value {
    let mut object = sample();
    object.as_object_mut().unwrap().retain(|part, _| parts.contains(&part.as_str()));
    object
}

fn read_value(value: &Value) -> Result<KeyInFile, KeyfileFault> {
    read(value.to_string().as_bytes())
}

#[test]
fn reads_every_plain_sample_to_its_documented_address() {
    for (name, expected) in [
        ("bt/plain/coldkey", COLD),
        ("bt/plain/hotkeys/h1", HOT),
        ("bt/sample/hotkeys/default", HOT),
        ("bt/enc_hotkey/coldkey", COLD),
        ("bt/uri/coldkey", ALICE),
        ("bt/uri/hotkeys/h1", BOB),
        ("old/plain", COLD),
    ] {
        let key = read(&fixture(name)).unwrap();
        assert!(matches!(key, KeyInFile::Pair(_)), "{name}");
        assert_eq!(ss58::encode(&key.public()), expected, "{name}");
    }
}

#[test]
fn reads_every_public_sample() {
    for (name, expected) in [
        ("bt/sample/coldkeypub.txt", COLD),
        ("bt/sample/hotkeys/defaultpub.txt", HOT),
        ("bt/uri/coldkeypub.txt", ALICE),
        ("old/coldkeypub.txt", COLD),
    ] {
        assert_eq!(ss58::encode(&read_public(&fixture(name)).unwrap()), expected, "{name}");
    }
    assert!(read_public(b"0x1234").is_err());
    assert_eq!(read_public(b"{}"), Err(KeyfileFault::Empty));
}

#[test]
fn each_secret_part_alone_makes_the_key() {
    for part in ["secretPhrase", "secretSeed", "privateKey"] {
        let KeyInFile::Pair(pair) = read_value(&only(&[part])).unwrap() else {
            panic!("{part} gives no secret");
        };
        assert_eq!(pair.hotkey().to_string(), HOT, "{part}");
    }
}

#[test]
fn public_parts_alone_make_an_address_and_no_key() {
    for part in ["ss58Address", "publicKey", "accountId"] {
        assert!(matches!(read_value(&only(&[part])), Ok(KeyInFile::Public(_))), "{part}");
        assert_eq!(address(only(&[part]).to_string().as_bytes()).unwrap(), HOT);
    }
}

#[test]
fn refuses_a_part_of_another_key_whichever_it_is() {
    let other: Value = serde_json::from_slice(&fixture("bt/plain/coldkey")).unwrap();
    let parts = sample().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for part in parts.iter().filter(|part| *part != "cryptoType") {
        let mut mixed = sample();
        mixed[part] = other[part].clone();
        let fault = read_value(&mixed).unwrap_err();
        assert!(matches!(fault, KeyfileFault::Disagree { .. }), "{part}: {fault}");
    }
    let mut public = only(&["ss58Address", "accountId"]);
    public["accountId"] = other["accountId"].clone();
    assert!(matches!(read_value(&public), Err(KeyfileFault::Disagree { .. })));
}

#[test]
fn takes_what_old_and_new_sdks_leave_out_or_add() {
    let mut sloppy = sample();
    sloppy["secretPhrase"] = Value::Null;
    sloppy["privateKey"] = Value::Null;
    sloppy["secretSeed"] = json!(sample()["secretSeed"].as_str().unwrap().replace("0x", "0x0x"));
    sloppy["somethingNew"] = json!({ "a": [1] });
    sloppy.as_object_mut().unwrap().remove("cryptoType");
    assert_eq!(address(sloppy.to_string().as_bytes()).unwrap(), HOT);
}

#[test]
fn refuses_other_kinds_of_key_by_name() {
    let mut edwards = sample();
    edwards["cryptoType"] = json!(0);
    let fault = read_value(&edwards).unwrap_err();
    assert_eq!(fault, KeyfileFault::Ed25519);
    assert!(fault.to_string().contains("ed25519"));
    edwards["cryptoType"] = json!(2);
    assert_eq!(read_value(&edwards).unwrap_err(), KeyfileFault::CryptoType(2));
}

#[test]
fn a_file_cut_short_anywhere_is_refused_and_not_quoted() {
    let whole = fixture("bt/plain/hotkeys/h1");
    for length in 0..whole.len() {
        let fault = read(&whole[..length]).unwrap_err();
        assert!(matches!(fault, KeyfileFault::NoJson { .. }), "{length}: {fault}");
    }
}

#[test]
fn no_fault_repeats_what_the_file_holds() {
    let phrase = "legal winner thank";
    for text in [
        format!("\"{phrase}\""),
        format!("{{\"cryptoType\": \"{phrase}\"}}"),
        format!("{{\"secretPhrase\": \"{phrase}\"}}"),
        format!("{{\"secretSeed\": \"{phrase}\"}}"),
        format!("{{\"privateKey\": \"{phrase}\"}}"),
        format!("{{\"ss58Address\": \"{phrase}\"}}"),
        format!("{{\"publicKey\": \"{phrase}\"}}"),
        phrase.to_owned(),
    ] {
        let fault = read(text.as_bytes()).unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("winner"), "{fault}");
    }
}

#[test]
fn writes_the_parts_that_the_python_wallet_writes() {
    let phrase = Phrase::parse(sample()["secretPhrase"].as_str().unwrap()).unwrap();
    let pair = Keypair::from_seed(&phrase.seed()).unwrap();
    let written = write(&pair, &phrase.seed(), Some(&phrase));
    let written: Value = serde_json::from_slice(written.expose()).unwrap();
    assert_eq!(written, sample());
    let public: Value = serde_json::from_slice(&write_public(&pair.public())).unwrap();
    let expected: Value =
        serde_json::from_slice(&fixture("bt/sample/hotkeys/defaultpub.txt")).unwrap();
    assert_eq!(public, expected);
    let seed = write(&pair, &phrase.seed(), None);
    let seed: Value = serde_json::from_slice(seed.expose()).unwrap();
    assert_eq!(seed.get("secretPhrase"), None);
}

#[test]
fn shows_no_secret() {
    for part in ["secretPhrase", "secretSeed", "privateKey"] {
        let sample = sample();
        let secret = sample[part].as_str().unwrap();
        let shown = format!("{:?}", read_value(&sample).unwrap());
        assert!(shown.contains(HOT) && !shown.contains(secret), "{shown}");
    }
}
