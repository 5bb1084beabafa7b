//! `sn1 wallet`, and the neuron that signs with what it made.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{Place, free_port};

const HOT: &str = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe";
const COLD: &str = "5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH";
const LEGAL: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const PASSWORD: &str = "sn1-Test-Passw0rd!";

/// Puts a file of the sample wallets, or a text, where only its owner may read it.
fn put(place: &Place, name: &str, content: &[u8]) -> PathBuf {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wallets");
    fs::read(folder.join(name)).unwrap()
}

/// How many files a folder and those in it have.
fn files_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

fn words(key: &Value) -> String {
    key["mnemonic"].as_str().unwrap().to_owned()
}

#[test]
fn new_keys_are_shown_once_never_overwritten_and_restored_from_their_words() {
    let place = Place::new();
    let password = put(&place, "password", PASSWORD.as_bytes());
    let line = "wallet new --wallet.path w --wallet.name alice --wallet.hotkey one --json";
    let line = format!("{line} --n-words 24 --wallet.password_file {}", password.display());
    let made = place.run(&line).expect(0);
    assert!(made.err.contains("half a GiB"), "it was silent for seconds: {}", made.err);
    let keys: Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(
        (&keys["coldkey"]["encrypted"], &keys["hotkey"]["encrypted"]),
        (&true.into(), &false.into())
    );
    assert_eq!(words(&keys["coldkey"]).split(' ').count(), 24);
    assert!(fs::read(place.path("w/alice/coldkey")).unwrap().starts_with(b"$NACL"));

    let again = place.run(&line);
    again.refused(4, &["w/alice/coldkey", "not overwritten"]);
    // The coldkey is there, so the other hotkey is not made either.
    place.run(&line.replace("one", "two")).expect(4);
    assert!(!place.path("w/alice/hotkeys/two").exists());

    let shown =
        place.run("wallet show --wallet.path w --wallet.name alice --wallet.hotkey one --json");
    let shown = shown.expect(0);
    for secret in [words(&keys["coldkey"]), words(&keys["hotkey"])] {
        assert!(!shown.out.contains(&secret) && !shown.err.contains(&secret));
    }
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    for kind in ["coldkey", "hotkey"] {
        assert_eq!(shown[kind]["ss58_address"], keys[kind]["ss58_address"]);
    }
    assert_eq!(shown["coldkey"]["encryption"], "NaCl");

    place.write("words", &words(&keys["coldkey"]));
    let restored = place.run_fed("wallet regen hotkey --wallet.path w --wallet.name bob", "words");
    let restored = restored.expect(0);
    assert!(restored.out.contains(keys["coldkey"]["ss58_address"].as_str().unwrap()));
    assert!(!restored.out.contains(&words(&keys["coldkey"])), "{}", restored.out);
}

#[test]
fn no_key_is_made_whose_words_nobody_saw() {
    let place = Place::new();
    let gone = || Stdio::from(std::io::pipe().unwrap().1);
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    for name in ["gone", "full"] {
        for json in [&[][..], &["--json"]] {
            let line = format!("wallet new --no-use-password --wallet.path w --wallet.name {name}");
            let mut sn1 = Command::new(env!("CARGO_BIN_EXE_sn1"));
            sn1.args(line.split(' ')).args(json).env("HOME", place.path(""));
            sn1.current_dir(place.path("")).stdin(Stdio::null());
            sn1.stdout(if name == "gone" { gone() } else { full() });
            let ended = sn1.output().unwrap();
            let err = String::from_utf8(ended.stderr).unwrap();
            assert!(err.contains("cannot show the new keys on standard output"), "{err}");
            assert_eq!(ended.status.code(), Some(4));
            assert_eq!(files_in(&place.path(&format!("w/{name}"))), 0, "{name}");
        }
    }
}

#[test]
fn no_coldkey_is_made_if_its_hotkey_cannot_be() {
    let place = Place::new();
    put(&place, "w/alice/hotkeys", b"a file");
    let new = "wallet new --no-use-password --wallet.path w --wallet.name alice";
    let ended = place.run(new);
    assert_eq!(ended.out, "");
    ended.refused(4, &["cannot write w/alice/hotkeys/default"]);
    assert_eq!(files_in(&place.path("w/alice")), 1, "more than what was there");
}

#[test]
fn a_coldkey_is_encrypted_unless_the_user_says_otherwise() {
    let place = Place::new();
    let new = |verb: &str| place.run(&format!("wallet {verb} --wallet.path w"));
    new("new_coldkey")
        .refused(2, &["--wallet.password_file", "BT_PW_W_DEFAULT_COLDKEY", "terminal"]);
    assert!(!place.path("w").exists(), "something was written");
    new("new_coldkey --no-use-password").expect(0);
    new("new-hotkey --use-password").refused(2, &["hotkeys/default", "password"]);
    new("new_hotkey").expect(0);
    new("new_hotkey --use-password --no-use-password").expect(2);
    new("new --n-words 13").expect(2);
    let short = put(&place, "short", b"1234567");
    let short = format!("new_coldkey --wallet.name x --wallet.password_file {}", short.display());
    new(&short).refused(2, &["at least 8 characters"]);
}

#[test]
fn keys_are_restored_from_words_or_seed_in_every_way() {
    let place = Place::new();
    let seed = "0x6fa2796b0071cac425d8a7851038318c2c37dcebfe4bae73197ce93e75909bd2";
    place.write("words", &format!("{LEGAL}\n"));
    place.write("seed", seed);
    let regen = "wallet regen_hotkey --wallet.path w --wallet.hotkey";
    let restored = [
        place.run(&format!("{regen} a --mnemonic {LEGAL}")),
        place.run_with(&format!("{regen} b --mnemonic"), &[LEGAL]),
        place.run(&format!("{regen} c --seed {seed}")),
        place.run_fed(&format!("{regen} d"), "words"),
        place.run_fed(&format!("{regen} e"), "seed"),
    ];
    for ended in restored {
        let ended = ended.expect(0);
        assert!(ended.out.contains(HOT) && !ended.out.contains("winner"), "{}", ended.out);
    }
    let wrong = place.run(&format!("{regen} f --mnemonic {}", LEGAL.replace("year", "yeer")));
    let wrong = wrong.expect(2);
    assert!(wrong.err.contains("word 4") && !wrong.err.contains("yeer"), "{}", wrong.err);
    place.run(&format!("{regen} f --seed 0x12")).refused(2, &["64 hex digits"]);
    place.run(&format!("{regen} f --seed {seed} --mnemonic {LEGAL}")).expect(2);
    place.run("wallet regen --wallet.path w").expect(2);
    assert!(!place.path("w/default/hotkeys/f").exists());
}

#[test]
fn wallets_are_listed_as_a_tree() {
    let place = Place::new();
    for name in
        ["plain/coldkeypub.txt", "plain/hotkeys/h1", "sample/coldkey", "sample/hotkeys/default"]
    {
        put(&place, &format!("w/{name}"), &sample(&format!("bt/{name}")));
    }
    let listed = place.run("wallet list --wallet.path w").expect(0);
    let tree = format!(
        "w\n├── plain  {COLD}\n│   └── h1  {HOT}\n└── sample  address unknown\n    └── default  {HOT}\n"
    );
    assert_eq!(listed.out, tree);
    let listed = place.run("wallet list --wallet.path w --json").json();
    assert_eq!(listed["wallets"][0]["hotkeys"][0]["ss58_address"], HOT);
    assert_eq!(
        place.run("wallet list --wallet.path none --json").json()["wallets"],
        Value::Array(vec![])
    );
}

#[test]
fn a_key_that_others_can_read_is_shown_with_its_cure() {
    let place = Place::new();
    let path = put(&place, "w/default/hotkeys/default", &sample("bt/plain/hotkeys/h1"));
    place.run("wallet show --wallet.path w").expect(0);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    place.run("wallet show --wallet.path w").refused(4, &["chmod 600", "0644"]);
    place.run("wallet show --wallet.path nowhere").refused(4, &["nowhere", "`sn1 wallet new "]);
}

#[test]
fn a_miner_signs_with_the_hotkey_of_a_wallet_without_a_coldkey() {
    let variable = |path: &Path| {
        let name = path.display().to_string().replace(['/', '.'], "_").to_uppercase();
        format!("BT_PW_{name}")
    };
    let place = Place::new();
    put(&place, "w/plain/hotkeys/h", &sample("bt/plain/hotkeys/h1"));
    let vault = put(&place, "w/vault/hotkeys/h", &sample("old/vault"));
    // What the SDK writes: the password, XORed with the variable's name.
    let name = variable(&vault);
    let mixed = PASSWORD.bytes().zip(name.bytes()).map(|(a, b)| a ^ b).collect::<Vec<_>>();
    let root = place.path("w").display().to_string();
    let place = place.with(&name, STANDARD.encode(mixed));
    for (wallet, address) in [("plain", HOT), ("vault", COLD)] {
        let port = free_port();
        let mut miner = place.start(&format!(
            "miner --miner.kind echo --wallet.path {root} --wallet.name {wallet} --wallet.hotkey h \
             --axon.ip 127.0.0.1 --axon.port {port} --blacklist.allow_non_registered"
        ));
        assert_eq!(miner.until_printed("\n"), format!("serving {address} on 127.0.0.1:{port}\n"));
        miner.signal("TERM");
        let ended = miner.wait().expect(0);
        assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
    }
}

#[test]
fn development_keys_are_refused_on_public_networks() {
    let place = Place::new();
    for public in ["--subtensor.network finney", "--subtensor.chain_endpoint wss://chain.example"] {
        let ended =
            place.run(&format!("miner --miner.kind echo --uri //Alice --netuid 1 {public}"));
        ended.refused(2, &["known to everybody", "//Alice", public.split_once(' ').unwrap().0]);
    }
}
