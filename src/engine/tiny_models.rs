//! Tests on the tiny models of `tests/fixtures/engine`, which `scripts/oracles/tiny_models.py`
//! made: whatever kind of file a model lies in, its logits are those of transformers.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use serde::Deserialize;
use serde_json::Value;
use sn1_actors::ports::{
    BLOCK_TOKENS, BlockId, EngineError, Placement, Row, SequenceId, StepEngine,
};

use super::device_llama::DeviceLlama;
use super::{EngineOptions, LoadError, LocalEngine, LocalModelFiles, Precision};

/// Every file, and whose logits are expected of it.
const MODELS: [(&str, &str); 7] = [
    ("tiny-mistral", "tiny-mistral"),
    ("tiny-mistral-sharded", "tiny-mistral"),
    ("tiny-mistral.f32.gguf", "tiny-mistral"),
    ("tiny-mistral.q8_0.gguf", "tiny-mistral.q8_0.gguf"),
    ("tiny-mistral.q4_0.gguf", "tiny-mistral.q4_0.gguf"),
    ("tiny-llama", "tiny-llama"),
    ("tiny-llama.q8_0.gguf", "tiny-llama.q8_0.gguf"),
];
/// How many tokens their contexts hold.
const CONTEXT: u32 = 64;

/// What transformers computed for a prompt.
#[derive(Deserialize)]
struct Logits {
    /// By position.
    every_16th: Vec<Vec<f32>>,
    /// All of the last position.
    last: Vec<f32>,
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engine").join(name)
}

pub(super) fn json(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

pub(super) fn load(path: &Path) -> Result<LocalEngine, LoadError> {
    let files = LocalModelFiles { text: path.into(), embedder: None };
    let options = EngineOptions {
        precision: Precision::F32,
        threads: Some(1),
        kv_blocks: 16,
        ..EngineOptions::default()
    };
    LocalEngine::load(&files, options)
}

/// Gives a sequence room for `tokens` positions, in blocks from `first` on.
pub(super) fn place(engine: &mut LocalEngine, sequence: u32, first: u32, tokens: usize) {
    let blocks = u32::try_from(tokens.div_ceil(BLOCK_TOKENS)).unwrap();
    let placement = Placement {
        sequence: SequenceId(sequence),
        blocks: (first..first + blocks).map(BlockId).collect(),
        cached: 0,
    };
    engine.place(placement).unwrap();
}

pub(super) fn row(sequence: u32, position: u32, token: u32) -> Row {
    Row { sequence: SequenceId(sequence), position, token, wants_logits: true }
}

/// The largest difference of two rows of logits.
fn difference(found: impl Iterator<Item = f32>, expected: &[f32]) -> f32 {
    found.zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Compares what `step` computes, of rows of sequence 1, with what transformers did.
fn check(name: &str, expected: &str, mut step: impl FnMut(&[Row]) -> Vec<Vec<f32>>) {
    let file = json("logits.json");
    let expected: Logits = serde_json::from_value(file["models"][expected].clone()).unwrap();
    let rows: Vec<Row> = (0..).zip(prompt()).map(|(i, token)| row(1, i, token)).collect();
    // As a prompt, and then token by token.
    let (together, rest) = rows.split_at(30);
    let mut logits = step(together);
    for row in rest {
        logits.extend(step(&[*row]));
    }
    assert_eq!((logits.len(), expected.every_16th.len()), (rows.len(), rows.len()));
    for (position, (found, expected)) in logits.iter().zip(&expected.every_16th).enumerate() {
        let worst = difference(found.iter().copied().step_by(16), expected);
        assert!(worst < 1e-4, "{name}, position {position}: {worst} apart");
    }
    let last = logits.last().unwrap();
    assert_eq!(last.len(), expected.last.len());
    let worst = difference(last.iter().copied(), &expected.last);
    assert!(worst < 1e-4, "{name}: {worst} apart");
}

fn prompt() -> Vec<u32> {
    serde_json::from_value(json("logits.json")["tokens"].clone()).unwrap()
}

#[test]
fn tiny_mistral_gives_the_logits_of_transformers() {
    for (name, expected) in MODELS {
        let mut engine = load(&fixture(name)).unwrap();
        place(&mut engine, 1, 0, prompt().len());
        check(name, expected, |rows| engine.step(rows).unwrap());
    }
}

#[test]
fn tiny_mistral_gives_the_logits_of_transformers_on_a_device_of_candles() {
    for (name, expected) in MODELS {
        let mut model = DeviceLlama::load(&fixture(name), &Device::Cpu, DType::F32, 16).unwrap();
        let blocks = (0..2).map(BlockId).collect();
        model.place(Placement { sequence: SequenceId(1), blocks, cached: 0 }).unwrap();
        check(name, expected, |rows| model.step(rows).unwrap());
    }
}

#[test]
fn what_a_model_has_no_room_for_is_refused_and_harmless() {
    for (name, _) in MODELS {
        let mut engine = load(&fixture(name)).unwrap();
        place(&mut engine, 1, 0, CONTEXT as usize);
        assert!(engine.step(&[]).unwrap().is_empty(), "no rows are no work");
        let whole: Vec<Row> = (0..CONTEXT).map(|i| row(1, i, 3 + i)).collect();
        let logits = engine.step(&whole).unwrap();
        for refused in [row(1, CONTEXT, 3), row(1, 2, 3), row(1, CONTEXT, 384)] {
            let refused = engine.step(&[refused]);
            assert!(matches!(refused, Err(EngineError::Request(_))), "{name}: {refused:?}");
        }
        engine.release(SequenceId(1));
        place(&mut engine, 2, 0, CONTEXT as usize);
        let outside = engine.step(&[row(2, 0, 384)]);
        assert!(matches!(outside, Err(EngineError::Request(_))), "{name}: {outside:?}");
        assert_eq!(engine.step(&[row(2, 0, 3)]).unwrap()[0], logits[0]);
    }
}
