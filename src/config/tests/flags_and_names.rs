use super::*;
use crate::engine::{Dtype, Precision};

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
    assert_eq!(settings.netuid, Some(61));
    assert_eq!(settings.axon.ip.to_string(), "::");
    assert_eq!(settings.wallet.path, Path::new("/home/u/.bittensor/wallets"));
    assert!(settings.neuron.query_unique_ips);
}

#[test]
fn takes_an_alias_for_its_key() {
    for (alias, name) in ALIASES {
        assert!(Key::find(name).is_some() && Key::find(alias).is_none(), "{alias}");
        let value = if *alias == "axon_off" { "true" } else { "7" };
        let (short, long) = (format!("--{alias}"), format!("--{name}"));
        assert_eq!(flags(&[&short, value]), flags(&[&long, value]));
        if Key::find(name).unwrap().kind == Kind::Repeated {
            assert_eq!(flags(&[&long, "1", &short, value]).values[0].values, ["1", value]);
            continue;
        }
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
    assert_eq!(validator(&with_flags(&twice)).neuron.task_mix[0].kind.name(), "qa");
}

#[test]
fn takes_how_the_models_run() {
    let line = ["--engine.precision", "f32", "--engine.threads", "2", "--engine.dtype", "bf16"];
    let engine = validator(&with_flags(&line)).engine;
    assert_eq!(engine.precision, Precision::F32);
    assert_eq!((engine.threads, engine.dtype), (Some(2), Dtype::Bf16));
    let fast = with_environment(&[("SN1_ENGINE__PRECISION", "fast")]);
    assert_eq!(validator(&fast).engine.precision, Precision::Fast);
    let device = |name| Device::parse(name);
    assert_eq!([device("cuda"), device("cuda:3")], [Some(Device::Cuda(0)), Some(Device::Cuda(3))]);
    assert_eq!([device("cuda:"), device("cuda:-1"), device("CPU")], [None; 3]);
}

#[test]
fn helps_with_the_flags_in_use_first() {
    let mut command = command();
    let (short, long) = (command.render_help().to_string(), command.render_long_help().to_string());
    assert!(short.contains("--neuron.timeout") && !short.contains("--neuron.log_full"), "{short}");
    assert!(short.contains("Local network:") && short.contains("--steps]"), "{short}");
    for part in ["--neuron.log_full", "Accepted, without effect:", "Not in this build yet:"] {
        assert!(long.contains(part), "{part}\n{long}");
    }
    assert_eq!(collect_flags(&Command::new("x").get_matches_from(["x"])), FlagValues::default());
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
