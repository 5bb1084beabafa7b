use std::time::Duration;

use serde_json::json;

use super::*;
use crate::engine::{Dtype, Precision};

#[test]
fn has_the_defaults_of_each_role() {
    let settings = validator(&inputs());
    assert_eq!(settings.neuron.timeout, Duration::from_secs(10));
    assert_eq!(settings.neuron.sample_size, 10);
    assert_eq!(settings.neuron.num_concurrent_forwards, 1);
    assert_eq!(settings.neuron.name, "validator");
    let mix = settings.neuron.task_mix.iter();
    let mix: Vec<_> = mix.map(|share| (share.kind.name(), share.probability)).collect();
    assert_eq!(mix, [("summarization", 0.5), ("qa", 0.5)]);

    let miner = Settings::load(Role::Miner, &inputs()).unwrap().settings;
    assert_eq!((miner.miner.kind, miner.neuron.name.as_str()), (MinerKind::Model, "miner"));

    for role in Role::ALL {
        let settings = Settings::load(*role, &inputs()).unwrap().settings;
        assert_eq!(settings.neuron.device, Device::Cpu);
        let engine = settings.engine;
        assert_eq!((engine.precision, engine.threads), (Precision::Faithful, None));
        assert_eq!((engine.kv_tokens, engine.prefix_cache), (16_384, true));
        assert_eq!((engine.max_sequences, engine.prefill_tokens), (32, 128));
        assert_eq!(engine.dtype, Dtype::Auto);
    }

    let local = Settings::load(Role::Localnet, &Inputs::default()).unwrap().settings;
    assert_eq!(local.neuron.timeout, Duration::from_secs(60));
    assert_eq!((local.neuron.max_tokens, local.neuron.num_concurrent_forwards), (96, 4));
    assert_eq!((local.localnet.block_time, local.localnet.tempo), (Duration::from_secs(1), 20));
    assert_eq!((local.netuid, local.run.seed, local.run.steps), (Some(1), None, None));
    let mix = local.neuron.task_mix.iter();
    let mix: Vec<_> = mix.map(|share| (share.kind.name(), share.probability)).collect();
    let [articles, others] =
        [[("qa", 0.3), ("summarization", 0.3)], [("date_qa", 0.1), ("debugging", 0.1)]];
    assert_eq!(mix, [&articles[..], &[("math", 0.2)], &others].concat());
}

#[test]
fn ships_files_that_hold_every_key_their_role_uses() {
    for role in Role::ALL {
        // What is optional stands there as an example, commented out.
        let text = role.defaults();
        let examples: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') => rest,
                Some(rest) if rest.split_once(" = ").is_some_and(|(k, _)| !k.contains(' ')) => rest,
                _ => line,
            })
            .collect();
        let folder = TempDir::new().unwrap();
        let path = write(&folder, "all.toml", &examples.join("\n"));
        let loaded = Settings::load(*role, &with_file(&path)).unwrap();
        assert_eq!(loaded.warnings, [], "keys that {role:?} has no use for");
        for origin in &loaded.origins.0 {
            // Of the lists of tables only one stands there, for all.
            let Some(key) = Key::find(&origin.name) else { continue };
            let place = Place::File { path: path.clone(), line: None };
            assert_eq!(origin.place, place, "{} is missing", key.name);
            assert!(!origin.value.is_null());
            // Nobody joins a network or a subnet by default, but a local one is joined by nobody else.
            let own =
                *role == Role::Localnet && ["netuid", "subtensor.network"].contains(&key.name);
            assert_eq!(
                toml_file::leaves(text).unwrap().iter().any(|leaf| leaf.key == key.name),
                own || !key.optional,
                "{}",
                key.name
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
