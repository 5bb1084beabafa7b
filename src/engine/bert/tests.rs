//! Tests on a tiny encoder with random weights (`scripts/oracles/tiny_bert.py`), and of folders that
//! are damaged or hold something else. The real model is compared in `oracle`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor, safetensors};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn tiny() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine/tiny-bert")
}

/// A copy of the tiny model, without the files of sentence-transformers.
fn copy() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(tiny().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// Why the folder cannot be used.
fn problem(folder: &TempDir) -> (String, LoadProblem) {
    let error = Bert::load(folder.path()).err().expect("it was accepted");
    let file = error.path.strip_prefix(folder.path()).unwrap().to_str().unwrap().into();
    (file, error.problem)
}

fn team(threads: usize) -> ThreadTeam {
    ThreadTeam::with_threads(Some(threads))
}

/// What transformers made, by either pooling.
fn cases(pooling: &str) -> Vec<(String, Vec<f32>)> {
    let cases: Vec<Value> =
        serde_json::from_slice(&fs::read(tiny().join("expected.json")).unwrap()).unwrap();
    let case = |case: &Value| {
        let vector = serde_json::from_value(case[pooling].clone()).unwrap();
        (case["text"].as_str().unwrap().to_owned(), vector)
    };
    cases.iter().map(case).collect()
}

#[test]
fn vectors_are_those_of_transformers() {
    let plain = copy();
    // Else it would be cut at 256, which are more than it has positions.
    write(&plain, "sentence_bert_config.json", "{\"max_seq_length\": 40}");
    for (folder, pooling) in [(tiny(), "cls"), (plain.path().to_owned(), "mean")] {
        let bert = Bert::load(&folder).unwrap();
        let (texts, wanted): (Vec<String>, Vec<Vec<f32>>) = cases(pooling).into_iter().unzip();
        for isa in Isa::all() {
            let found = bert.embed(&mut team(2), isa, &texts).unwrap();
            assert_eq!(found.len(), wanted.len());
            for ((text, wanted), found) in texts.iter().zip(&wanted).zip(&found) {
                assert_eq!(wanted.len(), found.len());
                for (wanted, found) in wanted.iter().zip(found) {
                    assert!((wanted - found).abs() < 1e-5, "{isa:?} {text}: {wanted} {found}");
                }
            }
        }
        assert!(bert.embed(&mut team(1), Isa::detect(), &[]).unwrap().is_empty());
    }
}

#[test]
fn a_vector_depends_on_neither_the_batch_nor_the_threads() {
    let bert = Bert::load(&tiny()).unwrap();
    // Several batches, of 2 to 40 tokens a text.
    let texts: Vec<String> =
        (0..70).map(|i| "the cat ran , and ".repeat(i * 11 % 9) + &"x".repeat(i % 7)).collect();
    for isa in Isa::all() {
        let together = bert.embed(&mut team(3), isa, &texts).unwrap();
        let mut alone = team(1);
        for (text, together) in texts.iter().zip(&together) {
            let apart = bert.embed(&mut alone, isa, std::slice::from_ref(text)).unwrap();
            assert_eq!(apart[0], *together, "{isa:?} {text}");
        }
        let (first, second) = texts.split_at(33);
        let mut halves = bert.embed(&mut alone, isa, second).unwrap();
        halves.splice(..0, bert.embed(&mut alone, isa, first).unwrap());
        assert_eq!(halves, together);
    }
}

#[test]
fn odd_texts_have_vectors_of_unit_length() {
    let bert = Bert::load(&tiny()).unwrap();
    let texts = [
        " ".repeat(3_000_000),
        "猫".repeat(400_000),
        "\0\u{7}\u{200b}\u{feff}".into(),
        "[CLS] [SEP] [MASK] [PAD]".into(),
        "a\u{301}".repeat(10_000),
    ];
    for vector in bert.embed(&mut team(2), Isa::detect(), &texts).unwrap() {
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn pooling_and_length_are_read_or_guessed_from_the_size() {
    let folder = copy();
    let read = || Config::read(folder.path()).map(|config| (config.pooling, config.max_tokens));
    assert_eq!(read().unwrap(), (Pooling::Mean, 64), "no more than it has positions");
    let mut config: Value =
        serde_json::from_slice(&fs::read(tiny().join("config.json")).unwrap()).unwrap();
    config["max_position_embeddings"] = json!(512);
    write(&folder, "config.json", config.to_string());
    assert_eq!(read().unwrap(), (Pooling::Mean, 256));
    config["hidden_size"] = json!(1024);
    config["num_hidden_layers"] = json!(24);
    write(&folder, "config.json", config.to_string());
    assert_eq!(read().unwrap(), (Pooling::Cls, 512));
    write(&folder, "1_Pooling/config.json", "{\"pooling_mode\": \"mean\"}");
    write(&folder, "sentence_bert_config.json", "{\"max_seq_length\": 99}");
    assert_eq!(read().unwrap(), (Pooling::Mean, 99));
    write(&folder, "sentence_bert_config.json", "{\"max_seq_length\": null}");
    write(&folder, "1_Pooling/config.json", "{\"pooling_mode_mean_tokens\": true}");
    assert_eq!(read().unwrap(), (Pooling::Mean, 512));
}

#[test]
fn what_cannot_be_run_is_refused() {
    for (name, contents, cause) in [
        ("1_Pooling/config.json", json!({"pooling_mode_max_tokens": true}), "pooling \"max\""),
        ("1_Pooling/config.json", json!({"pooling_mode": "lasttoken"}), "pooling \"lasttoken\""),
        (
            "1_Pooling/config.json",
            json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}),
            "pooling \"cls+mean\"",
        ),
        ("1_Pooling/config.json", json!({}), "pooling \"\""),
        ("1_Pooling/config.json", json!([1]), "damaged"),
        ("sentence_bert_config.json", json!({"max_seq_length": 0}), "no tokens"),
        ("sentence_bert_config.json", json!({"max_seq_length": -1}), "damaged"),
        ("tokenizer.json", json!({}), "damaged"),
    ] {
        let folder = copy();
        write(&folder, name, contents.to_string());
        let (file, problem) = problem(&folder);
        assert!(file == name && problem.to_string().contains(cause), "{file}: {problem}");
    }
    for (key, value, cause) in [
        ("hidden_act", json!("relu"), "activation relu"),
        ("hidden_size", json!(0), "sizes"),
        ("hidden_size", json!(25), "sizes"),
        ("hidden_size", json!(-24), "damaged"),
        ("num_attention_heads", json!(0), "sizes"),
        ("num_attention_heads", json!(7), "sizes"),
        ("num_hidden_layers", json!(1_000_000), "sizes"),
        ("max_position_embeddings", json!(0), "sizes"),
        ("layer_norm_eps", json!(-1.0), "sizes"),
        ("layer_norm_eps", json!("x"), "damaged"),
        ("vocab_size", json!(20), "more tokens"),
        ("vocab_size", json!(usize::MAX), "embeddings.word_embeddings.weight has the shape"),
        ("intermediate_size", json!(41), "intermediate.dense.weight has the shape"),
        ("num_hidden_layers", json!(3), "lacks the tensor encoder.layer.2."),
    ] {
        let folder = copy();
        let mut config: Value =
            serde_json::from_slice(&fs::read(tiny().join("config.json")).unwrap()).unwrap();
        config[key] = value;
        write(&folder, "config.json", config.to_string());
        let (file, problem) = problem(&folder);
        assert!(problem.to_string().contains(cause), "{key} in {file}: {problem}");
    }
}

#[test]
fn missing_and_misshapen_tensors_are_named() {
    let whole = safetensors::load(tiny().join("model.safetensors"), &Device::Cpu).unwrap();
    assert_eq!(whole.len(), 5 + 2 * 16);
    let folder = copy();
    let save = |tensors: &HashMap<String, Tensor>| {
        safetensors::save(tensors, folder.path().join("model.safetensors")).unwrap();
    };
    for name in whole.keys() {
        let mut tensors = whole.clone();
        let tensor = tensors.remove(name).unwrap();
        save(&tensors);
        let lacks = |name: &str| format!("it lacks the tensor {name};");
        assert!(problem(&folder).1.to_string().contains(&lacks(name)));
        tensors.insert(name.clone(), tensor.unsqueeze(0).unwrap());
        save(&tensors);
        assert!(problem(&folder).1.to_string().contains(&format!("tensor {name} has the shape")));
    }
    let nested = whole.into_iter().map(|(name, tensor)| (format!("bert.{name}"), tensor));
    save(&nested.collect());
    Bert::load(folder.path()).unwrap();
}

#[test]
fn damaged_weights_are_refused_or_harmless() {
    let folder = copy();
    let whole = fs::read(tiny().join("model.safetensors")).unwrap();
    for case in 0..200 {
        write(&folder, "model.safetensors", &whole[..whole.len() * case / 200]);
        let problem = problem(&folder).1;
        assert!(matches!(problem, LoadProblem::Damaged(_)), "{case}: {problem}");
    }
    // Mostly in the header, which ends after some 4000 bytes.
    let mut refused = 0;
    for case in 0..400 {
        let mut bytes = whole.clone();
        bytes[if case < 300 { case * 13 } else { case * 131 }] ^= 1 << (case % 8);
        write(&folder, "model.safetensors", bytes);
        match Bert::load(folder.path()) {
            Err(_) => refused += 1,
            Ok(bert) => {
                bert.embed(&mut team(1), Isa::detect(), &["the cat".into()]).unwrap();
            }
        }
    }
    assert!(refused > 200, "{refused}");
}
