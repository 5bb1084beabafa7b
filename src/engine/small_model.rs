//! Tests on a made-up model of a few kilobytes: what the loaders refuse, and that no damage makes
//! them panic. They run everywhere; comparisons with real models are `oracle`'s.

use std::fs::{self, File};
use std::path::Path;

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use sn1_actors::domain::ChatMessage;
use sn1_actors::ports::{BlockId, Codec, EngineError, Placement, Row, SequenceId, StepEngine};
use tempfile::TempDir;

use super::{EngineOptions, LoadError, LoadProblem, LocalEngine, LocalModelFiles, load_codec};

const TOKENS: [&str; 10] = ["<|a|>", "<|e|>", "a", "b", "Ġ", "ab", "1", "2", "Ċ", "Ġab"];

/// A model as candle writes it, to be bent before it is written.
struct SmallModel {
    metadata: Vec<(String, Value)>,
    tensors: Vec<(String, Vec<usize>)>,
}

impl SmallModel {
    fn new() -> Self {
        let texts = |texts: &[&str]| {
            Value::Array(texts.iter().map(|t| Value::String((*t).into())).collect())
        };
        let kinds = (0..TOKENS.len()).map(|i| Value::I32(if i < 2 { 3 } else { 1 })).collect();
        let metadata = [
            ("general.architecture", Value::String("llama".into())),
            ("llama.context_length", Value::U32(16)),
            ("llama.embedding_length", Value::U32(8)),
            ("llama.block_count", Value::U32(2)),
            ("llama.feed_forward_length", Value::U32(12)),
            ("llama.attention.head_count", Value::U32(2)),
            ("llama.attention.head_count_kv", Value::U32(1)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("tokenizer.ggml.model", Value::String("gpt2".into())),
            ("tokenizer.ggml.pre", Value::String("smollm".into())),
            ("tokenizer.ggml.tokens", texts(&TOKENS)),
            ("tokenizer.ggml.token_type", Value::Array(kinds)),
            ("tokenizer.ggml.merges", texts(&["a b", "Ġ ab"])),
            ("tokenizer.ggml.eos_token_id", Value::U32(1)),
            (
                "tokenizer.chat_template",
                Value::String(
                    "{% for m in messages %}<|a|>{{ m.content }}<|e|>{% endfor %}".into(),
                ),
            ),
        ];
        let mut tensors = vec![("token_embd".into(), vec![10, 8]), ("output_norm".into(), vec![8])];
        for layer in 0..2 {
            for (name, shape) in [
                ("attn_norm", vec![8]),
                ("attn_q", vec![8, 8]),
                ("attn_k", vec![4, 8]),
                ("attn_v", vec![4, 8]),
                ("attn_output", vec![8, 8]),
                ("ffn_norm", vec![8]),
                ("ffn_gate", vec![12, 8]),
                ("ffn_up", vec![12, 8]),
                ("ffn_down", vec![8, 12]),
            ] {
                tensors.push((format!("blk.{layer}.{name}"), shape));
            }
        }
        Self { metadata: metadata.map(|(key, value)| (key.into(), value)).to_vec(), tensors }
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.metadata.retain(|(k, _)| k != key);
        self.metadata.push((key.into(), value));
        self
    }

    fn write(&self, path: &Path) {
        let tensors: Vec<(String, QTensor)> = self
            .tensors
            .iter()
            .map(|(name, shape)| {
                let count: usize = shape.iter().product();
                let numbers: Vec<f32> =
                    (0..count).map(|i| ((i * 37 + name.len()) % 19) as f32 / 9.0 - 1.0).collect();
                let tensor = Tensor::from_vec(numbers, shape.as_slice(), &Device::Cpu).unwrap();
                let tensor = QTensor::quantize(&tensor, GgmlDType::F32).unwrap();
                (format!("{name}.weight"), tensor)
            })
            .collect();
        let metadata: Vec<_> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<_> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
        write(&mut File::create(path).unwrap(), &metadata, &tensors).unwrap();
    }
}

fn load(path: &Path) -> Result<LocalEngine, LoadError> {
    let files = LocalModelFiles { text: path.into(), embedder: None };
    LocalEngine::load(&files, EngineOptions::default())
}

/// What the loaders say of it: the codec's complaint if there is one, else the engine's.
fn problem(model: &SmallModel) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.gguf");
    model.write(&path);
    let error = load_codec(&path).err().or_else(|| load(&path).err()).expect("it was accepted");
    assert!(error.to_string().contains("small.gguf"), "{error}");
    error.problem.to_string()
}

#[test]
fn a_small_model_speaks_and_its_context_ends() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.gguf");
    SmallModel::new().write(&path);
    let codec = load_codec(&path).unwrap();
    let prompt = codec.encode_chat(&[ChatMessage::user("ab ab12<|e|>")]).unwrap();
    assert_eq!(prompt, [0, 5, 9, 6, 7, 1], "characters that it has no token for are dropped");
    assert_eq!(codec.decode(&prompt), "ab ab12");
    assert_eq!((codec.context_length(), codec.is_stop(1)), (16, true));

    let mut engine = load(&path).unwrap();
    let row = |position: u32| Row {
        sequence: SequenceId(3),
        position,
        token: position % 10,
        wants_logits: position.is_multiple_of(3),
    };
    let place = |blocks: &[u32]| Placement {
        sequence: SequenceId(3),
        blocks: blocks.iter().copied().map(BlockId).collect(),
        cached: 0,
    };
    engine.place(place(&[0])).unwrap();
    let logits = engine.step(&(0..16).map(row).collect::<Vec<_>>()).unwrap();
    assert_eq!(logits.len(), 6);
    assert!(logits.iter().all(|row| row.len() == 10 && row.iter().all(|x| x.is_finite())));
    assert!(matches!(engine.step(&[row(16)]), Err(EngineError::Request(_))));
    engine.release(SequenceId(3));
    engine.place(place(&[1])).unwrap();
    assert_eq!(engine.step(&[row(0)]).unwrap()[0], logits[0]);
}

#[test]
fn what_it_lacks_is_named() {
    for (index, (key, _)) in SmallModel::new().metadata.into_iter().enumerate() {
        // Heads of keys and values are as many as heads unless said otherwise.
        if key != "llama.attention.head_count_kv" {
            let mut model = SmallModel::new();
            model.metadata.remove(index);
            assert!(problem(&model).contains(&format!("lacks the metadata entry {key};")));
        }
    }
    for (index, (name, _)) in SmallModel::new().tensors.into_iter().enumerate() {
        let mut model = SmallModel::new();
        model.tensors.remove(index);
        assert!(problem(&model).contains(&format!("lacks the tensor {name}.weight")));
        let mut model = SmallModel::new();
        model.tensors[index].1.push(2);
        assert!(problem(&model).contains(&format!("tensor {name}.weight has the shape")));
    }
}

#[test]
fn what_cannot_be_run_is_refused() {
    let text = |text: &str| Value::String(text.into());
    let texts = |texts: &[&str]| Value::Array(texts.iter().map(|t| text(t)).collect());
    for (key, value, cause) in [
        ("general.architecture", text("bert"), "architecture bert"),
        ("general.architecture", Value::U32(3), "general.architecture is a whole number"),
        ("general.alignment", Value::U32(0), "alignment"),
        ("tokenizer.ggml.pre", text("qwen2"), "pre-tokenizer qwen2"),
        ("tokenizer.ggml.model", text("bert"), "tokenizer bert"),
        ("tokenizer.ggml.model", text("llama"), "tokenizer.ggml.scores"),
        ("tokenizer.ggml.add_bos_token", Value::Bool(true), "a token before every text"),
        ("tokenizer.ggml.eos_token_id", Value::U32(10), "impossible"),
        ("tokenizer.ggml.token_type", Value::Array(vec![Value::I32(1)]), "type"),
        ("tokenizer.ggml.merges", texts(&["ab ab"]), "merge \"ab ab\""),
        ("tokenizer.ggml.merges", texts(&["ab"]), "merge \"ab\""),
        ("tokenizer.chat_template", text("{% if %}"), "template"),
        ("llama.context_length", Value::U64(u64::MAX), "2^63"),
        ("llama.context_length", Value::I64(-1), "impossible"),
        ("llama.context_length", Value::U32(0), "sizes"),
        ("llama.attention.head_count", Value::U32(0), "sizes"),
        ("llama.attention.head_count_kv", Value::U32(3), "sizes"),
        ("llama.attention.key_length", Value::U32(1 << 17), "shape"),
        ("llama.rope.dimension_count", Value::U32(3), "sizes"),
        ("llama.rope.scaling.type", text("yarn"), "yarn"),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(f32::NAN), "impossible"),
        ("llama.block_count", Value::U32(1 << 31), "impossible"),
        ("llama.block_count", Value::U32(3), "blk.2.attn_norm.weight"),
    ] {
        let found = problem(&SmallModel::new().with(key, value));
        assert!(found.contains(cause), "{key}: {found}");
    }
    let mut biased = SmallModel::new();
    biased.tensors.push(("rope_freqs".into(), vec![2]));
    assert!(problem(&biased).contains("rope_freqs.weight"));
}

#[test]
fn other_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other");
    assert!(matches!(load_codec(&path).unwrap_err().problem, LoadProblem::Missing));
    let empty = load_codec(folder.path()).unwrap_err();
    assert!(matches!(empty.problem, LoadProblem::Missing), "{empty}");
    assert!(empty.path.ends_with("config.json"), "{empty}");
    for bytes in [b"".as_slice(), b"GG", b"PK\x03\x04 and so on", &[0xff; 4000]] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(load_codec(&path).unwrap_err().problem, LoadProblem::NotGguf));
    }
    fs::write(&path, b"GGUF\x01\0\0\0").unwrap();
    assert!(matches!(load_codec(&path).unwrap_err().problem, LoadProblem::Unsupported(_)));

    let small = folder.path().join("small.gguf");
    SmallModel::new().write(&small);
    let files = |embedder: &str| LocalModelFiles {
        text: small.clone(),
        embedder: Some(folder.path().join(embedder)),
    };
    let error = LocalEngine::load(&files("nowhere"), EngineOptions::default()).err().unwrap();
    assert!(matches!(error.problem, LoadProblem::Missing) && error.path.ends_with("config.json"));
    fs::write(folder.path().join("config.json"), b"{\"hidden_size\": -1}").unwrap();
    let error = LocalEngine::load(&files(""), EngineOptions::default()).err().unwrap();
    assert!(matches!(error.problem, LoadProblem::Damaged(_)), "{error}");
}

#[test]
fn every_truncation_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.gguf");
    SmallModel::new().write(&path);
    let whole = fs::read(&path).unwrap();
    // The last tensor is padded to 32 bytes.
    for length in 4..=whole.len() - 32 {
        fs::write(&path, &whole[..length]).unwrap();
        let problem = load(&path).err().unwrap().problem;
        assert!(matches!(problem, LoadProblem::Truncated(_)), "{length}: {problem}");
    }
}

#[test]
fn no_flipped_bit_panics() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("small.gguf");
    SmallModel::new().write(&path);
    let whole = fs::read(&path).unwrap();
    for (place, bit) in (0..whole.len()).zip((0..8).cycle()) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        if let Ok(codec) = load_codec(&path) {
            let chat = [ChatMessage::user("ab <|e|> 12")];
            let ids = codec.encode_chat(&chat).unwrap_or_default();
            codec.decode(&ids);
        }
        if let Ok(mut engine) = load(&path) {
            let row =
                |position| Row { sequence: SequenceId(0), position, token: 2, wants_logits: true };
            let blocks = vec![BlockId(0)];
            engine.place(Placement { sequence: SequenceId(0), blocks, cached: 0 }).unwrap();
            // It may be refused, or come out wrong.
            let _ = engine.step(&[row(0), row(1)]);
        }
    }
}
