use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Command;
use serde_json::json;
use sn1_actors::domain::TaskKind;
use tempfile::TempDir;

use super::*;

/// Inputs with a home folder, with nothing set.
fn inputs() -> Inputs {
    Inputs { home: Some(PathBuf::from("/home/u")), ..Inputs::default() }
}

fn command() -> Command {
    add_config_flags(Command::new("sn1"))
}

fn flags(line: &[&str]) -> FlagValues {
    let line = ["sn1"].iter().chain(line);
    collect_flags(&command().try_get_matches_from(line).unwrap())
}

fn with_flags(line: &[&str]) -> Inputs {
    Inputs { flags: flags(line), ..inputs() }
}

fn with_environment(variables: &[(&str, &str)]) -> Inputs {
    let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Inputs { environment, ..inputs() }
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn with_file(path: &Path) -> Inputs {
    let mut inputs = inputs();
    inputs.flags.overlays.push(path.to_owned());
    inputs
}

fn validator(inputs: &Inputs) -> Settings {
    Settings::load(Role::Validator, inputs).unwrap().settings
}

fn refusal(role: Role, inputs: &Inputs) -> ConfigErrors {
    Settings::load(role, inputs).unwrap_err()
}

/// The only problem there is.
fn only(role: Role, inputs: &Inputs) -> Problem {
    let ConfigErrors(mut problems) = refusal(role, inputs);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

/// The flags of the original at 1.0.0, the later ones, and the SDK's, each with a value.
const ORIGINAL: &[(&str, &str)] = &[
    ("netuid", "61"),
    ("neuron.device", "cpu"),
    ("neuron.epoch_length", "100"),
    ("mock", "false"),
    ("neuron.events_retention_size", "2 GB"),
    ("neuron.dont_save_events", "true"),
    ("neuron.log_full", "true"),
    ("no_background_thread", "true"),
    ("wandb.off", "true"),
    ("wandb.offline", "true"),
    ("wandb.notes", "a, b"),
    ("wandb.on", "True"),
    ("wandb.project_name", "alpha-validators"),
    ("wandb.entity", "opentensor-dev"),
    ("neuron.name", "validator"),
    ("blacklist.force_validator_permit", "true"),
    ("blacklist.allow_non_registered", "true"),
    ("neuron.system_prompt", "Be brief, please."),
    ("neuron.max_tokens", "256"),
    ("neuron.temperature", "0.7"),
    ("neuron.top_k", "50"),
    ("neuron.top_p", "0.95"),
    ("openai.model_name", "gpt-4-1106-preview"),
    ("neuron.model_id", "HuggingFaceH4/zephyr-7b-beta"),
    ("neuron.tasks", "summarization,qa,debugging,math,date_qa"),
    ("neuron.task_p", ".5,.5,0,0,0"),
    ("neuron.timeout", "10"),
    ("neuron.num_concurrent_forwards", "1"),
    ("neuron.sample_size", "10"),
    ("neuron.disable_set_weights", "true"),
    ("neuron.moving_average_alpha", "0.05"),
    ("neuron.axon_off", "true"),
    ("neuron.vpermit_tao_limit", "4096"),
    ("neuron.query_unique_coldkeys", "true"),
    ("neuron.query_unique_ips", "true"),
    ("neuron.phrase", "say again"),
    ("neuron.decay_alpha", "0"),
    ("neuron.load_in_8bit", "False"),
    ("neuron.load_in_4bit", "False"),
    ("neuron.stop_on_forward_exception", "false"),
    ("neuron.streaming_batch_size", "12"),
    ("neuron.forward_max_time", "120"),
    ("neuron.gpus", "1"),
    ("neuron.llm_max_allowed_memory_in_gb", "62"),
    ("neuron.organic_sample_size", "5"),
    ("neuron.organic_sampling_mode", "random"),
    ("neuron.organic_disabled", "true"),
    ("neuron.organic_timeout", "30"),
    ("neuron.organic_trigger_frequency", "120"),
    ("wallet.name", "cold"),
    ("wallet.hotkey", "hot"),
    ("wallet.path", "~/.bittensor/wallets/"),
    ("subtensor.network", "test"),
    ("subtensor.chain_endpoint", "ws://127.0.0.1:9944"),
    ("subtensor._mock", "false"),
    ("logging.debug", "true"),
    ("logging.trace", "true"),
    ("logging.record_log", "true"),
    ("logging.logging_dir", "~/logs"),
    ("axon.port", "8092"),
    ("axon.ip", "[::]"),
    ("axon.external_ip", "203.0.113.7"),
    ("axon.external_port", "80"),
    ("axon.max_workers", "10"),
];

#[test]
fn takes_every_flag_of_the_original() {
    for (name, value) in ORIGINAL {
        let flag = format!("--{name}");
        let given = flags(&[&flag, value]);
        let expected = FlagValue { key: (*name).to_owned(), values: vec![(*value).to_owned()] };
        assert_eq!(given.values, [expected]);
    }
    let words: Vec<String> = ORIGINAL
        .iter()
        .flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()])
        .collect();
    let line: Vec<&str> = words.iter().map(String::as_str).collect();
    for role in Role::ALL {
        Settings::load(*role, &with_flags(&line)).unwrap();
    }
}

#[test]
fn takes_every_key_from_the_environment_too() {
    let names: Vec<(String, &str)> = ORIGINAL
        .iter()
        .map(|(name, value)| (Key::find(name).unwrap().environment(), *value))
        .collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let settings = validator(&with_environment(&variables));
    assert_eq!(settings.netuid, 61);
    assert_eq!(settings.axon.ip.to_string(), "::");
    assert_eq!(settings.wallet.path, Path::new("/home/u/.bittensor/wallets"));
    assert!(settings.neuron.query_unique_ips);
}

#[test]
fn has_the_defaults_of_each_role() {
    let settings = validator(&inputs());
    assert_eq!(settings.neuron.timeout, Duration::from_secs(10));
    assert_eq!(settings.neuron.sample_size, 10);
    assert_eq!(settings.neuron.num_concurrent_forwards, 1);
    assert_eq!(settings.neuron.name, "validator");
    let shares = [(TaskKind::Summarization, 0.5), (TaskKind::Qa, 0.5)]
        .map(|(kind, probability)| TaskShare { kind, probability });
    assert_eq!(settings.neuron.task_mix, shares);

    let miner = Settings::load(Role::Miner, &inputs()).unwrap().settings;
    assert_eq!((miner.miner.kind, miner.neuron.name.as_str()), (MinerKind::Model, "miner"));

    let local = Settings::load(Role::Localnet, &Inputs::default()).unwrap().settings;
    assert_eq!(local.neuron.timeout, Duration::from_secs(60));
    assert_eq!((local.neuron.max_tokens, local.neuron.num_concurrent_forwards), (96, 4));
    assert_eq!((local.localnet.block_time, local.localnet.tempo), (Duration::from_secs(2), 20));
    assert_eq!((local.netuid, local.run.seed, local.run.steps), (1, None, None));
    assert_eq!(local.neuron.task_mix.len(), 3);
}

#[test]
fn ships_files_that_hold_every_key_their_role_uses() {
    for role in Role::ALL {
        // What is optional stands there as an example, commented out.
        let text = role.defaults();
        let examples: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(k, _)| !k.contains(' ')) => rest,
                _ => line,
            })
            .collect();
        let folder = TempDir::new().unwrap();
        let path = write(&folder, "all.toml", &examples.join("\n"));
        let loaded = Settings::load(*role, &with_file(&path)).unwrap();
        assert_eq!(loaded.warnings, [], "keys that {role:?} has no use for");
        for origin in &loaded.origins.0 {
            let place = Place::File { path: path.clone(), line: None };
            assert_eq!(origin.place, place, "{} is missing", origin.key.name);
            assert!(!origin.value.is_null());
            assert_eq!(
                toml_file::leaves(text).unwrap().iter().any(|leaf| leaf.key == origin.key.name),
                !origin.key.optional
            );
        }
    }
}

#[test]
fn lets_a_later_layer_win() {
    let (near, far) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&far, "validator.toml", "neuron.sample_size = 1\n");
    let mut inputs = inputs();
    inputs.search = vec![near.path().to_owned(), far.path().to_owned()];
    let size = |inputs: &Inputs| validator(inputs).neuron.sample_size;
    assert_eq!(size(&inputs), 1);
    let path = write(&near, "validator.toml", "[neuron]\nsample_size = 2\n");
    assert_eq!(size(&inputs), 2);
    inputs.flags.overlays.push(write(
        &near,
        "a.toml",
        "[neuron]\nsample_size = 3\ntimeout = 3.5\n",
    ));
    assert_eq!(size(&inputs), 3);
    inputs.flags.overlays.push(write(&near, "b.toml", "[neuron]\nsample_size = 4\n"));
    assert_eq!(size(&inputs), 4);
    inputs.environment = vec![("SN1_NEURON__SAMPLE_SIZE".to_owned(), "5".to_owned())];
    assert_eq!(size(&inputs), 5);
    inputs.flags.values = flags(&["--neuron.sample_size", "6"]).values;
    assert_eq!(size(&inputs), 6);
    assert_eq!(validator(&inputs).neuron.timeout, Duration::from_millis(3_500));
    assert!(path.exists(), "the first folder's file was replaced by the second's");
}

#[test]
fn says_where_each_value_came_from() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "x.toml", "[neuron]\ntimeout = 3\nsample_size = 3\n");
    let mut inputs = with_environment(&[("SN1_NEURON__SAMPLE_SIZE", "5")]);
    inputs.flags = flags(&["--config", path.to_str().unwrap(), "--steps", "9"]);
    let origins = Settings::load(Role::Validator, &inputs).unwrap().origins;
    let place = |key: &str| origins.find(key).unwrap().place.clone();
    assert_eq!(place("netuid"), Place::Default);
    assert_eq!(place("neuron.timeout"), Place::File { path: path.clone(), line: None });
    assert_eq!(place("neuron.sample_size"), Place::Environment("SN1_NEURON__SAMPLE_SIZE".into()));
    assert_eq!(place("run.steps"), Place::Flag("--run.steps".into()));
    assert_eq!(origins.find("localnet.tempo"), None);

    let json = origins.to_json();
    let expected = json!({ "value": 3.0, "layer": "file", "source": path.display().to_string() });
    assert_eq!(json["neuron.timeout"], expected);
    assert_eq!(json["run.seed"], json!({ "value": null, "layer": "default", "source": null }));
    assert_eq!(json["neuron.tasks"]["value"][0], "summarization");
    let table = origins.to_table();
    let line = |key: &str| table.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(line("neuron.sample_size").ends_with("environment SN1_NEURON__SAMPLE_SIZE"), "{table}");
    assert!(line("netuid").ends_with("built-in default"), "{table}");
    assert_eq!(table.lines().count(), origins.0.len());
}

#[test]
fn hides_what_a_secret_name_holds() {
    let named = |name| Key { name, ..*Key::find("neuron.name").unwrap() };
    for name in ["openai.api_key", "wallet.password", "gateway.admin_token", "secret"] {
        assert!(named(name).is_secret(), "{name}");
    }
    for name in ["neuron.max_tokens", "wallet.hotkey", "gateway.monkey"] {
        assert!(!named(name).is_secret(), "{name}");
    }
    assert!(!KEYS.iter().any(Key::is_secret));
}

#[test]
fn says_where_an_unknown_key_stands_and_what_was_meant() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "x.toml", "[neuron]\n# a\ntimout = 3\n");
    // figment alone would blame the environment for it.
    let mut inputs = with_file(&path);
    inputs.environment = vec![("SN1_NEURON__TIMEOUT".to_owned(), "5".to_owned())];
    let problem = only(Role::Validator, &inputs);
    let suggestion = Some("neuron.timeout".to_owned());
    let kind = ProblemKind::UnknownKey { key: "neuron.timout".to_owned(), suggestion };
    assert_eq!(problem, Problem { place: Place::File { path: path.clone(), line: Some(3) }, kind });
    assert_eq!(
        problem.to_string(),
        format!(
            "{}:3: unknown key `neuron.timout`; did you mean `neuron.timeout`?",
            path.display()
        )
    );

    let problem = only(Role::Validator, &with_environment(&[("SN1_NEURON__TIMOUT", "3")]));
    assert_eq!(
        problem.to_string(),
        "environment SN1_NEURON__TIMOUT: unknown key `SN1_NEURON__TIMOUT`; did you mean \
         `SN1_NEURON__TIMEOUT`?"
    );
    let problem = only(Role::Validator, &with_environment(&[("SN1__NETUDI", "3")]));
    assert!(problem.to_string().ends_with("did you mean `SN1__NETUID`?"), "{problem}");

    let error = command().try_get_matches_from(["sn1", "--neuron.timout", "3"]).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("--neuron.timout") && message.contains("'--neuron.timeout'"),
        "{message}"
    );
}

#[test]
fn blames_the_layer_that_has_the_wrong_value() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "x.toml", "[neuron]\ntimeout = \"soon\"\nname = 3\n");
    let mut inputs = with_file(&path);
    inputs.environment = vec![("SN1_NEURON__TIMEOUT".to_owned(), "5".to_owned())];
    let message = refusal(Role::Validator, &inputs).to_string();
    let path = path.display();
    for line in [
        format!(
            "{path}:2: `neuron.timeout` must be a number of seconds above 0 to 3600, not \"soon\""
        ),
        format!("{path}:3: `neuron.name` must be a text, not 3"),
        "2 problems".to_owned(),
    ] {
        assert!(message.contains(&line), "{line}\n{message}");
    }
    assert!(!message.contains("environment"), "{message}");
}

#[test]
fn reports_the_problems_of_all_layers_at_once() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "x.toml", "[neuron]\nsample_sizes = 3\n");
    let mut inputs = with_environment(&[("SN1_AXON__PORT", "0")]);
    let line =
        ["--neuron.moving_average_alpha", "-1", "--neuron.task_p", "1", "0.5", "0", "0", "0"];
    inputs.flags = flags(&line);
    inputs.flags.overlays.push(path);
    let errors = refusal(Role::Validator, &inputs);
    let message = errors.to_string();
    assert_eq!(errors.0.len(), 4, "{message}");
    for part in [
        "x.toml:2: unknown key `neuron.sample_sizes`; did you mean `neuron.sample_size`?",
        "environment SN1_AXON__PORT: `axon.port` must be a whole number from 1 to 65535, not \"0\"",
        "flag --neuron.moving_average_alpha: `neuron.moving_average_alpha` must be a number above 0 to 1, not \"-1\"",
        "flag --neuron.task_p: `neuron.task_p` must sum to 1, not 1.5",
    ] {
        assert!(message.contains(part), "{part}\n{message}");
    }
}

#[test]
fn refuses_what_is_out_of_range() {
    for line in [
        ["--neuron.timeout", "0"],
        ["--neuron.timeout", "nan"],
        ["--neuron.timeout", "inf"],
        ["--neuron.sample_size", "0"],
        ["--neuron.sample_size", "1.5"],
        ["--in-flight", "0"],
        ["--neuron.moving_average_alpha", "0"],
        ["--neuron.moving_average_alpha", "1.01"],
        ["--axon.port", "65536"],
        ["--axon.ip", "localhost"],
        ["--neuron.top_p", "0"],
        ["--neuron.disable_set_weights", "perhaps"],
        ["--subtensor.chain_endpoint", "http://x"],
        ["--wallet.path", ""],
        ["--neuron.tasks", ","],
        ["--steps", "0"],
        ["--steps", "18446744073709551616"],
        ["--neuron.device", "gpu"],
    ] {
        let problem = only(Role::Validator, &with_flags(&line));
        assert!(matches!(problem.kind, ProblemKind::BadValue { .. }), "{line:?}: {problem}");
        assert!(matches!(problem.place, Place::Flag(_)), "{line:?}: {problem}");
    }
    let seed = validator(&with_flags(&["--seed", "18446744073709551615"])).run.seed;
    assert_eq!(seed, Some(u64::MAX));
}

#[test]
fn refuses_tasks_and_probabilities_that_do_not_go_together() {
    let refusal = |line: &[&str]| only(Role::Validator, &with_flags(line)).to_string();
    let message = refusal(&["--neuron.tasks", "qa", "math"]);
    assert!(message.contains("2 names (flag --neuron.tasks)"), "{message}");
    assert!(message.contains("5 numbers (built-in default)"), "{message}");
    let message = refusal(&["--neuron.tasks", "qa", "qa", "--neuron.task_p", "0.5", "0.5"]);
    assert!(message.contains("names \"qa\" twice"), "{message}");
    let message = refusal(&["--neuron.tasks", "qa", "poetry", "--neuron.task_p", "1", "0"]);
    assert!(message.contains("qa, summarization, math"), "{message}");
    let third = ["--neuron.tasks", "qa,math,summarization", "--neuron.task_p"];
    let thirds: Vec<&str> =
        third.iter().copied().chain(["0.3333333", "0.3333333", "0.3333334"]).collect();
    assert_eq!(validator(&with_flags(&thirds)).neuron.task_mix.len(), 3);
}

#[test]
fn refuses_a_device_that_this_build_lacks() {
    for device in ["cuda", "cuda:1"] {
        let problem = only(Role::Miner, &with_flags(&["--neuron.device", device]));
        assert!(matches!(problem.kind, ProblemKind::NoCuda { .. }), "{problem}");
        assert!(problem.to_string().contains("--features cuda"), "{problem}");
        assert_eq!(problem.place, Place::Flag("--neuron.device".to_owned()));
    }
}

#[test]
fn refuses_what_later_parts_bring_unless_it_is_left_at_its_default() {
    for key in KEYS {
        if let Meaning::Later { default, .. } = key.meaning {
            let flag = key.flag();
            let loaded = Settings::load(Role::Validator, &with_flags(&[&flag, default])).unwrap();
            assert_eq!(loaded.warnings, []);
        }
    }
    for (role, line) in [
        (Role::Validator, &["--mock"][..]),
        (Role::Validator, &["--neuron.decay_alpha", "0.001"]),
        (Role::Miner, &["--openai.model_name", "gpt-9"]),
        (Role::Miner, &["--miner.kind", "openai"]),
        (Role::Localnet, &["--localnet.miners", "echo", "mock"]),
        (Role::Validator, &["--neuron.tasks", "qa,date_qa", "--neuron.task_p", "0.5,0.5"]),
    ] {
        let problem = only(role, &with_flags(line));
        assert!(matches!(problem.kind, ProblemKind::Later { .. }), "{line:?}: {problem}");
        assert!(problem.to_string().contains("does not have yet"), "{problem}");
    }
    // A flag can take back what a file asks for.
    let folder = TempDir::new().unwrap();
    let mut inputs = with_file(&write(&folder, "x.toml", "mock = true\n"));
    assert!(matches!(only(Role::Miner, &inputs).kind, ProblemKind::Later { .. }));
    inputs.flags.values = flags(&["--mock", "false"]).values;
    assert!(Settings::load(Role::Miner, &inputs).is_ok());
}

#[test]
fn warns_once_about_what_has_no_effect() {
    let mut inputs = with_environment(&[
        ("SN1_WANDB__OFF", "true"),
        ("SN1_LOCALNET__TEMPO", "3"),
        ("SN1_NETUID", "5"),
        ("SN1_UNRELATED", "x"),
    ]);
    inputs.flags = flags(&["--wandb.off"]);
    let loaded = Settings::load(Role::Validator, &inputs).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "environment SN1_LOCALNET__TEMPO: `localnet.tempo` has no effect in `sn1 validator`",
            "environment SN1_NETUID: without `__` this is not read; `SN1__NETUID` is",
            "environment SN1_WANDB__OFF: `wandb.off` has no effect: nothing is sent to wandb; the \
             journal holds the same records",
        ]
    );
    assert_eq!((loaded.settings.netuid, loaded.settings.localnet.tempo), (1, 20));
}

#[test]
fn takes_an_alias_for_its_key() {
    for (alias, name) in ALIASES {
        assert!(Key::find(name).is_some() && Key::find(alias).is_none(), "{alias}");
        let value = if *alias == "axon_off" { "true" } else { "7" };
        let (short, long) = (format!("--{alias}"), format!("--{name}"));
        assert_eq!(flags(&[&short, value]), flags(&[&long, value]));
        // The last wins, whichever way it is written.
        assert_eq!(flags(&[&long, "1", &short, value]), flags(&[&long, value]));
    }
}

#[test]
fn takes_bare_switches_and_lists_in_both_forms() {
    let settings = validator(&with_flags(&["--neuron.axon_off", "--logging.debug", "false"]));
    assert!(settings.neuron.axon_off && !settings.logging.debug);
    let spaced = flags(&["--neuron.tasks", "qa", "math", "--neuron.task_p", ".5", ".5"]);
    let joined = flags(&["--neuron.tasks", "qa,math", "--neuron.task_p=.5,.5"]);
    let load = |flags| Settings::load(Role::Validator, &Inputs { flags, ..inputs() }).unwrap();
    assert_eq!(load(spaced).settings, load(joined).settings);
    let twice = ["--neuron.tasks", "math", "--neuron.tasks", "qa", "--neuron.task_p", "1"];
    assert_eq!(validator(&with_flags(&twice)).neuron.task_mix[0].kind, TaskKind::Qa);
}

#[test]
fn helps_with_the_flags_in_use_first() {
    let mut command = command();
    let (short, long) = (command.render_help().to_string(), command.render_long_help().to_string());
    assert!(short.contains("--neuron.timeout") && !short.contains("--wandb.off"), "{short}");
    assert!(short.contains("Local network:") && short.contains("--steps]"), "{short}");
    for part in ["--wandb.off", "Accepted, without effect:", "Not in this build yet:"] {
        assert!(long.contains(part), "{part}\n{long}");
    }
    assert_eq!(collect_flags(&Command::new("x").get_matches_from(["x"])), FlagValues::default());
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let folder = TempDir::new().unwrap();
    let message = |path: &Path| only(Role::Localnet, &with_file(path)).to_string();
    let broken = message(&write(&folder, "broken.toml", "netuid = 1\n[neuron\n"));
    assert!(broken.contains("broken.toml:2: not valid TOML: "), "{broken}");
    let twice = message(&write(&folder, "twice.toml", "netuid = 1\n\nnetuid = 2\n"));
    assert!(twice.contains("twice.toml:3: not valid TOML: "), "{twice}");
    let missing = message(&folder.path().join("missing.toml"));
    assert!(missing.contains("missing.toml: cannot read the file: there is no such"), "{missing}");
    assert!(message(folder.path()).contains("cannot read the file"));
    let large = message(&write(&folder, "large.toml", &"#\n".repeat(1 << 20)));
    assert!(large.contains("larger than"), "{large}");
    let section = message(&write(&folder, "section.toml", "neuron = 5\n"));
    assert!(section.contains("`neuron` must be a section, [neuron], not 5"), "{section}");

    // A file that is found but cannot be read is not passed over in silence.
    fs::create_dir(folder.path().join("miner.toml")).unwrap();
    let inputs = Inputs { search: vec![folder.path().to_owned()], ..inputs() };
    assert!(matches!(only(Role::Miner, &inputs).kind, ProblemKind::Unreadable(_)));
}

#[test]
fn unsets_an_optional_key_with_an_empty_text() {
    let folder = TempDir::new().unwrap();
    let mut inputs =
        with_file(&write(&folder, "x.toml", "[journal]\nfile = \"j\"\n[run]\nsteps = 3\n"));
    assert_eq!(validator(&inputs).journal.file, Some(PathBuf::from("j")));
    inputs.flags.values = flags(&["--journal", "", "--steps", ""]).values;
    let loaded = Settings::load(Role::Validator, &inputs).unwrap();
    assert_eq!((loaded.settings.journal.file, loaded.settings.run.steps), (None, None));
    let origin = loaded.origins.find("run.steps").unwrap();
    assert_eq!((&origin.value, &origin.place), (&json!(null), &Place::Flag("--run.steps".into())));
}

#[test]
fn never_makes_a_folder_of_the_name_tilde() {
    let homeless = Inputs::default();
    let errors = refusal(Role::Validator, &homeless);
    let message = errors.to_string();
    assert!(message.contains("`wallet.path`") && message.contains("HOME"), "{message}");
    let mut inputs = with_flags(&["--wallet.path", "/w", "--logging.logging_dir", "/l"]);
    inputs.home = None;
    assert_eq!(validator(&inputs).wallet.path, Path::new("/w"));
}

#[test]
fn survives_any_value_of_any_key() {
    let long = "é".repeat(10_000);
    let texts = ["", ",", "\0", "nan", "-1", "1e999", "99999999999999999999", "~/", &long];
    let values = ["[]", "[[]]", "nan", "{ a = 1 }", "1979-05-27", "[1, \"a\"]"];
    let folder = TempDir::new().unwrap();
    for key in KEYS.iter().filter(|key| key.meaning == Meaning::Used) {
        let load = |inputs| {
            let result = Settings::load(key.roles[0], &inputs);
            let length = result.err().map_or(0, |errors| errors.to_string().len());
            assert!(length < 1_000, "{}", key.name);
        };
        for text in texts {
            load(with_environment(&[(&key.environment(), text)]));
        }
        for value in values {
            let line = format!("{} = {value}\n", key.name);
            load(with_file(&write(&folder, "x.toml", &line)));
        }
    }
}

#[test]
fn has_each_name_once() {
    for (at, key) in KEYS.iter().enumerate() {
        let earlier = &KEYS[..at];
        assert!(earlier.iter().all(|other| other.name != key.name), "{}", key.name);
        assert!(earlier.iter().all(|other| other.environment() != key.environment()));
    }
    command().debug_assert();
}
