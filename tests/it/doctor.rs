//! `sn1 doctor`: faults are planted one by one, by the real means, and each is found by the check whose
//! business it is, with its verdict and its cure. Faults of a chain are planted in
//! `tests/faults/doctor.rs`, which has a node to plant them in.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sn1::ledger::lock::InstanceLock;
use sn1_actors::domain::{Hotkey, Netuid};

use crate::harness::{Ended, Place, free_port};

/// The hotkey of the sample wallet `plain`.
const HOT: &str = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe";

/// Every file and folder of a tree, with its mode and length.
fn tree(folder: &Path) -> Vec<(PathBuf, u32, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        all.push((path.clone(), metadata.permissions().mode(), metadata.len()));
        if metadata.is_dir() {
            all.extend(tree(&path));
        }
    }
    all.sort();
    all
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Sets a file's or folder's mode.
fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A validator's place with nothing wrong in it: a wallet, models, sources and free ports.
struct Patient {
    place: Place,
    /// What each run is given first.
    flags: String,
    axon: u16,
}

impl Patient {
    fn well() -> Self {
        let place = Place::new();
        for name in ["hotkeys/h1", "hotkeys/h1pub.txt", "coldkeypub.txt"] {
            let content = fs::read(fixture("wallets/bt/plain").join(name)).unwrap();
            let path = place.write(&format!("w/alice/{name}"), "");
            fs::write(&path, content).unwrap();
            mode(&path, 0o600);
        }
        for folder in ["w/alice", "w/alice/hotkeys"] {
            mode(&place.path(folder), 0o700);
        }
        let axon = free_port();
        let flags = format!(
            "--netuid 1 --subtensor.network local --wallet.path w --wallet.name alice \
             --wallet.hotkey h1 --logging.logging_dir miners --journal.max_bytes 1000000 \
             --axon.ip 127.0.0.1 --axon.port {axon} --gateway.port {} --tools.sources builtin,maths \
             --neuron.model_id {} --neuron.embedder_id {} --engine.kv_tokens 64 --engine.threads 1",
            free_port(),
            fixture("engine/tiny-llama.q8_0.gguf").display(),
            fixture("engine/tiny-bert").display(),
        );
        Self { place, flags, axon }
    }

    fn run(&self, more: &str) -> Ended {
        self.place.run(&format!("doctor --json {} {more}", self.flags))
    }

    /// Where the hotkey's file is.
    fn hotkey(&self) -> PathBuf {
        self.place.path("w/alice/hotkeys/h1")
    }
}

fn findings(ended: &Ended) -> Vec<Value> {
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    report["findings"].as_array().unwrap().clone()
}

/// Fails unless one finding of the check has the verdict, was seen by these words, and has a cure with
/// those.
fn expect(patient: &Patient, more: &str, check: &str, verdict: &str, seen: &str, cure: &str) {
    let ended = patient.run(more);
    let findings = findings(&ended);
    let has = |finding: &&Value, key: &str, text: &str| {
        finding[key].as_str().is_some_and(|found| found.contains(text))
    };
    let found = findings.iter().find(|finding| {
        finding["check"] == check && finding["verdict"] == verdict && has(finding, "seen", seen)
    });
    let report = &ended.out;
    assert!(found.is_some(), "no {verdict} {check} with {seen:?}:\n{report}");
    assert!(has(&found.unwrap(), "cure", cure), "the cure {cure:?} is not in:\n{report}");
    let failing = findings.iter().any(|finding| finding["verdict"] == "failing");
    ended.expect(i32::from(failing));
}

#[test]
fn nothing_is_wrong_where_nothing_is_and_nothing_is_changed_by_looking() {
    let patient = Patient::well();
    let before = tree(&patient.place.path("w"));
    let ended = patient.run("--offline").expect(0);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&report["failing"], &report["warnings"]), (&0.into(), &0.into()), "{report:#}");
    assert_eq!((&report["role"], &report["offline"]), (&"validator".into(), &true.into()));
    for finding in findings(&ended) {
        assert_eq!((&finding["verdict"], &finding["cure"]), (&"ok".into(), &Value::Null));
    }
    assert_eq!(tree(&patient.place.path("w")), before);
    for folder in ["miners", "cache", "state"] {
        assert!(!patient.place.path(folder).exists(), "{folder} was made");
    }
    let text = patient.place.run(&format!("doctor --offline {}", patient.flags)).expect(0).out;
    assert!(text.trim_end().lines().last().unwrap().starts_with("0 failing, 0 warnings, "));
    assert!(!text.contains('\u{1b}'), "colours where nobody sees them: {text}");
    patient.place.run("doctor --role localnet --model fake --offline").expect(0);
}

#[test]
fn every_problem_of_the_configuration_is_told_with_its_place() {
    let patient = Patient::well();
    patient.place.write("config/validator.toml", "[neuron]\ntimout = 5\n");
    let found = "config/validator.toml:2: unknown key `neuron.timout`";
    let threads = "--engine.max_sequences nought";
    expect(&patient, threads, "configuration", "failing", found, "change config/validator.toml:2");
    let cure = "leave out --engine.max_sequences";
    expect(&patient, threads, "configuration", "failing", "`engine.max_sequences` must be", cure);
    fs::remove_file(patient.place.path("config/validator.toml")).unwrap();
    if !sn1::config::Device::HAS_CUDA {
        let cuda = "--neuron.device cuda";
        expect(&patient, cuda, "configuration", "failing", "no CUDA", "leave out --neuron.device");
    }
    let unnamed = Patient { flags: String::new(), ..patient };
    let cure = "set netuid and subtensor.network";
    expect(&unnamed, "--offline", "network", "failing", "there is no default", cure);
}

#[test]
fn what_a_start_refuses_is_told_with_the_key_that_decides_it() {
    let patient = Patient::well();
    let public = "--offline --subtensor.network test --model fake";
    let allow = "--public.allow_small_model";
    expect(&patient, public, "safety", "failing", "neuron.model_id = `fake`", allow);
    let corpus = "--public.allow_embedded_corpus";
    expect(&patient, public, "safety", "failing", "a corpus inside the program", corpus);
    let key = format!("{public} --uri //Alice");
    expect(&patient, &key, "wallet", "failing", "known to everybody", "use a wallet");
    let alone = "--offline --role miner --miner.kind copier";
    expect(&patient, alone, "miner", "failing", "`copier` copies the other miners", "miner.kind");
    let maths = "--offline --tools.sources maths";
    expect(&patient, maths, "tasks", "failing", "needs contexts of the kind", "tools.sources");
}

#[test]
fn a_wallet_that_is_missing_damaged_encrypted_or_open_to_others_is_told() {
    let look = |plant: &dyn Fn(&Patient), verdict: &str, seen: &str, cure: &str| {
        let patient = Patient::well();
        plant(&patient);
        expect(&patient, "--offline", "wallet", verdict, seen, cure);
    };
    let gone = |patient: &Patient| fs::remove_file(patient.hotkey()).unwrap();
    look(&gone, "failing", "there is no hotkey at", "sn1 wallet new_hotkey");
    let open = |patient: &Patient| mode(&patient.hotkey(), 0o644);
    look(&open, "failing", "mode 0644", "chmod 600");
    let damaged = |patient: &Patient| fs::write(patient.hotkey(), "{\"ss58").unwrap();
    look(&damaged, "failing", "not a key file", "sn1 wallet regen");
    let sealed = fs::read(fixture("wallets/bt/enc_hotkey/hotkeys/h1")).unwrap();
    let encrypted = |patient: &Patient| fs::write(patient.hotkey(), &sealed).unwrap();
    look(&encrypted, "failing", "needs a password", "--wallet.password_file");
    let shared = |patient: &Patient| mode(&patient.place.path("w/alice/hotkeys"), 0o777);
    look(&shared, "failing", "others can put keys into", "chmod 700");
    let seen = |patient: &Patient| mode(&patient.place.path("w/alice"), 0o755);
    look(&seen, "warning", "others can see what is in", "chmod 700");
    // What is in the coldkey's file is nobody's business here: nonsense is not noticed.
    let coldkey = |patient: &Patient| {
        mode(&patient.place.write("w/alice/coldkey", "no key at all"), 0o640);
    };
    look(&coldkey, "failing", "owns the stake", "chmod 600");
}

#[test]
fn an_encrypted_hotkey_with_a_password_at_hand_is_well_and_is_not_opened() {
    let patient = Patient::well();
    let sealed = fs::read(fixture("wallets/bt/enc_hotkey/hotkeys/h1")).unwrap();
    fs::write(patient.hotkey(), sealed).unwrap();
    // A wrong one: only whoever tried it would know.
    mode(&patient.place.write("password", "wrong"), 0o600);
    patient.run("--offline --wallet.password_file password").expect(0);
    mode(&patient.place.path("password"), 0o644);
    let given = "--offline --wallet.password_file password";
    expect(&patient, given, "wallet", "failing", "mode 0644", "chmod 600");
}

#[test]
fn state_that_cannot_be_kept_and_a_hotkey_that_another_process_has_are_told() {
    let patient = Patient::well();
    patient.place.write("taken", "a file");
    let below = "--offline --logging.logging_dir taken/miners";
    expect(&patient, below, "state", "failing", "taken is no folder", "set logging.logging_dir");
    let below = "--offline --journal.file taken/journal.jsonl";
    expect(&patient, below, "state", "failing", "taken is no folder", "set journal.file");
    let huge = "--offline --journal.max_bytes 4000000000000000";
    expect(&patient, huge, "disk", "warning", "the journal may grow by", "journal.max_bytes");
    let (hotkey, folder) = (Hotkey::parse(HOT).unwrap(), patient.place.path("miners"));
    let held = InstanceLock::of_hotkey(&folder, &hotkey, Netuid(1)).unwrap();
    let holder = format!("process {} runs with hotkey {HOT}", std::process::id());
    expect(&patient, "--offline", "lock", "failing", &holder, "stop it");
    drop(held);
    patient.run("--offline").expect(0);
}

#[test]
fn a_file_that_a_start_could_not_write_or_read_is_told() {
    let patient = Patient::well();
    patient.place.write("taken", "a file");
    let log = "--offline --logging.file taken/sn1.log";
    expect(&patient, log, "state", "failing", "taken is no folder", "set logging.file");
    // Folders in the place of files are what not even root writes.
    for (name, key) in [("sn1.log", "logging.file"), ("journal", "journal.file")] {
        fs::create_dir(patient.place.path(name)).unwrap();
        let flags = format!("--offline --{key} {name}");
        let seen = format!("{name} cannot be written");
        expect(&patient, &flags, "state", "failing", &seen, "give it to the user");
        fs::remove_dir(patient.place.path(name)).unwrap();
    }
    let own = format!("miners/alice/{HOT}/netuid1/validator");
    let lock = format!("{own}/scores.json.lock");
    fs::create_dir_all(patient.place.path(&lock)).unwrap();
    let seen = "scores.json.lock cannot be written";
    expect(&patient, "--offline", "state", "failing", seen, "set logging.logging_dir");
    fs::remove_dir(patient.place.path(&lock)).unwrap();
    patient.place.write(&format!("{own}/scores.json"), "no scores");
    expect(&patient, "--offline", "state", "failing", "damaged", "sn1 state import");
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let newer =
        format!(r#"{{"kind":"sn1 score book","schema":99,"bytes":0,"sha256":"{nothing}"}}"#);
    patient.place.write(&format!("{own}/scores.json"), &format!("{newer}\n\n"));
    expect(&patient, "--offline", "state", "failing", "schema 99", "update sn1");
}

#[test]
fn root_is_told_to_look_as_the_user_whom_the_folders_belong_to() {
    let patient = Patient::well();
    fs::create_dir(patient.place.path("miners")).unwrap();
    if std::os::unix::fs::chown(patient.place.path("miners"), Some(1234), None).is_err() {
        println!("skipped: only root can give a folder away");
        return;
    }
    expect(&patient, "--offline", "user", "warning", "belongs to user 1234", "sudo -u '#1234'");
}

#[test]
fn what_the_machine_does_not_allow_is_told() {
    let patient = Patient::well();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, patient.axon)).unwrap();
    let taken = format!("127.0.0.1:{} (axon.port) is taken", patient.axon);
    let cure = format!("ss -ltnp sport = :{}", patient.axon);
    expect(&patient, "--offline", "ports", "failing", &taken, &cure);
    drop(listener);
    let elsewhere = "--offline --axon.ip 203.0.113.9";
    expect(&patient, elsewhere, "ports", "failing", "no address of this machine", "set axon.ip");
    let twice = format!("--offline --gateway.enabled --gateway.port {}", patient.axon);
    expect(&patient, &twice, "ports", "failing", "are both", "set gateway.port");
    let threads = "--offline --engine.threads 1024";
    expect(&patient, threads, "device", "warning", "1024 threads", "lower engine.threads");
    let memory = "--offline --engine.kv_tokens 4194304 --engine.precision f32";
    let ended = patient.run(memory);
    let found = findings(&ended).into_iter().find(|finding| finding["check"] == "memory").unwrap();
    assert!(found["seen"].as_str().unwrap().contains("the models take up to"), "{found}");
    // Fewer files than a program of ours has open.
    let line = format!("ulimit -n 100; exec \"$0\" doctor --json --offline {}", patient.flags);
    let arguments = ["-c", &line, env!("CARGO_BIN_EXE_sn1")];
    let ended = patient.place.start_other(Path::new("sh"), &arguments).wait().expect(1);
    let found = findings(&ended).into_iter().find(|found| found["check"] == "open_files").unwrap();
    assert_eq!(found["verdict"], "failing");
    assert!(found["cure"].as_str().unwrap().contains("LimitNOFILE="), "{found}");
}

#[test]
fn models_that_are_missing_wrong_or_none_are_told_with_what_brings_them() {
    let patient = Patient::well();
    let catalogued = "--offline --models.dir models --neuron.embedder_id all-minilm-l6-v2";
    let cure = "sn1 models pull all-minilm-l6-v2";
    expect(&patient, catalogued, "model", "warning", "3 of 3 files are not in", cure);
    // As long as the right one.
    let config = "models/all-minilm-l6-v2/config.json";
    let config = patient.place.write(config, &"x".repeat(612));
    let cure = format!("rm {} && sn1 models pull", config.display());
    expect(&patient, catalogued, "model", "failing", "it has sha256", &cure);
    patient.place.write("model.gguf", "no model at all");
    for (flag, seen) in [
        ("--model ./model.gguf", "does not begin as a GGUF file does"),
        ("--model ./nothing.gguf", "there is no such file"),
        ("--neuron.embedder_id ./w", "it lacks config.json"),
        ("--model smollm3", "no model is called \"smollm3\""),
    ] {
        expect(&patient, &format!("--offline {flag}"), "model", "failing", seen, "sn1 models list");
    }
}

#[test]
fn sources_that_lack_something_or_do_not_open_are_told() {
    let patient = Patient::well();
    let stack = "--offline --tools.sources stackexchange,builtin,maths";
    expect(&patient, stack, "source", "failing", "whom it can write to", "set tools.contact");
    let garbage = patient.place.write("wiki.zim", "no ZIM file").display().to_string();
    let zim = format!("--offline --tools.sources zim,builtin,maths --tools.zim_files {garbage}");
    expect(&patient, &zim, "source", "failing", "wiki.zim", "");
    fs::create_dir(patient.place.path("empty")).unwrap();
    let code = "--offline --tools.sources code,builtin,maths --tools.code_folder empty";
    expect(&patient, code, "source", "failing", "empty", "");
    let unset = "--offline --tools.sources wikipedia,maths --tools.contact a@example.org \
                 --tools.wikipedia_token_env NO_SUCH_VARIABLE";
    expect(&patient, unset, "source", "failing", "NO_SUCH_VARIABLE", "set what wikipedia needs");
    let gateway = "--offline --gateway.enabled";
    expect(&patient, gateway, "gateway", "warning", "no key is in use", "sn1 gateway keys new");
}

#[test]
fn what_takes_connections_and_never_answers_is_given_up_and_told() {
    let patient = Patient::well();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = listener.local_addr().unwrap();
    let more = format!(
        "--subtensor.chain_endpoint ws://{silent},ws://127.0.0.1:1 --engine.servers http://{silent} \
         --tools.sources wikipedia,maths --tools.wikipedia_api http://{silent}/w/api.php"
    );
    let ended = patient.run(&more).expect(1);
    let findings = findings(&ended);
    let told = |check: &str, seen: &str, cure: &str| {
        let found = findings.iter().find(|finding| {
            finding["check"] == check && finding["seen"].as_str().unwrap().contains(seen)
        });
        assert!(found.is_some(), "no {check} with {seen}: {}", ended.out);
        let found = found.unwrap();
        assert_eq!(found["verdict"], "failing");
        assert!(found["cure"].as_str().unwrap().contains(cure), "{found}");
    };
    told("chain", &format!("ws://{silent}"), "subtensor.chain_endpoint");
    told("chain", "ws://127.0.0.1:1", "subtensor.chain_endpoint");
    told("model_server", &silent.to_string(), "engine.servers");
    told("source", "wikipedia", "tools.wikipedia_api");
}
