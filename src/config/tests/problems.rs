use super::*;

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
    let mut line = vec!["--neuron.moving_average_alpha", "-1", "--neuron.task_p", "1", "0.5"];
    line.extend(["0"; 8]);
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
fn shows_foreign_text_shortened_and_without_control_characters() {
    let folder = TempDir::new().unwrap();
    let name = format!("\\u001b[2J{}", "x".repeat(5_000));
    let path = write(&folder, "x.toml", &format!("\"{name}\" = 1\n\"\" = 1\n"));
    let message = refusal(Role::Miner, &with_file(&path)).to_string();
    assert!(message.starts_with("2 problems") && message.len() < 600, "{message}");
    assert!(!message.contains('\u{1b}') && message.contains("unknown key ``"), "{message}");
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
        ["--subtensor.network", "finny"],
        ["--subtensor.network", "https://x"],
        ["--subtensor.chain_endpoint", "http://x"],
        ["--subtensor.chain_endpoint", "ws://a.example,b.example"],
        ["--subtensor.chain_endpoint", "ws://"],
        ["--subtensor.chain_endpoint", "wss://me:secret@a.example"],
        ["--wallet.path", ""],
        ["--neuron.tasks", ","],
        ["--steps", "0"],
        ["--steps", "18446744073709551616"],
        ["--neuron.device", "gpu"],
        ["--neuron.device", "cuda:first"],
        ["--neuron.device", "cuda:+1"],
        ["--engine.precision", "exact"],
        ["--engine.threads", "0"],
        ["--engine.kv_tokens", "31"],
        ["--engine.max_sequences", "0"],
        ["--engine.prefill_tokens", "0"],
        ["--engine.dtype", "f64"],
        ["--tools.sources", "wikipedia,bing"],
        ["--tools.contact", "me"],
        ["--tools.contact", "me@example.org\r\nX-Evil: 1"],
        ["--tools.requests_per_second", "0"],
        ["--tools.in_flight", "0"],
        ["--tools.tries", "0"],
        ["--tools.prefetch", "65"],
        ["--tools.wikipedia_api", "en.wikipedia.org"],
        ["--tools.wikipedia_api", "https://me:secret@en.wikipedia.org/w/api.php"],
        ["--tools.wikipedia_api", "https://en.wikipedia.org/w/api.php?action=query"],
        ["--tools.stackexchange_api", "ftp://x"],
        ["--tools.stackexchange_api", "https://api.stackexchange.com/2.3#key"],
        ["--tools.stackexchange_site", "stack&overflow"],
        ["--tools.wikipedia_token_env", "my-token"],
        ["--gateway.rhythm", "5.1"],
    ] {
        let problem = only(Role::Validator, &with_flags(&line));
        assert!(matches!(problem.kind, ProblemKind::BadValue { .. }), "{line:?}: {problem}");
        assert!(matches!(problem.place, Place::Flag(_)), "{line:?}: {problem}");
    }
    let seed = validator(&with_flags(&["--seed", "18446744073709551615"])).run.seed;
    assert_eq!(seed, Some(u64::MAX));
}

#[test]
fn suggests_the_source_that_was_meant_and_takes_each_once() {
    let refusal = |sources: &str| {
        only(Role::Validator, &with_flags(&["--tools.sources", sources])).to_string()
    };
    let message = refusal("wikipdia");
    for part in ["zim, stackexchange", "\"wikipdia\"; did you mean `wikipedia`?"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!refusal("google").contains("did you mean"));
    assert!(refusal("maths,zim,maths").contains("names \"maths\" twice"));
    for address in ["https://me:secret@wiki.org/w/api.php", "https://wiki.org/api.php?key=secret"] {
        let refused =
            only(Role::Validator, &with_flags(&["--tools.wikipedia_api", address])).to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}

#[test]
fn refuses_tasks_and_probabilities_that_do_not_go_together() {
    let refusal = |line: &[&str]| only(Role::Validator, &with_flags(line)).to_string();
    let message = refusal(&["--neuron.tasks", "qa", "math"]);
    assert!(message.contains("2 names (flag --neuron.tasks)"), "{message}");
    assert!(message.contains("10 numbers (built-in default)"), "{message}");
    let message = refusal(&["--neuron.tasks", "qa", "qa", "--neuron.task_p", "0.5", "0.5"]);
    assert!(message.contains("names \"qa\" twice"), "{message}");
    let message = refusal(&["--neuron.tasks", "qa", "poetry", "--neuron.task_p", "1", "0"]);
    assert!(message.contains("date_qa, generic_instruction"), "{message}");
    let third = ["--neuron.tasks", "qa,math,summarization", "--neuron.task_p"];
    let thirds: Vec<&str> =
        third.iter().copied().chain(["0.3333333", "0.3333333", "0.3333334"]).collect();
    assert_eq!(validator(&with_flags(&thirds)).neuron.task_mix.len(), 3);
}

#[test]
fn refuses_a_device_that_this_build_lacks() {
    if Device::HAS_CUDA {
        let settings = Settings::load(Role::Miner, &with_flags(&["--neuron.device", "cuda:1"]));
        assert_eq!(settings.unwrap().settings.neuron.device, Device::Cuda(1));
        return;
    }
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
        (Role::Miner, &["--neuron.organic_timeout", "9"]),
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
        ("SN1_WANDB__ON", "true"),
        ("SN1_LOCALNET__TEMPO", "3"),
        ("SN1_NETUID", "5"),
        ("SN1_UNRELATED", "x"),
    ]);
    inputs.flags = flags(&["--wandb.on"]);
    let loaded = Settings::load(Role::Validator, &inputs).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "environment SN1_LOCALNET__TEMPO: `localnet.tempo` has no effect in `sn1 validator`",
            "environment SN1_NETUID: without `__` this is not read; `SN1__NETUID` is",
            "environment SN1_WANDB__ON: `wandb.on` has no effect: a miner's queries are in its \
             journal alone",
        ]
    );
    assert_eq!((loaded.settings.netuid, loaded.settings.localnet.tempo), (None, 20));
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
fn refuses_addresses_that_are_no_servers_and_repeats_nothing_that_may_be_secret() {
    let problem = |line: &[&str]| only(Role::Miner, &with_flags(line)).to_string();
    for server in ["10.0.0.1:80", "ftp://h", "http://", "https:///v1"] {
        let said = problem(&["--engine.servers", "http://h:1", server]);
        assert!(said.contains("must be http:// or https:// addresses"), "{said}");
        assert!(said.contains(server), "{said}");
    }
    let said = problem(&["--engine.servers", "http://u:sesame@h"]);
    assert!(said.contains("without a user or a key") && !said.contains("sesame"), "{said}");
    for key in ["sk-sesame", "1X", "A B"] {
        let said = problem(&["--engine.server_key_env", key]);
        assert!(said.contains("not the key itself") && !said.contains(key), "{said}");
    }
    assert!(problem(&["--engine.server_in_flight", "0"]).contains("from 1 to 4096"));
}

#[test]
fn takes_servers_from_every_layer() {
    let engine = validator(&with_environment(&[
        ("SN1_ENGINE__SERVERS", "http://a:1,https://b/v1"),
        ("SN1_ENGINE__SERVER_KEY_ENV", "MY_KEY"),
    ]))
    .engine;
    assert_eq!(engine.servers, ["http://a:1", "https://b/v1"]);
    assert_eq!(engine.server_key_env.as_deref(), Some("MY_KEY"));
    assert_eq!((engine.server_model, engine.server_in_flight), (None, 16));
    assert!(validator(&with_environment(&[("SN1_ENGINE__SERVERS", "")])).engine.servers.is_empty());
    assert!(validator(&inputs()).engine.servers.is_empty());
}

#[test]
fn a_mistyped_hotkey_of_the_blacklist_is_refused_by_key_and_text() {
    let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    for (key, variable) in [
        ("blacklist.hotkeys", "SN1_BLACKLIST__HOTKEYS"),
        ("blacklist.allow_hotkeys", "SN1_BLACKLIST__ALLOW_HOTKEYS"),
    ] {
        let right = with_environment(&[(variable, alice)]);
        assert!(Settings::load(Role::Miner, &right).is_ok());
        let mistyped = alice.replace("QY", "QZ");
        let problem = only(Role::Miner, &with_environment(&[(variable, &mistyped)])).to_string();
        assert!(problem.contains(key) && problem.contains(&mistyped), "{problem}");
    }
}
