//! Tests that no damage to a model's files makes the loaders panic or take what the file cannot
//! fill: truncated and flipped in some hundred seeded ways each, and lying in ways of their own.

use std::fs;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::Codec;
use tempfile::TempDir;

use super::codec_cases::{copy, set};
use super::tiny_models::{fixture, load, place, row};
use super::{LoadError, LoadProblem, load_codec};
use sn1_actors::ports::StepEngine;

/// Damaged copies of each file, of either sort.
const CASES: usize = 100;

/// Uses what loads: results may be wrong, and nothing may panic.
fn try_out(path: &Path) -> Result<(), LoadError> {
    if let Ok(codec) = load_codec(path) {
        let chat = [ChatMessage::user("The heron </s> 12\n😀")];
        let ids = codec.encode_chat(&chat).unwrap_or_default();
        codec.decode(&ids);
    }
    let mut engine = load(path)?;
    place(&mut engine, 0, 0, 16);
    let _ = engine.step(&[row(0, 0, 1), row(0, 1, 300)]);
    Ok(())
}

/// Damages the file `damaged` of the model at `model`, again and again.
fn damage(model: &Path, damaged: &Path, seed: u64, may_load_truncated: bool) {
    let whole = fs::read(damaged).unwrap();
    try_out(model).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Half of the damage is where the metadata is.
    let mut place = |case: usize| {
        random.random_range(0..if case.is_multiple_of(2) { whole.len() } else { whole.len() / 8 })
    };
    for case in 0..CASES {
        fs::write(damaged, &whole[..place(case)]).unwrap();
        let outcome = try_out(model);
        assert!(outcome.is_err() || may_load_truncated, "case {case} was accepted");
    }
    for case in 0..CASES {
        let mut bytes = whole.clone();
        for _ in 0..=case % 3 {
            bytes[place(case)] ^= 1 << (case % 8);
        }
        fs::write(damaged, &bytes).unwrap();
        let _ = try_out(model);
    }
    fs::write(damaged, &whole).unwrap();
}

#[test]
fn damaged_gguf_files_are_refused_or_harmless() {
    for (seed, name) in [(1, "tiny-mistral.f32.gguf"), (2, "tiny-mistral.q4_0.gguf")] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        fs::copy(fixture(name), &path).unwrap();
        damage(&path, &path, seed, false);
    }
}

#[test]
fn damaged_folders_are_refused_or_harmless() {
    for (seed, name, file) in [
        (3, "tiny-mistral", "model.safetensors"),
        (4, "tiny-mistral-sharded", "model-00002-of-00002.safetensors"),
        (5, "tiny-mistral-sharded", "model.safetensors.index.json"),
        (6, "tiny-mistral", "config.json"),
    ] {
        let folder = copy(name);
        damage(folder.path(), &folder.path().join(file), seed, false);
    }
    let folder = copy("tiny-mistral");
    // The engine does not need it.
    damage(folder.path(), &folder.path().join("tokenizer.json"), 7, true);
}

/// What the engine says of a folder in which one entry of a JSON file is another.
fn refusal(model: &str, file: &str, at: &str, value: Value) -> LoadError {
    let folder = copy(model);
    set(folder.path(), file, at, value.clone());
    load(folder.path()).err().unwrap_or_else(|| panic!("{at} = {value} was accepted"))
}

#[test]
fn configurations_of_other_models_are_refused_by_name() {
    for (at, value, cause) in [
        ("/model_type", json!("qwen2"), "architecture qwen2"),
        ("/model_type", json!(null), "model_type"),
        ("/model_type", json!(3), "model_type"),
        ("/architectures", json!(["LlamaForSequenceClassification"]), "architectures"),
        ("/hidden_act", json!("gelu"), "hidden_act"),
        ("/attention_bias", json!(true), "attention_bias"),
        ("/mlp_bias", json!(true), "mlp_bias"),
        ("/mlp_bias", json!("yes"), "mlp_bias"),
        ("/rope_scaling", json!({"type": "linear", "factor": 2.0}), "rope_scaling"),
        ("/rope_scaling", json!("linear"), "rope_scaling"),
        ("/rope_parameters", json!({"rope_type": "yarn", "rope_theta": 1.0}), "rope_parameters"),
        ("/rope_theta", json!(-1), "rope_theta"),
        ("/rope_theta", json!(1e300), "rope_theta"),
        ("/partial_rotary_factor", json!(0.5), "partial_rotary_factor"),
        ("/quantization_config", json!({"bits": 4}), "quantization_config"),
        ("/layer_types", json!(["full_attention"]), "layer_types"),
        ("/sliding_window", json!(0), "sizes"),
        ("/sliding_window", json!(-8), "sliding_window"),
        ("/num_attention_heads", json!(0), "sizes"),
        ("/num_key_value_heads", json!(3), "sizes"),
        ("/num_key_value_heads", json!(null), "num_key_value_heads"),
        ("/head_dim", json!(15), "sizes"),
        ("/head_dim", json!(8), "self_attn.q_proj.weight has the shape"),
        ("/hidden_size", json!(1_u64 << 60), "hidden_size"),
        ("/hidden_size", json!(64), "model.embed_tokens.weight has the shape"),
        ("/num_hidden_layers", json!(3), "lacks the tensor model.layers.2."),
        ("/num_hidden_layers", json!(1_000_000_000), "num_hidden_layers"),
        ("/intermediate_size", json!(65), "mlp.gate_proj.weight has the shape"),
        ("/rms_norm_eps", json!(null), "rms_norm_eps"),
        ("/rms_norm_eps", json!(0), "rms_norm_eps"),
        ("/tie_word_embeddings", json!(1), "tie_word_embeddings"),
    ] {
        let error = refusal("tiny-mistral", "config.json", at, value).to_string();
        assert!(error.contains(cause), "{at}: {error}");
    }
}

#[test]
fn a_window_must_be_named_and_may_be_none() {
    let folder = copy("tiny-mistral");
    set(folder.path(), "config.json", "/sliding_window", json!(null));
    load(folder.path()).unwrap();
    let path = folder.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap().replace("sliding_window", "other");
    fs::write(&path, text).unwrap();
    let error = load(folder.path()).err().unwrap();
    assert!(error.to_string().contains("sliding_window"), "{error}");
    assert!(error.path.ends_with("config.json"), "{error}");
}

#[test]
fn indexes_that_lead_elsewhere_are_refused() {
    let (index, tensor) = ("model.safetensors.index.json", "/weight_map/lm_head.weight");
    let other = "model-00001-of-00002.safetensors";
    for (value, cause) in [
        (json!("../model.safetensors"), "names the file"),
        (json!("/etc/passwd"), "names the file"),
        (json!("a\\b.safetensors"), "names the file"),
        (json!(".hidden.safetensors"), "names the file"),
        (json!(""), "names the file"),
        (json!("config.json"), "names the file"),
        (json!("nowhere.safetensors"), "no such file"),
        (json!(other), "lacks the tensor lm_head.weight"),
        (json!(7), "damaged"),
    ] {
        let error = refusal("tiny-mistral-sharded", index, tensor, value.clone()).to_string();
        assert!(error.contains(cause), "{value}: {error}");
    }
    let many: serde_json::Map<String, Value> =
        (0..1000).map(|i| (format!("t{i}"), json!(format!("{i}.safetensors")))).collect();
    let error = refusal("tiny-mistral-sharded", index, "/weight_map", Value::Object(many));
    assert!(error.to_string().contains("1000 files"), "{error}");
    let error = refusal("tiny-mistral-sharded", index, "/weight_map", json!({}));
    assert!(error.to_string().contains("0 files"), "{error}");
}

/// A safetensors file of this header, with so many bytes after it.
fn safetensors(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

#[test]
fn headers_that_lie_are_refused() {
    let entry = |dtype: &str, shape: &str, begin: u64, end: u64| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let one = |entry: String| format!(r#"{{"a":{entry}}}"#);
    let two = |first: String, second: String| format!(r#"{{"a":{first},"b":{second}}}"#);
    let twice =
        format!(r#"{{"a":{},"a":{}}}"#, entry("F32", "[2]", 0, 8), entry("F32", "[2]", 8, 16));
    let huge = u64::MAX.to_le_bytes().to_vec();
    let long = [(1_u64 << 24).to_le_bytes().as_slice(), b"{}"].concat();
    for (file, cause) in [
        (Vec::new(), "its header"),
        (vec![1, 0, 0], "its header"),
        (huge, "its header would have"),
        (long, "ends within its header"),
        (safetensors("{", 0), "its header"),
        (safetensors("[]", 0), "its header"),
        (safetensors(&"[".repeat(5000), 0), "its header"),
        (safetensors(&one(entry("F32", "[2]", 0, 8)), 4), "ends within tensor a"),
        (safetensors(&one(entry("F32", "[2]", 0, 8)), 9), "last 1 bytes"),
        (safetensors(&one(entry("F32", "[2]", 4, 12)), 12), "tensor a lies at 4..12"),
        (safetensors(&one(entry("F32", "[2]", 8, 0)), 8), "tensor a lies at 8..0"),
        (safetensors(&one(entry("F32", "[3]", 0, 8)), 8), "tensor a has 8 bytes"),
        (
            safetensors(&one(entry("F32", "[4294967296,4294967296]", 0, 0)), 0),
            "tensor a is too large",
        ),
        (safetensors(&one(entry("F32", "[4611686018427387904]", 0, 0)), 0), "tensor a has 0 bytes"),
        (safetensors(&one(entry("F32", "[-1]", 0, 0)), 0), "tensor a"),
        (safetensors(&one(entry("F32", "[1,1,1,1,1,1,1,1,1]", 0, 4)), 4), "9 dimensions"),
        (safetensors(&one(entry("F32", "[1]", 0, u64::MAX)), 4), "ends within tensor a"),
        (safetensors(&one("7".into()), 0), "tensor a"),
        (safetensors(&twice, 16), "tensor a is there twice"),
        (
            safetensors(&two(entry("F32", "[2]", 0, 8), entry("F32", "[2]", 4, 12)), 12),
            "tensor b lies at 4..12 where 8 is next",
        ),
        (safetensors("{}", 0), "lacks the tensor lm_head.weight"),
        (
            safetensors(&one(entry("F64", "[1]", 0, 8)).replace("\"a\"", "\"lm_head.weight\""), 8),
            "lacks the tensor model.embed_tokens.weight",
        ),
        (
            safetensors(&one(entry("F32", "[1]", 0, 4)).replace("\"a\"", "\"a.bias\""), 4),
            "uses the tensor a.bias",
        ),
    ] {
        let folder = copy("tiny-mistral");
        fs::write(folder.path().join("model.safetensors"), &file).unwrap();
        let error = load(folder.path()).err().unwrap().to_string();
        assert!(error.contains(cause), "{cause}: {error}");
    }
}

#[test]
fn a_type_that_models_of_ours_do_not_have_is_refused_when_it_is_read() {
    let folder = copy("tiny-mistral");
    let path = folder.path().join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|w| w == b"\"F32\",\"").unwrap();
    bytes[at + 1..at + 4].copy_from_slice(b"I32");
    fs::write(&path, bytes).unwrap();
    let error = load(folder.path()).err().unwrap();
    assert!(matches!(error.problem, LoadProblem::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("tensor lm_head.weight is neither"), "{error}");
}

#[test]
fn folders_without_a_model_say_what_they_lack() {
    let folder = TempDir::new().unwrap();
    let error = load(folder.path()).err().unwrap();
    assert!(matches!(error.problem, LoadProblem::Missing), "{error}");
    assert!(error.path.ends_with("config.json"), "{error}");
    fs::copy(fixture("tiny-mistral/config.json"), folder.path().join("config.json")).unwrap();
    let error = load(folder.path()).err().unwrap();
    assert!(error.path.ends_with("model.safetensors.index.json"), "{error}");
    fs::create_dir(folder.path().join("model.safetensors")).unwrap();
    let error = load(folder.path()).err().unwrap().to_string();
    assert!(error.contains("no regular file"), "{error}");
}
